//! Blind indexes: keyed hashes by which something is found again without being stored. Each purpose has its
//! own key, derived from `INDEX_KEY` by HKDF-SHA256 (RFC 5869) with the purpose in `info`.

use crate::crypto::{ApiKeyPepper, CursorKey};
use crate::email::EmailIndex;
use crate::error::{Error, Result};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::fmt;

/// The keys that derive from `INDEX_KEY`.
#[derive(Clone)]
pub struct IndexKeys {
    subject: [u8; 32],
    email: [u8; 32],
    api_keys: ApiKeyPepper,
    cursors: CursorKey,
}

impl fmt::Debug for IndexKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IndexKeys(..)")
    }
}

impl IndexKeys {
    /// # Errors
    /// `internal_error`; a 32-byte output is always within HKDF's bound.
    pub fn derive(index_key: &[u8; 32]) -> Result<Self> {
        let hkdf = Hkdf::<Sha256>::new(None, index_key);
        let mut subject = [0; 32];
        hkdf.expand(b"user-api/subject-index/v1", &mut subject)
            .map_err(|_| Error::fault("hkdf length"))?;
        let mut email = [0; 32];
        hkdf.expand(b"user-api/email-index/v1", &mut email)
            .map_err(|_| Error::fault("hkdf length"))?;
        let mut api_keys = [0; 32];
        hkdf.expand(b"user-api/api-key-pepper/v1", &mut api_keys)
            .map_err(|_| Error::fault("hkdf length"))?;
        let mut cursors = [0; 32];
        hkdf.expand(b"user-api/cursor/v1", &mut cursors)
            .map_err(|_| Error::fault("hkdf length"))?;
        Ok(Self {
            subject,
            email,
            cursors: CursorKey::new(&cursors)?,
            api_keys: ApiKeyPepper::new(&api_keys)?,
        })
    }

    /// By which API keys are made and recognised.
    #[must_use]
    pub const fn api_keys(&self) -> &ApiKeyPepper {
        &self.api_keys
    }

    /// By which cursors of lists are made and recognised.
    #[must_use]
    pub const fn cursors(&self) -> &CursorKey {
        &self.cursors
    }

    /// HMAC-SHA256 (RFC 2104) of a token's `sub`, by which its user is found.
    ///
    /// # Errors
    /// `internal_error`; HMAC takes keys of any length.
    pub fn subject(&self, subject: &str) -> Result<Vec<u8>> {
        hmac(&self.subject, subject).map(|index| index.to_vec())
    }

    /// HMAC-SHA256 (RFC 2104) of an address in its normal form ([`crate::email::Email`]), by which its customer is
    /// found.
    ///
    /// # Errors
    /// `internal_error`; HMAC takes keys of any length.
    pub fn email(&self, email: &str) -> Result<EmailIndex> {
        hmac(&self.email, email).map(EmailIndex::new)
    }
}

fn hmac(key: &[u8; 32], text: &str) -> Result<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| Error::fault("hmac key"))?;
    mac.update(text.as_bytes());
    Ok(mac.finalize().into_bytes().into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn email_index_is_unchanged() {
        let index = IndexKeys::derive(&[7; 32])
            .unwrap()
            .email("ada@example.com")
            .unwrap();
        let hex: String = index
            .as_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(
            hex,
            "8a3443cde3ae9d21f35c4071d84cc7f662b3e261c8ebc3b83a91f929a7d9585c"
        );
        assert_eq!(format!("{index:?}"), "EmailIndex(..)");
    }

    #[test]
    fn subject_index_is_unchanged() {
        let index = IndexKeys::derive(&[7; 32])
            .unwrap()
            .subject("user_0123456789ab")
            .unwrap();
        let hex: String = index.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hex,
            "203f6f93ab0bf3735acabd4bbd8fbc70f80c59fc0176b76e380ff91de3c3a28e"
        );
    }
}
