//! The log: one line a request, nothing personal in it. (The shared server's whole log is judged as well, by
//! `support::shared`, whenever the last test lets go of it.)

use crate::support::http::{get, patch, request};
use crate::support::log;
use crate::support::server::Server;
use crate::support::settings::{SERVICE_KEYS, Settings};
use crate::support::shared::{Customer, create, fresh_id, new_customer};
use crate::support::token::Token;
use serde_json::{Value, json};

#[test]
fn every_request_is_one_line_with_the_documented_members() {
    let server = Server::start(&Settings::default());
    let customer = Customer::on(&server);
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let admin = Token::of(&customer.id).claim("isSuperAdmin", true).hs256();
    let requests = [
        get("/customer/me")
            .bearer(&customer.token)
            .header("traceparent", traceparent),
        get("/customer/me")
            .bearer(&admin)
            .header("X-Request-Id", "0123456789abcdef"),
        get("/customer/me?name=persondata"),
        get("/customer/me").bearer("a.b.c"),
        patch("/customer/me", &json!({"name": "persondata"})).cookie(&customer.token),
        get("/persondata/e.mail@e2e.test"),
        request("DELETE", "/customer/me"),
        get("/health"),
    ];
    for request in &requests {
        request.send(&server);
    }
    let log = server.stop().log;
    log::check(&log);
    let lines = log::requests(&log);
    assert_eq!(lines.len(), 1 + requests.len(), "{log}");
    // Method, route, status and caller; the code. Who is known is named; a refused credential is a security event.
    let wanted = [
        ("POST /internal/customers 201 service", Value::Null),
        ("GET /customer/me 200 user", Value::Null),
        ("GET /customer/me 200 admin", Value::Null),
        ("GET /customer/me 401 none", json!("authentication_required")),
        ("GET /customer/me 401 none", json!("invalid_token")),
        ("PATCH /customer/me 403 none", json!("csrf_failed")),
        ("GET - 404 none", json!("route_not_found")),
        ("DELETE - 405 none", json!("method_not_allowed")),
        ("GET /health 200 none", Value::Null),
    ];
    for (line, (wanted, code)) in lines.iter().zip(wanted) {
        let member = |name: &str| line.get(name).cloned().unwrap_or_default();
        let text = |name: &str| member(name).as_str().unwrap_or_default().to_owned();
        let (status, caller) = (member("status"), text("caller"));
        assert_eq!(
            format!("{} {} {status} {caller}", text("method"), text("route")),
            wanted
        );
        let named = (caller != "none").then_some(customer.id.as_str());
        assert_eq!(member("customer"), json!(named), "{line}");
        let is_security = status == 401 || status == 403;
        let security = if is_security { code.clone() } else { Value::Null };
        assert_eq!([member("code"), member("security")], [code, security], "{line}");
    }
    assert_eq!(lines[1]["traceparent"], traceparent);
    assert_eq!(lines[2]["callerId"], "0123456789abcdef");
    assert!(
        lines[4]["reason"].is_string(),
        "an operator learns why: {}",
        lines[4]
    );
}

#[test]
fn the_id_in_the_log_is_the_one_that_the_caller_was_told() {
    let server = Server::start(&Settings::default());
    let told = get("/health")
        .send(&server)
        .must_header("X-Request-Id")
        .to_owned();
    let log = server.stop().log;
    assert!(
        log::requests(&log).iter().any(|line| line["id"] == told),
        "{told} is not in {log}"
    );
}

#[test]
fn whatever_a_caller_sends_nothing_personal_is_logged() {
    let server = Server::start(&Settings::default());
    let customer = Customer::on(&server);
    let personal = "persondata@e2e.test";
    for path in [
        "/persondata",
        "/customer/me?email=persondata",
        "/problems/persondata",
        "/customer/persondata@e2e.test",
    ] {
        get(path).bearer(&customer.token).send(&server);
    }
    for name in [
        "User-Agent",
        "Referer",
        "Origin",
        "traceparent",
        "X-Request-Id",
        "If-Match",
        "X-Forwarded-For",
        "CF-Connecting-IP",
    ] {
        get("/customer/me")
            .bearer(&customer.token)
            .header(name, personal)
            .send(&server);
    }
    for token in [
        Token::of(personal),
        Token::of("x").claim("iss", personal),
        Token::of("x").claim("aud", personal),
        Token::of("x").header("kid", personal),
        Token::of("x").header("typ", personal),
        Token::of(&customer.id).claim("scope", personal),
        Token::of("x").subject(personal).claim("scope", "service"),
    ] {
        get("/customer/me").bearer(&token.hs256()).send(&server);
    }
    for body in [
        r#"{"persondata":1}"#,
        r#"{"name":"persondata\n"}"#,
        r#"{"name":persondata}"#,
        "persondata",
    ] {
        request("PATCH", "/customer/me")
            .bearer(&customer.token)
            .body("application/json", body)
            .send(&server);
        let request = request("POST", "/internal/customers").service_key(SERVICE_KEYS[0]);
        request.body("application/json", body).send(&server);
    }
    get("/customer/me")
        .header("Authorization", "Basic persondata")
        .send(&server);
    create(&new_customer(&fresh_id("log")))
        .service_key("persondata-wrong")
        .send(&server);
    log::check(&server.stop().log);
}
