//! A JWS in compact serialization (RFC 7515 section 7.1), taken apart but not yet believed. Its header chooses
//! among our keys and does nothing else: `jku`, `x5u`, `jwk` and `x5c` are not even looked at.

use super::key::{Algorithm, VerifyingKey};
use super::reason::Reason;
use crate::json::parse_object;
use crate::verify::chain::hex;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// The largest token in bytes.
pub const MAX_TOKEN_BYTES: usize = 8192;
/// The longest `kid` in bytes.
const MAX_KID_BYTES: usize = 255;

/// A token whose header was read and whose signature was not verified yet.
pub struct UnverifiedToken<'a> {
    signing_input: &'a [u8],
    payload: &'a str,
    signature: &'a str,
    /// The algorithm that the token claims; a key of another one will not be asked.
    pub algorithm: Algorithm,
    /// The key that the token names.
    pub kid: Option<String>,
}

impl<'a> UnverifiedToken<'a> {
    /// Takes a token apart: at most 8 KiB, exactly three segments, a strict header.
    ///
    /// # Errors
    /// Why it is none that we could verify.
    pub fn parse(token: &'a str) -> Result<Self, Reason> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Reason::TokenTooLarge);
        }
        let (signing_input, signature) = token.rsplit_once('.').ok_or(Reason::MalformedToken)?;
        let (header, payload) = signing_input.split_once('.').ok_or(Reason::MalformedToken)?;
        if payload.contains('.') {
            return Err(Reason::MalformedToken);
        }
        let header = decode(header).ok_or(Reason::MalformedToken)?;
        let header = parse_object(&header).map_err(|_| Reason::MalformedHeader)?;
        // The order of the checks: what the token is, then whether we could verify it.
        if header.contains_key("crit") {
            return Err(Reason::CriticalHeader);
        }
        check_type(&header)?;
        let algorithm = header
            .get("alg")
            .and_then(Value::as_str)
            .ok_or(Reason::MalformedHeader)?;
        let algorithm = Algorithm::parse(algorithm).ok_or(Reason::UnsupportedAlgorithm)?;
        let kid = kid(&header)?;
        Ok(Self {
            signing_input: signing_input.as_bytes(),
            payload,
            signature,
            algorithm,
            kid,
        })
    }

    /// The claims, if one of the keys signed them.
    ///
    /// # Errors
    /// `bad_signature`, or what is wrong with the segments.
    pub fn verify<'k>(
        &self,
        keys: impl Iterator<Item = &'k VerifyingKey>,
    ) -> Result<Map<String, Value>, Reason> {
        // An older issuer left `/` of base64 unreplaced, in signatures of its HS256 tokens only.
        let signature = match self.algorithm {
            Algorithm::Hs256 if self.signature.contains('/') => Cow::Owned(self.signature.replace('/', "_")),
            _ => Cow::Borrowed(self.signature),
        };
        let signature = decode(&signature).ok_or(Reason::MalformedToken)?;
        let mut keys = keys.filter(|key| key.algorithm() == self.algorithm);
        if !keys.any(|key| key.verify(self.signing_input, &signature)) {
            return Err(Reason::BadSignature);
        }
        self.claims()
    }

    /// What it claims, whoever signed it.
    ///
    /// # Errors
    /// `malformed_payload` where it is no JSON object, or none without repeated names.
    pub(super) fn claims(&self) -> Result<Map<String, Value>, Reason> {
        let payload = decode(self.payload).ok_or(Reason::MalformedPayload)?;
        parse_object(&payload).map_err(|_| Reason::MalformedPayload)
    }

    /// What tells it from every other token, signature included.
    pub(super) fn digest(&self) -> [u8; 32] {
        Sha256::new()
            .chain_update(self.signing_input)
            .chain_update(b".")
            .chain_update(self.signature)
            .finalize()
            .into()
    }
}

impl UnverifiedToken<'_> {
    /// By which hashes the older service's denylist may know this token: hex SHA-256 of the compact token in lower
    /// case. Since `/` and `_` in the signature of an HS256 token mean the same here, a signature that holds one of
    /// them has two spellings, and whoever holds a revoked token could present the other one: both are looked for.
    /// (That service wrote all of them alike, so there is no third.) Any other token has the one spelling that
    /// verifies.
    #[must_use]
    pub fn legacy_hashes(&self) -> Vec<String> {
        let mut spellings = match self.algorithm {
            Algorithm::Hs256 => vec![self.signature.replace('_', "/"), self.signature.replace('/', "_")],
            _ => vec![self.signature.to_owned()],
        };
        spellings.dedup();
        spellings
            .into_iter()
            .map(|signature| {
                let digest = Sha256::new()
                    .chain_update(self.signing_input.to_ascii_lowercase())
                    .chain_update(b".")
                    .chain_update(signature.to_ascii_lowercase())
                    .finalize();
                hex(&digest)
            })
            .collect()
    }
}

/// RFC 7515 section 4.1.9: media type names compare without case, and `application/` may be left out.
fn check_type(header: &Map<String, Value>) -> Result<(), Reason> {
    let Some(typ) = header.get("typ") else {
        return Ok(());
    };
    let typ = typ.as_str().ok_or(Reason::MalformedHeader)?.to_ascii_lowercase();
    match typ.strip_prefix("application/").unwrap_or(&typ) {
        "jwt" | "at+jwt" => Ok(()),
        "id+jwt" => Err(Reason::IdToken),
        _ => Err(Reason::WrongType),
    }
}

fn kid(header: &Map<String, Value>) -> Result<Option<String>, Reason> {
    match header.get("kid") {
        None => Ok(None),
        Some(Value::String(kid)) if kid.len() <= MAX_KID_BYTES => Ok(Some(kid.clone())),
        Some(_) => Err(Reason::MalformedHeader),
    }
}

/// Base64url without padding, stray bits or white space (RFC 7515 section 2): each value has one spelling.
fn decode(segment: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(segment).ok()
}
