//! Whoever spends a customer's limits cannot keep the owner from taking credentials back, and what is needed for that
//! is bounded all the same.

use crate::support::people::{Who, ada};
use crate::support::world::World;
use serde_json::json;
use user_api::customer::request::{Reply, Request};
use user_api::edge::route::Route;
use user_api::error::Code;

const THREE_A_DAY: &str =
    r#"{"free":[{"name":"day","q":3,"w":86400}],"starter":[],"pro":[],"enterprise":[]}"#;

fn owner() -> Who {
    Who::user("auth0|owner").email("owner@example.com")
}

/// A customer whose key has spent the day; with the key and its id.
fn spent() -> (World, Who, String) {
    let mut world = World::limited(THREE_A_DAY);
    let key = world.json(&owner().says(
        Route::CreateKey,
        &json!({"name": "CI", "scopes": ["customer:read"]}),
    ));
    let (thief, id) = (Who::key(key["secret"].as_str().unwrap()), &key["keyId"]);
    while matches!(world.send(&thief.asks(Route::GetCustomer)), Reply::Content { .. }) {}
    assert_eq!(
        world.refusal(&owner().asks(Route::GetCustomer)),
        Code::QuotaExceeded
    );
    (world, thief, id.as_str().unwrap().to_owned())
}

fn revoke_all() -> Request {
    owner().says(Route::RevokeTokens, &json!({"all": true}))
}

fn passed(world: &mut World, request: &Request, times: usize) -> usize {
    let replies = world.batch(&vec![request.clone(); times]);
    replies
        .iter()
        .filter(|reply| !matches!(reply, Ok(Reply::Refused(_))))
        .count()
}

#[test]
fn who_spends_all_limits_cannot_keep_the_owner_from_revoking() {
    let (mut world, thief, id) = spent();
    world.restart();
    let list = world.json(&owner().asks(Route::ListKeys));
    assert_eq!(list["data"][0]["keyId"], id);
    world.json(&owner().sends_to(Route::GetKey, &id, b""));
    let one = ada().says(Route::RevokeTokens, &json!({"jti": "leaked"}));
    assert_eq!(world.send(&one), Reply::Done);
    assert_eq!(
        world.send(&owner().sends_to(Route::RevokeKey, &id, b"")),
        Reply::Done
    );
    assert_eq!(world.refusal(&thief.asks(Route::GetCustomer)), Code::TokenRevoked);
    assert_eq!(world.send(&revoke_all()), Reply::Done);
    assert_eq!(
        world.refusal(&owner().asks(Route::GetCustomer)),
        Code::TokenRevoked
    );
}

#[test]
fn a_stolen_token_that_spends_the_reserves_too_is_taken_back_by_revoking_all() {
    let (mut world, _, id) = spent();
    let list = owner().asks(Route::ListKeys);
    assert_eq!(passed(&mut world, &list, 200), 60);
    let one = owner().says(Route::RevokeTokens, &json!({"jti": "another"}));
    assert_eq!(passed(&mut world, &one, 200), 60);
    world.restart();
    assert_eq!(world.refusal(&list), Code::QuotaExceeded);
    assert_eq!(
        world.send(&owner().sends_to(Route::RevokeKey, &id, b"")),
        Reply::Done
    );
    assert_eq!(world.send(&revoke_all()), Reply::Done);
}

#[test]
fn a_flood_of_taking_back_is_bounded() {
    let (mut world, _, id) = spent();
    world.now += 60_000;
    let entries = world.log().len();
    let revoke = owner().sends_to(Route::RevokeKey, &id, b"");
    assert_eq!(passed(&mut world, &revoke, 300), 300);
    // The one that had an effect, and of those that found nothing to do ten, and 10, 20, 40 and 80 in sums.
    assert_eq!(world.log().len() - entries, 15);
    let unknown = owner().sends_to(Route::RevokeKey, "key_00000000000000000000000000000000", b"");
    assert_eq!(passed(&mut world, &unknown, 300), 0);
    assert_eq!(world.log().len() - entries, 16);
    let one = ada().says(Route::RevokeTokens, &json!({"jti": "again"}));
    assert_eq!(passed(&mut world, &one, 300), 60);
    assert_eq!(world.log().len() - entries, 16 + 60 + 1);
}

#[test]
fn a_spent_reserve_is_told_by_its_name_and_is_not_among_the_policies() {
    let (mut world, _, _) = spent();
    let list = owner().asks(Route::ListKeys);
    passed(&mut world, &list, 60);
    match world.send(&list) {
        Reply::Refused(error) => {
            assert_eq!(error.members["violated-policies"], json!(["key-reserve"]));
            assert_eq!(error.retry_after_secs, Some(1));
        }
        other => panic!("not refused: {other:?}"),
    }
    world.now += 86_400_000;
    let usage = world.json(&owner().asks(Route::GetUsage));
    assert_eq!(usage["policies"].as_array().unwrap().len(), 1);
}
