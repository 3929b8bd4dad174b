//! Many requests at once on one customer.

use crate::support::http::{Response, get, patch};
use crate::support::raw::Raw;
use crate::support::server::Server;
use crate::support::shared::{Customer, create, fresh_id, new_customer, shared, version};
use crate::support::token::Token;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Barrier;

/// Runs `work` for 0, 1, … at once, each in a thread of its own.
pub fn at_once<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(count);
    std::thread::scope(|scope| {
        let start = |index| {
            let (barrier, work) = (&barrier, &work);
            scope.spawn(move || {
                barrier.wait();
                work(index)
            })
        };
        let threads: Vec<_> = (0..count).map(start).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("a thread"))
            .collect()
    })
}

fn statuses(responses: &[Response]) -> Vec<u16> {
    let mut statuses: Vec<_> = responses.iter().map(|response| response.status).collect();
    statuses.sort_unstable();
    statuses
}

fn metadata_change(customer: &Customer, server: &Server, index: usize, tag: Option<&str>) -> Response {
    let request = patch(
        "/customer/me",
        &json!({"metadata": {format!("key-{index}"): index.to_string()}}),
    );
    let request = request.bearer(&customer.token);
    tag.map_or(request.clone(), |tag| request.header("If-Match", tag))
        .send(server)
}

#[test]
fn twenty_patches_of_different_keys_all_survive() {
    let server = shared();
    for _ in 0..3 {
        let customer = Customer::on(&server);
        let responses = at_once(20, |index| metadata_change(&customer, &server, index, None));
        assert_eq!(statuses(&responses), [200; 20]);
        let versions = responses
            .iter()
            .map(|response| version(response.must_header("ETag")));
        let versions: BTreeSet<_> = versions.collect();
        assert_eq!(
            versions,
            (2..=21).collect(),
            "each change is a version of its own"
        );
        let (body, tag) = customer.now(&server);
        assert_eq!(version(&tag), 21);
        for index in 0..20 {
            assert_eq!(body["metadata"][format!("key-{index}")], index.to_string());
        }
    }
}

#[test]
fn of_twenty_changes_of_one_version_exactly_one_wins() {
    let server = shared();
    for _ in 0..3 {
        let customer = Customer::on(&server);
        let (_, tag) = customer.now(&server);
        let responses = at_once(20, |index| metadata_change(&customer, &server, index, Some(&tag)));
        let mut wanted = [412; 20];
        wanted[0] = 200;
        assert_eq!(statuses(&responses), wanted);
        let winner = responses.iter().find(|response| response.status == 200).unwrap();
        assert_eq!(customer.now(&server).0, winner.json());
    }
}

#[test]
fn of_twenty_creations_of_one_id_exactly_one_is_the_creation() {
    let server = shared();
    for _ in 0..3 {
        let id = fresh_id("race");
        let responses = at_once(20, |index| {
            let mut body = new_customer(&id);
            body["name"] = json!(format!("Racer {index}"));
            create(&body).send(&server)
        });
        let mut wanted = [200; 20];
        wanted[19] = 201;
        assert_eq!(statuses(&responses), wanted);
        let winner = responses
            .iter()
            .position(|response| response.status == 201)
            .unwrap();
        for response in &responses {
            assert_eq!(
                response.json(),
                json!({"customerId": id, "created": response.status == 201})
            );
        }
        let shown = get("/customer/me")
            .bearer(&Token::of(&id).hs256())
            .send(&server)
            .ok();
        assert_eq!(shown["name"], format!("Racer {winner}"));
    }
}

#[test]
fn fifty_first_requests_of_one_subject_make_one_user() {
    let server = shared();
    for path in ["/user/me", "/session"] {
        let customer = Customer::on(&server);
        let answers = at_once(50, |_| customer.get(&server, path).ok());
        let users: BTreeSet<_> = answers
            .iter()
            .map(|answer| answer["userId"].as_str().unwrap())
            .collect();
        assert_eq!(users.len(), 1, "{users:?}");
    }
}

#[test]
fn clients_that_hang_up_leave_nobody_waiting() {
    let server = shared();
    let customer = Customer::on(&server);
    let bearer = format!("Bearer {}", customer.token);
    for _ in 0..20 {
        at_once(8, |index| {
            let mut raw = Raw::open(&server);
            let body = format!(r#"{{"metadata":{{"gone-{index}":"1"}}}}"#);
            let length = body.len().to_string();
            let json = ("Content-Type", "application/json");
            raw.head(
                "PATCH /customer/me",
                &[("Authorization", &bearer), json, ("Content-Length", &length)],
            );
            raw.bytes(body.as_bytes()).expect("sending");
        });
        customer.now(&server);
        customer
            .patch(&server, &json!({"metadata": {"here": "1"}}))
            .expect(200);
    }
}

#[test]
fn readers_never_see_half_a_change() {
    let server = shared();
    let customer = Customer::on(&server);
    let pair = |round: usize| json!({"name": format!("n{round}"), "companyName": format!("n{round}")});
    customer.patch(&server, &pair(0)).expect(200);
    let seen: Vec<Vec<Value>> = at_once(8, |index| {
        let step = |round| {
            if index < 2 {
                customer.patch(&server, &pair(index * 1000 + round)).ok()
            } else {
                customer.now(&server).0
            }
        };
        (0..20).map(step).collect()
    });
    for body in seen.iter().flatten() {
        assert_eq!(body["name"], body["companyName"]);
    }
}
