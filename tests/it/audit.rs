//! The audit log: an entry for everything, chained, committed, and free of personal data in what outlives it.

use crate::support::people::{Conditional, ROUTES, sound_body};
use crate::support::world::HOUR;
use crate::support::{Who, World, ada, admin, service};
use serde_json::json;
use user_api::edge::route::Route;

#[test]
fn every_command_is_one_entry_also_a_refused_one() {
    let mut world = World::new();
    let steps = [
        (ada().asks(Route::GetCustomer), "customer.read ok user"),
        (ada().asks(Route::GetCustomerAlias), "customer.read ok user"),
        (
            ada().asks(Route::GetCustomer).if_none_match("*"),
            "customer.read ok user",
        ),
        (
            ada().asks(Route::GetCustomer).if_match("\"x\""),
            "customer.read stale_version user",
        ),
        (ada().asks(Route::GetStatus), "status.read ok user"),
        (ada().asks(Route::GetSession), "session.read ok user"),
        (ada().asks(Route::GetUser), "user.read ok user"),
        (ada().asks(Route::GetPreferences), "preferences.read ok user"),
        (
            admin().says(Route::PutCustomer, &json!({"name": "A"})),
            "customer.update ok admin",
        ),
        (
            ada().says(Route::PatchCustomer, &json!({})),
            "customer.update ok user",
        ),
        (
            ada().says(Route::PatchCustomer, &json!({"plan": "pro"})),
            "customer.update field_not_writable user",
        ),
        (
            ada().says(Route::PatchUser, &json!({"locale": 1})),
            "user.update validation_failed user",
        ),
        (
            ada().sends(Route::PutPreferences, b"{"),
            "preferences.update malformed_body user",
        ),
        (
            ada().says(Route::PutUser, &json!({})).if_match("\"x\""),
            "user.update stale_version user",
        ),
        (
            service().asks(Route::GetCustomer),
            "customer.read forbidden service",
        ),
        (
            ada().says(Route::EnsureCustomer, &sound_body(Route::EnsureCustomer)),
            "customer.create forbidden user",
        ),
    ];
    for (index, (request, brief)) in steps.iter().enumerate() {
        world.send(request);
        assert_eq!(world.briefs(index + 1), [*brief]);
    }
    world.set_status("suspended");
    world.send(&ada().says(Route::PatchUser, &json!({})));
    assert_eq!(
        world.briefs(steps.len() + 1),
        ["user.update customer_suspended user"]
    );
    assert_eq!(world.briefs(0)[0], "customer.create ok service");
}

#[test]
fn the_detail_tells_what_changed_and_where_the_request_came_from() {
    let mut world = World::new();
    world.send(&ada().says(
        Route::PatchCustomer,
        &json!({"name": "New", "metadata": {"a": "1"}}),
    ));
    world.send(&ada().says(Route::PatchUser, &json!({"displayName": "Ada"})));
    world.send(&ada().says(
        Route::PatchPreferences,
        &json!({"theme": "dark", "notifications": {"email": false}}),
    ));
    world.send(&ada().says(Route::PatchCustomer, &json!({"name": "New"})));
    let log = world.log();
    let detail = |seq: usize| log[seq].detail.clone().unwrap();
    let origin = json!({
        "callerRequestId": "caller-request-7", "ip": "203.0.113.9", "jti": "jti-of-the-token", "userAgent": "curl/8",
    });
    let mut first = origin.clone();
    first["changed"] = json!({
        "name": {"before": "Acme", "after": "New"}, "metadata": {"before": {}, "after": {"a": "1"}},
    });
    // The user was made by the same request.
    let user = detail(1)["changed"]["user"].clone();
    assert_eq!(user["after"]["email"], "ada@example.com");
    first["changed"]["user"] = user;
    assert_eq!(detail(1), first);
    assert_eq!(
        detail(2)["changed"],
        json!({"displayName": {"before": null, "after": "Ada"}})
    );
    assert_eq!(
        detail(3)["changed"]["theme"],
        json!({"before": "system", "after": "dark"})
    );
    assert_eq!(
        detail(3)["changed"]["notifications"]["after"]["email"],
        json!(false)
    );
    assert_eq!(detail(4), origin, "nothing changed");
}

