//! `/user/me`: the person behind a token, within a customer.

use crate::customer::assert_timestamp;
use crate::support::http::{get, patch, put};
use crate::support::server::{Server, new_data};
use crate::support::settings::Settings;
use crate::support::shared::{Customer, shared, version};
use crate::support::store;
use crate::support::token::Token;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn user(server: &Server, token: &str) -> Value {
    get("/user/me").bearer(token).send(server).ok()
}

fn is_ours(id: &Value) -> bool {
    let rest = id
        .as_str()
        .and_then(|id| id.strip_prefix("user_"))
        .unwrap_or_default();
    (12..=32).contains(&rest.len())
        && rest
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase())
}

#[test]
fn the_user_is_made_at_first_use_with_exactly_the_documented_members() {
    let server = shared();
    let customer = Customer::on(&server);
    let response = customer.get(&server, "/user/me").expect(200);
    assert_eq!(version(response.must_header("ETag")), 1);
    let shown = response.json();
    let wanted = json!({
        "userId": shown["userId"],
        "customerId": customer.id,
        "email": format!("persondata.{}@e2e.test", customer.id),
        "displayName": null,
        "locale": null,
        "timeZone": null,
        "createdAt": shown["createdAt"],
        "updatedAt": shown["updatedAt"],
        "lastSeenAt": shown["lastSeenAt"],
    });
    assert_eq!(shown, wanted);
    assert!(is_ours(&shown["userId"]), "{shown}");
    for member in ["createdAt", "updatedAt", "lastSeenAt"] {
        assert_timestamp(&shown[member]);
    }
    assert!(shown["lastSeenAt"].as_str().unwrap().ends_with(":00:00.000Z"));
    assert_eq!(user(&server, &customer.token), shown);
}

#[test]
fn a_subject_that_looks_like_ours_is_kept_and_any_other_gets_a_stable_id() {
    let server = shared();
    let customer = Customer::on(&server);
    let of =
        |subject: &str| user(&server, &Token::of(&customer.id).subject(subject).hs256())["userId"].clone();
    let longest = format!("user_{}", "z9".repeat(16));
    for own in ["user_0123456789ab", &longest] {
        assert_eq!(of(own), own);
    }
    let long = format!("user_{}", "a".repeat(33));
    let others = [
        "user_short",
        "user_0123456789AB",
        "auth0|persondata",
        "persondata@e2e.test",
        &customer.id,
        "user_0123456789a\u{eb}",
        &long,
    ];
    let minted: BTreeSet<_> = others
        .iter()
        .map(|subject| of(subject).as_str().unwrap().to_owned())
        .collect();
    assert_eq!(minted.len(), others.len(), "two subjects are one user");
    for subject in others {
        let id = of(subject);
        assert!(
            is_ours(&id) && id != *subject && minted.contains(id.as_str().unwrap()),
            "{id}"
        );
    }
}

#[test]
fn a_minted_id_used_as_a_subject_opens_no_other_user() {
    let server = shared();
    let customer = Customer::on(&server);
    patch("/user/me", &json!({"displayName": "Victim"}))
        .bearer(&customer.token)
        .send(&server)
        .expect(200);
    let victim = user(&server, &customer.token)["userId"].clone();
    let thief = Token::of(&customer.id).subject(victim.as_str().unwrap()).hs256();
    let shown = user(&server, &thief);
    assert_ne!(shown["userId"], victim);
    assert_eq!(shown["displayName"], Value::Null);
}

#[test]
fn an_unverified_e_mail_is_not_believed_and_a_verified_one_is_taken_over() {
    let server = shared();
    let customer = Customer::on(&server);
    let token = |email: &str, verified: bool| {
        Token::of(&customer.id)
            .claim("email", email)
            .claim("email_verified", verified)
            .hs256()
    };
    assert_eq!(
        user(&server, &token("persondata.false@e2e.test", false))["email"],
        Value::Null
    );
    assert_eq!(
        user(&server, &token("PersonData.One@E2E.test", true))["email"],
        "persondata.one@e2e.test"
    );
    assert_eq!(
        user(&server, &token("persondata.false@e2e.test", false))["email"],
        "persondata.one@e2e.test"
    );
    assert_eq!(
        user(&server, &token("persondata.two@e2e.test", true))["email"],
        "persondata.two@e2e.test"
    );
}

