//! Entries without a detail: those about an erasure. They say nothing personal, and are written when there is no key
//! any more to seal a detail with.

use super::{Actor, Entry, FORMAT, Head, Header, SALT_BYTES};
use crate::entropy::{Entropy, random};
use crate::error::{Error, Result};
use crate::json;
use crate::sql::Sql;
use crate::types::{CustomerId, RequestId, Timestamp};
use crate::verify::chain::{commitment, hex, leaf, link};
use serde_json::Map;

/// Appends an entry by the object itself.
///
/// # Errors
/// `internal_error` from the engine or the source of entropy.
pub fn append(
    head: &mut Head,
    sql: &dyn Sql,
    customer_id: &CustomerId,
    action: &'static str,
    now: Timestamp,
    entropy: &mut dyn Entropy,
) -> Result<()> {
    let request_id = RequestId::mint(now, random(entropy)?);
    let entry = Entry {
        actor: Actor {
            id: "object".to_owned(),
            kind: "system",
        },
        action,
        target: "customer",
        outcome: "ok",
        request_id: &request_id,
        detail: Map::new(),
        limiter: None,
    };
    append_entry(head, sql, customer_id, entry, now, entropy)
}

/// Appends an entry whose detail is empty, whatever it was, and whose salt is not kept: as if retention had let it go
/// at once.
///
/// # Errors
/// As [`append`].
pub fn append_entry(
    head: &mut Head,
    sql: &dyn Sql,
    customer_id: &CustomerId,
    entry: Entry<'_>,
    now: Timestamp,
    entropy: &mut dyn Entropy,
) -> Result<()> {
    let salt: [u8; SALT_BYTES] = random(entropy)?;
    let seq = head.seq.saturating_add(1);
    let at = head.at.max(now);
    let header = json::to_bytes(&Header {
        action: entry.action,
        actor: &entry.actor,
        at,
        commitment: hex(&commitment(&salt, b"{}")),
        customer_id,
        outcome: entry.outcome,
        request_id: entry.request_id,
        seq,
        target: entry.target,
        v: FORMAT,
    })?;
    let hash = link(&head.hash, &leaf(&header));
    let header = String::from_utf8(header).map_err(|_| Error::fault("an audit header is not UTF-8"))?;
    sql.exec(
        "INSERT INTO audit (header, hash, limiter) VALUES (?, ?, ?)",
        &[header.into(), hash.as_slice().into(), entry.limiter.into()],
    )?;
    *head = Head { seq, hash, at };
    Ok(())
}
