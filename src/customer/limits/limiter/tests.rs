//! The promises of several policies together, over restarts, clocks and changes.
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing
)]

use super::*;
use crate::customer::limits::policy::parse_list;
use proptest::prelude::*;

/// Counts up, so that every lease has an id of its own.
struct Counter(u8);

impl Entropy for Counter {
    fn fill(&mut self, out: &mut [u8]) -> Result<()> {
        self.0 = self.0.wrapping_add(1);
        out.fill(self.0);
        Ok(())
    }
}

struct Broken;

impl Entropy for Broken {
    fn fill(&mut self, _: &mut [u8]) -> Result<()> {
        Err(Error::fault("no entropy"))
    }
}

fn list(body: &str) -> Vec<Policy> {
    parse_list(body.as_bytes()).unwrap()
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}

fn charge(policies: &[Policy], cost: u64) -> Vec<Charge<'_>> {
    policies.iter().map(|policy| Charge { policy, cost }).collect()
}

fn check(limiter: &mut Limiter, policies: &[Policy], cost: u64, now: i64) -> Outcome {
    limiter
        .check(&charge(policies, cost), at(now), &mut Counter(0))
        .unwrap()
}

fn restarted(limiter: &Limiter) -> Limiter {
    let again = Limiter::decode(&limiter.encode()).unwrap();
    assert_eq!(again, *limiter);
    again
}

fn policies() -> impl Strategy<Value = Vec<Policy>> {
    prop::collection::vec((1..20_u64, 1..4_u64, 1..20_u64), 1..4).prop_map(|list| {
        let policy = |(index, (q, w, burst))| Policy::requests(&format!("p{index}"), q, w, Some(burst));
        list.into_iter()
            .enumerate()
            .map(policy)
            .collect::<Option<_>>()
            .unwrap()
    })
}

/// Steps of the clock, mostly forward, and the cost for each policy.
fn steps() -> impl Strategy<Value = Vec<(i64, [u64; 3])>> {
    let clock = prop_oneof![3 => Just(0_i64), 5 => 0..2_000_i64, 1 => -5_000..0_i64];
    prop::collection::vec((clock, [0..4_u64, 0..4_u64, 0..22_u64]), 1..40)
}

proptest! {
    #[test]
    fn all_or_nothing_within_every_bound_over_restarts_and_whatever_the_clock_does(
        policies in policies(), steps in steps(),
    ) {
        let mut limiter = Limiter::default();
        // Time that passes: the forward steps of the clock.
        let (mut clock, mut passed) = (1_000_000_i64, 0_i64);
        let mut admitted: Vec<(i64, [u64; 3])> = Vec::new();
        for (step, costs) in steps {
            clock += step;
            passed += step.max(0);
            let charges: Vec<_> = policies.iter().zip(costs).map(|(policy, cost)| Charge { policy, cost }).collect();
            let before = limiter.usage(&policies, at(clock)).unwrap();
            let outcome = limiter.check(&charges, at(clock), &mut Broken).unwrap();
            prop_assert_eq!(outcome.allowed, outcome.policies.iter().all(|policy| !policy.violated));
            for ((before, after), charge) in before.iter().zip(&outcome.policies).zip(&charges) {
                let spent = if outcome.allowed { charge.cost } else { 0 };
                prop_assert_eq!(before.remaining - spent, after.remaining);
                prop_assert_eq!(after.violated, charge.cost > before.remaining);
            }
            if outcome.allowed {
                prop_assert_eq!(outcome.retry_after_seconds, None);
                admitted.push((passed, costs));
            } else if charges.iter().any(|charge| charge.cost > charge.policy.burst()) {
                prop_assert_eq!(outcome.retry_after_seconds, None);
            } else {
                let wait = i64::try_from(outcome.retry_after_seconds.unwrap()).unwrap();
                prop_assert!(wait > 0);
                let at_time = |ms| limiter.clone().check(&charges, at(clock + ms), &mut Broken).unwrap().allowed;
                prop_assert!(at_time(wait * 1000), "whoever waits the told time gets in");
                prop_assert!(!at_time((wait - 1) * 1000), "a whole second less is too early");
            }
            limiter = restarted(&limiter);
        }
        for (index, policy) in policies.iter().enumerate() {
            for (first, (from, _)) in admitted.iter().enumerate() {
                let mut sum = 0;
                for (to, costs) in admitted.iter().skip(first) {
                    sum += costs[index];
                    let time = u64::try_from(to - from).unwrap();
                    prop_assert!(sum * policy.window_ms() <= policy.burst() * policy.window_ms() + time * policy.q());
                }
            }
        }
    }

    #[test]
    fn a_clock_that_goes_back_locks_nobody_out(policies in policies(), cost in 1..4_u64, back in 0..i64::MAX / 2) {
        let mut limiter = Limiter::default();
        while check(&mut limiter, &policies, 1, 1_000_000_000_000).allowed {}
        let refused = check(&mut limiter, &policies, cost, 1_000_000_000_000);
        let clock = 1_000_000_000_000_i64.saturating_sub(back).max(0);
        let mut limiter = restarted(&limiter);
        prop_assert_eq!(&check(&mut limiter, &policies, cost, clock), &refused);
        if let Some(wait) = refused.retry_after_seconds {
            let clock = clock + i64::try_from(wait).unwrap() * 1000;
            prop_assert!(check(&mut limiter, &policies, cost, clock).allowed);
        }
    }
}

