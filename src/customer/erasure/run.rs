//! Carrying out an erasure. [`begin`] is the one commit; [`wipe`] and [`finish`] follow, from the alarm. Between two
//! of them anything may crash: what is done is found done, what is half done was rolled back. None of them needs the
//! customer's key, so a customer whose key is lost can be erased as well.
//!
//! 1. `begin`: the record becomes a tombstone, all ways to it end, and the outbox is told everything that others must
//!    hear: the list, the claim of the e-mail, the aliases, the older service's store, the key vault.
//! 2. `wipe`: the rows go, and the details of the audit log, so many at a time.
//! 3. `finish`: once everybody has heard it and no row is left, the log is closed and the certificate signed.

use super::{Erased, Erasure};
use crate::customer::account::Account;
use crate::customer::audit::{Head, bare};
use crate::customer::outbox::{Kind, Outbox};
use crate::customer::turn::Turn;
use crate::error::{Error, Result};
use crate::json;
use crate::sql::{Sql, is_initialised};
use crate::types::{CustomerId, Timestamp};
use crate::verify::certificate::{Certificate, Item, Log, LogEnd};
use crate::verify::chain::hex;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Rows that one step destroys at most.
pub const WIPE_ROWS: i64 = 1_000;
/// How long the platform can bring back what an object held, in milliseconds: 30 days of point-in-time recovery.
pub const RECOVERABLE_MS: i64 = 30 * 86_400_000;

/// How far the destruction is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Progress {
    /// What was destroyed so far, by kind.
    pub destroyed: BTreeMap<String, i64>,
    /// Where the log ended before.
    pub before: LogEnd,
    /// The first entry whose detail may still be there.
    pub detail_from: i64,
    /// Whether no row and no detail is left.
    pub is_empty: bool,
    /// What came of the older service's store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legacy: Option<Legacy>,
}

/// What came of the older service's store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Legacy {
    /// The service is not bound to one.
    NotBound,
    /// So many records under the customer's id were deleted.
    Deleted(i64),
}

