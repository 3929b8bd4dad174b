//! Storage as the core sees it: a synchronous SQLite connection that belongs to one object. On the
//! platform it is the object's own storage, in tests rusqlite. A [`Value`] has no Bool, because the
//! platform binds booleans as TEXT; integers stay within ±2^53, because it binds every number as a double.

mod migrate;
mod row;

pub use migrate::{Migration, is_initialised, migrate};
pub use row::Row;

use crate::error::Result;

/// A bound parameter or a column of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// A whole number within ±2^53.
    Integer(i64),
    /// Text in UTF-8.
    Text(String),
    /// Bytes; also the form of hashes and of 64-bit numbers.
    Blob(Vec<u8>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Blob(value)
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Self::Blob(value.to_vec())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A synchronous connection to one object's SQLite.
///
/// Statements are constants, because the platform caches them by their text. At most 100 parameters.
pub trait Sql {
    /// Runs one statement and returns all its rows.
    ///
    /// # Errors
    /// `internal_error` with the engine's message for the log. The surrounding transaction must then be left
    /// by an error as well.
    fn exec(&self, statement: &'static str, params: &[Value]) -> Result<Vec<Row>>;

    /// Runs several statements without parameters, as a migration has them.
    ///
    /// # Errors
    /// As [`Sql::exec`].
    fn exec_script(&self, script: &'static str) -> Result<()>;

    /// Runs `body` in a transaction, or in a savepoint of the one that is open. `Err` rolls back
    /// what `body` wrote and is passed on.
    ///
    /// # Errors
    /// What `body` returned, or `internal_error` if the engine could not begin, release or commit.
    fn transaction(&self, body: &mut dyn FnMut() -> Result<()>) -> Result<()>;
}
