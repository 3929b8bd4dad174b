//! What belongs to a customer that is here: API keys, revocations, preferences, reserved names, days of the log.

use super::store::{self, Added, Kind};
use super::{Stored, Taken, is_empty};
use crate::caller::User;
use crate::customer::api_keys::{Imported, LegacyKey, Scope};
use crate::customer::memory::Memory;
use crate::customer::preferences::{self, EmailVisibility, Preferences};
use crate::customer::tokens::MAX_SKEW_SECS;
use crate::customer::turn::Turn;
use crate::customer::users::{MAX_DISPLAY_NAME_CHARS, UserProfile, UserRecord};
use crate::error::{Code, Error, Result};
use crate::json;
use crate::legacy::outcome::{Outcome, Word};
use crate::legacy::{ApiKey, Record};
use crate::sql::Sql;
use crate::types::{KeyDigest, Timestamp, UserId};
use crate::validate::tidy_line;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// Preferences as they came.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    at: Timestamp,
    pub(super) document: Value,
}

/// The key of preferences that no user has yet, and of those that one has.
const WAITING: &str = "";
const USED: &str = "used";

/// Whether preferences came along that no user has yet.
///
/// # Errors
/// `internal_error` from the engine.
pub fn has_preferences_waiting(sql: &dyn Sql) -> Result<bool> {
    let rows = sql.exec(
        "SELECT 1 FROM legacy WHERE kind = 'preferences' AND key = ''",
        &[],
    )?;
    Ok(!rows.is_empty())
}

/// Whether anything came along.
///
/// # Errors
/// `internal_error` from the engine.
pub fn has_documents(sql: &dyn Sql) -> Result<bool> {
    Ok(!sql.exec("SELECT 1 FROM legacy LIMIT 1", &[])?.is_empty())
}

