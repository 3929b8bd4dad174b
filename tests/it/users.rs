//! Users: made once, found by their `sub`, seen to the hour; and `/user/me`.

use crate::support::world::{HOUR, NEW_YEAR};
use crate::support::{Who, World, ada, admin, bob};
use serde_json::{Value, json};
use user_api::customer::request::Reply;
use user_api::edge::route::Route;
use user_api::error::Code;

fn me(world: &mut World, who: &Who) -> Value {
    world.json(&who.asks(Route::GetUser))
}

#[test]
fn a_user_is_made_once_at_first_use() {
    let mut world = World::new();
    assert_eq!(world.count("users"), 0);
    let first = me(&mut world, &ada());
    world.restart();
    world.now += 1;
    assert_eq!(me(&mut world, &ada()), first);
    assert_ne!(me(&mut world, &bob())["userId"], first["userId"]);
    assert_eq!(world.count("users"), 2);
    let at = "2026-01-01T00:00:00.001Z";
    assert_eq!(
        first,
        json!({
            "userId": first["userId"], "customerId": "cust_acme", "email": "ada@example.com", "displayName": null,
            "locale": null, "timeZone": null, "createdAt": at, "updatedAt": at,
            "lastSeenAt": "2026-01-01T00:00:00.000Z",
        })
    );
}

#[test]
fn every_operation_makes_the_user() {
    for &route in crate::support::people::ROUTES {
        let mut world = World::new();
        world.send(&ada().asks(route));
        assert_eq!(world.count("users"), 1, "{route:?}");
    }
}

#[test]
fn a_sub_that_looks_like_ours_is_the_id() {
    let mut world = World::new();
    for subject in ["user_0123456789ab", "user_zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"] {
        assert_eq!(me(&mut world, &Who::user(subject))["userId"], subject);
    }
    for subject in [
        "user_short",
        "user_0123456789AB",
        "auth0|x",
        "usr_0123456789ab",
        "user_0123456789ab ",
        "ü",
    ] {
        let user = me(&mut world, &Who::user(subject));
        let minted = user["userId"].as_str().unwrap();
        assert_ne!(minted, subject);
        assert_eq!(minted.len(), "user_".len() + 32);
    }
    assert_eq!(world.count("users"), 8);
}

#[test]
fn a_sub_that_equals_a_minted_id_is_still_somebody_else() {
    let mut world = World::new();
    let minted = me(&mut world, &ada())["userId"].as_str().unwrap().to_owned();
    world.send(&ada().says(Route::PatchUser, &json!({"displayName": "Ada"})));
    let namesake = Who::user(&minted);
    let other = me(&mut world, &namesake);
    assert_ne!(other["userId"], minted.as_str());
    assert_eq!(other["displayName"], json!(null));
    world.restart();
    assert_eq!(me(&mut world, &namesake)["userId"], other["userId"]);
    assert_eq!(me(&mut world, &ada())["displayName"], "Ada");
}

#[test]
fn only_a_verified_email_is_taken_over() {
    let mut world = World::new();
    let unverified = |email: &str| ada().email(email).change(|user| user.email_verified = false);
    assert_eq!(
        me(&mut world, &unverified("evil@example.com"))["email"],
        json!(null),
        "at first use"
    );
    assert_eq!(me(&mut world, &ada())["email"], "ada@example.com");
    let tag = world.tag(&ada().asks(Route::GetUser));
    world.now += 1000;
    assert_eq!(
        me(&mut world, &unverified("evil@example.com"))["email"],
        "ada@example.com"
    );
    assert_eq!(
        me(&mut world, &ada().change(|user| user.email = None))["email"],
        "ada@example.com"
    );
    assert_eq!(world.tag(&ada().asks(Route::GetUser)), tag);
    let moved = me(&mut world, &ada().email("ada@new.example"));
    assert_eq!(
        (&moved["email"], &moved["updatedAt"]),
        (&json!("ada@new.example"), &json!("2026-01-01T00:00:01.001Z"))
    );
    world.restart();
    assert_eq!(me(&mut world, &unverified("x@y.example")), moved);
}

#[test]
fn a_visit_is_noted_once_an_hour() {
    let mut world = World::new();
    me(&mut world, &ada());
    world.now = NEW_YEAR + HOUR - 1;
    world.sql.forget_counts();
    me(&mut world, &ada());
    assert_eq!(
        world.sql.rows_written.get(),
        3,
        "the same hour: two counts that were due, the entry"
    );
    world.now = NEW_YEAR + HOUR;
    world.sql.forget_counts();
    let seen = me(&mut world, &ada());
    assert_eq!(
        world.sql.rows_written.get(),
        3,
        "the user, the customer, the entry"
    );
    assert_eq!(seen["lastSeenAt"], "2026-01-01T01:00:00.000Z");
    assert_eq!(seen["updatedAt"], "2026-01-01T00:00:00.001Z");
    for back in [0, 1, 2 * HOUR] {
        world.now = NEW_YEAR + HOUR - back;
        world.restart();
        world.sql.forget_counts();
        assert_eq!(me(&mut world, &ada())["lastSeenAt"], seen["lastSeenAt"]);
        assert_eq!(world.sql.rows_written.get(), 1, "the clock went back {back} ms");
    }
}

