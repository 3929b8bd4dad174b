//! What a customer that is not active may still do.

use crate::customer::assert_timestamp;
use crate::support::http::{get, patch, put};
use crate::support::server::Server;
use crate::support::settings::Settings;
use crate::support::shared::{Customer, create, fresh_id, new_customer, shared};
use crate::support::token::Token;
use serde_json::{Value, json};

/// A customer that is pending, and a token that verifies nothing.
fn pending(server: &Server) -> Customer {
    let id = fresh_id("pending");
    let mut body = new_customer(&id);
    body["status"] = json!("pending_verification");
    create(&body).send(server).expect(201);
    let token = Token::of(&id).claim("email_verified", false).hs256();
    Customer { id, token }
}

#[test]
fn the_status_is_told_with_its_reason_and_time() {
    let server = shared();
    let customer = Customer::on(&server);
    let response = customer.get(&server, "/customer/me/status").expect(200);
    assert_eq!(response.must_header("ETag"), customer.now(&server).1);
    let status = response.json();
    let members: Vec<_> = status.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["status", "statusChangedAt", "statusReason"]);
    assert_eq!(
        (&status["status"], &status["statusReason"]),
        (&json!("active"), &Value::Null)
    );
    assert_timestamp(&status["statusChangedAt"]);
    assert_eq!(status["statusChangedAt"], customer.now(&server).0["createdAt"]);
}

#[test]
fn a_pending_customer_reads_but_changes_nothing() {
    let server = shared();
    let customer = pending(&server);
    let before = customer.now(&server);
    assert_eq!(before.0["status"], "pending_verification");
    assert_eq!(
        customer.get(&server, "/customer/me/status").ok()["status"],
        "pending_verification"
    );
    for path in [
        "/session",
        "/user/me",
        "/user/me/preferences",
        "/admin/customers/me",
    ] {
        customer.get(&server, path).expect(200);
    }
    for request in [
        patch("/customer/me", &json!({"name": "No"})),
        put("/customer/me", &json!({})),
        patch("/user/me", &json!({"displayName": "No"})),
        put("/user/me", &json!({})),
        patch("/user/me/preferences", &json!({"theme": "dark"})),
        put("/user/me/preferences", &json!({})),
    ] {
        request
            .bearer(&customer.token)
            .send(&server)
            .problem(403, "customer_pending_verification");
    }
    assert_eq!(customer.now(&server), before);
    let preferences = customer.get(&server, "/user/me/preferences").ok();
    assert_eq!(preferences["theme"], "system");
}

#[test]
fn a_refusal_by_status_is_in_the_audit_log() {
    let server = Server::start(&Settings::default());
    let customer = pending(&server);
    customer.patch(&server, &json!({"name": "No"})).expect(403);
    let data = server.data().clone();
    server.stop();
    let object = crate::support::store::customer(&data, &customer.id);
    let entries = crate::support::audit::verify(&object, &customer.id);
    let summaries: Vec<_> = entries
        .iter()
        .map(crate::support::audit::Entry::summary)
        .collect();
    assert_eq!(
        summaries,
        [
            "customer.create ok",
            "customer.update customer_pending_verification"
        ]
    );
}

#[test]
fn creating_again_does_not_wake_a_pending_customer() {
    let server = shared();
    let customer = pending(&server);
    let again = create(&new_customer(&customer.id)).send(&server).ok();
    assert_eq!(again["created"], false);
    let shown = get("/customer/me").bearer(&customer.token).send(&server).ok();
    assert_eq!(shown["status"], "pending_verification");
}