#[test]
fn the_entry_of_a_creation_tells_all_that_was_made() {
    let mut world = World::absent();
    let body =
        json!({"email": "a@b.example", "plan": "pro", "features": {"beta": true}, "metadata": {"k": "v"}});
    world.send(&service().says(Route::EnsureCustomer, &body));
    let detail = world.log()[0].detail.clone().unwrap();
    let after = |field: &str| detail["changed"][field]["after"].clone();
    assert_eq!((after("plan"), after("status")), (json!("pro"), json!("active")));
    assert_eq!(after("features"), json!({"beta": true}));
    assert_eq!(
        (after("email"), after("metadata")),
        (json!("a@b.example"), json!({"k": "v"}))
    );
}

#[test]
fn a_change_that_a_token_brings_shares_the_entry_of_its_request() {
    let mut world = World::new();
    world.send(&ada().asks(Route::GetCustomer));
    let users = |world: &World| world.dump()["users"].clone();
    let before = users(&world);
    world.send(&ada().email("new@example.com").asks(Route::GetCustomer));
    assert_ne!(users(&world), before);
    assert_eq!(world.count("audit"), 3);
    let log = world.log();
    let changed = |at: usize| log[at].detail.clone().unwrap()["changed"].clone();
    assert_eq!(changed(1)["user"]["before"], json!(null));
    assert_eq!(changed(1)["user"]["after"]["email"], "ada@example.com");
    assert_eq!(
        changed(2),
        json!({"user.email": {"before": "ada@example.com", "after": "new@example.com"}})
    );
}

#[test]
fn a_header_is_canonical_and_holds_no_personal_data() {
    let mut world = World::new();
    let somebody = Who::user("auth0|søren").email("soren@personal.example");
    let patch =
        json!({"name": "Søren", "metadata": {"secret-key": "secret-value"}, "displayName": "Kierkegaard"});
    for &route in ROUTES {
        world.send(&somebody.says(route, &sound_body(route)));
        world.send(&somebody.sends(route, b"{\"secret-key\":"));
    }
    world.send(&somebody.says(Route::PatchCustomer, &patch));
    let user_id = world.json(&somebody.asks(Route::GetUser))["userId"].clone();
    for entry in world.log().iter().skip(1) {
        let fields: Vec<_> = entry
            .header
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let wanted = [
            "action",
            "actor",
            "at",
            "commitment",
            "customerId",
            "outcome",
            "requestId",
            "seq",
            "target",
            "v",
        ];
        assert_eq!(fields, wanted);
        assert_eq!(entry.header["actor"]["id"], user_id);
        assert!(entry.header["target"] == "customer" || entry.header["target"] == user_id);
        for secret in [
            "soren",
            "auth0",
            "personal",
            "secret",
            "Kierke",
            "203.0",
            "curl",
            "caller-req",
            "jti",
        ] {
            assert!(!entry.text.contains(secret), "{secret} in {}", entry.text);
        }
    }
}

#[test]
fn times_never_go_back_when_the_clock_does() {
    let mut world = World::new();
    for ms in [HOUR, -3 * HOUR, 1, 5 * HOUR, -HOUR] {
        world.now += ms;
        world.send(&ada().asks(Route::GetCustomer));
        if ms < 0 {
            world.restart();
        }
    }
    let times: Vec<_> = world
        .log()
        .iter()
        .map(|entry| entry.header["at"].clone())
        .collect();
    assert_eq!(times[1], times[2]);
    assert_eq!(times[2], times[3], "remembered across a restart");
    assert_eq!(times[4], times[5]);
}

