//! What every response carries. Most of it is asserted for each response of all tests, in `Response::check`; here
//! are the kinds of response, and what depends on the request.

use crate::support::http::{Request, get, patch, put, request};
use crate::support::raw::Raw;
use crate::support::server::Server;
use crate::support::shared::{Customer, create, fresh_id, new_customer, shared};
use serde_json::json;
use user_api::edge::route::{Method, Route};

/// A request for every status that can be had without a fault of the server.
fn of_every_status(customer: &Customer) -> Vec<(Request, u16)> {
    let own = |request: Request| request.bearer(&customer.token);
    vec![
        (own(get("/customer/me")), 200),
        (create(&new_customer(&fresh_id("status"))), 201),
        (request("OPTIONS", "/customer/me"), 204),
        (own(get("/customer/me").header("If-None-Match", "*")), 304),
        (
            own(request("PATCH", "/customer/me").body("application/json", "{")),
            400,
        ),
        (get("/customer/me"), 401),
        (patch("/customer/me", &json!({})).cookie(&customer.token), 403),
        (own(get("/nowhere")), 404),
        (get("/problems/nothing"), 404),
        (own(request("DELETE", "/customer/me")), 405),
        (
            own(put("/customer/me", &json!({})).header("If-Match", "\"x\"")),
            412,
        ),
        // Not 413: its answer comes before the body is read, and a client that still writes may meet a closed
        // connection first. `bodies.rs` tests it on a raw socket.
        (own(request("PUT", "/customer/me").body("text/plain", "{}")), 415),
        (own(put("/customer/me", &json!({"nick": 1}))), 422),
    ]
}

#[test]
fn every_kind_of_response_carries_what_all_carry() {
    let server = shared();
    let customer = Customer::on(&server);
    for (request, status) in of_every_status(&customer) {
        let response = request.send(&server).expect(status);
        assert_eq!(response.must_header("Cache-Control"), "private, no-store");
        for name in ["Authorization", "Cookie", "Origin", "X-API-Key", "X-Service-Key"] {
            assert!(
                response.must_header("Vary").contains(name),
                "{}",
                response.describe()
            );
        }
        assert_eq!(
            response.must_header("Content-Security-Policy"),
            "default-src 'none'; frame-ancestors 'none'"
        );
        assert!(response.must_header("X-Request-Id").starts_with("req_"));
        assert_eq!(response.header("Set-Cookie"), None);
        assert_eq!(response.header("Server"), None);
    }
}

#[test]
fn a_sane_request_id_of_the_caller_is_taken_over_and_any_other_is_not() {
    let server = shared();
    let customer = Customer::on(&server);
    let longest = "a".repeat(64);
    for id in [
        "0123456789abcdef",
        "4bf92f35-77b3-4da6-a3ce-929d0e0e4736",
        "Trace_id-0123456789",
        &longest,
    ] {
        for (request, status) in of_every_status(&customer) {
            // `Response::check` compares a problem's `instance` with the header.
            let response = request.header("X-Request-Id", id).send(&server).expect(status);
            assert_eq!(response.must_header("X-Request-Id"), id);
        }
    }
    let long = "a".repeat(65);
    for id in [
        "",
        "short",
        "0123456789abcde",
        &long,
        "0123456789 abcdef",
        "0123456789abcdef;x",
        "<script>alert(1)</script>",
        "req/0123456789abcdef",
    ] {
        let response = get("/customer/me")
            .header("X-Request-Id", id)
            .send(&server)
            .expect(401);
        assert!(response.must_header("X-Request-Id").starts_with("req_"), "{id}");
    }
    let mut raw = Raw::open(&server);
    raw.head(
        "GET /health",
        &[
            ("X-Request-Id", "0123456789abcdef"),
            ("X-Request-Id", "fedcba9876543210"),
        ],
    );
    assert!(raw.response().must_header("X-Request-Id").starts_with("req_"));
}

#[test]
fn no_two_requests_have_one_id() {
    let server = shared();
    let ids: std::collections::BTreeSet<_> = (0..50)
        .map(|_| {
            get("/health")
                .send(&server)
                .must_header("X-Request-Id")
                .to_owned()
        })
        .collect();
    assert_eq!(ids.len(), 50);
}

