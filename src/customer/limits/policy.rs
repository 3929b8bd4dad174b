//! A quota policy: a name, and how much in which time. A [`Policy`] that exists is within all bounds, so that
//! the arithmetic on it can neither overflow nor divide by zero.

use crate::customer::limits::leases::MAX_LEASES;
use crate::error::{Error, Fault, Result};
use crate::json;
use crate::validate::{Fields, natural, objects};
use serde::Serialize;

/// The most policies of one list: of a plan, or of one customer's own.
pub const MAX_POLICIES: usize = 16;
/// The longest name in characters, all of `a-z0-9_-`.
pub const MAX_NAME_CHARS: usize = 32;
/// How the policies of API keys are called, and no other policy may be: two of one name would be one limit.
pub const KEY_PREFIX: &str = "key-";
/// The longest window in seconds: 400 days.
pub const MAX_WINDOW_SECS: u64 = 34_560_000;
/// The largest quota or burst, in units.
pub const MAX_QUOTA: u64 = 1_000_000_000;

/// What a policy counts (draft-ietf-httpapi-ratelimit-headers-11, quota units).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum QuotaUnit {
    /// Requests in a window.
    #[default]
    Requests,
    /// Requests at one time, each holding a lease of at most the window.
    ConcurrentRequests,
}

impl QuotaUnit {
    /// The unit with that name in the registry of quota units.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Requests, Self::ConcurrentRequests]
            .into_iter()
            .find(|unit| unit.as_str() == name)
    }

    /// The name in the registry of quota units.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::ConcurrentRequests => "concurrent-requests",
        }
    }
}

/// One quota policy. Serialises to the form from which it is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct Policy {
    name: String,
    q: u64,
    w: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    burst: Option<u64>,
    unit: QuotaUnit,
}

impl Policy {
    /// The policy of requests with that name, quota in units, window in seconds and burst in units (as `q` when
    /// None), if all of them are within bounds. This is how a key's own limit becomes a policy.
    #[must_use]
    pub fn requests(name: &str, q: u64, w: u64, burst: Option<u64>) -> Option<Self> {
        let quota = 1..=MAX_QUOTA;
        let bounded = is_name(name)
            && quota.contains(&q)
            && (1..=MAX_WINDOW_SECS).contains(&w)
            && burst.is_none_or(|burst| quota.contains(&burst));
        bounded.then(|| Self {
            name: name.to_owned(),
            q,
            w,
            burst,
            unit: QuotaUnit::Requests,
        })
    }

    /// 1 to [`MAX_NAME_CHARS`] of `a-z0-9_-`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The quota: units per window, 1 to [`MAX_QUOTA`]; leases at one time, 1 to [`MAX_LEASES`].
    #[must_use]
    pub const fn q(&self) -> u64 {
        self.q
    }

    /// The window in seconds, 1 to [`MAX_WINDOW_SECS`]; of a lease, its longest life.
    #[must_use]
    pub const fn w(&self) -> u64 {
        self.w
    }

    /// The window in milliseconds.
    #[must_use]
    pub const fn window_ms(&self) -> u64 {
        self.w.saturating_mul(1000)
    }

    /// Units that may be spent at once, and so the largest cost that is ever admitted.
    #[must_use]
    pub fn burst(&self) -> u64 {
        self.burst.unwrap_or(self.q)
    }

    /// What is counted.
    #[must_use]
    pub const fn unit(&self) -> QuotaUnit {
        self.unit
    }

    /// Whether in any stretch of time `self` admits no more than `other` does: no larger burst, no larger rate.
    fn is_covered_by(&self, other: &Self) -> bool {
        let rate = |q: u64, w: u64| u128::from(q).saturating_mul(u128::from(w));
        self.unit == other.unit
            && self.burst() <= other.burst()
            && match self.unit {
                QuotaUnit::Requests => rate(self.q, other.w) <= rate(other.q, self.w),
                QuotaUnit::ConcurrentRequests => true,
            }
    }
}

/// Reads the policies of one list, which must differ in their names.
#[derive(Debug, Default)]
pub(super) struct ListReader {
    names: Vec<String>,
    leases: u64,
}

