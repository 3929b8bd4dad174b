//! Refusals that no limit bounds: by a rate limit itself, by a revoked credential, by a status. The first few of
//! a window get an entry each. The rest are counted and become one entry whenever as many have come as in all sums
//! before, and when the window is over: so an attacker cannot grow the log, and an object that is evicted in between
//! has lost at most half of the count.

use crate::customer::usage::IDLE_MS;
use crate::order;
use crate::types::Timestamp;

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
    /// How many stand in entries, of their own or in sums.
    told: u64,
    summed: order::Map<&'static str, u64>,
}

/// Refusals that become one entry.
#[derive(Debug, PartialEq, Eq)]
pub struct Sum {
    /// From when on.
    pub since: Timestamp,
    /// How many, by code.
    pub counts: order::Map<&'static str, u64>,
}

/// What becomes of a refusal.
#[derive(Debug, PartialEq, Eq)]
pub enum Admitted {
    /// It gets an entry of its own.
    Single,
    /// It was counted.
    Counted,
    /// It was counted, and this is to be written now.
    Summed(Sum),
}

impl Refusals {
    /// Whether this refusal gets an entry of its own; if not, it is counted.
    pub fn admit(&mut self, code: &'static str, now: Timestamp) -> Admitted {
        let since = *self.since.get_or_insert(now);
        if self.single < MAX_SINGLE_ENTRIES {
            self.single = self.single.saturating_add(1);
            self.told = self.told.saturating_add(1);
            return Admitted::Single;
        }
        self.last = Some(now);
        let count = self.summed.entry(code).or_insert(0);
        *count = count.saturating_add(1);
        let waiting = self
            .summed
            .values()
            .fold(0, |all: u64, one| all.saturating_add(*one));
        if waiting < self.told {
            return Admitted::Counted;
        }
        self.told = self.told.saturating_add(waiting);
        Admitted::Summed(Sum {
            since: self.summed_at.replace(now).unwrap_or(since),
            counts: std::mem::take(&mut self.summed),
        })
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
        self.told = counts
            .values()
            .fold(self.told, |all, one| all.saturating_add(*one));
        if is_over {
            *self = Self::default();
        }
        since
            .filter(|_| !counts.is_empty())
            .map(|since| Sum { since, counts })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::arithmetic_side_effects)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    #[test]
    fn a_flood_becomes_few_entries_and_few_sums() {
        let mut refusals = Refusals::default();
        let (mut singles, mut sums) = (0, Vec::new());
        for n in 0..1000 {
            match refusals.admit("quota_exceeded", at(n)) {
                Admitted::Single => singles += 1,
                Admitted::Counted => {}
                Admitted::Summed(sum) => {
                    sums.push((sum.since.as_millis(), *sum.counts.get("quota_exceeded").unwrap()));
                }
            }
            // Whoever is evicted now has lost at most half.
            let told = singles + sums.iter().map(|(_, count)| count).sum::<u64>();
            assert!(told * 2 > u64::try_from(n).unwrap());
        }
        assert_eq!(singles, 10);
        assert_eq!(
            sums,
            [(0, 10), (19, 20), (39, 40), (79, 80), (159, 160), (319, 320)]
        );
        assert_eq!(refusals.due(), Some(at(5_999)));
        for ms in (5_000..=55_000).step_by(5_000) {
            assert_eq!(refusals.admit("quota_exceeded", at(ms)), Admitted::Counted);
            assert_eq!(refusals.take_if_over(at(ms)), None);
        }
        assert_eq!(refusals.admit("quota_exceeded", at(59_000)), Admitted::Counted);
        assert_eq!(refusals.due(), Some(at(60_000)));
        assert_eq!(refusals.take_if_over(at(59_999)), None);
        let sum = refusals.take_if_over(at(60_000)).unwrap();
        assert_eq!(
            (sum.since, sum.counts.get("quota_exceeded")),
            (at(639), Some(&372))
        );
        assert_eq!(refusals.admit("quota_exceeded", at(60_001)), Admitted::Single);
        assert_eq!(refusals.due(), None);
    }

    #[test]
    fn what_was_counted_is_written_when_none_comes_and_a_pause_gives_no_more_entries() {
        let mut refusals = Refusals::default();
        let (mut singles, mut summed) = (0, 0);
        for n in 0..100 {
            match refusals.admit("token_revoked", at(n)) {
                Admitted::Single => singles += 1,
                Admitted::Counted => {}
                Admitted::Summed(sum) => summed += sum.counts.get("token_revoked").unwrap(),
            }
        }
        // 10 singly, 10, 20 and 40 as they came; 20 wait.
        assert_eq!((singles, summed, refusals.due()), (10, 70, Some(at(5_099))));
        assert_eq!(refusals.take_if_over(at(5_098)), None);
        let sum = refusals.take_if_over(at(5_099)).unwrap();
        assert_eq!((sum.since, sum.counts.get("token_revoked")), (at(79), Some(&20)));
        assert_eq!(refusals.due(), None);
        assert_eq!(refusals.admit("token_revoked", at(58_000)), Admitted::Counted);
        let sum = refusals.take_if_over(at(60_000)).unwrap();
        assert_eq!(
            (sum.since, sum.counts.get("token_revoked")),
            (at(5_099), Some(&1))
        );
        assert_eq!(refusals.admit("token_revoked", at(60_001)), Admitted::Single);
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
