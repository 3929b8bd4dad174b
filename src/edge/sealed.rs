//! Responses that only the caller can open, form 4 (`docs/FORMATS.md`, "Sealed response"): XChaCha20-Poly1305
//! (draft-irtf-cfrg-xchacha-03) under a key that HKDF-SHA256 (RFC 5869) makes of the credential's text and a random
//! salt. Keeps what reads along behind TLS (proxies, logs, caches) from the body, nobody from it who holds the
//! credential. Status, media type and request id are bound to it, so no answer can be passed off as another.

use crate::edge::settings::ResponseEncryption;
use crate::entropy::{Entropy, random};
use crate::error::{Code, Error, Result};
use crate::json;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hkdf::Hkdf;
#[cfg(not(target_arch = "wasm32"))]
use serde::Deserialize;
use serde::Serialize;
use sha2::Sha256;
use user_api_cipher::Cipher;

/// The request header that asks for it; its value is `1`.
pub const ASKING_HEADER: &str = "X-Encrypt-Response";
/// The header of a sealed response; its value is `true`.
pub const SEALED_HEADER: &str = "X-Encrypted";
/// Longest body that is sealed, in bytes. Every answer of an object is far below it.
pub const MAX_SEALED_BODY_BYTES: usize = 8 * 1024 * 1024;
/// What the key is for.
const INFO: &[u8] = b"user-api/sealed-response/v4";

/// The document that is sent in place of the body.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sealed<'a> {
    version: u8,
    encrypted: bool,
    algorithm: &'static str,
    kdf: &'static str,
    salt: String,
    nonce: String,
    content_type: &'a str,
    request_id: &'a str,
    data: String,
}

/// What is bound to the body.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// The status of the response.
    pub status: u16,
    /// The media type of what is sealed.
    pub content_type: &'a str,
    /// `X-Request-Id` of the response.
    pub request_id: &'a str,
}

impl Frame<'_> {
    /// The additional data of the seal.
    fn bound(&self) -> String {
        format!("v4|{}|{}|{}", self.status, self.content_type, self.request_id)
    }
}

/// Whether the responses to a request are to be sealed.
///
/// # Errors
/// `malformed_request` for a value that is neither `1` nor `0`: whoever asked must not get an open answer unawares.
pub fn is_wanted(mode: ResponseEncryption, asked: Option<&str>) -> Result<bool> {
    match (mode, asked.map(str::trim)) {
        (ResponseEncryption::Required, _) => Ok(true),
        (ResponseEncryption::Off, _) | (ResponseEncryption::OnRequest, None | Some("0")) => Ok(false),
        (ResponseEncryption::OnRequest, Some("1")) => Ok(true),
        (ResponseEncryption::OnRequest, Some(_)) => Err(Error::new(
            Code::MalformedRequest,
            "X-Encrypt-Response must be 1, or left out.",
        )),
    }
}

/// Whether this response is one of those that are never sealed, whatever was asked: without credential (401) or
/// body, the stream of an export, and the refusal that tells a caller by cookie that it cannot open any.
#[must_use]
pub fn is_open(status: u16, content_type: Option<&str>, code: Option<Code>) -> bool {
    let is_document = matches!(
        content_type,
        Some("application/json" | "application/problem+json")
    );
    matches!(status, 204 | 304 | 401) || !is_document || code == Some(Code::EncryptionRequired)
}

/// The body that is sent instead of `plain`, for the holder of `credential`: the compact token, or the key's text.
///
/// # Errors
/// `internal_error` if there is no entropy.
pub fn seal(credential: &str, frame: Frame<'_>, plain: &[u8], entropy: &mut dyn Entropy) -> Result<Vec<u8>> {
    let salt: [u8; 32] = random(entropy)?;
    let nonce: [u8; 24] = random(entropy)?;
    let key = key(credential, &salt)?;
    let bound = frame.bound();
    let data = Cipher::new(&key)
        .seal(&nonce, bound.as_bytes(), plain)
        .ok_or_else(|| Error::fault("a response cannot be sealed"))?;
    json::to_bytes(&Sealed {
        version: 4,
        encrypted: true,
        algorithm: "XChaCha20-Poly1305",
        kdf: "HKDF-SHA256",
        salt: STANDARD.encode(salt),
        nonce: STANDARD.encode(nonce),
        content_type: frame.content_type,
        request_id: frame.request_id,
        data: STANDARD.encode(data),
    })
}

