//! Migrations: the schema that they give, forward only, whole steps.

use crate::support::Workerd;
use crate::support::world::World;
use user_api::customer::MIGRATIONS;
use user_api::directory;
use user_api::sql::{Migration, Sql, is_initialised, migrate};

/// The schema as SQLite tells it, one object a paragraph.
fn schema(sql: &Workerd) -> String {
    let rows = sql
        .exec(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name",
            &[],
        )
        .unwrap();
    rows.iter()
        .map(|row| format!("{};\n\n", row.text(0).unwrap()))
        .collect()
}

#[test]
fn the_steps_are_numbered_without_gaps() {
    for steps in [MIGRATIONS, directory::MIGRATIONS] {
        for (index, step) in steps.iter().enumerate() {
            assert_eq!(step.number, index as i64 + 1);
        }
    }
}

#[test]
fn the_schema_is_the_pinned_one() {
    for (steps, name) in [
        (MIGRATIONS, "schema"),
        (directory::MIGRATIONS, "schema_directory"),
    ] {
        let sql = Workerd::new();
        assert!(!is_initialised(&sql).unwrap());
        migrate(&sql, steps).unwrap();
        assert!(is_initialised(&sql).unwrap());
        let file = format!("{}/tests/it/{name}.sql", env!("CARGO_MANIFEST_DIR"));
        if std::env::var_os("UPDATE_PINNED").is_some() {
            std::fs::write(&file, schema(&sql)).unwrap();
        }
        assert_eq!(
            schema(&sql),
            std::fs::read_to_string(&file).unwrap(),
            "UPDATE_PINNED=1 writes {file}"
        );
    }
}

#[test]
fn applying_twice_changes_nothing() {
    let world = World::new();
    let before = world.dump();
    world.sql.forget_counts();
    migrate(&world.sql, MIGRATIONS).unwrap();
    assert_eq!(world.dump(), before);
    assert_eq!(world.sql.rows_written.get(), 0);
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let mut world = World::new();
    let newer = "UPDATE schema_version SET number = number + 1";
    world.sql.raw(|db| db.execute(newer, [])).unwrap();
    let before = world.dump();
    world.restart();
    let request = crate::support::ada().asks(user_api::edge::route::Route::GetCustomer);
    for _ in 0..2 {
        let error = world.try_send(&request).unwrap_err();
        assert_eq!(error.code, user_api::error::Code::Unavailable);
        assert!(error.internal.as_ref().unwrap().contains("newer"));
    }
    assert_eq!(world.dump(), before);
}

const STEPS: &[Migration] = &[
    Migration {
        number: 1,
        script: "CREATE TABLE a (x INTEGER NOT NULL) STRICT; INSERT INTO a VALUES (1);",
    },
    Migration {
        number: 2,
        script: "ALTER TABLE a ADD COLUMN y TEXT; UPDATE a SET y = 'two';",
    },
];
const BROKEN: &[Migration] = &[
    STEPS[0],
    Migration {
        number: 2,
        script: "ALTER TABLE a ADD COLUMN y TEXT; UPDATE a SET y = 'two'; INSERT INTO none VALUES (1);",
    },
];

#[test]
fn a_later_step_goes_on_from_the_earlier_one() {
    let sql = Workerd::new();
    migrate(&sql, &STEPS[..1]).unwrap();
    migrate(&sql, STEPS).unwrap();
    assert_eq!(
        sql.exec("SELECT y FROM a", &[]).unwrap()[0].text(0).unwrap(),
        "two"
    );
    assert!(
        migrate(&sql, &STEPS[..1])
            .unwrap_err()
            .internal
            .as_deref()
            .unwrap()
            .contains("newer")
    );
}

#[test]
fn a_failing_step_leaves_nothing_and_the_steps_before_it_stand() {
    let sql = Workerd::new();
    migrate(&sql, BROKEN).unwrap_err();
    let number = |sql: &Workerd| {
        sql.exec("SELECT number FROM schema_version", &[]).unwrap()[0]
            .integer(0)
            .unwrap()
    };
    assert_eq!(number(&sql), 1);
    assert!(!schema(&sql).contains("y TEXT"));
    migrate(&sql, STEPS).unwrap();
    assert_eq!(number(&sql), 2);

    let first = &[Migration {
        number: 1,
        script: "CREATE TABLE a (x); CREATE TABLE a (x);",
    }];
    let sql = Workerd::new();
    migrate(&sql, first).unwrap_err();
    assert_eq!(schema(&sql), "");
    assert!(!is_initialised(&sql).unwrap());
}
