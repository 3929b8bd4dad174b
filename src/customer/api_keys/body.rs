//! The bodies by which keys are made, changed and rotated. What depends on the clock or on the key itself is
//! checked where they are applied.

use super::record::{KeyLimit, KeyRecord};
use super::scope::{NAMES, Scope};
use crate::error::{Error, Fault, Result};
use crate::json;
use crate::types::Timestamp;
use crate::validate::{Edit, Fields, origin, time};
use serde_json::Value;
use std::borrow::Cow;

/// Longest `name` of a key, in characters.
pub const MAX_NAME_CHARS: usize = 100;
/// Most allowed origins of a key.
pub const MAX_ORIGINS: usize = 20;
/// Largest quota of a key's own limit, in requests; as in `RATE_LIMITS`.
pub const MAX_QUOTA: i64 = 1_000_000_000;
/// Longest window of a key's own limit, in seconds: 400 days, as in `RATE_LIMITS`.
pub const MAX_WINDOW_SECS: i64 = 34_560_000;
/// Longest time that a rotated key may go on working, in seconds: seven days.
pub const MAX_GRACE_SECS: i64 = 604_800;
/// How far ahead `expiresAt` may lie, in milliseconds: five years, of which two may be leap years.
pub const MAX_LIFETIME_MS: i64 = (5 * 365 + 2) * 86_400_000;

/// Fields that a key has but nobody writes.
const READ_ONLY: &[&str] = &[
    "keyId",
    "prefix",
    "last4",
    "createdAt",
    "lastUsedAt",
    "status",
    "rotatedFrom",
    "legacy",
    "secret",
];

/// `POST /customer/me/api-keys`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct NewKey {
    pub name: String,
    pub scopes: Vec<Scope>,
    pub expires_at: Option<Timestamp>,
    pub allowed_origins: Vec<String>,
    pub limit: Option<KeyLimit>,
}

impl NewKey {
    /// Reads the body.
    ///
    /// # Errors
    /// `malformed_body`, `validation_failed` or `field_not_writable`.
    pub fn parse(body: &[u8]) -> Result<Self> {
        let mut fields = Fields::new(json::parse_object(body)?);
        let name = fields.line("name", MAX_NAME_CHARS);
        let name = fields.required("name", name);
        let scopes = scopes(&mut fields);
        let scopes = fields.required("scopes", scopes);
        let expires_at = fields.field("expiresAt", time).apply(None);
        let allowed_origins = fields.list("allowedOrigins", MAX_ORIGINS, origin).apply(None);
        let limit = fields.object("limit", |inner| {
            let (q, w) = (quota(inner), window(inner));
            let (q, w) = (inner.required("q", q), inner.required("w", w));
            q.zip(w).map(|(q, w)| KeyLimit { q, w })
        });
        fields.finish(READ_ONLY)?;
        let required = || Error::fault("a required field is absent");
        Ok(Self {
            name: name.ok_or_else(required)?,
            scopes: scopes.ok_or_else(required)?,
            expires_at,
            allowed_origins: allowed_origins.unwrap_or_default(),
            limit: limit.apply(None).flatten(),
        })
    }
}

/// `PATCH /customer/me/api-keys/{keyId}` (RFC 7396).
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct KeyEdit {
    pub name: Option<String>,
    pub scopes: Option<Vec<Scope>>,
    /// Cleared: it never expires.
    pub expires_at: Edit<Timestamp>,
    /// Cleared: every origin is allowed.
    pub allowed_origins: Edit<Vec<String>>,
    /// Cleared: it has no limit of its own.
    pub limit: Edit<LimitEdit>,
}

/// A change of [`KeyLimit`]: a patch descends into objects (RFC 7396 section 2).
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct LimitEdit {
    pub q: Edit<i64>,
    pub w: Edit<i64>,
}

impl KeyEdit {
    /// Reads the body.
    ///
    /// # Errors
    /// `malformed_body`, `validation_failed` or `field_not_writable`.
    pub fn parse(body: &[u8]) -> Result<Self> {
        let mut fields = Fields::new(json::parse_object(body)?);
        let name = fields.line("name", MAX_NAME_CHARS);
        let scopes = scopes(&mut fields);
        let edit = Self {
            name: fields.not_null("name", name),
            scopes: fields.not_null("scopes", scopes),
            expires_at: fields.field("expiresAt", time),
            allowed_origins: fields.list("allowedOrigins", MAX_ORIGINS, origin),
            limit: fields.object("limit", |inner| LimitEdit {
                q: quota(inner),
                w: window(inner),
            }),
        };
        fields.finish(READ_ONLY)?;
        Ok(edit)
    }

