//! `POST /internal/customers` and the service key.

use crate::absent::users_requests;
use crate::support::http::{get, post, request};
use crate::support::integration::admin;
use crate::support::settings::SERVICE_KEYS;
use crate::support::shared::{Customer, create, fresh_id, new_customer, shared};
use crate::support::token::Token;
use serde_json::{Value, json};

/// A token whose e-mail nobody has verified: nothing is made for it.
fn unverified(customer: &str) -> String {
    Token::of(customer).claim("email_verified", false).hs256()
}

#[test]
fn creating_needs_a_service_key_and_either_of_the_list_will_do() {
    let server = shared();
    let body = || new_customer(&fresh_id("key"));
    post("/internal/customers", &body())
        .send(&server)
        .problem(401, "authentication_required");
    let wrong = [
        "wrong",
        "",
        &SERVICE_KEYS[0][1..],
        &format!("{}x", SERVICE_KEYS[0]),
        &SERVICE_KEYS.join(","),
    ];
    for key in wrong {
        let response = post("/internal/customers", &body())
            .service_key(key)
            .send(&server);
        let challenge = response.must_header("WWW-Authenticate");
        assert!(
            challenge.starts_with("Bearer ") && !challenge.contains("error="),
            "{challenge}"
        );
        response.problem(401, "invalid_service_key");
    }
    for key in SERVICE_KEYS {
        post("/internal/customers", &body())
            .service_key(key)
            .send(&server)
            .expect(201);
    }
}

#[test]
fn a_service_key_is_no_bearer_token_and_two_credentials_are_one_too_many() {
    let server = shared();
    let customer = Customer::on(&server);
    let body = new_customer(&fresh_id("bearer"));
    post("/internal/customers", &body)
        .bearer(SERVICE_KEYS[0])
        .send(&server)
        .problem(401, "invalid_token");
    let both = create(&body).bearer(&customer.token);
    both.send(&server).problem(401, "invalid_token");
    get("/customer/me")
        .bearer(&unverified(body["customerId"].as_str().unwrap()))
        .send(&server)
        .expect(404);
}

#[test]
fn users_and_admins_may_not_create() {
    let server = shared();
    let customer = Customer::on(&server);
    let id = fresh_id("forbidden");
    for token in [
        Token::of(&customer.id),
        Token::of(&id),
        Token::of(&id).claim("isSuperAdmin", true),
    ] {
        let token = token.hs256();
        for request in [
            post("/internal/customers", &new_customer(&id)),
            post("/internal/customers", &json!({})),
        ] {
            request.bearer(&token).send(&server).problem(403, "forbidden");
        }
    }
    get("/customer/me")
        .bearer(&unverified(&id))
        .send(&server)
        .problem(404, "customer_not_found");
}

#[test]
fn a_service_is_nobody_s_user() {
    let server = shared();
    let customer = Customer::on(&server);
    let scoped = Token::of(&customer.id).claim("scope", "openid service").hs256();
    for request in users_requests() {
        request
            .clone()
            .service_key(SERVICE_KEYS[0])
            .send(&server)
            .problem(403, "forbidden");
        request.bearer(&scoped).send(&server).problem(403, "forbidden");
    }
    let body = new_customer(&fresh_id("scoped"));
    post("/internal/customers", &body)
        .bearer(&scoped)
        .send(&server)
        .expect(201);
}

#[test]
fn creating_twice_answers_twice_and_overwrites_nothing() {
    let server = shared();
    let id = fresh_id("twice");
    let first = create(&new_customer(&id)).send(&server).expect(201);
    assert_eq!(first.must_header("Content-Type"), "application/json");
    assert_eq!(first.json(), json!({"customerId": id, "created": true}));
    let token = Token::of(&id).hs256();
    let before = get("/customer/me").bearer(&token).send(&server);
    let other = json!({"customerId": id, "email": "persondata.other@e2e.test", "name": "Other", "plan": "free",
        "status": "pending_verification", "features": {"other": true}, "metadata": {"other": "1"}});
    let second = create(&other).send(&server);
    assert_eq!(second.ok(), json!({"customerId": id, "created": false}));
    let after = get("/customer/me").bearer(&token).send(&server);
    assert_eq!(after.must_header("ETag"), before.must_header("ETag"));
    assert_eq!(after.json(), before.json());
}

