//! A customer that does not exist, or is somebody else's.

use crate::support::people::{ROUTES, sound_body};
use crate::support::{Who, World, ada, admin, bob, service};
use serde_json::json;
use user_api::customer::request::Reply;
use user_api::edge::route::Route;
use user_api::error::Code;
use user_api::types::CustomerId;

fn everybody() -> Vec<Who> {
    let nowhere = ada().change(|user| user.customer = None);
    let elsewhere = ada().change(|user| user.customer = CustomerId::parse("cust_other"));
    vec![ada(), bob(), admin(), nowhere, elsewhere, service()]
}

#[test]
fn asking_about_an_absent_customer_writes_no_table_and_no_row() {
    for who in everybody() {
        for &route in ROUTES {
            let mut world = World::absent();
            let empty = world.dump();
            for request in [who.says(route, &sound_body(route)), who.sends(route, b"{")] {
                let is_service = who.0.kind() == "service";
                if is_service && route == Route::EnsureCustomer {
                    continue;
                }
                assert_eq!(world.refusal(&request), Code::CustomerNotFound, "{route:?}");
                assert_eq!(world.refusal(&request), Code::CustomerNotFound, "{route:?} again");
            }
            assert_eq!(world.dump(), empty, "{route:?}");
            assert_eq!(world.sql.rows_written.get(), 0);
        }
    }
}

#[test]
fn a_body_that_is_no_customer_creates_none() {
    let mut world = World::absent();
    let empty = world.dump();
    world.refusal(&service().says(Route::EnsureCustomer, &json!({"email": "nobody"})));
    world.refusal(&service().sends(Route::EnsureCustomer, b"\xff"));
    assert_eq!(world.dump(), empty);
}

#[test]
fn an_absent_customer_can_still_be_created_after_it_was_asked_for() {
    let mut world = World::absent();
    world.refusal(&ada().asks(Route::GetCustomer));
    world.send(&service().says(Route::EnsureCustomer, &sound_body(Route::EnsureCustomer)));
    assert_eq!(world.json(&ada().asks(Route::GetCustomer))["name"], "Acme");
}

#[test]
fn the_object_refuses_callers_of_another_customer_and_logs_nothing() {
    let mut world = World::new();
    let before = world.dump();
    for other in [
        None,
        CustomerId::parse("cust_other"),
        CustomerId::parse("CUST_ACME"),
    ] {
        let stranger = ada().change(|user| user.customer = other);
        let root = admin().change(|user| user.customer = CustomerId::parse("cust_other"));
        for &route in ROUTES {
            for who in [&stranger, &root] {
                for request in [who.says(route, &sound_body(route)), who.sends(route, b"[")] {
                    assert_eq!(world.refusal(&request), Code::CustomerNotFound, "{route:?}");
                }
            }
        }
    }
    assert_eq!(world.dump(), before);
}

#[test]
fn an_absent_and_a_foreign_customer_look_the_same() {
    let stranger = ada().change(|user| user.customer = CustomerId::parse("cust_other"));
    let request = stranger.asks(Route::GetCustomer);
    let absent = World::absent().send(&request);
    assert!(matches!(absent, Reply::Refused(_)));
    assert_eq!(World::new().send(&request), absent);
}