impl ListReader {
    /// Reads the entry `{name, q, w, burst?, unit?}`; None after a fault was noted.
    pub(super) fn read(&mut self, fields: &mut Fields) -> Option<Policy> {
        let name = self.name(fields);
        let unit = fields.one_of("unit", "requests, concurrent-requests", QuotaUnit::parse);
        let unit = unit.apply(None).unwrap_or_default();
        let concurrent = unit == QuotaUnit::ConcurrentRequests;
        let most = if concurrent { MAX_LEASES } else { MAX_QUOTA };
        let q = fields.field("q", |value| natural(value, 1..=most));
        let q = fields.required("q", q);
        let w = fields.field("w", |value| natural(value, 1..=MAX_WINDOW_SECS));
        let w = fields.required("w", w);
        let burst = fields.field("burst", |value| natural(value, 1..=MAX_QUOTA));
        let burst = burst.apply(None);
        if concurrent {
            if burst.is_some() {
                fields.fault("burst", "Has no meaning for concurrent requests; leave it out.");
            }
            self.leases = self.leases.saturating_add(q.unwrap_or_default());
            if self.leases > MAX_LEASES && q.is_some() {
                fields.fault(
                    "q",
                    format!(
                        "The policies for concurrent requests may allow at most {MAX_LEASES} of them together."
                    ),
                );
            }
        }
        let (name, q, w) = (name?, q?, w?);
        Some(Policy {
            name,
            q,
            w,
            burst,
            unit,
        })
    }

    fn name(&mut self, fields: &mut Fields) -> Option<String> {
        let name = fields.field("name", |value| match value.as_str() {
            Some(name) if is_name(name) => Ok(name.to_owned()),
            _ => Err(format!("Must be 1 to {MAX_NAME_CHARS} of a-z, 0-9, _ and -.").into()),
        });
        let name = fields.required("name", name)?;
        if name.starts_with(KEY_PREFIX) {
            fields.fault(
                "name",
                "Names with this beginning are those of the API keys' own limits.",
            );
        } else if self.names.contains(&name) {
            fields.fault("name", "Another policy has this name.");
        }
        self.names.push(name.clone());
        Some(name)
    }
}

/// Whether it is 1 to [`MAX_NAME_CHARS`] of `a-z0-9_-`.
#[must_use]
pub fn is_name(name: &str) -> bool {
    (1..=MAX_NAME_CHARS).contains(&name.len())
        && name
            .bytes()
            .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
}

/// Reads the body of PUT `…/limits`: a list of at most [`MAX_POLICIES`].
///
/// # Errors
/// `malformed_body`, or `validation_failed` with a pointer to every fault.
pub fn parse_list(body: &[u8]) -> Result<Vec<Policy>> {
    let mut list = ListReader::default();
    objects(json::parse_array(body)?, MAX_POLICIES, |fields| list.read(fields))
}

/// Reads a list that we stored as it serialises.
///
/// # Errors
/// `internal_error` if it is not what we wrote.
pub fn list_from_stored(bytes: &[u8]) -> Result<Vec<Policy>> {
    parse_list(bytes).map_err(|_| Error::fault("stored limits are unreadable"))
}

