//! Who is calling, after authentication. A [`Caller`] is the proof that a credential was verified: only
//! `edge::auth` makes one from a request, and the customer's object gets it in the envelope, never the token.

use crate::types::CustomerId;
use serde::{Deserialize, Serialize};

/// A verified caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Caller {
    /// Somebody who signed in: the holder of a user's JWT, perhaps a super-admin.
    User(Box<User>),
    /// The login service or another trusted back end.
    Service(Service),
}

/// The holder of a verified JWT.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// The customer that the token names; `None` where it names none.
    pub customer: Option<CustomerId>,
    /// The `sub` claim as the issuer wrote it (personal data: never logged).
    pub subject: String,
    /// The `email` claim, trimmed, in lower case, with an IDNA A-label domain (personal data: never logged).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The `email_verified` claim; false when absent.
    pub email_verified: bool,
    /// True for a super-admin.
    pub is_admin: bool,
    /// The `scope` claim, split at spaces (RFC 8693 section 4.2).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// The `jti` claim, by which one token is revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// The `iat` claim, Unix seconds.
    pub issued_at: i64,
    /// The `exp` claim, Unix seconds.
    pub expires_at: i64,
    /// The `csrf` claim, which `GET /session` tells to a page that cannot read its HttpOnly cookie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csrf: Option<String>,
    /// Under which hashes an older service may have written down that this token is revoked: hex SHA-256 of the
    /// lower-cased compact token, in each spelling that verifies. Empty unless the token is of its kind (HS256).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub legacy_hashes: Vec<String>,
}

/// A trusted back end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// Which credential it was: `key_` and the first 12 hex digits of the service key's SHA-256, or `sub` of
    /// a JWT with scope `service`.
    pub id: String,
    /// The `jti` claim of a service's JWT, by which it is revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// The `iat` claim of a service's JWT, Unix seconds; None for a service key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_at: Option<i64>,
}

impl Caller {
    /// The word that the log and the audit entries use for this kind of caller.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::User(user) if user.is_admin => "admin",
            Self::User(_) => "user",
            Self::Service(_) => "service",
        }
    }
}
