//! Numbered migrations, each one forward step, frozen once released. `PRAGMA user_version` is refused by
//! the platform, so the number applied last stands in a table of its own.

use super::{Sql, Value};
use crate::error::{Code, Error, Result};

/// One step of a schema.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// From 1, without gaps.
    pub number: i64,
    /// Statements without parameters.
    pub script: &'static str,
}

/// Applies what is missing of `steps`, each together with its number in one transaction.
///
/// # Errors
/// `internal_error` if a step fails (nothing of it stays); `unavailable` if the storage is newer than this code,
/// as an object may find it during a rolling deployment.
pub fn migrate(sql: &dyn Sql, steps: &[Migration]) -> Result<()> {
    let applied = version(sql)?.unwrap_or(0);
    let known = steps.last().map_or(0, |step| step.number);
    if applied > known {
        let error = Error::new(Code::Unavailable, "The service is being updated.");
        return Err(error.because(format!("schema {applied} is newer than this code's {known}")));
    }
    for step in steps.iter().filter(|step| step.number > applied) {
        sql.transaction(&mut || {
            if step.number == 1 {
                sql.exec_script(
                    "CREATE TABLE schema_version (one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL) STRICT;",
                )?;
            }
            sql.exec_script(step.script)?;
            sql.exec("INSERT OR REPLACE INTO schema_version (one, number) VALUES (1, ?)", &[Value::from(step.number)])?;
            Ok(())
        })?;
    }
    Ok(())
}

/// The number of the step applied last, or `None` in a storage that has no tables: asking never writes.
///
/// # Errors
/// `internal_error` from the engine.
fn version(sql: &dyn Sql) -> Result<Option<i64>> {
    if !is_initialised(sql)? {
        return Ok(None);
    }
    let rows = sql.exec("SELECT number FROM schema_version WHERE one = 1", &[])?;
    rows.first().map(|row| row.integer(0)).transpose()
}

/// Whether any step was ever applied here. Asking never writes.
///
/// # Errors
/// `internal_error` from the engine.
pub fn is_initialised(sql: &dyn Sql) -> Result<bool> {
    let rows = sql.exec(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'",
        &[],
    )?;
    Ok(!rows.is_empty())
}
