//! The table `legacy`: documents that came along, each sealed for its row.

use crate::crypto::Column;
use crate::customer::turn::Turn;
use crate::error::Result;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What all records of the customer say together.
    Customer,
    /// Preferences, and whether a user has them.
    Preferences,
    /// An API key's record as it was.
    ApiKey,
    /// A day of the audit log.
    Audit,
    /// A reserved display name.
    DisplayName,
}

const DOCUMENT: Column = Column::LegacyDocument;

/// Most days of the older audit log that are kept; of more, the latest.
pub const MAX_AUDIT_DAYS: i64 = 400;
/// Most reserved display names that are kept.
pub const MAX_DISPLAY_NAMES: i64 = 50;

impl Kind {
    /// The kind as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Preferences => "preferences",
            Self::ApiKey => "api_key",
            Self::Audit => "audit",
            Self::DisplayName => "display_name",
        }
    }

    const fn most(self) -> i64 {
        match self {
            Self::Customer | Self::Preferences => 1,
            Self::Audit => MAX_AUDIT_DAYS,
            Self::DisplayName => MAX_DISPLAY_NAMES,
            // As many as there are keys, which are bounded themselves.
            Self::ApiKey => crate::customer::api_keys::MAX_LEGACY_KEYS as i64,
        }
    }
}

fn row(kind: Kind, key: &str) -> String {
    format!("{}/{key}", kind.as_str())
}

/// The document of that kind and key.
///
/// # Errors
/// `sealed_data_unreadable`, or `internal_error` from the engine.
pub fn get<T: DeserializeOwned>(turn: &Turn<'_>, kind: Kind, key: &str) -> Result<Option<T>> {
    let rows = turn.sql.exec(
        "SELECT document FROM legacy WHERE kind = ? AND key = ?",
        &[kind.as_str().into(), key.into()],
    )?;
    let Some(found) = rows.first() else {
        return Ok(None);
    };
    let row = row(kind, key);
    turn.fields()?.open_json(DOCUMENT, &row, found.blob(0)?).map(Some)
}

/// Writes a document, in place of an older one of that key.
///
/// # Errors
/// `internal_error` from the engine or the source of entropy.
pub fn put<T: Serialize>(turn: &mut Turn<'_>, kind: Kind, key: &str, document: &T) -> Result<()> {
    let fields = turn.fields()?;
    let sealed = fields.seal_json(DOCUMENT, &row(kind, key), document, turn.entropy)?;
    turn.sql.exec(
        "INSERT INTO legacy (kind, key, document) VALUES (?, ?, ?) \
         ON CONFLICT (kind, key) DO UPDATE SET document = excluded.document",
        &[kind.as_str().into(), key.into(), sealed.into()],
    )?;
    Ok(())
}

/// Adds a document unless it is there. False if it was, or if the bound leaves no room for it: of too many the ones
/// whose keys sort last are kept, whichever came first.
///
/// # Errors
/// As [`put`].
pub fn add(turn: &mut Turn<'_>, kind: Kind, key: &str, document: &Value) -> Result<Added> {
    let known = turn.sql.exec(
        "SELECT 1 FROM legacy WHERE kind = ? AND key = ?",
        &[kind.as_str().into(), key.into()],
    )?;
    if !known.is_empty() {
        return Ok(Added::Known);
    }
    let rows = turn.sql.exec(
        "SELECT count(*), min(key) FROM legacy WHERE kind = ?",
        &[kind.as_str().into()],
    )?;
    let count = rows.first().map_or(Ok(0), |row| row.integer(0))?;
    if count >= kind.most() {
        let first = rows.first().map_or(Ok(""), |row| row.text(1))?;
        if key <= first {
            return Ok(Added::NoRoom);
        }
        turn.sql.exec(
            "DELETE FROM legacy WHERE kind = ? AND key = ?",
            &[kind.as_str().into(), first.into()],
        )?;
    }
    put(turn, kind, key, document)?;
    Ok(Added::New)
}

/// What adding a document came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// It was not there.
    New,
    /// It was.
    Known,
    /// There are as many as may be, and it is not one of those that are kept.
    NoRoom,
}

/// All documents with their kinds and keys, for the export; at most `limit`, from behind `after`.
///
/// # Errors
/// As [`get`].
pub fn page(turn: &Turn<'_>, after: (&str, &str), limit: i64) -> Result<Vec<(String, String, Value)>> {
    let rows = turn.sql.exec(
        "SELECT kind, key, document FROM legacy WHERE (kind, key) > (?, ?) ORDER BY kind, key LIMIT ?",
        &[after.0.into(), after.1.into(), limit.into()],
    )?;
    rows.iter()
        .map(|found| {
            let (kind, key) = (found.text(0)?, found.text(1)?);
            let row = format!("{kind}/{key}");
            let document = turn.fields()?.open_json(DOCUMENT, &row, found.blob(2)?)?;
            Ok((kind.to_owned(), key.to_owned(), document))
        })
        .collect()
}
