//! `Sql` on rusqlite with the manners of a Durable Object's storage: every number binds as a double, what
//! workerd refuses is refused, and a transaction inside a transaction is a savepoint. Every operation can be
//! made to fail, or to be the last one before a crash.

use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Batch, Connection, Statement, ToSql};
use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU64, Ordering};
use user_api::error::{Error, Result};
use user_api::sql::{Row, Sql, Value};

/// Integers beyond this do not survive JavaScript.
const MAX_SAFE: i64 = 1 << 53;
const MAX_PARAMS: usize = 100;
/// Statements that workerd's authorizer refuses, by their first word.
const REFUSED: &[&str] = &[
    "BEGIN",
    "COMMIT",
    "END",
    "ROLLBACK",
    "SAVEPOINT",
    "RELEASE",
    "PRAGMA",
    "ATTACH",
    "DETACH",
    "VACUUM",
];

/// What happens to the operation that a test chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Harm {
    /// It fails; the connection lives on.
    Error,
    /// The process dies before it takes effect.
    CrashBefore,
    /// The process dies after it took effect.
    CrashAfter,
}

/// One object's storage, which can be opened again.
pub struct Workerd {
    place: Place,
    connection: RefCell<Option<Connection>>,
    depth: Cell<usize>,
    /// Statements run since [`Workerd::forget_counts`].
    pub statements: RefCell<Vec<&'static str>>,
    /// Rows returned since then.
    pub rows_read: Cell<u64>,
    /// Rows inserted, updated or deleted since then.
    pub rows_written: Cell<u64>,
    /// Steps of the engine's machine since then: what a statement costs, also of what it does not return.
    pub engine_steps: Cell<u64>,
    armed: Cell<Option<(u64, Harm)>>,
    armed_next: Cell<Option<(u64, Harm)>>,
}

enum Place {
    /// Quick, and outlives every connection but the one kept here.
    Memory { name: String, _keeper: Connection },
    /// A file, as the platform has it.
    Disk(tempfile::TempDir),
}

struct Bound<'a>(&'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        #[allow(clippy::cast_precision_loss)] // `exec` has refused what would lose precision.
        let value = match self.0 {
            Value::Null => ValueRef::Null,
            Value::Integer(number) => ValueRef::Real(*number as f64),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
        };
        Ok(ToSqlOutput::Borrowed(value))
    }
}

impl Workerd {
    /// An object that was never written to, in memory.
    pub fn new() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let name = format!(
            "file:/object-{}?vfs=memdb",
            NUMBER.fetch_add(1, Ordering::Relaxed)
        );
        let _keeper = Connection::open(&name).unwrap();
        Self::at(Place::Memory { name, _keeper })
    }

    /// An object that was never written to, in a file with a write-ahead log.
    pub fn on_disk() -> Self {
        Self::at(Place::Disk(tempfile::tempdir().unwrap()))
    }

    fn at(place: Place) -> Self {
        let storage = Self {
            place,
            connection: RefCell::new(None),
            depth: Cell::new(0),
            statements: RefCell::default(),
            rows_read: Cell::new(0),
            rows_written: Cell::new(0),
            engine_steps: Cell::new(0),
            armed: Cell::new(None),
            armed_next: Cell::new(None),
        };
        storage.reopen();
        storage
    }

    /// Opens the file anew, as after a crash or an eviction: what was not committed is gone.
    pub fn reopen(&self) {
        self.connection.replace(None);
        let connection = match &self.place {
            Place::Memory { name, .. } => Connection::open(name).unwrap(),
            Place::Disk(dir) => {
                let connection = Connection::open(dir.path().join("object.sqlite")).unwrap();
                let mode = "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;";
                connection.execute_batch(mode).unwrap();
                connection
            }
        };
        self.connection.replace(Some(connection));
        self.depth.set(0);
        self.armed.set(None);
        self.armed_next.set(None);
    }

    /// Whether the connection was lost to a crash.
    pub fn is_dead(&self) -> bool {
        self.connection.borrow().is_none()
    }

    /// Lets the `nth` operation from now on (from 0) come to harm.
    pub fn arm(&self, nth: u64, harm: Harm) {
        self.armed.set(Some((nth, harm)));
    }

    /// Once that has happened, lets the `nth` operation after it come to harm, too.
    pub fn arm_next(&self, nth: u64, harm: Harm) {
        self.armed_next.set(Some((nth, harm)));
    }

    /// Disarms, and tells whether harm was still to come.
    pub fn disarm(&self) -> bool {
        let is_to_come = self.armed.take().is_some();
        self.armed_next.take().is_some() || is_to_come
    }

    /// How many operations the harm is still away.
    pub fn left(&self) -> Option<u64> {
        self.armed.get().map(|(left, _)| left)
    }

    pub fn forget_counts(&self) {
        self.statements.borrow_mut().clear();
        self.rows_read.set(0);
        self.rows_written.set(0);
        self.engine_steps.set(0);
    }

    /// For the test's own hands: reads and writes that the code under test would not do.
    pub fn raw<T>(&self, work: impl FnOnce(&Connection) -> T) -> T {
        work(self.connection.borrow().as_ref().expect("the object crashed"))
    }

    /// One operation: does it, unless its turn has come.
    fn step<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let harm = match self.armed.get() {
            Some((0, harm)) => {
                self.armed.set(self.armed_next.take());
                Some(harm)
            }
            Some((left, harm)) => {
                self.armed.set(Some((left - 1, harm)));
                None
            }
            None => None,
        };
        let result = match (harm, self.connection.borrow().as_ref()) {
            (_, None) => return Err(Error::fault("the object crashed")),
            (Some(Harm::Error), _) => return Err(Error::fault("injected")),
            (Some(Harm::CrashBefore), _) => Err(Error::fault("crashed")),
            (_, Some(connection)) => work(connection),
        };
        if matches!(harm, Some(Harm::CrashBefore | Harm::CrashAfter)) {
            self.connection.replace(None);
            return Err(Error::fault("crashed"));
        }
        result
    }

    fn control(&self, statement: &str) -> Result<()> {
        self.step(|connection| connection.execute_batch(statement).map_err(fault))
    }

    /// Undoes without counting as an operation: the platform's rollback cannot be refused.
    fn roll_back(&self, statement: &str) {
        if let Some(connection) = self.connection.borrow().as_ref() {
            connection.execute_batch(statement).unwrap();
        }
    }

    fn run(&self, statement: &mut Statement<'_>, params: &[Value]) -> Result<Vec<Row>> {
        let text = statement.expanded_sql().unwrap_or_default();
        refuse(&text)?;
        let columns = statement.column_count();
        let mut rows = statement
            .query(rusqlite::params_from_iter(params.iter().map(Bound)))
            .map_err(fault)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(fault)? {
            let values = (0..columns).map(|column| from_sqlite(row.get_ref(column).map_err(fault)?));
            found.push(Row(values.collect::<Result<_>>()?));
        }
        drop(rows);
        let steps = statement.get_status(rusqlite::StatementStatus::VmStep);
        self.engine_steps
            .set(self.engine_steps.get() + u64::try_from(steps).unwrap());
        self.rows_read.set(self.rows_read.get() + found.len() as u64);
        Ok(found)
    }
}

