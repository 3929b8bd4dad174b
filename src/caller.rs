//! Who is calling, after authentication. A [`Caller`] is the proof that a credential was verified: only
//! `edge::auth` makes one from a request, and the customer's object gets it in the envelope, never the token.

use crate::types::{CustomerId, KeyDigest};
use serde::{Deserialize, Serialize};

// Tagged from outside, as all that travels between our own: to look for a tag within, serde keeps a value of any kind
// and reads it once more, by code of its own for each type.
/// A verified caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Caller {
    /// Somebody who signed in: the holder of a user's JWT, perhaps a super-admin.
    User(Box<User>),
    /// A program of a customer's, by API key. That the key exists only the customer's object can tell.
    Integration(Box<Integration>),
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
    /// lower-cased compact token, in each spelling that verifies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub legacy_hashes: Vec<String>,
}

/// The holder of an API key whose text holds together. Which key it is, whether it works and what it may do is
/// for the customer's object to decide (`customer::api_keys`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Integration {
    /// The customer that the key names, or for a legacy key the caller.
    pub customer: CustomerId,
    /// By which the object finds the key.
    pub digest: KeyDigest,
    /// Whether it is a key of the older login service.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub legacy: bool,
    /// The `Origin` header (RFC 6454 section 7), which browsers send; `null` where it was none that we could allow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser_origin: Option<String>,
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
            Self::Integration(_) => "integration",
            Self::Service(_) => "service",
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn form_of_an_integration_is_unchanged_and_its_digest_is_not_printed() {
        let caller = |legacy, browser_origin: Option<&str>| {
            Caller::Integration(Box::new(Integration {
                customer: CustomerId::parse("cust_1").unwrap(),
                digest: KeyDigest::new([255; 32]),
                legacy,
                browser_origin: browser_origin.map(str::to_owned),
            }))
        };
        let digest = "__________________________________________8";
        for (caller, rest) in [
            (caller(false, None), ""),
            (
                caller(true, Some("https://a.example")),
                r#","legacy":true,"browserOrigin":"https://a.example""#,
            ),
        ] {
            let text = format!(r#"{{"integration":{{"customer":"cust_1","digest":"{digest}"{rest}}}}}"#);
            assert_eq!(serde_json::to_string(&caller).unwrap(), text);
            assert_eq!(serde_json::from_str::<Caller>(&text).unwrap(), caller);
            assert_eq!(caller.kind(), "integration");
            assert!(!format!("{caller:?}").contains("255"));
        }
    }
}
