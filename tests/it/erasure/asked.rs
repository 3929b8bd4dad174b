//! Asking for an erasure and withdrawing it.

use super::*;

#[test]
fn it_is_scheduled_with_the_grace_and_asking_again_changes_nothing() {
    let mut world = World::new();
    let (owner, at) = (owner(), world.now);
    let time = |ms| Timestamp::from_millis(ms).to_rfc3339();
    let view = json!({"status": "scheduled", "requestedAt": time(at), "dueAt": time(at + 7 * DAY), "requestedBy": "customer"});
    assert_eq!(world.accepted(&owner, Route::RequestErasure, &json!({})), view);
    world.now += DAY;
    assert_eq!(
        world.accepted(&owner, Route::RequestErasure, &json!({"reason": "again"})),
        view
    );
    assert_eq!(world.json(&owner.asks(Route::GetErasure)), view);
    assert_eq!(world.json(&admin().asks(Route::AdminGetErasure)), view);
    assert_eq!(world.json(&owner.asks(Route::GetStatus))["status"], "active");
    // An administrator brings it forward and never puts it off.
    let body = json!({"reason": "asked by letter", "graceDays": 30});
    let mut view = view;
    view["requestedBy"] = json!("administrator");
    assert_eq!(world.accepted(&admin(), Route::AdminRequestErasure, &body), view);
    let body = json!({"reason": "asked by letter", "graceDays": 1});
    let sooner = world.accepted(&admin(), Route::AdminRequestErasure, &body);
    assert_eq!(sooner["dueAt"], time(at + 2 * DAY));
    world.restart();
    assert_eq!(world.json(&owner.asks(Route::GetErasure)), sooner);
    let due = world.customer.due().unwrap();
    assert!(due <= Timestamp::from_millis(at + 2 * DAY), "no alarm before it");
}

#[test]
fn whoever_asked_withdraws_it_and_nothing_has_changed() {
    let mut world = World::new();
    assert_eq!(
        world.refusal(&owner().asks(Route::GetErasure)),
        Code::ErasureNotFound
    );
    assert_eq!(
        world.refusal(&owner().asks(Route::WithdrawErasure)),
        Code::ErasureNotFound
    );
    assert_eq!(
        world.refusal(&admin().asks(Route::AdminWithdrawErasure)),
        Code::ErasureNotFound
    );
    let before = world.json(&owner().asks(Route::GetCustomer));
    world.accepted(&owner(), Route::RequestErasure, &json!({}));
    assert_eq!(world.send(&owner().asks(Route::WithdrawErasure)), Reply::Done);
    world.accepted(
        &admin(),
        Route::AdminRequestErasure,
        &json!({"reason": "by letter"}),
    );
    assert_eq!(
        world.refusal(&owner().asks(Route::WithdrawErasure)),
        Code::Forbidden
    );
    assert_eq!(
        world.send(&admin().asks(Route::AdminWithdrawErasure)),
        Reply::Done
    );
    world.now += 30 * DAY;
    world.alarm().unwrap();
    let mut after = world.json(&owner().asks(Route::GetCustomer));
    after["lastSeenAt"] = before["lastSeenAt"].clone();
    assert_eq!(after, before);
}

#[test]
fn the_session_tells_every_user_when_the_customer_is_erased() {
    let mut world = World::new();
    for (who, is_owner) in [(ada(), false), (owner(), true)] {
        let session = world.json(&who.asks(Route::GetSession));
        assert_eq!(
            (&session["isOwner"], &session["erasureDueAt"]),
            (&json!(is_owner), &Value::Null)
        );
    }
    let body = json!({"reason": "by letter", "graceDays": 3});
    let asked = world.accepted(&admin(), Route::AdminRequestErasure, &body);
    for who in [ada(), owner()] {
        assert_eq!(
            world.json(&who.asks(Route::GetSession))["erasureDueAt"],
            asked["dueAt"]
        );
    }
    assert_eq!(
        world.send(&admin().asks(Route::AdminWithdrawErasure)),
        Reply::Done
    );
    assert_eq!(
        world.json(&ada().asks(Route::GetSession))["erasureDueAt"],
        Value::Null
    );
}

