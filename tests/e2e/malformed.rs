//! Bodies that are no JSON, or JSON that two readers could read differently: refused, never a fault of ours.

use crate::support::http::request;
use crate::support::server::Server;
use crate::support::settings::SERVICE_KEYS;
use crate::support::shared::{Customer, shared};

/// Sends the body wherever one is read; each is refused with this code, and the customer stays as it is.
#[track_caller]
fn assert_refused(server: &Server, customer: &Customer, status: u16, code: &str, bodies: &[&[u8]]) {
    let before = customer.now(server);
    for body in bodies {
        for (method, path) in [
            ("PUT", "/customer/me"),
            ("PATCH", "/customer/me"),
            ("PUT", "/user/me"),
            ("PATCH", "/user/me"),
            ("PUT", "/user/me/preferences"),
            ("PATCH", "/user/me/preferences"),
        ] {
            let request = request(method, path).bearer(&customer.token);
            request
                .body("application/json", *body)
                .send(server)
                .problem(status, code);
        }
        let request = request("POST", "/internal/customers").service_key(SERVICE_KEYS[0]);
        request
            .body("application/json", *body)
            .send(server)
            .problem(status, code);
    }
    assert_eq!(customer.now(server), before);
}

#[test]
fn what_is_not_one_json_object_in_utf_8_is_400() {
    let server = shared();
    let customer = Customer::on(&server);
    assert_refused(
        &server,
        &customer,
        400,
        "malformed_body",
        &[
            b"",
            b" ",
            b"null",
            b"true",
            b"7",
            b"\"name\"",
            b"[]",
            b"[{\"name\":\"a\"}]",
            b"{",
            b"{\"name\":",
            b"{\"name\":\"a\"",
            b"{\"name\":\"a\",}",
            b"{name:\"a\"}",
            b"{'name':'a'}",
            b"{\"name\":\"a\"}{}",
            b"{\"name\":\"a\"} x",
            b"{\"name\":\"a\"}\0",
            b"\0{\"name\":\"a\"}",
            b"\xef\xbb\xbf{\"name\":\"a\"}",
            b"{\"name\":\"\xff\"}",
            b"{\"name\":\"\xc0\xaf\"}",
            b"{\"name\":\"\xed\xa0\x80\"}",
            b"\xff\xfe{\x00}\x00",
            b"{\"name\":\"a\0b\"}",
            b"{\"name\":\"a\nb\"}",
            b"{\"name\":\"\\x41\"}",
            b"{\"name\":NaN}",
            b"{\"name\":Infinity}",
            b"{\"name\":01}",
            b"/* a */ {}",
        ],
    );
}

#[test]
fn a_key_twice_in_one_object_is_400() {
    let server = shared();
    let customer = Customer::on(&server);
    assert_refused(
        &server,
        &customer,
        400,
        "malformed_body",
        &[
            br#"{"name":"a","name":"a"}"#,
            br#"{"name":"a","\u006eame":"b"}"#,
            br#"{"metadata":{"a":"1","a":"2"}}"#,
            br#"{"metadata":{"a":{"b":[{"c":1,"c":1}]}}}"#,
        ],
    );
}

#[test]
fn a_lone_surrogate_is_400() {
    let server = shared();
    let customer = Customer::on(&server);
    assert_refused(
        &server,
        &customer,
        400,
        "malformed_body",
        &[
            br#"{"name":"\ud800"}"#,
            br#"{"name":"\udc00"}"#,
            br#"{"name":"\ud800\u0041"}"#,
            br#"{"metadata":{"\ud800":"x"}}"#,
        ],
    );
}

#[test]
fn nesting_of_a_hundred_thousand_levels_is_400() {
    let server = shared();
    let customer = Customer::on(&server);
    let arrays = format!("{{\"name\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let open = "[".repeat(200_000);
    // As deep as the cap on a body lets it be.
    let objects = format!("{}1{}", "{\"a\":".repeat(40_000), "}".repeat(40_000));
    let past = format!("{}1{}", "{\"a\":".repeat(33), "}".repeat(33));
    let bodies = [
        arrays.as_bytes(),
        open.as_bytes(),
        objects.as_bytes(),
        past.as_bytes(),
    ];
    assert_refused(&server, &customer, 400, "malformed_body", &bodies);
}

#[test]
fn a_number_that_no_double_holds_is_400() {
    let server = shared();
    let customer = Customer::on(&server);
    let long = format!("{{\"x\":1{}}}", "0".repeat(100_000));
    assert_refused(
        &server,
        &customer,
        400,
        "malformed_body",
        &[b"{\"x\":1e999}", b"{\"x\":-1e999}", long.as_bytes()],
    );
}

#[test]
fn a_number_where_a_text_belongs_is_422_however_odd_it_is() {
    let server = shared();
    let customer = Customer::on(&server);
    let long = format!("0.{}1", "0".repeat(100_000));
    for number in [
        "1e308",
        "-0",
        "1e-999",
        "9007199254740993",
        "18446744073709551616",
        "123456789012345678901234567890",
        &long,
    ] {
        let request = request("PATCH", "/customer/me").bearer(&customer.token);
        let response = request
            .body("application/json", format!("{{\"name\":{number}}}"))
            .send(&server);
        assert_eq!(response.pointers("validation_failed"), ["#/name"], "{number}");
    }
}
