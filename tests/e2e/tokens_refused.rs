//! Every way in which a token can be wrong, and what the caller is told.

use crate::absent::users_requests;
use crate::support::http::{Request, Response, get};
use crate::support::raw::Raw;
use crate::support::server::Server;
use crate::support::shared::{Customer, shared};
use crate::support::token::{Token, now_secs};
use serde_json::{Value, json};

const MAX_TOKEN_BYTES: usize = 8192;

/// RFC 6750 section 3, RFC 9728 section 5.1.
#[track_caller]
fn assert_challenge(response: &Response, server: &Server, with_error: bool) {
    let challenge = response.must_header("WWW-Authenticate");
    let metadata = format!("{}/.well-known/oauth-protected-resource", server.origin());
    assert!(challenge.starts_with("Bearer "), "{challenge}");
    assert!(
        challenge.contains(&format!("resource_metadata=\"{metadata}\"")),
        "{challenge}"
    );
    assert_eq!(
        challenge.contains("error=\"invalid_token\""),
        with_error,
        "{challenge}"
    );
    assert_eq!(challenge.contains("error="), with_error, "{challenge}");
}

#[track_caller]
fn assert_refused(request: &Request, server: &Server, code: &str, what: &str) {
    let response = request.send(server);
    assert_eq!(response.status, 401, "{what}: {}", response.describe());
    assert_eq!(response.json()["code"], code, "{what}");
    assert_challenge(&response, server, code != "authentication_required");
}

