//! Records of the older login service move in: by every form, in any order, hostile ones too.

mod order;
mod world;

use crate::support::Who;
use crate::support::people::admin;
use serde_json::{Value, json};
use user_api::caller::{Caller, Integration};
use user_api::crypto::api_key::legacy_digest;
use user_api::customer::errand::{self, Errand};
use user_api::customer::request::Reply;
use user_api::directory::errand::What;
use user_api::edge::route::Route;
use user_api::error::Code;
use user_api::legacy::outcome::Outcome::{self, Conflict, Created, Invalid, Merged, Skipped, Unchanged};
use world::{World, id};

const ACME: &str = "cust_0123456789ab";

fn key() -> String {
    format!("customer:customer:{ACME}")
}

fn acme() -> Value {
    json!({
        "customerId": ACME, "email": "Owner@Acme.example", "companyName": "Acme", "displayName": "acme", "plan": "free",
        "tier": "premium", "status": "active", "createdAt": "2024-01-01T00:00:00Z",
        "updatedAt": "2024-05-01T00:00:00Z", "lastLogin": "2024-06-01T10:20:30Z", "features": {"beta": true},
        "subscriptions": [{"id": "sub_1"}], "flairs": ["old"],
    })
}

fn owner(name: &str) -> Who {
    Who::user("auth0|owner")
        .email("owner@acme.example")
        .change(|user| user.customer = Some(id(name)))
}

fn customer(world: &mut World, name: &str) -> Value {
    world.json(name, &owner(name).asks(Route::GetCustomer))
}

fn legacy_caller(text: &str) -> Who {
    Who(Caller::Integration(Box::new(Integration {
        customer: id(ACME),
        digest: legacy_digest(text).unwrap(),
        legacy: true,
        browser_origin: None,
    })))
}

