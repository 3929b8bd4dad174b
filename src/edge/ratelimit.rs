//! Rate limits as HTTP tells them: the fields `RateLimit-Policy` and `RateLimit`
//! (draft-ietf-httpapi-ratelimit-headers-11), `Retry-After` (RFC 9110 section 10.2.3) and the problem type of a 429.
//!
//! Both fields are Lists of Strings with Integer parameters (RFC 9651), written by hand: our names are of
//! `a-z0-9_-` and our numbers below 10^15, so nothing needs escaping. Tests read them back with a library.

use crate::customer::limits::{Outcome, PolicyOutcome, QuotaUnit};
use std::fmt::Write as _;

/// The `type` of the problem that answers 429, in place of one of ours.
pub const QUOTA_EXCEEDED: &str = "https://iana.org/assignments/http-problem-types#quota-exceeded";

/// The header fields that tell of the policies that a request was charged to; none if there are none.
/// `Retry-After` is among them where the request was refused and waiting helps.
#[must_use]
pub fn headers(outcome: &Outcome) -> Vec<(&'static str, String)> {
    let mut headers = Vec::with_capacity(3);
    if !outcome.policies.is_empty() {
        headers.push(("RateLimit-Policy", policy_field(&outcome.policies)));
        headers.push(("RateLimit", limit_field(&outcome.policies)));
    }
    if let Some(seconds) = outcome.retry_after_seconds {
        headers.push(("Retry-After", seconds.to_string()));
    }
    headers
}

/// The names of the policies that refused: the member `violated-policies` of the problem.
#[must_use]
pub fn violated(outcome: &Outcome) -> Vec<String> {
    let refusing = outcome.policies.iter().filter(|policy| policy.violated);
    refusing.map(|policy| policy.name.clone()).collect()
}

/// `"burst";q=60;w=60,"jobs";q=3;w=60;qu="concurrent-requests"`: quota in units and window in seconds. The unit is
/// told where it is not requests, its default.
fn policy_field(policies: &[PolicyOutcome]) -> String {
    list(policies, |field, policy| {
        let _ = write!(field, "\"{}\";q={};w={}", policy.name, policy.q, policy.w);
        if policy.unit != QuotaUnit::Requests {
            let _ = write!(field, ";qu=\"{}\"", policy.unit.as_str());
        }
    })
}

/// `"burst";r=59;t=1`: `r` units can be spent now, and no more than those within `t` seconds (section 4.1.2: until
/// there is more quota, which for a token bucket comes unit by unit, not until all of it is restored). For a policy
/// that refused, `t` is therefore never later than `Retry-After`, as section 6 asks.
fn limit_field(policies: &[PolicyOutcome]) -> String {
    list(policies, |field, policy| {
        let (name, remaining, next) = (&policy.name, policy.remaining, policy.next_seconds);
        let _ = write!(field, "\"{name}\";r={remaining};t={next}");
    })
}

fn list(policies: &[PolicyOutcome], write: impl Fn(&mut String, &PolicyOutcome)) -> String {
    let mut field = String::with_capacity(policies.len().saturating_mul(32));
    for policy in policies {
        if !field.is_empty() {
            field.push(',');
        }
        write(&mut field, policy);
    }
    field
}

