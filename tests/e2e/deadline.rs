//! A customer's object that does not answer in time is given up.

use crate::support::raw::Raw;
use crate::support::server::Server;
use crate::support::settings::Settings;
use crate::support::shared::Customer;
use std::time::{Duration, Instant};

#[test]
fn a_change_whose_body_never_ends_is_503_within_the_deadline_and_changes_nothing() {
    let server = Server::start(&Settings::default().with("OBJECT_DEADLINE_MS", "500"));
    let customer = Customer::on(&server);
    let before = customer.now(&server);
    let bearer = format!("Bearer {}", customer.token);
    let body = br#"{"name": "Never sent whole"}"#;
    let length = body.len().to_string();
    let mut raw = Raw::open(&server);
    let asked = Instant::now();
    raw.head(
        "PATCH /customer/me",
        &[
            ("Authorization", &bearer),
            ("Content-Type", "application/merge-patch+json"),
            ("Content-Length", &length),
        ],
    );
    raw.bytes(&body[..body.len() / 2]).unwrap();
    let response = raw.response();
    let waited = asked.elapsed();
    assert_eq!(response.must_header("Retry-After"), "1");
    response.problem(503, "unavailable");
    // The platform's own limits are far longer; a busy machine gets some of the time between.
    assert!(
        (Duration::from_millis(400)..Duration::from_secs(8)).contains(&waited),
        "{waited:?}"
    );
    assert_eq!(customer.now(&server), before);
}