#[test]
fn what_an_administrator_asked_for_too_the_owner_cannot_withdraw() {
    // Later, sooner, and without a grace of its own: whoever asked first.
    for grace in [json!(null), json!(0), json!(30)] {
        let mut world = World::new();
        world.accepted(&owner(), Route::RequestErasure, &json!({}));
        let mut body = json!({"reason": "by court order"});
        if !grace.is_null() {
            body["graceDays"] = grace.clone();
        }
        let before = world.log().len();
        let view = world.accepted(&admin(), Route::AdminRequestErasure, &body);
        assert_eq!(view["requestedBy"], "administrator", "{grace}");
        let entry = world.log().remove(before);
        let told = &entry.detail.as_ref().unwrap()["changed"]["requestedBy"];
        assert_eq!(told, &json!({"before": "customer", "after": "administrator"}));
        if grace == json!(0) {
            continue;
        }
        let again = world.accepted(&owner(), Route::RequestErasure, &json!({}));
        assert_eq!(again, view);
        world.restart();
        assert_eq!(
            world.refusal(&owner().asks(Route::WithdrawErasure)),
            Code::Forbidden,
            "{grace}"
        );
        assert_eq!(
            world.send(&admin().asks(Route::AdminWithdrawErasure)),
            Reply::Done
        );
        // The next one is the owner's own again.
        let own = world.accepted(&owner(), Route::RequestErasure, &json!({}));
        assert_eq!(own["requestedBy"], "customer");
        assert_eq!(world.send(&owner().asks(Route::WithdrawErasure)), Reply::Done);
    }
}

#[test]
fn only_the_owner_asks_and_says_nothing_of_the_grace() {
    let mut world = World::new();
    for route in [Route::RequestErasure, Route::WithdrawErasure, Route::GetErasure] {
        assert_eq!(world.refusal(&ada().asks(route)), Code::Forbidden, "{route:?}");
    }
    for (who, route, body, code) in [
        (
            owner(),
            Route::RequestErasure,
            json!({"graceDays": 0}),
            Code::FieldNotWritable,
        ),
        (
            owner(),
            Route::RequestErasure,
            json!({"why": "x"}),
            Code::ValidationFailed,
        ),
        (
            admin(),
            Route::AdminRequestErasure,
            json!({"graceDays": 0}),
            Code::ValidationFailed,
        ),
        (
            admin(),
            Route::AdminRequestErasure,
            json!({"reason": "x", "graceDays": 366}),
            Code::ValidationFailed,
        ),
        (
            admin(),
            Route::AdminRequestErasure,
            json!({"reason": "x", "graceDays": -1}),
            Code::ValidationFailed,
        ),
        (
            admin(),
            Route::AdminRequestErasure,
            json!({"reason": "x", "graceDays": null}),
            Code::ValidationFailed,
        ),
    ] {
        assert_eq!(world.refusal(&who.says(route, &body)), code, "{body}");
    }
    assert_eq!(world.count("erasure"), 0);
}

#[test]
fn it_works_in_every_status_and_changes_none() {
    for status in ["suspended", "cancelled", "pending_verification"] {
        let mut world = World::new();
        world.set_status(status);
        // An owner by scope, so that no verified e-mail activates the pending one.
        let owner = Who::user("auth0|x").change(|user| user.scopes = vec!["customer:owner".to_owned()]);
        world.accepted(&owner, Route::RequestErasure, &json!({}));
        assert_eq!(world.json(&owner.asks(Route::GetErasure))["status"], "scheduled");
        assert_eq!(world.json(&owner.asks(Route::GetStatus))["status"], status);
        assert_eq!(world.send(&owner.asks(Route::WithdrawErasure)), Reply::Done);
        world.accepted(
            &admin(),
            Route::AdminRequestErasure,
            &json!({"reason": "x", "graceDays": 0}),
        );
        world.run_out();
        assert!(world.certificate().is_some(), "{status}");
        world.invariants();
    }
}
