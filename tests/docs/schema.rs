//! The page of the schema is made from the migrations.

use super::{named_rows, read, root, section};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use user_api::{customer, directory, operator, vault};

/// All migrations. The two kinds of objects share no name of a table.
fn steps() -> impl Iterator<Item = &'static user_api::sql::Migration> {
    customer::MIGRATIONS.iter().chain(directory::MIGRATIONS)
}

/// The schema after all migrations.
fn schema() -> rusqlite::Connection {
    let connection = rusqlite::Connection::open_in_memory().unwrap();
    for step in steps().chain(vault::MIGRATIONS) {
        connection.execute_batch(step.script).unwrap();
    }
    // The operator object's tables are a customer's to the letter, but for these.
    let other = rusqlite::Connection::open_in_memory().unwrap();
    for step in operator::MIGRATIONS {
        other.execute_batch(step.script).unwrap();
    }
    for (table, _, sql) in objects(&other, "table") {
        if !objects(&connection, "table")
            .iter()
            .any(|(known, ..)| *known == table)
        {
            connection.execute_batch(&sql).unwrap();
        }
    }
    connection
}

fn objects(schema: &rusqlite::Connection, kind: &str) -> Vec<(String, String, String)> {
    let sql =
        "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = ? AND sql IS NOT NULL ORDER BY rowid";
    let mut statement = schema.prepare(sql).unwrap();
    let rows = statement
        .query_map([kind], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap();
    rows.map(Result::unwrap).collect()
}

/// The items between the outermost parentheses of a CREATE TABLE, and what follows these.
fn body(sql: &str) -> (Vec<String>, &str) {
    let (mut depth, mut quoted, mut items, mut item) = (0, false, Vec::new(), String::new());
    for (at, character) in sql.char_indices() {
        quoted ^= character == '\'';
        match character {
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        match (depth, character) {
            (0, ')') => {
                items.push(item);
                return (items, sql[at + 1..].trim());
            }
            (1, ',') if !quoted => items.push(std::mem::take(&mut item)),
            (1, '(') if item.is_empty() => {}
            (0, _) => {}
            _ => item.push(character),
        }
    }
    panic!("unbalanced: {sql}")
}

/// The comment above a table's CREATE statement.
fn purpose(table: &str) -> String {
    let steps = steps().chain(vault::MIGRATIONS).chain(operator::MIGRATIONS);
    let scripts: String = steps.map(|step| step.script).collect();
    let (before, _) = scripts.split_once(&format!("CREATE TABLE {table} ")).unwrap();
    let comment: Vec<_> = before
        .lines()
        .rev()
        .map_while(|line| line.strip_prefix("-- "))
        .collect();
    comment.into_iter().rev().collect::<Vec<_>>().join(" ")
}

/// docs/SCHEMA.md. What a column means is written there by hand and carried over from `old`; all else is made.
fn schema_page(old: &str) -> String {
    let schema = schema();
    let mut page = old
        .split_once("\n## ")
        .map_or(old, |(head, _)| head)
        .trim_end()
        .to_owned();
    for (table, _, sql) in objects(&schema, "table") {
        let (items, options) = body(&sql);
        let known = if old.contains(&format!("## Table `{table}`\n")) {
            named_rows(section(old, &format!("Table `{table}`")))
        } else {
            BTreeMap::new()
        };
        let _ = write!(
            page,
            "\n\n## Table `{table}`\n\n{} ({options})\n\n",
            purpose(&table)
        );
        page.push_str("| Column | Definition | Meaning |\n|---|---|---|\n");
        for item in items {
            let words: Vec<_> = item.split_whitespace().collect();
            let (name, definition) = (words[0], words[1..].join(" "));
            let meaning = known.get(name).map_or("TODO", |cells| cells[1]);
            let _ = writeln!(page, "| `{name}` | `{definition}` | {meaning} |");
        }
        for (name, on, sql) in [objects(&schema, "index"), objects(&schema, "trigger")].concat() {
            if on == table {
                let _ = write!(page, "\n`{name}`:\n\n```sql\n{sql};\n```\n");
            }
        }
        page.truncate(page.trim_end().len());
    }
    page.push('\n');
    page
}

#[test]
fn the_schema_s_page_is_made_from_the_migrations() {
    let old = read("docs/SCHEMA.md");
    let new = schema_page(&old);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(root().join("docs/SCHEMA.md"), &new).unwrap();
    } else {
        assert_eq!(
            old, new,
            "docs/SCHEMA.md is stale: UPDATE_DOCS=1 cargo test --test docs"
        );
    }
    assert!(
        !new.contains("| TODO |"),
        "docs/SCHEMA.md: write down what the columns marked TODO mean"
    );
}