/// The key of one response.
fn key(credential: &str, salt: &[u8]) -> Result<[u8; 32]> {
    let mut key = [0; 32];
    Hkdf::<Sha256>::new(Some(salt), credential.as_bytes())
        .expand(INFO, &mut key)
        .map_err(|_| Error::fault("the key of a response"))?;
    Ok(key)
}

/// What of a sealed document is needed to open it; the rest is bound to it.
#[cfg(not(target_arch = "wasm32"))]
#[derive(Deserialize)]
struct Closed {
    version: u8,
    salt: String,
    nonce: String,
    data: String,
}

/// The body that was sealed for the holder of `credential`, as the companion reads it; None where it was sealed for
/// another, in another frame, or was changed.
#[cfg(not(target_arch = "wasm32"))]
#[must_use]
pub fn open(credential: &str, frame: Frame<'_>, document: &[u8]) -> Option<Vec<u8>> {
    let closed: Closed = json::read(document).ok()?;
    let bytes = |text: &str| STANDARD.decode(text).ok();
    let nonce: [u8; 24] = bytes(&closed.nonce)?.try_into().ok()?;
    if closed.version != 4 {
        return None;
    }
    let key = key(credential, &bytes(&closed.salt)?).ok()?;
    let (data, bound) = (bytes(&closed.data)?, frame.bound());
    Cipher::new(&key).open(&nonce, bound.as_bytes(), &data)
}

#[cfg(all(test, not(target_arch = "wasm32")))]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// Gives the bytes that it was made with.
    struct Fixed(Vec<u8>);

    impl Entropy for Fixed {
        fn fill(&mut self, out: &mut [u8]) -> Result<()> {
            let rest = self.0.split_off(out.len());
            out.copy_from_slice(&std::mem::replace(&mut self.0, rest));
            Ok(())
        }
    }

    /// Made by another implementation (`tests/data/make-sealed.mjs`); the TypeScript client opens the same.
    const VECTORS: &str = include_str!("../../tests/data/sealed-v4.json");

    #[test]
    fn sealed_form_is_unchanged_and_that_of_another_implementation() {
        let vectors: Vec<Value> = serde_json::from_str(VECTORS).unwrap();
        assert!(vectors.len() >= 3);
        for vector in vectors {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let bytes = |value: &Value| STANDARD.decode(value.as_str().unwrap()).unwrap();
            let sealed = &vector["sealed"];
            let frame = Frame {
                status: u16::try_from(vector["status"].as_u64().unwrap()).unwrap(),
                content_type: &text(&sealed["contentType"]),
                request_id: &text(&sealed["requestId"]),
            };
            let mut entropy = Fixed([bytes(&sealed["salt"]), bytes(&sealed["nonce"])].concat());
            let plain = text(&vector["plaintext"]);
            let made = seal(&text(&vector["token"]), frame, plain.as_bytes(), &mut entropy).unwrap();
            assert_eq!(serde_json::from_slice::<Value>(&made).unwrap(), *sealed);
            assert_eq!(
                open(&text(&vector["token"]), frame, &made).unwrap(),
                plain.as_bytes()
            );
            assert_eq!(open("another", frame, &made), None);
            assert_eq!(
                open(&text(&vector["token"]), Frame { status: 418, ..frame }, &made),
                None
            );
        }
    }

    #[test]
    fn only_the_operator_switches_it_off() {
        for asked in [None, Some("0"), Some("1"), Some("no"), Some("")] {
            assert!(
                is_wanted(ResponseEncryption::Required, asked).unwrap(),
                "{asked:?}"
            );
            assert!(!is_wanted(ResponseEncryption::Off, asked).unwrap(), "{asked:?}");
        }
        assert!(is_wanted(ResponseEncryption::OnRequest, Some("1")).unwrap());
        assert!(!is_wanted(ResponseEncryption::OnRequest, None).unwrap());
        for odd in ["true", "yes", "1, 1", ""] {
            assert!(
                is_wanted(ResponseEncryption::OnRequest, Some(odd)).is_err(),
                "{odd}"
            );
        }
    }

    #[test]
    fn bodiless_unauthenticated_and_streamed_responses_stay_open() {
        let json = Some("application/json");
        let problem = Some("application/problem+json");
        assert!(!is_open(200, json, None) && !is_open(429, problem, Some(Code::QuotaExceeded)));
        assert!(is_open(401, problem, Some(Code::TokenExpired)));
        assert!(is_open(204, None, None) && is_open(304, None, None));
        assert!(is_open(200, Some("application/zip"), None));
        assert!(is_open(403, problem, Some(Code::EncryptionRequired)));
    }
}
