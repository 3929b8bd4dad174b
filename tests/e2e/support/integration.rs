//! API keys, limits and revocations as the tests ask for them.

use crate::support::http::{Request, Response, get, post, put};
use crate::support::raw::Raw;
use crate::support::server::Server;
use crate::support::settings::SERVICE_KEYS;
use crate::support::shared::Customer;
use crate::support::token::Token;
use serde_json::{Value, json};
use sfv::{List, ListEntry, Parser};

/// Every scope that a key can have.
pub const SCOPES: [&str; 7] = [
    "customer:read",
    "customer:write",
    "users:read",
    "preferences:write",
    "audit:read",
    "limits:consume",
    "usage:read",
];

/// An API key as its owner got it.
#[derive(Debug, Clone)]
pub struct Key {
    /// Its id.
    pub id: String,
    /// The key itself.
    pub secret: String,
    /// The whole answer that showed it.
    pub shown: Value,
}

impl Key {
    /// What an answer of 201 shows.
    #[track_caller]
    pub fn from(response: Response) -> Self {
        let shown = response.expect(201).json();
        let text = |name: &str| shown[name].as_str().expect("a text").to_owned();
        Self {
            id: text("keyId"),
            secret: text("secret"),
            shown,
        }
    }

    /// Makes one with these scopes.
    #[track_caller]
    pub fn of(server: &Server, customer: &Customer, scopes: &[&str]) -> Self {
        Self::from(creation(customer, scopes).send(server))
    }

    /// The path of the resource.
    pub fn path(&self) -> String {
        format!("/customer/me/api-keys/{}", self.id)
    }

    /// GET with this key.
    pub fn get(&self, server: &Server, path: &str) -> Response {
        get(path).bearer(&self.secret).send(server)
    }

    /// Spends of named policies.
    pub fn consume(&self, server: &Server, policies: &Value) -> Response {
        post("/customer/me/limits/consume", &json!({ "policies": policies }))
            .bearer(&self.secret)
            .send(server)
    }

    /// Gives a lease back.
    pub fn release(&self, server: &Server, lease: &str) -> Response {
        post("/customer/me/limits/release", &json!({ "lease": lease }))
            .bearer(&self.secret)
            .send(server)
    }
}

/// The request by which a customer's owner makes a key.
pub fn creation(customer: &Customer, scopes: &[&str]) -> Request {
    let body = json!({"name": "Integration", "scopes": scopes});
    post("/customer/me/api-keys", &body).bearer(&customer.token)
}

/// The token of an operator.
pub fn admin() -> String {
    Token::of("operator").claim("isSuperAdmin", true).hs256()
}

/// Sets a customer's own limits, as an operator does.
#[track_caller]
pub fn set_limits(server: &Server, customer: &Customer, policies: &Value) {
    let path = format!("/admin/customers/{}/limits", customer.id);
    let answer = put(&path, policies).bearer(&admin()).send(server).ok();
    assert!(answer["policies"].is_array(), "{answer}");
}

/// Revokes as the login service does.
pub fn service_revocation(body: &Value) -> Request {
    post("/internal/tokens/revoke", body).service_key(SERVICE_KEYS[0])
}

/// Revokes as the owner of that token does.
pub fn revocation(token: &str, body: &Value) -> Request {
    post("/customer/me/tokens/revoke", body).bearer(token)
}

/// Sends `GET /customer/me` so many times over one connection of its own; the answers.
pub fn readings(server: &Server, credential: &str, count: usize) -> Vec<Response> {
    let mut raw = Raw::open(server);
    let credential = format!("Bearer {credential}");
    (0..count)
        .map(|_| {
            raw.head("GET /customer/me", &[("Authorization", &credential)]);
            raw.response()
        })
        .collect()
}

/// A `RateLimit` or `RateLimit-Policy` field as a library for structured fields reads it: of each item its name and
/// its integers.
#[track_caller]
pub fn rate_limit_items(response: &Response, field: &str) -> Vec<(String, Vec<(String, i64)>)> {
    let list: List = Parser::new(response.must_header(field)).parse().expect("a List");
    let item = |entry: ListEntry| {
        let ListEntry::Item(item) = entry else {
            panic!("an inner list in {field}");
        };
        let integer = |value: sfv::BareItem| i64::from(value.as_integer().expect("an Integer"));
        let params = item.params.into_iter();
        let params = params.map(|(key, value)| (key.as_str().to_owned(), integer(value)));
        let name = item.bare_item.as_string().expect("a String").as_str().to_owned();
        (name, params.collect())
    };
    list.into_iter().map(item).collect()
}