#[test]
fn put_replaces_patch_merges_and_a_stale_change_is_412() {
    let server = shared();
    let customer = Customer::on(&server);
    let put_of = |body: &Value| put("/user/me", body).bearer(&customer.token).send(&server);
    let patch_of = |body: &Value| patch("/user/me", body).bearer(&customer.token);
    let first =
        put_of(&json!({"displayName": "Zoë", "locale": "de-CH", "timeZone": "Europe/Zurich"})).expect(200);
    let tag = first.must_header("ETag").to_owned();
    assert_eq!(version(&tag), 2);
    let changed = patch_of(&json!({"locale": null, "timeZone": "UTC"}))
        .header("If-Match", &tag)
        .send(&server)
        .expect(200);
    assert_eq!(version(changed.must_header("ETag")), 3);
    let changed = changed.json();
    assert_eq!(
        (&changed["displayName"], &changed["locale"], &changed["timeZone"]),
        (&json!("Zoë"), &Value::Null, &json!("UTC"))
    );
    patch_of(&json!({"displayName": "Lost"}))
        .header("If-Match", &tag)
        .send(&server)
        .problem(412, "stale_version");
    assert_eq!(user(&server, &customer.token), changed);
    let same = patch_of(&json!({"timeZone": "UTC"})).send(&server).expect(200);
    assert_eq!(version(same.must_header("ETag")), 3);
    let emptied = put_of(&json!({})).ok();
    assert_eq!(
        (&emptied["displayName"], &emptied["timeZone"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(emptied["userId"], changed["userId"]);
}

#[test]
fn a_tag_of_one_user_fits_no_other_user_of_the_customer() {
    let server = shared();
    let customer = Customer::on(&server);
    let other = Token::of(&customer.id)
        .subject("auth0|persondata-colleague")
        .claim("email", "persondata.colleague@e2e.test")
        .hs256();
    for path in ["/user/me", "/user/me/preferences"] {
        let own = customer.get(&server, path).expect(200);
        let tag = own.must_header("ETag");
        // The same number, and yet another version: a browser that asks with it is not told to show what it has.
        let theirs = get(path)
            .bearer(&other)
            .header("If-None-Match", tag)
            .send(&server)
            .expect(200);
        assert_eq!(version(theirs.must_header("ETag")), version(tag));
        assert_ne!(theirs.must_header("ETag"), tag);
        patch(path, &json!({"timeZone": "UTC"}))
            .bearer(&other)
            .header("If-Match", tag)
            .send(&server)
            .problem(412, "stale_version");
        let known = get(path).bearer(&customer.token).header("If-None-Match", tag);
        known.send(&server).expect(304);
    }
}

#[test]
fn a_change_of_a_user_does_not_touch_the_customer() {
    let server = shared();
    let customer = Customer::on(&server);
    let before = customer.now(&server);
    patch("/user/me", &json!({"displayName": "Only me"}))
        .bearer(&customer.token)
        .send(&server)
        .expect(200);
    assert_eq!(customer.now(&server), before);
}

#[test]
fn users_outlive_the_process_and_one_subject_is_one_row() {
    let (settings, data) = (Settings::default(), new_data());
    let server = Server::start_in(&settings, &data);
    let customer = Customer::on(&server);
    let first = user(&server, &customer.token);
    server.stop();
    let server = Server::start_in(&settings, &data);
    assert_eq!(user(&server, &customer.token), first);
    server.stop();
    assert_eq!(store::customer(&data, &customer.id).count("users"), 1);
}

#[test]
fn a_subject_is_found_by_a_blind_index_and_not_by_a_plain_hash() {
    use sha2::{Digest, Sha256};
    let (settings, data) = (Settings::default(), new_data());
    let server = Server::start_in(&settings, &data);
    let customer = Customer::on(&server);
    user(&server, &customer.token);
    server.stop();
    let object = store::customer(&data, &customer.id);
    let index: Vec<u8> = object
        .sql
        .query_row("SELECT subject_index FROM users", [], |row| row.get(0))
        .unwrap();
    let subject = format!("auth0|persondata-{}", customer.id);
    assert_eq!(index.len(), 32);
    assert_ne!(index, Sha256::digest(subject).to_vec());
}
