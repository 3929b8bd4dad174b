//! What an object does by itself, and the turns of an export.

use super::{Act, Again, Scenario, scenario};
use crate::export::{begin, pull};
use crate::support::people::CUSTOMER;
use crate::support::world::HOUR;
use crate::support::{World, ada, admin, bob, service};
use serde_json::json;
use user_api::customer::idempotency::{IdempotencyKey, Payload};
use user_api::customer::request::{Repeat, Reply};
use user_api::edge::route::Route;
use user_api::types::Condition;

const DAY: i64 = 24 * HOUR;

fn tick() -> Act {
    Box::new(|world| {
        world.unlock(false)?;
        world.in_transaction(|customer, sql, now, entropy| customer.tick(sql, now, entropy))
    })
}

/// Everything is due at once: a stored reply, a revocation, an idle export, a wish for an e-mail, old details.
fn overdue() -> World {
    let mut world = World::new();
    let mut patch = ada().says(Route::PatchCustomer, &json!({"name": "New"}));
    patch.repeat = Some(Repeat {
        key: IdempotencyKey::parse("once").unwrap(),
        method: "PATCH",
        path: "/customer/me".to_owned(),
        payload: Payload::new(&Condition::default(), b"{}").unwrap(),
    });
    world.send(&patch);
    let owner = ada().email("owner@example.com");
    world.send(&owner.says(Route::RevokeTokens, &json!({"jti": "other"})));
    begin(&mut world, &admin(), Route::AdminExport);
    let moved = json!({"email": "moved@example.com"}).to_string();
    let moved = service().sends_to(Route::ServicePutEmail, CUSTOMER, moved.as_bytes());
    assert!(matches!(world.send(&moved), Reply::Claim(_)));
    world.now += 731 * DAY;
    world
}

#[test]
fn the_tick_of_the_scenario_does_all_that_is_due() {
    let mut world = overdue();
    let tables = ["idempotency", "revocations", "exports"];
    for table in tables {
        assert!(world.count(table) > 0, "{table}");
    }
    let entries = world.count("audit");
    tick()(&mut world).unwrap();
    for table in tables {
        assert_eq!(world.count(table), 0, "{table}");
    }
    let told = world.log();
    let forgotten = told.iter().filter(|entry| entry.detail.is_none()).count();
    assert_eq!(forgotten as i64, entries, "retention");
    let select = "SELECT pending_index IS NULL FROM account";
    assert!(
        world
            .sql
            .raw(|db| db.query_row(select, [], |row| row.get::<_, bool>(0)))
            .unwrap()
    );
}

/// More refusals than get an entry each.
fn flooded() -> World {
    let mut world = World::new();
    for _ in 0..15 {
        world.send(&bob().says(
            Route::CreateKey,
            &json!({"name": "x", "scopes": ["customer:read"]}),
        ));
    }
    world.now += 60_000;
    world
}

pub fn scenarios() -> Vec<Scenario> {
    let exported = |abandons: bool| {
        move || {
            let mut world = World::new();
            let export = begin(&mut world, &admin(), Route::AdminExport);
            let act: Act = Box::new(move |world| {
                let mut export = export.clone();
                world.unlock(false)?;
                if abandons {
                    return world.in_transaction(|customer, sql, now, entropy| {
                        customer.abandon(sql, &export, now, entropy)
                    });
                }
                pull(world, &mut export).map(|_| ())
            });
            (world, act)
        }
    };
    vec![
        // Since when nobody takes an export's pieces is in memory alone.
        scenario("tick, warm", Again::Lost, || (overdue(), tick())),
        scenario("tick, cold", Again::Other, || {
            let mut world = overdue();
            world.restart();
            (world, tick())
        }),
        scenario("tick with a sum of refusals", Again::Lost, || (flooded(), tick())),
        scenario("an export's last piece", Again::Ended, exported(false)),
        scenario("an export that nobody takes", Again::Other, exported(true)),
    ]
}