#[cfg(all(test, not(target_arch = "wasm32")))]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::customer::limits::policy::{MAX_QUOTA, MAX_WINDOW_SECS, parse_list};
    use crate::customer::limits::{Charge, Limiter, Policy};
    use crate::entropy::Entropy;
    use crate::error::Result;
    use crate::types::Timestamp;
    use proptest::prelude::*;
    use sfv::{BareItem, List, ListEntry, Parser};

    struct Zeros;

    impl Entropy for Zeros {
        fn fill(&mut self, out: &mut [u8]) -> Result<()> {
            out.fill(0);
            Ok(())
        }
    }

    fn check(limiter: &mut Limiter, policies: &[Policy], cost: u64, at_ms: i64) -> Outcome {
        let charges: Vec<_> = policies.iter().map(|policy| Charge { policy, cost }).collect();
        let now = Timestamp::from_millis(at_ms);
        limiter.check(&charges, now, &mut Zeros).unwrap()
    }

    fn value<'a>(headers: &'a [(&'static str, String)], name: &str) -> Option<&'a str> {
        let header = headers.iter().find(|header| header.0 == name);
        header.map(|(_, value)| value.as_str())
    }

    /// Name and parameters of each item, as the library reads them; integers as text.
    fn items(field: &str) -> Vec<(String, Vec<(String, String)>)> {
        let list: List = Parser::new(field).parse().unwrap();
        let item = |entry: ListEntry| match entry {
            ListEntry::Item(item) => {
                let params = item.params.iter().map(|(key, value)| {
                    let value = match value {
                        BareItem::Integer(number) => number.to_string(),
                        BareItem::String(text) => format!("{:?}", text.as_str()),
                        other => panic!("{other:?}"),
                    };
                    (key.as_str().to_owned(), value)
                });
                let name = item.bare_item.as_string().unwrap().as_str().to_owned();
                (name, params.collect())
            }
            ListEntry::InnerList(_) => panic!("an inner list"),
        };
        list.into_iter().map(item).collect()
    }

    #[test]
    fn headers_are_those_of_the_documentation() {
        let policies =
            parse_list(br#"[{"name":"burst","q":60,"w":60},{"name":"day","q":5000,"w":86400}]"#).unwrap();
        let mut limiter = Limiter::default();
        let first = headers(&check(&mut limiter, &policies, 1, 0));
        let expected = r#""burst";q=60;w=60,"day";q=5000;w=86400"#;
        assert_eq!(value(&first, "RateLimit-Policy"), Some(expected));
        assert_eq!(
            value(&first, "RateLimit"),
            Some(r#""burst";r=59;t=1,"day";r=4999;t=18"#)
        );
        assert_eq!(value(&first, "Retry-After"), None);

        let outcome = check(&mut limiter, &policies, 60, 0);
        let refused = headers(&outcome);
        assert_eq!(
            value(&refused, "RateLimit"),
            Some(r#""burst";r=59;t=1,"day";r=4999;t=18"#)
        );
        assert_eq!(value(&refused, "Retry-After"), Some("1"));
        assert_eq!(violated(&outcome), ["burst"]);

        assert!(headers(&check(&mut limiter, &[], 1, 0)).is_empty());
    }

    #[test]
    fn a_unit_that_is_not_requests_is_named() {
        let policies = parse_list(br#"[{"name":"jobs","q":1,"w":60,"unit":"concurrent-requests"}]"#).unwrap();
        let mut limiter = Limiter::default();
        check(&mut limiter, &policies, 1, 0);
        let outcome = check(&mut limiter, &policies, 1, 500);
        let refused = headers(&outcome);
        let expected = r#""jobs";q=1;w=60;qu="concurrent-requests""#;
        assert_eq!(value(&refused, "RateLimit-Policy"), Some(expected));
        assert_eq!(value(&refused, "RateLimit"), Some(r#""jobs";r=0;t=60"#));
        assert_eq!(value(&refused, "Retry-After"), Some("60"));
        assert_eq!(violated(&outcome), ["jobs"]);
        let fields = items(expected);
        assert_eq!(
            fields.first().unwrap().1.last().unwrap().1,
            "\"concurrent-requests\""
        );
    }

    #[test]
    fn what_can_never_be_admitted_has_no_time_to_come_back() {
        let policies = parse_list(br#"[{"name":"a","q":1,"w":60}]"#).unwrap();
        let outcome = check(&mut Limiter::default(), &policies, 2, 0);
        assert!(!outcome.allowed);
        assert_eq!(value(&headers(&outcome), "Retry-After"), None);
        assert_eq!(violated(&outcome), ["a"]);
    }

    proptest! {
        #[test]
        fn every_header_parses_to_the_figures_it_was_made_of(
            figures in prop::collection::vec(("[a-z0-9_-]{1,30}", 1..=MAX_QUOTA, 1..=MAX_WINDOW_SECS, 1..=MAX_QUOTA), 1..8),
            cost in 0..3_u64, times in 1..4_i64,
        ) {
            let policies: Vec<_> = figures
                .iter()
                .enumerate()
                .map(|(index, (name, q, w, burst))| Policy::requests(&format!("{name}-{index}"), *q, *w, Some(*burst)))
                .collect::<Option<_>>()
                .unwrap();
            let mut limiter = Limiter::default();
            for time in 0..times {
                let outcome = check(&mut limiter, &policies, cost, time);
                let headers = headers(&outcome);
                let told = items(value(&headers, "RateLimit-Policy").unwrap());
                let left = items(value(&headers, "RateLimit").unwrap());
                prop_assert_eq!(told.len(), policies.len());
                for (policy, (told, left)) in outcome.policies.iter().zip(told.into_iter().zip(left)) {
                    let params = |list: [(&str, u64); 2]| list.map(|(key, value)| (key.to_owned(), value.to_string())).to_vec();
                    prop_assert_eq!(told, (policy.name.clone(), params([("q", policy.q), ("w", policy.w)])));
                    let expected = params([("r", policy.remaining), ("t", policy.next_seconds)]);
                    prop_assert_eq!(left, (policy.name.clone(), expected));
                    if let Some(retry) = outcome.retry_after_seconds {
                        prop_assert!(!policy.violated || policy.next_seconds <= retry);
                    }
                }
            }
        }
    }
}
