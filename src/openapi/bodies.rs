//! The bodies that operations read, as types. The worker reads them by hand, to tell all faults at once; a test
//! holds each of these against that reader. Optional members may be left out; null means what `docs/API.md` says.
#![allow(missing_docs)] // The members' names are the contract's.

use crate::customer::api_keys::{
    MAX_GRACE_SECS, MAX_NAME_CHARS as MAX_KEY_NAME_CHARS, MAX_ORIGINS, MAX_QUOTA as MAX_KEY_QUOTA,
    MAX_WINDOW_SECS as MAX_KEY_WINDOW_SECS, Scope,
};
use crate::customer::limits::consume::MAX_COST;
use crate::customer::limits::policy::{MAX_NAME_CHARS as MAX_POLICY_NAME_CHARS, MAX_QUOTA, MAX_WINDOW_SECS};
use crate::customer::limits::{MAX_POLICIES, QuotaUnit};
use crate::customer::preferences::{Custom, EmailVisibility, Theme};
use crate::customer::profile::{MAX_DISPLAY_NAME_CHARS, MAX_NAME_CHARS, Plan};
use crate::customer::status::MAX_REASON_CHARS;
use crate::customer::tokens::MAX_JTI_CHARS;
use crate::edge::rewrap::MAX_REWRAP_PAGE;
use crate::types::{CustomerId, Timestamp};
use schemars::JsonSchema;
use std::collections::BTreeMap;

/// The writable fields of a customer; what is left out, or null, is cleared.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
pub struct CustomerPut {
    #[schemars(length(min = 1, max = MAX_NAME_CHARS))]
    pub name: Option<String>,
    #[schemars(length(min = 1, max = MAX_NAME_CHARS))]
    pub company_name: Option<String>,
    #[schemars(length(min = 1, max = MAX_DISPLAY_NAME_CHARS))]
    pub display_name: Option<String>,
    /// At most 50 keys of at most 40 characters, values of at most 500.
    pub metadata: Option<BTreeMap<String, String>>,
}

/// A change of a customer (RFC 7396): what is left out stays, null clears.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
pub struct CustomerPatch {
    #[schemars(length(min = 1, max = MAX_NAME_CHARS))]
    pub name: Option<String>,
    #[schemars(length(min = 1, max = MAX_NAME_CHARS))]
    pub company_name: Option<String>,
    #[schemars(length(min = 1, max = MAX_DISPLAY_NAME_CHARS))]
    pub display_name: Option<String>,
    /// Merged key by key; null removes a key.
    pub metadata: Option<BTreeMap<String, Option<String>>>,
}

/// What an administrator may set; `email` and `plan` stay where they are left out.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdminCustomerPut {
    #[schemars(extend("format" = "email", "type" = "string"), length(max = 254))]
    pub email: Option<String>,
    pub plan: Option<Plan>,
    pub features: Option<BTreeMap<String, bool>>,
    #[schemars(length(min = 1, max = MAX_NAME_CHARS))]
    pub name: Option<String>,
    #[schemars(length(min = 1, max = MAX_NAME_CHARS))]
    pub company_name: Option<String>,
    #[schemars(length(min = 1, max = MAX_DISPLAY_NAME_CHARS))]
    pub display_name: Option<String>,
    pub metadata: Option<BTreeMap<String, String>>,
}

/// A change by an administrator (RFC 7396).
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdminCustomerPatch {
    #[schemars(extend("format" = "email", "type" = "string"), length(max = 254))]
    pub email: Option<String>,
    pub plan: Option<Plan>,
    /// Merged key by key; null removes a key.
    pub features: Option<BTreeMap<String, Option<bool>>>,
    #[schemars(length(min = 1, max = MAX_NAME_CHARS))]
    pub name: Option<String>,
    #[schemars(length(min = 1, max = MAX_NAME_CHARS))]
    pub company_name: Option<String>,
    #[schemars(length(min = 1, max = MAX_DISPLAY_NAME_CHARS))]
    pub display_name: Option<String>,
    /// Merged key by key; null removes a key.
    pub metadata: Option<BTreeMap<String, Option<String>>>,
}

/// The status to be.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct StatusPut {
    pub status: SettableStatus,
    /// Required with `suspended`.
    #[schemars(length(min = 1, max = MAX_REASON_CHARS))]
    pub reason: Option<String>,
}

