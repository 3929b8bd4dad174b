//! What a request to read the audit log asks for, from its query.

use crate::customer::audit::page::{AuditQuery, DEFAULT_LIMIT, MAX_LIMIT, entry_not_found};
use crate::edge::query::Query;
use crate::error::Result;

/// Longest value of the filters `action`, `actor` and `outcome`, in characters; an id has at most 64.
const MAX_FILTER_CHARS: usize = 64;
/// The largest sequence number that a double holds exactly.
const MAX_SEQ: i64 = 9_007_199_254_740_991;

/// The query of the list.
///
/// # Errors
/// `malformed_request`.
pub fn list(query: &str) -> Result<AuditQuery> {
    let mut query = Query::parse(query)?;
    let word = |query: &mut Query, name| query.field(name, "a word of the audit log", word);
    let asked = AuditQuery {
        limit: query.integer("limit", 1..=MAX_LIMIT)?.unwrap_or(DEFAULT_LIMIT),
        cursor: query.take("cursor"),
        action: word(&mut query, "action")?,
        actor: word(&mut query, "actor")?,
        outcome: word(&mut query, "outcome")?,
        from: query.time("from")?,
        to: query.time("to")?,
    };
    query.finish()?;
    Ok(asked)
}

/// The query of the head.
///
/// # Errors
/// `malformed_request`.
pub fn since(query: &str) -> Result<Option<i64>> {
    let mut query = Query::parse(query)?;
    let since = query.integer("since", 0..=MAX_SEQ)?;
    query.finish()?;
    Ok(since)
}

/// The number of an entry, from the path.
///
/// # Errors
/// `audit_entry_not_found` for what can be none.
pub fn seq(variable: &str) -> Result<i64> {
    let plain = !variable.starts_with('0') && variable.bytes().all(|byte| byte.is_ascii_digit());
    let seq = variable.parse().ok().filter(|seq| plain && *seq <= MAX_SEQ);
    seq.ok_or_else(entry_not_found)
}

fn word(text: &str) -> Option<String> {
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (text.len() <= MAX_FILTER_CHARS && text.bytes().all(sound)).then(|| text.to_owned())
}
