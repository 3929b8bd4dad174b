//! The API keys of a customer: made, changed, rotated, revoked, and asked at every request of an integration.
//!
//! 1. All of them are in memory while the object is awake: at most [`MAX_LIVE_KEYS`] that work and
//!    [`MAX_ROWS`] in all, so a request by key reads no row.
//! 2. A key is compared in constant time, and with every key, so that time tells neither how much of a guess was
//!    right nor which key it was.
//! 3. Revocation is at once and for ever. Rotation leaves the old key until the second that was asked for, by
//!    bringing its expiry forward, once.
//! 4. A clock that goes back brings no key back: no moment before the last change of the keys is believed.
//! 5. A secret is in [`Issued`] and nowhere else.
//!
//! Errors that are refusals have written nothing. After a fault the [`Keys`] must be loaded anew.

mod body;
mod legacy;
mod record;
mod scope;
mod store;
#[cfg(all(test, not(target_arch = "wasm32")))]
mod testing;
#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;

pub use body::{
    KeyEdit, LimitEdit, MAX_GRACE_SECS, MAX_LIFETIME_MS, MAX_NAME_CHARS, MAX_ORIGINS, MAX_QUOTA,
    MAX_WINDOW_SECS, NewKey, Rotation,
};
pub use legacy::{Imported, LegacyKey, MAX_LEGACY_KEYS};
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use record::View;
pub use record::{KeyLimit, KeyRecord, KeyStatus, Settings};
pub use scope::Scope;

use crate::crypto::{ApiKeyPepper, ApiKeySecret, FieldKeys};
use crate::entropy::{Entropy, random};
use crate::error::{Code, Error, Result};
use crate::json;
use crate::order;
use crate::sql::Sql;
use crate::types::{CustomerId, KeyDigest, KeyId, Timestamp};
use serde::Serialize;

/// Most keys of a customer that work at one time; a rotated one counts until its grace is over.
pub const MAX_LIVE_KEYS: usize = 50;
/// Most keys that are kept, with those that ended. Past it the ones that ended first are dropped.
pub const MAX_ROWS: usize = 200;

/// In whose name keys are made.
#[derive(Debug, Clone, Copy)]
pub struct Issuer<'a> {
    /// The customer that the key's text names.
    pub customer: &'a CustomerId,
    /// By which the front recognises it.
    pub pepper: &'a ApiKeyPepper,
    /// Under which its settings are sealed.
    pub fields: &'a FieldKeys,
}

/// A key that was just made, with the secret that is shown this once.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The key.
    pub record: KeyRecord,
    secret: ApiKeySecret,
}

impl Issued {
    /// The key's text.
    #[must_use]
    pub fn secret(&self) -> &str {
        self.secret.expose()
    }

    /// The body of the 201: the resource, and `secret`.
    ///
    /// # Errors
    /// `internal_error`, in practice never.
    pub fn to_json(&self) -> Result<Vec<u8>> {
        let secret = Some(self.secret.expose());
        json::to_bytes(&self.record.view_with(self.record.created_at, secret)?)
    }
}

/// All keys of a customer, oldest first, as stored.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    records: Vec<KeyRecord>,
    /// The last change that is known: no earlier moment is believed.
    floor: Option<Timestamp>,
}

impl Keys {
    /// Reads them. For a customer without keys, as a new one is, this is [`Keys::default`].
    ///
    /// # Errors
    /// `internal_error` if the engine fails or a row is unreadable.
    pub fn load(sql: &dyn Sql, fields: &FieldKeys) -> Result<Self> {
        let records = store::load(sql, fields)?;
        let changes = records
            .iter()
            .flat_map(|key| [Some(key.created_at), key.rotated_at, key.revoked_at]);
        let floor = changes.flatten().max();
        Ok(Self { records, floor })
    }