#[test]
fn without_an_id_a_new_one_is_minted_for_each_e_mail() {
    let server = shared();
    let mint = || {
        let made = create(&json!({"email": format!("persondata.{}@e2e.test", fresh_id("mint"))}))
            .send(&server)
            .expect(201)
            .json();
        assert_eq!(made["created"], true);
        made["customerId"].as_str().expect("an id").to_owned()
    };
    let (one, two) = (mint(), mint());
    assert_ne!(one, two);
    for id in [one, two] {
        let hex = id.strip_prefix("cust_").unwrap_or_default();
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        assert!(hex.len() == 32 && hex.bytes().all(is_hex), "{id}");
        let shown = get("/customer/me")
            .bearer(&Token::of(&id).hs256())
            .send(&server)
            .ok();
        assert_eq!(shown["customerId"], id);
    }
}

#[test]
fn the_e_mail_is_kept_in_one_spelling() {
    let server = shared();
    for (said, kept) in [
        ("  PersonData.Spelt@E2E.Test ", "persondata.spelt@e2e.test"),
        ("persondata@B\u{fc}cher.test", "persondata@xn--bcher-kva.test"),
    ] {
        let id = fresh_id("mail");
        create(&json!({"customerId": id, "email": said}))
            .send(&server)
            .expect(201);
        let shown = get("/customer/me")
            .bearer(&Token::of(&id).hs256())
            .send(&server)
            .ok();
        assert_eq!(shown["email"], kept);
    }
}

#[test]
fn all_faults_of_a_new_customer_are_told_at_once_and_none_is_made() {
    let server = shared();
    let id = fresh_id("faulty");
    let body = json!({"customerId": id, "email": "no address", "name": "", "plan": "gold", "status": "suspended",
        "features": {"x": "yes"}, "metadata": {"m": 1}, "createdAt": "now", "unknown": 1});
    let mut pointers = create(&body).send(&server).pointers("validation_failed");
    pointers.sort();
    let wanted = [
        "#/createdAt",
        "#/email",
        "#/features/x",
        "#/metadata/m",
        "#/name",
        "#/plan",
        "#/status",
        "#/unknown",
    ];
    assert_eq!(pointers, wanted);
    get("/customer/me")
        .bearer(&unverified(&id))
        .send(&server)
        .problem(404, "customer_not_found");
    assert_eq!(
        create(&json!({})).send(&server).pointers("validation_failed"),
        ["#/email"]
    );
    for bad in ["", "a b", "../x", "_x", &"x".repeat(65)] {
        let body = json!({"customerId": bad, "email": "persondata@e2e.test"});
        assert_eq!(
            create(&body).send(&server).pointers("validation_failed"),
            ["#/customerId"],
            "{bad}"
        );
    }
}

#[test]
fn a_null_id_counts_as_none() {
    let server = shared();
    let email = format!("persondata.{}@e2e.test", fresh_id("null"));
    let made = create(&json!({"customerId": Value::Null, "email": email})).send(&server);
    assert!(
        made.expect(201).json()["customerId"]
            .as_str()
            .is_some_and(|id| id.starts_with("cust_"))
    );
}

#[test]
fn creating_takes_json_and_nothing_else() {
    let server = shared();
    for media_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/merge-patch+json",
    ] {
        let body = new_customer(&fresh_id("media")).to_string();
        let request = request("POST", "/internal/customers")
            .body(media_type, body)
            .service_key(SERVICE_KEYS[0]);
        request.send(&server).problem(415, "unsupported_media_type");
    }
}

#[test]
fn a_repeated_creation_with_its_key_is_answered_as_the_first_one() {
    let server = shared();
    let (id, key) = (fresh_id("keyed"), fresh_id("service-key"));
    let request = create(&new_customer(&id)).idempotency_key(&key);
    let first = request.send(&server).expect(201);
    assert!(first.header("Idempotent-Replayed").is_none());
    for _ in 0..2 {
        let again = request.send(&server).expect(201);
        assert_eq!(again.body, first.body);
        assert_eq!(again.must_header("Idempotent-Replayed"), "true");
    }
    // Whether it would be the same customer or another.
    let mut renamed = new_customer(&id);
    renamed["name"] = json!("Other");
    for other in [renamed, new_customer(&fresh_id("keyed"))] {
        create(&other)
            .idempotency_key(&key)
            .send(&server)
            .problem(422, "idempotency_key_reused");
    }
    // A refusal that another try does not change is kept too.
    let wrong = create(&json!({"email": 1})).idempotency_key(&fresh_id("service-key"));
    let refused = wrong.send(&server).expect(422);
    let again = wrong.send(&server).expect(422);
    assert_eq!(
        (again.body.clone(), again.must_header("Idempotent-Replayed")),
        (refused.body.clone(), "true")
    );
    let usage = get(&format!("/admin/customers/{id}/usage"))
        .bearer(&admin())
        .send(&server)
        .ok();
    let text = usage["today"].to_string();
    assert!(text.contains("/internal/customers"), "{text}");
}
