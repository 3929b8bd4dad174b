//! Customers that do not exist, and tokens that name none.

use crate::support::http::{Request, get, patch, request};
use crate::support::server::Server;
use crate::support::settings::Settings;
use crate::support::shared::{Customer, fresh_id, shared};
use crate::support::store;
use crate::support::token::Token;
use serde_json::{Value, json};
use user_api::edge::route::{Audience, BodyKind, Route};

/// A token whose e-mail nobody has verified: nothing is made for it.
fn unverified(customer: &str) -> Token {
    Token::of(customer).claim("email_verified", false)
}

/// Every request that a user can make.
pub fn users_requests() -> Vec<Request> {
    let routes = Route::ALL
        .iter()
        .filter(|route| matches!(route.audience(), Audience::User | Audience::Customer));
    routes
        .map(|route| {
            let path = route
                .pattern()
                .replace("{keyId}", "key_00000000000000000000000000000000");
            let request = request(route.method().as_str(), &path);
            match route.body() {
                BodyKind::None => request,
                _ => request.body("application/json", "{}"),
            }
        })
        .collect()
}

#[test]
fn an_unknown_customer_is_404_on_every_route_and_no_table_or_row_is_written() {
    let server = Server::start(&Settings::default());
    let known = Customer::on(&server);
    let unknown: Vec<_> = ["unknown-1", "unknown-2", "cust_0123456789ab"]
        .map(unverified)
        .into();
    for _ in 0..3 {
        for token in &unknown {
            for request in users_requests() {
                let response = request.bearer(&token.clone().hs256()).send(&server);
                response.problem(404, "customer_not_found");
            }
        }
    }
    let data = server.data().clone();
    assert_eq!(server.stop().code, Some(0));
    let objects = store::customers(&data);
    let (made, empty): (Vec<_>, Vec<_>) = objects.iter().partition(|object| !object.schema().is_empty());
    let made: Vec<_> = made.iter().map(|object| object.customer_id()).collect();
    assert_eq!(
        made,
        [Some(known.id)],
        "something was written for a customer that does not exist"
    );
    assert!(
        empty.len() <= unknown.len(),
        "more objects than customers were asked for"
    );
}

#[test]
fn an_unknown_customer_is_404_whatever_the_body_is() {
    let server = shared();
    let token = unverified(&fresh_id("absent")).hs256();
    for body in ["", "{", "[]", r#"{"plan":"pro"}"#, r#"{"nick":1}"#] {
        for (method, path) in [
            ("PATCH", "/customer/me"),
            ("PUT", "/customer/me"),
            ("PATCH", "/user/me"),
        ] {
            let request = request(method, path)
                .bearer(&token)
                .body("application/json", body);
            request.send(&server).problem(404, "customer_not_found");
        }
    }
}

#[test]
fn a_token_without_a_customer_is_404_and_opens_no_object() {
    let server = Server::start(&Settings::default());
    let nobody = unverified("x").claim("customerId", Value::Null).hs256();
    let user = unverified("x")
        .without("customerId")
        .subject("user_0123456789ab")
        .hs256();
    for token in [nobody, user] {
        for request in users_requests() {
            request
                .bearer(&token)
                .send(&server)
                .problem(404, "customer_not_found");
        }
    }
    let data = server.data().clone();
    server.stop();
    assert_eq!(store::customers(&data).len(), 0);
}

#[test]
fn a_token_whose_subject_is_a_customer_id_needs_no_other_claim() {
    let server = shared();
    let customer = Customer::on(&server);
    let token = Token::of("x").without("customerId").subject(&customer.id).hs256();
    assert_eq!(
        get("/customer/me").bearer(&token).send(&server).ok()["customerId"],
        customer.id
    );
}

#[test]
fn nothing_in_a_request_but_the_credential_names_the_customer() {
    let server = shared();
    let (own, other) = (Customer::on(&server), Customer::on(&server));
    let before = other.now(&server);
    let named = |request: Request| request.bearer(&own.token).header("X-Customer-Id", &other.id);
    let path = format!("/customer/me?customerId={0}&id={0}", other.id);
    assert_eq!(named(get(&path)).send(&server).ok()["customerId"], own.id);
    named(patch(&path, &json!({"name": "Mine"})))
        .send(&server)
        .expect(200);
    assert_eq!(other.now(&server), before);
}

#[test]
fn an_absent_customer_reads_the_same_whoever_asks_and_says_nothing_of_others() {
    let server = shared();
    let absent = fresh_id("absent");
    let ask = |token: Token| {
        let mut problem = get("/customer/me")
            .bearer(&token.hs256())
            .send(&server)
            .problem(404, "customer_not_found");
        problem["instance"] = Value::Null;
        problem
    };
    let user = ask(unverified(&absent));
    let admin = ask(unverified(&absent).claim("isSuperAdmin", true));
    assert_eq!(user, admin);
    assert!(!user.to_string().contains(&absent), "{user}");
}
