//! What the tests of the keys stand on: SQLite in memory behind [`Sql`], and randomness that repeats.
#![allow(clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects)]

use crate::customer::MIGRATIONS;
use crate::entropy::Entropy;
use crate::error::{Error, Result};
use crate::sql::{Row, Sql, Value, migrate};
use rusqlite::types::Value as Native;
use rusqlite::{Connection, params_from_iter};
use std::cell::Cell;

/// A storage that counts the statements that write.
pub struct Memory {
    connection: Connection,
    depth: Cell<usize>,
    writes: Cell<usize>,
}

impl Memory {
    /// With the customer's schema.
    pub fn migrated() -> Self {
        let memory = Self {
            connection: Connection::open_in_memory().unwrap(),
            depth: Cell::new(0),
            writes: Cell::new(0),
        };
        migrate(&memory, MIGRATIONS).unwrap();
        memory.writes.set(0);
        memory
    }

    /// How many statements have written since this was asked last.
    pub fn writes(&self) -> usize {
        self.writes.take()
    }
}

impl Sql for Memory {
    fn exec(&self, statement: &'static str, params: &[Value]) -> Result<Vec<Row>> {
        let fault = |error: rusqlite::Error| Error::fault(error.to_string());
        let mut prepared = self.connection.prepare_cached(statement).map_err(fault)?;
        self.writes
            .set(self.writes.get() + usize::from(!prepared.readonly()));
        let columns = prepared.column_count();
        let params = params.iter().map(|value| match value {
            Value::Null => Native::Null,
            Value::Integer(value) => Native::Integer(*value),
            Value::Text(value) => Native::Text(value.clone()),
            Value::Blob(value) => Native::Blob(value.clone()),
        });
        let rows = prepared.query_map(params_from_iter(params), |row| {
            (0..columns)
                .map(|column| {
                    Ok(match row.get(column)? {
                        Native::Null => Value::Null,
                        Native::Integer(value) => Value::Integer(value),
                        Native::Real(value) => panic!("a REAL {value}"),
                        Native::Text(value) => Value::Text(value),
                        Native::Blob(value) => Value::Blob(value),
                    })
                })
                .collect::<rusqlite::Result<_>>()
                .map(Row)
        });
        rows.map_err(fault)?
            .collect::<rusqlite::Result<_>>()
            .map_err(fault)
    }

    fn exec_script(&self, script: &'static str) -> Result<()> {
        self.connection
            .execute_batch(script)
            .map_err(|error| Error::fault(error.to_string()))
    }

    fn transaction(&self, body: &mut dyn FnMut() -> Result<()>) -> Result<()> {
        let depth = self.depth.get() + 1;
        self.depth.set(depth);
        let run = |script: &str| self.connection.execute_batch(script).unwrap();
        run(&format!("SAVEPOINT s{depth}"));
        let result = body();
        if result.is_err() {
            run(&format!("ROLLBACK TO s{depth}"));
        }
        run(&format!("RELEASE s{depth}"));
        self.depth.set(depth - 1);
        result
    }
}

/// Every byte sequence once.
#[derive(Default)]
pub struct Counter(u64);

impl Entropy for Counter {
    fn fill(&mut self, out: &mut [u8]) -> Result<()> {
        self.0 += 1;
        out.fill(0);
        for (byte, count) in out.iter_mut().zip(self.0.to_be_bytes()) {
            *byte = count;
        }
        Ok(())
    }
}
