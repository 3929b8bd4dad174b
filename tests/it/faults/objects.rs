//! The objects that are no customer's: the operator's and the directory's.

use crate::support::people::{admin, service};
use crate::support::world::{NEW_YEAR, Seeded};
use crate::support::{Harm, Workerd, World};
use rusqlite::types::Value as Cell;
use serde_json::Map;
use std::rc::Rc;
use user_api::customer::audit::page::AuditQuery;
use user_api::customer::errand::By;
use user_api::customer::idempotency::{IdempotencyKey, Payload, StoredReply};
use user_api::customer::listing::{Listing, Shown};
use user_api::customer::profile::Plan;
use user_api::customer::status::Status;
use user_api::customer::tokens::Target;
use user_api::directory::list::{Place, Query};
use user_api::directory::{self, Directory};
use user_api::edge::route::Route;
use user_api::error::Result;
use user_api::operator::Operator;
use user_api::operator::errand::{Act, Errand, Repeat, What};
use user_api::sql::Sql;
use user_api::types::{Condition, CustomerId, Timestamp};

/// What is done in one transaction.
type Deed<O> = Box<dyn Fn(&mut O, &Workerd, &mut Seeded) -> Result<()>>;

/// An object, its storage, and what is done in one transaction.
struct Scenario<O> {
    name: String,
    /// A storage in which something is already.
    prepare: Box<dyn Fn() -> Workerd>,
    wake: fn() -> O,
    act: Deed<O>,
    forget: fn(&mut O),
}

/// All rows of all tables.
fn dump(sql: &Workerd) -> Vec<Vec<Cell>> {
    sql.raw(|db| {
        let mut tables = db
            .prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
            .unwrap();
        let tables = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
        let mut all = Vec::new();
        for table in tables.map(std::result::Result::unwrap) {
            let mut select = db.prepare(&format!("SELECT * FROM {table} ORDER BY 1")).unwrap();
            let columns = select.column_count();
            let rows = select.query_map([], |row| (0..columns).map(|column| row.get(column)).collect());
            all.push(vec![Cell::Text(table)]);
            all.extend(rows.unwrap().map(std::result::Result::unwrap));
        }
        all
    })
}

fn run<O>(scenario: &Scenario<O>, object: &mut O, sql: &Workerd, entropy: &mut Seeded) -> Result<()> {
    let done = sql.transaction(&mut || (scenario.act)(object, sql, entropy));
    if done.is_err() {
        (scenario.forget)(object);
    }
    done
}

fn fail_each<O>(scenario: &Scenario<O>) {
    for (harm, is_warm) in [Harm::Error, Harm::CrashBefore, Harm::CrashAfter]
        .into_iter()
        .flat_map(|harm| [(harm, false), (harm, true)])
    {
        let awake = |sql: &Workerd| {
            let mut object = (scenario.wake)();
            if is_warm {
                run(scenario, &mut object, sql, &mut Seeded(1)).unwrap();
            }
            object
        };
        let sql = (scenario.prepare)();
        let mut object = awake(&sql);
        let before = dump(&sql);
        sql.arm(1_000_000, harm);
        run(scenario, &mut object, &sql, &mut Seeded(5)).unwrap();
        let operations = 1_000_000 - sql.left().unwrap();
        let after = dump(&sql);
        for operation in 0..operations {
            let place = format!(
                "{}: operation {operation} of {operations}, {harm:?}",
                scenario.name
            );
            let sql = (scenario.prepare)();
            let mut object = awake(&sql);
            sql.arm(operation, harm);
            run(scenario, &mut object, &sql, &mut Seeded(5)).expect_err(&place);
            if sql.is_dead() {
                sql.reopen();
                object = (scenario.wake)();
            }
            let took_effect = harm == Harm::CrashAfter && operation == operations - 1;
            assert!(
                dump(&sql)
                    == if took_effect {
                        after.clone()
                    } else {
                        before.clone()
                    },
                "{place}"
            );
            if !took_effect {
                run(scenario, &mut object, &sql, &mut Seeded(5)).expect(&place);
                assert!(dump(&sql) == after, "{place}: repeated");
            }
            run(scenario, &mut object, &sql, &mut Seeded(6)).expect(&place);
            assert_chained(&sql, &place);
        }
    }
}

/// The log of the operators holds; the directory has none.
fn assert_chained(sql: &Workerd, place: &str) {
    let has_log = "SELECT count(*) FROM sqlite_master WHERE name = 'audit'";
    if sql
        .raw(|db| db.query_row(has_log, [], |row| row.get::<_, i64>(0)))
        .unwrap()
        == 0
    {
        return;
    }
    let rows: Vec<(String, Vec<u8>)> = sql.raw(|db| {
        let mut select = db.prepare("SELECT header, hash FROM audit ORDER BY seq").unwrap();
        let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        rows.unwrap().map(std::result::Result::unwrap).collect()
    });
    let mut previous = user_api::verify::chain::genesis("operator");
    for (header, hash) in rows {
        let leaf = user_api::verify::chain::leaf(header.as_bytes());
        previous = user_api::verify::chain::link(&previous, &leaf);
        assert_eq!(hash, previous, "{place}");
    }
}

fn by(is_service: bool) -> By {
    let who = if is_service { service() } else { admin() };
    By {
        origin: who.asks(Route::GetCustomer).origin,
        caller: who.0,
        fingerprint: None,
    }
}

