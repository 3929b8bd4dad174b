//! The users of a customer: made at first use, found by a blind index of the token's `sub`.

use crate::caller;
use crate::crypto::{Column, FieldKeys};
use crate::entropy::{Entropy, random};
use crate::error::{Code, Error, Result};
use crate::json;
use crate::sql::{Row, Sql};
use crate::types::{CustomerId, Timestamp, UserId, Version, serialize_rfc3339};
use crate::validate::{Edit, Fields, language_tag, time_zone};
use crate::verify::chain::hex;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// Most users of one customer.
pub const MAX_USERS: i64 = 10_000;
/// Longest `displayName`, in characters.
pub const MAX_DISPLAY_NAME_CHARS: usize = 100;

/// The personal fields, stored together as one document.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs)]
pub struct UserProfile {
    pub subject: String,
    pub email: Option<String>,
    pub display_name: Option<String>,
    pub locale: Option<String>,
    pub time_zone: Option<String>,
}

/// A user's record, without preferences.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct UserRecord {
    pub user_id: UserId,
    pub version: i64,
    /// Or why it cannot be read.
    pub profile: Result<UserProfile>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub last_seen_at: Timestamp,
}

/// A change that a user may make to itself.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct UserEdit {
    pub display_name: Edit<String>,
    pub locale: Edit<String>,
    pub time_zone: Edit<String>,
    /// True for PUT: what is not mentioned goes.
    pub replaces: bool,
}

/// Fields that a user has but may not change.
const READ_ONLY: &[&str] = &[
    "userId",
    "customerId",
    "email",
    "createdAt",
    "updatedAt",
    "lastSeenAt",
];

impl UserEdit {
    /// Reads the body of PUT (`replaces`) or PATCH `/user/me`.
    ///
    /// # Errors
    /// `malformed_body`, `validation_failed` or `field_not_writable`.
    pub fn parse(body: &[u8], replaces: bool) -> Result<Self> {
        let mut fields = Fields::new(json::parse_object(body)?);
        let edit = Self {
            display_name: fields.line("displayName", MAX_DISPLAY_NAME_CHARS),
            locale: fields.field("locale", language_tag),
            time_zone: fields.field("timeZone", time_zone),
            replaces,
        };
        fields.finish(READ_ONLY)?;
        Ok(edit)
    }

    /// The profile after the edit.
    #[must_use]
    pub fn apply(self, before: &UserProfile) -> UserProfile {
        let of = |edit: Edit<String>, before: &Option<String>| {
            if self.replaces {
                edit.apply(None)
            } else {
                edit.apply(before.clone())
            }
        };
        UserProfile {
            subject: before.subject.clone(),
            email: before.email.clone(),
            display_name: of(self.display_name, &before.display_name),
            locale: of(self.locale, &before.locale),
            time_zone: of(self.time_zone, &before.time_zone),
        }
    }
}

/// The resource `/user/me`.
#[derive(Serialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "User")
)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserView<'a> {
    user_id: &'a UserId,
    customer_id: &'a CustomerId,
    email: &'a Option<String>,
    display_name: &'a Option<String>,
    locale: &'a Option<String>,
    time_zone: &'a Option<String>,
    #[serde(serialize_with = "serialize_rfc3339")]
    created_at: Timestamp,
    #[serde(serialize_with = "serialize_rfc3339")]
    updated_at: Timestamp,
    #[serde(serialize_with = "serialize_rfc3339")]
    last_seen_at: Timestamp,
}

impl UserRecord {
    /// The resource `/user/me` as JSON.
    ///
    /// # Errors
    /// `sealed_data_unreadable`.
    pub fn to_json(&self, customer_id: &CustomerId) -> Result<Vec<u8>> {
        let profile = self.profile()?;
        json::to_bytes(&UserView {
            user_id: &self.user_id,
            customer_id,
            email: &profile.email,
            display_name: &profile.display_name,
            locale: &profile.locale,
            time_zone: &profile.time_zone,
            created_at: self.created_at,
            updated_at: self.updated_at,
            last_seen_at: self.last_seen_at,
        })
    }

    /// The personal fields.
    ///
    /// # Errors
    /// `sealed_data_unreadable`.
    pub fn profile(&self) -> Result<&UserProfile> {
        self.profile.as_ref().map_err(Clone::clone)
    }

