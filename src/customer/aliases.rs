//! Ids that stand for a customer. The binding is of a pair, the id and an e-mail: an id that many share, or that
//! somebody guesses, serves only tokens that carry the verified e-mail for which it was bound, and only while that is
//! the customer's e-mail. What an id stands for is kept in that id's own object (`alias_of`); the customer checks again
//! that the e-mail is its own, and keeps a list (`aliases`) of whom to tell when it is erased.

use crate::email::EmailIndex;
use crate::error::{Error, Result};
use crate::sql::Sql;
use crate::types::CustomerId;

/// Most ids that stand for one customer, counted with the e-mails for which they do. Past it an id is resolved by
/// its e-mail at each request.
pub const MAX_ALIASES: i64 = 100;
/// Most e-mails for which one id stands for somebody.
pub const MAX_BINDINGS: i64 = 10_000;

/// For whom this id stands when a token carries this e-mail.
///
/// # Errors
/// `internal_error` from the engine.
pub fn target(sql: &dyn Sql, index: &EmailIndex) -> Result<Option<CustomerId>> {
    let rows = sql.exec(
        "SELECT customer_id FROM alias_of WHERE email_index = ?",
        &[index.as_bytes().as_slice().into()],
    )?;
    let parse =
        |text: &str| CustomerId::parse(text).ok_or_else(|| Error::fault("a stored alias is malformed"));
    rows.first().map(|row| parse(row.text(0)?)).transpose()
}

/// Whether this id stood for a customer that was erased; for that one, if one is named.
///
/// # Errors
/// `internal_error` from the engine.
pub fn was_erased(sql: &dyn Sql, customer: Option<&CustomerId>) -> Result<bool> {
    let rows = sql.exec(
        "SELECT 1 FROM alias_erased WHERE ?1 IS NULL OR customer_id = ?1 LIMIT 1",
        &[customer.map(CustomerId::as_str).into()],
    )?;
    Ok(!rows.is_empty())
}

/// This id stood for that customer, which was erased: it does no longer, and never will again.
///
/// # Errors
/// `internal_error` from the engine.
pub fn erase(sql: &dyn Sql, customer: &CustomerId) -> Result<()> {
    sql.exec(
        "DELETE FROM alias_of WHERE customer_id = ?",
        &[customer.as_str().into()],
    )?;
    sql.exec(
        "INSERT INTO alias_erased (customer_id) VALUES (?) ON CONFLICT DO NOTHING",
        &[customer.as_str().into()],
    )?;
    Ok(())
}

/// Whether this id stands for anybody.
///
/// # Errors
/// `internal_error` from the engine.
pub fn is_alias(sql: &dyn Sql) -> Result<bool> {
    Ok(!sql.exec("SELECT 1 FROM alias_of LIMIT 1", &[])?.is_empty())
}

/// Whether this id, of which a customer was begun, has stood aside.
///
/// # Errors
/// `internal_error` from the engine.
pub fn stood_aside(sql: &dyn Sql) -> Result<bool> {
    Ok(!sql.exec("SELECT 1 FROM stood_aside", &[])?.is_empty())
}

/// Whoever began to make a customer of this id makes none any more.
///
/// # Errors
/// `internal_error` from the engine.
pub fn stand_aside(sql: &dyn Sql) -> Result<()> {
    sql.exec(
        "INSERT INTO stood_aside (one) VALUES (1) ON CONFLICT DO NOTHING",
        &[],
    )?;
    Ok(())
}

/// The id may become a customer after all.
///
/// # Errors
/// `internal_error` from the engine.
pub fn step_forward(sql: &dyn Sql) -> Result<()> {
    sql.exec("DELETE FROM stood_aside", &[])?;
    Ok(())
}

/// Binds this id and the e-mail to a customer, if they are bound to `instead_of` so far (None: to nobody), and says
/// to whom they are bound then. None if the id has all the bindings that it may have, or that customer was erased.
///
/// # Errors
/// `internal_error` from the engine.
pub fn bind(
    sql: &dyn Sql,
    index: &EmailIndex,
    customer: &CustomerId,
    instead_of: Option<&CustomerId>,
) -> Result<Option<CustomerId>> {
    let bound = target(sql, index)?;
    if bound.is_some() && bound.as_ref() != instead_of {
        return Ok(bound);
    }
    if was_erased(sql, Some(customer))? {
        return Ok(None);
    }
    if bound.is_none() {
        let rows = sql.exec("SELECT count(*) FROM alias_of", &[])?;
        if rows.first().map_or(Ok(0), |row| row.integer(0))? >= MAX_BINDINGS {
            return Ok(None);
        }
    }
    sql.exec(
        "INSERT INTO alias_of (email_index, customer_id) VALUES (?, ?) \
         ON CONFLICT (email_index) DO UPDATE SET customer_id = excluded.customer_id",
        &[index.as_bytes().as_slice().into(), customer.as_str().into()],
    )?;
    Ok(Some(customer.clone()))
}

/// Whether `alias` stands for this customer when a token carries this e-mail.
pub fn has(sql: &dyn Sql, alias: &CustomerId, index: &EmailIndex) -> Result<bool> {
    let rows = sql.exec(
        "SELECT 1 FROM aliases WHERE alias = ? AND email_index = ?",
        &[alias.as_str().into(), index.as_bytes().as_slice().into()],
    )?;
    Ok(!rows.is_empty())
}

/// Notes that `alias` stands for this customer when a token carries this e-mail; false if there is no room.
///
/// # Errors
/// `internal_error` from the engine.
pub fn add(sql: &dyn Sql, alias: &CustomerId, index: &EmailIndex) -> Result<bool> {
    if has(sql, alias, index)? {
        return Ok(true);
    }
    let rows = sql.exec("SELECT count(*) FROM aliases", &[])?;
    if rows.first().map_or(Ok(0), |row| row.integer(0))? >= MAX_ALIASES {
        return Ok(false);
    }
    sql.exec(
        "INSERT INTO aliases (alias, email_index) VALUES (?, ?)",
        &[alias.as_str().into(), index.as_bytes().as_slice().into()],
    )?;
    Ok(true)
}