fn code(reply: Reply) -> &'static str {
    match reply {
        Reply::Refused(error) => error.code.as_str(),
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn a_customer_moves_in_with_everything_that_it_has() {
    let mut world = World::new();
    assert_eq!(world.told(&key(), acme()), Created);
    world.now += 1_000;
    assert_eq!(
        customer(&mut world, ACME),
        json!({
            "customerId": ACME, "email": "owner@acme.example", "name": null, "companyName": "Acme",
            "displayName": "acme", "plan": "pro", "status": "active", "features": {"beta": true}, "metadata": {},
            "createdAt": "2024-01-01T00:00:00.000Z", "updatedAt": "2024-05-01T00:00:00.000Z",
            "lastSeenAt": "2026-01-01T00:00:00.000Z", "statusReason": null,
            "statusChangedAt": "2024-05-01T00:00:00.000Z",
        })
    );
    assert_eq!(world.holder("owner@acme.example").as_deref(), Some(ACME));
    assert_eq!(world.told(&key(), acme()), Unchanged);
    assert_eq!(world.told(&format!("auth:customer:{ACME}"), acme()), Unchanged);
}

#[test]
fn a_record_that_says_nothing_new_changes_nothing_and_is_not_logged() {
    let mut world = World::new();
    world.told(&key(), acme());
    let dump = |world: &World| ["audit", "legacy", "outbox"].map(|table| world.rows(ACME, table));
    let before = dump(&world);
    world.sleep();
    for _ in 0..3 {
        assert_eq!(world.told(&key(), acme()), Unchanged);
    }
    assert_eq!(dump(&world), before);
}

#[test]
fn what_belongs_to_a_customer_waits_until_it_is_here() {
    let mut world = World::new();
    let hash = "a".repeat(64);
    let records = [
        (
            format!("customer:preferences:{ACME}"),
            json!({"emailVisibility": "public"}),
        ),
        (
            format!("auth:apikey:{hash}"),
            json!({"customerId": ACME, "status": "active", "name": "k"}),
        ),
        (
            format!("otp-auth:jwt-denylist:{ACME}_{hash}"),
            json!({"token": hash}),
        ),
        (format!("audit_{ACME}_2025-01-01"), json!({"events": [1]})),
        (
            "displayname_acme".to_owned(),
            json!({"userId": ACME, "name": "acme"}),
        ),
    ];
    for (key, value) in &records {
        assert_eq!(world.told(key, value.clone()), Skipped, "{key}");
    }
    assert!(
        world
            .objects
            .values()
            .all(|(sql, _)| !user_api::sql::is_initialised(sql).unwrap())
    );
    world.told(&key(), acme());
    for (key, value) in &records {
        assert_eq!(world.told(key, value.clone()), Created, "{key}");
        assert_eq!(world.told(key, value.clone()), Unchanged, "{key}");
    }
    assert_eq!(world.rows(ACME, "legacy"), 5);
}

#[test]
fn the_first_owner_gets_the_preferences_and_nobody_loses_any() {
    let mut world = World::new();
    world.told(&key(), acme());
    let preferences = json!({"emailVisibility": "public", "displayName": {"current": "Zoë", "lastChangedAt": 1_700_000_000}});
    world.told(&format!("auth:preferences:{ACME}"), preferences.clone());
    let other = Who::user("auth0|other").change(|user| user.customer = Some(id(ACME)));
    let visibility = |world: &mut World, who: &Who| {
        world.json(ACME, &who.asks(Route::GetPreferences))["emailVisibility"].clone()
    };
    assert_eq!(visibility(&mut world, &other), "private");
    assert_eq!(visibility(&mut world, &owner(ACME)), "public");
    assert_eq!(
        world.json(ACME, &owner(ACME).asks(Route::GetUser))["displayName"],
        "Zoë"
    );
    world.send(
        ACME,
        &owner(ACME).says(Route::PatchPreferences, &json!({"emailVisibility": "private"})),
    );
    world.sleep();
    assert_eq!(world.told(&format!("preferences_{ACME}"), preferences), Unchanged);
    let newer = json!({"emailVisibility": "public", "displayName": {"lastChangedAt": 1_800_000_000}});
    assert_eq!(world.told(&format!("preferences_{ACME}"), newer), Merged);
    assert_eq!(visibility(&mut world, &owner(ACME)), "private");
}

#[test]
fn damaged_preferences_that_wait_and_a_damaged_owner_trouble_no_request() {
    let damage = |world: &World, statement: &str| {
        let changed = world.objects[ACME].0.raw(|db| db.execute(statement, []));
        assert_eq!(changed.unwrap(), 1, "{statement}");
    };
    let visibility = |world: &mut World| {
        world.json(ACME, &owner(ACME).asks(Route::GetPreferences))["emailVisibility"].clone()
    };
    let waiting = "SELECT count(*) FROM legacy WHERE kind = 'preferences' AND key = ''";
    let count = |world: &World| -> i64 {
        let found = world.objects[ACME]
            .0
            .raw(|db| db.query_row(waiting, [], |row| row.get(0)));
        found.unwrap()
    };
    for place in [
        "legacy SET document = zeroblob(60) WHERE kind = 'preferences'",
        "users SET profile = zeroblob(60)",
        "users SET preferences = zeroblob(60), preferences_version = 1",
    ] {
        let mut world = World::new();
        world.told(&key(), acme());
        // Met before its preferences come.
        visibility(&mut world);
        let preferences = json!({"emailVisibility": "public", "displayName": {"current": "Zoë"}});
        world.told(&format!("auth:preferences:{ACME}"), preferences);
        damage(&world, &format!("UPDATE {place}"));
        world.sleep();
        world.json(ACME, &owner(ACME).asks(Route::GetCustomer));
        world.json(ACME, &owner(ACME).asks(Route::GetStatus));
        let customer = &mut world.objects.get_mut(ACME).unwrap().1;
        assert_eq!(
            customer.passed_over().unwrap().code,
            Code::SealedDataUnreadable,
            "{place}"
        );
        // Neither is anything written, nor are the preferences lost.
        assert_eq!(count(&world), 1, "{place}");
    }
    let mut world = World::new();
    world.told(&key(), acme());
    visibility(&mut world);
    world.told(
        &format!("auth:preferences:{ACME}"),
        json!({"emailVisibility": "public"}),
    );
    let profile: Vec<u8> = world.objects[ACME]
        .0
        .raw(|db| db.query_row("SELECT profile FROM users", [], |row| row.get(0)))
        .unwrap();
    damage(&world, "UPDATE users SET profile = zeroblob(60)");
    world.sleep();
    assert_eq!(visibility(&mut world), "private");
    // Once it is repaired, the next to come gets them.
    let repaired = world.objects[ACME]
        .0
        .raw(|db| db.execute("UPDATE users SET profile = ?1", [profile]));
    assert_eq!(repaired.unwrap(), 1);
    world.sleep();
    assert_eq!(visibility(&mut world), "public");
    assert_eq!(count(&world), 0);
}

#[test]
fn two_records_of_a_customer_become_one_by_when_they_were_updated() {
    let older = json!({
        "email": "owner@acme.example", "companyName": "Old", "name": "Zoë", "updatedAt": "2024-04-01T00:00:00Z",
        "createdAt": "2023-01-01T00:00:00Z", "plan": "enterprise",
    });
    for order in [[&acme(), &older], [&older, &acme()]] {
        let mut world = World::new();
        assert_eq!(world.told(&key(), order[0].clone()), Created);
        assert_eq!(
            world.told(&format!("auth:customer:{ACME}"), order[1].clone()),
            Merged
        );
        let customer = customer(&mut world, ACME);
        assert_eq!(
            (&customer["companyName"], &customer["name"]),
            (&json!("Acme"), &json!("Zoë"))
        );
        assert_eq!(
            (&customer["plan"], &customer["createdAt"]),
            (&json!("pro"), &json!("2023-01-01T00:00:00.000Z"))
        );
    }
}

#[test]
fn what_was_changed_here_is_not_overwritten_unless_the_record_is_newer() {
    let mut world = World::new();
    world.told(&key(), acme());
    let patch = owner(ACME).says(Route::PatchCustomer, &json!({"companyName": "Here"}));
    world.send(ACME, &patch);
    let mut record = acme();
    record["companyName"] = json!("There");
    record["name"] = json!("There");
    record["updatedAt"] = json!("2025-06-01T00:00:00Z");
    assert_eq!(world.told(&key(), record.clone()), Merged);
    let now = customer(&mut world, ACME);
    assert_eq!(
        (&now["companyName"], &now["name"]),
        (&json!("Here"), &json!("There"))
    );
    world.now += 86_400_000 * 400;
    record["updatedAt"] = json!("2026-06-01T00:00:00Z");
    assert_eq!(world.told(&key(), record.clone()), Merged);
    assert_eq!(customer(&mut world, ACME)["companyName"], "Here");
    record["companyName"] = json!("Newer");
    record["updatedAt"] = json!("2026-07-01T00:00:00Z");
    assert_eq!(world.told(&key(), record), Merged);
    assert_eq!(customer(&mut world, ACME)["companyName"], "Newer");
}

#[test]
fn a_customer_that_was_made_here_is_filled_up_where_it_is_empty() {
    let mut world = World::new();
    world.create(ACME, "owner@acme.example");
    assert_eq!(world.told(&key(), acme()), Merged);
    let now = customer(&mut world, ACME);
    assert_eq!(
        (&now["companyName"], &now["plan"]),
        (&json!("Acme"), &json!("pro"))
    );
    assert_eq!(now["createdAt"], "2024-01-01T00:00:00.000Z");
    let mut other = World::new();
    other.create(ACME, "owner@acme.example");
    other.send(
        ACME,
        &owner(ACME).says(Route::PatchCustomer, &json!({"companyName": "Here"})),
    );
    let mut elsewhere = acme();
    elsewhere["email"] = json!("elsewhere@acme.example");
    assert_eq!(other.told(&key(), elsewhere), Merged);
    let now = customer(&mut other, ACME);
    assert_eq!(
        (&now["companyName"], &now["email"]),
        (&json!("Here"), &json!("owner@acme.example"))
    );
    assert_eq!(other.holder("elsewhere@acme.example"), None);
}

#[test]
fn nothing_is_reactivated() {
    for strict in ["suspended", "cancelled"] {
        let with = |status: &str, updated: i64| {
            let mut record = acme();
            record["status"] = json!(status);
            record["updatedAt"] = json!(updated);
            record
        };
        for order in [
            [with(strict, 1_700_000_000), with("active", 1_710_000_000)],
            [with("active", 1_710_000_000), with(strict, 1_700_000_000)],
        ] {
            let mut world = World::new();
            for record in order {
                world.told(&key(), record);
            }
            assert_eq!(customer(&mut world, ACME)["status"], strict);
        }
        // By an administrator here, however new the record is.
        let mut world = World::new();
        world.told(&key(), acme());
        world.set_status(ACME, strict);
        world.told(&key(), with("active", 1_790_000_000));
        assert_eq!(customer(&mut world, ACME)["status"], strict);
    }
    // Whoever signed in before the import does not escape a suspension.
    let mut world = World::new();
    world.create(ACME, "owner@acme.example");
    let mut record = acme();
    record["status"] = json!("suspended");
    world.told(&key(), record);
    assert_eq!(customer(&mut world, ACME)["status"], "suspended");
}

#[test]
fn an_administrators_activation_stands_against_what_the_record_said_before() {
    let mut world = World::new();
    let mut record = acme();
    record["status"] = json!("suspended");
    world.told(&key(), record.clone());
    world.now += 1_000;
    let activate = admin().sends_to(Route::AdminActivate, ACME, b"{}");
    world.send(ACME, &activate);
    record["companyName"] = json!("Other");
    record["updatedAt"] = json!("2024-07-01T00:00:00Z");
    assert_eq!(world.told(&key(), record), Merged);
    assert_eq!(customer(&mut world, ACME)["status"], "active");
}

#[test]
fn of_two_with_one_email_the_older_holds_it_in_whatever_order_they_come() {
    let young = json!({"email": "owner@acme.example", "createdAt": "2025-01-01T00:00:00Z"});
    for reversed in [false, true] {
        let mut world = World::new();
        let mut records = [
            (key(), acme()),
            ("customer:customer:cust_young".to_owned(), young.clone()),
        ];
        if reversed {
            records.reverse();
        }
        for (key, value) in &records {
            world.told(key, value.clone());
        }
        assert_eq!(
            world.holder("owner@acme.example").as_deref(),
            Some(ACME),
            "{reversed}"
        );
        assert_eq!(
            world.told(&records[usize::from(!reversed)].0, young.clone()),
            Conflict
        );
        assert_eq!(world.told(&key(), acme()), Unchanged);
        assert_eq!(customer(&mut world, "cust_young")["email"], "owner@acme.example");
    }
}

#[test]
fn a_claim_is_not_taken_from_whom_somebody_has_signed_in_to_or_who_was_made_here() {
    let young = json!({"email": "owner@acme.example", "createdAt": "2025-01-01T00:00:00Z"});
    let mut world = World::new();
    world.told("customer:customer:cust_young", young.clone());
    customer(&mut world, "cust_young");
    assert_eq!(world.told(&key(), acme()), Conflict);
    assert_eq!(world.holder("owner@acme.example").as_deref(), Some("cust_young"));

    let mut world = World::new();
    world.create("cust_young", "owner@acme.example");
    assert_eq!(world.told(&key(), acme()), Conflict);
    assert_eq!(world.holder("owner@acme.example").as_deref(), Some("cust_young"));
}

#[test]
fn an_e_mail_that_another_customer_held_is_claimed_once_it_is_free_by_setting_it_again() {
    let same = "owner@acme.example";
    let young = json!({"email": same, "createdAt": "2025-01-01T00:00:00Z"});
    let mut world = World::new();
    world.told(&key(), acme());
    assert_eq!(
        world.told("customer:customer:cust_young", young.clone()),
        Conflict
    );
    let says =
        |route: Route, body: &Value| admin().sends_to(route, "cust_young", body.to_string().as_bytes());
    let patch = says(Route::AdminPatchCustomer, &json!({ "email": same }));
    assert_eq!(code(world.change("cust_young", patch.clone())), "email_taken");
    // A replacement may only repeat what was read: it is carried out, and the e-mail stays as it is.
    let put = says(Route::AdminPutCustomer, &json!({"email": same, "name": "Young"}));
    assert!(matches!(
        world.change("cust_young", put.clone()),
        Reply::Content { .. }
    ));
    assert_eq!(customer(&mut world, "cust_young")["name"], "Young");
    assert_eq!(world.holder(same).as_deref(), Some(ACME));
    for request in [patch, put] {
        let mut world = World::new();
        world.told(&key(), acme());
        world.told("customer:customer:cust_young", young.clone());
        world.set_status(ACME, "erased");
        assert!(matches!(
            world.change("cust_young", request.clone()),
            Reply::Content { .. }
        ));
        assert_eq!(world.holder(same).as_deref(), Some("cust_young"));
        assert_eq!(
            world.told("customer:customer:cust_young", young.clone()),
            Unchanged
        );
        assert!(matches!(
            world.change("cust_young", request),
            Reply::Content { .. }
        ));
    }
}

#[test]
fn a_claim_of_one_who_does_not_want_it_is_taken() {
    let mut world = World::new();
    world.create("cust_gone", "owner@acme.example");
    world.set_status("cust_gone", "erased");
    assert_eq!(world.told(&key(), acme()), Created);
    assert_eq!(world.holder("owner@acme.example").as_deref(), Some(ACME));
}

#[test]
fn neither_an_alias_nor_an_erased_id_becomes_a_customer() {
    let mut world = World::new();
    let index = world.index("x@acme.example");
    world.errand(&Errand {
        customer: id(ACME),
        what: errand::What::Bind {
            index,
            target: id("cust_target"),
            instead_of: None,
        },
    });
    assert_eq!(world.told(&key(), acme()), Conflict);
    assert_eq!(world.holder("owner@acme.example"), None);

    let mut world = World::new();
    world.told(&key(), acme());
    world.set_status(ACME, "erased");
    let mut newer = acme();
    newer["updatedAt"] = json!("2025-12-01T00:00:00Z");
    newer["email"] = json!("new@acme.example");
    assert_eq!(world.told(&key(), newer), Skipped);
    assert_eq!(
        world.told(
            &format!("preferences_{ACME}"),
            json!({"emailVisibility": "public"})
        ),
        Skipped
    );
    assert_eq!(world.holder("new@acme.example"), None);
}

#[test]
fn an_index_that_points_elsewhere_is_reported_and_followed_nowhere() {
    let mut world = World::new();
    world.told(&key(), acme());
    let hash = |email: &str| {
        use sha2::{Digest, Sha256};
        let digest = Sha256::digest(email.as_bytes());
        digest
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let index = format!("idx:customer:email-to-customer:{}", hash("owner@acme.example"));
    assert_eq!(world.told(&index, json!(ACME)), Unchanged);
    assert_eq!(world.told(&index, json!("cust_other")), Skipped);
    let wrong = format!("email_{}", hash("somebody@else.example"));
    assert_eq!(world.told(&wrong, json!(ACME)), Conflict);
    assert_eq!(world.holder("somebody@else.example"), None);
}

#[test]
fn a_legacy_key_works_until_it_ends_there_or_here() {
    let text = format!("otp_live_sk_{}", "k".repeat(43));
    let hash: String = legacy_digest(&text)
        .unwrap()
        .as_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let record = |status: &str| json!({"customerId": ACME, "status": status, "name": "Old", "createdAt": 1_700_000_000});
    let store = format!("auth:apikey:{hash}");
    let mut world = World::new();
    world.told(&key(), acme());
    let read = |world: &mut World| world.send(ACME, &legacy_caller(&text).asks(Route::GetCustomer));
    assert_eq!(code(read(&mut world)), "invalid_api_key");
    assert_eq!(world.told(&store, record("active")), Created);
    assert!(matches!(read(&mut world), Reply::Content { .. }));
    world.sleep();
    assert!(matches!(read(&mut world), Reply::Content { .. }));
    assert_eq!(world.told(&store, record("revoked")), Merged);
    assert_eq!(code(read(&mut world)), "token_revoked");
    assert_eq!(world.told(&store, record("active")), Unchanged);
    assert_eq!(code(read(&mut world)), "token_revoked");
}

#[test]
fn a_denied_token_is_refused_from_the_import_on() {
    let mut world = World::new();
    world.told(&key(), acme());
    let hash = "d".repeat(64);
    let denied = owner(ACME).change(|user| user.legacy_hashes = vec![hash.clone()]);
    let store = format!("otp-auth:jwt-denylist:{ACME}_{hash}");
    assert!(matches!(
        world.send(ACME, &denied.asks(Route::GetCustomer)),
        Reply::Content { .. }
    ));
    assert_eq!(world.told(&store, json!({"token": hash})), Created);
    assert_eq!(
        code(world.send(ACME, &denied.asks(Route::GetCustomer))),
        "token_revoked"
    );
    assert!(world.due_within_two_days(ACME));
    let expired = json!({"key": format!("otp-auth:jwt-denylist:{ACME}_{}", "e".repeat(64)),
        "value": {"revokedAt": 1_700_000_000}, "expiration": 1_700_000_100});
    assert_eq!(world.line(&expired), Some(Skipped));
}

#[test]
fn hostile_records_are_told_and_do_nothing_else() {
    let mut world = World::new();
    world.told(&key(), acme());
    let before = customer(&mut world, ACME);
    let hash = "f".repeat(64);
    let cases: Vec<(String, Value, Outcome)> = vec![
        (key(), json!([1, 2]), Invalid),
        (key(), json!("{\"email\":"), Invalid),
        (
            key(),
            json!({"customerId": "cust_other", "email": "a@b.example"}),
            Conflict,
        ),
        (format!("customer:preferences:{ACME}"), json!(7), Invalid),
        (
            format!("auth:apikey:{hash}"),
            json!({"customerId": ACME, "apiKeyHash": "0"}),
            Invalid,
        ),
        (
            format!("cust_{ACME}_blacklist_{hash}"),
            json!({"token": "0".repeat(64)}),
            Invalid,
        ),
        (
            format!("audit_{ACME}_2025-01-01"),
            json!({"customerId": "cust_other"}),
            Conflict,
        ),
        ("customer_template".to_owned(), json!({"html": "x"}), Skipped),
    ];
    for (key, value, outcome) in cases {
        assert_eq!(world.told(&key, value), outcome, "{key}");
    }
    assert_eq!(customer(&mut world, ACME), before);
}

#[test]
fn records_that_point_at_each_other_in_a_circle_are_told_and_followed_nowhere() {
    let hash = |email: &str| {
        use sha2::{Digest, Sha256};
        let digest = Sha256::digest(email.as_bytes());
        digest
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let mut world = World::new();
    for (own, other) in [("cust_a", "cust_b"), ("cust_b", "cust_a")] {
        let record = json!({
            "customerId": own, "email": format!("{own}@x.example"), "replacedBy": other, "aliasOf": other,
            "createdAt": "2024-01-01T00:00:00Z",
        });
        assert_eq!(world.told(&format!("customer:customer:{own}"), record), Created);
    }
    for (own, other) in [("cust_a", "cust_b"), ("cust_b", "cust_a")] {
        let email = format!("{own}@x.example");
        for form in [
            "idx:customer:email-to-customer:",
            "idx:auth:email-to-customer:",
            "email_",
        ] {
            let index = format!("{form}{}", hash(&email));
            assert_eq!(world.told(&index, json!(other)), Conflict, "{index}");
            // An index of an index, and one that names itself.
            assert_ne!(world.told(&index, json!(index)), Created);
        }
        // A record that is nothing but another's name.
        assert_eq!(world.told(&format!("customer_{own}"), json!(other)), Invalid);
        assert_eq!(world.holder(&email).as_deref(), Some(own));
        let own_user = Who::user("auth0|own")
            .email(&email)
            .change(|user| user.customer = Some(id(own)));
        let shown = world.json(own, &own_user.asks(Route::GetCustomer));
        assert_eq!(
            (&shown["customerId"], &shown["email"]),
            (&json!(own), &json!(email))
        );
    }
}

#[test]
fn an_import_stands_in_the_log_of_its_customer_without_personal_data_in_the_clear() {
    let mut world = World::new();
    world.told(&key(), acme());
    let mut newer = acme();
    newer["companyName"] = json!("Newer");
    newer["updatedAt"] = json!("2025-01-01T00:00:00Z");
    world.told(&key(), newer);
    world.told(
        &format!("audit_{ACME}_2025-01-01"),
        json!({"events": [{"ip": "203.0.113.7"}]}),
    );
    let headers: Vec<String> = world.objects[ACME].0.raw(|db| {
        let mut statement = db.prepare("SELECT header FROM audit ORDER BY seq").unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    });
    assert_eq!(headers.len(), 3);
    assert!(headers[0].contains("customer.create") && headers[1].contains("customer.import"));
    let legacy: Vec<Vec<u8>> = world.objects[ACME].0.raw(|db| {
        let mut statement = db
            .prepare("SELECT kind || key || CAST(document AS TEXT) FROM legacy")
            .unwrap();
        let rows = statement
            .query_map([], |row| Ok(row.get_ref(0)?.as_bytes()?.to_vec()))
            .unwrap();
        rows.collect::<Result<_, rusqlite::Error>>().unwrap()
    });
    assert_eq!(legacy.len(), 2);
    for row in legacy {
        let text = String::from_utf8_lossy(&row);
        assert!(!text.contains("owner@") && !text.contains("203.0.113") && !text.contains("sub_1"));
    }
}

impl World {
    fn due_within_two_days(&self, name: &str) -> bool {
        let due = self.objects[name].1.due().unwrap().as_millis();
        due < self.now + 2 * 86_400_000
    }
}

/// The directory answers what it is asked, also where a test does not look at it.
#[test]
fn a_look_at_an_email_that_nobody_has_finds_nobody() {
    let mut world = World::new();
    assert_eq!(world.holder("nobody@acme.example"), None);
    let index = world.index("nobody@acme.example");
    world.directory(What::Release {
        index,
        holder: id(ACME),
        attempt: 0,
    });
    assert_eq!(world.holder("nobody@acme.example"), None);
}

#[test]
fn what_came_along_is_in_the_export_as_it_was_when_that_began() {
    let mut world = World::new();
    world.told(&key(), acme());
    let hash = "a".repeat(64);
    world.told(
        &format!("auth:apikey:{hash}"),
        json!({"customerId": ACME, "status": "active", "name": "k"}),
    );
    world.told(
        &format!("customer:preferences:{ACME}"),
        json!({"emailVisibility": "public", "updatedAt": "2024-01-01T00:00:00Z"}),
    );
    for day in 1..=9 {
        world.told(&format!("audit_{ACME}_2025-01-0{day}"), json!({"events": [day]}));
    }
    let mut export = world.begin_export(ACME);
    // What changes, comes and goes meanwhile.
    let mut newer = acme();
    newer["updatedAt"] = "2025-05-01T00:00:00Z".into();
    newer["subscriptions"] = json!([{"id": "sub_2"}]);
    world.told(&key(), newer);
    world.told(
        &format!("customer:preferences:{ACME}"),
        json!({"emailVisibility": "private", "updatedAt": "2025-02-02T00:00:00Z"}),
    );
    world.told(&format!("audit_{ACME}_2025-02-01"), json!({"events": ["later"]}));
    let (sql, _) = &world.objects[ACME];
    sql.raw(|db| {
        db.execute(
            "DELETE FROM legacy WHERE kind = 'audit' AND key LIKE '2025-01-01%'",
            [],
        )
    })
    .unwrap();
    let bytes = world.take(ACME, &mut export);
    crate::export::check(&bytes).unwrap();
    let files = crate::export::files(&bytes);
    let text = files["legacy.json"].as_str().unwrap();
    let documents: Vec<Value> = serde_json::from_str(text).unwrap();
    let of = |kind: &str| -> Vec<&Value> { documents.iter().filter(|one| one["kind"] == kind).collect() };
    assert_eq!(of("audit").len(), 8, "{text}");
    assert_eq!(of("audit")[0]["document"]["events"], json!([2]));
    assert_eq!(of("api_key")[0]["document"]["name"], "k");
    assert!(of("preferences")[0].to_string().contains("public"));
    let facts = of("customer")[0].to_string();
    assert!(facts.contains("sub_1") && !facts.contains("sub_2"), "{facts}");
    assert!(!text.contains("later") && !text.contains("private"));
    assert_eq!(world.rows(ACME, "export_legacy"), 0);
    assert_eq!(world.rows(ACME, "exports"), 0);
}
