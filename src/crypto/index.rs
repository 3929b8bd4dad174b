//! Blind indexes: keyed hashes by which something is found again without being stored. Each purpose has its
//! own key, derived from `INDEX_KEY` by HKDF-SHA256 (RFC 5869) with the purpose in `info`.

use crate::crypto::{ApiKeyPepper, CursorKey};
use crate::customer::idempotency::IdempotencyKey;
use crate::email::EmailIndex;
use crate::error::{Error, Result};
use crate::types::CustomerId;
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::fmt;

/// The keys that derive from `INDEX_KEY`.
#[derive(Clone)]
pub struct IndexKeys {
    subject: [u8; 32],
    email: [u8; 32],
    creation: [u8; 32],
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
        let mut creation = [0; 32];
        hkdf.expand(b"user-api/creation/v1", &mut creation)
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
            creation,
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

    /// The id of the customer that an administrator makes under an idempotency key: the same each time, so that a
    /// repetition finds what the first request made; nobody without our key can tell it beforehand.
    ///
    /// # Errors
    /// `internal_error`; HMAC takes keys of any length.
    pub fn creation(&self, subject: &str, key: &IdempotencyKey) -> Result<CustomerId> {
        let text = format!("{}:{subject}{}", subject.len(), key.as_str());
        let tag = hmac(&self.creation, &text)?;
        let bytes = tag
            .first_chunk::<16>()
            .ok_or_else(|| Error::fault("hmac length"))?;
        Ok(CustomerId::derived(*bytes))
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
    fn creation_id_is_unchanged() {
        let keys = IndexKeys::derive(&[7; 32]).unwrap();
        let key = IdempotencyKey::parse("7c4a8d09").unwrap();
        let id = keys.creation("auth0|root", &key).unwrap();
        assert_eq!(id.as_str(), "cust_4e267bb6828685f18424a14000476a51");
    }

    #[test]
    fn an_idempotency_key_makes_one_id_for_each_administrator() {
        let keys = IndexKeys::derive(&[7; 32]).unwrap();
        let id = |subject: &str, key: &str| {
            let key = IdempotencyKey::parse(key).unwrap();
            keys.creation(subject, &key).unwrap().to_string()
        };
        assert_eq!(id("root", "a"), id("root", "a"));
        assert!(CustomerId::parse(&id("root", "a")).is_some());
        for (subject, key) in [("root", "b"), ("toor", "a"), ("roo", "ta"), ("roota", " ")] {
            assert_ne!(id(subject, key), id("root", "a"), "{subject} {key}");
        }
        let other = IndexKeys::derive(&[8; 32]).unwrap();
        let key = IdempotencyKey::parse("a").unwrap();
        assert_ne!(other.creation("root", &key).unwrap().to_string(), id("root", "a"));
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
