//! What is sealed in a customer's own storage: nothing lies in the open, what is moved or damaged is refused and not
//! overwritten, and everything that does not need it works.

use crate::export;
use crate::support::people::sound_body;
use crate::support::{World, ada, admin, bob};
use rusqlite::types::Value as Cell;
use serde_json::json;
use user_api::caller::Caller;
use user_api::customer::errand::{Answer, By, What};
use user_api::customer::request::{Reply, Request};
use user_api::edge::route::Route;
use user_api::error::Code;

/// A customer with two users who have set everything.
fn world() -> World {
    let mut world = World::new();
    for who in [ada(), bob()] {
        world.send(&who.says(Route::PatchUser, &sound_body(Route::PatchUser)));
        world.send(&who.says(Route::PatchPreferences, &sound_body(Route::PatchPreferences)));
    }
    world.send(&ada().says(Route::PatchCustomer, &sound_body(Route::PatchCustomer)));
    world.send(&admin().says(Route::AdminSuspend, &json!({"reason": "unpaid bills"})));
    world.send(&admin().says(Route::AdminActivate, &json!({"reason": "paid them"})));
    // One that nobody takes: its copies lie there too.
    export::begin(&mut world, &admin(), Route::AdminExport);
    assert!(world.count("export_users") >= 2);
    world
}

/// Carries out by hand what no code of ours does, and has the object wake up after it.
fn tamper(world: &mut World, statement: &str) {
    let drop = "DROP TRIGGER IF EXISTS audit_is_never_changed";
    world.sql.raw(|db| db.execute_batch(drop)).unwrap();
    let changed = world.sql.raw(|db| db.execute(statement, [])).unwrap();
    assert!(changed > 0, "{statement}");
    world.restart();
}

fn unreadable(world: &mut World, request: &Request) {
    let before = world.dump();
    let error = world.try_send(request).unwrap_err();
    assert_eq!(error.code, Code::SealedDataUnreadable, "{:?}", request.command);
    assert!(!error.internal.as_ref().unwrap().is_empty());
    assert!(world.dump() == before, "{:?} wrote something", request.command);
}

fn user_of(world: &mut World, who: &crate::support::Who) -> String {
    let user = world.json(&who.asks(Route::GetUser));
    user["userId"].as_str().unwrap().to_owned()
}

#[test]
fn no_personal_text_lies_in_any_column() {
    let world = world();
    let secrets = [
        "owner@example.com",
        "Acme",
        "Ada Ltd",
        "gold",
        "ada@example.com",
        "auth0|ada",
        "auth0|bob",
        "Europe/Berlin",
        "dark",
        "rows",
        "unpaid",
        "203.0.113.9",
        "curl/8",
        "caller-request-7",
        "jti-of-the-token",
    ];
    for (table, rows) in world.dump() {
        for cell in rows.into_iter().flatten().filter(|_| table != "sqlite_master") {
            let bytes = match cell {
                Cell::Text(text) => text.into_bytes(),
                Cell::Blob(bytes) => bytes,
                _ => continue,
            };
            for secret in secrets {
                let holds = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
                assert!(!holds, "{secret} lies in {table}");
            }
        }
    }
}

#[test]
fn a_damaged_profile_is_refused_and_kept_and_all_else_works() {
    let mut world = world();
    let damage =
        "UPDATE customer SET profile = CAST(substr(profile, 1, length(profile) - 1) || x'00' AS BLOB)";
    tamper(&mut world, damage);
    let stored = |world: &World| world.dump()["customer"].clone();
    let before = stored(&world);
    for route in [
        Route::GetCustomer,
        Route::GetCustomerAlias,
        Route::PatchCustomer,
        Route::PutCustomer,
    ] {
        unreadable(&mut world, &ada().says(route, &sound_body(route)));
    }
    unreadable(
        &mut world,
        &admin().says(Route::AdminPatchCustomer, &json!({"plan": "pro"})),
    );
    for route in [
        Route::GetStatus,
        Route::GetSession,
        Route::GetUser,
        Route::GetPreferences,
        Route::GetUsage,
        Route::ListAudit,
    ] {
        world.json(&ada().asks(route));
    }
    world.send(&ada().says(Route::PatchPreferences, &json!({"theme": "light"})));
    assert!(stored(&world) == before);
    world.log();
}

