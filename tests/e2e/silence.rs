//! What an object counts in memory is written before the platform takes the memory of one that nobody asks: about ten
//! seconds after the last request, whatever alarms are set.

use crate::support::http::get;
use crate::support::integration::{admin, revocation, service_revocation};
use crate::support::server::Server;
use crate::support::settings::Settings;
use crate::support::shared::Customer;
use crate::support::token::{Token, now_secs};
use serde_json::{Value, json};
use std::time::Duration;

/// Longer than the platform keeps an object that nobody asks.
const EVICTED: Duration = Duration::from_secs(15);

fn by_admin(server: &Server, path: &str) -> Value {
    get(path).bearer(&admin()).send(server).ok()
}

fn counted(server: &Server, customer: &Customer, route: &str, outcome: &str) -> i64 {
    let usage = by_admin(server, &format!("/admin/customers/{}/usage", customer.id));
    let counts = usage["last30Days"].as_array().unwrap();
    let found = counts
        .iter()
        .find(|count| count["route"] == route && count["outcome"] == outcome);
    found.map_or(0, |count| count["count"].as_i64().unwrap())
}

/// Refusals of this code that a log tells of, singly or in sums; and how many sums there are.
fn told(server: &Server, log: &str, code: &str) -> (u64, usize) {
    let page = |query: &str| {
        let page = by_admin(server, &format!("{log}?limit=100&{query}"));
        page["data"].as_array().unwrap().clone()
    };
    let sums = page("action=requests.refused");
    let summed: u64 = sums
        .iter()
        .filter_map(|entry| entry["detail"]["counts"][code].as_u64())
        .sum();
    let single = page(&format!("outcome={code}")).len() as u64;
    (single + summed, sums.len())
}

#[test]
fn what_was_counted_is_there_after_an_object_was_evicted() {
    let server = Server::start(&Settings::default());
    let (quiet, flooded) = (Customer::on(&server), Customer::on(&server));
    for _ in 0..5 {
        quiet.get(&server, "/customer/me").expect(200);
    }
    flooded.get(&server, "/customer/me").expect(200);
    revocation(&flooded.token, &json!({"all": true}))
        .send(&server)
        .expect(204);
    for _ in 0..47 {
        flooded.get(&server, "/customer/me").expect(401);
    }
    // The operators' object has such sums too.
    let fired = Token::of("persondata-fired")
        .claim("isSuperAdmin", true)
        .claim("jti", "jti-persondata-fired")
        .hs256();
    service_revocation(&json!({"jti": "jti-persondata-fired"}))
        .send(&server)
        .expect(204);
    for _ in 0..39 {
        get("/admin/customers").bearer(&fired).send(&server).expect(401);
    }
    let began = now_secs();
    for silence in [EVICTED, Duration::from_secs(60)] {
        std::thread::sleep(silence);
        assert_eq!(counted(&server, &quiet, "GET /customer/me", "ok"), 5);
        assert_eq!(
            counted(&server, &flooded, "GET /customer/me", "token_revoked"),
            47
        );
        let log = format!("/admin/customers/{}/audit", flooded.id);
        let (refusals, sums) = told(&server, &log, "token_revoked");
        assert_eq!(refusals, 47, "after {} s", now_secs() - began);
        assert!((1..=6).contains(&sums), "{sums}");
        let (refusals, sums) = told(&server, "/admin/audit", "token_revoked");
        assert_eq!(refusals, 39, "after {} s", now_secs() - began);
        assert!((1..=6).contains(&sums), "{sums}");
    }
    server.stop();
}
