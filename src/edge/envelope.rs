//! What the front tells a customer's object about a request: one header of printable ASCII, versioned and
//! bounded. The body stays a stream, the token stays in the front, and the time is the object's own.
//!
//! `<version> <JSON>`, with every character outside printable ASCII as a JSON escape. An object that meets a
//! newer version answers 503 and so loses nothing during a rolling deploy.

use crate::caller::Caller;
use crate::customer::idempotency::IdempotencyKey;
use crate::customer::request::Origin;
use crate::edge::route::Route;
use crate::error::{Code, Error, Result};
use crate::json;
use crate::types::{Condition, CustomerId};
use serde::{Deserialize, Serialize};

/// The header that carries it.
pub const HEADER: &str = "x-user-api-envelope";
/// The version that this code writes and the newest that it reads.
pub const VERSION: u32 = 1;
/// Longest envelope, in bytes. A token is at most 8 KiB, escaping can lengthen its texts.
pub const MAX_BYTES: usize = 24 * 1024;

/// The envelope's content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Envelope {
    /// Whose object this is meant for; the object compares it with its own name.
    pub customer: CustomerId,
    /// What is asked.
    pub route: Route,
    /// Who asks.
    pub caller: Caller,
    /// On which condition.
    #[serde(default)]
    pub condition: Condition,
    /// Where from.
    pub origin: Origin,
    /// The text of the path's variable segment.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub variable: String,
    /// The URL's query as it came, where the route reads one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub query: String,
    /// The `Idempotency-Key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<IdempotencyKey>,
}

impl Envelope {
    /// The header's value.
    ///
    /// # Errors
    /// `malformed_request` if the request's headers are so large that it would pass [`MAX_BYTES`].
    pub fn encode(&self) -> Result<String> {
        let json =
            serde_json::to_string(self).map_err(|_| Error::fault("the envelope does not serialise"))?;
        let mut header = format!("{VERSION} ");
        if json.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            header.push_str(&json);
        } else {
            escape(&json, &mut header);
        }
        if header.len() > MAX_BYTES {
            return Err(Error::new(
                Code::MalformedRequest,
                "The request's headers are too large.",
            ));
        }
        Ok(header)
    }

    /// Reads the header's value.
    ///
    /// # Errors
    /// `unavailable` for a newer version, `internal_error` for anything that [`Envelope::encode`] did not write.
    pub fn decode(header: &str) -> Result<Self> {
        let malformed = || Error::fault("malformed envelope");
        if header.len() > MAX_BYTES {
            return Err(malformed());
        }
        let (version, json) = header.split_once(' ').ok_or_else(malformed)?;
        let version: u32 = version.parse().map_err(|_| malformed())?;
        if version > VERSION {
            let error = Error::new(Code::Unavailable, "The service is being updated.");
            return Err(error.because("envelope of a newer version"));
        }
        json::read(json.as_bytes()).map_err(|_| malformed())
    }
}

/// Appends the JSON with what is no printable ASCII as escapes.
fn escape(json: &str, header: &mut String) {
    for character in json.chars() {
        if matches!(character, ' '..='~') {
            header.push(character);
        } else {
            use std::fmt::Write as _;
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(header, "\\u{unit:04x}");
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::caller::{Service, User};
    use crate::types::RequestId;

    fn envelope() -> Envelope {
        Envelope {
            customer: CustomerId::parse("cust_1").unwrap(),
            route: Route::GetCustomer,
            caller: Caller::User(Box::new(User {
                customer: CustomerId::parse("cust_1"),
                subject: "user_0123456789ab".into(),
                email: Some("zoë@example.com".into()),
                email_verified: true,
                is_admin: false,
                scopes: vec![],
                jti: None,
                issued_at: 1,
                expires_at: 2,
                csrf: None,
                legacy_hashes: vec![],
            })),
            condition: Condition::default(),
            origin: Origin {
                request_id: RequestId::parse("req_1").unwrap(),
                caller_request_id: None,
                ip: Some("::1".into()),
                user_agent: Some("a\"\\\u{1f600}\u{7}".into()),
            },
            variable: String::new(),
            query: String::new(),
            idempotency_key: None,
        }
    }

    #[test]
    fn form_is_unchanged() {
        assert_eq!(
            envelope().encode().unwrap(),
            r#"1 {"customer":"cust_1","route":"get_customer","caller":{"user":{"customer":"cust_1","subject":"user_0123456789ab","email":"zo\u00eb@example.com","emailVerified":true,"isAdmin":false,"issuedAt":1,"expiresAt":2}},"condition":{},"origin":{"requestId":"req_1","ip":"::1","userAgent":"a\"\\\ud83d\ude00\u0007"}}"#
        );
    }

    #[test]
    fn what_was_encoded_is_decoded() {
        let mut other = envelope();
        other.caller = Caller::Service(Service {
            id: "login-service".into(),
            jti: Some("j1".into()),
            issued_at: Some(1),
        });
        for envelope in [envelope(), other] {
            assert_eq!(Envelope::decode(&envelope.encode().unwrap()).unwrap(), envelope);
        }
    }

    #[test]
    fn a_newer_version_is_answered_503_and_rubbish_500() {
        assert_eq!(Envelope::decode("2 {}").unwrap_err().code, Code::Unavailable);
        for header in ["", "1", "1 {}", "x {}", "1 []", &"1".repeat(MAX_BYTES + 1)] {
            assert_eq!(Envelope::decode(header).unwrap_err().code, Code::InternalError);
        }
    }

    #[test]
    fn a_huge_envelope_is_refused_before_it_is_sent() {
        let mut envelope = envelope();
        envelope.origin.user_agent = Some("\u{1f600}".repeat(4000));
        assert_eq!(envelope.encode().unwrap_err().code, Code::MalformedRequest);
    }
}
