//! What other objects must hear of a change: written in the change's own transaction, pushed as soon as that is
//! durable, and again from the alarm until it has arrived. Whoever hears it bears hearing it twice, late and in any
//! order, because each notice carries a mark that only grows.

use crate::customer::listing::Listing;
use crate::email::EmailIndex;
use crate::error::{Error, Result};
use crate::sql::{Row, Sql};
use crate::types::{CustomerId, Timestamp};

/// Most notices that are pushed in one go; the rest are due at once again.
pub const MAX_PUSHED: usize = 32;
/// How long after it was written, or tried for the first time, a notice is pushed again, in milliseconds. Each time
/// takes twice as long as the one before.
pub const RETRY_MS: i64 = 2_000;
/// The longest time between two tries, in milliseconds.
pub const MAX_RETRY_MS: i64 = 600_000;

/// What is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// To the list of customers: what it is to show now.
    List {
        /// The revision that it is told of at least.
        rev: i64,
    },
    /// To the holder of claims: this e-mail is not ours any more.
    Release {
        /// Which e-mail.
        index: EmailIndex,
        /// Up to which of our attempts.
        attempt: i64,
    },
    /// To an id that stood for this customer, which is erased: stand for it no longer.
    Alias(CustomerId),
    /// To the older service's store, where one is bound: drop what it has of this customer, which is erased.
    Legacy {
        /// Which round this is: there is more than one round deletes.
        round: i64,
    },
    /// To the key vault: destroy the key.
    Vault,
}

/// One notice that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What is to be told.
    pub kind: Kind,
    attempts: i64,
}

/// What another object is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// What the list is to show, as it is now.
    List(Listing),
    /// This customer does not hold this e-mail.
    Release {
        /// Which e-mail.
        index: EmailIndex,
        /// Up to which of its attempts.
        attempt: i64,
    },
    /// This customer, which is erased, has no alias any more.
    Alias(CustomerId),
    /// It has no records in the older service's store any more.
    Legacy,
    /// It has no key any more.
    Vault,
}

impl Told {
    /// Whether it is the directory that is told.
    #[must_use]
    pub const fn is_of_directory(&self) -> bool {
        matches!(self, Self::List(_) | Self::Release { .. })
    }
}

/// What is known of the outbox.
#[derive(Debug, Default)]
pub struct Outbox {
    /// When the first notice is due; None while there is none.
    pub due: Option<Timestamp>,
    /// Whether something was written that was not tried yet.
    pub is_fresh: bool,
}

impl Kind {
    const fn name(&self) -> &'static str {
        match self {
            Self::List { .. } => "list",
            Self::Release { .. } => "release",
            Self::Alias(_) => "alias",
            Self::Legacy { .. } => "legacy",
            Self::Vault => "vault",
        }
    }

    fn key(&self) -> Vec<u8> {
        match self {
            Self::List { .. } | Self::Legacy { .. } | Self::Vault => Vec::new(),
            Self::Release { index, .. } => index.as_bytes().to_vec(),
            Self::Alias(alias) => alias.as_str().as_bytes().to_vec(),
        }
    }

    const fn mark(&self) -> i64 {
        match self {
            Self::List { rev } => *rev,
            Self::Release { attempt, .. } => *attempt,
            Self::Legacy { round } => *round,
            Self::Alias(_) | Self::Vault => 0,
        }
    }

    fn from_row(row: &Row) -> Result<Self> {
        let mark = row.integer(2)?;
        match row.text(0)? {
            "list" => Ok(Self::List { rev: mark }),
            "release" => Ok(Self::Release {
                index: EmailIndex::from_stored(row.blob(1)?)?,
                attempt: mark,
            }),
            "alias" => {
                let alias = std::str::from_utf8(row.blob(1)?).ok().and_then(CustomerId::parse);
                let unreadable = || Error::fault("a stored notice is unreadable");
                alias.map(Self::Alias).ok_or_else(unreadable)
            }
            "legacy" => Ok(Self::Legacy { round: mark }),
            "vault" => Ok(Self::Vault),
            _ => Err(Error::fault("a stored notice is of an unknown kind")),
        }
    }
}

