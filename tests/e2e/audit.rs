//! The audit log, read from the disk and verified by other code than the one that wrote it.

use crate::concurrency::at_once;
use crate::support::audit::{Entry, verify};
use crate::support::http::{get, patch, put, request};
use crate::support::server::Server;
use crate::support::settings::Settings;
use crate::support::shared::{Customer, create, fresh_id, new_customer};
use crate::support::store;
use crate::support::token::{PERSONAL, Token};
use serde_json::{Value, json};

/// Stops the server and reads the log of that customer.
fn log_of(server: Server, id: &str) -> Vec<Entry> {
    let data = server.data().clone();
    assert_eq!(server.stop().code, Some(0));
    verify(&store::customer(&data, id), id)
}

#[test]
fn every_command_leaves_exactly_one_entry_a_refused_one_too() {
    let server = Server::start(&Settings::default());
    let customer = Customer::on(&server);
    let bearer = |request: crate::support::http::Request| request.bearer(&customer.token).send(&server);
    let stale = patch("/customer/me", &json!({"name": "Stale"})).header("If-Match", "\"0000000000000000.9\"");
    bearer(get("/customer/me")).expect(200);
    bearer(get("/admin/customers/me")).expect(200);
    bearer(get("/customer/me").header("If-None-Match", "*")).expect(304);
    bearer(get("/customer/me/status")).expect(200);
    bearer(patch("/customer/me", &json!({"name": "Changed persondata"}))).expect(200);
    bearer(patch("/customer/me", &json!({"name": "Changed persondata"}))).expect(200);
    bearer(stale).expect(412);
    bearer(put("/customer/me", &json!({}))).expect(200);
    bearer(get("/session")).expect(200);
    bearer(get("/user/me")).expect(200);
    bearer(put("/user/me", &json!({"displayName": "P"}))).expect(200);
    bearer(get("/user/me/preferences")).expect(200);
    bearer(patch("/user/me/preferences", &json!({"theme": "dark"}))).expect(200);
    bearer(patch("/customer/me", &json!({"plan": "pro"}))).expect(422);
    bearer(request("PATCH", "/user/me").body("application/json", "{")).expect(400);
    create(&new_customer(&customer.id)).send(&server).expect(200);
    let entries = log_of(server, &customer.id);
    let summaries: Vec<_> = entries.iter().map(Entry::summary).collect();
    assert_eq!(
        summaries,
        [
            "customer.create ok",
            "customer.read ok",
            "customer.read ok",
            "customer.read ok",
            "status.read ok",
            "customer.update ok",
            "customer.update ok",
            "customer.update stale_version",
            "customer.update ok",
            "session.read ok",
            "user.read ok",
            "user.update ok",
            "preferences.read ok",
            "preferences.update ok",
            "customer.update field_not_writable",
            "user.update malformed_body",
            "customer.ensure ok",
        ]
    );
    assert_eq!(
        entries[5].detail["changed"]["name"],
        json!({"before": "Zoë persondata", "after": "Changed persondata"})
    );
    assert_eq!(entries[6].detail.get("changed"), None, "nothing was changed");
    assert_eq!(
        entries[7].detail.get("changed"),
        None,
        "a refusal changes nothing"
    );
}

#[test]
fn an_entry_says_who_by_an_id_of_ours_and_keeps_what_is_personal_in_its_detail() {
    let server = Server::start(&Settings::default());
    let customer = Customer::on(&server);
    let own_id = format!("caller-{PERSONAL}-0123");
    let request = get("/customer/me")
        .bearer(&customer.token)
        .header("X-Request-Id", &own_id);
    assert_eq!(request.send(&server).must_header("X-Request-Id"), own_id);
    let admin = Token::of(&customer.id)
        .claim("isSuperAdmin", true)
        .subject("user_0123456789ab")
        .hs256();
    get("/user/me").bearer(&admin).send(&server).expect(200);
    let user = customer.get(&server, "/user/me").ok()["userId"].clone();
    let entries = log_of(server, &customer.id);
    let actor = |index: usize| &entries[index].header["actor"];
    assert_eq!(actor(0)["kind"], "service");
    assert!(
        actor(0)["id"].as_str().is_some_and(|id| id.starts_with("key_")),
        "{}",
        actor(0)
    );
    assert_eq!(actor(1), &json!({"id": user, "kind": "user"}));
    assert_eq!(actor(2), &json!({"id": "user_0123456789ab", "kind": "admin"}));
    let detail = &entries[1].detail;
    assert_eq!(detail["callerRequestId"], own_id);
    assert_eq!(detail["userAgent"], "persondata-agent/1.0");
    assert_eq!(detail["jti"], format!("jti-{PERSONAL}-{}", customer.id));
}

#[test]
fn concurrent_commands_are_chained_without_gap_or_fork() {
    let server = Server::start(&Settings::default());
    let customer = Customer::on(&server);
    at_once(16, |index| {
        for round in 0..5 {
            customer
                .patch(
                    &server,
                    &json!({"metadata": {format!("k{index}"): round.to_string()}}),
                )
                .expect(200);
            customer.now(&server);
        }
    });
    assert_eq!(log_of(server, &customer.id).len(), 1 + 16 * 10);
}

#[test]
fn the_chain_goes_on_after_a_restart() {
    let settings = Settings::default();
    let server = Server::start(&settings);
    let customer = Customer::on(&server);
    let data = server.data().clone();
    assert_eq!(server.stop().code, Some(0));
    for _ in 0..2 {
        let server = Server::start_in(&settings, &data);
        customer.now(&server);
        server.stop();
    }
    assert_eq!(
        verify(&store::customer(&data, &customer.id), &customer.id).len(),
        3
    );
}

#[test]
fn two_customers_chains_cannot_be_swapped() {
    let server = Server::start(&Settings::default());
    let (one, two) = (Customer::on(&server), Customer::on(&server));
    let data = server.data().clone();
    server.stop();
    let hash = |id: &str| -> Vec<u8> {
        let object = store::customer(&data, id);
        object
            .sql
            .query_row("SELECT hash FROM audit WHERE seq = 1", [], |row| row.get(0))
            .unwrap()
    };
    assert_ne!(hash(&one.id), hash(&two.id));
    let swapped = std::panic::catch_unwind(|| verify(&store::customer(&data, &one.id), &two.id));
    assert!(
        swapped.is_err(),
        "the verification of these tests verifies nothing"
    );
}

#[test]
fn the_schema_itself_refuses_to_delete_or_change_an_entry() {
    let server = Server::start(&Settings::default());
    let id = fresh_id("trigger");
    create(&new_customer(&id)).send(&server).expect(201);
    let data = server.data().clone();
    server.stop();
    let object = store::customer(&data, &id);
    for statement in [
        "DELETE FROM audit",
        "UPDATE audit SET header = '{}'",
        "UPDATE audit SET detail = x'00'",
        "UPDATE audit SET seq = 7",
        "UPDATE audit SET hash = zeroblob(32), detail = NULL",
    ] {
        assert!(object.sql.execute(statement, []).is_err(), "{statement}");
    }
    assert_eq!(
        object.sql.execute("UPDATE audit SET detail = NULL", []).unwrap(),
        1
    );
    let left: Value = object
        .sql
        .query_row("SELECT count(*) FROM audit", [], |row| row.get::<_, i64>(0))
        .unwrap()
        .into();
    assert_eq!(left, 1);
}