#[test]
fn of_a_burst_exactly_the_limit_passes() {
    let policies = list(r#"[{"name":"burst","q":5000,"w":60},{"name":"day","q":1000,"w":86400}]"#);
    let mut limiter = Limiter::default();
    let passed = (0..3000)
        .filter(|_| check(&mut limiter, &policies, 1, 1_700_000_000_000).allowed)
        .count();
    assert_eq!(passed, 1000);
    let outcome = check(&mut limiter, &policies, 1, 1_700_000_000_000);
    assert_eq!(outcome.retry_after_seconds, Some(87));
    let violated: Vec<_> = outcome.policies.iter().map(|policy| policy.violated).collect();
    assert_eq!(violated, [false, true]);
}

#[test]
fn what_was_spent_of_a_policy_that_is_gone_is_forgotten() {
    let before = list(
        r#"[{"name":"a","q":1,"w":60},{"name":"b","q":1,"w":60},
        {"name":"j","q":1,"w":60,"unit":"concurrent-requests"},{"name":"k","q":1,"w":60,"unit":"concurrent-requests"}]"#,
    );
    let mut limiter = Limiter::default();
    assert!(check(&mut limiter, &before, 1, 1000).allowed);
    limiter.adopt(&before, at(1000)).unwrap();
    assert_eq!((limiter.buckets.len(), limiter.leases.count()), (2, 2));
    let after = list(
        r#"[{"name":"b","q":2,"w":60},{"name":"j","q":1,"w":60,"unit":"concurrent-requests"},
        {"name":"k","q":1,"w":60}]"#,
    );
    limiter.adopt(&after, at(1000)).unwrap();
    assert_eq!((limiter.buckets.len(), limiter.leases.count()), (1, 1));
    let remaining: Vec<_> = limiter
        .usage(&after, at(1000))
        .unwrap()
        .iter()
        .map(|p| p.remaining)
        .collect();
    assert_eq!(remaining, [1, 0, 1]);
    // Those that are gone do not come back with what was spent of them.
    limiter.adopt(&before, at(1000)).unwrap();
    let remaining: Vec<_> = limiter
        .usage(&before, at(1000))
        .unwrap()
        .iter()
        .map(|p| p.remaining)
        .collect();
    assert_eq!(remaining, [1, 0, 0, 1]);
}

#[test]
fn a_lease_spans_the_policies_of_its_request_and_is_given_back_once() {
    let policies = list(
        r#"[{"name":"r","q":9,"w":60},{"name":"j","q":2,"w":60,"unit":"concurrent-requests"},
        {"name":"k","q":1,"w":5,"unit":"concurrent-requests"}]"#,
    );
    let mut limiter = Limiter::default();
    let mut entropy = Counter(0);
    let mut acquire = |limiter: &mut Limiter, now| {
        limiter
            .check(&charge(&policies, 1), at(now), &mut entropy)
            .unwrap()
    };
    let lease = acquire(&mut limiter, 0).lease.unwrap();
    let refused = acquire(&mut limiter, 1);
    assert_eq!(
        (refused.allowed, refused.lease, refused.retry_after_seconds),
        (false, None, Some(5))
    );
    let remaining: Vec<_> = refused.policies.iter().map(|policy| policy.remaining).collect();
    assert_eq!(remaining, [8, 1, 0], "nothing is spent unless all admit");
    let mut limiter = restarted(&limiter);
    assert!(limiter.release(lease, at(2)) && !limiter.release(lease, at(2)));
    assert!(!limiter.release(LeaseId::from_bytes([77; 16]), at(2)));
    let lease = acquire(&mut limiter, 3).lease.unwrap();
    assert!(acquire(&mut limiter, 5003).allowed, "k has lapsed by itself");
    assert!(limiter.release(lease, at(5004)), "j has not");
    let policies = &policies[..1];
    let outcome = limiter
        .check(&charge(policies, 1), at(5004), &mut Broken)
        .unwrap();
    assert!(
        outcome.allowed && outcome.lease.is_none(),
        "without a lease no entropy is asked for"
    );
}

#[test]
fn a_fault_spends_nothing() {
    let policies =
        list(r#"[{"name":"r","q":9,"w":60},{"name":"j","q":2,"w":60,"unit":"concurrent-requests"}]"#);
    let mut limiter = Limiter::default();
    assert!(limiter.check(&charge(&policies, 1), at(0), &mut Broken).is_err());
    let twice = [Charge {
        policy: &policies[0],
        cost: 1,
    }; 2];
    assert!(limiter.check(&twice, at(0), &mut Counter(0)).is_err());
    assert_eq!(limiter, Limiter::default());
    for number in 0..MAX_BUCKETS {
        let policy = [Policy::requests(&format!("p{number}"), 1, 60, None).unwrap()];
        assert!(check(&mut limiter, &policy, 1, 0).allowed);
    }
    let before = restarted(&limiter);
    assert!(
        limiter
            .check(&charge(&policies[..1], 1), at(0), &mut Counter(0))
            .is_err()
    );
    assert_eq!(limiter, before);
    assert!(
        check(&mut limiter, &policies[..1], 1, 60_000).allowed,
        "what is restored makes room"
    );
}
