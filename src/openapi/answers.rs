//! The types of answers that the worker writes without a type of their own. The tests of the worker hold each of its
//! answers against the document (`tests/e2e/support/described.rs`), and so against these.
#![allow(dead_code)] // They are described, never made.

use crate::customer::api_keys::View;
use crate::customer::limits::{Policy, QuotaUnit};
use crate::types::{CustomerId, Timestamp};
use schemars::JsonSchema;

/// The customer's API keys, newest first, in one page.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
#[schemars(rename = "ApiKeyList")]
pub(super) struct KeyList<'a> {
    data: Vec<View<'a>>,
    has_more: bool,
    next_cursor: Option<String>,
}

/// What is left of the customer's limits, and how much it was used.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(super) struct Usage {
    /// Every limit of the customer.
    policies: Vec<UsedPolicy>,
    /// Today's requests (UTC).
    today: Vec<UsedRoute>,
    /// The requests of 30 days, today among them.
    #[schemars(rename = "last30Days")]
    last_30_days: Vec<UsedRoute>,
}

/// A limit, and what is left of it.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", rename = "PolicyUsage")]
pub(super) struct UsedPolicy {
    name: String,
    unit: QuotaUnit,
    /// Units in a window.
    q: u64,
    /// The window in seconds.
    w: u64,
    /// Units that can be spent at once.
    limit: u64,
    /// What of them is spent and not restored yet.
    used: u64,
    /// Units that can be spent now.
    remaining: u64,
    /// When nothing will be missing; null where nothing is used.
    resets_at: Option<Timestamp>,
}

/// A ZIP archive, in bytes.
#[derive(JsonSchema)]
#[schemars(transparent, extend("contentMediaType" = "application/zip"))]
pub(super) struct Archive(String);

/// The requests of one route and outcome.
#[derive(JsonSchema)]
#[schemars(rename = "RouteUsage")]
pub(super) struct UsedRoute {
    /// Method and path pattern.
    route: String,
    /// `ok`, `replayed`, `idle`, or the code of the problem.
    outcome: String,
    count: i64,
}

/// A customer's limits.
#[derive(JsonSchema)]
pub(super) struct Limits {
    /// What was set for this customer.
    own: Vec<Policy>,
    /// What is in force: its plan's and its own.
    policies: Vec<Policy>,
}

/// A customer's limits, as administrators see them.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(super) struct AdminLimits {
    /// What administrators set for this customer.
    own: Vec<Policy>,
    /// What the customer set for itself.
    by_customer: Vec<Policy>,
    /// What is in force: its plan's and its own.
    policies: Vec<Policy>,
}

/// The customer that now exists.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(super) struct Ensured {
    customer_id: CustomerId,
    /// Whether this request made it.
    created: bool,
}

/// What became of a page of customers.
#[derive(JsonSchema)]
pub(super) struct Rewrapped {
    /// Customers whose key is wrapped under the active master key now.
    wrapped: u32,
    /// Customers that were erased meanwhile.
    gone: u32,
    failed: Vec<NotRewrapped>,
    /// Where the next page begins; null after the last one.
    next: Option<String>,
}

/// A customer whose key could not be wrapped anew.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(super) struct NotRewrapped {
    customer_id: CustomerId,
    code: String,
}

/// A page of the audit log.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(super) struct AuditPage {
    data: Vec<AuditEntry>,
    /// False at the end of the log; a page may be short before that.
    has_more: bool,
    next_cursor: Option<String>,
}

/// An entry of the audit log.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(super) struct AuditEntry {
    #[schemars(range(min = 1))]
    seq: i64,
    at: Timestamp,
    actor: AuditActor,
    action: String,
    target: String,
    /// `ok`, or the code of the refusal.
    outcome: String,
    request_id: String,
    /// SHA-256 in hex.
    hash: String,
    /// As much of it as the reader may see; null once it is no longer kept, and where it cannot be opened.
    detail: Option<std::collections::BTreeMap<String, serde_json::Value>>,
    /// Where the detail is kept and cannot be opened: `["detail"]`.
    #[schemars(skip_serializing_if = "Option::is_none")]
    unreadable: Option<Vec<String>>,
}

