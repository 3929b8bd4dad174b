//! Integrations: keys, limits, revocations and repetitions, decided in the turn of the request itself.

use crate::support::people::{Who, ada, service};
use crate::support::world::World;
use serde_json::{Value, json};
use user_api::customer::idempotency::{IdempotencyKey, Payload};
use user_api::customer::request::{Repeat, Reply, Request};
use user_api::edge::route::Route;
use user_api::error::{Code, Error};
use user_api::types::Condition;

const THREE_A_MINUTE: &str =
    r#"{"free":[{"name":"burst","q":3,"w":60}],"starter":[],"pro":[],"enterprise":[]}"#;

fn owner() -> Who {
    Who::user("auth0|owner").email("owner@example.com")
}

fn admin() -> Who {
    Who::user("auth0|root").change(|user| user.is_admin = true)
}

fn made(world: &mut World, scopes: &[&str]) -> (Who, String) {
    let key = world.json(&owner().says(Route::CreateKey, &json!({"name": "CI", "scopes": scopes})));
    (
        Who::key(key["secret"].as_str().unwrap()),
        key["keyId"].as_str().unwrap().to_owned(),
    )
}

fn refused(world: &mut World, request: &Request) -> Error {
    match world.send(request) {
        Reply::Refused(error) => error,
        other => panic!("not refused: {other:?}"),
    }
}

fn repeated(mut request: Request, key: &str, body: &[u8]) -> Request {
    request.repeat = Some(Repeat {
        key: IdempotencyKey::parse(key).unwrap(),
        method: "POST",
        path: "/customer/me/api-keys".to_owned(),
        payload: Payload::new(&Condition::default(), body).unwrap(),
    });
    request
}

#[test]
fn a_key_does_what_its_scopes_say_and_nothing_else() {
    let mut world = World::new();
    let (key, _) = made(&mut world, &["customer:read"]);
    assert_eq!(world.json(&key.asks(Route::GetCustomer))["name"], "Acme");
    let patch = key.says(Route::PatchCustomer, &json!({"name": "B"}));
    assert_eq!(world.refusal(&patch), Code::InsufficientScope);
    for route in [Route::GetUser, Route::ListKeys, Route::GetSession] {
        assert_eq!(world.refusal(&key.asks(route)), Code::Forbidden, "{route:?}");
    }
    let last = world.log().pop().unwrap();
    assert_eq!(last.header["actor"]["kind"], "integration");
}

#[test]
fn only_the_owner_handles_keys() {
    let mut world = World::new();
    let body = json!({"name": "CI", "scopes": ["customer:read"]});
    assert_eq!(
        world.refusal(&ada().says(Route::CreateKey, &body)),
        Code::Forbidden
    );
    let scoped = ada().change(|user| user.scopes = vec!["customer:owner".to_owned()]);
    assert!(matches!(
        world.send(&scoped.says(Route::CreateKey, &body)),
        Reply::Content { created: true, .. }
    ));
    let unverified = owner().change(|user| user.email_verified = false);
    assert_eq!(world.refusal(&unverified.asks(Route::ListKeys)), Code::Forbidden);
    assert_eq!(
        world.refusal(&ada().says(Route::CreateKey, &json!({}))),
        Code::Forbidden
    );
}

#[test]
fn a_revoked_key_is_refused_by_the_very_next_request_and_after_a_restart() {
    let mut world = World::new();
    let (key, id) = made(&mut world, &["customer:read"]);
    world.send(&key.asks(Route::GetCustomer));
    let batch = [
        owner().sends_to(Route::RevokeKey, &id, b""),
        key.asks(Route::GetCustomer),
    ];
    let replies = world.batch(&batch);
    assert_eq!(replies[0], Ok(Reply::Done));
    assert!(matches!(&replies[1], Ok(Reply::Refused(error)) if error.code == Code::TokenRevoked));
    world.restart();
    assert_eq!(world.refusal(&key.asks(Route::GetCustomer)), Code::TokenRevoked);
}