#[test]
fn a_visit_changes_no_version() {
    let mut world = World::new();
    let routes = [Route::GetCustomer, Route::GetUser, Route::GetPreferences];
    let before: Vec<_> = routes.map(|route| world.tag(&ada().asks(route))).into();
    world.now += 30 * HOUR;
    let after: Vec<_> = routes.map(|route| world.tag(&ada().asks(route))).into();
    assert_eq!(before, after);
}

#[test]
fn the_user_after_the_last_is_refused_and_only_the_refusal_is_written() {
    let mut world = World::new();
    me(&mut world, &ada());
    world
        .sql
        .raw(|db| {
            db.execute_batch(
                "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) \
                 INSERT INTO users SELECT printf('user_%012d', i), randomblob(32), 1, x'7b7d', 0, NULL, 0, 0, 0 FROM n",
            )
        })
        .unwrap();
    assert_eq!(world.count("users"), 10_000);
    world.now += HOUR;
    let state = world.state();
    for &route in crate::support::people::ROUTES {
        assert_eq!(world.refusal(&bob().asks(route)), Code::LimitReached, "{route:?}");
    }
    assert_eq!(world.state(), state);
    let log = world.log();
    let last = log.last().unwrap();
    assert_eq!(
        last.header["actor"],
        json!({"id": "user_unknown", "kind": "user"})
    );
    assert_eq!(last.header["outcome"], "limit_reached");
    assert!(
        me(&mut world, &ada())["userId"].is_string(),
        "those who are there stay"
    );
}

#[test]
fn a_user_changes_itself_by_put_and_patch() {
    let mut world = World::new();
    let body = json!({"displayName": "Ada", "locale": "en-gb", "timeZone": "utc"});
    let user = world.json(&ada().says(Route::PutUser, &body));
    assert_eq!(
        (&user["locale"], &user["timeZone"]),
        (&json!("en-GB"), &json!("UTC"))
    );
    let user = world.json(&ada().says(Route::PatchUser, &json!({"locale": null})));
    assert_eq!(
        (&user["displayName"], &user["locale"]),
        (&json!("Ada"), &json!(null))
    );
    let (state, tag) = (world.state(), world.tag(&ada().asks(Route::GetUser)));
    world.now += 1000;
    for body in [
        json!({}),
        json!({"displayName": "Ada"}),
        json!({"locale": null, "timeZone": "UTC"}),
    ] {
        assert_eq!(world.tag(&ada().says(Route::PatchUser, &body)), tag, "{body}");
    }
    assert_eq!(world.state(), state, "no-op");
    let user = world.json(&ada().says(Route::PutUser, &json!({"locale": "de"})));
    assert_eq!(
        (&user["displayName"], &user["timeZone"]),
        (&json!(null), &json!(null))
    );
    assert_eq!(
        (&user["email"], &user["updatedAt"]),
        (&json!("ada@example.com"), &json!("2026-01-01T00:00:01.001Z"))
    );
    for field in [
        "userId",
        "customerId",
        "email",
        "createdAt",
        "updatedAt",
        "lastSeenAt",
    ] {
        let refusal = world.send(&ada().says(Route::PatchUser, &json!({(field): "x", "displayName": "B"})));
        let Reply::Refused(error) = refusal else {
            panic!("{field}")
        };
        assert_eq!(error.code, Code::FieldNotWritable, "{field}");
    }
}

#[test]
fn the_session_tells_who_one_is() {
    let mut world = World::new();
    let user_id = me(&mut world, &admin())["userId"].clone();
    assert_eq!(
        world.json(&admin().asks(Route::GetSession)),
        json!({
            "customerId": "cust_acme", "userId": user_id, "isAdmin": true, "isOwner": false,
            "csrf": "csrf-of-the-token", "expiresAt": "2026-01-01T01:00:00.000Z", "erasureDueAt": null,
        })
    );
}

#[test]
fn more_callers_than_an_object_remembers_are_all_served() {
    let mut world = World::new();
    let requests: Vec<_> = (0..1100)
        .map(|n| Who::user(&format!("sub-{n}")).asks(Route::GetUser))
        .collect();
    for chunk in requests.chunks(256) {
        assert!(world.batch(chunk).iter().all(Result::is_ok));
    }
    assert!(world.batch(&requests[..200]).iter().all(Result::is_ok));
    assert_eq!(world.count("users"), 1100);
}
