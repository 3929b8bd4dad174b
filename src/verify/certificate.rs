//! The certificate of an erasure: a JWS in compact form (RFC 7515 section 7.1), signed with Ed25519 (RFC 8037), whose
//! payload is the JSON of [`Certificate`].

use super::{Fault, Place, PublicKeys, Result};
use crate::order;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Longest certificate that is read, in bytes.
pub const MAX_CERTIFICATE_BYTES: usize = 64 * 1024;
/// What the header's `typ` says (RFC 7515 section 4.1.9).
pub const TYPE: &str = "user-api-erasure+json";

/// Where the audit log ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogEnd {
    /// The number of the last entry.
    pub seq: i64,
    /// Its hash in hex.
    pub hash: String,
}

/// The audit log before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// Before the first entry about the erasure being carried out.
    pub before: LogEnd,
    /// After the last entry there will ever be.
    pub after: LogEnd,
}

/// Who asked, under an id of the service's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskedBy {
    /// `user` or `admin`.
    pub kind: String,
    /// The user's id, or the administrator's as in the audit log.
    pub id: String,
}

/// A thing and the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
}

/// What the certificate says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Certificate {
    /// Version of this form: 1.
    pub v: u32,
    /// Whom.
    pub customer_id: String,
    /// Who asked.
    pub asked_by: AskedBy,
    /// When, RFC 3339 like all times here.
    pub requested_at: String,
    /// When it was due.
    pub due_at: String,
    /// From when on the customer was gone for everybody.
    pub erased_at: String,
    /// When the last of it was destroyed.
    pub completed_at: String,
    /// How many of each kind were destroyed.
    pub destroyed: order::Map<String, i64>,
    /// What is kept, and why.
    pub kept: Vec<Item>,
    /// What could not be reached, and why.
    pub not_reached: Vec<Item>,
    /// The audit log.
    pub audit: Log,
    /// Until when a backup of the platform's could still hold a wrapped key.
    pub key_recoverable_until: String,
}

/// The protected header and the payload, as they are signed.
#[must_use]
pub fn signing_input(kid: &str, payload: &[u8]) -> String {
    let header = json!({"alg": "EdDSA", "kid": kid, "typ": TYPE}).to_string();
    format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(payload)
    )
}