/// A table that is emptied: how the certificate calls its rows, and the statement.
type Wiped = (&'static str, &'static str, &'static str);

macro_rules! wiped {
    ($($table:literal $key:literal $kind:literal;)*) => {
        /// Every table that is emptied, with what the certificate calls its rows. The others hold nothing of a person.
        pub const WIPED: &[Wiped] = &[$((
            $table,
            $kind,
            concat!("DELETE FROM ", $table, " WHERE ", $key, " IN (SELECT ", $key, " FROM ", $table, " LIMIT ?) RETURNING 1"),
        ),)*];
    };
}

wiped! {
    "users" "user_id" "users";
    "api_keys" "key_id" "apiKeys";
    "revocations" "hash" "revocations";
    "idempotency" "seq" "storedReplies";
    "limits" "one" "limits";
    "limiter" "one" "limits";
    "usage" "day" "usage";
    "legacy" "key" "movedInDocuments";
    "exports" "export_id" "exportsUnderWay";
    "export_users" "user_id" "exportCopies";
    "export_legacy" "key" "exportCopies";
}

/// Tables that an erased customer keeps, because they are the tombstone or what is left of the log.
pub const KEPT: &[&str] = &[
    "account",
    "alias_erased",
    "alias_of",
    "aliases",
    "audit",
    "customer",
    "erasure",
    "outbox",
    "schema_version",
    "stood_aside",
    "token_state",
];

/// 1. Makes the customer erased if its erasure is due; says whether it did. Whatever is remembered of it must be
///    forgotten then, the key as well.
///
/// # Errors
/// Only faults.
pub fn begin(turn: &mut Turn<'_>) -> Result<bool> {
    let (sql, now) = (turn.sql, turn.now);
    if !is_initialised(sql)? {
        return Ok(false);
    }
    let Some(erasure) = Erasure::load(sql)?.filter(|erasure| erasure.is_due(now)) else {
        return Ok(false);
    };
    let mut head = Head::load(sql, turn.id)?;
    let before = end_of(&head);
    let mut destroyed = BTreeMap::from([("profiles".to_owned(), 1), ("dataKeys".to_owned(), 1)]);
    say_it(sql, &mut destroyed, now)?;
    sql.exec(
        "UPDATE customer SET version = version + 1, status = 'erased', status_reason = NULL, status_changed_at = ?1, \
         plan = 'free', features = '{}', profile = x'', updated_at = max(updated_at, ?1), last_seen_at = NULL, \
         key_fingerprint = zeroblob(32) WHERE one = 1",
        &[now.as_millis().into()],
    )?;
    bare::append(&mut head, sql, turn.id, "customer.erase", now, turn.entropy)?;
    let progress = Progress {
        destroyed,
        before,
        detail_from: 1,
        is_empty: false,
        legacy: None,
    };
    sql.exec(
        "UPDATE erasure SET erased_at = ?, progress = ? WHERE one = 1",
        &[
            now.max(erasure.requested_at).as_millis().into(),
            text(&progress)?.into(),
        ],
    )?;
    Ok(true)
}

/// Everything that others must hear.
fn say_it(sql: &dyn Sql, destroyed: &mut BTreeMap<String, i64>, now: Timestamp) -> Result<()> {
    let mut account = Account::load(sql)?;
    let mut outbox = Outbox::load(sql)?;
    let claimed = account.email_index.filter(|_| account.email_claimed);
    if let Some(index) = claimed {
        let attempt = account.email_attempt;
        outbox.put(sql, &Kind::Release { index, attempt }, now)?;
    }
    if let Some(pending) = &account.pending {
        let (index, attempt) = (pending.index, pending.attempt);
        outbox.put(sql, &Kind::Release { index, attempt }, now)?;
    }
    destroyed.insert("emailClaims".to_owned(), i64::from(claimed.is_some()));
    account.rev = account.rev.saturating_add(1);
    account.email_index = None;
    account.email_claimed = false;
    account.pending = None;
    account.save(sql)?;
    outbox.put(sql, &Kind::List { rev: account.rev }, now)?;
    let rows = sql.exec("DELETE FROM aliases RETURNING alias", &[])?;
    for row in &rows {
        let alias = CustomerId::parse(row.text(0)?);
        let alias = alias.ok_or_else(|| Error::fault("a stored alias is malformed"))?;
        outbox.put(sql, &Kind::Alias(alias), now)?;
    }
    destroyed.insert("aliasBindings".to_owned(), count(rows.len()));
    outbox.put(sql, &Kind::Legacy, now)?;
    outbox.put(sql, &Kind::Vault, now)?;
    outbox.hasten(sql, now)
}

/// Goes on with the destruction: one bounded step, or the end of it. Nothing, if it is done or must wait for others.
///
/// # Errors
/// Only faults.
pub fn advance(turn: &mut Turn<'_>) -> Result<()> {
    let Some(Erasure {
        asked_by,
        requested_at,
        due_at,
        erased:
            Some(Erased {
                at,
                mut progress,
                certificate: None,
            }),
        ..
    }) = Erasure::load(turn.sql)?
    else {
        return Ok(());
    };
    if !progress.is_empty {
        wipe(turn.sql, &mut progress)?;
        return save(turn.sql, &progress);
    }
    if Outbox::load(turn.sql)?.due.is_some() {
        return Ok(());
    }
    // 3.
    let mut head = Head::load(turn.sql, turn.id)?;
    bare::append(
        &mut head,
        turn.sql,
        turn.id,
        "customer.erased",
        turn.now,
        turn.entropy,
    )?;
    let completed = head.at;
    let until = Timestamp::from_millis(completed.as_millis().saturating_add(RECOVERABLE_MS));
    let certificate = Certificate {
        v: 1,
        customer_id: turn.id.to_string(),
        asked_by,
        requested_at: requested_at.to_rfc3339(),
        due_at: due_at.to_rfc3339(),
        erased_at: at.to_rfc3339(),
        completed_at: completed.to_rfc3339(),
        kept: kept(),
        not_reached: not_reached(progress.legacy.as_ref(), until),
        destroyed: progress.destroyed,
        audit: Log {
            before: progress.before,
            after: end_of(&head),
        },
        key_recoverable_until: until.to_rfc3339(),
    };
    let signed = turn.config.signing.certificate(&certificate)?;
    turn.sql.exec(
        "UPDATE erasure SET certificate = ? WHERE one = 1",
        &[signed.into()],
    )?;
    Ok(())
}

/// 2. So many rows of those that are left.
fn wipe(sql: &dyn Sql, progress: &mut Progress) -> Result<()> {
    let mut room = WIPE_ROWS;
    for (_, kind, statement) in WIPED {
        let gone = count(sql.exec(statement, &[room.into()])?.len());
        add(progress, kind, gone);
        room = room.saturating_sub(gone);
        if room <= 0 {
            return Ok(());
        }
    }
    sql.exec("UPDATE token_state SET held = 0 WHERE held <> 0", &[])?;
    let until = progress.detail_from.saturating_add(room);
    let rows = sql.exec(
        "UPDATE audit SET detail = NULL, limiter = NULL WHERE seq >= ?1 AND seq < ?2 \
         AND (detail IS NOT NULL OR limiter IS NOT NULL) RETURNING 1",
        &[progress.detail_from.into(), until.into()],
    )?;
    add(progress, "auditDetails", count(rows.len()));
    progress.detail_from = until;
    let last = sql.exec("SELECT max(seq) FROM audit", &[])?;
    let last = last.first().map_or(Ok(0), |row| row.integer(0))?;
    progress.is_empty = until > last;
    Ok(())
}

/// Writes down what came of the older service's store.
///
/// # Errors
/// `internal_error` from the engine.
pub fn heard_of_legacy(sql: &dyn Sql, outcome: &Legacy) -> Result<()> {
    let Some(Erased {
        mut progress,
        certificate: None,
        ..
    }) = Erasure::load(sql)?.and_then(|erasure| erasure.erased)
    else {
        return Ok(());
    };
    if let Legacy::Deleted(records) = outcome {
        add(&mut progress, "legacyRecords", *records);
    }
    progress.legacy = Some(outcome.clone());
    save(sql, &progress)
}

fn save(sql: &dyn Sql, progress: &Progress) -> Result<()> {
    sql.exec(
        "UPDATE erasure SET progress = ? WHERE one = 1",
        &[text(progress)?.into()],
    )?;
    Ok(())
}

fn text(progress: &Progress) -> Result<String> {
    String::from_utf8(json::to_bytes(progress)?).map_err(|_| Error::fault("progress is not UTF-8"))
}

fn add(progress: &mut Progress, kind: &str, gone: i64) {
    let sum = progress.destroyed.entry(kind.to_owned()).or_default();
    *sum = sum.saturating_add(gone);
}

fn count(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

fn end_of(head: &Head) -> LogEnd {
    LogEnd {
        seq: head.seq,
        hash: hex(&head.hash),
    }
}

fn item(what: &str, why: String) -> Item {
    Item {
        what: what.to_owned(),
        why,
    }
}

fn kept() -> Vec<Item> {
    vec![
        item(
            "tombstone",
            "The customer's id, when it was made and erased, and this certificate: so that no token, retry or import \
             brings it back."
                .to_owned(),
        ),
        item(
            "directoryRow",
            "The customer's id and that it is erased: so that a late message does not list it again.".to_owned(),
        ),
        item(
            "auditLog",
            "Who did what and when, under ids of the service's own, without any detail: so that the chain of hashes \
             still proves that nothing was left out or changed."
                .to_owned(),
        ),
    ]
}

fn not_reached(legacy: Option<&Legacy>, until: Timestamp) -> Vec<Item> {
    let mut items = vec![item(
        "platformBackups",
        format!(
            "The platform can bring back what its storage held up to 30 days ago, by the operator's account alone. What \
             it would bring back is sealed; the wrapped key to it could be brought back until {}, and opens only under \
             the operator's master key.",
            until.to_rfc3339()
        ),
    )];
    if let Some(Legacy::Deleted(_)) = legacy {
        items.push(item(
            "legacyStoreByHash",
            "Records of the older service that are kept under a hash of the e-mail, a display name or an API key: they \
             name the customer's id alone, and end with that store."
                .to_owned(),
        ));
    }
    items
}
