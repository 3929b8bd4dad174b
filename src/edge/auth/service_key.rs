//! The keys of services (`X-Service-Key`), compared so that time tells nothing about them.

use super::claims::short_hash;
use crate::edge::settings::Secret;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// The configured keys, hashed, so that a comparison costs the same whatever their lengths.
pub struct ServiceKeys {
    keys: Vec<([u8; 32], String)>,
}

impl ServiceKeys {
    /// Hashes the keys once.
    #[must_use]
    pub fn new(keys: &[Secret<String>]) -> Self {
        let hashed = keys.iter().map(|key| {
            let bytes = key.expose().as_bytes();
            (Sha256::digest(bytes).into(), format!("key_{}", short_hash(bytes)))
        });
        Self {
            keys: hashed.collect(),
        }
    }

    /// The id of the key that was presented: `key_` and the first 12 hex digits of its SHA-256.
    #[must_use]
    pub fn identify(&self, presented: &str) -> Option<String> {
        let digest: [u8; 32] = Sha256::digest(presented.as_bytes()).into();
        // Every key is compared, so that the time does not tell which one matched.
        let mut found = None;
        for (known, id) in &self.keys {
            let same: Choice = known.ct_eq(&digest);
            if bool::from(same) {
                found = Some(id);
            }
        }
        found.cloned()
    }
}