    /// The version of this resource, given the customer's incarnation.
    #[must_use]
    pub fn version(&self, incarnation: &str) -> Version {
        version(incarnation, &self.user_id, self.version)
    }

    /// The user with that id.
    ///
    /// # Errors
    /// `internal_error` if the engine fails, the row is unreadable or missing.
    pub fn load(sql: &dyn Sql, fields: &FieldKeys, user_id: &UserId) -> Result<Self> {
        let rows = sql.exec(
            "SELECT user_id, version, profile, created_at, updated_at, last_seen_at FROM users WHERE user_id = ?",
            &[user_id.as_str().into()],
        )?;
        rows.first()
            .map(|row| Self::from_row(row, fields))
            .transpose()?
            .ok_or_else(|| Error::fault("a user's row is gone"))
    }

    fn find(sql: &dyn Sql, fields: &FieldKeys, subject_index: &[u8]) -> Result<Option<Self>> {
        let rows = sql.exec(
            "SELECT user_id, version, profile, created_at, updated_at, last_seen_at FROM users WHERE subject_index = ?",
            &[subject_index.into()],
        )?;
        rows.first().map(|row| Self::from_row(row, fields)).transpose()
    }

    /// Reads `user_id, version, profile, created_at, updated_at, last_seen_at`.
    ///
    /// # Errors
    /// `internal_error` if the row is malformed. What of it is sealed may still be unreadable.
    pub fn from_row(row: &Row, fields: &FieldKeys) -> Result<Self> {
        Ok(Self {
            user_id: UserId::parse(row.text(0)?)
                .ok_or_else(|| Error::fault("stored user id is malformed"))?,
            version: row.integer(1)?,
            profile: fields.open_json(Column::UserProfile, row.text(0)?, row.blob(2)?),
            created_at: Timestamp::from_millis(row.integer(3)?),
            updated_at: Timestamp::from_millis(row.integer(4)?),
            last_seen_at: Timestamp::from_millis(row.integer(5)?),
        })
    }

    /// Takes over `profile` as the next version, here and in the row. Nothing happens if it is the same.
    ///
    /// # Errors
    /// `internal_error` from the engine.
    pub fn write_profile(
        &mut self,
        sql: &dyn Sql,
        fields: &FieldKeys,
        profile: UserProfile,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<()> {
        if profile == *self.profile()? {
            return Ok(());
        }
        self.version = self.version.saturating_add(1);
        self.updated_at = self.updated_at.max(now);
        let sealed = fields.seal_json(Column::UserProfile, self.user_id.as_str(), &profile, entropy)?;
        self.profile = Ok(profile);
        sql.exec(
            "UPDATE users SET version = ?, profile = ?, updated_at = ? WHERE user_id = ?",
            &[
                self.version.into(),
                sealed.into(),
                self.updated_at.as_millis().into(),
                self.user_id.as_str().into(),
            ],
        )?;
        Ok(())
    }
}

/// The version of a resource of that user, given the customer's incarnation. `/user/me` is one address for all users:
/// no tag of one may fit another's, or a page that somebody else signed in on would be told 304 of what it still shows.
#[must_use]
pub fn version(incarnation: &str, user_id: &UserId, number: i64) -> Version {
    let digest = Sha256::new()
        .chain_update(b"user-api/user-incarnation/v1|")
        .chain_update(incarnation)
        .chain_update(b"|")
        .chain_update(user_id.as_str())
        .finalize();
    Version {
        incarnation: hex(digest.first_chunk::<8>().map_or(&[], <[u8; 8]>::as_slice)),
        number,
    }
}

/// What the object remembers of a user that called since it woke up, so that a warm request reads no row.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Whose token it is.
    pub user_id: UserId,
    /// The verified e-mail of the token seen last.
    email: Option<String>,
    hour: Timestamp,
}

impl Seen {
    /// Whether there is nothing to write for this caller at this moment.
    #[must_use]
    pub fn is_current(&self, user: &caller::User, now: Timestamp) -> bool {
        self.hour >= now.hour() && (verified_email(user).is_none() || self.email == verified_email(user))
    }
}

