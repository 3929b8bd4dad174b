//! What a customer's object asks of its vault, and what it hears: JSON in one header each way, versioned and
//! bounded. A vault that meets a newer version answers 503, so a rolling deployment loses nothing.

use crate::crypto::Wrapped;
use crate::error::{Code, Error, Result};
use crate::json;
use crate::types::CustomerId;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The header that carries the call, and the answer.
pub const HEADER: &str = "x-user-api-vault";
/// The version that this code writes and the newest that it reads.
const VERSION: u32 = 1;
/// Longest call or answer, in bytes.
pub const MAX_BYTES: usize = 1024;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Errand {
    /// What the vault holds.
    Look,
    /// Keeps this key unless it holds one.
    Create(#[serde(with = "text")] Wrapped),
    /// Keeps the same key under another wrapping, if this is the one it holds.
    Rewrap {
        /// The wrapping that it should hold.
        #[serde(with = "text")]
        from: Wrapped,
        /// The one to keep instead.
        #[serde(with = "text")]
        to: Wrapped,
    },
    /// Forgets everything.
    DeleteAll,
}

/// An errand for one customer's vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Call {
    /// Whose vault this is meant for; the vault compares it with its own name.
    pub customer: CustomerId,
    /// What is asked.
    pub errand: Errand,
}

/// What a vault holds after an errand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// The wrapped key, if there is one.
    #[serde(with = "text_or_null")]
    pub wrapped: Option<Wrapped>,
}

impl Call {
    /// The header's value.
    ///
    /// # Errors
    /// `internal_error`, in practice never.
    pub fn encode(&self) -> Result<String> {
        encode(self)
    }

    /// Reads the header's value.
    ///
    /// # Errors
    /// `unavailable` for a newer version, `internal_error` for anything that [`Call::encode`] did not write.
    pub fn decode(header: &str) -> Result<Self> {
        decode(header)
    }
}

impl Held {
    /// The header's value.
    ///
    /// # Errors
    /// `internal_error`, in practice never.
    pub fn encode(&self) -> Result<String> {
        encode(self)
    }

    /// Reads the header's value.
    ///
    /// # Errors
    /// As [`Call::decode`].
    pub fn decode(header: &str) -> Result<Self> {
        decode(header)
    }
}

fn encode(content: &impl Serialize) -> Result<String> {
    // Ids and base64url: nothing here is outside printable ASCII.
    let json =
        serde_json::to_string(content).map_err(|_| Error::fault("a vault's call does not serialise"))?;
    Ok(format!("{VERSION} {json}"))
}

fn decode<T: serde::de::DeserializeOwned>(header: &str) -> Result<T> {
    let malformed = || Error::fault("a vault's call is malformed");
    if header.len() > MAX_BYTES {
        return Err(malformed());
    }
    let (version, json) = header.split_once(' ').ok_or_else(malformed)?;
    let version: u32 = version.parse().map_err(|_| malformed())?;
    if version > VERSION {
        let error = Error::new(Code::Unavailable, "The service is being updated.");
        return Err(error.because("a vault's call of a newer version"));
    }
    json::read(json.as_bytes()).map_err(|_| malformed())
}

fn parse<E: serde::de::Error>(text: &str) -> Result<Wrapped, E> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok();
    let wrapped = bytes.and_then(|bytes| Wrapped::parse(&bytes));
    wrapped.ok_or_else(|| E::custom("not a wrapped key"))
}

mod text {
    use super::{Deserialize, Deserializer, Engine, Serializer, URL_SAFE_NO_PAD, Wrapped, parse};

    pub fn serialize<S: Serializer>(wrapped: &Wrapped, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(wrapped.as_bytes()))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Wrapped, D::Error> {
        parse(&String::deserialize(deserializer)?)
    }
}

mod text_or_null {
    use super::{Deserialize, Deserializer, Serializer, Wrapped, parse, text};

    pub fn serialize<S: Serializer>(wrapped: &Option<Wrapped>, serializer: S) -> Result<S::Ok, S::Error> {
        match wrapped {
            Some(wrapped) => text::serialize(wrapped, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Wrapped>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| parse(&text)).transpose()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn wrapped(byte: u8) -> Wrapped {
        Wrapped::parse(&[byte; 77]).unwrap()
    }

    fn call(errand: Errand) -> Call {
        Call {
            customer: CustomerId::parse("cust_1").unwrap(),
            errand,
        }
    }

    #[test]
    fn form_is_unchanged() {
        let zeros = "A".repeat(103);
        let create = call(Errand::Create(wrapped(0))).encode().unwrap();
        assert_eq!(
            create,
            format!(r#"1 {{"customer":"cust_1","errand":{{"create":"{zeros}"}}}}"#)
        );
        assert_eq!(
            call(Errand::Look).encode().unwrap(),
            r#"1 {"customer":"cust_1","errand":"look"}"#
        );
        assert_eq!(Held { wrapped: None }.encode().unwrap(), r#"1 {"wrapped":null}"#);
    }

    #[test]
    fn what_was_encoded_is_decoded() {
        let rewrap = Errand::Rewrap {
            from: wrapped(1),
            to: wrapped(2),
        };
        for errand in [
            Errand::Look,
            Errand::Create(wrapped(255)),
            rewrap,
            Errand::DeleteAll,
        ] {
            let call = call(errand);
            assert_eq!(Call::decode(&call.encode().unwrap()).unwrap(), call);
        }
        for wrapped in [None, Some(wrapped(3))] {
            let held = Held { wrapped };
            assert_eq!(Held::decode(&held.encode().unwrap()).unwrap(), held);
        }
    }

    #[test]
    fn a_newer_version_is_answered_503_and_rubbish_500() {
        assert_eq!(Call::decode("2 {}").unwrap_err().code, Code::Unavailable);
        let short = r#"1 {"customer":"cust_1","errand":{"create":"AAAA"}}"#;
        for header in ["", "1", "1 {}", "x {}", "1 []", short, &"1".repeat(MAX_BYTES + 1)] {
            assert_eq!(Call::decode(header).unwrap_err().code, Code::InternalError);
        }
        assert_eq!(Held::decode("1 {}").unwrap_err().code, Code::InternalError);
    }
}
