//! What each status still allows, for every operation.

use crate::support::people::{ROUTES, sound_body};
use crate::support::{Who, World, ada, admin, service};
use user_api::customer::request::Reply;
use user_api::edge::route::{Method, Route};
use user_api::error::Code;
use user_api::types::CustomerId;

fn caller_for(route: Route) -> Who {
    if route == Route::EnsureCustomer {
        service()
    } else {
        ada()
    }
}

fn world_in(status: &str) -> World {
    let mut world = World::new();
    world.send(&ada().asks(Route::GetCustomer));
    world.set_status(status);
    world
}

#[test]
fn an_active_customer_does_everything() {
    for &route in ROUTES {
        let reply = world_in("active").send(&caller_for(route).says(route, &sound_body(route)));
        assert!(matches!(reply, Reply::Content { .. }), "{route:?}: {reply:?}");
    }
}

#[test]
fn one_that_is_not_active_reads_itself_and_is_told_why_it_may_not_write() {
    for (status, code) in [
        ("pending_verification", Code::CustomerPending),
        ("suspended", Code::CustomerSuspended),
        ("cancelled", Code::CustomerCancelled),
    ] {
        for &route in ROUTES {
            let mut world = world_in(status);
            let state = world.state();
            let reads = route.method() == Method::Get || route == Route::EnsureCustomer;
            let request = caller_for(route).says(route, &sound_body(route));
            if reads {
                let reply = world.send(&request);
                assert!(
                    matches!(reply, Reply::Content { .. }),
                    "{status} {route:?}: {reply:?}"
                );
            } else {
                assert_eq!(world.refusal(&request), code, "{route:?}");
                assert_eq!(
                    world.refusal(&ada().sends(route, b"{")),
                    code,
                    "{route:?} with a broken body"
                );
                assert_eq!(
                    world.refusal(&admin().says(route, &sound_body(route))),
                    code,
                    "an admin's own data too"
                );
            }
            let mut after = world.state();
            if !reads {
                // The admin was met, and so is a user now.
                after
                    .get_mut("users")
                    .unwrap()
                    .retain(|row| state["users"].contains(row));
            }
            assert_eq!(after, state, "{status} {route:?}");
        }
    }
}

#[test]
fn an_erased_customer_is_gone_for_everybody_and_writes_nothing_any_more() {
    let mut world = world_in("erased");
    let before = world.dump();
    world.now += 7_200_000;
    for &route in ROUTES {
        for who in [ada(), admin(), service(), Who::user("never seen")] {
            for request in [who.says(route, &sound_body(route)), who.sends(route, b"{")] {
                assert_eq!(world.refusal(&request), Code::CustomerErased, "{route:?}");
            }
        }
    }
    assert_eq!(world.dump(), before);
    world.restart();
    assert_eq!(
        world.refusal(&ada().asks(Route::GetCustomer)),
        Code::CustomerErased
    );
}

#[test]
fn an_erased_customer_looks_to_strangers_like_one_that_never_was() {
    let stranger = ada().change(|user| user.customer = CustomerId::parse("cust_other"));
    let mut world = world_in("erased");
    let before = world.dump();
    for &route in ROUTES {
        let request = stranger.says(route, &sound_body(route));
        assert_eq!(world.refusal(&request), Code::CustomerNotFound, "{route:?}");
    }
    assert_eq!(world.dump(), before);
}
