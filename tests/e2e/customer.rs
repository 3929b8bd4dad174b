//! `/customer/me`: what it shows, and how it is changed.

use crate::support::http::{get, patch, put};
use crate::support::shared::{Customer, create, fresh_id, new_customer, shared, version};
use crate::support::token::Token;
use serde_json::{Value, json};

/// RFC 3339 in UTC with milliseconds.
#[track_caller]
pub fn assert_timestamp(value: &Value) {
    let text = value.as_str().unwrap_or_else(|| panic!("no time: {value}"));
    let form = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c });
    assert_eq!(form.collect::<String>(), "0000-00-00T00:00:00.000Z", "{text}");
}

#[test]
fn the_body_is_the_bare_customer_with_exactly_the_documented_members() {
    let server = shared();
    let id = fresh_id("bare");
    let new = new_customer(&id);
    create(&new).send(&server).expect(201);
    let shown = get("/customer/me")
        .bearer(&Token::of(&id).hs256())
        .send(&server)
        .ok();
    let mut wanted = new;
    wanted["status"] = json!("active");
    wanted["statusReason"] = Value::Null;
    for member in ["createdAt", "updatedAt", "lastSeenAt", "statusChangedAt"] {
        assert_timestamp(&shown[member]);
        wanted[member] = shown[member].clone();
    }
    assert_eq!(shown, wanted);
    assert_eq!(shown["createdAt"], shown["updatedAt"]);
    let hour = shown["lastSeenAt"].as_str().unwrap();
    assert!(hour.ends_with(":00:00.000Z"), "not exact to the hour: {hour}");
}

#[test]
fn what_was_never_said_is_null_or_empty_and_the_plan_is_free() {
    let server = shared();
    let id = fresh_id("plain");
    create(&json!({"customerId": id, "email": "persondata@e2e.test"}))
        .send(&server)
        .expect(201);
    let shown = get("/customer/me")
        .bearer(&Token::of(&id).hs256())
        .send(&server)
        .ok();
    for member in ["name", "companyName", "displayName"] {
        assert_eq!(shown[member], Value::Null, "{shown}");
    }
    assert_eq!((&shown["features"], &shown["metadata"]), (&json!({}), &json!({})));
    assert_eq!(
        (&shown["plan"], &shown["status"]),
        (&json!("free"), &json!("active"))
    );
}

#[test]
fn older_dashboards_find_the_customer_at_the_admin_path() {
    let server = shared();
    let customer = Customer::on(&server);
    let (body, tag) = customer.now(&server);
    let alias = customer.get(&server, "/admin/customers/me");
    assert_eq!(alias.must_header("ETag"), tag);
    assert_eq!(alias.ok(), body);
}

#[test]
fn the_etag_is_strong_and_saves_the_body() {
    let server = shared();
    let customer = Customer::on(&server);
    let (_, tag) = customer.now(&server);
    assert_eq!(version(&tag), 1);
    let weak = format!("W/{tag}");
    let several = format!("\"other\", {tag}");
    for known in [tag.as_str(), &weak, &several, "*"] {
        let request = get("/customer/me")
            .bearer(&customer.token)
            .header("If-None-Match", known);
        let response = request.send(&server).expect(304);
        assert_eq!(response.must_header("ETag"), tag, "{known}");
        assert_eq!(response.header("Content-Type"), None);
    }
    get("/customer/me")
        .bearer(&customer.token)
        .header("If-None-Match", "\"other\"")
        .send(&server)
        .expect(200);
}

#[test]
fn a_malformed_condition_is_400_and_never_ignored() {
    let server = shared();
    let customer = Customer::on(&server);
    for condition in ["1", "\"open", "w/\"x\""] {
        let request = patch("/customer/me", &json!({"name": "A"})).bearer(&customer.token);
        request
            .header("If-Match", condition)
            .send(&server)
            .problem(400, "malformed_request");
    }
    assert_eq!(version(&customer.now(&server).1), 1);
}

#[test]
fn a_stale_if_match_is_412_and_changes_nothing() {
    let server = shared();
    let customer = Customer::on(&server);
    let (_, old) = customer.now(&server);
    customer
        .patch(&server, &json!({"name": "Second persondata"}))
        .expect(200);
    let (before, current) = customer.now(&server);
    let weak = format!("W/{current}");
    for tag in [old.as_str(), "\"0000000000000000.2\"", &weak] {
        for method in [patch, put] {
            let request = method("/customer/me", &json!({"name": "Lost"})).bearer(&customer.token);
            request
                .header("If-Match", tag)
                .send(&server)
                .problem(412, "stale_version");
        }
    }
    assert_eq!(customer.now(&server), (before, current));
}

