//! The cache of the issuer's keys, as a state machine without I/O: it says when to fetch, the shell fetches.
//!
//! Rules, in the order in which [`JwksCache::lookup`] applies them:
//! 1. Keys younger than [`FRESH_MS`] that hold a candidate are used.
//! 2. Otherwise a refresh is due. One request does it; it is allowed once per [`REFRESH_FLOOR_MS`] while there
//!    are keys (so that made-up `kid`s cannot make us flood the issuer), once per [`RETRY_FLOOR_MS`] while there
//!    are none. A fetch of which nothing was heard for [`FETCH_DEADLINE_MS`] is taken over.
//! 3. Where another request is fetching, or it is too early to, keys younger than [`STALE_MS`] that hold a
//!    candidate are used; a request that has none waits for the fetch that is under way.
//! 4. A candidate that is nowhere is unknown, if the issuer's last answer says so, else unavailable.

use super::key::Algorithm;
use super::key_set::KeySet;
use crate::types::Timestamp;

/// Milliseconds for which keys are used without asking again: 10 minutes.
pub const FRESH_MS: i64 = 600_000;
/// Milliseconds for which keys are used while the issuer does not answer: 24 hours.
pub const STALE_MS: i64 = 86_400_000;
/// Milliseconds between the starts of two fetches while there are keys: 30 seconds.
pub const REFRESH_FLOOR_MS: i64 = 30_000;
/// Milliseconds between the starts of two fetches while there are none: 2 seconds.
pub const RETRY_FLOOR_MS: i64 = 2_000;
/// Milliseconds after which a fetch is given up, and after which another request may take over one of which
/// nothing was heard (its request may have been cancelled): 5 seconds.
pub const FETCH_DEADLINE_MS: i64 = 5_000;

/// The issuer's keys as far as they are known.
#[derive(Debug, Default)]
pub struct JwksCache {
    keys: KeySet,
    fetched_at: Option<Timestamp>,
    attempted_at: Option<Timestamp>,
    fetching: bool,
    failed: bool,
}

/// What to do about a token.
pub enum Lookup<'a> {
    /// Try the candidates of this set; there is at least one.
    Keys(&'a KeySet),
    /// The issuer has no such key.
    Unknown,
    /// Fetch the keys, then report [`JwksCache::fetched`] or [`JwksCache::failed`]; the fetch counts as started.
    Fetch,
    /// Somebody else is fetching: ask again soon.
    Wait,
    /// The issuer's keys are not to be had at the moment.
    Unavailable,
}

impl JwksCache {
    /// What to do about a token of this `kid` and algorithm.
    pub fn lookup(&mut self, kid: Option<&str>, algorithm: Algorithm, now: Timestamp) -> Lookup<'_> {
        let held = within(self.fetched_at, now, STALE_MS);
        let known = held && self.keys.candidates(kid, algorithm).next().is_some();
        if known && within(self.fetched_at, now, FRESH_MS) {
            return Lookup::Keys(&self.keys);
        }
        let under_way = self.fetching && within(self.attempted_at, now, FETCH_DEADLINE_MS);
        if !within(self.attempted_at, now, self.floor_ms(now)) {
            self.fetching = true;
            self.attempted_at = Some(now);
            return Lookup::Fetch;
        }
        if known {
            return Lookup::Keys(&self.keys);
        }
        if under_way {
            return Lookup::Wait;
        }
        if held && !self.failed {
            Lookup::Unknown
        } else {
            Lookup::Unavailable
        }
    }

    /// Milliseconds between the start of the last fetch and the next.
    fn floor_ms(&self, now: Timestamp) -> i64 {
        match (self.fetching, within(self.fetched_at, now, STALE_MS)) {
            (true, _) => FETCH_DEADLINE_MS,
            (false, true) => REFRESH_FLOOR_MS,
            (false, false) => RETRY_FLOOR_MS,
        }
    }

    /// Whole seconds, rounded up, after which the keys are asked for again; before that nothing can be different.
    #[must_use]
    pub fn retry_after_secs(&self, now: Timestamp) -> u64 {
        let elapsed = self
            .attempted_at
            .map_or(i64::MAX, |then| now.as_millis().saturating_sub(then.as_millis()));
        let wait_ms = self.floor_ms(now).saturating_sub(elapsed.max(0)).max(1);
        u64::try_from(wait_ms).unwrap_or(1).div_ceil(1000)
    }

    /// The issuer answered 200 with these bytes. A set without a usable key is obeyed: it may be how a
    /// compromised key is withdrawn.
    ///
    /// # Errors
    /// Why the bytes are no set, for the log; the cache then holds what it held, as after [`JwksCache::failed`].
    pub fn fetched(&mut self, now: Timestamp, bytes: &[u8]) -> Result<(), &'static str> {
        match KeySet::parse(bytes) {
            Ok(keys) => {
                *self = Self {
                    keys,
                    fetched_at: Some(now),
                    attempted_at: self.attempted_at,
                    ..Self::default()
                };
                Ok(())
            }
            Err(fault) => {
                self.failed();
                Err(fault)
            }
        }
    }

    /// The issuer did not answer, or not with 200, within [`FETCH_DEADLINE_MS`].
    pub fn failed(&mut self) {
        self.fetching = false;
        self.failed = true;
    }
}

/// True where `then` was less than `span_ms` ago. A clock that went back makes everything old, which costs a
/// fetch; the other way round a moment in the future would hold for ever.
fn within(then: Option<Timestamp>, now: Timestamp, span_ms: i64) -> bool {
    then.is_some_and(|then| (0..span_ms).contains(&now.as_millis().saturating_sub(then.as_millis())))
}
