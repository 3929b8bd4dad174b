//! A look at what is on disk: the objects' SQLite files, copied aside so that nothing is disturbed.

use crate::support::server::namespace;
use rusqlite::Connection;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// One object's database.
pub struct Object {
    /// A connection to the copy.
    pub sql: Connection,
    /// The data that it belongs to.
    pub data: PathBuf,
    _copy: TempDir,
}

/// Every customer's object that has left a file in this data, also an empty one.
pub fn customers(data: &TempDir) -> Vec<Object> {
    let folder = namespace(data, "CustomerObject");
    let Ok(entries) = fs::read_dir(&folder) else {
        return Vec::new();
    };
    let names = entries.map(|entry| {
        entry
            .expect("an entry")
            .file_name()
            .into_string()
            .expect("a name")
    });
    // Beside them workerd keeps a file of its own, which is named by a word.
    let is_object = |name: &String| name.strip_suffix(".sqlite").is_some_and(|id| id.len() == 64);
    let mut names: Vec<_> = names.filter(is_object).collect();
    names.sort();
    names.into_iter().map(|name| open(&folder, name)).collect()
}

/// The object of the customer with that id.
pub fn customer(data: &TempDir, id: &str) -> Object {
    let found = customers(data)
        .into_iter()
        .find(|object| object.customer_id().as_deref() == Some(id));
    found.unwrap_or_else(|| panic!("{id} has no object"))
}

/// A copy of the database of that name.
pub fn open(folder: &Path, name: String) -> Object {
    let copy = TempDir::new().expect("a temporary folder");
    for suffix in ["", "-wal", "-shm"] {
        let from = folder.join(format!("{name}{suffix}"));
        if from.exists() {
            fs::copy(&from, copy.path().join(format!("{name}{suffix}"))).expect("copying");
        }
    }
    let sql = Connection::open(copy.path().join(&name)).expect("opening the copy");
    let sound: String = sql
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .expect("checking");
    assert_eq!(sound, "ok", "{name}");
    let data = folder.parent().expect("a folder of data").to_owned();
    Object {
        sql,
        data,
        _copy: copy,
    }
}

impl Object {
    /// The tables, indexes and triggers that we made: all but the platform's and SQLite's own.
    pub fn schema(&self) -> Vec<String> {
        let query = r"SELECT name FROM sqlite_master WHERE name NOT LIKE '\_cf\_%' ESCAPE '\' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'";
        let mut statement = self.sql.prepare(query).expect("the schema");
        let names = statement.query_map([], |row| row.get(0)).expect("the schema");
        names.map(|name| name.expect("a name")).collect()
    }

    /// Whose object it is; None where nobody's.
    pub fn customer_id(&self) -> Option<String> {
        let known = self.schema().iter().any(|name| name == "customer");
        known
            .then(|| {
                self.sql
                    .query_row("SELECT customer_id FROM customer", [], |row| row.get(0))
                    .ok()
            })
            .flatten()
    }

    /// How many rows a table has.
    pub fn count(&self, table: &str) -> i64 {
        let query = format!("SELECT count(*) FROM {table}");
        self.sql
            .query_row(&query, [], |row| row.get(0))
            .expect("counting")
    }
}
