//! The leases against a simple model.
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::string_slice
)]

use super::*;
use crate::customer::limits::policy::parse_list;
use proptest::prelude::*;

fn policy(name: &str, q: u64, w: u64) -> Policy {
    let body = format!(r#"[{{"name":"{name}","q":{q},"w":{w},"unit":"concurrent-requests"}}]"#);
    parse_list(body.as_bytes()).unwrap().remove(0)
}

fn id(number: u8) -> LeaseId {
    LeaseId::from_bytes([number; 16])
}

fn at(ms: u64) -> Timestamp {
    Timestamp::from_millis(i64::try_from(ms).unwrap())
}

#[derive(Debug, Clone)]
enum Step {
    Wait(u64),
    Acquire { second: bool, cost: u64 },
    Release(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => (0..1500_u64).prop_map(Step::Wait),
        4 => (any::<bool>(), 0..5_u64).prop_map(|(second, cost)| Step::Acquire { second, cost }),
        2 => (0..40_u8).prop_map(Step::Release),
    ];
    prop::collection::vec(step, 1..60)
}

proptest! {
    /// The model is a plain list of (policy, id, cost, end).
    #[test]
    fn leases_are_what_a_list_of_them_would_be(steps in steps(), q in 1..6_u64) {
        let policies = [policy("a", q, 2), policy("b", q + 1, 3)];
        let mut leases = Leases::default();
        let mut model: Vec<(usize, u8, u64, u64)> = Vec::new();
        let (mut now, mut next) = (1_000_u64, 0_u8);
        for step in steps {
            match step {
                Step::Wait(ms) => now += ms,
                Step::Release(number) => {
                    let known = model.iter().any(|lease| lease.1 == number);
                    prop_assert_eq!(leases.release(id(number)), known);
                    prop_assert!(!leases.release(id(number)), "it is idempotent");
                    model.retain(|lease| lease.1 != number);
                }
                Step::Acquire { second, cost } => {
                    let which = usize::from(second);
                    let policy = &policies[which];
                    let used = |t: u64| model.iter().filter(|l| l.0 == which && l.3 > t).map(|l| l.2).sum::<u64>();
                    let decision = leases.decide(policy, cost, 0, at(now));
                    prop_assert_eq!(decision.standing.remaining, policy.q() - used(now));
                    let reset = model.iter().filter(|l| l.0 == which).map(|l| l.3 - now).max().unwrap_or(0);
                    prop_assert_eq!(decision.standing.reset_ms, reset);
                    if used(now) > 0 {
                        let next = now + decision.standing.next_ms;
                        prop_assert!(used(next) < used(now) && used(next - 1) == used(now));
                    }
                    match decision.verdict {
                        Verdict::Admitted => {
                            prop_assert!(used(now) + cost <= policy.q());
                            if cost > 0 {
                                leases.acquire(policy, id(next), cost, at(now));
                                model.push((which, next, cost, now + policy.window_ms()));
                                next += 1;
                            }
                        }
                        Verdict::Wait(ms) => {
                            prop_assert!(used(now + ms) + cost <= policy.q(), "whoever waits gets in");
                            prop_assert!(used(now + ms - 1) + cost > policy.q(), "one millisecond less does not");
                        }
                        Verdict::Never => prop_assert!(cost > policy.q()),
                    }
                }
            }
            leases.advance(at(now));
            model.retain(|lease| lease.3 > now);
            prop_assert_eq!(leases.count(), model.len());
        }
    }
}

#[test]
fn an_id_has_one_form() {
    let id = LeaseId::from_bytes([0xab; 16]);
    let text = id.to_string();
    assert_eq!(text, format!("lease_{}", "ab".repeat(16)));
    assert_eq!(LeaseId::parse(&text), Some(id));
    assert!(!format!("{id:?}").contains("ab"));
    let plus = format!("lease_+{}", "a".repeat(31));
    for bad in [
        "",
        "lease_",
        &text.to_uppercase(),
        &text[..37],
        &format!("{text}0"),
        &text[6..],
        &plus,
    ] {
        assert_eq!(LeaseId::parse(bad), None, "{bad}");
    }
}

#[test]
fn a_shorter_window_or_a_clock_that_went_back_holds_nobody_longer_than_the_window() {
    let mut leases = Leases::default();
    let long = policy("a", 1, 3600);
    leases.acquire(&long, id(1), 1, at(1_000_000));
    let short = policy("a", 1, 2);
    leases.adopt(&short, at(1_000_000));
    assert_eq!(
        leases.decide(&short, 1, 0, at(1_000_000)).verdict,
        Verdict::Wait(2000)
    );
    leases.adopt(&short, at(500));
    assert_eq!(leases.decide(&short, 1, 0, at(500)).verdict, Verdict::Wait(2000));
    leases.advance(at(2500));
    assert_eq!(leases.count(), 0);
}

#[test]
fn there_are_never_more_leases_than_the_customer_may_have() {
    let mut leases = Leases::default();
    let before = policy("before", MAX_LEASES, 10);
    for number in 0..MAX_LEASES {
        leases.acquire(
            &before,
            LeaseId::from_bytes(u128::from(number).to_be_bytes()),
            1,
            at(number),
        );
    }
    let after = policy("after", 5, 60);
    assert_eq!(
        leases.decide(&after, 1, 0, at(999)).verdict,
        Verdict::Wait(10_000 - 999)
    );
    assert_eq!(
        leases.decide(&after, 1, 1, at(999)).verdict,
        Verdict::Wait(10_001 - 999)
    );
    leases.advance(at(10_000));
    assert_eq!(leases.decide(&after, 1, 0, at(10_000)).verdict, Verdict::Admitted);
}
