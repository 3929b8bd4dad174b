//! What an administrator does to a customer: reading and changing it, with its limits, under its conditions.

use crate::support::people::Conditional;
use crate::support::{Who, World, ada, admin};
use serde_json::{Value, json};
use user_api::customer::idempotency::{IdempotencyKey, Payload};
use user_api::customer::request::{Repeat, Reply};
use user_api::edge::route::Route;
use user_api::error::Code;
use user_api::types::Condition;

fn patch(body: &Value) -> user_api::customer::request::Request {
    admin().says(Route::AdminPatchCustomer, body)
}

fn put(body: &Value) -> user_api::customer::request::Request {
    admin().says(Route::AdminPutCustomer, body)
}

#[test]
fn an_administrator_changes_plan_and_features_beside_what_a_user_may() {
    let mut world = World::new();
    let told = world.json(&patch(&json!({
        "name": "N", "companyName": "C", "displayName": "D", "metadata": {"a": "1"},
        "plan": "pro", "features": {"beta": true, "old": false},
    })));
    assert_eq!(
        (&told["plan"], &told["features"]),
        (&json!("pro"), &json!({"beta": true, "old": false}))
    );
    let told = world.json(&patch(
        &json!({"features": {"old": null, "new": true}, "metadata": {"b": "2"}}),
    ));
    assert_eq!(told["features"], json!({"beta": true, "new": true}));
    assert_eq!(told["metadata"], json!({"a": "1", "b": "2"}));
    world.restart();
    assert_eq!(world.json(&admin().asks(Route::AdminGetCustomer)), told);
}

#[test]
fn put_replaces_all_but_what_has_no_empty_form() {
    let mut world = World::new();
    world.send(&patch(
        &json!({"plan": "pro", "features": {"beta": true}, "metadata": {"a": "1"}, "displayName": "D"}),
    ));
    let told = world.json(&put(&json!({"name": "N"})));
    let wanted = json!(["N", null, null, {}, {}, "pro", "owner@example.com"]);
    let fields = [
        "name",
        "companyName",
        "displayName",
        "features",
        "metadata",
        "plan",
        "email",
    ];
    assert_eq!(
        fields.iter().map(|name| told[name].clone()).collect::<Value>(),
        wanted
    );
}

#[test]
fn what_no_edit_may_change_is_named_and_changes_nothing() {
    let mut world = World::new();
    let before = world.state();
    for field in [
        "customerId",
        "status",
        "statusReason",
        "statusChangedAt",
        "createdAt",
        "updatedAt",
        "lastSeenAt",
    ] {
        for request in [
            put(&json!({"name": "N", field: "x"})),
            patch(&json!({"name": "N", field: "x"})),
        ] {
            assert_eq!(world.refusal(&request), Code::FieldNotWritable, "{field}");
        }
    }
    for body in [
        json!({"plan": null}),
        json!({"plan": "gold"}),
        json!({"email": null}),
        json!({"email": "nobody"}),
        json!({"features": {"beta": 1}}),
        json!({"unknown": 1}),
    ] {
        for request in [put(&body), patch(&body)] {
            assert_eq!(world.refusal(&request), Code::ValidationFailed, "{body}");
        }
    }
    assert_eq!(world.state(), before);
}

#[test]
fn a_stale_condition_refuses_each_change() {
    let mut world = World::new();
    let tag = world.tag(&admin().asks(Route::AdminGetCustomer));
    world.send(&patch(&json!({"name": "Other"})));
    let before = world.state();
    for request in [
        put(&json!({"name": "Mine"})),
        patch(&json!({"name": "Mine"})),
        admin().says(Route::AdminPutStatus, &json!({"status": "cancelled"})),
        admin().says(Route::AdminSuspend, &json!({"reason": "unpaid"})),
    ] {
        assert_eq!(world.refusal(&request.if_match(&tag)), Code::StaleVersion);
    }
    assert_eq!(world.state(), before);
    let tag = world.tag(&admin().asks(Route::AdminGetCustomer));
    let reply = world.send(&admin().asks(Route::AdminGetCustomer).if_none_match(&tag));
    assert!(matches!(reply, Reply::NotModified(_)));
    world.json(
        &admin()
            .says(Route::AdminSuspend, &json!({"reason": "unpaid"}))
            .if_match(&tag),
    );
}

