//! What an administrator may change of a customer: all that a user may, and the plan, the features and the e-mail.

use crate::customer::profile::{
    MAX_DISPLAY_NAME_CHARS, MAX_FEATURES, MAX_METADATA_KEY_CHARS, MAX_METADATA_VALUE_CHARS, MAX_NAME_CHARS,
    Plan, Profile, ProfileEdit, Record, email, merge_entries,
};
use crate::error::Result;
use crate::json;
use crate::order;
use crate::validate::{Edit, Fields, boolean, line};

/// The body of PUT and PATCH `/admin/customers/{customerId}`, and of PUT `/internal/customers/{customerId}/email`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminEdit {
    /// What a user may change as well.
    pub profile: ProfileEdit,
    /// The new e-mail. A customer always has one, so it can be left out of a PUT and cannot be cleared.
    pub email: Option<String>,
    /// The new plan; the same holds for it.
    pub plan: Option<Plan>,
    /// The new features.
    pub features: Edit<order::Map<String, Option<bool>>>,
}

/// What an edit makes of a record, as far as an edit can.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Edited {
    pub plan: Plan,
    pub features: order::Map<String, bool>,
    pub profile: Profile,
}

/// Fields that a customer has but an administrator does not change this way: `status` has operations of its own.
const READ_ONLY: &[&str] = &[
    "customerId",
    "status",
    "statusReason",
    "statusChangedAt",
    "createdAt",
    "updatedAt",
    "lastSeenAt",
];

impl AdminEdit {
    /// Reads the body of PUT (`replaces`) or PATCH.
    ///
    /// # Errors
    /// `malformed_body`, `validation_failed` or `field_not_writable`.
    pub fn parse(body: &[u8], replaces: bool) -> Result<Self> {
        let mut fields = Fields::new(json::parse_object(body)?);
        let email = fields.field("email", email);
        let plan = fields.one_of("plan", "free, starter, pro, enterprise", Plan::parse);
        let edit = Self {
            email: fields.not_null("email", email),
            plan: fields.not_null("plan", plan),
            features: fields.entries("features", !replaces, MAX_METADATA_KEY_CHARS, boolean),
            profile: ProfileEdit {
                name: fields.line("name", MAX_NAME_CHARS),
                company_name: fields.line("companyName", MAX_NAME_CHARS),
                display_name: fields.line("displayName", MAX_DISPLAY_NAME_CHARS),
                metadata: fields.entries("metadata", !replaces, MAX_METADATA_KEY_CHARS, |value| {
                    line(value, MAX_METADATA_VALUE_CHARS)
                }),
                replaces,
            },
        };
        fields.finish(READ_ONLY)?;
        Ok(edit)
    }

    /// Reads the body by which a service changes the e-mail.
    ///
    /// # Errors
    /// `malformed_body` or `validation_failed`.
    pub fn parse_email(body: &[u8]) -> Result<Self> {
        let mut fields = Fields::new(json::parse_object(body)?);
        let email = fields.field("email", email);
        let edit = Self {
            email: fields.required("email", email),
            plan: None,
            features: Edit::Keep,
            profile: ProfileEdit {
                name: Edit::Keep,
                company_name: Edit::Keep,
                display_name: Edit::Keep,
                metadata: Edit::Keep,
                replaces: false,
            },
        };
        fields.finish(&[])?;
        Ok(edit)
    }

    /// What the record is after the edit.
    ///
    /// # Errors
    /// `validation_failed` if `metadata` or `features` would have too many keys.
    pub fn apply(self, before: &Record) -> Result<Edited> {
        let replaces = self.profile.replaces;
        let features = merge_entries(
            "features",
            self.features,
            &before.features,
            replaces,
            MAX_FEATURES,
        )?;
        let mut profile = self.profile.apply(before.profile()?)?;
        if self.email.is_some() {
            profile.email = self.email;
        }
        Ok(Edited {
            plan: self.plan.unwrap_or(before.plan),
            features,
            profile,
        })
    }
}
