//! `Sql` on rusqlite, just enough for the unit tests; numbers bind as doubles, as on the platform. The full
//! imitation of the platform is in `tests/it`.

use crate::error::{Error, Result};
use crate::sql::{Row, Sql, Value, migrate};
use rusqlite::Connection;
use rusqlite::types::Value as Native;
use std::cell::Cell;

/// A storage with the customer's schema.
pub(crate) struct TestSql {
    connection: Connection,
    /// Statements run so far.
    pub(crate) statements: Cell<usize>,
}

impl TestSql {
    pub(crate) fn new() -> Self {
        let sql = Self {
            connection: Connection::open_in_memory().unwrap(),
            statements: Cell::new(0),
        };
        migrate(&sql, super::MIGRATIONS).unwrap();
        sql
    }

    pub(crate) fn integer(&self, statement: &'static str) -> i64 {
        self.exec(statement, &[]).unwrap()[0].integer(0).unwrap()
    }
}

fn fault(error: rusqlite::Error) -> Error {
    Error::fault(error.to_string())
}

impl Sql for TestSql {
    fn exec(&self, statement: &'static str, params: &[Value]) -> Result<Vec<Row>> {
        self.statements.set(self.statements.get() + 1);
        let params = params.iter().map(|value| match value {
            Value::Null => Native::Null,
            Value::Integer(number) => Native::Real(*number as f64),
            Value::Text(text) => Native::Text(text.clone()),
            Value::Blob(bytes) => Native::Blob(bytes.clone()),
        });
        let mut prepared = self.connection.prepare_cached(statement).map_err(fault)?;
        let columns = prepared.column_count();
        let rows = prepared.query_map(rusqlite::params_from_iter(params), |row| {
            let values = (0..columns).map(|column| {
                Ok(match row.get(column)? {
                    Native::Null => Value::Null,
                    Native::Integer(number) => Value::Integer(number),
                    Native::Real(number) => Value::Integer(number as i64),
                    Native::Text(text) => Value::Text(text),
                    Native::Blob(bytes) => Value::Blob(bytes),
                })
            });
            values.collect::<rusqlite::Result<Vec<_>>>().map(Row)
        });
        rows.map_err(fault)?
            .collect::<rusqlite::Result<_>>()
            .map_err(fault)
    }

    fn exec_script(&self, script: &'static str) -> Result<()> {
        self.connection.execute_batch(script).map_err(fault)
    }

    fn transaction(&self, body: &mut dyn FnMut() -> Result<()>) -> Result<()> {
        self.exec_script("SAVEPOINT one")?;
        let result = body();
        if result.is_err() {
            self.exec_script("ROLLBACK TO one")?;
        }
        self.exec_script("RELEASE one")?;
        result
    }
}