/// The paths that have routes, each with its methods.
fn paths() -> Vec<(String, Vec<Method>)> {
    let mut paths: Vec<(String, Vec<Method>)> = Vec::new();
    for route in Route::ALL {
        let path = route.pattern().replace("{code}", "not_ready");
        match paths.iter_mut().find(|(known, _)| *known == path) {
            Some((_, methods)) => methods.push(route.method()),
            None => paths.push((path, vec![route.method()])),
        }
    }
    paths
}

#[test]
fn a_method_that_a_path_has_not_is_405_and_allow_lists_those_it_has() {
    let server = shared();
    let customer = Customer::on(&server);
    for (path, methods) in paths() {
        for method in [
            Method::Get,
            Method::Post,
            Method::Put,
            Method::Patch,
            Method::Delete,
        ] {
            if methods.contains(&method) {
                continue;
            }
            for request in [
                request(method.as_str(), &path),
                request(method.as_str(), &path).bearer(&customer.token),
            ] {
                let response = request.send(&server);
                let allowed: Vec<_> = response
                    .must_header("Allow")
                    .split(", ")
                    .map(str::to_owned)
                    .collect();
                for has in &methods {
                    assert!(allowed.contains(&has.as_str().to_owned()), "{allowed:?} {path}");
                }
                assert!(
                    !allowed.contains(&method.as_str().to_owned()) && allowed.contains(&"OPTIONS".to_owned())
                );
                assert_eq!(
                    allowed.contains(&"HEAD".to_owned()),
                    methods.contains(&Method::Get)
                );
                response.problem(405, "method_not_allowed");
            }
        }
    }
}

#[test]
fn paths_are_matched_exactly() {
    let server = shared();
    let customer = Customer::on(&server);
    for path in [
        "/",
        "/customer",
        "/customer/me/",
        "//customer/me",
        "/Customer/me",
        "/customer/%6de",
        "/customer/me%2F",
        "/customer/me;x",
        "/internal",
        "/internal/customers/",
        "/problems/",
        "/problems/a/b",
        "/ready/",
        "/.env",
    ] {
        get(path)
            .bearer(&customer.token)
            .send(&server)
            .problem(404, "route_not_found");
    }
    get("/customer/me?x=/y&z")
        .bearer(&customer.token)
        .send(&server)
        .expect(200);
    let mut raw = Raw::open(&server);
    raw.head(&format!("GET /{}", "x".repeat(4000)), &[]);
    raw.response().problem(404, "route_not_found");
}

/// HEAD answers as GET does, without the body (RFC 9110 section 9.3.2).
fn assert_head(server: &Server, path: &str, token: &str) {
    let of = |method: &str| request(method, path).bearer(token).send(server);
    let (head, get) = (of("HEAD"), of("GET"));
    assert!(head.body.is_empty(), "{path}");
    assert_eq!(head.status, get.status, "{path}");
    for name in [
        "Content-Type",
        "ETag",
        "Cache-Control",
        "Vary",
        "WWW-Authenticate",
    ] {
        assert_eq!(head.header(name), get.header(name), "{path} {name}");
    }
}

#[test]
fn head_answers_as_get_does_without_the_body() {
    let server = shared();
    let customer = Customer::on(&server);
    for path in [
        "/customer/me",
        "/user/me",
        "/session",
        "/health",
        "/ready",
        "/problems/not_ready",
        "/nowhere",
    ] {
        assert_head(&server, path, &customer.token);
    }
    assert_head(&server, "/customer/me", "a.b.c");
}

#[test]
fn an_envelope_that_a_caller_makes_up_goes_nowhere() {
    let server = shared();
    let (own, other) = (Customer::on(&server), Customer::on(&server));
    let caller = json!({"service": {"id": "key_000000000000"}});
    let origin = json!({"requestId": "req_0123456789abcdef"});
    let envelope = json!({"customer": other.id, "route": "get_customer", "caller": caller, "condition": {}, "origin": origin});
    let forged = |request: Request| request.header("X-User-Api-Envelope", &format!("1 {envelope}"));
    forged(get("/customer/me"))
        .send(&server)
        .problem(401, "authentication_required");
    let shown = forged(get("/customer/me").bearer(&own.token)).send(&server).ok();
    assert_eq!(shown["customerId"], own.id);
    let code = get("/customer/me")
        .bearer(&own.token)
        .header("X-User-Api-Code", "internal_error");
    code.send(&server).expect(200);
}
