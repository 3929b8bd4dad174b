//! What administrators do to one customer: reading, changing, suspending, and that it holds at once.

use crate::concurrency::at_once;
use crate::support::http::{Request, get, patch, post, put, request};
use crate::support::integration::{Key, admin, set_limits};
use crate::support::server::poll;
use crate::support::shared::{Customer, create, fresh_id, new_customer, shared};
use crate::support::token::Token;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

fn path(customer: &Customer) -> String {
    format!("/admin/customers/{}", customer.id)
}

fn suspend(customer: &Customer) -> Request {
    post(
        &format!("{}/suspend", path(customer)),
        &json!({"reason": "unpaid invoice"}),
    )
    .bearer(&admin())
}

fn activate(customer: &Customer) -> Request {
    request("POST", &format!("{}/activate", path(customer))).bearer(&admin())
}

#[test]
fn an_administrator_sees_what_the_customer_sees_and_changes_more() {
    let server = shared();
    let customer = Customer::on(&server);
    let (own, tag) = customer.now(&server);
    let seen = get(&path(&customer)).bearer(&admin()).send(&server).expect(200);
    assert_eq!((seen.json(), seen.must_header("ETag")), (own, tag.as_str()));
    let body = json!({"plan": "enterprise", "features": {"beta": null}, "name": "By us"});
    let changed = patch(&path(&customer), &body)
        .bearer(&admin())
        .header("If-Match", &tag)
        .send(&server)
        .expect(200);
    let (now, new_tag) = customer.now(&server);
    assert_eq!(
        (changed.json(), changed.must_header("ETag")),
        (now.clone(), new_tag.as_str())
    );
    assert_eq!(
        (&now["plan"], &now["features"], &now["name"]),
        (&json!("enterprise"), &json!({"export": false}), &json!("By us"))
    );
    put(&path(&customer), &json!({"name": "Late"}))
        .bearer(&admin())
        .header("If-Match", &tag)
        .send(&server)
        .problem(412, "stale_version");
    let replaced = put(&path(&customer), &json!({"name": "Anew"}))
        .bearer(&admin())
        .send(&server)
        .ok();
    assert_eq!(
        (
            &replaced["name"],
            &replaced["companyName"],
            &replaced["features"],
            &replaced["plan"]
        ),
        (&json!("Anew"), &Value::Null, &json!({}), &json!("enterprise"))
    );
    put("/admin/customers/me", &body)
        .bearer(&admin())
        .send(&server)
        .expect(405);
}

#[test]
fn a_suspended_customer_reads_acts_no_more_and_cannot_help_itself() {
    let server = shared();
    let customer = Customer::on(&server);
    let key = Key::of(&server, &customer, &["customer:read"]);
    post(&format!("{}/suspend", path(&customer)), &json!({}))
        .bearer(&admin())
        .send(&server)
        .pointers("validation_failed");
    let told = suspend(&customer).send(&server).ok();
    assert_eq!(
        (&told["status"], &told["statusReason"]),
        (&json!("suspended"), &json!("unpaid invoice"))
    );
    let status = customer.get(&server, "/customer/me/status").ok();
    assert_eq!(status["statusReason"], "unpaid invoice");
    customer
        .patch(&server, &json!({"name": "No"}))
        .problem(403, "customer_suspended");
    key.get(&server, "/customer/me")
        .problem(403, "customer_suspended");
    for attempt in [
        put("/customer/me/status", &json!({"status": "active"})),
        put(
            &format!("{}/status", path(&customer)),
            &json!({"status": "active"}),
        ),
        request("POST", &format!("{}/activate", path(&customer))),
    ] {
        attempt
            .bearer(&customer.token)
            .send(&server)
            .problem(403, "forbidden");
    }
    create(&new_customer(&customer.id)).send(&server).expect(200);
    assert_eq!(customer.get(&server, "/customer/me").ok()["status"], "suspended");
    assert_eq!(activate(&customer).send(&server).ok()["status"], "active");
    customer.patch(&server, &json!({"name": "Yes"})).expect(200);
    key.get(&server, "/customer/me").expect(200);
}

#[test]
fn moves_that_there_are_not_are_409_and_the_same_again_is_200() {
    let server = shared();
    let customer = Customer::on(&server);
    let to = |status: &str| {
        put(
            &format!("{}/status", path(&customer)),
            &json!({"status": status, "reason": "r"}),
        )
        .bearer(&admin())
        .send(&server)
    };
    let first = to("cancelled").expect(200);
    assert_eq!(first.json()["status"], "cancelled");
    assert_eq!(to("cancelled").expect(200).json(), first.json());
    to("suspended").problem(409, "status_transition_not_allowed");
    to("pending_verification").problem(409, "status_transition_not_allowed");
    assert_eq!(to("erased").pointers("validation_failed"), ["#/status"]);
    customer
        .patch(&server, &json!({"name": "No"}))
        .problem(403, "customer_cancelled");
    assert_eq!(to("active").expect(200).json()["status"], "active");
}

