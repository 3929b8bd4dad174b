//! `POST /internal/customers`: made once, never overwritten.

use crate::support::people::sound_body;
use crate::support::{World, ada, admin, service};
use serde_json::json;
use user_api::customer::idempotency::{IdempotencyKey, Payload};
use user_api::customer::request::{Repeat, Reply, Request};
use user_api::edge::decode::EXISTED;
use user_api::edge::route::Route;
use user_api::error::Code;
use user_api::types::Condition;

#[test]
fn a_service_creates_a_customer_as_it_says() {
    let mut world = World::absent();
    let body = json!({
        "customerId": "cust_acme", "email": " Owner@Example.COM", "name": "Zoë", "companyName": "Acme GmbH",
        "displayName": "Acme", "plan": "enterprise", "status": "pending_verification",
        "features": {"beta": true}, "metadata": {"crm": "4711"},
    });
    let reply = world.send(&service().says(Route::EnsureCustomer, &body));
    let Reply::Content {
        body,
        version,
        created,
    } = reply
    else {
        panic!("{reply:?}")
    };
    assert_eq!(body, br#"{"created":true,"customerId":"cust_acme"}"#);
    assert!(created && version.is_none());
    assert_eq!(
        world.json(&ada().asks(Route::GetCustomer)),
        json!({
            "customerId": "cust_acme", "email": "owner@example.com", "name": "Zoë", "companyName": "Acme GmbH",
            "displayName": "Acme", "plan": "enterprise", "status": "pending_verification",
            "features": {"beta": true}, "metadata": {"crm": "4711"},
            "createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z",
            "lastSeenAt": "2026-01-01T00:00:00.000Z",
            "statusReason": null, "statusChangedAt": "2026-01-01T00:00:00.000Z",
        })
    );
}

#[test]
fn what_is_not_said_has_its_default() {
    let mut world = World::absent();
    world.send(&service().says(
        Route::EnsureCustomer,
        &json!({"email": "a@b.example", "plan": null}),
    ));
    let customer = world.json(&ada().asks(Route::GetCustomer));
    assert_eq!(
        (&customer["plan"], &customer["status"]),
        (&json!("free"), &json!("active"))
    );
    assert_eq!(
        (&customer["features"], &customer["metadata"]),
        (&json!({}), &json!({}))
    );
    assert_eq!(
        (&customer["name"], &customer["displayName"]),
        (&json!(null), &json!(null))
    );
}

#[test]
fn creating_again_overwrites_nothing_in_any_status() {
    for status in ["active", "pending_verification", "suspended", "cancelled"] {
        let mut world = World::new();
        world.set_status(status);
        let before = world.state();
        world.now += 5_000_000;
        let other = json!({"email": "other@example.com", "name": "Other", "plan": "pro", "status": "active"});
        for _ in 0..2 {
            let reply = world.send(&service().says(Route::EnsureCustomer, &other));
            let Reply::Content { body, created, .. } = reply else {
                panic!("{reply:?}")
            };
            assert_eq!(body, br#"{"created":false,"customerId":"cust_acme"}"#);
            assert!(!created);
            world.restart();
        }
        assert_eq!(world.state(), before, "{status}");
        assert_eq!(world.briefs(1), ["customer.create ok service"; 2]);
    }
}

#[test]
fn twenty_at_once_create_one() {
    let mut world = World::absent();
    let request = service().says(Route::EnsureCustomer, &sound_body(Route::EnsureCustomer));
    let replies = world.batch(&vec![request; 20]);
    let created = |reply: &&_| matches!(reply, Ok(Reply::Content { created: true, .. }));
    assert!(replies.iter().all(Result::is_ok));
    assert_eq!(replies.iter().filter(created).count(), 1);
    assert_eq!((world.count("customer"), world.count("audit")), (1, 20));
}

#[test]
fn two_lives_of_one_id_never_share_a_version() {
    let mut first = World::new();
    let mut second = World::absent();
    second.entropy.0 = 8;
    second.send(&service().says(Route::EnsureCustomer, &sound_body(Route::EnsureCustomer)));
    let get = ada().asks(Route::GetCustomer);
    assert_ne!(first.tag(&get), second.tag(&get));
}

#[test]
fn users_and_admins_create_no_customer_and_services_read_none() {
    let mut world = World::new();
    let create = sound_body(Route::EnsureCustomer);
    for who in [ada(), admin()] {
        assert_eq!(
            world.refusal(&who.says(Route::EnsureCustomer, &create)),
            Code::Forbidden
        );
    }
    for route in [
        Route::GetCustomer,
        Route::PatchCustomer,
        Route::GetSession,
        Route::GetUser,
    ] {
        assert_eq!(
            world.refusal(&service().asks(route)),
            Code::Forbidden,
            "{route:?}"
        );
    }
}

#[test]
fn a_new_customer_is_checked_whole() {
    let mut world = World::new();
    let body = json!({
        "customerId": "_x", "email": null, "name": "", "plan": "gold", "status": "erased", "features": {"a": null},
        "metadata": {"k": null}, "createdAt": "2026-01-01T00:00:00.000Z", "nick": 1,
    });
    let Reply::Refused(error) = world.send(&service().says(Route::EnsureCustomer, &body)) else {
        panic!()
    };
    let pointers: Vec<_> = error.faults.iter().map(|fault| fault.pointer.as_str()).collect();
    assert_eq!(error.code, Code::ValidationFailed);
    assert_eq!(
        pointers,
        [
            "#/createdAt",
            "#/customerId",
            "#/email",
            "#/features/a",
            "#/metadata/k",
            "#/name",
            "#/nick",
            "#/plan",
            "#/status",
        ]
    );
}

/// What the front sends on once an administrator's customer is there: `variable` says whether it was before.
fn shown(variable: &str, key: &str, body: &str) -> Request {
    let mut request = admin().sends_to(Route::CreateCustomer, variable, body.as_bytes());
    request.repeat = Some(Repeat {
        key: IdempotencyKey::parse(key).unwrap(),
        method: "POST",
        path: "/admin/customers".to_owned(),
        payload: Payload::new(&Condition::default(), body.as_bytes()).unwrap(),
    });
    request
}

#[test]
fn an_administrator_s_repeated_creation_is_replayed_and_another_one_s_is_refused() {
    let mut world = World::new();
    let body = r#"{"customerId":"cust_acme","email":"owner@example.com"}"#;
    let existed = shown(EXISTED, "k", body);
    for _ in 0..2 {
        assert_eq!(
            world.refusal(&existed),
            Code::CustomerExists,
            "no refusal is kept"
        );
    }
    let first = world.json(&shown("", "k", body));
    assert_eq!(first["customerId"], "cust_acme");
    world.json(&admin().says(Route::AdminPatchCustomer, &json!({"name": "Later"})));
    world.restart();
    for request in [&shown("", "k", body), &existed] {
        let Reply::Replayed(stored) = world.send(request) else {
            panic!("not replayed")
        };
        let body: serde_json::Value = serde_json::from_slice(&stored.body).unwrap();
        assert_eq!(body, first);
    }
    for request in [shown("", "k", "{}"), shown(EXISTED, "k", "{}")] {
        assert_eq!(world.refusal(&request), Code::IdempotencyKeyReused);
    }
    assert_eq!(
        world.refusal(&shown(EXISTED, "other", body)),
        Code::CustomerExists
    );
}
