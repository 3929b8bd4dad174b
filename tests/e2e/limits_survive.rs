//! SIGKILL and restart forget no limit, no lease and no key.

use crate::limits::with_day;
use crate::support::http::{Request, get, post, request};
use crate::support::integration::{Key, SCOPES, admin, set_limits};
use crate::support::server::{Server, new_data};
use crate::support::settings::Settings;
use crate::support::shared::Customer;
use serde_json::{Value, json};

#[test]
fn what_was_spent_stays_spent_over_a_kill() {
    let (settings, data) = (Settings::default(), new_data());
    let mut server = Server::start_in(&settings, &data);
    let customer = with_day(&server, 12);
    for round in 0..4 {
        for _ in 0..3 {
            customer.get(&server, "/customer/me").expect(200);
        }
        if round % 2 == 0 {
            server.crash();
        } else {
            assert_eq!(server.stop().code, Some(0));
        }
        server = Server::start_in(&settings, &data);
    }
    let refused = customer.get(&server, "/customer/me");
    assert_eq!(
        refused.problem(429, "quota_exceeded")["violated-policies"],
        json!(["day"])
    );
}

#[test]
fn leases_and_limits_that_were_set_are_held_over_a_kill() {
    let (settings, data) = (Settings::default(), new_data());
    let server = Server::start_in(&settings, &data);
    let customer = Customer::on(&server);
    let key = Key::of(&server, &customer, &["limits:consume"]);
    let limits = json!([
        {"name": "jobs", "q": 10, "w": 86_400},
        {"name": "slots", "q": 3, "w": 3600, "unit": "concurrent-requests"},
    ]);
    set_limits(&server, &customer, &limits);
    let slot = json!([{"name": "slots", "cost": 1}]);
    let lease = key.consume(&server, &slot).ok()["lease"].clone();
    key.consume(&server, &slot).expect(200);
    key.consume(&server, &json!([{"name": "jobs", "cost": 7}]))
        .expect(200);
    server.crash();
    let server = Server::start_in(&settings, &data);
    let path = format!("/admin/customers/{}/limits", customer.id);
    let told = get(&path).bearer(&admin()).send(&server).ok();
    assert_eq!(told["own"].as_array().unwrap().len(), 2, "{told}");
    let jobs = key.consume(&server, &json!([{"name": "jobs", "cost": 4}]));
    jobs.problem(429, "quota_exceeded");
    key.consume(&server, &json!([{"name": "jobs", "cost": 3}]))
        .expect(200);
    key.consume(&server, &slot).expect(200);
    key.consume(&server, &slot).expect(429);
    key.release(&server, lease.as_str().unwrap()).expect(204);
    server.crash();
    let server = Server::start_in(&settings, &data);
    key.consume(&server, &slot).expect(200);
    key.consume(&server, &slot).expect(429);
}

#[test]
fn every_change_of_a_key_that_was_answered_survives_a_kill_right_after() {
    let (settings, data) = (Settings::default(), new_data());
    let server = Server::start_in(&settings, &data);
    let customer = Customer::on(&server);
    let crashed = |server: Server| {
        server.crash();
        Server::start_in(&settings, &data)
    };
    let own = |request: Request| request.bearer(&customer.token);
    let list = |server: &Server| -> Vec<Value> {
        let page = own(get("/customer/me/api-keys")).send(server).ok();
        page["data"].as_array().unwrap().clone()
    };

    let (kept, revoked) = (
        Key::of(&server, &customer, &SCOPES),
        Key::of(&server, &customer, &SCOPES),
    );
    let server = crashed(server);
    for key in [&kept, &revoked] {
        key.get(&server, "/customer/me").expect(200);
    }

    own(request("DELETE", &revoked.path())).send(&server).expect(204);
    let server = crashed(server);
    revoked.get(&server, "/customer/me").problem(401, "token_revoked");
    kept.get(&server, "/customer/me").expect(200);

    let rotation = post(&format!("{}/rotate", kept.path()), &json!({"graceSeconds": 0}));
    let new = Key::from(own(rotation).send(&server));
    let server = crashed(server);
    kept.get(&server, "/customer/me").problem(401, "invalid_api_key");
    new.get(&server, "/customer/me").expect(200);

    let change =
        request("PATCH", &new.path()).body("application/merge-patch+json", r#"{"scopes":["usage:read"]}"#);
    own(change).send(&server).expect(200);
    let before = list(&server);
    let server = crashed(server);
    new.get(&server, "/customer/me")
        .problem(403, "insufficient_scope");
    new.get(&server, "/customer/me/usage").expect(200);
    let ids = |keys: &[Value]| keys.iter().map(|key| key["keyId"].clone()).collect::<Vec<_>>();
    assert_eq!((ids(&list(&server)), before.len()), (ids(&before), 3));
}
