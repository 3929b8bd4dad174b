//! What a service makes a customer of.

use super::{
    MAX_DISPLAY_NAME_CHARS, MAX_FEATURES, MAX_METADATA_KEY_CHARS, MAX_METADATA_KEYS,
    MAX_METADATA_VALUE_CHARS, MAX_NAME_CHARS, Plan, Profile, email, merge_entries,
};
use crate::customer::status::Status;
use crate::error::Result;
use crate::json;
use crate::order;
use crate::types::CustomerId;
use crate::validate::{Fields, boolean, line};
use serde::{Deserialize, Serialize};

/// What a service says of a customer that it wants to exist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs)]
pub struct NewCustomer {
    pub customer_id: Option<CustomerId>,
    pub plan: Plan,
    pub status: Status,
    pub features: order::Map<String, bool>,
    pub profile: Profile,
}

impl NewCustomer {
    /// Reads the body of `POST /internal/customers`.
    ///
    /// # Errors
    /// `malformed_body` or `validation_failed`.
    pub fn parse(body: &[u8]) -> Result<Self> {
        let mut fields = Fields::new(json::parse_object(body)?);
        let email = fields.field("email", email);
        let customer_id = fields.field("customerId", |value| {
            let id = value.as_str().and_then(CustomerId::parse);
            id.ok_or("Must match ^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$.".into())
        });
        let plan = fields.one_of("plan", "free, starter, pro, enterprise", Plan::parse);
        let status = fields.one_of("status", "active, pending_verification", |name| {
            Status::parse(name)
                .filter(|status| matches!(status, Status::Active | Status::PendingVerification))
        });
        let features = fields.entries("features", false, MAX_METADATA_KEY_CHARS, boolean);
        let features = fields.absorb(merge_entries(
            "features",
            features,
            &order::Map::new(),
            true,
            MAX_FEATURES,
        ));
        let metadata = fields.entries("metadata", false, MAX_METADATA_KEY_CHARS, |value| {
            line(value, MAX_METADATA_VALUE_CHARS)
        });
        let metadata = fields.absorb(merge_entries(
            "metadata",
            metadata,
            &order::Map::new(),
            true,
            MAX_METADATA_KEYS,
        ));
        let new = Self {
            customer_id: customer_id.apply(None),
            plan: plan.apply(Some(Plan::Free)).unwrap_or(Plan::Free),
            status: status.apply(Some(Status::Active)).unwrap_or(Status::Active),
            features,
            profile: Profile {
                email: email.apply(None),
                name: fields.line("name", MAX_NAME_CHARS).apply(None),
                company_name: fields.line("companyName", MAX_NAME_CHARS).apply(None),
                display_name: fields.line("displayName", MAX_DISPLAY_NAME_CHARS).apply(None),
                metadata,
            },
        };
        if new.profile.email.is_none() && !fields.has_fault("email") {
            fields.fault("email", "Is required.");
        }
        fields.finish(&[
            "statusReason",
            "statusChangedAt",
            "createdAt",
            "updatedAt",
            "lastSeenAt",
        ])?;
        Ok(new)
    }
}