/// Who did it.
#[derive(JsonSchema)]
pub(super) struct AuditActor {
    id: String,
    /// `user`, `admin`, `integration`, `service` or `system`.
    kind: String,
}

/// Where the audit log ends.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(super) struct AuditHead {
    seq: i64,
    /// SHA-256 in hex.
    hash: String,
    at: Timestamp,
    /// A signed note.
    checkpoint: String,
    /// With `since`: leaf hashes in hex.
    #[schemars(skip_serializing_if = "Option::is_none")]
    leaves: Option<Vec<String>>,
    /// With `since`, where there is more.
    #[schemars(skip_serializing_if = "Option::is_none")]
    next_since: Option<i64>,
}

/// The erasure of the customer.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(super) struct Erasure {
    /// `scheduled` while it can be withdrawn, then `erased`.
    status: String,
    requested_at: Timestamp,
    /// From when on it cannot be withdrawn.
    due_at: Timestamp,
    /// What an administrator asked for, first or later, only an administrator withdraws.
    requested_by: Requester,
    /// From when on the customer is gone for everybody.
    #[schemars(skip_serializing_if = "Option::is_none")]
    erased_at: Option<Timestamp>,
    /// Once erased: the signed certificate, a compact JWS; null until nothing is left.
    #[schemars(skip_serializing_if = "Option::is_none")]
    certificate: Option<String>,
}

/// Who asked for an erasure.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub(super) enum Requester {
    Customer,
    Administrator,
}

/// A JWK set (RFC 7517).
#[derive(JsonSchema)]
#[schemars(rename = "JwkSet")]
pub(super) struct KeySet {
    keys: Vec<std::collections::BTreeMap<String, serde_json::Value>>,
}

/// The state of the worker.
#[derive(JsonSchema)]
pub(super) struct Health {
    /// `ok`, or `ready`.
    status: String,
}

/// RFC 9728 section 2.
#[derive(JsonSchema)]
pub(super) struct ResourceMetadata {
    resource: String,
    authorization_servers: Vec<String>,
    bearer_methods_supported: Vec<String>,
    resource_name: String,
}

/// A page or a file, as text.
#[derive(JsonSchema)]
#[schemars(inline)]
pub(super) struct Text(String);

/// This document.
#[derive(JsonSchema)]
#[schemars(inline)]
pub(super) struct AnyObject(std::collections::BTreeMap<String, serde_json::Value>);

/// An answer that only the holder of the caller's credential can open (`docs/FORMATS.md`).
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(super) struct SealedResponse {
    #[schemars(extend("const" = 4))]
    version: u8,
    #[schemars(extend("const" = true))]
    encrypted: bool,
    #[schemars(extend("const" = "XChaCha20-Poly1305"))]
    algorithm: String,
    #[schemars(extend("const" = "HKDF-SHA256"))]
    kdf: String,
    /// 32 bytes in base64.
    salt: String,
    /// 24 bytes in base64.
    nonce: String,
    /// The media type of what is sealed.
    content_type: String,
    /// That of `X-Request-Id`.
    request_id: String,
    /// Ciphertext and tag in base64.
    data: String,
}

/// A page of the list of customers.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(super) struct CustomerPage {
    /// The customers.
    data: Vec<ListedCustomer>,
    /// Whether there are more.
    has_more: bool,
    /// By which the next page is asked for.
    next_cursor: Option<String>,
}

/// A customer as the list shows it.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
#[allow(missing_docs)]
pub(super) struct ListedCustomer {
    customer_id: String,
    email: Option<String>,
    display_name: Option<String>,
    plan: String,
    status: String,
    created_at: String,
    /// Which fields are null because they could not be opened; left out where none.
    #[schemars(skip_serializing_if = "Option::is_none")]
    unreadable: Option<Vec<String>>,
}