#[test]
fn a_rotated_key_works_until_its_grace_is_over_to_the_millisecond() {
    let mut world = World::new();
    let (old, id) = made(&mut world, &["customer:read"]);
    let rotate = owner().sends_to(Route::RotateKey, &id, br#"{"graceSeconds": 10}"#);
    let new = world.json(&rotate);
    assert_eq!(new["rotatedFrom"], id);
    let new = Who::key(new["secret"].as_str().unwrap());
    world.now += 9_999;
    world.json(&old.asks(Route::GetCustomer));
    world.now += 1;
    assert_eq!(world.refusal(&old.asks(Route::GetCustomer)), Code::InvalidApiKey);
    world.json(&new.asks(Route::GetCustomer));
}

#[test]
fn exactly_the_limit_passes_and_whoever_waits_as_told_gets_in() {
    let mut world = World::limited(THREE_A_MINUTE);
    for restart in [false, true, false] {
        if restart {
            world.restart();
        }
        world.json(&ada().asks(Route::GetCustomer));
    }
    let error = refused(&mut world, &ada().asks(Route::GetCustomer));
    assert_eq!(
        (error.code, error.retry_after_secs),
        (Code::QuotaExceeded, Some(20))
    );
    assert_eq!(error.members["violated-policies"], json!(["burst"]));
    world.now += 19_999;
    world.restart();
    assert_eq!(
        world.refusal(&ada().asks(Route::GetCustomer)),
        Code::QuotaExceeded
    );
    world.now += 1;
    world.json(&ada().asks(Route::GetCustomer));
    assert!(matches!(
        world.send(&service().says(Route::EnsureCustomer, &json!({"email": "o@x.example"}))),
        Reply::Content { .. }
    ));
}

#[test]
fn a_flood_of_refused_requests_writes_ten_entries_and_few_sums() {
    let mut world = World::limited(THREE_A_MINUTE);
    let flood = vec![ada().asks(Route::GetCustomer); 500];
    world.batch(&flood);
    // Of 497 refusals 10 singly, and 10, 20, 40, 80 and 160 in a sum each.
    let entries = world.log();
    assert_eq!(entries.len(), 1 + 3 + 10 + 5);
    world.now += 60_000;
    world.json(&ada().asks(Route::GetCustomer));
    let sums: Vec<_> = world
        .log()
        .into_iter()
        .filter(|entry| entry.header["action"] == "requests.refused")
        .collect();
    assert!(sums.iter().all(|sum| sum.header["actor"]["kind"] == "system"));
    let counts = sums
        .iter()
        .map(|sum| sum.detail.as_ref().unwrap()["counts"]["quota_exceeded"].clone());
    assert_eq!(counts.collect::<Vec<_>>(), [10, 20, 40, 80, 160, 177]);
    assert_eq!(world.log().len(), 1 + 3 + 10 + 6 + 1);
}

#[test]
fn consuming_is_all_or_nothing_and_named_by_the_administrator() {
    let mut world = World::new();
    let (key, _) = made(&mut world, &["limits:consume"]);
    let policies = json!([{"name": "mails", "q": 2, "w": 3600}, {"name": "jobs", "q": 5, "w": 60}]);
    let set = admin().sends_to(
        Route::AdminPutLimits,
        "cust_acme",
        policies.to_string().as_bytes(),
    );
    world.json(&set);
    let wanted = json!({"policies": [{"name": "jobs", "cost": 2}, {"name": "mails", "cost": 1}]});
    let consume = key.says(Route::ConsumeLimits, &wanted);
    assert_eq!(world.json(&consume)["allowed"], true);
    assert_eq!(world.json(&consume)["policies"][0]["remaining"], 1);
    let error = refused(&mut world, &consume);
    assert_eq!(
        (error.code, &error.members["allowed"]),
        (Code::QuotaExceeded, &Value::Bool(false))
    );
    assert_eq!(error.members["violated-policies"], json!(["jobs", "mails"]));
    let one = json!({"policies": [{"name": "jobs", "cost": 1}]});
    assert_eq!(
        world.json(&key.says(Route::ConsumeLimits, &one))["policies"][0]["remaining"],
        0
    );
    assert_eq!(
        world.refusal(&ada().says(Route::ConsumeLimits, &one)),
        Code::Forbidden
    );
    let unknown = json!({"policies": [{"name": "nope", "cost": 1}]});
    assert_eq!(
        world.refusal(&key.says(Route::ConsumeLimits, &unknown)),
        Code::ValidationFailed
    );
}

#[test]
fn a_lease_is_held_until_it_is_given_back_or_lapses() {
    let mut world = World::new();
    let (key, _) = made(&mut world, &["limits:consume"]);
    let policies = json!([{"name": "slots", "q": 1, "w": 60, "unit": "concurrent-requests"}]);
    world.json(&admin().sends_to(
        Route::AdminPutLimits,
        "cust_acme",
        policies.to_string().as_bytes(),
    ));
    let acquire = key.says(
        Route::ConsumeLimits,
        &json!({"policies": [{"name": "slots", "cost": 1}]}),
    );
    let lease = world.json(&acquire)["lease"].clone();
    world.restart();
    assert_eq!(world.refusal(&acquire), Code::QuotaExceeded);
    assert_eq!(
        world.send(&key.says(Route::ReleaseLease, &json!({"lease": lease}))),
        Reply::Done
    );
    world.json(&acquire);
    assert_eq!(world.refusal(&acquire), Code::QuotaExceeded);
    world.now += 60_000;
    world.json(&acquire);
}

#[test]
fn a_revoked_token_is_refused_by_the_very_next_request() {
    let mut world = World::new();
    let other = ada().change(|user| user.jti = Some("another-token".to_owned()));
    let revoke = other.says(Route::RevokeTokens, &json!({"jti": "jti-of-the-token"}));
    let replies = world.batch(&[
        revoke,
        ada().asks(Route::GetCustomer),
        other.asks(Route::GetCustomer),
    ]);
    assert_eq!(replies[0], Ok(Reply::Done));
    assert!(matches!(&replies[1], Ok(Reply::Refused(error)) if error.code == Code::TokenRevoked));
    assert!(matches!(&replies[2], Ok(Reply::Content { .. })));
    let all = json!({"all": true});
    assert_eq!(
        world.refusal(&other.says(Route::RevokeTokens, &all)),
        Code::Forbidden
    );
    let root = admin().change(|user| user.customer = None);
    let of_admin = root.sends_to(Route::AdminRevokeTokens, "cust_acme", all.to_string().as_bytes());
    assert_eq!(world.send(&of_admin), Reply::Done);
    world.restart();
    assert_eq!(world.refusal(&other.asks(Route::GetCustomer)), Code::TokenRevoked);
    let fresh = other.change(|user| user.issued_at = world.now / 1000 + 1);
    world.json(&fresh.asks(Route::GetCustomer));
}

#[test]
fn a_repeated_request_is_answered_as_it_was_and_done_once() {
    let mut world = World::new();
    let body = json!({"name": "CI", "scopes": ["customer:read"]});
    let bytes = body.to_string();
    let create = repeated(owner().says(Route::CreateKey, &body), "k-1", bytes.as_bytes());
    let first = world.json(&create);
    world.restart();
    let Reply::Replayed(stored) = world.send(&create) else {
        panic!("not replayed")
    };
    assert_eq!(stored.status, 201);
    assert_eq!(serde_json::from_slice::<Value>(&stored.body).unwrap(), first);
    assert_eq!(world.count("api_keys"), 1);
    let other = repeated(owner().says(Route::CreateKey, &json!({})), "k-1", b"{}");
    assert_eq!(world.refusal(&other), Code::IdempotencyKeyReused);
    let by_ada = ada().change(|user| user.scopes = vec!["customer:owner".to_owned()]);
    world.json(&repeated(
        by_ada.says(Route::CreateKey, &body),
        "k-1",
        bytes.as_bytes(),
    ));
    assert_eq!(world.count("api_keys"), 2);
    world.now += 86_400_000;
    world.json(&create);
    assert_eq!(world.count("api_keys"), 3);
}

#[test]
fn a_made_up_key_of_the_older_form_leaves_no_trace() {
    use user_api::caller::{Caller, Integration};
    use user_api::types::{CustomerId, KeyDigest};
    let mut world = World::new();
    world.json(&ada().asks(Route::GetCustomer));
    let (before, usage) = (world.dump(), |world: &mut World| {
        let usage = world.json(&admin().sends_to(Route::AdminGetUsage, "cust_acme", b""));
        usage["today"].as_array().unwrap().len()
    });
    let made_up = |number: u8| {
        Who(Caller::Integration(Box::new(Integration {
            customer: CustomerId::parse("cust_acme").unwrap(),
            digest: KeyDigest::new([number; 32]),
            legacy: true,
            browser_origin: None,
        })))
    };
    for number in 0..50 {
        let refused = world.refusal(&made_up(number).asks(Route::GetCustomer));
        assert_eq!(refused, Code::InvalidApiKey);
    }
    assert_eq!(world.dump(), before);
    world.now += 60_000;
    let (counted, entries) = (usage(&mut world), world.log().len());
    assert_eq!(counted, 2, "the creation and the reading");
    // Neither does it push refusals of the customer's own callers into a sum.
    assert_eq!(world.refusal(&ada().asks(Route::ListKeys)), Code::Forbidden);
    assert_eq!(world.log().len(), entries + 1);
}
