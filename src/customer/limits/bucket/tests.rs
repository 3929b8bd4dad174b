//! The promises of one bucket.
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing
)]

use super::*;
use crate::customer::limits::policy::QuotaUnit;
use proptest::prelude::*;

fn policy(q: u64, w: u64, burst: u64) -> Policy {
    let policy = Policy::requests("p", q, w, Some(burst)).unwrap();
    assert_eq!(policy.unit(), QuotaUnit::Requests);
    policy
}

/// Small figures, which meet often, and the largest ones.
fn policies() -> impl Strategy<Value = Policy> {
    let quota = prop_oneof![4 => 1..20_u64, 1 => 1..=MAX_QUOTA, 1 => Just(MAX_QUOTA)];
    let window = prop_oneof![4 => 1..5_u64, 1 => 1..=MAX_WINDOW_SECS, 1 => Just(MAX_WINDOW_SECS)];
    (quota.clone(), window, quota).prop_map(|(q, w, burst)| policy(q, w, burst))
}

/// Steps of waiting in milliseconds and asking for a cost, in proportion to the policy.
fn steps() -> impl Strategy<Value = Vec<(u64, u64)>> {
    let step = (
        prop_oneof![2 => Just(0_u64), 3 => 0..3_000_u64, 1 => any::<u64>()],
        prop_oneof![4 => 0..4_u64, 1 => any::<u64>()],
    );
    prop::collection::vec(step, 1..40)
}

fn admits(bucket: Bucket, policy: &Policy, cost: u64) -> bool {
    bucket.decide(policy, cost).verdict == Verdict::Admitted
}

