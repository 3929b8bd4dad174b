//! Which pages may read a response.

use crate::support::http::{Request, Response, get, patch, request};
use crate::support::settings::ORIGINS;
use crate::support::shared::{Customer, shared};
use serde_json::json;

const FOREIGN: [&str; 6] = [
    "https://evil.e2e.test",
    "https://app.e2e.test.evil.test",
    "http://app.e2e.test",
    "https://APP.e2e.test",
    "null",
    "*",
];

/// Requests with every kind of answer.
fn requests(token: &str) -> Vec<(Request, u16)> {
    vec![
        (get("/customer/me").bearer(token), 200),
        (
            get("/customer/me").bearer(token).header("If-None-Match", "*"),
            304,
        ),
        (patch("/customer/me", &json!({"nick": 1})).bearer(token), 422),
        (get("/customer/me"), 401),
        (get("/nowhere"), 404),
        (request("DELETE", "/customer/me").bearer(token), 405),
        (get("/health"), 200),
        (get("/problems/invalid_token"), 200),
        (preflight("/customer/me"), 204),
    ]
}

fn preflight(path: &str) -> Request {
    request("OPTIONS", path)
        .header("Access-Control-Request-Method", "PATCH")
        .header(
            "Access-Control-Request-Headers",
            "authorization,content-type,if-match",
        )
}

fn cors_headers(response: &Response) -> Vec<&str> {
    let names = response.headers.iter().map(|(name, _)| name.as_str());
    let readable = [
        "access-control-allow-origin",
        "access-control-allow-credentials",
        "access-control-expose-headers",
    ];
    names.filter(|name| readable.contains(name)).collect()
}

#[test]
fn a_page_of_an_allowed_origin_may_read_every_answer() {
    let server = shared();
    let customer = Customer::on(&server);
    for origin in ORIGINS {
        for (request, status) in requests(&customer.token) {
            let response = request.header("Origin", origin).send(&server).expect(status);
            assert_eq!(response.must_header("Access-Control-Allow-Origin"), origin);
            assert_eq!(response.must_header("Access-Control-Allow-Credentials"), "true");
            let exposed: Vec<_> = response
                .must_header("Access-Control-Expose-Headers")
                .split(", ")
                .collect();
            for name in [
                "X-Request-Id",
                "X-Encrypted",
                "ETag",
                "RateLimit",
                "RateLimit-Policy",
                "Retry-After",
                "Location",
                "Link",
            ] {
                assert!(exposed.contains(&name), "{name} is not exposed");
            }
        }
    }
}

#[test]
fn a_page_of_any_other_origin_may_read_none() {
    let server = shared();
    let customer = Customer::on(&server);
    for origin in FOREIGN {
        for (request, status) in requests(&customer.token) {
            let response = request.header("Origin", origin).send(&server).expect(status);
            assert_eq!(
                cors_headers(&response),
                [""; 0],
                "{origin}: {}",
                response.describe()
            );
        }
    }
    for (request, status) in requests(&customer.token) {
        let response = request.send(&server).expect(status);
        assert_eq!(cors_headers(&response), [""; 0], "{}", response.describe());
    }
}

#[test]
fn a_preflight_is_204_and_names_what_a_page_may_send() {
    let server = shared();
    let response = preflight("/customer/me")
        .header("Origin", ORIGINS[0])
        .send(&server)
        .expect(204);
    let listed = |name: &str| -> Vec<String> {
        response
            .must_header(name)
            .split(", ")
            .map(str::to_lowercase)
            .collect()
    };
    let methods = listed("Access-Control-Allow-Methods");
    for method in ["get", "put", "patch"] {
        assert!(methods.contains(&method.to_owned()), "{methods:?}");
    }
    let headers = listed("Access-Control-Allow-Headers");
    for name in [
        "authorization",
        "content-type",
        "if-match",
        "if-none-match",
        "x-csrf-token",
        "x-request-id",
        "idempotency-key",
        "x-api-key",
        "x-encrypt-response",
    ] {
        assert!(headers.contains(&name.to_owned()), "{name} is not in {headers:?}");
    }
    assert!(
        !headers.contains(&"x-service-key".to_owned()),
        "a page must hold no service key"
    );
    assert!(
        response
            .must_header("Access-Control-Max-Age")
            .parse::<u32>()
            .is_ok_and(|seconds| seconds > 0)
    );
}

#[test]
fn a_preflight_needs_no_credential_and_changes_nothing() {
    let server = shared();
    for path in [
        "/customer/me",
        "/user/me/preferences",
        "/internal/customers",
        "/session",
        "/health",
        "/nowhere",
    ] {
        preflight(path)
            .header("Origin", ORIGINS[0])
            .send(&server)
            .expect(204);
        request("OPTIONS", path).send(&server).expect(204);
    }
}
