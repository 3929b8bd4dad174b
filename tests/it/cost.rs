//! What a request costs in statements and rows, which on the platform is money and time. What the platform itself
//! counts of them is the matter of `tests/e2e/billed`.

use crate::support::people::{Conditional, sound_body};
use crate::support::{World, ada, service};
use serde_json::json;
use user_api::edge::route::Route;

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
    let columns = "detail, hash, limiter";
    connection
        .execute(
            &format!(
                "WITH RECURSIVE n(seq) AS (SELECT ?1 + 1 UNION ALL SELECT seq + 1 FROM n WHERE seq < ?2) \
                 INSERT INTO audit (header, {columns}) \
                 SELECT json_set(header, '$.seq', n.seq), {columns} FROM n, audit WHERE audit.seq = ?1"
            ),
            [last, entries],
        )
        .unwrap();
}
