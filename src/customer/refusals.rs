//! Refusals that no limit bounds: by a rate limit itself, by a revoked credential, by a status. The first few of
//! a window get an entry each; the rest are counted and become one entry when the window is over, so that an
//! attacker cannot grow the log.

use crate::customer::usage::IDLE_MS;
use crate::types::Timestamp;
use std::collections::BTreeMap;

/// How long a window lasts, in milliseconds.
pub const WINDOW_MS: i64 = 60_000;
/// Refusals of one window that get an entry of their own.
pub const MAX_SINGLE_ENTRIES: u32 = 10;

/// The refusals of the current window.
#[derive(Debug, Clone, Default)]
pub struct Refusals {
    since: Option<Timestamp>,
    single: u32,
    /// When the last sum was written.
    summed_at: Option<Timestamp>,
    /// When the last one came that is counted.
    last: Option<Timestamp>,
    summed: BTreeMap<&'static str, u64>,
}

/// The refusals of a window that is over.
#[derive(Debug, PartialEq, Eq)]
pub struct Sum {
    /// When the window began.
    pub since: Timestamp,
    /// How many, by code.
    pub counts: BTreeMap<&'static str, u64>,
}

impl Refusals {
    /// Whether this refusal gets an entry of its own; if not, it is counted.
    pub fn admit(&mut self, code: &'static str, now: Timestamp) -> bool {
        self.since.get_or_insert(now);
        if self.single < MAX_SINGLE_ENTRIES {
            self.single = self.single.saturating_add(1);
            return true;
        }
        self.last = Some(now);
        let count = self.summed.entry(code).or_insert(0);
        *count = count.saturating_add(1);
        false
    }

    /// When the window is over, or earlier unless more come, if something waits to be written then.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        self.end().min(self.silent()).filter(|_| !self.summed.is_empty())
    }

    /// When those that are counted are written because none has come for long: the platform is about to take the
    /// object's memory.
    fn silent(&self) -> Option<Timestamp> {
        self.last
            .map(|last| Timestamp::from_millis(last.as_millis().saturating_add(IDLE_MS)))
    }

    fn end(&self) -> Option<Timestamp> {
        self.since
            .map(|since| Timestamp::from_millis(since.as_millis().saturating_add(WINDOW_MS)))
    }

    /// Ends the window if it is over, and says what is to be written of it. Where none has come for long that is said
    /// before, and the window goes on, so that pauses give nobody more entries.
    pub fn take_if_over(&mut self, now: Timestamp) -> Option<Sum> {
        // A clock that went back ends the window too, rather than keeping it open for as long as it went back.
        let is_over = self.end().is_some_and(|end| now >= end) || self.since.is_some_and(|since| now < since);
        if !is_over && self.due().is_none_or(|due| now < due) {
            return None;
        }
        let since = self.summed_at.replace(now).or(self.since);
        let counts = std::mem::take(&mut self.summed);
        if is_over {
            *self = Self::default();
        }
        since
            .filter(|_| !counts.is_empty())
            .map(|since| Sum { since, counts })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    #[test]
    fn a_flood_becomes_few_entries_and_one_sum() {
        let mut refusals = Refusals::default();
        let singles = (0..1000)
            .filter(|n| refusals.admit("quota_exceeded", at(*n)))
            .count();
        assert_eq!(singles, 10);
        for ms in (1000..=59_000).step_by(1000) {
            assert!(!refusals.admit("quota_exceeded", at(ms)));
            assert_eq!(refusals.take_if_over(at(ms)), None);
        }
        assert_eq!(refusals.due(), Some(at(60_000)));
        assert_eq!(refusals.take_if_over(at(59_999)), None);
        let sum = refusals.take_if_over(at(60_000)).unwrap();
        assert_eq!(
            (sum.since, sum.counts.get("quota_exceeded")),
            (at(0), Some(&1049))
        );
        assert!(refusals.admit("quota_exceeded", at(60_001)));
        assert_eq!(refusals.due(), None);
    }

    #[test]
    fn what_was_counted_is_written_when_none_comes_and_a_pause_gives_no_more_entries() {
        let mut refusals = Refusals::default();
        let singles = (0..100)
            .filter(|n| refusals.admit("token_revoked", at(*n)))
            .count();
        assert_eq!((singles, refusals.due()), (10, Some(at(5_099))));
        assert_eq!(refusals.take_if_over(at(5_098)), None);
        let sum = refusals.take_if_over(at(5_099)).unwrap();
        assert_eq!((sum.since, sum.counts.get("token_revoked")), (at(0), Some(&90)));
        assert_eq!(refusals.due(), None);
        assert!(!refusals.admit("token_revoked", at(58_000)));
        let sum = refusals.take_if_over(at(60_000)).unwrap();
        assert_eq!(
            (sum.since, sum.counts.get("token_revoked")),
            (at(5_099), Some(&1))
        );
        assert!(refusals.admit("token_revoked", at(60_001)));
    }

    #[test]
    fn a_clock_that_goes_back_ends_the_window() {
        let mut refusals = Refusals::default();
        for _ in 0..11 {
            refusals.admit("token_revoked", at(1_000_000));
        }
        assert!(refusals.take_if_over(at(5)).is_some());
    }
}
