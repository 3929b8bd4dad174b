//! The moves between statuses, by every command that makes one, against the table.

use crate::support::people::CUSTOMER;
use crate::support::{Who, World, ada, admin, service};
use serde_json::json;
use user_api::customer::request::{Reply, Request};
use user_api::customer::status::{By, Status};
use user_api::edge::route::Route;
use user_api::error::Code;

fn owner() -> Who {
    Who::user("auth0|owner").email("owner@example.com")
}

fn world_in(status: Status) -> World {
    let mut world = World::new();
    world.set_status(status.as_str());
    world
}

fn put(status: &str) -> Request {
    admin().says(
        Route::AdminPutStatus,
        &json!({"status": status, "reason": "said so"}),
    )
}

#[test]
fn an_administrator_makes_exactly_the_moves_of_the_table() {
    for (from, _) in Status::ALL
        .into_iter()
        .filter(|(from, _)| *from != Status::Erased)
    {
        for (to, name) in Status::ALL.into_iter().filter(|(to, _)| *to != Status::Erased) {
            let mut world = world_in(from);
            let before = world.state();
            let reply = world.send(&put(name));
            if from.may_become(to, By::Admin).is_ok() {
                assert!(
                    matches!(reply, Reply::Content { .. }),
                    "{from:?} {to:?}: {reply:?}"
                );
                world.restart();
                let status = world.json(&ada().asks(Route::GetStatus));
                assert_eq!(
                    (&status["status"], &status["statusReason"]),
                    (&json!(name), &json!("said so"))
                );
            } else {
                assert!(
                    matches!(&reply, Reply::Refused(error) if error.code == Code::StatusTransitionNotAllowed),
                    "{from:?} {to:?}: {reply:?}"
                );
                assert_eq!(world.state(), before);
            }
        }
    }
}

#[test]
fn only_erasure_erases_and_nothing_wakes_the_erased() {
    for (from, _) in Status::ALL
        .into_iter()
        .filter(|(from, _)| *from != Status::Erased)
    {
        assert_eq!(world_in(from).refusal(&put("erased")), Code::ValidationFailed);
    }
    for (_, name) in Status::ALL {
        assert_eq!(world_in(Status::Erased).refusal(&put(name)), Code::CustomerErased);
    }
}

#[test]
fn a_move_tells_when_and_why_and_is_a_new_version() {
    let mut world = World::new();
    let tag = world.tag(&ada().asks(Route::GetCustomer));
    world.now += 5_000;
    let suspended = world.json(&admin().says(Route::AdminSuspend, &json!({"reason": "unpaid"})));
    assert_eq!(suspended["customerId"], CUSTOMER);
    let told = ["status", "statusReason", "statusChangedAt", "updatedAt"].map(|name| suspended[name].clone());
    let at = json!("2026-01-01T00:00:05.001Z");
    assert_eq!(told, [json!("suspended"), json!("unpaid"), at.clone(), at]);
    assert_ne!(world.tag(&ada().asks(Route::GetCustomer)), tag);
    let entry = world
        .log()
        .into_iter()
        .rfind(|entry| entry.brief() == "customer.suspend ok admin")
        .unwrap();
    let changed = &entry.detail.unwrap()["changed"];
    assert_eq!(
        changed["status"],
        json!({"before": "active", "after": "suspended"})
    );
    assert_eq!(
        changed["statusReason"],
        json!({"before": null, "after": "unpaid"})
    );
    assert!(!entry.text.contains("unpaid"), "a reason may be personal");
    world.json(&admin().sends(Route::AdminActivate, b""));
    let active = world.json(&ada().asks(Route::GetStatus));
    assert_eq!(
        (&active["status"], &active["statusReason"]),
        (&json!("active"), &json!(null))
    );
}

