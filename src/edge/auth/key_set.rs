//! A JWK set (RFC 7517 section 5) of public keys. Keys that we cannot use are skipped, as section 5 asks; a set
//! that is too large or is none is refused whole.

use super::key::{Algorithm, VerifyingKey};
use super::reason::Reason;
use super::token::UnverifiedToken;
use crate::json;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;

/// The largest set in bytes.
pub const MAX_SET_BYTES: usize = 65_536;
/// The most keys of a set, usable or not.
pub const MAX_SET_KEYS: usize = 32;
/// The most keys that one token is tried against, which bounds what a token without `kid` costs.
pub const MAX_TRIES: usize = 4;

/// Most tokens of which a set remembers that they are its own, in digests of 32 bytes; past that all are forgotten and
/// verified again.
pub const MAX_VERIFIED: usize = 4096;

/// The usable keys of a set.
#[derive(Clone, Default)]
pub struct KeySet {
    keys: Vec<(Option<String>, VerifyingKey)>,
    /// Digests of tokens that a key of this set has signed. A public key's signature takes a few hundred microseconds
    /// to verify, and a token comes many times. It is remembered in the set itself, so that it is forgotten with the
    /// keys; what passes with time, and everything else that a token claims, is looked at each time.
    verified: RefCell<HashSet<[u8; 32]>>,
}

/// What we read of a JWK. Where a member has another type the key is none of ours.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    r#use: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    /// The keys of a set: RSA of 2048 to 4096 bits, P-256 and Ed25519, for signatures.
    ///
    /// # Errors
    /// What makes the bytes no acceptable set, in words fit for a log.
    pub fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        if bytes.len() > MAX_SET_BYTES {
            return Err("larger than 65536 bytes");
        }
        let set: Value = serde_json::from_slice(bytes).map_err(|_| "not JSON")?;
        let keys = set
            .get("keys")
            .and_then(Value::as_array)
            .ok_or("no `keys` array")?;
        if keys.len() > MAX_SET_KEYS {
            return Err("more than 32 keys");
        }
        Ok(Self {
            keys: keys.iter().filter_map(usable).collect(),
            verified: RefCell::default(),
        })
    }

    /// The claims of a token that a key of this set signed.
    ///
    /// # Errors
    /// As [`UnverifiedToken::verify`].
    pub fn verify(&self, token: &UnverifiedToken<'_>) -> Result<Map<String, Value>, Reason> {
        let digest = token.digest();
        if self.verified.borrow().contains(&digest) {
            return token.claims();
        }
        let claims = token.verify(self.candidates(token.kid.as_deref(), token.algorithm))?;
        let mut verified = self.verified.borrow_mut();
        if verified.len() >= MAX_VERIFIED {
            verified.clear();
        }
        verified.insert(digest);
        Ok(claims)
    }

    /// Whether it is remembered that a key of this set signed the token of this digest.
    #[must_use]
    pub fn has_verified(&self, digest: &[u8; 32]) -> bool {
        self.verified.borrow().contains(digest)
    }

    /// Of how many tokens it is remembered that they are of this set.
    #[must_use]
    pub fn remembered(&self) -> usize {
        self.verified.borrow().len()
    }

    /// True where no key is usable.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Number of usable keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// The keys of this algorithm that a token with this `kid` may be signed by, at most [`MAX_TRIES`]: those of
    /// exactly that id, or where the token names none, all.
    pub fn candidates(&self, kid: Option<&str>, algorithm: Algorithm) -> impl Iterator<Item = &VerifyingKey> {
        self.keys
            .iter()
            .filter(move |(id, key)| key.algorithm() == algorithm && (kid.is_none() || id.as_deref() == kid))
            .map(|(_, key)| key)
            .take(MAX_TRIES)
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeySet({} keys)", self.keys.len())
    }
}

fn usable(value: &Value) -> Option<(Option<String>, VerifyingKey)> {
    let jwk: Jwk = json::read(&json::to_bytes(value).ok()?).ok()?;
    let signs = jwk.r#use.as_deref().is_none_or(|purpose| purpose == "sig");
    let verifies = jwk
        .key_ops
        .as_ref()
        .is_none_or(|ops| ops.iter().any(|op| op == "verify"));
    if !signs || !verifies {
        return None;
    }
    let key = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
        ("RSA", _) => VerifyingKey::rs256(&decode(jwk.n.as_deref()?)?, &decode(jwk.e.as_deref()?)?),
        ("EC", Some("P-256")) => {
            VerifyingKey::es256(&decode32(jwk.x.as_deref()?)?, &decode32(jwk.y.as_deref()?)?)
        }
        ("OKP", Some("Ed25519")) => VerifyingKey::ed25519(&decode32(jwk.x.as_deref()?)?),
        _ => None,
    }?;
    // A key meant for another algorithm, such as an RSA key for PS256, is not ours to use (RFC 8725 section 3.1).
    let meant = jwk
        .alg
        .as_deref()
        .is_none_or(|alg| Algorithm::parse(alg) == Some(key.algorithm()));
    meant.then_some((jwk.kid, key))
}

fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

fn decode32(text: &str) -> Option<[u8; 32]> {
    decode(text)?.try_into().ok()
}
