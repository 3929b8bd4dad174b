//! What each plan may do.

use crate::customer::limits::policy::{ListReader, MAX_POLICIES, Policy};
use crate::customer::profile::Plan;
use crate::error::Result;
use crate::json;
use crate::validate::{Edit, Fields};

/// The limits where `RATE_LIMITS` is absent.
pub const DEFAULT_RATE_LIMITS: &str = concat!(
    r#"{"free":[{"name":"burst","q":60,"w":60},{"name":"day","q":5000,"w":86400}],"#,
    r#""starter":[{"name":"burst","q":300,"w":60},{"name":"day","q":50000,"w":86400}],"#,
    r#""pro":[{"name":"burst","q":1200,"w":60},{"name":"day","q":500000,"w":86400}],"#,
    r#""enterprise":[{"name":"burst","q":6000,"w":60},{"name":"day","q":5000000,"w":86400}]}"#
);

/// The policies of every plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RateLimits {
    /// Of `free`.
    pub free: Vec<Policy>,
    /// Of `starter`.
    pub starter: Vec<Policy>,
    /// Of `pro`.
    pub pro: Vec<Policy>,
    /// Of `enterprise`.
    pub enterprise: Vec<Policy>,
}

impl RateLimits {
    /// Reads `{"<plan>": [policy…]}`; a plan that it does not name keeps its default, one with an empty list is
    /// without limits.
    ///
    /// # Errors
    /// `malformed_body`, or `validation_failed` with a pointer to every fault.
    pub fn parse(text: &str) -> Result<Self> {
        Self::default().changed_by(DEFAULT_RATE_LIMITS)?.changed_by(text)
    }

    /// The policies of a plan.
    #[must_use]
    pub fn of(&self, plan: Plan) -> &[Policy] {
        match plan {
            Plan::Free => &self.free,
            Plan::Starter => &self.starter,
            Plan::Pro => &self.pro,
            Plan::Enterprise => &self.enterprise,
        }
    }

    fn changed_by(self, text: &str) -> Result<Self> {
        let mut fields = Fields::new(json::parse_object(text.as_bytes())?);
        let changed = Self {
            free: read(&mut fields, Plan::Free, self.free),
            starter: read(&mut fields, Plan::Starter, self.starter),
            pro: read(&mut fields, Plan::Pro, self.pro),
            enterprise: read(&mut fields, Plan::Enterprise, self.enterprise),
        };
        fields.finish(&[])?;
        Ok(changed)
    }
}

fn read(fields: &mut Fields, plan: Plan, before: Vec<Policy>) -> Vec<Policy> {
    let mut list = ListReader::default();
    match fields.objects(plan.as_str(), MAX_POLICIES, |entry| list.read(entry)) {
        Edit::Set(policies) => policies,
        Edit::Keep => before,
        Edit::Clear => {
            fields.fault(plan.as_str(), "Must be a list.");
            before
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_that_is_not_named_keeps_its_default() {
        let limits = RateLimits::parse(r#"{"pro":[],"free":[{"name":"x","q":1,"w":1}]}"#).unwrap();
        assert_eq!(limits.of(Plan::Free).first().map(Policy::name), Some("x"));
        assert!(limits.of(Plan::Pro).is_empty());
        let figures = |plan| {
            let policies = limits.of(plan).iter();
            policies
                .map(|policy| (policy.name(), policy.q(), policy.w(), policy.burst()))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            figures(Plan::Starter),
            [("burst", 300, 60, 300), ("day", 50_000, 86_400, 50_000)]
        );
        assert_eq!(
            figures(Plan::Enterprise),
            [("burst", 6000, 60, 6000), ("day", 5_000_000, 86_400, 5_000_000)]
        );
    }

    #[test]
    fn every_fault_has_its_pointer() {
        let text = r#"{"gold":[],"free":null,"pro":[{"name":"a","q":1}]}"#;
        let faults = RateLimits::parse(text).unwrap_err().faults.clone();
        let pointers: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(pointers, ["#/free", "#/gold", "#/pro/0/w"]);
    }
}