#[test]
fn entries_are_neither_deleted_nor_changed() {
    let mut world = World::new();
    world.send(&ada().asks(Route::GetCustomer));
    let before = world.dump();
    for statement in [
        "DELETE FROM audit",
        "DELETE FROM audit WHERE seq = 1",
        "UPDATE audit SET seq = 9 WHERE seq = 2",
        "UPDATE audit SET header = '{}'",
        "UPDATE audit SET hash = zeroblob(32)",
        "UPDATE audit SET detail = x'00'",
        "UPDATE audit SET detail = NULL, header = '{}'",
        "UPDATE audit SET detail = NULL, hash = zeroblob(32)",
        "UPDATE audit SET detail = NULL, seq = 9 WHERE seq = 2",
        "UPDATE audit SET limiter = NULL",
        "UPDATE audit SET limiter = x'00'",
        "UPDATE audit SET detail = NULL, limiter = x'00'",
        "UPDATE audit SET detail = NULL, limiter = NULL, header = '{}'",
        "UPDATE audit SET detail = x'00', limiter = NULL",
        "UPDATE OR REPLACE audit SET seq = 1 WHERE seq = 2",
        "UPDATE OR IGNORE audit SET header = NULL",
        "INSERT INTO audit VALUES (1, '{}', NULL, zeroblob(32), NULL)",
        "INSERT INTO audit VALUES (3, '{\"seq\":3}', NULL, zeroblob(32), NULL)",
        "INSERT INTO audit VALUES (-1, '{\"seq\":-1}', NULL, zeroblob(32), NULL)",
        "INSERT INTO audit (header, hash) VALUES ('{\"seq\":4}', zeroblob(32))",
        "INSERT INTO audit (header, hash) VALUES ('{}', zeroblob(32))",
        "INSERT OR REPLACE INTO audit (rowid, header, hash) VALUES (2, '{\"seq\":2}', zeroblob(32))",
        "INSERT OR REPLACE INTO audit VALUES (1, '{}', NULL, zeroblob(32), NULL)",
        "REPLACE INTO audit VALUES (2, '{}', NULL, zeroblob(32), NULL)",
        "INSERT INTO audit VALUES (2, '{}', NULL, zeroblob(32), NULL) ON CONFLICT DO UPDATE SET header = '{}'",
    ] {
        assert!(
            world.sql.raw(|db| db.execute(statement, [])).is_err(),
            "{statement}"
        );
        assert_eq!(world.dump(), before, "{statement}");
    }
}

#[test]
fn a_detail_can_be_forgotten_and_the_chain_still_verifies() {
    let mut world = World::new();
    world.send(&ada().asks(Route::GetCustomer));
    let forget = "UPDATE audit SET detail = NULL WHERE seq = 1";
    world.sql.raw(|db| db.execute(forget, [])).unwrap();
    world.restart();
    world.send(&ada().asks(Route::GetCustomer));
    let log = world.log();
    assert!(log[0].detail.is_none() && log[1].detail.is_some() && log.len() == 3);
    for bring_back in [
        "detail = x'00'",
        "limiter = x'00'",
        "detail = x'00', limiter = NULL",
    ] {
        let bring_back = format!("UPDATE audit SET {bring_back} WHERE seq = 1");
        assert!(world.sql.raw(|db| db.execute(&bring_back, [])).is_err());
    }
    // What an erasure does, also where retention was there before.
    let forget = "UPDATE audit SET detail = NULL, limiter = NULL";
    assert_eq!(world.sql.raw(|db| db.execute(forget, [])).unwrap(), 3);
    assert_eq!(world.log().len(), 3);
}

#[test]
fn each_salt_is_its_own() {
    let mut world = World::new();
    world.batch(&vec![ada().asks(Route::GetStatus); 20]);
    let log = world.log();
    let commitments: std::collections::BTreeSet<_> =
        log.iter().map(|e| e.header["commitment"].to_string()).collect();
    assert_eq!(commitments.len(), 21);
}

#[test]
fn a_detail_is_canonical_whatever_a_body_holds() {
    let mut world = World::new();
    let odd = json!({"\u{ff5e}": "x", "\u{1f600}": "x", "a\u{7f3a}": "\"\\/", "é": "z"});
    world.send(&ada().says(Route::PatchCustomer, &json!({"metadata": odd})));
    for numbers in [
        r#"{"custom":{"a":1.0,"b":1e21,"c":-0.0,"d":1e-7}}"#,
        r#"{"custom":{"a":12345678901234567890,"b":0.1,"c":1e400}}"#,
        r#"{"custom":{"a":9007199254740993,"b":1.5e300,"c":5e-324}}"#,
    ] {
        world.send(&ada().sends(Route::PatchPreferences, numbers.as_bytes()));
    }
    world.log();
}