    /// The key after the edit; its version is still the same.
    ///
    /// # Errors
    /// `validation_failed` if the new expiry is out of bounds or half a limit would be left.
    pub fn apply(&self, before: &KeyRecord, now: Timestamp) -> Result<KeyRecord> {
        let mut after = before.clone();
        let mut faults = Vec::new();
        let mut settings = before.settings()?.clone();
        if let Some(name) = &self.name {
            settings.name.clone_from(name);
        }
        if let Some(scopes) = &self.scopes {
            after.scopes.clone_from(scopes);
        }
        if let Edit::Set(expires_at) = self.expires_at {
            faults.extend(expiry_fault(expires_at, now));
        }
        after.expires_at = self.expires_at.clone().apply(before.expires_at);
        settings.allowed_origins = match &self.allowed_origins {
            Edit::Keep => settings.allowed_origins,
            Edit::Clear => Vec::new(),
            Edit::Set(origins) => origins.clone(),
        };
        after.settings = Ok(settings);
        after.limit = match &self.limit {
            Edit::Keep => before.limit,
            Edit::Clear => None,
            Edit::Set(edit) => edit.apply(before.limit, &mut faults),
        };
        if faults.is_empty() {
            Ok(after)
        } else {
            Err(Error::validation(faults))
        }
    }
}

impl LimitEdit {
    fn apply(&self, before: Option<KeyLimit>, faults: &mut Vec<Fault>) -> Option<KeyLimit> {
        let q = self.q.clone().apply(before.map(|limit| limit.q));
        let w = self.w.clone().apply(before.map(|limit| limit.w));
        for (pointer, value) in [("#/limit/q", q), ("#/limit/w", w)] {
            if value.is_none() {
                faults.push(fault(pointer, "Is required."));
            }
        }
        q.zip(w).map(|(q, w)| KeyLimit { q, w })
    }
}

/// `POST /customer/me/api-keys/{keyId}/rotate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// How long the old key goes on working, in seconds from the moment of the rotation.
    pub grace_secs: i64,
}

impl Rotation {
    /// Reads the body.
    ///
    /// # Errors
    /// `malformed_body` or `validation_failed`.
    pub fn parse(body: &[u8]) -> Result<Self> {
        let mut fields = Fields::new(json::parse_object(body)?);
        let grace_secs = fields.integer("graceSeconds", 0..=MAX_GRACE_SECS);
        let grace_secs = fields.required("graceSeconds", grace_secs);
        fields.finish(&[])?;
        let grace_secs = grace_secs.ok_or_else(|| Error::fault("a required field is absent"))?;
        Ok(Self { grace_secs })
    }
}

/// Whether a key made or changed at `now` may expire then.
///
/// # Errors
/// `validation_failed`.
pub(super) fn check_expiry(expires_at: Option<Timestamp>, now: Timestamp) -> Result<()> {
    match expires_at.and_then(|at| expiry_fault(at, now)) {
        Some(fault) => Err(Error::validation(vec![fault])),
        None => Ok(()),
    }
}

fn expiry_fault(expires_at: Timestamp, now: Timestamp) -> Option<Fault> {
    let pointer = "#/expiresAt";
    let ahead_ms = expires_at.as_millis().saturating_sub(now.as_millis());
    if ahead_ms <= 0 {
        Some(fault(pointer, "Must lie in the future."))
    } else if ahead_ms > MAX_LIFETIME_MS {
        Some(fault(pointer, "Must lie at most five years ahead."))
    } else {
        None
    }
}

fn fault(pointer: &str, detail: &'static str) -> Fault {
    Fault {
        pointer: pointer.to_owned(),
        detail: detail.into(),
    }
}

fn scopes(fields: &mut Fields) -> Edit<Vec<Scope>> {
    let scopes = fields.list("scopes", Scope::ALL.len(), |value: Value| {
        let known = value.as_str().and_then(Scope::parse);
        known.ok_or_else(|| Cow::Owned(format!("Must be one of: {NAMES}.")))
    });
    // With faults in its items it may look empty; those say enough.
    if scopes == Edit::Set(Vec::new()) && !fields.has_fault_within("scopes") {
        fields.fault("scopes", "Must have at least one item.");
    }
    scopes
}

fn quota(fields: &mut Fields) -> Edit<i64> {
    fields.integer("q", 1..=MAX_QUOTA)
}

fn window(fields: &mut Fields) -> Edit<i64> {
    fields.integer("w", 1..=MAX_WINDOW_SECS)
}
