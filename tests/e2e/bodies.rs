//! How large a body may be, and that a larger one is not read.

use crate::support::http::{Request, request};
use crate::support::raw::Raw;
use crate::support::settings::SERVICE_KEYS;
use crate::support::shared::{Customer, fresh_id, new_customer, shared};
use serde_json::{Value, json};
use user_api::edge::route::MAX_BODY_BYTES;

const PATCH: (&str, &str) = ("Content-Type", "application/merge-patch+json");

/// JSON of exactly that many bytes, most of them white space.
fn padded(value: &Value, bytes: usize) -> Vec<u8> {
    let mut text = value.to_string().into_bytes();
    assert!(text.len() <= bytes);
    text.resize(bytes, b' ');
    text
}

fn patch_of(customer: &Customer, body: Vec<u8>) -> Request {
    request("PATCH", "/customer/me")
        .bearer(&customer.token)
        .body(PATCH.1, body)
}

#[test]
fn a_body_of_100_mb_is_413_before_any_of_it_is_sent() {
    let server = shared();
    let customer = Customer::on(&server);
    let bearer = format!("Bearer {}", customer.token);
    for (line, credential) in [
        ("PATCH /customer/me", ("Authorization", bearer.as_str())),
        ("PUT /user/me/preferences", ("Authorization", bearer.as_str())),
        ("GET /customer/me", ("Authorization", bearer.as_str())),
        ("POST /internal/customers", ("X-Service-Key", SERVICE_KEYS[0])),
    ] {
        let mut raw = Raw::open(&server);
        let json = ("Content-Type", "application/json");
        raw.head(line, &[credential, json, ("Content-Length", "100000000")]);
        raw.response().problem(413, "body_too_large");
    }
    // Whoever has no credential is not read either.
    let mut raw = Raw::open(&server);
    raw.head("PATCH /customer/me", &[PATCH, ("Content-Length", "100000000")]);
    let status = raw.response().status;
    assert!(matches!(status, 401 | 413), "{status}");
}

#[test]
fn a_body_of_exactly_the_cap_is_taken_and_one_byte_more_is_not() {
    let server = shared();
    let customer = Customer::on(&server);
    let change = json!({"name": "At the cap"});
    patch_of(&customer, padded(&change, MAX_BODY_BYTES))
        .send(&server)
        .expect(200);
    let change = json!({"name": "Over the cap"});
    patch_of(&customer, padded(&change, MAX_BODY_BYTES + 1))
        .send(&server)
        .problem(413, "body_too_large");
    assert_eq!(customer.now(&server).0["name"], "At the cap");
}

#[test]
fn a_chunked_body_is_counted_as_it_comes() {
    let server = shared();
    let customer = Customer::on(&server);
    let bearer = format!("Bearer {}", customer.token);
    let service = ("X-Service-Key", SERVICE_KEYS[0]);
    let json = ("Content-Type", "application/json");
    for (line, credential, change) in [
        (
            "PATCH /customer/me",
            ("Authorization", bearer.as_str()),
            json!({"name": "Chunked"}),
        ),
        (
            "POST /internal/customers",
            service,
            new_customer(&fresh_id("chunked")),
        ),
    ] {
        for (bytes, over) in [
            (MAX_BODY_BYTES, false),
            (MAX_BODY_BYTES + 1, true),
            (4 * MAX_BODY_BYTES, true),
        ] {
            let mut raw = Raw::open(&server);
            raw.head(line, &[credential, json, ("Transfer-Encoding", "chunked")]);
            for piece in padded(&change, bytes).chunks(16 * 1024) {
                // It may have hung up already.
                let _ = raw.chunk(piece);
            }
            let _ = raw.chunk(b"");
            let response = raw.response();
            if over {
                response.problem(413, "body_too_large");
            } else {
                assert!(response.status < 300, "{}", response.describe());
            }
        }
    }
}

#[test]
fn an_endless_body_is_cut_off() {
    let server = shared();
    let customer = Customer::on(&server);
    let bearer = format!("Bearer {}", customer.token);
    let mut raw = Raw::open(&server);
    raw.head(
        "PATCH /customer/me",
        &[
            PATCH,
            ("Authorization", &bearer),
            ("Transfer-Encoding", "chunked"),
        ],
    );
    // Enough to pass the cap, and never an end.
    for _ in 0..(MAX_BODY_BYTES / 4096 + 1) {
        let _ = raw.chunk(&[b' '; 4096]);
    }
    raw.response().problem(413, "body_too_large");
}

#[test]
fn a_declared_length_does_not_open_the_way_for_a_longer_body_in_chunks() {
    let server = shared();
    let customer = Customer::on(&server);
    let bearer = format!("Bearer {}", customer.token);
    let mut raw = Raw::open(&server);
    raw.head(
        "PATCH /customer/me",
        &[
            PATCH,
            ("Authorization", &bearer),
            ("Content-Length", "5"),
            ("Transfer-Encoding", "chunked"),
        ],
    );
    // Never an end: whoever answers has not waited for one.
    for _ in 0..(4 * MAX_BODY_BYTES / 4096) {
        let _ = raw.chunk(&[b' '; 4096]);
    }
    let status = raw.response().status;
    assert!(status == 400 || status == 413, "{status}");
}

#[test]
fn a_compressed_body_is_415_so_that_no_bomb_is_unpacked() {
    let server = shared();
    let customer = Customer::on(&server);
    for coding in ["gzip", "br", "deflate, gzip"] {
        let request = patch_of(&customer, b"{}".to_vec()).header("Content-Encoding", coding);
        request.send(&server).problem(415, "unsupported_media_type");
    }
    patch_of(&customer, b"{}".to_vec())
        .header("Content-Encoding", "identity")
        .send(&server)
        .expect(200);
}

#[test]
fn another_media_type_is_415_and_names_those_that_a_patch_takes() {
    let server = shared();
    let customer = Customer::on(&server);
    for media_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json-patch+json",
        "multipart/form-data; boundary=x",
    ] {
        let request = request("PATCH", "/customer/me").bearer(&customer.token);
        let response = request.body(media_type, "{}").send(&server);
        assert!(
            response
                .must_header("Accept-Patch")
                .contains("application/merge-patch+json")
        );
        response.problem(415, "unsupported_media_type");
    }
    let put = request("PUT", "/customer/me").bearer(&customer.token);
    put.body("application/merge-patch+json", "{}")
        .send(&server)
        .problem(415, "unsupported_media_type");
    let mut raw = Raw::open(&server);
    let bearer = format!("Bearer {}", customer.token);
    raw.head(
        "PATCH /customer/me",
        &[("Authorization", &bearer), ("Content-Length", "2")],
    );
    raw.bytes(b"{}").unwrap();
    raw.response().problem(415, "unsupported_media_type");
}

#[test]
fn a_body_that_breaks_off_changes_nothing() {
    let server = shared();
    let customer = Customer::on(&server);
    let before = customer.now(&server);
    let bearer = format!("Bearer {}", customer.token);
    for _ in 0..5 {
        let mut raw = Raw::open(&server);
        raw.head(
            "PATCH /customer/me",
            &[PATCH, ("Authorization", &bearer), ("Content-Length", "1000")],
        );
        raw.bytes(br#"{"name":"Half"}"#).unwrap();
        drop(raw);
    }
    assert_eq!(customer.now(&server), before);
}
