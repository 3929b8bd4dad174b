//! Reading the log, newest first: one page at a time, at a cost that depends neither on the log's length nor on how
//! deep the page lies. Times never go back along the log, so a time is found by bisection.

use super::view::{Viewer, entry};
use super::{Head, read_detail};
use crate::crypto::{CursorKey, FieldKeys};
use crate::error::{Code, Error, Result};
use crate::json;
use crate::sql::{Row, Sql};
use crate::types::{CustomerId, Timestamp};
use crate::verify::chain::hex;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Most entries of a page.
pub const MAX_LIMIT: i64 = 100;
/// Entries of a page whose request names no number.
pub const DEFAULT_LIMIT: i64 = 20;
/// Most entries that a filtered page looks at; it may then be short, with a cursor to go on.
pub const MAX_SCANNED: i64 = 10_000;
/// Entries that are read at once.
const CHUNK_ROWS: i64 = 10;
/// From this size on, in bytes of headers and details, a page takes no more entries.
const MAX_PAGE_BYTES: usize = 1024 * 1024;
/// Most steps of a bisection: sequence numbers stay below 2^53.
const MAX_STEPS: u32 = 53;

/// Which part of the log is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuditQuery {
    /// Most entries, 1 to [`MAX_LIMIT`].
    pub limit: i64,
    /// Where an earlier page ended.
    pub cursor: Option<String>,
    /// Only this action.
    pub action: Option<String>,
    /// Only this actor, by id or by kind.
    pub actor: Option<String>,
    /// Only this outcome.
    pub outcome: Option<String>,
    /// Only from this moment on.
    pub from: Option<Timestamp>,
    /// Only before this moment.
    pub to: Option<Timestamp>,
}

/// What reading takes.
#[allow(missing_debug_implementations)]
pub struct Reader<'a> {
    /// The object's storage.
    pub sql: &'a dyn Sql,
    /// Whose log.
    pub customer_id: &'a CustomerId,
    /// The keys of sealed fields; None of an erased customer, whose details are shown no more.
    pub fields: Option<&'a FieldKeys>,
    /// Where the log ends.
    pub head: &'a Head,
}

impl AuditQuery {
    fn is_filtered(&self) -> bool {
        self.action.is_some() || self.actor.is_some() || self.outcome.is_some()
    }

    /// What a cursor is bound to.
    fn scope(&self, customer_id: &CustomerId) -> String {
        let millis = |at: Option<Timestamp>| at.map(Timestamp::as_millis);
        let filters = json!([
            self.action,
            self.actor,
            self.outcome,
            millis(self.from),
            millis(self.to)
        ]);
        format!("audit|{customer_id}|{filters}")
    }
}

