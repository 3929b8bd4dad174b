//! Carrying out an erasure. [`begin`] is the one commit; [`wipe`] and [`finish`] follow, from the alarm. Between two
//! of them anything may crash: what is done is found done, what is half done was rolled back. None of them needs the
//! customer's key, so a customer whose key is lost can be erased as well; an administrator can even ask for it then
//! (`Customer::decides_without_key`).
//!
//! 1. `begin`: the record becomes a tombstone, all ways to it end, and the outbox is told everything that others must
//!    hear: the list, the claim of the e-mail, the aliases, the older service's store.
//! 2. `wipe`: the rows go, and the details of the audit log, so many at a time.
//! 3. What tells under which e-mail, names and API keys the older store may have more ([`super::trail`]) stays, sealed,
//!    until that store is done with; then it goes too, and the key vault is told.
//! 4. `finish`: once everybody has heard it and no row is left, the log is closed and the certificate signed.

use super::{Erased, Erasure};
use crate::customer::account::Account;
use crate::customer::audit::{Head, bare};
use crate::customer::moving;
use crate::customer::outbox::{Kind, Outbox};
use crate::customer::turn::Turn;
use crate::error::{Error, Result};
use crate::json;
use crate::legacy::owned::Position;
use crate::order;
use crate::sql::{Sql, is_initialised};
use crate::types::{CustomerId, Timestamp};
use crate::verify::certificate::{Certificate, Item, Log, LogEnd};
use crate::verify::chain::hex;
use serde::{Deserialize, Serialize};

/// Rows that one step destroys at most.
pub const WIPE_ROWS: i64 = 1_000;
/// How long the platform can bring back what an object held, in milliseconds: 30 days of point-in-time recovery.
pub const RECOVERABLE_MS: i64 = 30 * 86_400_000;

/// How far the destruction is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Progress {
    /// What was destroyed so far, by kind.
    pub destroyed: order::Map<String, i64>,
    /// Where the log ended before.
    pub before: LogEnd,
    /// The first entry whose detail may still be there.
    pub detail_from: i64,
    /// Whether no row and no detail is left, but for what waits for the older service's store.
    pub is_empty: bool,
    /// Whether documents of the customer came from an older service.
    pub moved_in: bool,
    /// How far the older service's store is, and after how many rounds.
    #[serde(default)]
    pub way: Position,
    /// Rounds of it that are done.
    #[serde(default)]
    pub rounds: i64,
    /// Whether anything could not be read that tells of records in that store.
    #[serde(default)]
    pub is_blind: bool,
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
    /// So many of the customer's records were deleted, and these were the last.
    Deleted(i64),
    /// So many were, and there is more to do from here on.
    Partly(i64, Position),
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
    let once = ["profiles", "dataKeys"].map(|what| (what.to_owned(), 1));
    let mut destroyed = once.into_iter().collect();
    say_it(sql, &mut destroyed, now)?;
    let progress = Progress {
        destroyed,
        before,
        detail_from: 1,
        is_empty: false,
        moved_in: moving::has_documents(sql)?,
        way: Position::default(),
        rounds: 0,
        is_blind: false,
        legacy: None,
    };
    sql.exec(
        "UPDATE erasure SET erased_at = ?, progress = ?, profile = (SELECT profile FROM customer) WHERE one = 1",
        &[
            now.max(erasure.requested_at).as_millis().into(),
            text(&progress)?.into(),
        ],
    )?;
    sql.exec(
        "UPDATE customer SET version = version + 1, status = 'erased', status_reason = NULL, status_changed_at = ?1, \
         plan = 'free', features = '{}', profile = x'', updated_at = max(updated_at, ?1), last_seen_at = NULL, \
         key_fingerprint = zeroblob(32) WHERE one = 1",
        &[now.as_millis().into()],
    )?;
    bare::append(&mut head, sql, turn.id, "customer.erase", now, turn.entropy)?;
    Ok(true)
}

