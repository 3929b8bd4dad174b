//! Signing in by cookie, as pages do, and what keeps other pages from doing it.

use crate::customer::assert_timestamp;
use crate::support::http::{Request, get, patch, put};
use crate::support::raw::Raw;
use crate::support::shared::{Customer, shared};
use crate::support::token::{CSRF, Token};
use serde_json::{Value, json};

fn rename() -> Request {
    patch("/customer/me", &json!({"name": "By cookie"}))
}

#[test]
fn a_cookie_reads() {
    let server = shared();
    let customer = Customer::on(&server);
    for path in [
        "/customer/me",
        "/customer/me/status",
        "/session",
        "/user/me",
        "/user/me/preferences",
    ] {
        get(path).cookie(&customer.token).send(&server).expect(200);
    }
}

#[test]
fn a_cookie_changes_nothing_without_the_csrf_token() {
    let server = shared();
    let customer = Customer::on(&server);
    let before = customer.now(&server);
    let writes = [
        rename(),
        put("/customer/me", &json!({})),
        put("/user/me", &json!({})),
        patch("/user/me", &json!({"locale": "de"})),
        patch("/user/me/preferences", &json!({"theme": "dark"})),
    ];
    for request in &writes {
        let request = request.clone().cookie(&customer.token);
        request.send(&server).problem(403, "csrf_failed");
        for wrong in ["", "wrong", &CSRF.to_uppercase(), &format!("{CSRF}x"), &CSRF[1..]] {
            let request = request.clone().header("X-CSRF-Token", wrong);
            request.send(&server).problem(403, "csrf_failed");
        }
    }
    assert_eq!(customer.now(&server), before);
}

#[test]
fn the_right_csrf_token_lets_a_cookie_write() {
    let server = shared();
    let customer = Customer::on(&server);
    let session = get("/session").cookie(&customer.token).send(&server).ok();
    let csrf = session["csrf"].as_str().expect("csrf");
    let response = rename()
        .cookie(&customer.token)
        .header("X-CSRF-Token", csrf)
        .send(&server);
    assert_eq!(response.ok()["name"], "By cookie");
}

#[test]
fn a_token_without_csrf_can_only_read_by_cookie_and_an_admin_s_is_no_better() {
    let server = shared();
    let customer = Customer::on(&server);
    for token in [
        Token::of(&customer.id),
        Token::of(&customer.id).claim("isSuperAdmin", true),
    ] {
        let bare = token.clone().without("csrf").hs256();
        get("/customer/me").cookie(&bare).send(&server).expect(200);
        for header in ["", "null", "undefined", CSRF] {
            let request = rename().cookie(&bare).header("X-CSRF-Token", header);
            request.send(&server).problem(403, "csrf_failed");
        }
        rename()
            .cookie(&token.hs256())
            .send(&server)
            .problem(403, "csrf_failed");
    }
}

#[test]
fn the_header_wins_over_the_cookie_even_when_it_is_wrong() {
    let server = shared();
    let (one, two) = (Customer::on(&server), Customer::on(&server));
    let both = get("/customer/me")
        .bearer(&one.token)
        .cookie(&two.token)
        .send(&server)
        .ok();
    assert_eq!(both["customerId"], one.id);
    get("/customer/me")
        .bearer("a.b.c")
        .cookie(&two.token)
        .send(&server)
        .problem(401, "invalid_token");
    let written = rename().bearer(&one.token).cookie(&two.token).send(&server).ok();
    assert_eq!(written["customerId"], one.id, "the header needs no CSRF token");
}

#[test]
fn a_second_cookie_of_the_name_is_refused_as_planted() {
    let server = shared();
    let customer = Customer::on(&server);
    let own = format!("auth_token={}", customer.token);
    for (first, second) in [
        (own.as_str(), "auth_token=x"),
        ("auth_token=x", &own),
        (&own, &own),
    ] {
        let joined = format!("{first}; {second}");
        get("/customer/me")
            .header("Cookie", &joined)
            .send(&server)
            .problem(401, "invalid_token");
        let mut raw = Raw::open(&server);
        raw.head("GET /customer/me", &[("Cookie", first), ("Cookie", second)]);
        raw.response().problem(401, "invalid_token");
    }
}

#[test]
fn a_wrong_cookie_is_401_like_a_wrong_header() {
    let server = shared();
    get("/customer/me")
        .cookie("a.b.c")
        .send(&server)
        .problem(401, "invalid_token");
    get("/customer/me")
        .cookie("")
        .send(&server)
        .problem(401, "authentication_required");
    let other = get("/customer/me").header("Cookie", "Auth_Token=x; auth_token2=x");
    other.send(&server).problem(401, "authentication_required");
}

#[test]
fn the_session_tells_a_page_what_its_cookie_hides() {
    let server = shared();
    let customer = Customer::on(&server);
    let session = customer.get(&server, "/session").ok();
    let members: Vec<_> = session.as_object().unwrap().keys().map(String::as_str).collect();
    let all = [
        "csrf",
        "customerId",
        "erasureDueAt",
        "expiresAt",
        "isAdmin",
        "isOwner",
        "userId",
    ];
    assert_eq!(members, all);
    assert_eq!(
        (&session["customerId"], &session["csrf"]),
        (&json!(customer.id), &json!(CSRF))
    );
    assert_eq!(session["isAdmin"], false);
    assert_timestamp(&session["expiresAt"]);
    let user = customer.get(&server, "/user/me").ok();
    assert_eq!(session["userId"], user["userId"]);
    let admin = Token::of(&customer.id)
        .claim("isSuperAdmin", true)
        .without("csrf")
        .hs256();
    let session = get("/session").bearer(&admin).send(&server).ok();
    assert_eq!(
        (&session["isAdmin"], &session["csrf"]),
        (&json!(true), &Value::Null)
    );
}
