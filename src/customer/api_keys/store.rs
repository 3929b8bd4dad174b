//! The rows of the keys. A row is read at wake-up and written when its key changes.

use super::record::{KeyLimit, KeyRecord};
use super::scope;
use crate::crypto::{Column, FieldKeys};
use crate::entropy::Entropy;
use crate::error::{Error, Result};
use crate::sql::{Row, Sql, Value};
use crate::types::{KeyDigest, KeyId, Timestamp};

/// All keys, oldest first.
///
/// # Errors
/// `internal_error` if the engine fails or a row is unreadable.
pub(super) fn load(sql: &dyn Sql, fields: &FieldKeys) -> Result<Vec<KeyRecord>> {
    let rows = sql.exec(
        "SELECT key_id, digest, legacy, version, settings, prefix, last4, scopes, limit_q, limit_w, created_at, \
         expires_at, last_used_at, rotated_at, revoked_at, rotated_from FROM api_keys ORDER BY key_id",
        &[],
    )?;
    rows.iter().map(|row| read(row, fields)).collect()
}

fn read(row: &Row, fields: &FieldKeys) -> Result<KeyRecord> {
    let digest = row.blob(1)?.try_into();
    let settings = fields.open_json(Column::ApiKeySettings, row.text(0)?, row.blob(4)?);
    let limit = row.integer_or_null(8)?.zip(row.integer_or_null(9)?);
    let time = |column| Ok::<_, Error>(row.integer_or_null(column)?.map(Timestamp::from_millis));
    Ok(KeyRecord {
        key_id: key_id(row.text(0)?)?,
        digest: KeyDigest::new(digest.map_err(|_| Error::fault("a stored digest is malformed"))?),
        legacy: row.integer(2)? == 1,
        version: row.integer(3)?,
        settings,
        prefix: row.text(5)?.to_owned(),
        last4: row.text_or_null(6)?.map(str::to_owned),
        scopes: scope::split(row.text(7)?)?,
        limit: limit.map(|(q, w)| KeyLimit { q, w }),
        created_at: Timestamp::from_millis(row.integer(10)?),
        expires_at: time(11)?,
        last_used_at: time(12)?,
        rotated_at: time(13)?,
        revoked_at: time(14)?,
        rotated_from: row.text_or_null(15)?.map(key_id).transpose()?,
    })
}

fn key_id(text: &str) -> Result<KeyId> {
    KeyId::parse(text).ok_or_else(|| Error::fault("a stored key id is malformed"))
}

fn settings(key: &KeyRecord, fields: &FieldKeys, entropy: &mut dyn Entropy) -> Result<Value> {
    let sealed = fields.seal_json(
        Column::ApiKeySettings,
        key.key_id.as_str(),
        key.settings()?,
        entropy,
    )?;
    Ok(sealed.into())
}

fn millis(at: Option<Timestamp>) -> Value {
    at.map(Timestamp::as_millis).into()
}

/// # Errors
/// `internal_error` from the engine.
pub(super) fn insert(
    sql: &dyn Sql,
    fields: &FieldKeys,
    key: &KeyRecord,
    entropy: &mut dyn Entropy,
) -> Result<()> {
    sql.exec(
        "INSERT INTO api_keys (key_id, digest, legacy, version, settings, prefix, last4, scopes, limit_q, limit_w, \
         created_at, expires_at, last_used_at, rotated_at, revoked_at, rotated_from) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        &[
            key.key_id.as_str().into(),
            key.digest.as_bytes().as_slice().into(),
            i64::from(key.legacy).into(),
            key.version.into(),
            settings(key, fields, entropy)?,
            key.prefix.as_str().into(),
            key.last4.as_deref().into(),
            scope::join(&key.scopes).into(),
            key.limit.map(|limit| limit.q).into(),
            key.limit.map(|limit| limit.w).into(),
            key.created_at.as_millis().into(),
            millis(key.expires_at),
            millis(key.last_used_at),
            millis(key.rotated_at),
            millis(key.revoked_at),
            key.rotated_from.as_ref().map(KeyId::as_str).into(),
        ],
    )?;
    Ok(())
}

/// Writes all that can change of a key, but for the hour of its last use.
///
/// # Errors
/// `internal_error` from the engine.
pub(super) fn update(
    sql: &dyn Sql,
    fields: &FieldKeys,
    key: &KeyRecord,
    entropy: &mut dyn Entropy,
) -> Result<()> {
    sql.exec(
        "UPDATE api_keys SET version = ?, settings = ?, scopes = ?, limit_q = ?, limit_w = ?, expires_at = ?, \
         rotated_at = ?, revoked_at = ? WHERE key_id = ?",
        &[
            key.version.into(),
            settings(key, fields, entropy)?,
            scope::join(&key.scopes).into(),
            key.limit.map(|limit| limit.q).into(),
            key.limit.map(|limit| limit.w).into(),
            millis(key.expires_at),
            millis(key.rotated_at),
            millis(key.revoked_at),
            key.key_id.as_str().into(),
        ],
    )?;
    Ok(())
}

/// Writes how and when a key ends, and nothing that is sealed.
///
/// # Errors
/// `internal_error` from the engine.
pub(super) fn end(sql: &dyn Sql, key: &KeyRecord) -> Result<()> {
    sql.exec(
        "UPDATE api_keys SET version = ?, expires_at = ?, rotated_at = ?, revoked_at = ? WHERE key_id = ?",
        &[
            key.version.into(),
            millis(key.expires_at),
            millis(key.rotated_at),
            millis(key.revoked_at),
            key.key_id.as_str().into(),
        ],
    )?;
    Ok(())
}

/// # Errors
/// `internal_error` from the engine.
pub(super) fn touch(sql: &dyn Sql, key_id: &KeyId, hour: Timestamp) -> Result<()> {
    sql.exec(
        "UPDATE api_keys SET last_used_at = ? WHERE key_id = ?",
        &[hour.as_millis().into(), key_id.as_str().into()],
    )?;
    Ok(())
}

/// # Errors
/// `internal_error` from the engine.
pub(super) fn delete(sql: &dyn Sql, key_id: &KeyId) -> Result<()> {
    sql.exec("DELETE FROM api_keys WHERE key_id = ?", &[key_id.as_str().into()])?;
    Ok(())
}
