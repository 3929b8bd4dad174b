//! GET, PUT and PATCH `/customer/me`.

use crate::support::{World, ada, admin, bob};
use serde_json::{Value, json};
use user_api::customer::request::Reply;
use user_api::edge::route::Route;
use user_api::error::Code;

/// What a user may write of the customer.
fn writable(customer: &Value) -> Value {
    let mut kept = customer.clone();
    let fields = ["name", "companyName", "displayName", "metadata"];
    kept.as_object_mut()
        .unwrap()
        .retain(|key, _| fields.contains(&key.as_str()));
    kept
}

fn patched(world: &mut World, body: Value) -> Value {
    writable(&world.json(&ada().says(Route::PatchCustomer, &body)))
}

#[test]
fn a_patch_is_rfc_7396() {
    let mut world = World::new();
    let full = json!({"name": "A", "companyName": "B", "displayName": "C", "metadata": {"a": "1", "b": "2"}});
    assert_eq!(patched(&mut world, full.clone()), full, "set");
    assert_eq!(patched(&mut world, json!({})), full, "absent");
    let cleared =
        json!({"name": null, "companyName": "B", "displayName": "C", "metadata": {"b": "3", "c": "4"}});
    let patch = json!({"name": null, "metadata": {"a": null, "b": "3", "c": "4", "never": null}});
    assert_eq!(patched(&mut world, patch), cleared, "null and nested");
    assert_eq!(
        patched(&mut world, json!({"metadata": {}})),
        cleared,
        "an empty object merges nothing"
    );
    assert_eq!(
        patched(&mut world, json!({"metadata": null}))["metadata"],
        json!({}),
        "null removes all"
    );
    world.restart();
    let stored = world.json(&ada().asks(Route::GetCustomer));
    assert_eq!(stored["companyName"], "B", "survives");
}

#[test]
fn a_put_replaces_all_that_is_writable_and_nothing_else() {
    let mut world = World::new();
    patched(
        &mut world,
        json!({"name": "A", "displayName": "C", "metadata": {"a": "1", "b": "2"}}),
    );
    let before = world.json(&ada().asks(Route::GetCustomer));
    world.now += 10;
    let after = world.json(&ada().says(
        Route::PutCustomer,
        &json!({"companyName": "X", "metadata": {"b": "9"}}),
    ));
    let wanted = json!({"name": null, "companyName": "X", "displayName": null, "metadata": {"b": "9"}});
    assert_eq!(writable(&after), wanted);
    for field in [
        "customerId",
        "email",
        "plan",
        "status",
        "features",
        "createdAt",
        "lastSeenAt",
    ] {
        assert_eq!(after[field], before[field], "{field}");
    }
    let empty = json!({"name": null, "companyName": null, "displayName": null, "metadata": {}});
    assert_eq!(
        writable(&world.json(&ada().says(Route::PutCustomer, &json!({})))),
        empty
    );
    assert_eq!(
        world.refusal(&ada().says(Route::PutCustomer, &json!({"metadata": {"a": null}}))),
        Code::ValidationFailed
    );
}

#[test]
fn what_was_read_can_be_put_back_without_a_change() {
    let mut world = World::new();
    patched(&mut world, json!({"companyName": "B", "metadata": {"a": "1"}}));
    let read = world.json(&ada().asks(Route::GetCustomer));
    let tag = world.tag(&ada().asks(Route::GetCustomer));
    assert_eq!(world.tag(&ada().says(Route::PutCustomer, &writable(&read))), tag);
}

#[test]
fn what_changes_nothing_keeps_version_and_updated_at() {
    let mut world = World::new();
    patched(&mut world, json!({"name": "A", "metadata": {"a": "1"}}));
    let (read, tag) = (
        world.json(&bob().asks(Route::GetCustomer)),
        world.tag(&bob().asks(Route::GetCustomer)),
    );
    world.now += 60_000;
    let state = world.state();
    for body in [
        json!({}),
        json!({"name": "A"}),
        json!({"metadata": {"a": "1", "zz": null}}),
    ] {
        let request = ada().says(Route::PatchCustomer, &body);
        assert_eq!(world.json(&request), read, "{body}");
        assert_eq!(world.tag(&request), tag);
    }
    assert_eq!(world.state(), state);
    let changed = world.json(&ada().says(Route::PatchCustomer, &json!({"name": "B"})));
    assert_eq!(changed["updatedAt"], "2026-01-01T00:01:00.001Z");
    assert_ne!(world.tag(&ada().asks(Route::GetCustomer)), tag);
}