impl Turn<'_> {
    /// Takes a record that is none of the customer itself.
    ///
    /// # Errors
    /// Only faults.
    pub(super) fn take_belonging(&mut self, memory: &mut Memory, record: &Record) -> Result<Taken> {
        match record {
            Record::Customer { .. } => Err(Error::fault("a customer is no belonging")),
            Record::Preferences { at, document } => self.take_preferences(memory, *at, document),
            Record::DisplayName { document } => {
                let key = digest(document)?;
                self.add(Kind::DisplayName, &key, document)
            }
            Record::AuditDay { date, document } => {
                let key = format!("{date}/{}", digest(document)?);
                self.add(Kind::Audit, &key, document)
            }
            Record::Index { hash } => self.check_index(hash),
            Record::ApiKey(key) => self.take_key(memory, key),
            Record::Denied {
                hash,
                revoked_at,
                expires_at,
            } => self.take_revocation(memory, hash, *revoked_at, *expires_at),
        }
    }

    fn add(&mut self, kind: Kind, key: &str, document: &Value) -> Result<Taken> {
        Ok(match store::add(self, kind, key, document)? {
            Added::New => (Outcome::Created, Vec::new()),
            Added::Known => (Outcome::Unchanged, Vec::new()),
            Added::NoRoom => (Outcome::Skipped, vec![Word::LimitReached]),
        })
    }

    /// The index is not needed: it is only looked at whether it is right.
    fn check_index(&mut self, hash: &str) -> Result<Taken> {
        let stored: Option<Stored> = store::get(self, Kind::Customer, "")?;
        let is_own =
            stored.is_some_and(|stored| stored.facts.email_hashes().iter().any(|own| own.as_str() == hash));
        Ok(if is_own {
            (Outcome::Unchanged, Vec::new())
        } else {
            (Outcome::Conflict, vec![Word::IndexElsewhere])
        })
    }

    /// Of two the one that changed later counts, and of one moment the one whose text sorts last.
    fn take_preferences(&mut self, memory: &mut Memory, at: Timestamp, document: &Value) -> Result<Taken> {
        if is_empty(document) {
            return Ok((Outcome::Unchanged, Vec::new()));
        }
        let mut place = WAITING;
        let mut known: Option<Kept> = store::get(self, Kind::Preferences, WAITING)?;
        if known.is_none() {
            known = store::get(self, Kind::Preferences, USED)?;
            if known.is_some() {
                place = USED;
            }
        }
        let rank = |at: Timestamp, document: &Value| -> Result<(Timestamp, Vec<u8>)> {
            Ok((at, json::to_canonical_bytes(document)?))
        };
        let outcome = match &known {
            None => Outcome::Created,
            Some(kept) if rank(kept.at, &kept.document)? >= rank(at, document)? => {
                return Ok((Outcome::Unchanged, Vec::new()));
            }
            Some(_) => Outcome::Merged,
        };
        let kept = Kept {
            at,
            document: document.clone(),
        };
        store::put(self, Kind::Preferences, place, &kept)?;
        memory.has_preferences_waiting |= place == WAITING;
        Ok((outcome, Vec::new()))
    }

    /// The first user whose verified e-mail is the customer's gets the preferences, as far as it has none, and the
    /// display name, as far as it has none. Where something of that is damaged, nobody's request fails for it: they
    /// wait until the object wakes up the next time.
    ///
    /// # Errors
    /// Only faults.
    pub fn hand_over_preferences(&mut self, memory: &mut Memory, user: &User) -> Result<()> {
        let user_id = memory.user_id(user)?.clone();
        match self.waiting_for(&user_id) {
            Ok(Some((kept, number, record))) => {
                let changed = self.hand_over(&kept, number, record)?;
                memory.brought.extend(changed);
            }
            Ok(None) => {}
            Err(error) if error.code == Code::SealedDataUnreadable => memory.passed_over = Some(error),
            Err(error) => return Err(error),
        }
        memory.has_preferences_waiting = false;
        Ok(())
    }

    /// The preferences that wait, and the version of this user's own, and its record: all that may be damaged, before
    /// anything is written.
    fn waiting_for(&self, user_id: &UserId) -> Result<Option<(Kept, i64, UserRecord)>> {
        let Some(kept) = store::get::<Kept>(self, Kind::Preferences, WAITING)? else {
            return Ok(None);
        };
        let (_, number) = preferences::load(self.sql, self.fields()?, user_id)?;
        let record = UserRecord::load(self.sql, self.fields()?, user_id)?;
        record.profile()?;
        Ok(Some((kept, number, record)))
    }

    /// Says what it has changed.
    fn hand_over(&mut self, kept: &Kept, number: i64, mut record: UserRecord) -> Result<Map<String, Value>> {
        let mut changed = Map::new();
        let user_id = record.user_id.clone();
        let visibility = kept.document.get("emailVisibility").and_then(Value::as_str);
        let visibility = visibility.and_then(EmailVisibility::parse);
        if let (0, Some(email_visibility)) = (number, visibility) {
            let own = Preferences {
                email_visibility,
                ..Preferences::default()
            };
            preferences::store(self.sql, self.fields()?, &user_id, &own, 1, self.entropy)?;
            let change = json!({"before": null, "after": own.email_visibility});
            changed.insert("preferences.emailVisibility".to_owned(), change);
        }
        let name = kept
            .document
            .pointer("/displayName/current")
            .and_then(Value::as_str);
        let name = name.map(|name| tidy_line(name, MAX_DISPLAY_NAME_CHARS));
        if let (None, Some(name)) = (
            &record.profile()?.display_name,
            name.filter(|name| !name.is_empty()),
        ) {
            let change = json!({"before": null, "after": name});
            changed.insert("user.displayName".to_owned(), change);
            let profile = UserProfile {
                display_name: Some(name),
                ..record.profile()?.clone()
            };
            record.write_profile(self.sql, self.fields()?, profile, self.now, self.entropy)?;
        }
        store::put(self, Kind::Preferences, USED, kept)?;
        self.sql
            .exec("DELETE FROM legacy WHERE kind = 'preferences' AND key = ''", &[])?;
        Ok(changed)
    }

    fn take_key(&mut self, memory: &mut Memory, key: &ApiKey) -> Result<Taken> {
        let Some(digest) = unhex(&key.hash) else {
            return Ok((Outcome::Invalid, vec![Word::BadHash]));
        };
        let scopes = match &key.scopes {
            None => Scope::ALL.to_vec(),
            Some(names) => names.iter().filter_map(|name| Scope::parse(name)).collect(),
        };
        let mut words = Vec::new();
        if scopes.is_empty() {
            words.push(Word::ScopesUnknown);
        }
        let name = if key.name.is_empty() {
            "Legacy key"
        } else {
            &key.name
        };
        let legacy = LegacyKey {
            digest: KeyDigest::new(digest),
            name: name.to_owned(),
            scopes,
            allowed_origins: key.origins.clone(),
            created_at: key.created_at.unwrap_or(self.now),
            last_used_at: key.last_used_at,
            ended_at: key.ended.then(|| key.ended_at.unwrap_or(self.now)),
        };
        let outcome = match memory
            .keys
            .import(self.sql, self.fields()?, legacy, self.now, self.entropy)
        {
            Ok(Imported::Created) => Outcome::Created,
            Ok(Imported::Merged) => Outcome::Merged,
            Ok(Imported::Unchanged) => return Ok((Outcome::Unchanged, words)),
            Err(error) if error.code == Code::LimitReached => {
                return Ok((Outcome::Skipped, vec![Word::LimitReached]));
            }
            Err(error) => return Err(error),
        };
        memory.quota.adopt(&memory.keys, self.now)?;
        store::put(self, Kind::ApiKey, &key.hash, &key.document)?;
        Ok((outcome, words))
    }

    fn take_revocation(
        &mut self,
        memory: &mut Memory,
        hash: &str,
        revoked_at: Option<Timestamp>,
        expires_at: Option<Timestamp>,
    ) -> Result<Taken> {
        // A token of which nothing is known may have been issued just now. One that was revoked had been issued.
        let ttl = i64::from(self.config.max_ttl_secs);
        let ends = expires_at
            .map(Timestamp::as_secs)
            .or_else(|| revoked_at.map(|at| at.as_secs().saturating_add(ttl)));
        if ends.is_some_and(|ends| ends.saturating_add(MAX_SKEW_SECS) < self.now.as_secs()) {
            return Ok((Outcome::Skipped, vec![Word::Expired]));
        }
        // As `execute` has it: a token may have been issued before the clock went back.
        let at = self.now.max(memory.head.at);
        let outcome = match memory.revocations.import(self.sql, hash, at) {
            Ok(true) => Outcome::Created,
            Ok(false) => Outcome::Unchanged,
            Err(error) if error.code == Code::RevokeAllInstead => {
                return Ok((Outcome::Skipped, vec![Word::LimitReached]));
            }
            Err(error) => return Err(error),
        };
        memory.revocations_due = memory.revocations.next_sweep(self.sql, self.now)?;
        Ok((outcome, Vec::new()))
    }
}

/// What tells one document from another: the first 16 digits of its hex digest.
fn digest(document: &Value) -> Result<String> {
    use std::fmt::Write as _;
    let bytes = Sha256::digest(json::to_canonical_bytes(document)?);
    Ok(bytes.iter().take(8).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        let at = at.saturating_mul(2);
        *byte = u8::from_str_radix(text.get(at..at.saturating_add(2))?, 16).ok()?;
    }
    Some(bytes)
}
