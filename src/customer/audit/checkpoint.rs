//! Where the log ends, signed, and the leaves by which an older head is extended to it.

use super::Head;
use crate::crypto::SigningKeys;
use crate::error::{Code, Error, Result};
use crate::json;
use crate::sql::Sql;
use crate::types::{CustomerId, Timestamp, serialize_rfc3339};
use crate::verify::{Checkpoint, chain};
use serde::Serialize;

/// Most leaf hashes of one answer.
pub const MAX_LEAVES: i64 = 10_000;
/// Headers that are read at once.
const CHUNK_ROWS: i64 = 500;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HeadView {
    seq: i64,
    hash: String,
    #[serde(serialize_with = "serialize_rfc3339")]
    at: Timestamp,
    checkpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    leaves: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_since: Option<i64>,
}

/// The signed note about this head.
///
/// # Errors
/// `internal_error`, in practice never.
pub fn checkpoint(
    head: &Head,
    customer_id: &CustomerId,
    keys: &SigningKeys,
    now: Timestamp,
) -> Result<String> {
    Ok(keys.note(&Checkpoint {
        customer_id: customer_id.to_string(),
        seq: u64::try_from(head.seq).map_err(|_| Error::fault("a negative head"))?,
        hash: head.hash,
        at: now.max(head.at).to_rfc3339(),
    }))
}

/// The resource `audit/head` as JSON; with the leaf hashes of the entries after `since`, if that is given.
///
/// # Errors
/// `malformed_request` if the log does not reach to `since`; `internal_error` from the engine.
pub fn view(
    sql: &dyn Sql,
    head: &Head,
    customer_id: &CustomerId,
    keys: &SigningKeys,
    since: Option<i64>,
    now: Timestamp,
) -> Result<Vec<u8>> {
    let mut view = HeadView {
        seq: head.seq,
        hash: chain::hex(&head.hash),
        at: head.at,
        checkpoint: checkpoint(head, customer_id, keys, now)?,
        leaves: None,
        next_since: None,
    };
    if let Some(since) = since {
        if since > head.seq {
            let told = "The query parameter since must be the number of an entry that the log has.";
            return Err(Error::new(Code::MalformedRequest, told));
        }
        let until = head.seq.min(since.saturating_add(MAX_LEAVES));
        view.leaves = Some(leaves(sql, since, until)?);
        view.next_since = (until < head.seq).then_some(until);
    }
    json::to_bytes(&view)
}

fn leaves(sql: &dyn Sql, mut after: i64, until: i64) -> Result<Vec<String>> {
    let mut leaves = Vec::new();
    while after < until {
        let rows = sql.exec(
            "SELECT seq, header FROM audit WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
            &[after.into(), until.into(), CHUNK_ROWS.into()],
        )?;
        for row in &rows {
            after = row.integer(0)?;
            leaves.push(chain::hex(&chain::leaf(row.text(1)?.as_bytes())));
        }
        if rows.is_empty() {
            return Err(Error::fault("the audit log has a gap"));
        }
    }
    Ok(leaves)
}