proptest! {
    #[test]
    fn in_any_interval_at_most_the_burst_and_the_rate_pass(policy in policies(), steps in steps()) {
        let mut bucket = Bucket::unspent(&policy);
        let mut now = 0_u128;
        let mut admitted: Vec<(u128, u128)> = Vec::new();
        for (wait, cost) in steps {
            now += u128::from(wait);
            bucket = bucket.under(&policy, wait);
            if admits(bucket, &policy, cost) {
                bucket = bucket.spending(cost);
                admitted.push((now, u128::from(cost)));
            }
        }
        let (q, unit, burst) = (u128::from(policy.q()), parts(policy.w()), u128::from(policy.burst()));
        for (first, (from, _)) in admitted.iter().enumerate() {
            let mut sum = 0;
            for (to, cost) in admitted.iter().skip(first) {
                sum += cost;
                prop_assert!(sum * unit <= burst * unit + (to - from) * q);
            }
        }
    }

    #[test]
    fn whoever_waits_the_told_time_gets_in_and_one_millisecond_less_does_not(
        policy in policies(), steps in steps(), cost in any::<u64>(),
    ) {
        let mut bucket = Bucket::unspent(&policy);
        for (wait, cost) in steps {
            bucket = bucket.after(wait);
            if admits(bucket, &policy, cost) {
                bucket = bucket.spending(cost);
            }
        }
        let cost = cost % (policy.burst() + 1);
        match bucket.decide(&policy, cost).verdict {
            Verdict::Admitted => prop_assert!(admits(bucket.spending(cost), &policy, 0)),
            Verdict::Wait(wait) => {
                prop_assert!(wait > 0);
                prop_assert!(wait == u64::MAX || admits(bucket.after(wait), &policy, cost));
                prop_assert!(!admits(bucket.after(wait - 1), &policy, cost));
            }
            Verdict::Never => prop_assert!(false, "a cost within the burst is possible"),
        }
        let standing = bucket.standing(&policy);
        prop_assert!(admits(bucket, &policy, standing.remaining) && !admits(bucket, &policy, standing.remaining + 1));
        if bucket.is_unspent() {
            prop_assert_eq!(standing, Standing { used: 0, remaining: policy.burst(), next_ms: 0, reset_ms: 0 });
        } else {
            prop_assert_eq!(bucket.decide(&policy, standing.remaining + 1).verdict, Verdict::Wait(standing.next_ms));
            prop_assert!(standing.next_ms <= standing.reset_ms);
            prop_assert!(!bucket.after(standing.reset_ms - 1).is_unspent());
            prop_assert!(standing.reset_ms == u64::MAX || bucket.after(standing.reset_ms).is_unspent());
        }
    }

    #[test]
    fn asking_often_is_asking_seldom(policy in policies(), waits in prop::collection::vec(0..10_000_u64, 1..20)) {
        let spent = Bucket::unspent(&policy).spending(policy.burst());
        let often = waits.iter().fold(spent, |bucket, wait| bucket.under(&policy, *wait));
        prop_assert_eq!(often, spent.after(waits.iter().sum()));
    }

    #[test]
    fn a_cost_of_nothing_passes_and_one_beyond_the_burst_never(policy in policies(), spent in any::<u64>()) {
        let bucket = Bucket::unspent(&policy).spending(spent % (policy.burst() + 1));
        prop_assert!(admits(bucket, &policy, 0));
        prop_assert_eq!(bucket.spending(0), bucket);
        prop_assert_eq!(bucket.decide(&policy, policy.burst() + 1).verdict, Verdict::Never);
        prop_assert_eq!(bucket.decide(&policy, u64::MAX).verdict, Verdict::Never);
    }

    #[test]
    fn a_changed_policy_never_locks_out_longer_than_it_could_itself(
        old in policies(), new in policies(), spent in any::<u64>(), elapsed in 0..100_000_u64, again in 0..100_000_u64,
    ) {
        let bucket = Bucket::unspent(&old).spending(spent % (old.burst() + 1));
        let changed = bucket.under(&new, elapsed);
        let worst = Bucket::unspent(&new).spending(new.burst()).after(elapsed);
        prop_assert!(changed.level <= worst.level);
        prop_assert_eq!(changed.under(&new, again), changed.after(again));
        // What was spent is not forgotten: a change that nobody waited for keeps its units, up to the new burst.
        let at_once = bucket.under(&new, 0).standing(&new).remaining;
        prop_assert_eq!(at_once, new.burst().saturating_sub(spent % (old.burst() + 1)));
    }

    #[test]
    fn over_one_change_at_most_the_larger_burst_and_the_larger_rate_pass(
        old in policies(), new in policies(), steps in steps(), at in 0..40_usize,
    ) {
        let mut bucket = Bucket::unspent(&old);
        let mut now = 0_u128;
        let mut admitted: Vec<(u128, u128)> = Vec::new();
        for (index, (wait, cost)) in steps.into_iter().enumerate() {
            let policy = if index < at { &old } else { &new };
            let wait = wait % 1_000_000_000;
            now += u128::from(wait);
            bucket = bucket.under(policy, wait);
            if admits(bucket, policy, cost) {
                bucket = bucket.spending(cost);
                admitted.push((now, u128::from(cost)));
            }
        }
        let burst = u128::from(old.burst().max(new.burst()));
        let (q, unit) = if u128::from(old.q()) * parts(new.w()) > u128::from(new.q()) * parts(old.w()) {
            (u128::from(old.q()), parts(old.w()))
        } else {
            (u128::from(new.q()), parts(new.w()))
        };
        for (first, (from, _)) in admitted.iter().enumerate() {
            let mut sum = 0;
            for (to, cost) in admitted.iter().skip(first) {
                sum += cost;
                prop_assert!(sum * unit <= burst * unit + (to - from) * q, "{sum} in {}", to - from);
            }
        }
    }

    #[test]
    fn no_figures_are_too_large(policy in policies(), other in policies(), q: u64, w: u64, level: u128, elapsed: u64) {
        if let Some(bucket) = Bucket::restored(q % (MAX_QUOTA + 2), w % (MAX_WINDOW_SECS + 2), level >> 60) {
            prop_assert_eq!(Bucket::restored(bucket.q, bucket.w, bucket.level), Some(bucket));
            let bucket = bucket.under(&policy, elapsed).spending(policy.burst()).under(&other, 0);
            let _ = bucket.decide(&other, u64::MAX);
        }
        prop_assert_eq!(Bucket::restored(0, 1, 0), None);
        prop_assert_eq!(Bucket::restored(1, 0, 0), None);
        prop_assert_eq!(Bucket::restored(1, 1, u128::MAX), None);
    }
}

#[test]
fn one_request_of_sixty_a_minute_is_restored_after_a_second() {
    let policy = policy(60, 60, 60);
    let spent = Bucket::unspent(&policy).spending(1);
    let standing = Standing {
        used: 1,
        remaining: 59,
        next_ms: 1000,
        reset_ms: 1000,
    };
    assert_eq!(spent.standing(&policy), standing);
    let spent = spent.spending(59);
    let standing = Standing {
        used: 60,
        remaining: 0,
        next_ms: 1000,
        reset_ms: 60_000,
    };
    assert_eq!(spent.standing(&policy), standing);
    assert_eq!(spent.decide(&policy, 2).verdict, Verdict::Wait(2000));
}