#[test]
fn an_administrator_changes_a_customer_in_every_status_but_erased() {
    for status in ["pending_verification", "active", "suspended", "cancelled"] {
        let mut world = World::new();
        world.set_status(status);
        assert_eq!(world.json(&patch(&json!({"name": "N"})))["name"], "N", "{status}");
        assert_eq!(
            world.refusal(&patch(&json!({"name": 1}))),
            Code::ValidationFailed,
            "{status}"
        );
    }
}

#[test]
fn the_limits_of_a_new_plan_hold_from_the_next_request_of_the_same_batch() {
    let plans = r#"{"free":[{"name":"burst","q":1,"w":60}],"starter":[],"pro":[{"name":"burst","q":3,"w":60}],"enterprise":[]}"#;
    let mut world = World::limited(plans);
    let read = || ada().asks(Route::GetCustomer);
    let replies = world.batch(&[
        read(),
        read(),
        patch(&json!({"plan": "pro"})),
        read(),
        read(),
        read(),
        patch(&json!({"plan": "starter"})),
        read(),
    ]);
    let limited: Vec<_> = replies
        .iter()
        .map(|reply| matches!(reply, Ok(Reply::Refused(error)) if error.code == Code::QuotaExceeded))
        .collect();
    // One is spent of three: what was spent of a policy of that name stays spent.
    assert_eq!(limited, [false, true, false, false, false, true, false, false]);
}

#[test]
fn every_act_is_in_the_customer_s_own_log_with_the_administrator_as_actor() {
    let mut world = World::new();
    let before = world.log().len();
    world.send(&admin().asks(Route::AdminGetCustomer));
    world.send(&patch(&json!({"plan": "pro", "name": "N"})));
    world.send(&put(&json!({"name": 1})));
    world.send(&admin().says(Route::AdminSuspend, &json!({"reason": "unpaid"})));
    world.send(&admin().sends(Route::AdminActivate, b""));
    world.send(&admin().says(Route::AdminPutStatus, &json!({"status": "pending_verification"})));
    let wanted = [
        "customer.read ok admin",
        "customer.update ok admin",
        "customer.update validation_failed admin",
        "customer.suspend ok admin",
        "customer.activate ok admin",
        "status.update status_transition_not_allowed admin",
    ];
    assert_eq!(world.briefs(before), wanted);
    let entries = world.log();
    let changed = &entries[before + 1].detail.as_ref().unwrap()["changed"];
    assert_eq!(changed["plan"], json!({"before": "free", "after": "pro"}));
    let actor = entries[before].header["actor"]["id"].as_str().unwrap();
    assert!(actor.starts_with("admin_") && actor.len() == 22, "{actor}");
}

#[test]
fn a_repeated_act_is_answered_as_it_was_first_and_acts_once() {
    let mut world = World::new();
    let body = json!({"reason": "unpaid"});
    let mut suspend = admin().says(Route::AdminSuspend, &body);
    suspend.repeat = Some(Repeat {
        key: IdempotencyKey::parse("k").unwrap(),
        method: "POST",
        path: "/admin/customers/cust_acme/suspend".to_owned(),
        payload: Payload::new(&Condition::default(), body.to_string().as_bytes()).unwrap(),
    });
    world.json(&suspend);
    world.json(&admin().sends(Route::AdminActivate, b""));
    assert!(matches!(world.send(&suspend), Reply::Replayed(stored) if stored.status == 200));
    assert_eq!(world.json(&ada().asks(Route::GetStatus))["status"], "active");
}

#[test]
fn a_user_of_the_customer_that_is_no_administrator_gets_nothing_by_these_routes() {
    let mut world = World::new();
    let before = world.state();
    for route in [
        Route::AdminGetCustomer,
        Route::AdminPutCustomer,
        Route::AdminPatchCustomer,
    ] {
        let owner = Who::user("auth0|owner").email("owner@example.com");
        assert_eq!(
            world.refusal(&owner.says(route, &json!({"plan": "pro"}))),
            Code::CustomerNotFound
        );
    }
    assert_eq!(world.state(), before);
}
