//! The limits of one customer: several policies, all or nothing, and what has been spent of each.
//!
//! Time is what the clock has moved forward between two requests. A clock that stands still restores nothing; one
//! that goes back restores nothing either, and time counts on from where it then is, so that nobody waits for it to
//! catch up. Measured in time that really passes while the clock runs, the bound of every policy holds as
//! [`super::bucket`] states it.

use crate::customer::limits::bucket::{Bucket, Decision, Standing, Verdict};
use crate::customer::limits::leases::{LeaseId, Leases};
use crate::customer::limits::policy::{Policy, QuotaUnit};
use crate::entropy::{Entropy, random};
use crate::error::{Error, Result};
use crate::order;
use crate::types::Timestamp;

/// The most policies of which something is spent at one time: a plan's, a customer's own, and one for each key.
pub const MAX_BUCKETS: usize = 128;

/// What is to be spent of one policy.
#[derive(Debug, Clone, Copy)]
pub struct Charge<'a> {
    /// Of which policy.
    pub policy: &'a Policy,
    /// How many units; 0 only asks.
    pub cost: u64,
}

/// What became of some charges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Whether all of them were admitted and spent. If not, none was.
    pub allowed: bool,
    /// Seconds, rounded up, after which the same charges are admitted if nothing else is spent meanwhile. None if
    /// they were, and None if they never can be because one is more than its policy allows at once.
    pub retry_after_seconds: Option<u64>,
    /// What each policy says, in the order of the charges.
    pub policies: Vec<PolicyOutcome>,
    /// The lease, where a policy for concurrent requests was charged and everything admitted.
    pub lease: Option<LeaseId>,
}

/// What one policy says of its charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyOutcome {
    /// The policy's name.
    pub name: String,
    /// Its quota, in units a window.
    pub q: u64,
    /// Its window, in seconds.
    pub w: u64,
    /// Units that may be spent at once.
    pub burst: u64,
    /// What it counts.
    pub unit: QuotaUnit,
    /// Units that are spent and not restored yet, after this charge; a part of one counts whole.
    pub used: u64,
    /// Units that can be spent now, after this charge.
    pub remaining: u64,
    /// Seconds, rounded up, until one unit more can be; 0 if none is missing.
    pub next_seconds: u64,
    /// Seconds, rounded up, until none is missing.
    pub reset_seconds: u64,
    /// Whether it is this policy that refused.
    pub violated: bool,
}

/// What has been spent, of which policy, up to which moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limiter {
    pub(super) at: Timestamp,
    /// By the policy's name; none is unspent.
    pub(super) buckets: order::Map<String, Bucket>,
    pub(super) leases: Leases,
}

impl Default for Limiter {
    /// Nothing spent. Only for a customer that has no stored state; never in place of one that cannot be read.
    fn default() -> Self {
        Self {
            at: Timestamp::from_millis(0),
            buckets: order::Map::new(),
            leases: Leases::default(),
        }
    }
}

