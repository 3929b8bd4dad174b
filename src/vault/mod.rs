//! The brain of a key vault: pure and synchronous. One object per customer, named by the customer's id, that holds
//! the customer's wrapped data key and nothing else, so that destroying the key is emptying one small object.
//!
//! 1. A key is made only where there is none, and never replaced by another one: [`Errand::Rewrap`] swaps the
//!    wrapping it names for another, and only a customer's object that holds the key inside can make that.
//! 2. Looking writes nothing, no table and no row.
//! 3. The vault cannot open what it holds, and decides nothing about customers: that a key may be made, or must be
//!    the one that the data was sealed under, is for the customer's object to decide
//!    ([`crate::customer::Customer::key_errand`]).

mod errand;

pub use errand::{Call, Errand, HEADER, Held, MAX_BYTES};

use crate::crypto::Wrapped;
use crate::error::{Error, Result};
use crate::sql::{Migration, Sql, is_initialised, migrate};

/// The schema of a vault.
pub const MIGRATIONS: &[Migration] = &[Migration {
    number: 1,
    script: include_str!("../../migrations/vault/0001_vault.sql"),
}];

/// What came of an errand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// This is what the vault holds now.
    Holds(Held),
    /// All of the vault's storage is to be deleted, for ever; the answer is that it holds nothing.
    DeleteAll,
}

/// Carries out one errand, in one transaction.
///
/// # Errors
/// `internal_error` if the engine fails, after which nothing was changed; `unavailable` if the storage is newer than
/// this code.
pub fn decide(sql: &dyn Sql, errand: &Errand) -> Result<Decision> {
    let mut held = None;
    match errand {
        Errand::Look => held = load(sql)?,
        Errand::Create(wrapped) => sql.transaction(&mut || {
            migrate(sql, MIGRATIONS)?;
            sql.exec(
                "INSERT INTO vault (one, wrapped) VALUES (1, ?) ON CONFLICT DO NOTHING",
                &[wrapped.as_bytes().into()],
            )?;
            held = load(sql)?;
            Ok(())
        })?,
        Errand::Rewrap { from, to } => sql.transaction(&mut || {
            held = load(sql)?;
            if held.as_ref() == Some(from) {
                sql.exec(
                    "UPDATE vault SET wrapped = ? WHERE one = 1",
                    &[to.as_bytes().into()],
                )?;
                held = Some(to.clone());
            }
            Ok(())
        })?,
        Errand::DeleteAll => return Ok(Decision::DeleteAll),
    }
    Ok(Decision::Holds(Held { wrapped: held }))
}

fn load(sql: &dyn Sql) -> Result<Option<Wrapped>> {
    if !is_initialised(sql)? {
        return Ok(None);
    }
    migrate(sql, MIGRATIONS)?;
    let rows = sql.exec("SELECT wrapped FROM vault WHERE one = 1", &[])?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let wrapped = Wrapped::parse(row.blob(0)?);
    wrapped
        .map(Some)
        .ok_or_else(|| Error::fault("a stored key has another length"))
}