#[test]
fn an_updated_at_never_goes_back() {
    let mut world = World::new();
    let later = world.json(&ada().says(Route::PatchCustomer, &json!({"name": "A"})));
    world.now -= 86_400_000;
    let earlier = world.json(&ada().says(Route::PatchCustomer, &json!({"name": "B"})));
    assert_eq!(earlier["updatedAt"], later["updatedAt"]);
    assert_eq!(earlier["lastSeenAt"], later["lastSeenAt"]);
}

#[test]
fn naming_a_field_that_is_not_ones_own_is_refused_and_changes_nothing() {
    let mut world = World::new();
    world.send(&ada().asks(Route::GetCustomer));
    world.send(&admin().asks(Route::GetCustomer));
    let state = world.state();
    for who in [ada(), admin()] {
        for (field, value) in [
            ("customerId", json!("cust_acme")),
            ("email", json!("x@y.example")),
            ("plan", json!("pro")),
            ("status", json!("active")),
            ("features", json!({})),
            ("createdAt", json!(null)),
            ("lastSeenAt", json!(1)),
        ] {
            for route in [Route::PutCustomer, Route::PatchCustomer] {
                let mut body = json!({"name": "New"});
                body[field] = value.clone();
                let Reply::Refused(error) = world.send(&who.says(route, &body)) else {
                    panic!("{field}")
                };
                assert_eq!(error.code, Code::FieldNotWritable, "{field}");
                assert_eq!(error.faults.len(), 1);
                assert_eq!(error.faults[0].pointer, format!("#/{field}"));
            }
        }
    }
    assert_eq!(world.state(), state);
}

#[test]
fn metadata_has_at_most_fifty_keys_after_the_change() {
    let mut world = World::new();
    let keys =
        |from: usize, to: usize| -> Value { (from..to).map(|key| (format!("k{key}"), json!("v"))).collect() };
    assert!(
        patched(&mut world, json!({"metadata": keys(0, 50)}))["metadata"]
            .as_object()
            .unwrap()
            .len()
            == 50
    );
    let Reply::Refused(error) =
        world.send(&ada().says(Route::PatchCustomer, &json!({"metadata": keys(50, 51)})))
    else {
        panic!("51 keys")
    };
    assert_eq!(
        (error.code, error.faults[0].pointer.as_str()),
        (Code::ValidationFailed, "#/metadata")
    );
    let mut swap = keys(50, 51);
    swap["k0"] = Value::Null;
    assert_eq!(
        patched(&mut world, json!({"metadata": swap}))["metadata"]
            .as_object()
            .unwrap()
            .len(),
        50
    );
    assert_eq!(
        world.refusal(&ada().says(Route::PutCustomer, &json!({"metadata": keys(0, 51)}))),
        Code::ValidationFailed
    );
}

#[test]
fn patches_of_different_keys_all_survive() {
    let mut world = World::new();
    let patch = |key: usize| json!({"metadata": {(format!("k{key}")): "v"}});
    let requests: Vec<_> = (0..20)
        .map(|key| ada().says(Route::PatchCustomer, &patch(key)))
        .collect();
    assert!(world.batch(&requests).iter().all(Result::is_ok));
    world.restart();
    let customer = world.json(&ada().asks(Route::GetCustomer));
    assert_eq!(customer["metadata"].as_object().unwrap().len(), 20);
}

#[test]
fn the_status_is_told_with_its_reason_and_since_when() {
    let mut world = World::new();
    world.send(&admin().says(Route::AdminSuspend, &json!({"reason": "unpaid"})));
    let wanted = json!({"status": "suspended", "statusReason": "unpaid", "statusChangedAt": "2026-01-01T00:00:00.001Z"});
    assert_eq!(world.json(&ada().asks(Route::GetStatus)), wanted);
}

#[test]
fn the_older_path_gives_the_same() {
    let mut world = World::new();
    let wanted = world.send(&ada().asks(Route::GetCustomer));
    assert_eq!(world.send(&ada().asks(Route::GetCustomerAlias)), wanted);
}