/// A status that can be set.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum SettableStatus {
    PendingVerification,
    Active,
    Suspended,
    Cancelled,
}

/// Why the customer is suspended.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Suspension {
    #[schemars(length(min = 1, max = MAX_REASON_CHARS))]
    pub reason: String,
}

/// Why the customer is active again.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Activation {
    #[schemars(length(min = 1, max = MAX_REASON_CHARS))]
    pub reason: Option<String>,
}

/// Why the customer is to be erased.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct OwnErasure {
    #[schemars(length(min = 1, max = MAX_REASON_CHARS))]
    pub reason: Option<String>,
}

/// Why a customer is to be erased, and when.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
pub struct ErasureByAdmin {
    #[schemars(length(min = 1, max = MAX_REASON_CHARS))]
    pub reason: String,
    /// Days until it is carried out; the deployment's if left out.
    #[schemars(range(min = 0, max = 365))]
    pub grace_days: Option<i64>,
}

/// The writable fields of a user.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
pub struct UserEdit {
    #[schemars(length(min = 1, max = MAX_DISPLAY_NAME_CHARS))]
    pub display_name: Option<String>,
    /// A language tag (BCP 47).
    #[schemars(length(max = 35))]
    pub locale: Option<String>,
    /// A name in the IANA time zone database.
    pub time_zone: Option<String>,
}

/// All preferences; what is left out, or null, has its default again.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
pub struct PreferencesPut {
    pub theme: Option<Theme>,
    /// A language tag (BCP 47).
    #[schemars(length(max = 35))]
    pub language: Option<String>,
    /// A name in the IANA time zone database.
    pub time_zone: Option<String>,
    pub email_visibility: Option<EmailVisibility>,
    pub notifications: Option<NotificationsEdit>,
    /// At most 50 keys of at most 40 characters.
    pub custom: Option<BTreeMap<String, Custom>>,
}

/// A change of the preferences (RFC 7396): what is left out stays, null restores the default.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
pub struct PreferencesPatch {
    pub theme: Option<Theme>,
    /// A language tag (BCP 47).
    #[schemars(length(max = 35))]
    pub language: Option<String>,
    /// A name in the IANA time zone database.
    pub time_zone: Option<String>,
    pub email_visibility: Option<EmailVisibility>,
    pub notifications: Option<NotificationsEdit>,
    /// Merged key by key; null removes a key.
    pub custom: Option<BTreeMap<String, Option<Custom>>>,
}

/// Which messages the user wants.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct NotificationsEdit {
    pub email: Option<bool>,
    pub product: Option<bool>,
    pub security: Option<bool>,
}

/// A new API key.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewApiKey {
    #[schemars(length(min = 1, max = MAX_KEY_NAME_CHARS))]
    pub name: String,
    #[schemars(length(min = 1))]
    pub scopes: Vec<Scope>,
    /// At most five years ahead; never, if left out.
    pub expires_at: Option<Timestamp>,
    /// Exact origins; every one, if left out.
    #[schemars(length(max = MAX_ORIGINS))]
    pub allowed_origins: Option<Vec<String>>,
    pub limit: Option<NewKeyLimit>,
}

/// A limit that a key has for itself.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct NewKeyLimit {
    /// Requests in a window.
    #[schemars(range(min = 1, max = MAX_KEY_QUOTA))]
    pub q: i64,
    /// The window in seconds.
    #[schemars(range(min = 1, max = MAX_KEY_WINDOW_SECS))]
    pub w: i64,
}

/// A change of an API key (RFC 7396).
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApiKeyPatch {
    #[schemars(length(min = 1, max = MAX_KEY_NAME_CHARS), extend("type" = "string"))]
    pub name: Option<String>,
    #[schemars(length(min = 1), extend("type" = "array"))]
    pub scopes: Option<Vec<Scope>>,
    pub expires_at: Option<Timestamp>,
    #[schemars(length(max = MAX_ORIGINS))]
    pub allowed_origins: Option<Vec<String>>,
    pub limit: Option<KeyLimitPatch>,
}

