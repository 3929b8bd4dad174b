//! What an object keeps in memory is written before the platform takes the memory of one that nobody asks: its alarms
//! here, as the shell sets them.

use crate::support::people::{Who, ada, service};
use crate::support::world::World;
use serde_json::{Value, json};
use user_api::edge::route::Route;
use user_api::error::Code;
use user_api::types::Timestamp;

/// How long the platform keeps an object that nobody asks, in milliseconds.
const EVICTED_MS: i64 = 10_000;

fn admin() -> Who {
    Who::user("auth0|root").change(|user| {
        user.is_admin = true;
        // Of after every revocation here.
        user.issued_at += 86_400;
    })
}

/// Other objects hear what was written for them, as the shell tells them after each request.
fn tell(world: &mut World) {
    let now = Timestamp::from_millis(world.now);
    for (notice, _) in world.customer.notices(&world.sql, Timestamp::MAX).unwrap() {
        world.customer.noticed(&world.sql, &notice, true, now).unwrap();
    }
}

/// Nobody asks for so long that the memory is gone; until then the alarms come. How many.
fn falls_silent(world: &mut World) -> usize {
    tell(world);
    let gone = world.now + EVICTED_MS;
    let mut alarms = 0;
    while let Some(due) = world.customer.due().filter(|due| due.as_millis() < gone) {
        world.now = world.now.max(due.as_millis());
        let now = Timestamp::from_millis(world.now);
        world.customer.tick(&world.sql, now, &mut world.entropy).unwrap();
        alarms += 1;
        assert!(alarms < 10, "no end of alarms");
    }
    world.now = gone;
    world.restart();
    alarms
}

fn counted(world: &mut World, route: &str, outcome: &str) -> i64 {
    let usage = world.json(&admin().sends_to(Route::AdminGetUsage, "cust_acme", b""));
    let counts = usage["last30Days"].as_array().unwrap();
    let found = counts
        .iter()
        .find(|count| count["route"] == route && count["outcome"] == outcome);
    found.map_or(0, |count| count["count"].as_i64().unwrap())
}

#[test]
fn a_customer_that_asks_once_in_a_while_has_its_usage_counted() {
    let mut world = World::new();
    for _ in 0..20 {
        world.json(&ada().asks(Route::GetCustomer));
        assert_eq!(falls_silent(&mut world), 1);
        world.now += 180_000;
    }
    assert_eq!(counted(&mut world, "GET /customer/me", "ok"), 20);
}

#[test]
fn the_sum_of_a_flood_is_written_when_silence_follows() {
    let mut world = World::new();
    world.json(&ada().asks(Route::GetCustomer));
    world.send(&service().says(
        Route::ServiceRevokeTokens,
        &json!({"notBefore": world.now / 1000}),
    ));
    let flood = vec![ada().asks(Route::GetCustomer); 300];
    world.batch(&flood);
    assert_eq!(world.refusal(&ada().asks(Route::GetCustomer)), Code::TokenRevoked);
    falls_silent(&mut world);
    let sums: Vec<Value> = world
        .log()
        .into_iter()
        .filter(|entry| entry.header["action"] == "requests.refused")
        .map(|entry| entry.detail.unwrap()["counts"].clone())
        .collect();
    let summed: i64 = sums
        .iter()
        .map(|counts| counts["token_revoked"].as_i64().unwrap())
        .sum();
    assert_eq!(summed, 291);
    assert_eq!(counted(&mut world, "GET /customer/me", "token_revoked"), 301);
}

#[test]
fn a_busy_object_wakes_itself_only_now_and_then() {
    let mut world = World::new();
    let (mut alarm, mut alarms) = (None, 0);
    for _ in 0..600 {
        world.now += 100;
        world.json(&ada().asks(Route::GetCustomer));
        tell(&mut world);
        // As the shell: an alarm that is set stays, and sets itself anew.
        let due = |world: &World| world.customer.due().map(Timestamp::as_millis);
        if alarm.is_none() {
            alarm = due(&world);
        }
        if alarm.is_some_and(|alarm| alarm <= world.now) {
            let now = Timestamp::from_millis(world.now);
            world.customer.tick(&world.sql, now, &mut world.entropy).unwrap();
            alarm = due(&world);
            alarms += 1;
        }
    }
    assert!((10..=15).contains(&alarms), "{alarms}");
}
