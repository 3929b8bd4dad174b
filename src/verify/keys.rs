//! The public halves of the signing keys: a JWK set (RFC 7517) of Ed25519 keys (RFC 8037).

use super::{Fault, Place, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, VerifyingKey};
use serde_json::{Value, json};

/// Most keys of a set.
pub const MAX_PUBLIC_KEYS: usize = 64;
/// Longest text of a set, in bytes.
pub const MAX_JWKS_BYTES: usize = 64 * 1024;

/// Keys by their id.
#[derive(Debug, Clone, Default)]
pub struct PublicKeys(Vec<(String, VerifyingKey)>);

impl PublicKeys {
    /// The keys in their order.
    #[must_use]
    pub fn new(keys: Vec<(String, VerifyingKey)>) -> Self {
        Self(keys)
    }

    /// Reads a JWK set. Keys of other kinds are passed over (RFC 7517 section 5).
    ///
    /// # Errors
    /// What is wrong with the set.
    pub fn parse(jwks: &[u8]) -> Result<Self> {
        let fault = |what: &str| Fault::new(Place::Keys, what);
        if jwks.len() > MAX_JWKS_BYTES {
            return Err(fault("the file is too large for a key set"));
        }
        let set: Value = serde_json::from_slice(jwks).map_err(|_| fault("they are no JSON"))?;
        let list = set.get("keys").and_then(Value::as_array);
        let list = list.ok_or_else(|| fault("they are no JWK set (RFC 7517)"))?;
        let mut keys = Vec::new();
        for key in list.iter().take(MAX_PUBLIC_KEYS) {
            let text = |name: &str| key.get(name).and_then(Value::as_str).unwrap_or_default();
            if text("kty") != "OKP" || text("crv") != "Ed25519" {
                continue;
            }
            let bytes = URL_SAFE_NO_PAD.decode(text("x")).ok();
            let bytes = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
            let public = bytes.and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok());
            let public = public.ok_or_else(|| fault("one of them is no Ed25519 key"))?;
            keys.push((text("kid").to_owned(), public));
        }
        if keys.is_empty() {
            return Err(fault("the set holds no Ed25519 key"));
        }
        Ok(Self(keys))
    }

    /// The JWK set.
    #[must_use]
    pub fn to_jwks(&self) -> Value {
        let keys: Vec<_> = self
            .0
            .iter()
            .map(|(kid, public)| {
                let x = URL_SAFE_NO_PAD.encode(public.as_bytes());
                json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid, "use": "sig", "alg": "EdDSA"})
            })
            .collect();
        json!({"keys": keys})
    }

    /// All keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &VerifyingKey)> {
        self.0.iter().map(|(kid, public)| (kid.as_str(), public))
    }

    /// Whether the key named `kid` made this signature, by the strict rules (no small-order keys, no second form of
    /// a signature).
    #[must_use]
    pub fn holds(&self, kid: &str, message: &[u8], signature: &[u8; 64]) -> bool {
        let signature = Signature::from_bytes(signature);
        self.iter()
            .any(|(known, public)| known == kid && public.verify_strict(message, &signature).is_ok())
    }
}
