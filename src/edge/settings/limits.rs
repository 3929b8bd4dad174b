//! `RATE_LIMITS`: what each plan may do, as JSON by plan.

use super::reader::Form;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The most policies of one plan.
pub const MAX_POLICIES: usize = 16;
/// The longest window in seconds: 400 days.
pub const MAX_WINDOW_SECS: u64 = 34_560_000;
/// The largest quota or burst, in units.
pub const MAX_QUOTA: u64 = 1_000_000_000;
/// The limits where `RATE_LIMITS` is absent.
pub const DEFAULT_RATE_LIMITS: &str = concat!(
    r#"{"free":[{"name":"burst","q":60,"w":60},{"name":"day","q":5000,"w":86400}],"#,
    r#""starter":[{"name":"burst","q":300,"w":60},{"name":"day","q":50000,"w":86400}],"#,
    r#""pro":[{"name":"burst","q":1200,"w":60},{"name":"day","q":500000,"w":86400}],"#,
    r#""enterprise":[{"name":"burst","q":6000,"w":60},{"name":"day","q":5000000,"w":86400}]}"#
);

/// What a policy counts (draft-ietf-httpapi-ratelimit-headers-11, quota units).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QuotaUnit {
    /// Requests in a window.
    #[default]
    Requests,
    /// Requests at one time, each holding a lease of at most the window.
    ConcurrentRequests,
}

/// One quota policy.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitPolicy {
    /// 1 to 32 of `a-z0-9_-`, unlike the others of its plan.
    pub name: String,
    /// Units per window, 1 to [`MAX_QUOTA`].
    pub q: u64,
    /// The window in seconds, 1 to [`MAX_WINDOW_SECS`].
    pub w: u64,
    /// Units that may be spent at once, 1 to [`MAX_QUOTA`]; as `q` when absent.
    #[serde(default)]
    pub burst: Option<u64>,
    /// What is counted.
    #[serde(default)]
    pub unit: QuotaUnit,
}

/// The policies of every plan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RateLimits {
    /// Of `free`.
    pub free: Vec<LimitPolicy>,
    /// Of `starter`.
    pub starter: Vec<LimitPolicy>,
    /// Of `pro`.
    pub pro: Vec<LimitPolicy>,
    /// Of `enterprise`.
    pub enterprise: Vec<LimitPolicy>,
}

/// The limits of `text`; a plan that it does not name keeps its default.
pub fn rate_limits(text: &str) -> Form<RateLimits> {
    type Plans = BTreeMap<String, serde_json::Value>;
    let wrong = || "must be JSON of the form {\"<plan>\": [{\"name\", \"q\", \"w\", \"burst\"?, \"unit\"?}]}";
    let mut plans: Plans = serde_json::from_str(DEFAULT_RATE_LIMITS).map_err(|_| wrong())?;
    plans.extend(serde_json::from_str::<Plans>(text).map_err(|_| wrong())?);
    let limits: RateLimits =
        serde_json::from_value(plans.into_iter().collect::<serde_json::Map<_, _>>().into())
            .map_err(|_| wrong())?;
    for plan in [&limits.free, &limits.starter, &limits.pro, &limits.enterprise] {
        check(plan)?;
    }
    Ok(limits)
}

fn check(plan: &[LimitPolicy]) -> Form<()> {
    if plan.len() > MAX_POLICIES {
        return Err(format!("holds a plan with more than {MAX_POLICIES} policies").into());
    }
    for (index, policy) in plan.iter().enumerate() {
        let named = (1..=32).contains(&policy.name.len())
            && policy
                .name
                .bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'));
        if !named || plan.iter().take(index).any(|other| other.name == policy.name) {
            return Err("holds a policy whose name is not 1 to 32 of a-z0-9_-, or not its own".into());
        }
        let quota = 1..=MAX_QUOTA;
        let bounded = quota.contains(&policy.q) && policy.burst.is_none_or(|burst| quota.contains(&burst));
        if !bounded || !(1..=MAX_WINDOW_SECS).contains(&policy.w) {
            return Err("holds a policy whose q, w or burst is out of bounds".into());
        }
    }
    Ok(())
}
