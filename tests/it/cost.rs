//! What a request costs in statements and rows, which on the platform is money and time.

use crate::support::people::admin;
use crate::support::people::{Conditional, sound_body};
use crate::support::{World, ada, service};
use serde_json::json;
use user_api::customer::request::Reply;
use user_api::edge::route::{BodyKind, Route};

fn counted(
    world: &mut World,
    request: &user_api::customer::request::Request,
) -> (Vec<&'static str>, u64, u64) {
    world.sql.forget_counts();
    world.send(request);
    let statements = world.sql.statements.borrow().clone();
    (
        statements,
        world.sql.rows_written.get(),
        world.sql.rows_read.get(),
    )
}

#[test]
fn a_warm_read_of_the_customer_writes_its_audit_entry_and_reads_nothing() {
    let mut world = World::new();
    world.send(&ada().asks(Route::GetCustomer));
    let tag = world.tag(&ada().asks(Route::GetCustomer));
    for request in [
        ada().asks(Route::GetCustomer),
        ada().asks(Route::GetStatus),
        ada().asks(Route::GetSession),
        ada().asks(Route::GetCustomer).if_none_match(&tag),
        ada().sends(Route::PatchCustomer, b"{"),
        ada().says(Route::PatchCustomer, &json!({})),
        service().says(Route::EnsureCustomer, &sound_body(Route::EnsureCustomer)),
    ] {
        let (statements, written, read) = counted(&mut world, &request);
        assert_eq!((statements.len(), written, read), (1, 1, 0), "{statements:?}");
        assert!(statements[0].starts_with("INSERT INTO audit "));
    }
}

#[test]
fn a_warm_read_of_the_user_reads_one_row_more() {
    let mut world = World::new();
    for route in [Route::GetUser, Route::GetPreferences] {
        world.send(&ada().asks(route));
        let (statements, written, read) = counted(&mut world, &ada().asks(route));
        assert_eq!((statements.len(), written, read), (2, 1, 1), "{statements:?}");
    }
}

#[test]
fn a_warm_write_writes_one_row_and_its_entry() {
    let mut world = World::new();
    for (route, reads) in [
        (Route::PatchCustomer, 0),
        (Route::PatchUser, 1),
        (Route::PatchPreferences, 1),
    ] {
        world.send(&ada().asks(Route::GetUser));
        let (_, written, read) = counted(&mut world, &ada().says(route, &sound_body(route)));
        assert_eq!((written, read), (2, reads), "{route:?}");
    }
}

#[test]
fn the_cost_does_not_grow_with_the_history() {
    let cold = |history: usize| {
        let mut world = World::new();
        let request = ada().asks(Route::GetCustomer);
        world.batch(&vec![request.clone(); history]);
        world.restart();
        let (statements, written, read) = counted(&mut world, &request);
        (statements, written, read)
    };
    assert_eq!(cold(1), cold(200));
}

#[test]
fn statements_are_constants_that_the_platform_can_cache() {
    let mut world = World::new();
    let mut texts = std::collections::BTreeSet::new();
    for round in 0..2 {
        for &route in crate::support::people::ROUTES {
            world.sql.forget_counts();
            world.send(&ada().says(route, &sound_body(route)));
            let seen = world.sql.statements.borrow().clone();
            let fresh = seen.into_iter().filter(|&text| texts.insert(text)).count();
            assert!(round == 0 || fresh == 0, "{route:?}");
        }
    }
}

/// What the table of `docs/COST.md` tells, warm: who does what, by a body that changes something.
const BILLED: &[(&str, Route)] = &[
    ("a user", Route::GetCustomer),
    ("a user", Route::PatchCustomer),
    ("a user", Route::GetStatus),
    ("a user", Route::GetUsage),
    ("a user", Route::GetSession),
    ("a user", Route::GetUser),
    ("a user", Route::PatchUser),
    ("a user", Route::GetPreferences),
    ("a user", Route::PatchPreferences),
    ("the owner", Route::ListKeys),
    ("a service", Route::EnsureCustomer),
    ("an admin", Route::AdminGetLimits),
    ("an admin", Route::AdminGetUsage),
];

/// One row of the table. The prices are those that the page cites, in millionths of a dollar.
fn billed(who: &str, route: Route) -> String {
    let mut world = World::new();
    world.send(&ada().asks(Route::GetUser));
    let caller = match who {
        "a service" => service(),
        "an admin" => admin(),
        "the owner" => ada().change(|user| user.scopes = vec!["customer:owner".to_owned()]),
        _ => ada(),
    };
    let request = || match route.body() {
        BodyKind::None => caller.asks(route),
        _ => caller.says(route, &sound_body(route)),
    };
    if route.body() == BodyKind::None {
        world.send(&request());
    }
    let (_, written, read) = counted(&mut world, &request());
    let answer = world.send(&request());
    assert!(!matches!(answer, Reply::Refused(_)), "{route:?}: {answer:?}");
    let price = 450_000 + written * 1_000_000 + read * 1_000;
    let (method, path) = (route.method().as_str(), route.pattern());
    let (dollars, thousandths) = (price / 1_000_000, price % 1_000_000 / 1_000);
    format!("| {method} `{path}` by {who} | {written} | {read} | {dollars}.{thousandths:03} |\n")
}

#[test]
fn the_table_of_costs_is_true() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/COST.md");
    let page = std::fs::read_to_string(&path).unwrap();
    const HEAD: &str = "| Operation | Rows written | Rows read | $ a million |\n|---|---|---|---|\n";
    let (before, after) = page.split_once(HEAD).expect("the head of the table");
    let table: String = BILLED.iter().map(|&(who, route)| billed(who, route)).collect();
    let end = after
        .split_inclusive('\n')
        .take_while(|line| line.starts_with('|'))
        .map(str::len)
        .sum();
    let (told, rest) = after.split_at(end);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{HEAD}{table}{rest}")).unwrap();
    } else {
        assert_eq!(told, table, "docs/COST.md does not tell what requests cost");
    }
}

#[test]
fn a_hot_request_costs_no_more_after_a_long_history() {
    for route in [Route::GetCustomer, Route::PatchCustomer] {
        let cost = |history: i64| {
            let mut world = World::new();
            world.send(&ada().asks(route));
            world.sql.raw(|connection| grow(connection, history));
            world.restart();
            let cold = counted(&mut world, &ada().asks(Route::GetCustomer));
            let warm = counted(&mut world, &ada().says(route, &sound_body(route)));
            (cold, warm)
        };
        let short = cost(100);
        assert_eq!(short, cost(10_000), "{route:?}");
        assert_eq!(short, cost(1_000_000), "{route:?}");
    }
}

/// Makes the log that long, by copies of its last entry: a wake-up reads the last one alone.
fn grow(connection: &rusqlite::Connection, entries: i64) {
    let last: i64 = connection
        .query_row("SELECT max(seq) FROM audit", [], |row| row.get(0))
        .unwrap();
    let columns = "header, detail, hash, limiter";
    connection
        .execute(
            &format!(
                "WITH RECURSIVE n(seq) AS (SELECT ?1 + 1 UNION ALL SELECT seq + 1 FROM n WHERE seq < ?2) \
                 INSERT INTO audit (seq, {columns}) SELECT n.seq, {columns} FROM n, audit WHERE audit.seq = ?1"
            ),
            [last, entries],
        )
        .unwrap();
}
