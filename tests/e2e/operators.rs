//! Administrators' and services' tokens are revoked for every route at once, and what concerns no single customer
//! stands in the operators' log.

use crate::concurrency::at_once;
use crate::support::http::{Request, get, patch, post};
use crate::support::integration::service_revocation;
use crate::support::server::{Server, poll};
use crate::support::settings::SERVICE_KEYS;
use crate::support::shared::{Customer, fresh_id, new_customer, shared};
use crate::support::token::{Token, now_secs};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// An administrator's token of its own, with its `jti`; it names no customer.
fn admin() -> (String, String) {
    let jti = format!("jti-persondata-{}", fresh_id("op"));
    let token = Token::of(&fresh_id("operator"))
        .claim("customerId", Value::Null)
        .claim("isSuperAdmin", true)
        .claim("jti", jti.as_str());
    (token.hs256(), jti)
}

/// A service's token with its `jti`.
fn service() -> (String, String) {
    let jti = format!("jti-persondata-{}", fresh_id("svc"));
    let token = Token::of(&fresh_id("login"))
        .claim("scope", "service")
        .claim("jti", jti.as_str());
    (token.hs256(), jti)
}

/// Twenty connections send `request`, a revocation comes in their midst; ten of each start after its 2xx.
fn revoke_in_flight(server: &Server, request: &Request, revocation: &Request) {
    const CONNECTIONS: usize = 20;
    const AFTER: usize = 10;
    let (asked, done, served) = (
        AtomicBool::new(false),
        AtomicBool::new(false),
        AtomicUsize::new(0),
    );
    at_once(CONNECTIONS + 1, |index| {
        if index == CONNECTIONS {
            poll("some are served", || {
                (served.load(Ordering::SeqCst) >= 2 * CONNECTIONS).then_some(())
            });
            asked.store(true, Ordering::SeqCst);
            revocation.send(server).expect(204);
            done.store(true, Ordering::SeqCst);
            return;
        }
        let mut after = 0;
        while after < AFTER {
            let starts_after = done.load(Ordering::SeqCst);
            let answer = request.send(server);
            let ended_before = !asked.load(Ordering::SeqCst);
            if starts_after || answer.status >= 300 {
                assert!(!ended_before, "nothing was revoked yet: {}", answer.describe());
                answer.problem(401, "token_revoked");
            } else {
                served.fetch_add(1, Ordering::SeqCst);
            }
            after += usize::from(starts_after);
        }
    });
}

#[test]
fn not_one_act_that_starts_after_the_revocation_of_an_administrator_s_token_succeeds() {
    let server = shared();
    let customer = Customer::on(&server);
    let path = format!("/admin/customers/{}", customer.id);
    let (token, jti) = admin();
    let act = patch(&path, &json!({"name": "By us"})).bearer(&token);
    revoke_in_flight(&server, &act, &service_revocation(&json!({ "jti": jti })));
    for dead in [
        get(&path),
        get("/admin/customers"),
        get("/admin/audit"),
        get("/session"),
    ] {
        dead.bearer(&token).send(&server).problem(401, "token_revoked");
    }
    get(&path).bearer(&admin().0).send(&server).expect(200);
}

#[test]
fn not_one_act_that_starts_after_the_revocation_of_a_service_s_token_succeeds() {
    let server = shared();
    let (token, jti) = service();
    let customer = Customer::on(&server);
    let ensure = post("/internal/customers", &new_customer(&customer.id)).bearer(&token);
    revoke_in_flight(&server, &ensure, &service_revocation(&json!({ "jti": jti })));
    ensure.send(&server).problem(401, "token_revoked");
    let other = service().0;
    post("/internal/customers", &new_customer(&customer.id))
        .bearer(&other)
        .send(&server)
        .expect(200);
}