/// Whether a user, who is not an administrator, may set `own` for a customer on a plan with the policies `plan`.
/// An administrator is not bound by this.
///
/// 1. A name of the plan's is taken.
/// 2. A policy must be covered by some policy of the plan with the same unit: no larger burst and no larger rate
///    (`q / w`). So what a user hands out is never looser than everything that the plan grants.
/// 3. Where the plan has no policy for concurrent requests, `q` may be up to the smallest burst of its requests.
/// 4. A plan without policies bounds nothing.
///
/// # Errors
/// `validation_failed` with a pointer to every policy that goes beyond, as positions in `own`.
pub fn within_plan(own: &[Policy], plan: &[Policy]) -> Result<()> {
    let mut faults = Vec::new();
    for (index, policy) in own.iter().enumerate() {
        if plan.iter().any(|other| other.name == policy.name) {
            faults.push(Fault {
                pointer: format!("#/{index}/name"),
                detail: "A policy of the plan has this name.".into(),
            });
        }
        let smallest_burst = plan.iter().map(Policy::burst).min();
        let same_unit = plan.iter().any(|other| other.unit == policy.unit);
        let covered = match smallest_burst {
            None => true,
            Some(burst) if policy.unit == QuotaUnit::ConcurrentRequests && !same_unit => policy.q <= burst,
            Some(_) => plan.iter().any(|other| policy.is_covered_by(other)),
        };
        if !covered {
            faults.push(Fault {
                pointer: format!("#/{index}"),
                detail: "Allows more, at once or in the long run, than each policy of the plan does.".into(),
            });
        }
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Error::validation(faults))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::error::Code;

    fn pointers(result: Result<impl std::fmt::Debug>) -> Vec<String> {
        let error = result.unwrap_err();
        assert_eq!(error.code, Code::ValidationFailed);
        error.faults.iter().map(|fault| fault.pointer.clone()).collect()
    }

    #[test]
    fn a_list_is_read_whole_or_with_all_its_faults() {
        let body = br#"[{"name":"a","q":1,"w":60},{"name":"b-_9","q":2,"w":1,"burst":7},
            {"name":"jobs","q":1000,"w":34560000,"unit":"concurrent-requests"}]"#;
        let list = parse_list(body).unwrap();
        assert_eq!(list.iter().map(Policy::burst).collect::<Vec<_>>(), [1, 7, 1000]);
        assert_eq!(list_from_stored(&json::to_bytes(&list).unwrap()).unwrap(), list);

        let body =
            br#"[{"name":"A","q":0,"w":0,"burst":0,"unit":"bytes","x":1},{},{"name":"a","q":1.5,"w":"1"},
            {"name":"a","q":1000000001,"w":34560001},
            {"name":"l","q":900,"w":1,"unit":"concurrent-requests","burst":1},
            {"name":"m","q":101,"w":1,"unit":"concurrent-requests"},
            {"name":"n","q":1001,"w":1,"unit":"concurrent-requests"},3]"#;
        assert_eq!(
            pointers(parse_list(body)),
            [
                "#/0/burst",
                "#/0/name",
                "#/0/q",
                "#/0/unit",
                "#/0/w",
                "#/0/x",
                "#/1/name",
                "#/1/q",
                "#/1/w",
                "#/2/q",
                "#/2/w",
                "#/3/name",
                "#/3/q",
                "#/3/w",
                "#/4/burst",
                "#/5/q",
                "#/6/q",
                "#/7"
            ]
        );
        let many = format!("[{}]", vec!["{}"; MAX_POLICIES + 1].join(","));
        assert_eq!(pointers(parse_list(many.as_bytes())), ["#"]);
        assert_eq!(parse_list(b"{}").unwrap_err().code, Code::MalformedBody);
        assert_eq!(list_from_stored(b"[{}]").unwrap_err().code, Code::InternalError);
    }

    #[test]
    fn stored_form_is_unchanged() {
        let list = parse_list(
            br#"[{"name":"a","q":1,"w":60,"burst":2},{"unit":"concurrent-requests","name":"b","q":1,"w":2}]"#,
        );
        assert_eq!(
            String::from_utf8(json::to_bytes(&list.unwrap()).unwrap()).unwrap(),
            r#"[{"name":"a","q":1,"w":60,"burst":2,"unit":"requests"},{"name":"b","q":1,"w":2,"unit":"concurrent-requests"}]"#
        );
    }

    #[test]
    fn a_key_s_limit_is_bounded_like_every_other() {
        assert!(Policy::requests("key-1", MAX_QUOTA, MAX_WINDOW_SECS, Some(MAX_QUOTA)).is_some());
        for (name, q, w, burst) in [
            ("", 1, 1, None),
            ("a", 0, 1, None),
            ("a", 1, 0, None),
            ("a", 1, 1, Some(0)),
        ] {
            assert!(Policy::requests(name, q, w, burst).is_none());
        }
        assert!(Policy::requests(&"a".repeat(33), 1, 1, None).is_none());
    }

    #[test]
    fn a_user_s_policies_stay_within_the_plan() {
        let plan =
            parse_list(br#"[{"name":"burst","q":60,"w":60},{"name":"day","q":5000,"w":86400}]"#).unwrap();
        let own = |body: &str| within_plan(&parse_list(body.as_bytes()).unwrap(), &plan);
        for good in [
            r#"[{"name":"mail","q":60,"w":60},{"name":"sms","q":5000,"w":86400},{"name":"x","q":1,"w":3600}]"#,
            r#"[{"name":"jobs","q":60,"w":86400,"unit":"concurrent-requests"}]"#,
            r#"[{"name":"slow","q":1,"w":86400,"burst":5000}]"#,
        ] {
            own(good).unwrap();
        }
        let bad = r#"[{"name":"day","q":1,"w":1},{"name":"a","q":61,"w":60},{"name":"b","q":60,"w":60,"burst":61},
            {"name":"c","q":1000,"w":3600},{"name":"d","q":61,"w":1,"unit":"concurrent-requests"}]"#;
        assert_eq!(pointers(own(bad)), ["#/0/name", "#/1", "#/2", "#/3", "#/4"]);
        let bad = parse_list(bad.as_bytes()).unwrap();
        within_plan(&bad, &[]).unwrap();
        let leases = parse_list(br#"[{"name":"j","q":5,"w":1,"unit":"concurrent-requests"}]"#).unwrap();
        let more = parse_list(br#"[{"name":"k","q":6,"w":1,"unit":"concurrent-requests"}]"#).unwrap();
        assert_eq!(pointers(within_plan(&more, &leases)), ["#/0"]);
    }
}
