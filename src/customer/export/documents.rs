//! The documents of an export, out of what lies sealed in storage. What cannot be opened breaks nothing: its fields are
//! null, and `unreadable` beside them names them.

use crate::crypto::{Column, FieldKeys};
use crate::customer::api_keys::{Keys, Settings};
use crate::customer::preferences;
use crate::customer::profile::Record;
use crate::customer::users::UserRecord;
use crate::error::{Code, Result};
use crate::json;
use crate::sql::Row;
use crate::types::{CustomerId, Timestamp};
use serde_json::{Map, Value, json};

/// JSON, and how many fields of it could not be opened.
pub type Opened = (Vec<u8>, u64);

/// The personal fields of a customer.
const PROFILE: [&str; 5] = ["email", "name", "companyName", "displayName", "metadata"];
/// Those of a user.
const USER: [&str; 5] = ["subject", "email", "displayName", "locale", "timeZone"];

/// What was opened; `None` if it cannot be, while any other failure stays one.
pub fn if_readable<T>(opened: Result<T>) -> Result<Option<T>> {
    match opened {
        Ok(opened) => Ok(Some(opened)),
        Err(error) if error.code == Code::SealedDataUnreadable => Ok(None),
        Err(error) => Err(error),
    }
}

/// The document with those fields null and named.
fn without(mut document: Map<String, Value>, names: &[&str]) -> Result<Opened> {
    for name in names {
        document.insert((*name).to_owned(), Value::Null);
    }
    if !names.is_empty() {
        document.insert("unreadable".to_owned(), json!(names));
    }
    Ok((json::to_bytes(&document)?, names.len() as u64))
}

/// `customer.json`.
pub fn customer(record: &Record, id: &CustomerId) -> Result<Opened> {
    let profile = if_readable(record.profile.clone())?;
    let reason = if_readable(record.status_reason.clone())?;
    let mut lost = Vec::new();
    if profile.is_none() {
        lost.extend(PROFILE);
    }
    if reason.is_none() {
        lost.push("statusReason");
    }
    let shown = Record {
        profile: Ok(profile.unwrap_or_default()),
        status_reason: Ok(reason.flatten()),
        ..record.clone()
    };
    without(json::from_stored(&shown.to_json(id)?, "a document")?, &lost)
}

/// `api-keys.json`.
pub fn keys(keys: &Keys, now: Timestamp) -> Result<Opened> {
    let now = keys.at(now);
    let (mut out, mut lost) = (b"[".to_vec(), 0_u64);
    for key in keys.iter() {
        let mut shown = key.clone();
        let names: &[&str] = if if_readable(shown.settings.clone())?.is_some() {
            &[]
        } else {
            shown.settings = Ok(Settings::default());
            &["name", "allowedOrigins"]
        };
        let (bytes, count) = without(json::from_stored(&shown.to_json(now)?, "a document")?, names)?;
        out.extend(if out.len() > 1 { b",\n".as_slice() } else { b"\n" });
        out.extend(bytes);
        lost = lost.saturating_add(count);
    }
    out.extend(b"\n]\n");
    Ok((out, lost))
}

/// One of `users.json`.
pub fn user(user: &UserRecord, id: &CustomerId) -> Result<Opened> {
    let profile = if_readable(user.profile.clone())?;
    let names: &[&str] = if profile.is_some() { &[] } else { &USER };
    let shown = UserRecord {
        profile: Ok(profile.unwrap_or_default()),
        ..user.clone()
    };
    let mut document: Map<String, Value> = json::from_stored(&shown.to_json(id)?, "a document")?;
    document.insert("subject".to_owned(), shown.profile()?.subject.as_str().into());
    without(document, names)
}

/// One of `preferences.json`, from `preferences_version, preferences`.
pub fn preferences(
    user: &UserRecord,
    fields: &FieldKeys,
    number: i64,
    stored: Option<&[u8]>,
) -> Result<Opened> {
    let opened = if_readable(preferences::from_stored(fields, &user.user_id, number, stored))?;
    let names: &[&str] = if opened.is_some() { &[] } else { &["preferences"] };
    let mut document = Map::new();
    document.insert("userId".to_owned(), json!(user.user_id));
    document.insert("preferences".to_owned(), json!(opened));
    without(document, names)
}

/// One of `legacy.json`, from `kind, key, document`.
pub fn legacy(row: &Row, fields: &FieldKeys) -> Result<Opened> {
    let (kind, key) = (row.text(0)?, row.text(1)?);
    let place = format!("{kind}/{key}");
    let opened: Option<Value> = if_readable(fields.open_json(Column::LegacyDocument, &place, row.blob(2)?))?;
    let names: &[&str] = if opened.is_some() { &[] } else { &["document"] };
    let mut document = Map::new();
    document.insert("kind".to_owned(), kind.into());
    document.insert("key".to_owned(), key.into());
    document.insert("document".to_owned(), opened.unwrap_or_default());
    without(document, names)
}
