//! What is billed does not grow with the log.

use super::scene::THEIR_ALARMS;
use crate::export::fill;
use crate::support::counted::{self, Billed};
use crate::support::server::new_data;
use crate::support::settings::Settings;
use crate::support::shared::Customer;
use serde_json::json;

/// Waking up, reading, changing, a page of the log and one deep in it, with so many entries more.
fn costs(entries: i64) -> Vec<Billed> {
    let (settings, data) = (Settings::default(), new_data());
    let server = counted::start_in(&settings, &data);
    let customer = Customer::on(&server);
    customer.get(&server, "/customer/me").expect(200);
    // An alarm that is overdue would wake the object before the request does.
    std::thread::sleep(THEIR_ALARMS);
    server.stop();
    fill(&data, &customer.id, entries);
    let server = counted::start_in(&settings, &data);
    let page = "/customer/me/audit?limit=20";
    let of = |path: &str| counted::of(&server, || customer.get(&server, path).expect(200));
    let (woken, _) = of("/customer/me");
    let (read, _) = of("/customer/me");
    let change = || customer.patch(&server, &json!({"name": "Ada"})).expect(200);
    let (changed, _) = counted::of(&server, change);
    let (newest, answer) = of(page);
    let cursor = answer.json()["nextCursor"].as_str().unwrap().to_owned();
    let (next, _) = of(&format!("{page}&cursor={cursor}"));
    server.stop();
    vec![woken, read, changed, newest, next]
}

#[test]
fn what_is_billed_does_not_grow_with_the_log() {
    assert_eq!(costs(100), costs(5_000));
}