/// Everything that others must hear.
fn say_it(sql: &dyn Sql, destroyed: &mut order::Map<String, i64>, now: Timestamp) -> Result<()> {
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
    // The vault is told once that is done.
    outbox.put(sql, &Kind::Legacy { round: 0 }, now)?;
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
    // 4.
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
        kept: kept(&progress),
        not_reached: not_reached(&progress, until),
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
    for (table, kind, statement) in WIPED {
        if *table == "legacy" && progress.legacy.is_none() {
            continue;
        }
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

/// Writes down what came of a round through the older service's store. After the last one nothing is needed any more
/// of what told the way, nor the key to it. May be told twice.
///
/// # Errors
/// `internal_error` from the engine.
pub fn heard_of_legacy(sql: &dyn Sql, outcome: &Legacy, now: Timestamp) -> Result<()> {
    let Some(Erased {
        mut progress,
        certificate: None,
        ..
    }) = Erasure::load(sql)?.and_then(|erasure| erasure.erased)
    else {
        return Ok(());
    };
    if progress.legacy.is_some() {
        return Ok(());
    }
    if let Legacy::Deleted(records) | Legacy::Partly(records, _) = outcome {
        add(&mut progress, "legacyRecords", *records);
    }
    let next = if let Legacy::Partly(_, way) = outcome {
        progress.way = way.clone();
        progress.rounds = progress.rounds.saturating_add(1);
        Kind::Legacy {
            round: progress.rounds,
        }
    } else {
        progress.way = Position::default();
        progress.legacy = Some(outcome.clone());
        progress.is_empty = false;
        sql.exec("UPDATE erasure SET profile = NULL WHERE one = 1", &[])?;
        Kind::Vault
    };
    save(sql, &progress)?;
    let mut outbox = Outbox::load(sql)?;
    outbox.put(sql, &next, now)?;
    outbox.hasten(sql, now)
}

/// Writes down that something could not be read that tells of records in the older service's store.
///
/// # Errors
/// `internal_error` from the engine.
pub(super) fn is_blind(sql: &dyn Sql, progress: &Progress) -> Result<()> {
    if progress.is_blind {
        return Ok(());
    }
    let progress = Progress {
        is_blind: true,
        ..progress.clone()
    };
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

fn kept(progress: &Progress) -> Vec<Item> {
    let mut items = vec![
        item(
            "tombstone",
            "The customer's id, when it was made and erased, and this certificate, with counters that say nothing of \
             their content: so that no token, retry or import brings it back."
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
        item(
            "operatorLog",
            "What administrators asked of the customer once it was erased, under the customer's id: so that this can be \
             shown as well."
                .to_owned(),
        ),
    ];
    if progress
        .destroyed
        .get("aliasBindings")
        .is_some_and(|count| *count > 0)
    {
        items.push(item(
            "aliasTombstones",
            "With each id that stood for the customer, the customer's id: so that it stands for it no more and becomes \
             no customer itself."
                .to_owned(),
        ));
    }
    items
}

fn not_reached(progress: &Progress, until: Timestamp) -> Vec<Item> {
    let mut items = vec![item(
        "platformBackups",
        format!(
            "The platform can bring back what its storage held up to 30 days ago, by the operator's account alone. What \
             it would bring back is sealed; the wrapped key to it could be brought back until {}, and opens only under \
             the operator's master key. Copies of the storage that the operator made are not known here.",
            until.to_rfc3339()
        ),
    )];
    let had_records = progress.moved_in
        || progress
            .destroyed
            .get("legacyRecords")
            .is_some_and(|count| *count > 0);
    match progress.legacy {
        Some(Legacy::Deleted(_)) => items.push(item(
            "legacyStoreOtherKeys",
            "Of the older service's store, records under keys that follow from nothing that was known here: of API keys \
             (they hold the customer's id, the key's name and its origins), display names (the name and the id) and \
             e-mails (the id, under the plain SHA-256 of the address) that never came here; and what that service \
             wrote within a minute before or writes afterwards."
                .to_owned(),
        )),
        _ if had_records => items.push(item(
            "legacyStore",
            "The customer's records came from an older service, whose store this service was not bound to when it \
             erased them. What that store still holds of the customer is not erased by this, and is its operator's to \
             erase."
                .to_owned(),
        )),
        _ => {}
    }
    if progress.is_blind && matches!(progress.legacy, Some(Legacy::Deleted(_))) {
        items.push(item(
            "legacyStoreByHash",
            "Part of what tells under which e-mails, display names and API keys the older service's store had records \
             of the customer could not be opened. There, only those were deleted that what could be read leads to."
                .to_owned(),
        ));
    }
    items
}