#[test]
fn if_none_match_star_never_changes_what_exists() {
    let server = shared();
    let customer = Customer::on(&server);
    let before = customer.now(&server);
    for method in [patch, put] {
        let request = method("/customer/me", &json!({"name": "Again"})).bearer(&customer.token);
        request
            .header("If-None-Match", "*")
            .send(&server)
            .problem(412, "stale_version");
    }
    assert_eq!(customer.now(&server), before);
}

#[test]
fn a_current_if_match_lets_the_change_through() {
    let server = shared();
    let customer = Customer::on(&server);
    for (round, condition) in [(1, None), (2, Some("*"))] {
        let (_, tag) = customer.now(&server);
        let request =
            patch("/customer/me", &json!({"name": format!("Round {round}")})).bearer(&customer.token);
        let response = request
            .header("If-Match", condition.unwrap_or(&tag))
            .send(&server)
            .expect(200);
        assert_eq!(version(response.must_header("ETag")), version(&tag) + 1);
        assert_eq!(customer.now(&server).0, response.json());
    }
}

#[test]
fn put_replaces_every_writable_field_and_no_other() {
    let server = shared();
    let customer = Customer::on(&server);
    let (before, _) = customer.now(&server);
    let body = json!({"name": "Only persondata", "metadata": {"fresh": "1"}});
    let response = put("/customer/me", &body)
        .bearer(&customer.token)
        .send(&server)
        .expect(200);
    assert_eq!(version(response.must_header("ETag")), 2);
    let mut wanted = before;
    wanted["name"] = json!("Only persondata");
    wanted["companyName"] = Value::Null;
    wanted["displayName"] = Value::Null;
    wanted["metadata"] = json!({"fresh": "1"});
    wanted["updatedAt"] = response.json()["updatedAt"].clone();
    assert_eq!(response.json(), wanted);
    assert_eq!(customer.now(&server).0, wanted);
}

#[test]
fn patch_merges_and_null_deletes() {
    let server = shared();
    let customer = Customer::on(&server);
    customer
        .patch(&server, &json!({"metadata": {"a": "1", "b": "2", "c": "3"}}))
        .expect(200);
    let (mut wanted, _) = customer.now(&server);
    let change = json!({"companyName": null, "metadata": {"a": null, "b": "zwei", "absent": null}});
    let response = customer.patch(&server, &change).expect(200);
    assert_eq!(version(response.must_header("ETag")), 3);
    wanted["companyName"] = Value::Null;
    wanted["metadata"] = json!({"origin": "persondata", "b": "zwei", "c": "3"});
    wanted["updatedAt"] = response.json()["updatedAt"].clone();
    assert_eq!(customer.now(&server).0, wanted);
    customer.patch(&server, &json!({"metadata": null})).expect(200);
    assert_eq!(customer.now(&server).0["metadata"], json!({}));
}

#[test]
fn a_patch_may_also_call_itself_plain_json() {
    let server = shared();
    let customer = Customer::on(&server);
    let request = crate::support::http::request("PATCH", "/customer/me").bearer(&customer.token);
    let request = request.body("application/json; charset=utf-8", r#"{"name":"Plain"}"#);
    assert_eq!(request.send(&server).ok()["name"], "Plain");
}

#[test]
fn a_patch_that_changes_nothing_keeps_the_version() {
    let server = shared();
    let customer = Customer::on(&server);
    let (before, tag) = customer.now(&server);
    for change in [
        json!({}),
        json!({"name": before["name"]}),
        json!({"metadata": {"absent": null}}),
    ] {
        let response = customer.patch(&server, &change).expect(200);
        assert_eq!(
            (response.must_header("ETag"), response.json()),
            (tag.as_str(), before.clone())
        );
    }
    assert_eq!(customer.now(&server), (before, tag));
}

#[test]
fn every_change_moves_the_version_by_one_and_updated_at_never_back() {
    let server = shared();
    let customer = Customer::on(&server);
    let mut last = customer.now(&server).0["updatedAt"].as_str().unwrap().to_owned();
    for round in 1..=5 {
        let response = customer
            .patch(&server, &json!({"name": format!("Name {round}")}))
            .expect(200);
        assert_eq!(version(response.must_header("ETag")), round + 1);
        let now = response.json()["updatedAt"].as_str().unwrap().to_owned();
        assert!(now >= last, "{now} before {last}");
        last = now;
    }
}
