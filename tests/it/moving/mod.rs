//! Records of the older login service move in: by every form, in any order, hostile ones too.

mod claims;
mod order;
mod preferences;
mod refused;
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