    /// The moment that is believed when the clock shows `now`.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Timestamp {
        self.floor.map_or(now, |floor| floor.max(now))
    }

    /// The key whose digest it is, if it works now and from there. Whether it may do what is asked,
    /// [`KeyRecord::allows`] tells.
    ///
    /// # Errors
    /// `token_revoked`, `invalid_api_key` if it is unknown or has expired or its grace is over,
    /// `origin_not_allowed`.
    pub fn authenticate(
        &self,
        digest: &KeyDigest,
        legacy: bool,
        browser_origin: Option<&str>,
        now: Timestamp,
    ) -> Result<&KeyRecord> {
        let now = self.at(now);
        let mut found = None;
        for key in &self.records {
            if (key.digest == *digest) & (key.legacy == legacy) {
                found = Some(key);
            }
        }
        let key = found.ok_or_else(unknown_key)?;
        if key.revoked_at.is_some() {
            return Err(Error::new(Code::TokenRevoked, "The API key was revoked."));
        }
        if key.is_expired(now) {
            let detail = if key.rotated_at.is_some() {
                "The API key was replaced by another."
            } else {
                "The API key has expired."
            };
            return Err(Error::new(Code::InvalidApiKey, detail));
        }
        if !key.allows_origin(browser_origin)? {
            return Err(Error::new(
                Code::OriginNotAllowed,
                "The API key may not be used from this origin.",
            ));
        }
        Ok(key)
    }

    /// Notes that the key was used, exact to the hour: one write an hour at most.
    ///
    /// # Errors
    /// `internal_error` from the engine.
    pub fn touch(&mut self, sql: &dyn Sql, key_id: &KeyId, now: Timestamp) -> Result<()> {
        let hour = now.hour();
        let key = self.get_mut(key_id)?;
        if key.last_used_at.is_none_or(|last| last < hour) {
            store::touch(sql, key_id, hour)?;
            key.last_used_at = Some(hour);
        }
        Ok(())
    }

    /// The key with that id.
    ///
    /// # Errors
    /// `key_not_found`.
    pub fn get(&self, key_id: &KeyId) -> Result<&KeyRecord> {
        let found = self.records.iter().find(|key| key.key_id == *key_id);
        found.ok_or_else(not_found)
    }

    fn get_mut(&mut self, key_id: &KeyId) -> Result<&mut KeyRecord> {
        let found = self.records.iter_mut().find(|key| key.key_id == *key_id);
        found.ok_or_else(not_found)
    }

    /// The key with that id, if it is active.
    fn active(&self, key_id: &KeyId, now: Timestamp) -> Result<&KeyRecord> {
        let key = self.get(key_id)?;
        let detail = match key.status(now) {
            KeyStatus::Active => return Ok(key),
            KeyStatus::Rotated => "The API key was replaced by another.",
            KeyStatus::Revoked => "The API key was revoked.",
            KeyStatus::Expired => "The API key has expired.",
        };
        Err(Error::new(Code::KeyEnded, detail))
    }

    /// All keys, newest first.
    pub fn iter(&self) -> impl Iterator<Item = &KeyRecord> {
        let mut keys: Vec<_> = self.records.iter().collect();
        order::sort_by(&mut keys, |a, b| {
            (b.created_at, &b.key_id).cmp(&(a.created_at, &a.key_id))
        });
        keys.into_iter()
    }

    /// The body of `GET /customer/me/api-keys`: one page, because there are few.
    ///
    /// # Errors
    /// `internal_error`, in practice never.
    pub fn to_json(&self, now: Timestamp) -> Result<Vec<u8>> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Page<T> {
            data: Vec<T>,
            has_more: bool,
            next_cursor: Option<String>,
        }
        let now = self.at(now);
        json::to_bytes(&Page {
            data: self.iter().map(|key| key.view(now)).collect::<Result<_>>()?,
            has_more: false,
            next_cursor: None,
        })
    }

    /// Makes a key.
    ///
    /// # Errors
    /// `validation_failed` if its expiry is out of bounds, `limit_reached`, or `internal_error`.
    pub fn create(
        &mut self,
        sql: &dyn Sql,
        issuer: Issuer<'_>,
        new: &NewKey,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<Issued> {
        let now = self.at(now);
        body::check_expiry(new.expires_at, now)?;
        self.check_room(now, 0)?;
        self.issue(sql, issuer, new.clone(), None, now, entropy)
    }

    /// Changes a key. Nothing is written, and its version stays, where nothing changes.
    ///
    /// # Errors
    /// `key_not_found`, `key_ended` unless it is active, `validation_failed`, or `internal_error`.
    pub fn patch(
        &mut self,
        sql: &dyn Sql,
        fields: &FieldKeys,
        key_id: &KeyId,
        edit: &KeyEdit,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<&KeyRecord> {
        let now = self.at(now);
        let before = self.active(key_id, now)?;
        let mut after = edit.apply(before, now)?;
        if after != *before {
            after.version = after.version.saturating_add(1);
            store::update(sql, fields, &after, entropy)?;
            self.replace(after, now)?;
        }
        self.get(key_id)
    }

    /// Replaces a key by a new one that may do the same until the same day, and lets the old one work until the
    /// grace is over, unless it ends earlier. A legacy key is replaced by one of the new form.
    ///
    /// # Errors
    /// `key_not_found`, `key_ended` unless it is active, `limit_reached`, or `internal_error`.
    pub fn rotate(
        &mut self,
        sql: &dyn Sql,
        issuer: Issuer<'_>,
        key_id: &KeyId,
        rotation: Rotation,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<Issued> {
        let now = self.at(now);
        let mut old = self.active(key_id, now)?.clone();
        self.check_room(now, usize::from(rotation.grace_secs == 0))?;
        let settings = old.settings()?.clone();
        let new = NewKey {
            name: settings.name,
            scopes: old.scopes.clone(),
            expires_at: old.expires_at,
            allowed_origins: settings.allowed_origins,
            limit: old.limit,
        };
        let grace_ms = rotation.grace_secs.saturating_mul(1000);
        let grace_end = Timestamp::from_millis(now.as_millis().saturating_add(grace_ms));
        old.expires_at = Some(old.expires_at.map_or(grace_end, |end| end.min(grace_end)));
        old.rotated_at = Some(now);
        old.version = old.version.saturating_add(1);
        store::end(sql, &old)?;
        self.replace(old, now)?;
        self.issue(sql, issuer, new, Some(key_id.clone()), now, entropy)
    }

    /// Takes a key back, whatever state it is in, at once and for ever. False if it was revoked before, in which
    /// case nothing is written.
    ///
    /// # Errors
    /// `key_not_found`, or `internal_error`.
    pub fn revoke(&mut self, sql: &dyn Sql, key_id: &KeyId, now: Timestamp) -> Result<bool> {
        let now = self.at(now);
        let mut key = self.get(key_id)?.clone();
        if key.revoked_at.is_some() {
            return Ok(false);
        }
        key.revoked_at = Some(now);
        key.version = key.version.saturating_add(1);
        store::end(sql, &key)?;
        self.replace(key, now)?;
        Ok(true)
    }

    /// Refuses one more working key where there are as many as may be, not counting `leaving` that end with it.
    fn check_room(&self, now: Timestamp, leaving: usize) -> Result<()> {
        let live = self.records.iter().filter(|key| key.is_live(now)).count();
        if live.saturating_sub(leaving) < MAX_LIVE_KEYS {
            return Ok(());
        }
        Err(Error::new(
            Code::LimitReached,
            format!(
                "A customer has at most {MAX_LIVE_KEYS} API keys that work, with those in the grace after a \
                 rotation. Revoke one, or rotate with `graceSeconds` 0."
            ),
        ))
    }

    fn issue(
        &mut self,
        sql: &dyn Sql,
        issuer: Issuer<'_>,
        new: NewKey,
        rotated_from: Option<KeyId>,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<Issued> {
        let secret = issuer.pepper.mint(issuer.customer, &random(entropy)?);
        let record = KeyRecord {
            key_id: KeyId::mint(now, random(entropy)?),
            digest: secret.digest,
            legacy: false,
            version: 1,
            settings: Ok(Settings {
                name: new.name,
                allowed_origins: new.allowed_origins,
            }),
            prefix: secret.prefix.clone(),
            last4: Some(secret.last4.clone()),
            scopes: new.scopes,
            limit: new.limit,
            created_at: now,
            expires_at: new.expires_at,
            last_used_at: None,
            rotated_at: None,
            revoked_at: None,
            rotated_from,
        };
        self.insert(sql, issuer.fields, record.clone(), now, entropy)?;
        Ok(Issued { record, secret })
    }

    /// Adds a row, in exchange for the one that ended first where there are as many as may be.
    fn insert(
        &mut self,
        sql: &dyn Sql,
        fields: &FieldKeys,
        record: KeyRecord,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<()> {
        while self.records.len() >= MAX_ROWS {
            // Legacy keys stay, because a dump that is imported again could bring them back.
            let ended = self
                .records
                .iter()
                .filter(|key| !key.is_live(now) && !key.legacy)
                .min_by_key(|key| (key.ends_at(), &key.key_id));
            let ended = ended.ok_or_else(|| Error::fault("no API key can be dropped"))?;
            let key_id = ended.key_id.clone();
            store::delete(sql, &key_id)?;
            self.records.retain(|key| key.key_id != key_id);
        }
        store::insert(sql, fields, &record, entropy)?;
        self.records.push(record);
        self.floor = Some(now);
        Ok(())
    }

    fn replace(&mut self, after: KeyRecord, now: Timestamp) -> Result<()> {
        let key_id = after.key_id.clone();
        *self.get_mut(&key_id)? = after;
        self.floor = Some(now);
        Ok(())
    }
}

/// The refusal of a key that the customer does not have. An object without a customer must answer a key with the
/// same, or whoever makes legacy keys up learns which customers exist.
#[must_use]
pub fn unknown_key() -> Error {
    Error::new(Code::InvalidApiKey, "The API key is not known.")
}

fn not_found() -> Error {
    Error::new(Code::KeyNotFound, "The customer has no API key of this id.")
}
