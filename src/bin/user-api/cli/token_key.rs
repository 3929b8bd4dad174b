//! Asymmetric keys that sign tokens, as a login service would hold them. The service itself only ever sees
//! the public half, as a JWK (RFC 7517) in its `JWKS` setting.

use super::failure::{Failure, Result};
use super::random;
use clap::ValueEnum;
use ed25519_dalek::pkcs8::KeypairBytes;
use jsonwebtoken::jwk::{Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey};
use p256::pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding};
use rsa::RsaPrivateKey;

/// RFC 7518 section 3.3: no less than 2048 bits.
const RSA_BITS: usize = 2048;

/// An asymmetric algorithm that the service accepts (RFC 7518 section 3.1, RFC 8037).
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KeyAlg {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    #[value(name = "RS256")]
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    #[value(name = "ES256")]
    Es256,
    /// EdDSA on Ed25519.
    #[value(name = "EdDSA")]
    EdDsa,
}

impl KeyAlg {
    /// The `alg` of tokens that such a key signs.
    pub const fn algorithm(self) -> Algorithm {
        match self {
            Self::Rs256 => Algorithm::RS256,
            Self::Es256 => Algorithm::ES256,
            Self::EdDsa => Algorithm::EdDSA,
        }
    }

    /// The signing key in a PKCS#8 PEM. The error says nothing of the text, which may be secret.
    ///
    /// # Errors
    /// The text is no private key for this algorithm.
    pub fn read_pem(self, pem: &[u8]) -> Result<EncodingKey> {
        let no_key = || {
            let alg = self.algorithm();
            Failure::failed(format!(
                "is not a private key for {alg:?} in PEM (PKCS#8, unencrypted)"
            ))
        };
        let key = match self {
            Self::Rs256 => EncodingKey::from_rsa_pem(pem),
            Self::Es256 => EncodingKey::from_ec_pem(pem),
            Self::EdDsa => return read_ed25519(pem).ok_or_else(no_key),
        };
        // Making the public half parses the key, which the constructors above do not.
        let checked = key.and_then(|key| Jwk::from_encoding_key(&key, self.algorithm()).map(|_| key));
        checked.map_err(|_| no_key())
    }

    /// A new private key, PKCS#8 in PEM (RFC 5958, RFC 7468).
    ///
    /// # Errors
    /// The system's random generator fails.
    pub fn generate(self) -> Result<String> {
        let pem = match self {
            Self::Rs256 => RsaPrivateKey::new(&mut random::generator()?, RSA_BITS)
                .map_err(|error| Failure::failed(format!("cannot make an RSA key: {error}")))?
                .to_pkcs8_pem(LineEnding::LF),
            Self::Es256 => p256::SecretKey::random(&mut random::generator()?).to_pkcs8_pem(LineEnding::LF),
            // Without the public half in it: not every reader knows the newer form that has it.
            Self::EdDsa => KeypairBytes {
                secret_key: random::bytes()?,
                public_key: None,
            }
            .to_pkcs8_pem(LineEnding::LF),
        };
        let pem = pem.map_err(|error| Failure::failed(format!("cannot write the key as PEM: {error}")))?;
        Ok(pem.to_string())
    }
}

/// Both forms of RFC 5958 are in use, without and with the public half. jsonwebtoken signs with either, but
/// takes the public half out of the first only.
fn read_ed25519(pem: &[u8]) -> Option<EncodingKey> {
    let pair = KeypairBytes::from_pkcs8_pem(std::str::from_utf8(pem).ok()?).ok()?;
    let bare = KeypairBytes {
        secret_key: pair.secret_key,
        public_key: None,
    };
    Some(EncodingKey::from_ed_der(bare.to_pkcs8_der().ok()?.as_bytes()))
}

/// The public half of a signing key. Its `kid` is the one given, else the key's thumbprint (RFC 7638).
///
/// # Errors
/// The key is not for that algorithm.
pub fn public_jwk(key: &EncodingKey, alg: KeyAlg, kid: Option<&str>) -> Result<Jwk> {
    let no_key = |_| Failure::failed(format!("is not a private key for {:?}", alg.algorithm()));
    let mut jwk = Jwk::from_encoding_key(key, alg.algorithm()).map_err(no_key)?;
    jwk.common.public_key_use = Some(PublicKeyUse::Signature);
    let kid = match kid {
        Some(kid) => kid.to_owned(),
        None => jwk.thumbprint(ThumbprintHash::SHA256).map_err(no_key)?,
    };
    jwk.common.key_id = Some(kid);
    Ok(jwk)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ed25519_key_is_read_with_or_without_its_public_half() {
        let secret_key = [7; 32];
        let public = ed25519_dalek::SigningKey::from_bytes(&secret_key).verifying_key();
        let public = ed25519_dalek::pkcs8::PublicKeyBytes(public.to_bytes());
        let jwks = [None, Some(public)].map(|public_key| {
            let pem = KeypairBytes {
                secret_key,
                public_key,
            }
            .to_pkcs8_pem(LineEnding::LF)
            .expect("a PEM");
            let key = KeyAlg::EdDsa.read_pem(pem.as_bytes()).expect("a key");
            public_jwk(&key, KeyAlg::EdDsa, None).expect("a JWK")
        });
        assert_eq!(jwks[0], jwks[1]);
    }
}
