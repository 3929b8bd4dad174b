//! The bodies by which an integration spends of named policies: `POST /customer/me/limits/consume` and
//! `…/release`.

use crate::customer::limits::leases::LeaseId;
use crate::customer::limits::limiter::{Charge, Outcome};
use crate::customer::limits::policy::{MAX_POLICIES, Policy, is_name};
use crate::error::{Error, Fault, Result};
use crate::json;
use crate::validate::{Fields, natural};
use serde::Serialize;

/// The largest cost, in units.
pub const MAX_COST: u64 = 1_000_000;

/// A parsed `{policies: [{name, cost?}]}`: 1 to [`MAX_POLICIES`] different names, each with a cost of 1 (the default)
/// to [`MAX_COST`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consume {
    policies: Vec<(String, u64)>,
}

impl Consume {
    /// Reads the body.
    ///
    /// # Errors
    /// `malformed_body`, or `validation_failed` with a pointer to every fault.
    pub fn parse(body: &[u8]) -> Result<Self> {
        let mut fields = Fields::new(json::parse_object(body)?);
        let mut names: Vec<String> = Vec::new();
        let policies = fields.objects("policies", MAX_POLICIES, |entry| {
            let name = entry.field("name", |value| match value.as_str() {
                Some(name) if is_name(name) => Ok(name.to_owned()),
                _ => Err("Must be the name of a policy.".into()),
            });
            let name = entry.required("name", name);
            let cost = entry.field("cost", |value| natural(value, 1..=MAX_COST));
            let name = name?;
            if names.contains(&name) {
                entry.fault("name", "Another entry has this name.");
            }
            names.push(name.clone());
            Some((name, cost.apply(None).unwrap_or(1)))
        });
        let policies = fields.required("policies", policies).unwrap_or_default();
        if policies.is_empty() && !fields.has_faults() {
            fields.fault("policies", "Must name at least one policy.");
        }
        fields.finish(&[])?;
        Ok(Self { policies })
    }

    /// The charges that it asks for, on the policies that the customer has.
    ///
    /// # Errors
    /// `validation_failed` with a pointer to every name that none of them has, and every cost that its policy can
    /// never admit.
    pub fn charges<'a>(&self, policies: &'a [Policy]) -> Result<Vec<Charge<'a>>> {
        let mut faults = Vec::new();
        let mut charges = Vec::with_capacity(self.policies.len());
        for (index, (name, cost)) in self.policies.iter().enumerate() {
            let mut fault = |field: &str, detail: String| {
                faults.push(Fault {
                    pointer: format!("#/policies/{index}/{field}"),
                    detail: detail.into(),
                });
            };
            match policies.iter().find(|policy| policy.name() == name) {
                None => fault("name", "There is no policy of this name.".to_owned()),
                Some(policy) if *cost > policy.burst() => {
                    fault(
                        "cost",
                        format!("The policy never allows more than {} at once.", policy.burst()),
                    );
                }
                Some(policy) => charges.push(Charge { policy, cost: *cost }),
            }
        }
        if faults.is_empty() {
            Ok(charges)
        } else {
            Err(Error::validation(faults))
        }
    }
}

/// A parsed `{lease}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// The lease to give back.
    pub lease: LeaseId,
}

impl Release {
    /// Reads the body.
    ///
    /// # Errors
    /// `malformed_body` or `validation_failed`.
    pub fn parse(body: &[u8]) -> Result<Self> {
        let mut fields = Fields::new(json::parse_object(body)?);
        let lease = fields.field("lease", |value| {
            let lease = value.as_str().and_then(LeaseId::parse);
            lease.ok_or_else(|| "Must be a lease as it was given out.".into())
        });
        let lease = fields.required("lease", lease);
        fields.finish(&[])?;
        let lease = lease.ok_or_else(|| Error::fault("a lease was neither read nor refused"))?;
        Ok(Self { lease })
    }
}

/// The answer of consume: the body of 200, and the members that the problem of 429 carries beside its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "Consumed")
)]
#[serde(rename_all = "camelCase")]
pub struct ConsumeView {
    /// Whether everything was spent; else nothing was.
    pub allowed: bool,
    /// What is left of each policy, in the order of the request.
    pub policies: Vec<PolicyView>,
    /// The lease, where one was acquired: `lease_…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease: Option<String>,
}

/// What is left of one policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "PolicyRemaining")
)]
#[serde(rename_all = "camelCase")]
pub struct PolicyView {
    /// The policy's name.
    pub name: String,
    /// Units that can be spent now.
    pub remaining: u64,
    /// Seconds, rounded up, until none is missing.
    pub reset_seconds: u64,
}

