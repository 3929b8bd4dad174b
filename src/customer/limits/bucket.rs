//! The token bucket of one policy, in whole numbers.
//!
//! A bucket holds what was spent and has not been restored yet, its `level`, in parts of a unit: one unit is
//! `w` (in milliseconds) parts, of which `q` are restored every millisecond. So a rate of `q / w` needs no fraction,
//! nothing is ever rounded, and a bucket that is asked often is exactly where one that is asked seldom is. A cost is
//! admitted while `level + cost · w <= burst · w`; this is GCRA (ITU-T I.371 annex A) counted from the other end.
//!
//! The bound, in any interval of `t` milliseconds, ends included: `admitted · w <= burst · w + t · q`.
//! Proof: whatever is admitted raises the level, only the passing of time lowers it, by at most `t · q`, and it
//! stays between 0 and `burst · w`.
//!
//! It is also tight: the wait that is told for a refused cost is the first millisecond in which it fits.

use crate::customer::limits::policy::{MAX_QUOTA, MAX_WINDOW_SECS, Policy};

/// Whether a cost is admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is.
    Admitted,
    /// Not now; it fits after so many milliseconds, at least one, if nothing else is spent meanwhile.
    Wait(u64),
    /// Never: it is more than the policy allows at once.
    Never,
}

/// What a policy says of a cost, before the cost is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// Whether the cost is admitted.
    pub verdict: Verdict,
    /// What is left.
    pub standing: Standing,
}

/// What is left of a policy's quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// Units that were spent and are not restored yet; a part of one counts whole.
    pub used: u64,
    /// Units that could be spent now.
    pub remaining: u64,
    /// Milliseconds until one unit more could be; 0 if none is missing.
    pub next_ms: u64,
    /// Milliseconds until none is missing.
    pub reset_ms: u64,
}

/// What was spent of one policy and has not been restored yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// Units restored in a window: parts restored in a millisecond.
    q: u64,
    /// The window in seconds.
    w: u64,
    /// Parts of a unit, `w` in milliseconds each.
    level: u128,
}

impl Bucket {
    /// The bucket of a policy of which nothing was spent.
    #[must_use]
    pub const fn unspent(policy: &Policy) -> Self {
        Self {
            q: policy.q(),
            w: policy.w(),
            level: 0,
        }
    }

    /// A stored bucket; None where the figures are none that a policy can lead to.
    #[must_use]
    pub fn restored(q: u64, w: u64, level: u128) -> Option<Self> {
        let bounded = (1..=MAX_QUOTA).contains(&q) && (1..=MAX_WINDOW_SECS).contains(&w);
        let most = u128::from(MAX_QUOTA).saturating_mul(parts(w));
        (bounded && level <= most).then_some(Self { q, w, level })
    }

    /// Its figures, as [`Bucket::restored`] takes them.
    #[must_use]
    pub const fn figures(&self) -> (u64, u64, u128) {
        (self.q, self.w, self.level)
    }

    /// Whether nothing is missing, so that it need not be remembered.
    #[must_use]
    pub const fn is_unspent(&self) -> bool {
        self.level == 0
    }

    /// The bucket after a time in milliseconds.
    #[must_use]
    pub fn after(self, elapsed_ms: u64) -> Self {
        let restored = u128::from(self.q).saturating_mul(u128::from(elapsed_ms));
        Self {
            level: self.level.saturating_sub(restored),
            ..self
        }
    }

    /// The bucket after a time in milliseconds, in which its policy became `policy` or stayed what it was.
    ///
    /// Units spent under the old policy stay spent under the new one, but never more than its burst, so that nobody
    /// waits longer than the new policy alone could make them. When the change happened is not known: the time
    /// counts by whichever of the two policies restores more. So over an interval with one change in it, what is
    /// admitted is at most the larger burst and `t` times the larger rate; each further change to a smaller burst
    /// may add what it forgave. From the change on, the bound is that of the new policy.
    #[must_use]
    pub fn under(self, policy: &Policy, elapsed_ms: u64) -> Self {
        if (self.q, self.w) == (policy.q(), policy.w()) {
            return self.within(policy).after(elapsed_ms);
        }
        let old_rate = self.after(elapsed_ms).rescaled(policy).within(policy);
        let new_rate = self.rescaled(policy).within(policy).after(elapsed_ms);
        Self {
            level: old_rate.level.min(new_rate.level),
            ..new_rate
        }
    }

    /// The same spent units in the parts of another policy, rounded up.
    fn rescaled(self, policy: &Policy) -> Self {
        let level = self.level.saturating_mul(parts(policy.w()));
        Self {
            q: policy.q(),
            w: policy.w(),
            level: level.div_ceil(parts(self.w).max(1)),
        }
    }

    fn within(self, policy: &Policy) -> Self {
        Self {
            level: self.level.min(self.capacity(policy)),
            ..self
        }
    }

    /// Parts that may be spent at once.
    fn capacity(&self, policy: &Policy) -> u128 {
        u128::from(policy.burst()).saturating_mul(parts(self.w))
    }

    /// What `policy`, under which the bucket is, says of a cost in units. A cost of 0 is always admitted.
    #[must_use]
    pub fn decide(&self, policy: &Policy, cost: u64) -> Decision {
        let capacity = self.capacity(policy);
        let wanted = self.spending(cost).level;
        let verdict = if cost > policy.burst() {
            Verdict::Never
        } else if wanted <= capacity {
            Verdict::Admitted
        } else {
            Verdict::Wait(self.millis_for(wanted.saturating_sub(capacity)))
        };
        Decision {
            verdict,
            standing: self.standing(policy),
        }
    }

    /// What is left under `policy`.
    #[must_use]
    pub fn standing(&self, policy: &Policy) -> Standing {
        let unit = parts(self.w).max(1);
        let free = self.capacity(policy).saturating_sub(self.level);
        let whole = free.checked_div(unit).unwrap_or_default();
        let next = whole.saturating_add(1).saturating_mul(unit).saturating_sub(free);
        Standing {
            used: u64::try_from(self.level.div_ceil(unit)).unwrap_or(u64::MAX),
            remaining: u64::try_from(whole).unwrap_or(u64::MAX),
            next_ms: if self.is_unspent() {
                0
            } else {
                self.millis_for(next)
            },
            reset_ms: self.millis_for(self.level),
        }
    }

    /// The bucket after a cost in units was spent. Only what was admitted may be.
    #[must_use]
    pub fn spending(self, cost: u64) -> Self {
        let spent = u128::from(cost).saturating_mul(parts(self.w));
        Self {
            level: self.level.saturating_add(spent),
            ..self
        }
    }

    /// Milliseconds until so many parts are restored, rounded up.
    fn millis_for(&self, level: u128) -> u64 {
        u64::try_from(level.div_ceil(u128::from(self.q.max(1)))).unwrap_or(u64::MAX)
    }
}

/// Parts of a unit where the window is `w` seconds.
fn parts(w: u64) -> u128 {
    u128::from(w).saturating_mul(1000)
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;
