//! Ed25519 signatures (RFC 8032) of checkpoints and manifests, by the keys of `SIGNING_KEYS`.

use crate::error::{Error, Result};
use crate::verify::certificate::{self, Certificate};
use crate::verify::{Checkpoint, PublicKeys, note};
use ed25519_dalek::{Signer, SigningKey};
use std::fmt;

/// The signing keys by id, the active one first.
#[derive(Clone)]
pub struct SigningKeys {
    active: (String, SigningKey),
    public: PublicKeys,
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKeys({}, ..)", self.active.0)
    }
}

impl SigningKeys {
    /// The keys from their seeds (RFC 8032 section 5.1.5), the active one first.
    ///
    /// # Errors
    /// `internal_error` if there is none.
    pub fn new<'k>(seeds: impl Iterator<Item = (&'k str, &'k [u8; 32])>) -> Result<Self> {
        let keys: Vec<_> = seeds
            .map(|(kid, seed)| (kid.to_owned(), SigningKey::from_bytes(seed)))
            .collect();
        let public = keys.iter().map(|(kid, key)| (kid.clone(), key.verifying_key()));
        let public = PublicKeys::new(public.collect());
        let active = keys.into_iter().next();
        Ok(Self {
            active: active.ok_or_else(|| Error::fault("there is no signing key"))?,
            public,
        })
    }

    /// The public halves, of older keys too: what they signed stays verifiable.
    #[must_use]
    pub const fn public(&self) -> &PublicKeys {
        &self.public
    }

    /// The id of the active key.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.active.0
    }

    /// The signature of `message` by the active key.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.active.1.sign(message).to_bytes()
    }

    /// The certificate as a compact JWS.
    ///
    /// # Errors
    /// `internal_error`, in practice never.
    pub fn certificate(&self, certificate: &Certificate) -> Result<String> {
        let payload =
            serde_json::to_vec(certificate).map_err(|_| Error::fault("a certificate does not serialise"))?;
        let input = certificate::signing_input(self.kid(), &payload);
        Ok(certificate::compact(&input, &self.sign(input.as_bytes())))
    }

    /// The checkpoint as a signed note.
    #[must_use]
    pub fn note(&self, checkpoint: &Checkpoint) -> String {
        let text = checkpoint.text();
        let public = self.active.1.verifying_key();
        note::signed(&text, self.kid(), public.as_bytes(), &self.sign(text.as_bytes()))
    }
}