#[test]
fn an_administrator_that_takes_its_own_token_back_is_dead_under_admin_too() {
    let server = shared();
    let customer = Customer::on(&server);
    let other = Customer::on(&server);
    let path = format!("/admin/customers/{}", other.id);
    let token = |jti: &str| {
        Token::of(&customer.id)
            .claim("isSuperAdmin", true)
            .claim("jti", jti)
            .hs256()
    };
    let (own, left) = (token("jti-persondata-own"), token("jti-persondata-left"));
    get(&path).bearer(&own).send(&server).expect(200);
    post(
        "/customer/me/tokens/revoke",
        &json!({"jti": "jti-persondata-own"}),
    )
    .bearer(&own)
    .send(&server)
    .expect(204);
    get(&path)
        .bearer(&own)
        .send(&server)
        .problem(401, "token_revoked");
    get("/admin/customers")
        .bearer(&own)
        .send(&server)
        .problem(401, "token_revoked");
    // One that its customer takes back as a customer's token is dead everywhere as well.
    let by_service = json!({"customerId": customer.id, "jti": "jti-persondata-left"});
    get(&path).bearer(&left).send(&server).expect(200);
    service_revocation(&by_service).send(&server).expect(204);
    get(&path)
        .bearer(&left)
        .send(&server)
        .problem(401, "token_revoked");
}

#[test]
fn everything_issued_until_a_second_is_revoked_for_operators_alone() {
    let server = Server::start(&crate::support::settings::Settings::default());
    let customer = Customer::on(&server);
    let old = Token::of("operator")
        .claim("customerId", Value::Null)
        .claim("isSuperAdmin", true)
        .claim("iat", now_secs() - 100)
        .hs256();
    let path = format!("/admin/customers/{}", customer.id);
    get(&path).bearer(&old).send(&server).expect(200);
    service_revocation(&json!({"notBefore": now_secs() - 50}))
        .send(&server)
        .expect(204);
    get(&path)
        .bearer(&old)
        .send(&server)
        .problem(401, "token_revoked");
    get(&path).bearer(&admin().0).send(&server).expect(200);
    customer.get(&server, "/customer/me").expect(200);
    assert_eq!(
        service_revocation(&json!({"notBefore": now_secs() + 1000}))
            .send(&server)
            .pointers("validation_failed"),
        ["#/notBefore"]
    );
    server.stop();
}

#[test]
fn what_concerns_no_single_customer_stands_in_the_operators_log() {
    let server = Server::start(&crate::support::settings::Settings::default());
    let (token, _) = admin();
    let by_admin = |path: &str| get(path).bearer(&token).send(&server);
    by_admin("/admin/customers?status=active").expect(200);
    by_admin("/admin/customers?cursor=forged").problem(400, "invalid_cursor");
    by_admin("/admin/customers/nobody-there").problem(404, "customer_not_found");
    service_revocation(&json!({"jti": "jti-persondata-x"}))
        .send(&server)
        .expect(204);
    let entries = |query: &str| {
        let page = by_admin(&format!("/admin/audit{query}")).ok();
        let data = page["data"].as_array().expect("a list").clone();
        let brief = |entry: &Value| format!("{} {}", entry["action"], entry["outcome"]).replace('"', "");
        data.iter().map(brief).collect::<Vec<_>>()
    };
    let wanted = [
        "tokens.revoke ok",
        "customer.missed customer_not_found",
        "customers.list invalid_cursor",
        "customers.list ok",
    ];
    assert_eq!(entries(""), wanted);
    assert_eq!(
        entries("?action=customers.list&outcome=ok"),
        ["customers.list ok"]
    );
    assert_eq!(entries("?limit=1"), ["audit.list ok"]);
    let first = by_admin("/admin/audit?limit=2").ok();
    let cursor = first["nextCursor"].as_str().expect("a cursor");
    let second = by_admin(&format!("/admin/audit?limit=2&cursor={cursor}")).ok();
    assert_eq!(
        second["data"][0]["seq"].as_i64().map(|seq| seq + 1),
        first["data"][1]["seq"].as_i64()
    );
    by_admin("/admin/audit?nothing=1").problem(422, "validation_failed");
    server.stop();
}

#[test]
fn every_service_key_of_the_list_works_and_no_other() {
    let server = shared();
    let customer = Customer::on(&server);
    let ensure = post("/internal/customers", &new_customer(&customer.id));
    for key in SERVICE_KEYS {
        ensure.clone().service_key(key).send(&server).expect(200);
    }
    let first = SERVICE_KEYS[0];
    for wrong in [&first[1..], &format!("{first}x"), &first.to_uppercase()] {
        ensure
            .clone()
            .service_key(wrong)
            .send(&server)
            .problem(401, "invalid_service_key");
    }
}
