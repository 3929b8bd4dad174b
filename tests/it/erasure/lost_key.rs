//! Erasing a customer whose data nobody can read any more.

use super::owner;
use crate::support::World;
use crate::support::people::admin;
use serde_json::json;
use user_api::customer::idempotency::{IdempotencyKey, Payload};
use user_api::customer::request::{Repeat, Reply, Request};
use user_api::edge::route::Route;
use user_api::error::Code;
use user_api::vault::Errand as KeyErrand;

#[test]
fn a_customer_whose_key_is_lost_after_it_asked_is_erased_as_well() {
    let mut world = World::due();
    world.vault.lose();
    world.restart();
    world.run_out();
    assert!(world.certificate().is_some());
}

#[test]
fn a_customer_whose_key_is_lost_is_erased_when_an_administrator_says_so() {
    let losses: [fn(&mut World); 2] = [
        |world| world.vault.lose(),
        |world| world.masters = vec![(2, [2; 32])],
    ];
    for lose in losses {
        let mut world = World::new();
        world.fill();
        lose(&mut world);
        world.restart();
        let (before, entries) = (world.dump(), world.count("audit"));
        let body = json!({"reason": "Its key is lost.", "graceDays": 0});
        let ask = admin().says(Route::AdminRequestErasure, &body);
        let repeated = Request {
            repeat: Some(Repeat {
                key: IdempotencyKey::parse("once").unwrap(),
                method: "POST",
                path: "/admin/customers/cust-1/erasure".to_owned(),
                payload: Payload::new(&ask.condition, b"{}").unwrap(),
            }),
            ..ask.clone()
        };
        for refused in [
            owner().says(Route::RequestErasure, &json!({})),
            admin().asks(Route::AdminGetCustomer),
            repeated,
        ] {
            assert_eq!(world.try_send(&refused).unwrap_err().code, Code::KeyUnavailable);
        }
        assert!(world.dump() == before);
        assert_eq!(
            world.refusal(&admin().asks(Route::AdminWithdrawErasure)),
            Code::ErasureNotFound
        );
        world.accepted(
            &admin(),
            Route::AdminRequestErasure,
            &json!({"reason": "Its key is lost."}),
        );
        assert_eq!(
            world.json(&admin().asks(Route::AdminGetErasure))["status"],
            "scheduled"
        );
        assert_eq!(
            world.send(&admin().asks(Route::AdminWithdrawErasure)),
            Reply::Done
        );
        assert!(matches!(world.send(&ask), Reply::Accepted(_)));
        // Who it was and what stand in the log; the reason could not be sealed and is nowhere.
        let told = "SELECT group_concat(header ->> 'action' || ' ' || (header ->> 'outcome') || ' ' || \
                    (header ->> '$.actor.kind'), ', ') FROM audit WHERE detail IS NULL";
        assert_eq!(
            world.text(told),
            "erasure.withdraw erasure_not_found admin, erasure.request ok admin, erasure.read ok admin, \
             erasure.withdraw ok admin, erasure.request ok admin"
        );
        assert_eq!(world.count("audit"), entries + 5);
        world.run_out();
        assert!(world.certificate().is_some());
    }
}

#[test]
fn a_key_that_is_found_again_serves_as_before() {
    let mut world = World::new();
    world.fill();
    let held = world.vault.held().unwrap();
    world.vault.lose();
    world.restart();
    world.accepted(
        &admin(),
        Route::AdminRequestErasure,
        &json!({"reason": "Its key is lost."}),
    );
    // The object was not evicted meanwhile, and knows no API keys from the time without a key.
    world.vault.ask(KeyErrand::Create(held)).unwrap();
    let keys = world.json(&owner().asks(Route::ListKeys));
    assert_eq!(keys["data"].as_array().unwrap().len(), 1);
    world.log();
}
