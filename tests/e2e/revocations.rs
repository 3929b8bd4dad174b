//! Revocation works at once: after its 2xx not one request with what it revoked succeeds.

use crate::concurrency::at_once;
use crate::support::http::{Request, get, post, request};
use crate::support::integration::{Key, SCOPES, admin, revocation, service_revocation};
use crate::support::raw::Raw;
use crate::support::server::Server;
use crate::support::settings::SERVICE_KEYS;
use crate::support::shared::{Customer, fresh_id, shared};
use crate::support::token::{Token, now_secs};
use serde_json::json;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// So many requests are under way at one time, each over a connection of its own.
const CONNECTIONS: usize = 200;
/// Requests of each connection that start after the 2xx.
const AFTER: usize = 1;

/// Another token of the same user.
pub fn token(customer: &Customer) -> (String, String) {
    let jti = format!("jti-persondata-{}", fresh_id("t"));
    (Token::of(&customer.id).claim("jti", jti.as_str()).hs256(), jti)
}

/// Sends requests by `credential` over many connections, revokes in their midst, and judges every answer: those
/// before the revocation was asked for succeed, those that start after its 2xx do not, those between do either.
fn revoke_in_flight(server: &Server, credential: &str, revocation: &Request) {
    let (asked, done, served) = (
        AtomicBool::new(false),
        AtomicBool::new(false),
        AtomicUsize::new(0),
    );
    at_once(CONNECTIONS + 1, |index| {
        if index == CONNECTIONS {
            crate::support::server::poll("some are served", || {
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
            let answer = get("/customer/me").bearer(credential).send(server);
            let ended_before = !asked.load(Ordering::SeqCst);
            if starts_after || answer.status != 200 {
                assert!(!ended_before, "nothing was revoked yet: {}", answer.describe());
                let challenge = answer.must_header("WWW-Authenticate").to_owned();
                assert!(challenge.contains(r#"error="invalid_token""#), "{challenge}");
                answer.problem(401, "token_revoked");
            } else {
                served.fetch_add(1, Ordering::SeqCst);
            }
            after += usize::from(starts_after);
        }
    });
}

#[test]
fn not_one_request_after_the_revocation_of_a_token_succeeds() {
    let server = shared();
    for _ in 0..3 {
        let customer = Customer::on(&server);
        let (victim, jti) = token(&customer);
        revoke_in_flight(
            &server,
            &victim,
            &revocation(&customer.token, &json!({ "jti": jti })),
        );
        customer.get(&server, "/customer/me").expect(200);
    }
}

#[test]
fn a_token_may_revoke_itself() {
    let server = shared();
    let customer = Customer::on(&server);
    let (own, jti) = token(&customer);
    revoke_in_flight(&server, &own, &revocation(&own, &json!({ "jti": jti })));
    customer.get(&server, "/customer/me").expect(200);
}

#[test]
fn not_one_request_after_the_revocation_of_all_tokens_succeeds() {
    let server = shared();
    for _ in 0..3 {
        let customer = Customer::on(&server);
        let (victim, _) = token(&customer);
        revoke_in_flight(
            &server,
            &victim,
            &revocation(&customer.token, &json!({"all": true})),
        );
        customer
            .get(&server, "/customer/me")
            .problem(401, "token_revoked");
        // What is issued later works.
        std::thread::sleep(Duration::from_millis(1100));
        let (later, _) = token(&customer);
        get("/customer/me").bearer(&later).send(&server).expect(200);
    }
}

#[test]
fn not_one_request_after_a_revocation_by_the_service_succeeds() {
    let server = shared();
    let customer = Customer::on(&server);
    let (victim, jti) = token(&customer);
    let one = service_revocation(&json!({"customerId": customer.id, "jti": jti}));
    revoke_in_flight(&server, &victim, &one);
    customer.get(&server, "/customer/me").expect(200);
    let until = service_revocation(&json!({"customerId": customer.id, "notBefore": now_secs()}));
    revoke_in_flight(&server, &customer.token, &until);
}

#[test]
fn not_one_request_after_a_revocation_by_an_admin_succeeds() {
    let server = shared();
    let customer = Customer::on(&server);
    let path = format!("/admin/customers/{}/tokens/revoke", customer.id);
    let (victim, jti) = token(&customer);
    let by_admin = |body| post(&path, &body).bearer(&admin());
    revoke_in_flight(&server, &victim, &by_admin(json!({ "jti": jti })));
    customer.get(&server, "/customer/me").expect(200);
    revoke_in_flight(&server, &customer.token, &by_admin(json!({"all": true})));
}

#[test]
fn not_one_request_after_the_revocation_of_a_key_succeeds() {
    let server = shared();
    for _ in 0..3 {
        let customer = Customer::on(&server);
        let key = Key::of(&server, &customer, &["customer:read"]);
        let revocation = request("DELETE", &key.path()).bearer(&customer.token);
        revoke_in_flight(&server, &key.secret, &revocation);
    }
}

#[test]
fn revoking_all_tokens_needs_an_owner_and_revoking_one_does_not() {
    let server = shared();
    let customer = Customer::on(&server);
    let (_, jti) = token(&customer);
    let member = || {
        Token::of(&customer.id)
            .subject("auth0|persondata-member")
            .claim("email", "persondata.member@e2e.test")
            .claim("jti", "jti-persondata-member")
    };
    let everything = json!({"all": true});
    let unverified = Token::of(&customer.id).claim("email_verified", false).hs256();
    for token in [member().hs256(), unverified] {
        let refused = revocation(&token, &everything).send(&server);
        refused.problem(403, "forbidden");
    }
    let one = revocation(&member().hs256(), &json!({ "jti": jti }));
    one.send(&server).expect(204);
    customer.get(&server, "/customer/me").expect(200);
    let owner = member().claim("scope", "customer:owner").hs256();
    revocation(&owner, &everything).send(&server).expect(204);
    customer
        .get(&server, "/customer/me")
        .problem(401, "token_revoked");
}

#[test]
fn a_revocation_of_tokens_leaves_keys_and_other_customers_alone() {
    let server = shared();
    let (own, other) = (Customer::on(&server), Customer::on(&server));
    let key = Key::of(&server, &own, &["customer:read"]);
    let jti = "jti-persondata-both";
    let [mine, theirs] = [&own, &other].map(|customer| Token::of(&customer.id).claim("jti", jti).hs256());
    revocation(&own.token, &json!({ "jti": jti }))
        .send(&server)
        .expect(204);
    get("/customer/me")
        .bearer(&mine)
        .send(&server)
        .problem(401, "token_revoked");
    get("/customer/me").bearer(&theirs).send(&server).expect(200);
    revocation(&own.token, &json!({"all": true}))
        .send(&server)
        .expect(204);
    get("/customer/me").bearer(&theirs).send(&server).expect(200);
    key.get(&server, "/customer/me").expect(200);
}

#[test]
fn only_those_who_may_revoke() {
    let server = shared();
    let customer = Customer::on(&server);
    let key = Key::of(&server, &customer, &SCOPES);
    let one = json!({"jti": "jti-persondata-nobody"});
    let internal = json!({"customerId": customer.id, "jti": "jti-persondata-nobody"});
    let at_admin = format!("/admin/customers/{}/tokens/revoke", customer.id);
    revocation(&key.secret, &one)
        .send(&server)
        .problem(403, "forbidden");
    for token in [&customer.token, &key.secret] {
        for request in [post(&at_admin, &one), post("/internal/tokens/revoke", &internal)] {
            request.bearer(token).send(&server).problem(403, "forbidden");
        }
    }
    for request in [
        post(&at_admin, &one),
        post("/internal/tokens/revoke", &internal),
        post("/customer/me/tokens/revoke", &one),
    ] {
        request.send(&server).problem(401, "authentication_required");
    }
}

#[test]
fn a_revocation_names_exactly_one_thing() {
    let server = shared();
    let customer = Customer::on(&server);
    for body in [
        json!({}),
        json!({"all": false}),
        json!({"jti": "x", "all": true}),
        json!({"jti": null}),
        json!({"jti": ""}),
        json!({"notBefore": 1}),
    ] {
        let refused = revocation(&customer.token, &body).send(&server);
        assert_ne!(refused.pointers("validation_failed"), [""; 0], "{body}");
    }
    let far = json!({"customerId": customer.id, "notBefore": now_secs() + 3600});
    let refused = service_revocation(&far).send(&server);
    assert_eq!(refused.pointers("validation_failed"), ["#/notBefore"]);
    let unknown = json!({"customerId": fresh_id("absent"), "jti": "x"});
    let refused = service_revocation(&unknown).send(&server);
    refused.problem(404, "customer_not_found");
    customer.get(&server, "/customer/me").expect(200);
}

#[test]
fn ten_thousand_single_revocations_are_held_exactly_and_revoking_all_makes_room() {
    const MOST: usize = 10_000;
    let server = shared();
    let customer = Customer::on(&server);
    let credential = ("X-Service-Key", SERVICE_KEYS[0]);
    let answers = at_once(50, |connection| {
        let mut raw = Raw::open(&server);
        (0..(MOST + 50) / 50)
            .map(|index| {
                let jti = format!("jti-persondata-{connection}-{index}");
                let body = json!({"customerId": customer.id, "jti": jti}).to_string();
                let length = body.len().to_string();
                let headers = [
                    credential,
                    ("Content-Type", "application/json"),
                    ("Content-Length", length.as_str()),
                ];
                raw.head("POST /internal/tokens/revoke", &headers);
                raw.bytes(body.as_bytes()).unwrap();
                raw.response()
            })
            .collect::<Vec<_>>()
    });
    let answers: Vec<_> = answers.into_iter().flatten().collect();
    let held = answers.iter().filter(|answer| answer.status == 204).count();
    assert_eq!((answers.len(), held), (MOST + 50, MOST));
    for answer in answers.into_iter().filter(|answer| answer.status != 204) {
        answer.problem(409, "revoke_all_instead");
    }
    // The tokens of the first are dead, those of nobody live.
    for (jti, status) in [("jti-persondata-0-0", 401), ("jti-persondata-0-free", 200)] {
        let token = Token::of(&customer.id).claim("jti", jti).hs256();
        get("/customer/me").bearer(&token).send(&server).expect(status);
    }
    let until = json!({"customerId": customer.id, "notBefore": now_secs() + 60});
    service_revocation(&until).send(&server).expect(204);
    for n in 0..50 {
        let one = json!({"customerId": customer.id, "jti": format!("jti-persondata-later-{n}")});
        service_revocation(&one).send(&server).expect(204);
    }
}