/// The compact JWS from what was signed and the signature.
#[must_use]
pub fn compact(signing_input: &str, signature: &[u8; 64]) -> String {
    format!("{signing_input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// Whether this is meant to be one: a JWS in compact form, or a JSON document with a member `certificate`.
#[must_use]
pub fn is_meant(text: &str) -> bool {
    let text = text.trim();
    // The first letters of a header's `{"`.
    text.starts_with("eyJ")
        || text.starts_with('{')
            && serde_json::from_slice::<Value>(text.as_bytes())
                .is_ok_and(|document| document.get("certificate").is_some())
}

/// Opens a certificate: the JWS itself, or a JSON document with a member `certificate` that is one. Says by which key
/// it is signed.
///
/// # Errors
/// What is wrong with it.
pub fn open(text: &str, keys: &PublicKeys) -> Result<(Certificate, String)> {
    let fault = |what: &str| Fault::new(Place::Certificate, what);
    if text.len() > MAX_CERTIFICATE_BYTES {
        return Err(fault("it is too long"));
    }
    let text = text.trim();
    let document: Option<Value> = text
        .starts_with('{')
        .then(|| serde_json::from_slice(text.as_bytes()).ok())
        .flatten();
    let within = document
        .as_ref()
        .and_then(|document| document.get("certificate"))
        .and_then(Value::as_str);
    let text = within.unwrap_or(text);
    let (input, signature) = text
        .rsplit_once('.')
        .ok_or_else(|| fault("it is no compact JWS (RFC 7515)"))?;
    let (header, payload) = input
        .split_once('.')
        .ok_or_else(|| fault("it is no compact JWS (RFC 7515)"))?;
    let decode = |part: &str| {
        URL_SAFE_NO_PAD
            .decode(part)
            .map_err(|_| fault("it is no base64url"))
    };
    let header: Value =
        serde_json::from_slice(&decode(header)?).map_err(|_| fault("its header is no JSON"))?;
    let kid = header.get("kid").and_then(Value::as_str).unwrap_or_default();
    // One form only, so that no header says anything that is not looked at.
    if header != json!({"alg": "EdDSA", "kid": kid, "typ": TYPE}) {
        return Err(fault("it is signed in another way, or is something else"));
    }
    let holds = <[u8; 64]>::try_from(decode(signature)?)
        .is_ok_and(|signature| keys.holds(kid, input.as_bytes(), &signature));
    if !holds {
        return Err(fault("the signature does not hold under any of the public keys"));
    }
    let certificate: Certificate =
        serde_json::from_slice(&decode(payload)?).map_err(|_| fault("its payload is no certificate"))?;
    if certificate.v != 1 {
        return Err(fault("it is of a newer version"));
    }
    Ok((certificate, kid.to_owned()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::crypto::SigningKeys;

    fn keys(seed: u8) -> SigningKeys {
        SigningKeys::new([("k1", &[seed; 32])].into_iter()).unwrap()
    }

    fn certificate() -> Certificate {
        let end = |seq| LogEnd {
            seq,
            hash: "00".repeat(32),
        };
        Certificate {
            v: 1,
            customer_id: "cust_1".into(),
            asked_by: AskedBy {
                kind: "user".into(),
                id: "user_1".into(),
            },
            requested_at: "2026-01-01T00:00:00.000Z".into(),
            due_at: "2026-01-08T00:00:00.000Z".into(),
            erased_at: "2026-01-08T00:00:00.000Z".into(),
            completed_at: "2026-01-08T00:00:01.000Z".into(),
            destroyed: [("users".to_owned(), 2)].into_iter().collect(),
            kept: Vec::new(),
            not_reached: Vec::new(),
            audit: Log {
                before: end(1),
                after: end(3),
            },
            key_recoverable_until: "2026-02-07T00:00:01.000Z".into(),
        }
    }

    #[test]
    fn certificate_form_is_unchanged() {
        let jws = keys(7).certificate(&certificate()).unwrap();
        let parts: Vec<_> = jws.split('.').collect();
        let text = |part: &str| String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
        assert_eq!(
            text(parts[0]),
            r#"{"alg":"EdDSA","kid":"k1","typ":"user-api-erasure+json"}"#
        );
        assert_eq!(
            text(parts[1]),
            format!(
                r#"{{"v":1,"customerId":"cust_1","askedBy":{{"kind":"user","id":"user_1"}},"requestedAt":"2026-01-01T00:00:00.000Z","dueAt":"2026-01-08T00:00:00.000Z","erasedAt":"2026-01-08T00:00:00.000Z","completedAt":"2026-01-08T00:00:01.000Z","destroyed":{{"users":2}},"kept":[],"notReached":[],"audit":{{"before":{{"seq":1,"hash":"{0}"}},"after":{{"seq":3,"hash":"{0}"}}}},"keyRecoverableUntil":"2026-02-07T00:00:01.000Z"}}"#,
                "00".repeat(32)
            )
        );
    }

    #[test]
    fn a_certificate_opens_under_its_key_alone_bare_or_in_a_problem() {
        let jws = keys(7).certificate(&certificate()).unwrap();
        let opened = open(&jws, keys(7).public()).unwrap();
        assert_eq!(opened, (certificate(), "k1".to_owned()));
        let problem = json!({"code": "customer_erased", "certificate": jws}).to_string();
        assert_eq!(open(&problem, keys(7).public()).unwrap(), opened);
        assert!(open(&jws, keys(8).public()).is_err());
        for rubbish in ["", "{}", ".", "..", "a.b.c", "{\"certificate\": 1}"] {
            assert!(open(rubbish, keys(7).public()).is_err(), "{rubbish}");
        }
    }

    #[test]
    fn a_certificate_is_told_from_a_log() {
        let jws = keys(7).certificate(&certificate()).unwrap();
        assert!(is_meant(&jws) && is_meant(&format!("\n{jws}\n")));
        assert!(is_meant("{\"certificate\": 1}"));
        let entry = "{\"detail\":null,\"hash\":\"\",\"header\":{},\"salt\":null}\n";
        for other in ["", "PK", "{}", entry, &format!("{entry}{entry}")] {
            assert!(!is_meant(other), "{other}");
        }
    }

    #[test]
    fn every_flipped_bit_of_a_certificate_is_found() {
        let keys = keys(7);
        let jws = keys.certificate(&certificate()).unwrap();
        for at in 0..jws.len() {
            for bit in 0..8 {
                let mut bytes = jws.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                if let Ok(flipped) = String::from_utf8(bytes) {
                    let opened = open(&flipped, keys.public());
                    assert!(opened.is_err() || flipped.trim() == jws, "byte {at} bit {bit}");
                }
            }
        }
    }
}
