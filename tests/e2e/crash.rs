//! SIGKILL at any moment: what was answered is there afterwards, and the log still holds together.

use crate::support::audit::verify;
use crate::support::http::patch;
use crate::support::server::{Server, new_data, poll};
use crate::support::settings::Settings;
use crate::support::shared::{Customer, create, fresh_id, new_customer, version};
use crate::support::store;
use crate::support::token::Token;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn a_change_that_was_answered_survives_a_kill_right_after() {
    let (settings, data) = (Settings::default(), new_data());
    let mut server = Server::start_in(&settings, &data);
    let customer = Customer::on(&server);
    let rounds = 20;
    for round in 1..=rounds {
        let name = format!("Round {round}");
        let answer = customer.patch(&server, &json!({"name": name}));
        server.crash();
        let tag = answer.must_header("ETag").to_owned();
        let answered = answer.ok();
        server = Server::start_in(&settings, &data);
        assert_eq!(customer.now(&server), (answered, tag));
    }
    server.stop();
    // One creation, and a change and a reading in each round.
    assert_eq!(
        verify(&store::customer(&data, &customer.id), &customer.id).len(),
        1 + 2 * rounds
    );
}

#[test]
fn a_customer_whose_creation_was_answered_survives_a_kill_right_after() {
    let (settings, data) = (Settings::default(), new_data());
    for _ in 0..5 {
        let server = Server::start_in(&settings, &data);
        let id = fresh_id("born");
        let answer = create(&new_customer(&id)).send(&server);
        server.crash();
        answer.expect(201);
        let server = Server::start_in(&settings, &data);
        let again = create(&new_customer(&id)).send(&server);
        assert_eq!(again.ok(), json!({"customerId": id, "created": false}));
    }
}

/// One writer: changes its own key to 1, 2, 3, … until the server is gone. The last value that was answered, and
/// the last that was asked for.
fn write_until_gone(server: &Server, token: &str, key: &str, answered: &AtomicUsize) -> (usize, usize) {
    let mut last = 0;
    loop {
        let value = last + 1;
        let change = json!({"metadata": {key: value.to_string()}});
        match patch("/customer/me", &change).bearer(token).try_send(server) {
            Ok(response) => {
                response.expect(200);
                last = value;
                answered.fetch_add(1, Ordering::SeqCst);
            }
            Err(_) => return (last, value),
        }
    }
}

#[test]
fn every_answered_write_of_concurrent_writers_survives_a_kill_in_their_midst() {
    // Enough of each customer for parcels to be under way at the kill.
    const WRITERS: usize = 32;
    let (settings, data) = (Settings::default(), new_data());
    for kill_after in [1, 20, 57, 150, 301] {
        let server = Server::start_in(&settings, &data);
        let customers = [Customer::on(&server), Customer::on(&server)];
        let answered = AtomicUsize::new(0);
        let workerd = i32::try_from(server.workerd())
            .ok()
            .and_then(Pid::from_raw)
            .unwrap();
        let results: Vec<_> = std::thread::scope(|scope| {
            let writer = |index: usize| {
                let (server, answered, token) = (&server, &answered, &customers[index % 2].token);
                scope.spawn(move || write_until_gone(server, token, &format!("w{index}"), answered))
            };
            let writers: Vec<_> = (0..WRITERS).map(writer).collect();
            poll("enough is written", || {
                (answered.load(Ordering::SeqCst) >= kill_after).then_some(())
            });
            kill_process(workerd, Signal::KILL).unwrap();
            writers.into_iter().map(|writer| writer.join().unwrap()).collect()
        });
        drop(server);
        let server = Server::start_in(&settings, &data);
        for (index, (answered, asked)) in results.iter().enumerate() {
            let (body, _) = customers[index % 2].now(&server);
            let stored = body["metadata"].get(format!("w{index}"));
            let stored: usize = stored.map_or(0, |value| value.as_str().unwrap().parse().unwrap());
            assert!(
                (*answered..=*asked).contains(&stored),
                "{answered} answered, {stored} stored, {asked} asked"
            );
        }
        for customer in &customers {
            assert_log_matches_record(server_data(&server), customer, version(&customer.now(&server).1));
        }
    }
}

fn server_data(server: &Server) -> &tempfile::TempDir {
    server.data()
}

/// No change without its entry and no entry without its change: versions and changing entries count the same.
fn assert_log_matches_record(data: &tempfile::TempDir, customer: &Customer, version: u64) {
    let entries = verify(&store::customer(data, &customer.id), &customer.id);
    let changes = entries
        .iter()
        .filter(|entry| entry.header["action"] == "customer.update");
    let changes = changes
        .filter(|entry| entry.detail.get("changed").is_some())
        .count();
    assert_eq!(u64::try_from(changes).unwrap(), version - 1);
}

#[test]
fn a_user_made_by_a_request_that_was_answered_keeps_its_id_over_a_kill() {
    let (settings, data) = (Settings::default(), new_data());
    let server = Server::start_in(&settings, &data);
    let customer = Customer::on(&server);
    let token = Token::of(&customer.id).subject("auth0|persondata-other").hs256();
    let ask = |server: &Server| {
        crate::support::http::get("/user/me")
            .bearer(&token)
            .send(server)
            .ok()
    };
    let user = ask(&server);
    server.crash();
    assert_eq!(ask(&Server::start_in(&settings, &data)), user);
}