/// A change of a key's own limit.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct KeyLimitPatch {
    #[schemars(range(min = 1, max = MAX_KEY_QUOTA))]
    pub q: Option<i64>,
    #[schemars(range(min = 1, max = MAX_KEY_WINDOW_SECS))]
    pub w: Option<i64>,
}

/// How long the replaced key goes on working.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rotation {
    #[schemars(range(min = 0, max = MAX_GRACE_SECS))]
    pub grace_seconds: i64,
}

/// One token, or all that were issued until now.
#[derive(JsonSchema)]
#[schemars(untagged, deny_unknown_fields)]
pub enum Revocation {
    One {
        #[schemars(length(min = 1, max = MAX_JTI_CHARS))]
        jti: String,
    },
    All {
        #[schemars(extend("const" = true))]
        all: bool,
    },
}

/// One token of a customer, or all that were issued until a Unix second.
#[derive(JsonSchema)]
#[schemars(untagged, rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum ServiceRevocation {
    One {
        /// Left out: the tokens of administrators and services.
        customer_id: Option<CustomerId>,
        #[schemars(length(min = 1, max = MAX_JTI_CHARS))]
        jti: String,
    },
    Until {
        /// Left out: the tokens of administrators and services.
        customer_id: Option<CustomerId>,
        #[schemars(range(min = 0))]
        not_before: i64,
    },
}

/// A page of customers.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RewrapPage {
    /// The `next` of the page before; left out for the first one.
    pub after: Option<String>,
    /// 100 if left out.
    #[schemars(range(min = 1, max = MAX_REWRAP_PAGE))]
    pub limit: Option<i64>,
}

/// What to spend, all or nothing.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Consume {
    #[schemars(length(min = 1, max = MAX_POLICIES))]
    pub policies: Vec<Cost>,
}

/// What to spend of one policy.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Cost {
    #[schemars(length(min = 1, max = MAX_POLICY_NAME_CHARS), regex(pattern = r"^[a-z0-9_-]+$"))]
    pub name: String,
    /// 1 if left out.
    #[schemars(range(min = 1, max = MAX_COST))]
    pub cost: Option<u64>,
}

/// A lease to give back.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Release {
    #[schemars(regex(pattern = r"^lease_[0-9a-f]{32}$"))]
    pub lease: String,
}

/// A policy of a customer's own.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct NewPolicy {
    #[schemars(length(min = 1, max = MAX_POLICY_NAME_CHARS), regex(pattern = r"^[a-z0-9_-]+$"))]
    pub name: String,
    /// Units in a window; with `concurrent-requests`, leases at a time.
    #[schemars(range(min = 1, max = MAX_QUOTA))]
    pub q: u64,
    /// The window in seconds; of a lease, how long it lasts at most.
    #[schemars(range(min = 1, max = MAX_WINDOW_SECS))]
    pub w: u64,
    /// How many at once; `q` if left out.
    #[schemars(range(min = 1, max = MAX_QUOTA))]
    pub burst: Option<u64>,
    /// `requests` if left out.
    pub unit: Option<QuotaUnit>,
}

/// All policies of a customer's own.
#[derive(JsonSchema)]
pub struct NewPolicies(#[schemars(length(max = MAX_POLICIES))] pub Vec<NewPolicy>);

/// A customer that is to exist.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
pub struct EnsureCustomer {
    #[schemars(extend("format" = "email"), length(max = 254))]
    pub email: String,
    pub customer_id: Option<CustomerId>,
    #[schemars(length(min = 1, max = MAX_NAME_CHARS))]
    pub name: Option<String>,
    #[schemars(length(min = 1, max = MAX_NAME_CHARS))]
    pub company_name: Option<String>,
    #[schemars(length(min = 1, max = MAX_DISPLAY_NAME_CHARS))]
    pub display_name: Option<String>,
    /// `free` if left out.
    pub plan: Option<Plan>,
    /// `active` if left out.
    pub status: Option<NewStatus>,
    pub features: Option<BTreeMap<String, bool>>,
    pub metadata: Option<BTreeMap<String, String>>,
}

/// The e-mail that a customer is to have.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewEmail {
    #[schemars(extend("format" = "email"), length(max = 254))]
    pub email: String,
}

/// The status of a new customer.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum NewStatus {
    Active,
    PendingVerification,
}
