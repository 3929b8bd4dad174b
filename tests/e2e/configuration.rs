//! Settings are right or nothing is served.

use crate::absent::users_requests;
use crate::support::http::get;
use crate::support::server::{Server, new_data};
use crate::support::settings::{SERVICE_KEYS, Settings};
use crate::support::shared::{Customer, create, fresh_id, new_customer};
use crate::support::token::{Token, now_secs};

/// A server with these settings serves nothing but its health and its documentation, and says why: the log names
/// each of these settings and holds none of these values.
#[track_caller]
fn assert_not_ready(settings: &Settings, names: &[&str], values: &[&str]) {
    let server = Server::start(settings);
    let ready = get("/ready").send(&server);
    assert!(ready.must_header("Retry-After").parse::<u32>().is_ok());
    ready.problem(503, "not_ready");
    let token = Token::of("x").hs256();
    for request in users_requests() {
        request.clone().send(&server).problem(503, "not_ready");
        request.bearer(&token).send(&server).problem(503, "not_ready");
    }
    create(&new_customer(&fresh_id("not-ready")))
        .send(&server)
        .problem(503, "not_ready");
    get("/.well-known/oauth-protected-resource")
        .send(&server)
        .problem(503, "not_ready");
    get("/health").send(&server).expect(200);
    get("/problems/not_ready").send(&server).expect(200);
    get("/nowhere").send(&server).problem(404, "route_not_found");
    for name in names {
        let told = server.log().wait_for(|text| text.contains(name).then_some(()));
        assert!(
            told.is_some(),
            "the log does not name {name}:\n{}",
            server.log().text()
        );
    }
    let log = server.stop().log;
    for value in values.iter().chain(&SERVICE_KEYS).chain(&["secretdata"]) {
        assert!(!log.contains(value), "the log tells the value {value}:\n{log}");
    }
}

#[test]
fn every_wrong_setting_is_named_at_once_and_no_value_is_told() {
    let wrong = [
        ("ENVIRONMENT", "staging-secretvalue"),
        ("JWT_SECRET", "short-secretvalue"),
        ("JWKS", "{\"keys\":\"secretvalue\"}"),
        ("JWKS_URL", "http://secretvalue.e2e.test/jwks.json"),
        ("JWT_AUDIENCE", "@secretvalue"),
        ("JWT_MAX_TTL_SECONDS", "secretvalue"),
        ("SUPER_ADMIN_EMAILS", "secretvalue"),
        ("SERVICE_API_KEYS", "secretvalue"),
        ("ALLOWED_ORIGINS", "https://secretvalue.e2e.test/path"),
        ("MASTER_KEYS", "1:secretvalue"),
        ("INDEX_KEY", "secretvalue"),
        ("SIGNING_KEYS", "secretvalue"),
        ("RATE_LIMITS", "{\"free\":\"secretvalue\"}"),
        ("RESPONSE_ENCRYPTION", "secretvalue"),
        ("ERASURE_GRACE_DAYS", "-1"),
        ("AUDIT_RETENTION_DAYS", "7"),
        ("DIRECTORY_SHARDS", "0"),
        ("OBJECT_DEADLINE_MS", "soon-secretvalue"),
    ];
    let settings = wrong.iter().fold(Settings::default(), |settings, (name, value)| {
        settings.with(name, value)
    });
    let names: Vec<_> = wrong.iter().map(|(name, _)| *name).collect();
    assert_not_ready(&settings, &names, &["secretvalue"]);
}

#[test]
fn every_missing_setting_is_named() {
    let names = [
        "JWT_ISSUER",
        "JWT_AUDIENCE",
        "SERVICE_API_KEYS",
        "MASTER_KEYS",
        "INDEX_KEY",
        "SIGNING_KEYS",
        "JWT_SECRET",
    ];
    let settings = names
        .iter()
        .fold(Settings::default(), |settings, name| settings.without(name))
        .without("JWKS");
    assert_not_ready(&settings, &names, &[]);
}

#[test]
fn one_missing_setting_is_enough_to_serve_nothing() {
    assert_not_ready(&Settings::default().without("INDEX_KEY"), &["INDEX_KEY"], &[]);
}

#[test]
fn production_is_not_ready_without_issuer_and_audience_and_development_is() {
    let open = Settings::default().without("JWT_ISSUER").without("JWT_AUDIENCE");
    assert_not_ready(&open, &["JWT_ISSUER", "JWT_AUDIENCE"], &[]);
    let server = Server::start(&open.with("ENVIRONMENT", "development"));
    let customer = Customer::on(&server);
    let token = Token::of(&customer.id).without("iss").without("aud").hs256();
    get("/customer/me").bearer(&token).send(&server).expect(200);
}

#[test]
fn a_mended_setting_serves_the_data_that_was_there() {
    let data = new_data();
    let right = Settings::default();
    let server = Server::start_in(&right, &data);
    let customer = Customer::on(&server);
    let before = customer.now(&server);
    server.stop();
    let server = Server::start_in(&right.clone().with("MASTER_KEYS", "wrong"), &data);
    customer.get(&server, "/customer/me").problem(503, "not_ready");
    server.stop();
    assert_eq!(customer.now(&Server::start_in(&right, &data)), before);
}

#[test]
fn the_longest_life_of_a_token_is_a_setting() {
    let server = Server::start(&Settings::default().with("JWT_MAX_TTL_SECONDS", "600"));
    let customer = Customer::on(&server);
    let now = now_secs();
    let of_ttl = |ttl: i64| {
        Token::of(&customer.id)
            .claim("iat", now)
            .claim("exp", now + ttl)
            .hs256()
    };
    get("/customer/me").bearer(&of_ttl(600)).send(&server).expect(200);
    get("/customer/me")
        .bearer(&of_ttl(601))
        .send(&server)
        .problem(401, "invalid_token");
}

#[test]
fn who_is_an_admin_is_a_setting() {
    let settings = Settings::default()
        .with("ADMIN_CLAIM", "roles=operator")
        .with("SUPER_ADMIN_EMAILS", "persondata.root@e2e.test");
    let server = Server::start(&settings);
    let customer = Customer::on(&server);
    let is_admin =
        |token: Token| get("/session").bearer(&token.hs256()).send(&server).ok()["isAdmin"].clone();
    let token = || Token::of(&customer.id);
    assert_eq!(
        is_admin(token().claim("roles", serde_json::json!(["reader", "operator"]))),
        true
    );
    assert_eq!(is_admin(token().claim("roles", "operators")), false);
    assert_eq!(is_admin(token().claim("isSuperAdmin", true)), false);
    let root = || token().claim("email", "Persondata.Root@e2e.test");
    assert_eq!(is_admin(root()), true);
    assert_eq!(is_admin(root().claim("email_verified", false)), false);
    assert_eq!(is_admin(root().claim("email_verified", "true")), false);
}