impl Limiter {
    /// Spends all charges or none. Two charges may not be of the same policy.
    ///
    /// 1. Bring every bucket and lease to `now`, and those that are charged under their policy as it is today.
    /// 2. Ask every policy.
    /// 3. If all admit, spend; else nothing is spent.
    ///
    /// # Errors
    /// `internal_error`, with nothing spent: a policy charged twice, more than [`MAX_BUCKETS`] policies in use, or
    /// the source of entropy, which is asked only where a lease is acquired.
    pub fn check(
        &mut self,
        charges: &[Charge<'_>],
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<Outcome> {
        // 1.
        self.advance(charges.iter().map(|charge| charge.policy), now)?;
        // 2.
        let decisions = self.decide(charges);
        let allowed = decisions
            .iter()
            .all(|decision| decision.verdict == Verdict::Admitted);
        // 3.
        let lease = if allowed {
            self.spend(charges, entropy)?
        } else {
            None
        };
        let policies = charges.iter().zip(&decisions);
        Ok(Outcome {
            allowed,
            retry_after_seconds: retry_after_seconds(&decisions),
            policies: policies
                .map(|(charge, decision)| self.outcome(charge.policy, decision.verdict))
                .collect(),
            lease,
        })
    }

    /// What is left of each policy; nothing is spent.
    ///
    /// # Errors
    /// As [`Limiter::check`].
    pub fn usage(&mut self, policies: &[Policy], now: Timestamp) -> Result<Vec<PolicyOutcome>> {
        self.advance(policies.iter(), now)?;
        let outcome = |policy| self.outcome(policy, Verdict::Admitted);
        Ok(policies.iter().map(outcome).collect())
    }

    /// Makes `policies` the only ones there are: what was spent of others is forgotten, their leases are gone, and
    /// the rest comes under its policy as it is now. To be called with all of them when they have changed, and after
    /// waking up, since a deployment may have changed them.
    ///
    /// # Errors
    /// As [`Limiter::check`].
    pub fn adopt(&mut self, policies: &[Policy], now: Timestamp) -> Result<()> {
        let keep = |name: &str, unit| {
            policies
                .iter()
                .any(|policy| policy.name() == name && policy.unit() == unit)
        };
        self.buckets.retain(|name, _| keep(name, QuotaUnit::Requests));
        self.leases
            .keep_policies(|name| keep(name, QuotaUnit::ConcurrentRequests));
        self.advance(policies.iter(), now)
    }

    /// Up to which moment it is.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// Gives a lease back. False, and nothing changed, if it is not held.
    pub fn release(&mut self, lease: LeaseId, now: Timestamp) -> bool {
        // Nothing is named twice, so this cannot fail.
        self.advance(std::iter::empty(), now).is_ok() && self.leases.release(lease)
    }

    /// Brings everything to `now`, and `policies` to what they are today.
    fn advance<'a>(
        &mut self,
        policies: impl Iterator<Item = &'a Policy> + Clone,
        now: Timestamp,
    ) -> Result<()> {
        for (index, policy) in policies.clone().enumerate() {
            if policies
                .clone()
                .take(index)
                .any(|other| other.name() == policy.name())
            {
                return Err(Error::fault("a limit is charged twice in one request"));
            }
        }
        let elapsed = now.as_millis().saturating_sub(self.at.as_millis());
        let elapsed_ms = u64::try_from(elapsed).unwrap_or_default();
        self.at = now;
        for (name, bucket) in self.buckets.iter_mut() {
            *bucket = match policies.clone().find(|policy| policy.name() == name) {
                Some(policy) => bucket.under(policy, elapsed_ms),
                None => bucket.after(elapsed_ms),
            };
        }
        self.buckets.retain(|_, bucket| !bucket.is_unspent());
        self.leases.advance(now);
        policies.for_each(|policy| self.leases.adopt(policy, now));
        Ok(())
    }

    fn decide(&self, charges: &[Charge<'_>]) -> Vec<Decision> {
        let mut pending: usize = 0;
        let decide = |charge: &Charge<'_>| match charge.policy.unit() {
            QuotaUnit::Requests => self.bucket(charge.policy).decide(charge.policy, charge.cost),
            QuotaUnit::ConcurrentRequests => {
                let decision = self.leases.decide(charge.policy, charge.cost, pending, self.at);
                pending = pending.saturating_add(usize::from(charge.cost > 0));
                decision
            }
        };
        charges.iter().map(decide).collect()
    }

    fn spend(&mut self, charges: &[Charge<'_>], entropy: &mut dyn Entropy) -> Result<Option<LeaseId>> {
        let spent = || charges.iter().filter(|charge| charge.cost > 0);
        let of = |unit| spent().filter(move |charge| charge.policy.unit() == unit);
        let fresh = of(QuotaUnit::Requests).filter(|charge| !self.buckets.contains_key(charge.policy.name()));
        if self.buckets.len().saturating_add(fresh.count()) > MAX_BUCKETS {
            return Err(Error::fault("more limits are in use than a customer can have"));
        }
        let lease = match of(QuotaUnit::ConcurrentRequests).next() {
            Some(_) => Some(LeaseId::from_bytes(random(entropy)?)),
            None => None,
        };
        for charge in of(QuotaUnit::Requests) {
            let bucket = self.bucket(charge.policy).spending(charge.cost);
            match self.buckets.get_mut(charge.policy.name()) {
                Some(known) => *known = bucket,
                None => {
                    self.buckets.insert(charge.policy.name().to_owned(), bucket);
                }
            }
        }
        if let Some(id) = lease {
            for charge in of(QuotaUnit::ConcurrentRequests) {
                self.leases.acquire(charge.policy, id, charge.cost, self.at);
            }
        }
        Ok(lease)
    }

    fn bucket(&self, policy: &Policy) -> Bucket {
        let known = self.buckets.get(policy.name()).copied();
        known.unwrap_or(Bucket::unspent(policy))
    }

    fn outcome(&self, policy: &Policy, verdict: Verdict) -> PolicyOutcome {
        let Standing {
            used,
            remaining,
            next_ms,
            reset_ms,
        } = match policy.unit() {
            QuotaUnit::Requests => self.bucket(policy).standing(policy),
            QuotaUnit::ConcurrentRequests => self.leases.standing(policy, self.at),
        };
        PolicyOutcome {
            name: policy.name().to_owned(),
            q: policy.q(),
            w: policy.w(),
            burst: policy.burst(),
            unit: policy.unit(),
            used,
            remaining,
            next_seconds: seconds(next_ms),
            reset_seconds: seconds(reset_ms),
            violated: verdict != Verdict::Admitted,
        }
    }
}

/// The longest of the waits. Each policy alone admits from then on, so all of them do.
fn retry_after_seconds(decisions: &[Decision]) -> Option<u64> {
    let mut longest = None;
    for decision in decisions {
        match decision.verdict {
            Verdict::Admitted => {}
            Verdict::Wait(ms) => longest = longest.max(Some(seconds(ms))),
            Verdict::Never => return None,
        }
    }
    longest
}

/// The largest integer of a structured field (RFC 9651 section 3.3.1), and exact in a double: 31 million years.
const MAX_SECONDS: u64 = 999_999_999_999_999;

/// Whole seconds, never fewer than the milliseconds.
fn seconds(ms: u64) -> u64 {
    ms.div_ceil(1000).min(MAX_SECONDS)
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;