#[test]
fn an_owner_whose_customer_s_profile_is_damaged_is_still_its_owner() {
    let mut world = world();
    tamper(&mut world, "UPDATE customer SET profile = zeroblob(60)");
    let owner = ada().email("owner@example.com");
    let key = json!({"name": "ci", "scopes": ["customer:read"]});
    world.json(&owner.says(Route::CreateKey, &key));
    export::exported(&mut world, &owner, Route::ExportCustomer);
    assert!(matches!(
        world.send(&owner.says(Route::RequestErasure, &json!({"reason": "leaving"}))),
        Reply::Accepted(_)
    ));
    for stranger in [ada(), bob(), ada().email("owner@example.org")] {
        assert_eq!(
            world.refusal(&stranger.says(Route::CreateKey, &key)),
            Code::Forbidden
        );
    }
}

#[test]
fn the_list_shows_a_damaged_customer_without_what_is_damaged() {
    let mut world = world();
    let Caller::User(user) = admin().0 else {
        panic!("no user")
    };
    let by = By {
        caller: Caller::User(user),
        origin: ada().asks(Route::GetUser).origin,
        fingerprint: None,
    };
    let show = What::Show { by: Box::new(by) };
    let shown = |world: &mut World| match world.try_errand(&show).unwrap() {
        Answer::Shown(shown) => *shown,
        other => panic!("{other:?}"),
    };
    let sound = shown(&mut world);
    assert_eq!(
        (sound.email.as_deref(), sound.unreadable),
        (Some("owner@example.com"), false)
    );
    tamper(&mut world, "UPDATE customer SET profile = zeroblob(60)");
    let damaged = shown(&mut world);
    assert_eq!((damaged.email, damaged.display_name), (None, None));
    assert!(damaged.unreadable);
    assert_eq!((damaged.plan, damaged.status), (sound.plan, sound.status));
    let logged = world.log();
    assert_eq!(logged.last().unwrap().header["action"], "customer.listed");
    let passed_over = world.customer.passed_over().unwrap();
    assert_eq!(passed_over.code, Code::SealedDataUnreadable);
    assert!(world.customer.passed_over().is_none());
}

#[test]
fn a_reason_that_cannot_be_read_keeps_no_customer_from_being_suspended() {
    let mut world = world();
    tamper(&mut world, "UPDATE customer SET status_reason = profile");
    for route in [Route::GetStatus, Route::GetCustomer] {
        unreadable(&mut world, &ada().asks(route));
    }
    world.json(&ada().asks(Route::GetUser));
    world.send(&admin().says(Route::AdminSuspend, &json!({"reason": "again"})));
    assert_eq!(world.json(&ada().asks(Route::GetStatus))["statusReason"], "again");
    world.log();
}

#[test]
fn one_user_s_damaged_preferences_trouble_nobody_else() {
    let mut world = world();
    let user = user_of(&mut world, &ada());
    tamper(
        &mut world,
        &format!("UPDATE users SET preferences = zeroblob(60) WHERE user_id = '{user}'"),
    );
    for route in [
        Route::GetPreferences,
        Route::PatchPreferences,
        Route::PutPreferences,
    ] {
        unreadable(&mut world, &ada().says(route, &sound_body(route)));
    }
    world.json(&ada().asks(Route::GetUser));
    world.json(&ada().asks(Route::GetCustomer));
    assert_eq!(world.json(&bob().asks(Route::GetPreferences))["theme"], "dark");
}