impl From<&Outcome> for ConsumeView {
    fn from(outcome: &Outcome) -> Self {
        let view = |policy: &crate::customer::limits::PolicyOutcome| PolicyView {
            name: policy.name.clone(),
            remaining: policy.remaining,
            reset_seconds: policy.reset_seconds,
        };
        Self {
            allowed: outcome.allowed,
            policies: outcome.policies.iter().map(view).collect(),
            lease: outcome.lease.map(|lease| lease.to_string()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::customer::limits::policy::parse_list;
    use crate::customer::limits::{PolicyOutcome, QuotaUnit};

    fn pointers(result: Result<impl std::fmt::Debug>) -> Vec<String> {
        let faults = result.unwrap_err().faults.clone();
        faults.into_iter().map(|fault| fault.pointer).collect()
    }

    #[test]
    fn a_cost_is_one_unless_it_says_otherwise() {
        let body =
            br#"{"policies":[{"name":"mail"},{"name":"sms","cost":1000000},{"name":"x","cost":null}]}"#;
        let consume = Consume::parse(body).unwrap();
        let expected = [("mail", 1), ("sms", 1_000_000), ("x", 1)];
        assert_eq!(
            consume.policies,
            expected.map(|(name, cost)| (name.to_owned(), cost))
        );
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let body = br#"{"policies":[{"name":"a","cost":0},{"cost":1000001},{"name":"a"},{"name":"B","x":1},7],"y":1}"#;
        assert_eq!(
            pointers(Consume::parse(body)),
            [
                "#/policies/0/cost",
                "#/policies/1/cost",
                "#/policies/1/name",
                "#/policies/2/name",
                "#/policies/3/name",
                "#/policies/3/x",
                "#/policies/4",
                "#/y"
            ]
        );
        let many = format!(r#"{{"policies":[{}]}}"#, vec![r#"{"name":"a"}"#; 17].join(","));
        for bad in [
            r#"{"policies":[]}"#,
            "{}",
            r#"{"policies":null}"#,
            r#"{"policies":{}}"#,
            &many,
        ] {
            assert_eq!(pointers(Consume::parse(bad.as_bytes())), ["#/policies"], "{bad}");
        }
        for bad in [
            "{}",
            r#"{"lease":1}"#,
            r#"{"lease":"lease_1"}"#,
            r#"{"lease":null}"#,
        ] {
            assert_eq!(pointers(Release::parse(bad.as_bytes())), ["#/lease"]);
        }
        let lease = format!("lease_{}", "0f".repeat(16));
        let body = format!(r#"{{"lease":"{lease}"}}"#);
        assert_eq!(Release::parse(body.as_bytes()).unwrap().lease.to_string(), lease);
    }

    #[test]
    fn what_can_never_be_admitted_is_a_fault_and_not_a_wait() {
        let policies =
            parse_list(br#"[{"name":"a","q":5,"w":1},{"name":"b","q":1,"w":1,"burst":9}]"#).unwrap();
        let charges = |body: &str| {
            let consume = Consume::parse(body.as_bytes()).unwrap();
            consume.charges(&policies).map(|charges| charges.len())
        };
        assert_eq!(
            charges(r#"{"policies":[{"name":"b","cost":9},{"name":"a","cost":5}]}"#).unwrap(),
            2
        );
        let bad = r#"{"policies":[{"name":"b","cost":10},{"name":"c"},{"name":"a","cost":6}]}"#;
        assert_eq!(
            pointers(charges(bad)),
            ["#/policies/0/cost", "#/policies/1/name", "#/policies/2/cost"]
        );
    }

    #[test]
    fn answer_form_is_unchanged() {
        let policy = PolicyOutcome {
            name: "a".into(),
            q: 5,
            w: 60,
            burst: 5,
            used: 1,
            unit: QuotaUnit::Requests,
            remaining: 4,
            next_seconds: 12,
            reset_seconds: 12,
            violated: false,
        };
        let mut outcome = Outcome {
            allowed: true,
            retry_after_seconds: None,
            policies: vec![policy],
            lease: None,
        };
        let form = |outcome: &Outcome| {
            String::from_utf8(json::to_bytes(&ConsumeView::from(outcome)).unwrap()).unwrap()
        };
        assert_eq!(
            form(&outcome),
            r#"{"allowed":true,"policies":[{"name":"a","remaining":4,"resetSeconds":12}]}"#
        );
        outcome.lease = Some(LeaseId::from_bytes([1; 16]));
        assert!(form(&outcome).ends_with(r#","lease":"lease_01010101010101010101010101010101"}"#));
    }
}