impl Sql for Workerd {
    fn exec(&self, statement: &'static str, params: &[Value]) -> Result<Vec<Row>> {
        self.step(|connection| {
            if params.len() > MAX_PARAMS {
                return Err(Error::fault("too many parameters"));
            }
            if params
                .iter()
                .any(|value| matches!(value, Value::Integer(number) if number.unsigned_abs() > MAX_SAFE.unsigned_abs()))
            {
                return Err(Error::fault("an integer beyond 2^53"));
            }
            self.statements.borrow_mut().push(statement);
            let before = connection.total_changes();
            let mut statements = Batch::new(connection, statement);
            let mut only = statements
                .next()
                .map_err(fault)?
                .ok_or_else(|| Error::fault("no statement"))?;
            let rows = self.run(&mut only, params)?;
            if statements.next().map_err(fault)?.is_some() {
                return Err(Error::fault("more than one statement"));
            }
            let written = connection.total_changes() - before;
            self.rows_written.set(self.rows_written.get() + written);
            Ok(rows)
        })
    }

    fn exec_script(&self, script: &'static str) -> Result<()> {
        self.step(|connection| {
            self.statements.borrow_mut().push(script);
            let mut statements = Batch::new(connection, script);
            while let Some(mut statement) = statements.next().map_err(fault)? {
                self.run(&mut statement, &[])?;
            }
            Ok(())
        })
    }

    fn transaction(&self, body: &mut dyn FnMut() -> Result<()>) -> Result<()> {
        let depth = self.depth.get();
        let (begin, release, undo) = if depth == 0 {
            (
                "BEGIN IMMEDIATE".to_owned(),
                "COMMIT".to_owned(),
                "ROLLBACK".to_owned(),
            )
        } else {
            (
                format!("SAVEPOINT s{depth}"),
                format!("RELEASE s{depth}"),
                format!("ROLLBACK TO s{depth}; RELEASE s{depth}"),
            )
        };
        self.control(&begin)?;
        self.depth.set(depth + 1);
        let outcome = body().and_then(|()| self.control(&release));
        self.depth.set(depth);
        if outcome.is_err() {
            self.roll_back(&undo);
        }
        outcome
    }
}

/// What kills or confuses an object must not even be tried.
fn refuse(statement: &str) -> Result<()> {
    let code: String = statement
        .lines()
        .filter(|line| !line.trim_start().starts_with("--"))
        .collect::<Vec<_>>()
        .join("\n")
        .to_uppercase();
    let first = code.split_whitespace().next().unwrap_or_default();
    let first = first.trim_end_matches(';');
    if REFUSED.contains(&first) || code.contains("OR ROLLBACK") || code.contains("RAISE(ROLLBACK") {
        return Err(Error::fault(format!("not authorized: {first}")));
    }
    Ok(())
}

/// As the platform's cursor and `shell::sql` together hand a column over.
fn from_sqlite(value: ValueRef<'_>) -> Result<Value> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) if number.unsigned_abs() <= MAX_SAFE.unsigned_abs() => {
            Value::Integer(number)
        }
        ValueRef::Integer(_) => return Err(Error::fault("a stored integer beyond 2^53")),
        #[allow(clippy::cast_possible_truncation)]
        ValueRef::Real(number) => Value::Integer(number as i64),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    })
}

fn fault(error: rusqlite::Error) -> Error {
    Error::fault(error.to_string())
}
