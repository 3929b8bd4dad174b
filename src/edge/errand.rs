//! How an errand travels to an object of ours and its answer back: JSON in the body, its version in a header, bounded
//! both ways. Objects are reached through bindings alone, so nobody else can send one.

use crate::edge::problem;
use crate::edge::reply::{Answer, Caching};
use crate::error::{Code, Error, Result};
use crate::json;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The header that marks an errand and carries its version.
pub const HEADER: &str = "x-user-api-errand";
/// The version that this code writes and the newest that it reads.
pub const VERSION: u32 = 1;
/// Longest errand and longest answer, in bytes: a body of the largest size, written anew as JSON, and what is around it.
pub const MAX_BYTES: usize = 1024 * 1024;

/// The body of an errand or of its answer.
///
/// # Errors
/// `internal_error` if it would be too long.
pub fn encode<T: Serialize>(content: &T) -> Result<Vec<u8>> {
    let bytes = serde_json::to_vec(content).map_err(|_| Error::fault("an errand does not serialise"))?;
    if bytes.len() > MAX_BYTES {
        return Err(Error::fault("an errand is too long"));
    }
    Ok(bytes)
}

/// Reads an errand.
///
/// # Errors
/// `unavailable` for a newer version, `internal_error` for anything that [`encode`] did not write.
pub fn decode<T: DeserializeOwned>(version: &str, body: &[u8]) -> Result<T> {
    let version: u32 = version
        .parse()
        .map_err(|_| Error::fault("malformed errand: version"))?;
    if version > VERSION {
        let error = Error::new(Code::Unavailable, "The service is being updated.");
        return Err(error.because("an errand of a newer version"));
    }
    json::read(body).map_err(|_| Error::fault("malformed errand"))
}

/// The answer as the object sends it.
#[must_use]
pub fn reply<T: Serialize>(answer: &Result<T>) -> Answer {
    let encoded = answer.as_ref().map_err(Clone::clone).and_then(encode);
    match encoded {
        Ok(bytes) => Answer::document(200, "application/json", bytes, Caching::Never),
        Err(error) => Answer {
            code: Some(error.code),
            ..Answer::document(
                error.code.status(),
                problem::MEDIA_TYPE,
                Vec::new(),
                Caching::Never,
            )
        },
    }
}

/// Reads what the object answered.
///
/// # Errors
/// The object's own error by its code, or `internal_error` for what is no answer.
pub fn read_reply<T: DeserializeOwned>(status: u16, code: Option<Code>, body: &[u8]) -> Result<T> {
    match (status, code) {
        (200, _) => json::read(body).map_err(|_| Error::fault("malformed answer to an errand")),
        (_, Some(code)) => Err(Error::new(code, code.title()).because("answered by an object")),
        _ => Err(Error::fault("an errand was answered without a code")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::customer::errand;
    use crate::directory::claims::Claim;
    use crate::directory::errand::{Answer as Kept, Errand, What};
    use crate::email::EmailIndex;
    use crate::types::CustomerId;

    fn id() -> CustomerId {
        CustomerId::parse("cust_1").unwrap()
    }

    #[test]
    fn forms_are_unchanged() {
        let index = EmailIndex::new([255; 32]);
        let text = "__________________________________________8";
        let claim = Errand {
            shards: 16,
            what: What::Claim {
                index,
                candidate: id(),
                attempt: 0,
            },
        };
        let written = format!(
            r#"{{"shards":16,"what":{{"claim":{{"index":"{text}","candidate":"cust_1","attempt":0}}}}}}"#
        );
        assert_eq!(encode(&claim).unwrap(), written.as_bytes());
        assert_eq!(decode::<Errand>("1", written.as_bytes()).unwrap(), claim);
        let answer = Kept::Claim(Some(Claim {
            holder: id(),
            attempt: 2,
        }));
        let written = br#"{"claim":{"holder":"cust_1","attempt":2}}"#;
        assert_eq!(reply(&Ok(&answer)).body, written);
        assert_eq!(read_reply::<Kept>(200, None, written).unwrap(), answer);
        let bind = errand::Errand {
            customer: id(),
            what: errand::What::Bind {
                index,
                target: id(),
                instead_of: None,
            },
        };
        let written =
            format!(r#"{{"customer":"cust_1","what":{{"bind":{{"index":"{text}","target":"cust_1"}}}}}}"#);
        assert_eq!(encode(&bind).unwrap(), written.as_bytes());
        let standing = errand::Answer::Is(errand::Standing::Customer { holds: true });
        assert_eq!(
            encode(&standing).unwrap(),
            br#"{"is":{"customer":{"holds":true}}}"#
        );
    }

    #[test]
    fn an_error_comes_back_under_its_code_and_rubbish_is_a_fault() {
        let answer = reply::<Kept>(&Err(Error::new(Code::NotReady, "x")));
        assert_eq!((answer.status, answer.code), (503, Some(Code::NotReady)));
        let back = read_reply::<Kept>(answer.status, answer.code, &answer.body).unwrap_err();
        assert_eq!(back.code, Code::NotReady);
        assert_eq!(decode::<Errand>("2", b"{}").unwrap_err().code, Code::Unavailable);
        for (version, body) in [("1", &b"{}"[..]), ("x", b"{}"), ("", b""), ("1", b"[")] {
            assert_eq!(
                decode::<Errand>(version, body).unwrap_err().code,
                Code::InternalError
            );
        }
        assert_eq!(
            read_reply::<Kept>(502, None, b"").unwrap_err().code,
            Code::InternalError
        );
        assert_eq!(
            read_reply::<Kept>(200, None, b"{").unwrap_err().code,
            Code::InternalError
        );
    }
}