#[test]
fn an_administrator_moves_its_own_customer_by_its_own_path() {
    let server = shared();
    let customer = Customer::on(&server);
    let token = Token::of(&customer.id).claim("isSuperAdmin", true).hs256();
    let own = |status: &str| {
        put("/customer/me/status", &json!({"status": status, "reason": "r"}))
            .bearer(&token)
            .send(&server)
    };
    let shown = own("suspended").expect(200);
    assert_eq!(shown.json(), customer.get(&server, "/customer/me/status").ok());
    assert_eq!(own("active").expect(200).json()["status"], "active");
}

#[test]
fn a_repeated_act_of_an_administrator_acts_once() {
    let server = shared();
    let customer = Customer::on(&server);
    let suspension = suspend(&customer).idempotency_key("suspend-once");
    let first = suspension.send(&server).expect(200);
    activate(&customer).send(&server).expect(200);
    let again = suspension.send(&server).expect(200);
    assert_eq!(again.must_header("Idempotent-Replayed"), "true");
    assert_eq!(again.body, first.body);
    assert_eq!(customer.get(&server, "/customer/me").ok()["status"], "active");
}

#[test]
fn what_does_not_exist_is_404_and_writes_nothing() {
    let server = shared();
    let path = format!("/admin/customers/{}", fresh_id("nobody"));
    for attempt in [
        get(&path),
        patch(&path, &json!({"plan": "pro"})),
        post(&format!("{path}/suspend"), &json!({"reason": "r"})),
        request("POST", &format!("{path}/activate")),
    ] {
        attempt
            .bearer(&admin())
            .send(&server)
            .problem(404, "customer_not_found");
    }
}

#[test]
fn a_new_plan_s_limits_hold_from_the_next_request_on() {
    let server = shared();
    let customer = Customer::on(&server);
    let policy = |customer: &Customer| {
        let told = customer.get(&server, "/customer/me").expect(200);
        told.must_header("RateLimit-Policy").to_owned()
    };
    let before = policy(&customer);
    patch(&path(&customer), &json!({"plan": "free"}))
        .bearer(&admin())
        .send(&server)
        .expect(200);
    assert_ne!(policy(&customer), before);
}

#[test]
fn not_one_change_that_starts_after_a_suspension_succeeds() {
    const CONNECTIONS: usize = 20;
    const AFTER: usize = 10;
    let server = shared();
    let customer = Customer::on(&server);
    set_limits(
        &server,
        &customer,
        &json!([
            {"name": "burst", "q": 1_000_000, "w": 60}, {"name": "day", "q": 1_000_000, "w": 86400},
        ]),
    );
    let (asked, done, served) = (
        AtomicBool::new(false),
        AtomicBool::new(false),
        AtomicUsize::new(0),
    );
    at_once(CONNECTIONS + 1, |index| {
        if index == CONNECTIONS {
            poll("some are served", || {
                (served.load(Ordering::SeqCst) >= 2 * CONNECTIONS).then_some(())
            });
            asked.store(true, Ordering::SeqCst);
            suspend(&customer).send(&server).expect(200);
            done.store(true, Ordering::SeqCst);
            return;
        }
        let mut after = 0;
        while after < AFTER {
            let starts_after = done.load(Ordering::SeqCst);
            let answer = customer.patch(&server, &json!({"name": format!("n{index}")}));
            let ended_before = !asked.load(Ordering::SeqCst);
            if starts_after || answer.status != 200 {
                assert!(!ended_before, "nothing was suspended yet: {}", answer.describe());
                answer.problem(403, "customer_suspended");
            } else {
                served.fetch_add(1, Ordering::SeqCst);
            }
            after += usize::from(starts_after);
        }
    });
}

#[test]
fn a_verified_token_with_the_customer_s_e_mail_wakes_a_pending_customer() {
    let server = shared();
    let id = fresh_id("pending");
    let mut body = new_customer(&id);
    body["status"] = json!("pending_verification");
    create(&body).send(&server).expect(201);
    let other = Token::of(&id).claim("email", "other.persondata@e2e.test").hs256();
    let seen = get("/customer/me").bearer(&other).send(&server).ok();
    assert_eq!(seen["status"], "pending_verification");
    patch("/customer/me", &json!({"name": "Now"}))
        .bearer(&Token::of(&id).hs256())
        .send(&server)
        .expect(200);
    assert_eq!(
        get("/customer/me/status").bearer(&other).send(&server).ok()["status"],
        "active"
    );
}