impl Reader<'_> {
    /// One page as JSON.
    ///
    /// # Errors
    /// `invalid_cursor`; `internal_error` if the engine fails or an entry is unreadable.
    pub fn page(&self, query: &AuditQuery, viewer: &Viewer<'_>, cursors: &CursorKey) -> Result<Vec<u8>> {
        let scope = query.scope(self.customer_id);
        let mut upper = match &query.cursor {
            Some(cursor) => position(&cursors.read(&scope, cursor)?)?,
            None => self.head.seq.saturating_add(1),
        };
        if let Some(to) = query.to {
            upper = upper.min(self.first_at(to)?);
        }
        let lowest = match query.from {
            Some(from) => self.first_at(from)?,
            None => 1,
        };
        let floor = if query.is_filtered() {
            lowest.max(upper.saturating_sub(MAX_SCANNED))
        } else {
            lowest
        };
        let mut data = Vec::new();
        let mut bytes = 0_usize;
        let mut is_exhausted = false;
        while !is_exhausted && (data.len() as i64) < query.limit && bytes < MAX_PAGE_BYTES {
            let wanted = CHUNK_ROWS.min(query.limit.saturating_sub(data.len() as i64));
            let rows = self.rows(upper, floor, wanted, query)?;
            is_exhausted = (rows.len() as i64) < wanted;
            for row in &rows {
                upper = row.integer(0)?;
                bytes = bytes.saturating_add(row.text(1)?.len());
                bytes = bytes.saturating_add(row.blob_or_null(2)?.map_or(0, <[u8]>::len));
                // An unreadable detail must not bar the way to all older entries; asked for alone it is refused.
                data.push(match self.shown(row, viewer) {
                    Err(error) if error.code == Code::SealedDataUnreadable => self.bare(row, viewer)?,
                    shown => shown?,
                });
            }
        }
        let next = if is_exhausted { floor } else { upper };
        let next = (next > lowest).then(|| cursors.write(&scope, next.to_string().as_bytes()));
        json::to_bytes(&json!({"data": data, "hasMore": next.is_some(), "nextCursor": next}))
    }

    /// One entry as JSON.
    ///
    /// # Errors
    /// `audit_entry_not_found`; `internal_error` if the engine fails or the entry is unreadable.
    pub fn one(&self, seq: i64, viewer: &Viewer<'_>) -> Result<Vec<u8>> {
        let rows = self.sql.exec(
            "SELECT seq, header, detail, hash FROM audit WHERE seq = ?",
            &[seq.into()],
        )?;
        let row = rows.first().ok_or_else(entry_not_found)?;
        json::to_bytes(&self.shown(row, viewer)?)
    }

    /// The rows below `upper` and not below `floor`, newest first.
    fn rows(&self, upper: i64, floor: i64, wanted: i64, query: &AuditQuery) -> Result<Vec<Row>> {
        self.sql.exec(
            "SELECT seq, header, detail, hash FROM audit WHERE seq < ?1 AND seq >= ?2 \
             AND (?3 IS NULL OR header ->> '$.action' = ?3) \
             AND (?4 IS NULL OR ?4 IN (header ->> '$.actor.id', header ->> '$.actor.kind')) \
             AND (?5 IS NULL OR header ->> '$.outcome' = ?5) \
             ORDER BY seq DESC LIMIT ?6",
            &[
                upper.into(),
                floor.into(),
                query.action.clone().into(),
                query.actor.clone().into(),
                query.outcome.clone().into(),
                wanted.into(),
            ],
        )
    }

    /// The entry without its detail, which is there and cannot be opened: null as one that is no longer kept, so it
    /// is named.
    fn bare(&self, row: &Row, viewer: &Viewer<'_>) -> Result<Value> {
        let header: Value = json::from_stored(row.text(1)?.as_bytes(), "audit header")?;
        let mut shown = entry(&header, None, &hex(row.blob(3)?), viewer);
        if let Value::Object(shown) = &mut shown {
            shown.insert("unreadable".to_owned(), json!(["detail"]));
        }
        Ok(shown)
    }

    fn shown(&self, row: &Row, viewer: &Viewer<'_>) -> Result<Value> {
        let seq = row.integer(0)?;
        let header: Value = json::from_stored(row.text(1)?.as_bytes(), "audit header")?;
        let detail = match (row.blob_or_null(2)?, self.fields) {
            (Some(stored), Some(fields)) => {
                let detail = read_detail(fields, seq, stored)?;
                Some(json::from_stored(&detail.text, "audit detail")?)
            }
            _ => None,
        };
        Ok(entry(&header, detail, &hex(row.blob(3)?), viewer))
    }

    /// The first entry at or after that moment; one past the last where there is none.
    ///
    /// # Errors
    /// `internal_error` if the engine fails or an entry is unreadable.
    pub fn first_at(&self, moment: Timestamp) -> Result<i64> {
        let (mut low, mut high) = (1, self.head.seq.saturating_add(1));
        for _ in 0..MAX_STEPS {
            if low >= high {
                break;
            }
            let middle = low.saturating_add(high.saturating_sub(low).div_euclid(2));
            if time_of(self.sql, middle)? < moment {
                low = middle.saturating_add(1);
            } else {
                high = middle;
            }
        }
        Ok(low)
    }
}

/// The time of an entry that is there.
///
/// # Errors
/// `internal_error` if the engine fails or the entry is missing or unreadable.
pub fn time_of(sql: &dyn Sql, seq: i64) -> Result<Timestamp> {
    let rows = sql.exec("SELECT header ->> '$.at' FROM audit WHERE seq = ?", &[seq.into()])?;
    let at = rows.first().map(|row| row.text(0)).transpose()?;
    at.and_then(Timestamp::parse_rfc3339)
        .ok_or_else(|| Error::fault("an audit entry is unreadable"))
}

/// The refusal of a number that no entry has.
#[must_use]
pub fn entry_not_found() -> Error {
    Error::new(Code::AuditEntryNotFound, Code::AuditEntryNotFound.title())
}

fn position(bytes: &[u8]) -> Result<i64> {
    std::str::from_utf8(bytes)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| Error::fault("a cursor of ours holds no position"))
}
