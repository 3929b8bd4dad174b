//! One row of a result, read by position and type.

use super::Value;
use crate::error::{Error, Result};

/// The columns of a row, in the order of the SELECT.
#[derive(Debug, Clone, PartialEq)]
pub struct Row(pub Vec<Value>);

impl Row {
    /// # Errors
    /// `internal_error` if the column is not a whole number.
    pub fn integer(&self, column: usize) -> Result<i64> {
        match self.0.get(column) {
            Some(Value::Integer(value)) => Ok(*value),
            _ => Err(unexpected(column, "INTEGER")),
        }
    }

    /// # Errors
    /// `internal_error` if the column is neither a whole number nor NULL.
    pub fn integer_or_null(&self, column: usize) -> Result<Option<i64>> {
        match self.0.get(column) {
            Some(Value::Null) => Ok(None),
            _ => self.integer(column).map(Some),
        }
    }

    /// # Errors
    /// `internal_error` if the column is not text.
    pub fn text(&self, column: usize) -> Result<&str> {
        match self.0.get(column) {
            Some(Value::Text(value)) => Ok(value),
            _ => Err(unexpected(column, "TEXT")),
        }
    }

    /// # Errors
    /// `internal_error` if the column is neither text nor NULL.
    pub fn text_or_null(&self, column: usize) -> Result<Option<&str>> {
        match self.0.get(column) {
            Some(Value::Null) => Ok(None),
            _ => self.text(column).map(Some),
        }
    }

    /// # Errors
    /// `internal_error` if the column is not bytes.
    pub fn blob(&self, column: usize) -> Result<&[u8]> {
        match self.0.get(column) {
            Some(Value::Blob(value)) => Ok(value),
            _ => Err(unexpected(column, "BLOB")),
        }
    }

    /// Bytes, or NULL.
    ///
    /// # Errors
    /// `internal_error` for any other type or a column that is not there.
    pub fn blob_or_null(&self, column: usize) -> Result<Option<&[u8]>> {
        match self.0.get(column) {
            Some(Value::Null) => Ok(None),
            _ => self.blob(column).map(Some),
        }
    }
}

fn unexpected(column: usize, wanted: &str) -> Error {
    Error::fault(format!("column {column} of a row is not {wanted}"))
}