/// Each of these tokens is refused, with this code.
#[track_caller]
pub fn assert_all_refused<T: Into<String>>(code: &str, tokens: impl IntoIterator<Item = (&'static str, T)>) {
    let server = shared();
    for (what, token) in tokens {
        assert_refused(&get("/customer/me").bearer(&token.into()), &server, code, what);
    }
}

pub fn existing() -> Token {
    Token::of(&Customer::on(&shared()).id)
}

#[test]
fn without_a_credential_every_route_is_401_and_no_error_is_named() {
    let server = shared();
    for request in users_requests() {
        assert_refused(&request, &server, "authentication_required", "no credential");
        assert_refused(
            &request.header("Cookie", "other=1"),
            &server,
            "authentication_required",
            "no token",
        );
    }
}

#[test]
fn an_expired_token_says_that_it_expired() {
    let _server = shared();
    let now = now_secs();
    let times = |iat: i64, exp: i64| existing().claim("iat", iat).claim("exp", exp).hs256();
    assert_all_refused(
        "token_expired",
        [
            ("long ago", times(now - 7200, now - 3600)),
            ("by a second", times(now - 3600, now - 1)),
        ],
    );
}

#[test]
fn a_token_from_the_future_says_that_it_is_not_valid_yet() {
    let _server = shared();
    let now = now_secs();
    assert_all_refused(
        "token_not_yet_valid",
        [
            ("nbf", existing().claim("nbf", now + 120).hs256()),
            (
                "iat",
                existing().claim("iat", now + 120).claim("exp", now + 600).hs256(),
            ),
        ],
    );
}

#[test]
fn a_missing_or_malformed_claim_is_refused() {
    let _server = shared();
    let mut tokens: Vec<_> = ["exp", "iat", "sub", "iss", "aud"]
        .map(|name| (name, existing().without(name).hs256()))
        .into();
    let wrong = [
        ("exp", json!("soon")),
        ("exp", json!(null)),
        ("exp", json!(-1)),
        ("exp", json!(1e300)),
        ("iat", json!("now")),
        ("nbf", json!("now")),
        ("sub", json!("")),
        ("sub", json!(7)),
        ("sub", json!("x".repeat(256))),
        ("sub", json!("a\u{0}b")),
        ("iss", json!("https://evil.e2e.test")),
        ("iss", json!("https://login.e2e.test/")),
        ("iss", json!(["https://login.e2e.test"])),
        ("aud", json!("https://other.e2e.test")),
        ("aud", json!([])),
        ("aud", json!(["https://api.e2e.test", 1])),
        ("customerId", json!("../other")),
        ("customerId", json!("x".repeat(65))),
        ("customerId", json!(1)),
        ("jti", json!(1)),
        ("scope", json!(["a"])),
        ("csrf", json!(1)),
    ];
    tokens.extend(wrong.map(|(name, value)| (name, existing().claim(name, value).hs256())));
    assert_all_refused("invalid_token", tokens);
}

#[test]
fn a_token_that_lives_longer_than_a_revocation_is_kept_is_refused() {
    let server = shared();
    let now = now_secs();
    let of_ttl = |ttl: i64| existing().claim("iat", now).claim("exp", now + ttl).hs256();
    assert_all_refused(
        "invalid_token",
        [
            ("a second too long", of_ttl(86_401)),
            ("for ever", of_ttl(86_400 * 3650)),
            (
                "backwards",
                existing().claim("iat", now + 30).claim("exp", now + 20).hs256(),
            ),
        ],
    );
    get("/customer/me")
        .bearer(&of_ttl(86_400))
        .send(&server)
        .expect(200);
}

#[test]
fn an_id_token_is_no_access_token() {
    let _server = shared();
    assert_all_refused(
        "invalid_token",
        [
            ("nonce", existing().claim("nonce", "n").hs256()),
            ("at_hash", existing().claim("at_hash", "h").hs256()),
            ("token_use", existing().claim("token_use", "id").hs256()),
            ("typ claim", existing().claim("typ", "ID").hs256()),
            ("typ header", existing().header("typ", "id+jwt").hs256()),
            ("another typ", existing().header("typ", "logout+jwt").hs256()),
        ],
    );
}

#[test]
fn a_token_over_8_kib_is_refused_and_one_of_8_kib_is_not() {
    let server = shared();
    let token = existing();
    let of_length = |wanted: usize| {
        let pad = |length: usize| token.clone().claim("pad", "x".repeat(length)).hs256();
        let spare = wanted - pad(0).len();
        // Four characters for three bytes: some lengths come out one short.
        let best = (0..=spare)
            .rev()
            .map(pad)
            .find(|token| token.len() <= wanted)
            .unwrap();
        assert!(wanted - best.len() <= 2);
        best
    };
    get("/customer/me")
        .bearer(&of_length(MAX_TOKEN_BYTES))
        .send(&server)
        .expect(200);
    let large = token.claim("pad", "x".repeat(MAX_TOKEN_BYTES)).hs256();
    assert_refused(
        &get("/customer/me").bearer(&large),
        &server,
        "invalid_token",
        "too large",
    );
}

#[test]
fn another_scheme_or_an_empty_bearer_is_refused() {
    let server = shared();
    let token = existing().hs256();
    for value in [
        "Basic cGVyc29uZGF0YTpwZXJzb25kYXRh",
        "Bearer",
        "Bearer ",
        "Token x",
        &token,
        &format!("Bearer{token}"),
        &format!("Bearer \"{token}\""),
        &format!("Bearer token={token}"),
        &format!("DPoP {token}"),
    ] {
        let request = get("/customer/me").header("Authorization", value);
        assert_refused(&request, &server, "invalid_token", value);
    }
    get("/customer/me")
        .header("Authorization", &format!("bEARER {token}"))
        .send(&server)
        .expect(200);
}

#[test]
fn an_empty_authorization_header_is_no_credential() {
    let server = shared();
    let mut raw = Raw::open(&server);
    raw.head("GET /customer/me", &[("Authorization", "")]);
    let response = raw.response();
    assert_challenge(&response, &server, false);
    response.problem(401, "authentication_required");
}

#[test]
fn two_authorization_headers_are_refused_even_when_both_are_right() {
    let server = shared();
    let token = format!("Bearer {}", existing().hs256());
    for second in [token.as_str(), "Bearer x", "Basic x"] {
        for (first, second) in [(token.as_str(), second), (second, token.as_str())] {
            let mut raw = Raw::open(&server);
            raw.head(
                "GET /customer/me",
                &[("Authorization", first), ("Authorization", second)],
            );
            let response = raw.response();
            assert_challenge(&response, &server, true);
            response.problem(401, "invalid_token");
        }
    }
}

#[test]
fn a_token_in_the_query_or_the_body_is_no_credential() {
    let server = shared();
    let token = existing().hs256();
    let in_query = get(&format!("/customer/me?access_token={token}"));
    assert_refused(&in_query, &server, "authentication_required", "query");
    let form = crate::support::http::request("PATCH", "/customer/me")
        .body("application/json", json!({"access_token": token}).to_string());
    assert_refused(&form, &server, "authentication_required", "body");
}

#[test]
fn the_caller_learns_what_is_wrong_but_never_a_value_of_the_token() {
    let server = shared();
    let token = Token::of("x")
        .claim("iss", "https://persondata-evil.e2e.test")
        .hs256();
    let response = get("/customer/me").bearer(&token).send(&server).expect(401);
    let text = format!(
        "{:?}{}",
        response.headers,
        String::from_utf8_lossy(&response.body)
    );
    assert!(text.contains("issuer") && !text.contains("persondata"), "{text}");
    assert_ne!(response.json()["detail"], Value::Null);
}
