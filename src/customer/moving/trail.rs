//! What the documents that came along tell of further records in the older service's store, for an erasure.

use super::Stored;
use super::belongings::Kept;
use super::store::Kind;
use crate::crypto::{Column, FieldKeys};
use crate::error::{Code, Result};
use crate::legacy::owned::Trail;
use crate::sql::{Row, Sql};
use serde_json::Value;

/// Follows every document that may tell of one, one at a time. False if any of them cannot be read: the trail has
/// then what the others say.
///
/// # Errors
/// `internal_error` from the engine.
pub fn follow(sql: &dyn Sql, fields: &FieldKeys, trail: &mut Trail) -> Result<bool> {
    let mut is_whole = true;
    let mut after = (String::new(), String::new());
    loop {
        // Of the days of the audit log one is enough: they tell no more than under which id they lay.
        let rows = sql.exec(
            "SELECT kind, key, document FROM legacy WHERE (kind, key) > (?1, ?2) \
             AND NOT (kind = 'audit' AND ?1 = 'audit') ORDER BY kind, key LIMIT 1",
            &[after.0.as_str().into(), after.1.as_str().into()],
        )?;
        let Some(row) = rows.first() else {
            return Ok(is_whole);
        };
        match tell(fields, row, trail) {
            Err(error) if error.code == Code::SealedDataUnreadable => is_whole = false,
            told => told?,
        }
        after = (row.text(0)?.to_owned(), row.text(1)?.to_owned());
    }
}

fn tell(fields: &FieldKeys, row: &Row, trail: &mut Trail) -> Result<()> {
    let (kind, key, sealed) = (row.text(0)?, row.text(1)?, row.blob(2)?);
    let place = format!("{kind}/{key}");
    let is = |known: Kind| kind == known.as_str();
    if is(Kind::ApiKey) {
        // The table itself tells the hash.
        trail.api_key(key);
    }
    if is(Kind::Customer) {
        let stored: Stored = fields.open_json(Column::LegacyDocument, &place, sealed)?;
        trail.facts(&stored.facts);
    } else if is(Kind::Preferences) {
        let kept: Kept = fields.open_json(Column::LegacyDocument, &place, sealed)?;
        trail.preferences(&kept.document);
    } else {
        let document: Value = fields.open_json(Column::LegacyDocument, &place, sealed)?;
        trail.document(&document);
    }
    Ok(())
}
