//! Leases: the places of policies that count concurrent requests. A lease is given back, or lapses by itself
//! when the policy's window has passed.
//!
//! The bound: of one policy, the costs of the leases that are held never exceed `q` by an acquisition. Where `q`
//! became smaller, those held keep their places, and nothing is given out until they are few enough.

use crate::customer::limits::bucket::{Decision, Standing, Verdict};
use crate::customer::limits::policy::Policy;
use crate::order;
use crate::types::Timestamp;
use std::fmt;

/// The most leases of one customer at a time, and so the largest `q` of a policy that counts them. It bounds what
/// is stored: 24 bytes each.
pub const MAX_LEASES: u64 = 1_000;

/// The id of a lease: `lease_` and 32 lower-case hex digits. Who holds it may give the lease back, so it is random.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeaseId([u8; 16]);

impl LeaseId {
    /// The id of those random bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The id if the text has its form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("lease_")?;
        let lower_hex = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        if digits.len() != 32 || !digits.bytes().all(lower_hex) {
            return None;
        }
        let number = u128::from_str_radix(digits, 16).ok()?;
        Some(Self(number.to_be_bytes()))
    }
}

impl fmt::Display for LeaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lease_{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for LeaseId {
    /// Without the id itself: it is a credential of a kind.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LeaseId(…)")
    }
}

/// Places that one lease holds of one policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) id: LeaseId,
    /// Places, at least 1.
    pub(super) cost: u64,
    /// The first moment at which they are free again.
    pub(super) lapses_at: Timestamp,
}

/// All leases of a customer that are held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leases {
    /// By the policy's name; no entry is empty.
    pub(super) held: order::Map<String, Vec<Place>>,
}

impl Leases {
    /// Lets go of what has lapsed.
    pub fn advance(&mut self, now: Timestamp) {
        self.retain(|_, place| place.lapses_at > now);
    }

    /// Brings the leases of `policy` under it: none lasts longer from now than its window, as it may after the
    /// window was shortened or the clock went back.
    pub fn adopt(&mut self, policy: &Policy, now: Timestamp) {
        if let Some(places) = self.held.get_mut(policy.name()) {
            let latest = lapse_of(policy, now);
            for place in places {
                place.lapses_at = place.lapses_at.min(latest);
            }
        }
    }

    /// Lets go of the leases of policies that are not to be kept.
    pub fn keep_policies(&mut self, keep: impl Fn(&str) -> bool) {
        self.held.retain(|name, _| keep(name));
    }

    /// What `policy` says of a cost in places, `pending` other leases being about to be acquired.
    #[must_use]
    pub fn decide(&self, policy: &Policy, cost: u64, pending: usize, now: Timestamp) -> Decision {
        let standing = self.standing(policy, now);
        let held = self.of(policy.name());
        let missing = sum(held.iter()).saturating_add(cost).saturating_sub(policy.q());
        let surplus = self.count().saturating_add(pending).saturating_add(1);
        let surplus = count_u64(surplus).saturating_sub(MAX_LEASES);
        let verdict = if cost > policy.q() {
            Verdict::Never
        } else if cost == 0 || (missing == 0 && surplus == 0) {
            Verdict::Admitted
        } else {
            let places = lapses(held.iter().map(|place| (place.lapses_at, place.cost)));
            let leases = lapses(self.held.values().flatten().map(|place| (place.lapses_at, 1)));
            let wait = millis_until(&places, missing, now).max(millis_until(&leases, surplus, now));
            Verdict::Wait(wait.max(1))
        };
        Decision { verdict, standing }
    }

    /// What is left under `policy`. The times are those by which leases lapse by themselves; they may be given
    /// back earlier.
    #[must_use]
    pub fn standing(&self, policy: &Policy, now: Timestamp) -> Standing {
        let held = self.of(policy.name());
        let used = sum(held.iter());
        let places = lapses(held.iter().map(|place| (place.lapses_at, place.cost)));
        let missing = used.saturating_add(1).saturating_sub(policy.q()).max(1);
        Standing {
            used,
            remaining: policy.q().saturating_sub(used),
            next_ms: millis_until(&places, missing.min(used), now),
            reset_ms: millis_until(&places, used, now),
        }
    }

    /// Acquires the places. Only what was admitted may be.
    pub fn acquire(&mut self, policy: &Policy, id: LeaseId, cost: u64, now: Timestamp) {
        self.held
            .entry(policy.name().to_owned())
            .or_default()
            .push(Place {
                id,
                cost,
                lapses_at: lapse_of(policy, now),
            });
    }

    /// Gives a lease back, with its places of every policy. False if it is not held, because it was never
    /// acquired, was given back or has lapsed.
    pub fn release(&mut self, id: LeaseId) -> bool {
        let before = self.count();
        self.retain(|_, place| place.id != id);
        self.count() < before
    }

    /// How many leases are held, one that holds places of several policies counted for each.
    #[must_use]
    pub fn count(&self) -> usize {
        self.held.values().map(Vec::len).fold(0, usize::saturating_add)
    }

    fn of(&self, name: &str) -> &[Place] {
        self.held.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    fn retain(&mut self, keep: impl Fn(&str, &Place) -> bool) {
        for (name, places) in self.held.iter_mut() {
            places.retain(|place| keep(name, place));
        }
        self.held.retain(|_, places| !places.is_empty());
    }
}

fn lapse_of(policy: &Policy, now: Timestamp) -> Timestamp {
    let window = i64::try_from(policy.window_ms()).unwrap_or(i64::MAX);
    Timestamp::from_millis(now.as_millis().saturating_add(window))
}

fn sum<'a>(places: impl Iterator<Item = &'a Place>) -> u64 {
    places.map(|place| place.cost).fold(0, u64::saturating_add)
}

fn count_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// What becomes free when, soonest first.
fn lapses(of: impl Iterator<Item = (Timestamp, u64)>) -> Vec<(Timestamp, u64)> {
    let mut lapses: Vec<_> = of.collect();
    order::sort(&mut lapses);
    lapses
}

/// Milliseconds until so much has become free; 0 for nothing.
fn millis_until(lapses: &[(Timestamp, u64)], wanted: u64, now: Timestamp) -> u64 {
    let mut free = 0_u64;
    let mut at = now;
    for (lapses_at, cost) in lapses {
        if free >= wanted {
            break;
        }
        free = free.saturating_add(*cost);
        at = *lapses_at;
    }
    u64::try_from(at.as_millis().saturating_sub(now.as_millis())).unwrap_or_default()
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;
