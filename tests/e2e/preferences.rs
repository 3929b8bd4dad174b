//! `/user/me/preferences`.

use crate::support::http::{Response, get, patch, put};
use crate::support::server::Server;
use crate::support::shared::{Customer, shared, version};
use crate::support::token::Token;
use serde_json::{Map, Value, json};

const PATH: &str = "/user/me/preferences";

fn defaults() -> Value {
    json!({
        "theme": "system",
        "language": null,
        "timeZone": null,
        "emailVisibility": "private",
        "notifications": {"email": true, "product": false, "security": true},
        "custom": {},
    })
}

fn full() -> Value {
    json!({
        "theme": "dark",
        "language": "de-CH",
        "timeZone": "Europe/Zurich",
        "emailVisibility": "public",
        "notifications": {"email": false, "product": true, "security": false},
        "custom": {"sidebar": true, "size": 12, "ratio": 1.5, "start": "home"},
    })
}

fn change(server: &Server, customer: &Customer, body: &Value) -> Response {
    patch(PATH, body).bearer(&customer.token).send(server)
}

#[test]
fn preferences_have_defaults_before_anything_was_set() {
    let server = shared();
    let customer = Customer::on(&server);
    let response = customer.get(&server, PATH).expect(200);
    assert_eq!(version(response.must_header("ETag")), 0);
    assert_eq!(response.json(), defaults());
    let known = get(PATH)
        .bearer(&customer.token)
        .header("If-None-Match", response.must_header("ETag"));
    known.send(&server).expect(304);
}

#[test]
fn put_replaces_and_what_is_left_out_has_its_default_again() {
    let server = shared();
    let customer = Customer::on(&server);
    let put_of = |body: &Value| put(PATH, body).bearer(&customer.token).send(&server);
    let response = put_of(&full()).expect(200);
    assert_eq!(
        (version(response.must_header("ETag")), response.json()),
        (1, full())
    );
    assert_eq!(customer.get(&server, PATH).ok(), full());
    let mut wanted = defaults();
    wanted["theme"] = json!("light");
    assert_eq!(put_of(&json!({"theme": "light"})).ok(), wanted);
    assert_eq!(put_of(&json!({})).ok(), defaults());
}

#[test]
fn patch_changes_what_it_names_and_null_resets() {
    let server = shared();
    let customer = Customer::on(&server);
    put(PATH, &full())
        .bearer(&customer.token)
        .send(&server)
        .expect(200);
    let mut wanted = full();
    wanted["notifications"]["product"] = json!(false);
    wanted["custom"] = json!({"sidebar": false, "ratio": 1.5, "start": "home"});
    let changed = change(
        &server,
        &customer,
        &json!({"notifications": {"product": false}, "custom": {"sidebar": false, "size": null}}),
    );
    assert_eq!(changed.ok(), wanted);
    for (member, default) in defaults().as_object().unwrap() {
        let reset = change(&server, &customer, &json!({member: null})).ok();
        assert_eq!(&reset[member], default, "{member}");
    }
    assert_eq!(customer.get(&server, PATH).ok(), defaults());
}

#[test]
fn a_change_moves_the_version_and_a_stale_one_is_412() {
    let server = shared();
    let customer = Customer::on(&server);
    let old = customer.get(&server, PATH).must_header("ETag").to_owned();
    let response = change(&server, &customer, &json!({"theme": "dark"})).expect(200);
    assert_eq!(version(response.must_header("ETag")), 1);
    let same = change(&server, &customer, &json!({"theme": "dark"})).expect(200);
    assert_eq!(version(same.must_header("ETag")), 1);
    let stale = patch(PATH, &json!({"theme": "light"}))
        .bearer(&customer.token)
        .header("If-Match", &old);
    stale.send(&server).problem(412, "stale_version");
    assert_eq!(customer.get(&server, PATH).ok()["theme"], "dark");
}

#[test]
fn preferences_and_profile_count_their_versions_apart() {
    let server = shared();
    let customer = Customer::on(&server);
    let user = customer.get(&server, "/user/me").must_header("ETag").to_owned();
    let (_, tag) = customer.now(&server);
    change(&server, &customer, &json!({"theme": "dark"})).expect(200);
    assert_eq!(customer.get(&server, "/user/me").must_header("ETag"), user);
    assert_eq!(customer.now(&server).1, tag);
}

#[test]
fn two_users_of_a_customer_have_their_own() {
    let server = shared();
    let customer = Customer::on(&server);
    change(&server, &customer, &json!({"theme": "dark"})).expect(200);
    let other = Token::of(&customer.id).subject("auth0|persondata-second").hs256();
    assert_eq!(get(PATH).bearer(&other).send(&server).ok(), defaults());
}

#[test]
fn every_fault_of_preferences_is_told_with_its_pointer() {
    let server = shared();
    let customer = Customer::on(&server);
    let body = json!({"theme": "neon", "language": "xx-YY", "timeZone": "Mars/Base", "emailVisibility": "friends",
        "notifications": {"email": "yes", "sms": true}, "custom": {"list": [], "object": {}, "": 1, "text": "a\n"}, "unknown": 1});
    let mut pointers = change(&server, &customer, &body).pointers("validation_failed");
    pointers.sort();
    let wanted = [
        "#/custom/",
        "#/custom/list",
        "#/custom/object",
        "#/custom/text",
        "#/emailVisibility",
        "#/language",
        "#/notifications/email",
        "#/notifications/sms",
        "#/theme",
        "#/timeZone",
        "#/unknown",
    ];
    assert_eq!(pointers, wanted);
    for whole in ["notifications", "custom"] {
        let pointers = change(&server, &customer, &json!({whole: "x"})).pointers("validation_failed");
        assert_eq!(pointers, [format!("#/{whole}")]);
    }
    let many: Map<_, _> = (0..51).map(|index| (format!("k{index}"), json!(index))).collect();
    let pointers = change(&server, &customer, &json!({"custom": many})).pointers("validation_failed");
    assert_eq!(pointers, ["#/custom"]);
    assert_eq!(customer.get(&server, PATH).ok(), defaults());
}

#[test]
fn numbers_come_back_as_they_were_sent() {
    let server = shared();
    let customer = Customer::on(&server);
    let custom = json!({"zero": 0, "negative": -7, "large": 9_007_199_254_740_991_i64, "fraction": 0.1, "tiny": 5e-324});
    let changed = change(&server, &customer, &json!({"custom": custom})).ok();
    assert_eq!(changed["custom"], custom);
    assert_eq!(customer.get(&server, PATH).ok()["custom"], custom);
}