#[test]
fn the_same_status_again_changes_nothing_but_a_new_reason() {
    let mut world = World::new();
    let suspend = |reason: &str| admin().says(Route::AdminSuspend, &json!({"reason": reason}));
    world.send(&suspend("unpaid"));
    let state = world.state();
    let first = world.send(&ada().asks(Route::GetStatus));
    world.now += 60_000;
    world.send(&suspend("unpaid"));
    assert_eq!(world.send(&ada().asks(Route::GetStatus)), first);
    let mut after = world.state();
    after.insert("users".to_owned(), state["users"].clone());
    after.insert("customer".to_owned(), state["customer"].clone());
    assert_eq!(after, state);
    let told = world.json(&suspend("fraud"));
    assert_eq!(told["statusReason"], "fraud");
    assert_eq!(told["statusChangedAt"], "2026-01-01T00:00:00.001Z");
}

#[test]
fn a_suspension_holds_for_the_next_request_of_the_same_batch_and_lifting_it_too() {
    let mut world = World::new();
    let edit = || ada().says(Route::PatchCustomer, &json!({"name": "Mine"}));
    let key = world.json(&owner().says(
        Route::CreateKey,
        &json!({"name": "CI", "scopes": ["customer:read"]}),
    ));
    let key = Who::key(key["secret"].as_str().unwrap());
    let replies = world.batch(&[
        edit(),
        admin().says(Route::AdminSuspend, &json!({"reason": "unpaid"})),
        edit(),
        key.asks(Route::GetCustomer),
        ada().asks(Route::GetCustomer),
        admin().sends(Route::AdminActivate, b"{}"),
        key.asks(Route::GetCustomer),
        edit(),
    ]);
    let codes: Vec<_> = replies
        .iter()
        .map(|reply| match reply.as_ref().unwrap() {
            Reply::Refused(error) => error.code.as_str(),
            _ => "ok",
        })
        .collect();
    let suspended = "customer_suspended";
    assert_eq!(codes, ["ok", "ok", suspended, suspended, "ok", "ok", "ok", "ok"]);
}

#[test]
fn nobody_but_an_administrator_moves_a_customer() {
    for route in [
        Route::AdminPutStatus,
        Route::PutStatus,
        Route::AdminSuspend,
        Route::AdminActivate,
    ] {
        for status in [Status::Active, Status::Suspended, Status::Cancelled] {
            for who in [owner(), service()] {
                let mut world = world_in(status);
                let before = world.state();
                let body = match route {
                    Route::AdminSuspend | Route::AdminActivate => json!({"reason": "mine"}),
                    _ => json!({"status": "active"}),
                };
                let reply = world.send(&who.says(route, &body));
                let Reply::Refused(error) = reply else {
                    panic!("{route:?}: {reply:?}")
                };
                assert!(
                    matches!(error.code, Code::CustomerNotFound | Code::Forbidden),
                    "{error:?}"
                );
                assert_eq!(world.state(), before);
            }
        }
    }
}

#[test]
fn a_verified_token_with_the_customer_s_own_e_mail_wakes_a_pending_customer_once() {
    let mut world = world_in(Status::PendingVerification);
    let other = ada();
    let unverified = owner().change(|user| user.email_verified = false);
    for who in [other, unverified] {
        assert_eq!(
            world.json(&who.asks(Route::GetStatus))["status"],
            "pending_verification"
        );
    }
    world.now += 1;
    let patched = world.json(&owner().says(Route::PatchCustomer, &json!({"name": "Mine"})));
    assert_eq!(
        (&patched["status"], &patched["name"]),
        (&json!("active"), &json!("Mine"))
    );
    world.send(&owner().asks(Route::GetCustomer));
    let verified: Vec<_> = world
        .briefs(0)
        .into_iter()
        .filter(|brief| brief.starts_with("customer.verify"))
        .collect();
    assert_eq!(verified, ["customer.verify ok user"]);
    world.restart();
    assert_eq!(world.json(&ada().asks(Route::GetStatus))["status"], "active");
}

#[test]
fn a_verified_token_wakes_no_customer_that_was_suspended_or_cancelled() {
    for status in [Status::Suspended, Status::Cancelled] {
        let mut world = world_in(status);
        assert_eq!(
            world.json(&owner().asks(Route::GetStatus))["status"],
            status.as_str()
        );
    }
}