#[test]
fn a_user_whose_profile_is_damaged_still_uses_all_but_the_profile() {
    let mut world = world();
    let user = user_of(&mut world, &ada());
    tamper(
        &mut world,
        &format!("UPDATE users SET profile = zeroblob(60) WHERE user_id = '{user}'"),
    );
    // Not even a new e-mail overwrites it.
    let moved = ada().email("moved@example.com");
    for route in [Route::GetUser, Route::PatchUser, Route::PutUser] {
        unreadable(&mut world, &moved.says(route, &sound_body(route)));
    }
    assert_eq!(world.json(&ada().asks(Route::GetPreferences))["theme"], "dark");
    world.json(&ada().asks(Route::GetCustomer));
    world.json(&bob().asks(Route::GetUser));
}

#[test]
fn a_value_that_was_moved_to_another_row_or_column_does_not_open() {
    let mut world = world();
    let (ada_id, bob_id) = (user_of(&mut world, &ada()), user_of(&mut world, &bob()));
    let swap = format!(
        "UPDATE users SET preferences = (SELECT preferences FROM users WHERE user_id = '{bob_id}') \
         WHERE user_id = '{ada_id}'"
    );
    tamper(&mut world, &swap);
    unreadable(&mut world, &ada().asks(Route::GetPreferences));
    tamper(
        &mut world,
        &format!("UPDATE users SET profile = preferences WHERE user_id = '{bob_id}'"),
    );
    unreadable(&mut world, &bob().asks(Route::GetUser));
}

#[test]
fn a_value_of_another_customer_under_another_key_does_not_open() {
    let mut other = World::new_with_key_of(77);
    other.send(&ada().asks(Route::GetUser));
    let foreign = other.dump()["customer"][0][7..]
        .iter()
        .find_map(|cell| match cell {
            Cell::Blob(bytes) if bytes.len() > 45 => Some(bytes.clone()),
            _ => None,
        });
    let hex: String = foreign
        .unwrap()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let mut world = world();
    tamper(&mut world, &format!("UPDATE customer SET profile = x'{hex}'"));
    unreadable(&mut world, &ada().asks(Route::GetCustomer));
}

#[test]
fn every_changed_byte_of_a_stored_value_is_noticed() {
    let mut world = world();
    let length: i64 = world
        .sql
        .raw(|db| db.query_row("SELECT length(profile) FROM customer", [], |row| row.get(0)))
        .unwrap();
    for at in 1..=length {
        let flip = format!(
            "UPDATE customer SET profile = CAST(substr(profile, 1, {at} - 1) || \
             CASE WHEN substr(profile, {at}, 1) = x'55' THEN x'56' ELSE x'55' END || \
             substr(profile, {at} + 1) AS BLOB)"
        );
        let kept: Vec<u8> = world
            .sql
            .raw(|db| db.query_row("SELECT profile FROM customer", [], |row| row.get(0)))
            .unwrap();
        tamper(&mut world, &flip);
        unreadable(&mut world, &ada().asks(Route::GetCustomer));
        world
            .sql
            .raw(|db| db.execute("UPDATE customer SET profile = ?1", [kept]))
            .unwrap();
    }
    world.restart();
    world.json(&ada().asks(Route::GetCustomer));
}

#[test]
fn a_damaged_audit_detail_bars_the_way_to_no_other_entry() {
    let mut world = world();
    let newest = world.count("audit");
    tamper(&mut world, "UPDATE audit SET detail = zeroblob(80) WHERE seq = 3");
    let page = world.json(&ada().asks(Route::ListAudit));
    let entries = page["data"].as_array().unwrap();
    assert_eq!(entries.len() as i64, newest);
    for entry in entries {
        // Not as one whose detail is no longer kept.
        let is_damaged = entry["seq"] == 3;
        assert_eq!(entry["detail"].is_null(), is_damaged);
        let named = if is_damaged {
            json!(["detail"])
        } else {
            json!(null)
        };
        assert_eq!(entry["unreadable"], named);
    }
    unreadable(&mut world, &admin().sends_to(Route::GetAuditEntry, "3", b""));
}