fn operator() -> Operator {
    Operator::new(Rc::new(World::config())).unwrap()
}

fn handled(operator: &mut Operator, sql: &Workerd, what: What, entropy: &mut Seeded) -> Result<()> {
    let errand = Errand { by: by(true), what };
    let now = Timestamp::from_millis(NEW_YEAR);
    operator.handle(sql, &errand, now, entropy).map(|_| ())
}

fn repeat() -> Repeat {
    Repeat {
        key: IdempotencyKey::parse("once").unwrap(),
        method: "POST".to_owned(),
        path: "/internal/customers".to_owned(),
        payload: Payload::new(&Condition::default(), b"{}").unwrap(),
    }
}

fn keep() -> What {
    What::Keep {
        repeat: repeat(),
        reply: StoredReply {
            status: 201,
            headers: Vec::new(),
            body: b"{}".to_vec(),
        },
    }
}

fn of_operator(name: &str, what: What) -> Scenario<Operator> {
    Scenario {
        name: format!("operator: {name}"),
        prepare: Box::new(|| {
            let sql = Workerd::new();
            let mut first = operator();
            let revoke = What::Revoke {
                target: Target::Jti("a".to_owned()),
            };
            let done = sql.transaction(&mut || handled(&mut first, &sql, revoke.clone(), &mut Seeded(3)));
            done.unwrap();
            sql
        }),
        wake: operator,
        act: Box::new(move |operator, sql, entropy| handled(operator, sql, what.clone(), entropy)),
        forget: Operator::forget,
    }
}

const fn kind(what: &What) -> u8 {
    match what {
        What::Check => 0,
        What::Revoke { .. } => 1,
        What::Note { .. } => 2,
        What::ReadLog(_) => 3,
        What::Recall(_) => 4,
        What::Keep { .. } => 5,
    }
}

#[test]
fn a_fault_of_the_operator_object_leaves_the_state_before_or_after() {
    let note = |refused: Option<&str>| What::Note {
        act: Act::ListCustomers,
        refused: refused.map(str::to_owned),
        detail: Map::new(),
    };
    let query = AuditQuery {
        limit: 20,
        ..AuditQuery::default()
    };
    let all = [
        ("check", What::Check),
        (
            "revoke",
            What::Revoke {
                target: Target::Jti("b".to_owned()),
            },
        ),
        (
            "revoke all",
            What::Revoke {
                target: Target::NotBefore(NEW_YEAR / 1000),
            },
        ),
        ("note", note(None)),
        ("note of a refusal", note(Some("invalid_cursor"))),
        ("read", What::ReadLog(query)),
        ("recall", What::Recall(repeat())),
        ("keep", keep()),
    ];
    let kinds: std::collections::BTreeSet<_> = all.iter().map(|(_, what)| kind(what)).collect();
    assert_eq!(kinds, (0..6).collect(), "a kind of errand without a scenario");
    for (name, what) in all {
        fail_each(&of_operator(name, what));
    }
    let tick = Scenario {
        name: "operator: tick".to_owned(),
        act: Box::new(|operator: &mut Operator, sql: &Workerd, entropy: &mut Seeded| {
            let later = NEW_YEAR + 731 * 24 * 3_600_000;
            operator.tick(sql, Timestamp::from_millis(later), entropy)
        }),
        ..of_operator("", keep())
    };
    fail_each(&tick);
}

fn of_directory(
    name: &str,
    shard: &'static str,
    wake: fn() -> Directory,
    what: directory::errand::What,
) -> Scenario<Directory> {
    let errand = directory::errand::Errand { shards: 1, what };
    Scenario {
        name: format!("{shard}: {name}"),
        prepare: Box::new(Workerd::new),
        wake,
        act: Box::new(move |directory, sql, _| directory.handle(sql, &errand).map(|_| ())),
        forget: Directory::forget,
    }
}

#[test]
fn a_fault_of_a_shard_of_the_directory_leaves_the_state_before_or_after() {
    use directory::errand::What;
    let id = |text: &str| CustomerId::parse(text).unwrap();
    let index = World::config().index.email("a@b.example").unwrap();
    let claims = || Directory::new("claims-0").unwrap();
    let list = || Directory::new("list-0").unwrap();
    let listing = Listing {
        customer_id: id("cust_a"),
        rev: 1,
        shown: Some(Shown {
            created_at: Timestamp::from_millis(NEW_YEAR),
            status: Status::Active,
            plan: Plan::Free,
            email_index: Some(index),
        }),
    };
    let page = Query {
        status: None,
        plan: None,
        email_index: None,
        from: Timestamp::from_millis(0),
        after: Place::start(),
        limit: 10,
    };
    for (name, what) in [
        ("look", What::Look { index }),
        (
            "claim",
            What::Claim {
                index,
                candidate: id("cust_a"),
                attempt: 0,
            },
        ),
        (
            "release",
            What::Release {
                index,
                holder: id("cust_a"),
                attempt: 0,
            },
        ),
        ("agree", What::Agree),
    ] {
        fail_each(&of_directory(name, "claims-0", claims, what));
    }
    for (name, what) in [("put", What::Put(listing)), ("page", What::Page(page))] {
        fail_each(&of_directory(name, "list-0", list, what));
    }
}