impl Outbox {
    /// What waits in storage. An instance that wakes up does not know what was tried.
    ///
    /// # Errors
    /// `internal_error` from the engine.
    pub fn load(sql: &dyn Sql) -> Result<Self> {
        let rows = sql.exec("SELECT min(due_at) FROM outbox", &[])?;
        let due = rows.first().map(|row| row.integer_or_null(0)).transpose()?;
        Ok(Self {
            due: due.flatten().map(Timestamp::from_millis),
            is_fresh: false,
        })
    }

    /// Writes a notice. Of two about the same thing the one with the higher mark says all.
    ///
    /// # Errors
    /// `internal_error` from the engine.
    pub fn put(&mut self, sql: &dyn Sql, kind: &Kind, now: Timestamp) -> Result<()> {
        let due = now.as_millis().saturating_add(RETRY_MS);
        sql.exec(
            "INSERT INTO outbox (kind, key, mark, attempts, due_at) VALUES (?, ?, ?, 0, ?) \
             ON CONFLICT (kind, key) DO UPDATE SET mark = max(mark, excluded.mark), attempts = 0, \
             due_at = excluded.due_at",
            &[
                kind.name().into(),
                kind.key().into(),
                kind.mark().into(),
                due.into(),
            ],
        )?;
        *self = Self {
            is_fresh: true,
            ..Self::load(sql)?
        };
        Ok(())
    }

    /// What is to be told: everything that waits, or what is due.
    ///
    /// # Errors
    /// `internal_error` from the engine.
    pub fn waiting(&mut self, sql: &dyn Sql, due_until: Timestamp) -> Result<Vec<Notice>> {
        self.is_fresh = false;
        let most = i64::try_from(MAX_PUSHED).unwrap_or(i64::MAX);
        let rows = sql.exec(
            "SELECT kind, key, mark, attempts FROM outbox WHERE due_at <= ? ORDER BY due_at LIMIT ?",
            &[due_until.as_millis().into(), most.into()],
        )?;
        rows.iter()
            .map(|row| {
                Ok(Notice {
                    kind: Kind::from_row(row)?,
                    attempts: row.integer(3)?,
                })
            })
            .collect()
    }

    /// What was told is done with, unless there is more to tell since.
    ///
    /// # Errors
    /// `internal_error` from the engine.
    pub fn told(&mut self, sql: &dyn Sql, notice: &Notice) -> Result<()> {
        let kind = &notice.kind;
        sql.exec(
            "DELETE FROM outbox WHERE kind = ? AND key = ? AND mark <= ?",
            &[kind.name().into(), kind.key().into(), kind.mark().into()],
        )?;
        self.reload(sql)
    }

    /// What could not be told is tried again, each time later.
    ///
    /// # Errors
    /// `internal_error` from the engine.
    pub fn failed(&mut self, sql: &dyn Sql, notice: &Notice, now: Timestamp) -> Result<()> {
        let doublings = u32::try_from(notice.attempts).unwrap_or(u32::MAX).min(30);
        let wait = RETRY_MS
            .saturating_mul(1_i64.checked_shl(doublings).unwrap_or(i64::MAX))
            .min(MAX_RETRY_MS);
        sql.exec(
            "UPDATE outbox SET attempts = ?, due_at = ? WHERE kind = ? AND key = ? AND mark = ?",
            &[
                notice.attempts.saturating_add(1).into(),
                now.as_millis().saturating_add(wait).into(),
                notice.kind.name().into(),
                notice.kind.key().into(),
                notice.kind.mark().into(),
            ],
        )?;
        self.reload(sql)
    }

    /// Has everything that waits told by the next alarm, which comes at once.
    ///
    /// # Errors
    /// `internal_error` from the engine.
    pub fn hasten(&mut self, sql: &dyn Sql, now: Timestamp) -> Result<()> {
        sql.exec(
            "UPDATE outbox SET attempts = 0, due_at = ?",
            &[now.as_millis().into()],
        )?;
        *self = Self::load(sql)?;
        Ok(())
    }

    fn reload(&mut self, sql: &dyn Sql) -> Result<()> {
        let is_fresh = self.is_fresh;
        *self = Self {
            is_fresh,
            ..Self::load(sql)?
        };
        Ok(())
    }
}
