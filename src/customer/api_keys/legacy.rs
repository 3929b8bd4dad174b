//! Keys of the older login service, of which only the SHA-256 is known: taken over by hash, so that they go on
//! working until they are rotated into the new form.

use super::record::{KeyRecord, Settings};
use super::{Keys, MAX_NAME_CHARS, Scope};
use crate::crypto::FieldKeys;
use crate::crypto::api_key::LEGACY_PREFIX;
use crate::entropy::{Entropy, random};
use crate::error::{Code, Error, Result};
use crate::sql::Sql;
use crate::types::{KeyDigest, KeyId, Timestamp};

/// Most legacy keys that a customer brings along, with those that ended: these are never dropped, because a dump
/// that is imported again could bring them back.
pub const MAX_LEGACY_KEYS: usize = 100;

/// A key as a dump has it, in our words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegacyKey {
    /// SHA-256 of the key.
    pub digest: KeyDigest,
    /// What its owner calls it; cut off at [`MAX_NAME_CHARS`] characters.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// From which origins browsers may use it; every one where this is empty.
    pub allowed_origins: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was used last.
    pub last_used_at: Option<Timestamp>,
    /// Since when it no longer works, for whatever reason.
    pub ended_at: Option<Timestamp>,
}

/// What taking over a key came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Imported {
    /// It was not here.
    Created,
    /// It was here and working, and is now revoked, because it no longer works there.
    Merged,
    /// It was here; nothing changed.
    Unchanged,
}

impl Keys {
    /// Whether a key of the older form is known, in whatever state.
    #[must_use]
    pub fn has_legacy(&self, digest: &KeyDigest) -> bool {
        let known = |found, key: &KeyRecord| found | ((key.digest == *digest) & key.legacy);
        self.records.iter().fold(false, known)
    }

    /// Takes over a key. Safe to repeat: what was done to the key here since stays done, and a key that ended
    /// there ends here.
    ///
    /// # Errors
    /// `limit_reached`, or `internal_error`.
    pub fn import(
        &mut self,
        sql: &dyn Sql,
        fields: &FieldKeys,
        key: LegacyKey,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<Imported> {
        let now = self.at(now);
        let mut legacy = self.records.iter().filter(|known| known.legacy);
        if let Some(known) = legacy.clone().find(|known| known.digest == key.digest) {
            if key.ended_at.is_none() || !known.is_live(now) {
                return Ok(Imported::Unchanged);
            }
            let key_id = known.key_id.clone();
            self.revoke(sql, &key_id, now)?;
            return Ok(Imported::Merged);
        }
        if legacy.nth(MAX_LEGACY_KEYS.saturating_sub(1)).is_some() {
            return Err(Error::new(
                Code::LimitReached,
                format!("A customer has at most {MAX_LEGACY_KEYS} API keys of the older form."),
            ));
        }
        if key.ended_at.is_none() {
            self.check_room(now, 0)?;
        }
        let record = KeyRecord {
            key_id: KeyId::mint(now, random(entropy)?),
            digest: key.digest,
            legacy: true,
            version: 1,
            settings: Ok(Settings {
                name: key.name.chars().take(MAX_NAME_CHARS).collect(),
                allowed_origins: key.allowed_origins,
            }),
            prefix: LEGACY_PREFIX.to_owned(),
            last4: None,
            scopes: key.scopes,
            limit: None,
            // A dump's clock must not move ours.
            created_at: key.created_at.min(now),
            expires_at: None,
            last_used_at: key.last_used_at.map(|at| at.min(now).hour()),
            rotated_at: None,
            revoked_at: key.ended_at.map(|at| at.min(now)),
            rotated_from: None,
        };
        self.insert(sql, fields, record, now, entropy)?;
        Ok(Imported::Created)
    }
}
