//! One API key: what is remembered of it, what state it is in, how it is shown.

use super::scope::Scope;
use crate::error::{Code, Error, Result};
use crate::json;
use crate::types::{KeyDigest, KeyId, Timestamp, Version, serialize_rfc3339, serialize_rfc3339_option};
use serde::{Deserialize, Serialize};

/// A limit that a key has for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct KeyLimit {
    /// Requests in a window.
    pub q: i64,
    /// The window in seconds.
    pub w: i64,
}

/// What a key's owner is told of its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum KeyStatus {
    /// It works.
    Active,
    /// It was replaced; until `expiresAt` it still works.
    Rotated,
    /// It was taken back and never works again.
    Revoked,
    /// Its time is over.
    Expired,
}

/// What a person wrote about a key, stored together as one document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Settings {
    /// What its owner calls it.
    pub name: String,
    /// From which origins browsers may use it; every one where this is empty.
    pub allowed_origins: Vec<String>,
}

/// One API key. The key itself is nowhere in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// Its id.
    pub key_id: KeyId,
    pub(super) digest: KeyDigest,
    /// Whether it came from the older login service.
    pub legacy: bool,
    pub(super) version: i64,
    /// What a person wrote about it, or why that cannot be read.
    pub settings: Result<Settings>,
    /// How it begins.
    pub prefix: String,
    /// Its last four characters; not known of a legacy key.
    pub last4: Option<String>,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// A limit of its own.
    pub limit: Option<KeyLimit>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it no longer works.
    pub expires_at: Option<Timestamp>,
    /// The hour in which it was used last.
    pub last_used_at: Option<Timestamp>,
    /// When it was replaced.
    pub rotated_at: Option<Timestamp>,
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
    /// The key that it replaced.
    pub rotated_from: Option<KeyId>,
}

/// An API key as its owner sees it; `secret` is there only in the answer that made it.
#[derive(Serialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "ApiKey")
)]
#[serde(rename_all = "camelCase")]
pub(crate) struct View<'a> {
    key_id: &'a KeyId,
    name: &'a str,
    prefix: &'a str,
    last4: Option<&'a str>,
    scopes: &'a [Scope],
    #[serde(serialize_with = "serialize_rfc3339")]
    created_at: Timestamp,
    #[serde(serialize_with = "serialize_rfc3339_option")]
    expires_at: Option<Timestamp>,
    #[serde(serialize_with = "serialize_rfc3339_option")]
    last_used_at: Option<Timestamp>,
    status: KeyStatus,
    allowed_origins: &'a [String],
    limit: Option<KeyLimit>,
    rotated_from: Option<&'a KeyId>,
    legacy: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
}

impl KeyRecord {
    /// Its state at `now`. What its owner did to it outranks what time did.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> KeyStatus {
        if self.revoked_at.is_some() {
            KeyStatus::Revoked
        } else if self.rotated_at.is_some() {
            KeyStatus::Rotated
        } else if self.is_expired(now) {
            KeyStatus::Expired
        } else {
            KeyStatus::Active
        }
    }

    /// Whether it still works at `now`: neither revoked nor past its expiry, which rotation brings forward.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && !self.is_expired(now)
    }

    pub(super) fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }

    /// When it stopped, or will stop, working.
    pub(super) fn ends_at(&self) -> Option<Timestamp> {
        match (self.revoked_at, self.expires_at) {
            (Some(revoked), Some(expires)) => Some(revoked.min(expires)),
            (revoked, expires) => revoked.or(expires),
        }
    }

    /// Whether it may do what needs `scope`.
    ///
    /// # Errors
    /// `insufficient_scope` (RFC 6750 section 3.1).
    pub fn allows(&self, scope: Scope) -> Result<()> {
        if self.scopes.contains(&scope) {
            return Ok(());
        }
        let name = scope.as_str();
        Err(Error::new(
            Code::InsufficientScope,
            format!("The API key lacks the scope {name}."),
        ))
    }

    /// What a person wrote about it.
    ///
    /// # Errors
    /// `sealed_data_unreadable`.
    pub fn settings(&self) -> Result<&Settings> {
        self.settings.as_ref().map_err(Clone::clone)
    }

    /// Whether a browser on a page of `origin` may use it. No protection from programs, which send what they like
    /// or nothing; it keeps a key that a page contains from being used on other pages.
    ///
    /// # Errors
    /// `sealed_data_unreadable` if it comes from a browser and nobody can tell.
    pub(super) fn allows_origin(&self, origin: Option<&str>) -> Result<bool> {
        let Some(origin) = origin else {
            return Ok(true);
        };
        let allowed = &self.settings()?.allowed_origins;
        Ok(allowed.is_empty() || allowed.iter().any(|allowed| allowed == origin))
    }

    /// The version of this resource at `now`, given the customer's incarnation. `lastUsedAt` is outside it; an
    /// expiry, by which the resource changes without a write, is in it.
    #[must_use]
    pub fn version(&self, incarnation: &str, now: Timestamp) -> Version {
        let expired = self.status(now) == KeyStatus::Expired;
        Version {
            incarnation: incarnation.to_owned(),
            number: self.version.saturating_mul(2).saturating_add(i64::from(expired)),
        }
    }

    /// The resource `/customer/me/api-keys/{keyId}`, which also is what the audit log may compare.
    ///
    /// # Errors
    /// `sealed_data_unreadable`.
    pub fn view(&self, now: Timestamp) -> Result<impl Serialize + '_> {
        self.view_with(now, None)
    }

    /// [`KeyRecord::view`] as JSON.
    ///
    /// # Errors
    /// `sealed_data_unreadable`.
    pub fn to_json(&self, now: Timestamp) -> Result<Vec<u8>> {
        json::to_bytes(&self.view(now)?)
    }

    pub(super) fn view_with<'a>(
        &'a self,
        now: Timestamp,
        secret: Option<&'a str>,
    ) -> Result<impl Serialize + 'a> {
        let settings = self.settings()?;
        Ok(View {
            key_id: &self.key_id,
            name: &settings.name,
            prefix: &self.prefix,
            last4: self.last4.as_deref(),
            scopes: &self.scopes,
            created_at: self.created_at,
            expires_at: self.expires_at,
            last_used_at: self.last_used_at,
            status: self.status(now),
            allowed_origins: &settings.allowed_origins,
            limit: self.limit,
            rotated_from: self.rotated_from.as_ref(),
            legacy: self.legacy,
            secret,
        })
    }
}
