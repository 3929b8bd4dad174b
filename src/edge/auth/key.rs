//! A key that verifies signatures, made ready once. The algorithm is a property of the key, never of the token
//! (RFC 8725 section 3.1): there is no way to ask an RSA key to verify an HMAC. Why the RustCrypto crates are
//! called directly: `docs/adr/0002-verify-tokens-with-rustcrypto-directly.md`.

use hmac::{Hmac, Mac};
use sha2::Sha256;
use signature::Verifier;

/// The smallest RSA modulus in bits (RFC 7518 section 3.3).
pub const MIN_RSA_BITS: usize = 2048;
/// The largest RSA modulus in bits: verifying costs its square, and any caller can make us verify.
pub const MAX_RSA_BITS: usize = 4096;

/// The algorithms of RFC 7518 section 3.1 and RFC 8037 section 3.1 that are accepted; `none` is not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC with SHA-256.
    Hs256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    /// The algorithm of that name (case-sensitive); `Ed25519` is the name that RFC 9864 section 2.2 gives to what
    /// `EdDSA` means here.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "HS256" => Some(Self::Hs256),
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            "EdDSA" | "Ed25519" => Some(Self::EdDsa),
            _ => None,
        }
    }
}

/// A verification key with its algorithm.
#[derive(Clone)]
pub enum VerifyingKey {
    /// The HMAC state after its key, so that no token pays for the key schedule.
    Hs256(Hmac<Sha256>),
    /// An RSA key of 2048 to 4096 bits.
    Rs256(Box<rsa::pkcs1v15::VerifyingKey<Sha256>>),
    /// A point on P-256.
    Es256(Box<p256::ecdsa::VerifyingKey>),
    /// A decompressed Ed25519 point.
    EdDsa(Box<ed25519_dalek::VerifyingKey>),
}

impl VerifyingKey {
    /// An HS256 key. None never happens: HMAC takes a key of any length.
    #[must_use]
    pub fn hs256(secret: &[u8]) -> Option<Self> {
        Hmac::new_from_slice(secret).ok().map(Self::Hs256)
    }

    /// An RS256 key from modulus and exponent, both big-endian (RFC 7518 section 6.3.1).
    #[must_use]
    pub fn rs256(n: &[u8], e: &[u8]) -> Option<Self> {
        if n.len() > MAX_RSA_BITS.div_euclid(8).saturating_add(1) || e.len() > 8 {
            return None;
        }
        let n = rsa::BigUint::from_bytes_be(n);
        if !(MIN_RSA_BITS..=MAX_RSA_BITS).contains(&n.bits()) {
            return None;
        }
        let key = rsa::RsaPublicKey::new(n, rsa::BigUint::from_bytes_be(e)).ok()?;
        Some(Self::Rs256(Box::new(rsa::pkcs1v15::VerifyingKey::new(key))))
    }

    /// An ES256 key from affine coordinates of 32 bytes each (RFC 7518 section 6.2.1); None off the curve.
    #[must_use]
    pub fn es256(x: &[u8; 32], y: &[u8; 32]) -> Option<Self> {
        let point = p256::EncodedPoint::from_affine_coordinates(x.into(), y.into(), false);
        p256::ecdsa::VerifyingKey::from_encoded_point(&point)
            .ok()
            .map(|key| Self::Es256(Box::new(key)))
    }

    /// An Ed25519 key (RFC 8037 section 2); None for what is no point, or one of small order, under which
    /// signatures prove nothing.
    #[must_use]
    pub fn ed25519(x: &[u8; 32]) -> Option<Self> {
        let key = ed25519_dalek::VerifyingKey::from_bytes(x)
            .ok()
            .filter(|key| !key.is_weak())?;
        Some(Self::EdDsa(Box::new(key)))
    }

    /// The one algorithm of this key.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Hs256(_) => Algorithm::Hs256,
            Self::Rs256(_) => Algorithm::Rs256,
            Self::Es256(_) => Algorithm::Es256,
            Self::EdDsa(_) => Algorithm::EdDsa,
        }
    }

    /// True where `signature` is this key's over `message`. An HMAC is compared in constant time.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Hs256(mac) => mac.clone().chain_update(message).verify_slice(signature).is_ok(),
            Self::Rs256(key) => rsa::pkcs1v15::Signature::try_from(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Self::Es256(key) => p256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Self::EdDsa(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
        }
    }
}