/// The user that holds this token: found, or made at its first use; and what that has changed. Notes the hour of the
/// visit and a changed verified e-mail.
///
/// # Errors
/// `limit_reached` if the customer has all the users it may have, `internal_error` from the engine.
pub fn meet(
    sql: &dyn Sql,
    fields: &FieldKeys,
    user: &caller::User,
    subject_index: &[u8],
    now: Timestamp,
    entropy: &mut dyn Entropy,
) -> Result<(Seen, Map<String, Value>)> {
    let email = verified_email(user);
    let mut changed = Map::new();
    let Some(mut record) = UserRecord::find(sql, fields, subject_index)? else {
        return make(sql, fields, user, subject_index, now, entropy);
    };
    // What cannot be read is not overwritten; whatever does not need it works.
    let known = match record.profile.clone() {
        Ok(before) if email.is_some() && email != before.email => {
            let change = json!({"before": before.email, "after": email});
            changed.insert("user.email".to_owned(), change);
            let profile = UserProfile {
                email: email.clone(),
                ..before
            };
            record.write_profile(sql, fields, profile, now, entropy)?;
            email
        }
        Ok(before) => before.email,
        Err(_) => email,
    };
    if record.last_seen_at < now.hour() {
        sql.exec(
            "UPDATE users SET last_seen_at = ? WHERE user_id = ?",
            &[now.hour().as_millis().into(), record.user_id.as_str().into()],
        )?;
    }
    let hour = record.last_seen_at.max(now.hour());
    let seen = Seen {
        user_id: record.user_id,
        email: known,
        hour,
    };
    Ok((seen, changed))
}

fn make(
    sql: &dyn Sql,
    fields: &FieldKeys,
    user: &caller::User,
    subject_index: &[u8],
    now: Timestamp,
    entropy: &mut dyn Entropy,
) -> Result<(Seen, Map<String, Value>)> {
    // Counted only when a user is made: at most MAX_USERS times in a customer's life.
    let rows = sql.exec("SELECT count(*) FROM users", &[])?;
    if rows.first().map_or(Ok(0), |row| row.integer(0))? >= MAX_USERS {
        return Err(Error::new(
            Code::LimitReached,
            format!("A customer has at most {MAX_USERS} users."),
        ));
    }
    let user_id = choose_id(sql, &user.subject, now, entropy)?;
    let profile = UserProfile {
        subject: user.subject.clone(),
        email: verified_email(user),
        display_name: None,
        locale: None,
        time_zone: None,
    };
    let sealed = fields.seal_json(Column::UserProfile, user_id.as_str(), &profile, entropy)?;
    sql.exec(
        "INSERT INTO users (user_id, subject_index, version, profile, preferences_version, preferences, created_at, \
         updated_at, last_seen_at) VALUES (?, ?, 1, ?, 0, NULL, ?, ?, ?)",
        &[
            user_id.as_str().into(),
            subject_index.into(),
            sealed.into(),
            now.as_millis().into(),
            now.as_millis().into(),
            now.hour().as_millis().into(),
        ],
    )?;
    let made = json!({"userId": user_id, "subject": profile.subject, "email": profile.email});
    let mut changed = Map::new();
    changed.insert("user".to_owned(), json!({"before": null, "after": made}));
    let seen = Seen {
        user_id,
        email: profile.email,
        hour: now.hour(),
    };
    Ok((seen, changed))
}

/// The `sub` itself where it looks like ours and no other user bears it, else a new id. (Another can bear it:
/// an id minted for somebody may turn up as somebody else's `sub`.)
fn choose_id(sql: &dyn Sql, subject: &str, now: Timestamp, entropy: &mut dyn Entropy) -> Result<UserId> {
    if let Some(own) = UserId::parse(subject) {
        let taken = sql.exec("SELECT 1 FROM users WHERE user_id = ?", &[own.as_str().into()])?;
        if taken.is_empty() {
            return Ok(own);
        }
    }
    Ok(UserId::mint(now, random(entropy)?))
}

fn verified_email(user: &caller::User) -> Option<String> {
    user.email.clone().filter(|_| user.email_verified)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn tag_of_a_user_is_unchanged_and_no_other_user_s() {
        let tag = |incarnation, user| version(incarnation, &UserId::parse(user).unwrap(), 3).to_string();
        let own = tag("6c0d41e09d4603da", "user_abcdefabcdef");
        assert_eq!(own, "62e7faadddba2970.3");
        assert_ne!(own, tag("6c0d41e09d4603da", "user_abcdefabcdeg"));
        assert_ne!(own, tag("6c0d41e09d4603db", "user_abcdefabcdef"));
    }
}