/// Damages something of each kind that is sealed.
fn damage(world: &mut World, (ada_id, bob_id): &(String, String)) {
    for statement in [
        "UPDATE customer SET status_reason = zeroblob(60)",
        &format!("UPDATE users SET profile = zeroblob(60) WHERE user_id = '{ada_id}'"),
        &format!("UPDATE users SET preferences = zeroblob(60) WHERE user_id = '{bob_id}'"),
        "UPDATE api_keys SET settings = zeroblob(60)",
        "UPDATE audit SET detail = zeroblob(80) WHERE seq = 3",
        "UPDATE customer SET profile = zeroblob(60)",
    ] {
        tamper(world, statement);
    }
}

#[test]
fn an_export_names_what_cannot_be_opened_and_holds_all_else() {
    let mut world = world();
    let owner = ada().email("owner@example.com");
    world.json(&owner.says(
        Route::CreateKey,
        &json!({"name": "ci", "scopes": ["customer:read"]}),
    ));
    let ids = (user_of(&mut world, &ada()), user_of(&mut world, &bob()));
    damage(&mut world, &ids);
    let (ada_id, bob_id) = ids;
    let bytes = export::exported(&mut world, &admin(), Route::AdminExport);
    let report = export::check(&bytes).unwrap();
    // The customer's five and why it has its status, a user's five, a user's preferences, a key's two, an entry's detail.
    assert_eq!(report.manifest.unreadable, 6 + 5 + 1 + 2 + 1);
    assert_eq!(
        (report.log.unreadable, report.log.details),
        (1, report.log.seq - 1)
    );
    let files = export::files(&bytes);
    let json =
        |name: &str| -> serde_json::Value { serde_json::from_str(files[name].as_str().unwrap()).unwrap() };
    let customer = json("customer.json");
    assert_eq!(
        customer["unreadable"],
        json!([
            "email",
            "name",
            "companyName",
            "displayName",
            "metadata",
            "statusReason"
        ])
    );
    assert!(customer["email"].is_null() && customer["statusReason"].is_null());
    assert_eq!(customer["status"], "active");
    let of = |list: &serde_json::Value, id: &str| {
        let own = list.as_array().unwrap().iter().find(|one| one["userId"] == id);
        own.unwrap().clone()
    };
    let (users, preferences) = (json("users.json"), json("preferences.json"));
    assert_eq!(
        of(&users, &ada_id)["unreadable"],
        json!(["subject", "email", "displayName", "locale", "timeZone"])
    );
    let bob = of(&users, &bob_id);
    assert_eq!(
        (&bob["subject"], bob.get("unreadable")),
        (&json!("auth0|bob"), None)
    );
    assert!(of(&preferences, &ada_id)["preferences"].is_object());
    let lost = of(&preferences, &bob_id);
    assert!(lost["preferences"].is_null() && lost["unreadable"] == json!(["preferences"]));
    let key = &json("api-keys.json")[0];
    assert_eq!(
        (&key["name"], &key["unreadable"]),
        (&json!(null), &json!(["name", "allowedOrigins"]))
    );
    let csv = files["audit.csv"].as_str().unwrap();
    assert_eq!(csv.matches(",\"unreadable\",").count(), 1);
    let entry = files["audit.ndjson"].as_str().unwrap().lines().nth(2).unwrap();
    assert!(entry.starts_with("{\"detail\":\"unreadable\",") && entry.ends_with("\"salt\":null}"));
    let page = world.json(&admin().sends_to(Route::AdminListAudit, "cust_acme", b""));
    let completed = &page["data"][0];
    assert_eq!(completed["action"], "export.completed");
    assert_eq!(completed["detail"]["unreadable"], 15);
}
