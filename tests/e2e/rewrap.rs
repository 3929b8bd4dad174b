//! Another master key: what was wrapped under the older one is wrapped anew, all of it, before the older one goes.

use crate::support::http::{Response, get, post};
use crate::support::integration::admin;
use crate::support::server::{Server, new_data};
use crate::support::settings::{SERVICE_KEYS, Settings};
use crate::support::shared::Customer;
use serde_json::{Value, json};
use std::process::Command;

const OLD: &str = "1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
const NEW: &str = "2:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

fn masters(keys: &[&str]) -> Settings {
    Settings::default().with("MASTER_KEYS", &keys.join(","))
}

fn page(server: &Server, body: &Value) -> Response {
    post("/internal/rewrap", body)
        .service_key(SERVICE_KEYS[0])
        .send(server)
}

#[test]
fn after_a_rewrap_of_all_the_older_master_key_is_needed_by_nobody() {
    let data = new_data();
    let server = Server::start_in(&masters(&[OLD]), &data);
    let customers: Vec<_> = (0..5).map(|_| Customer::on(&server)).collect();
    let before: Vec<_> = customers.iter().map(|one| one.now(&server)).collect();
    let log = |server: &Server| get("/admin/audit").bearer(&admin()).send(server);
    get("/admin/customers").bearer(&admin()).send(&server).expect(200);
    server.stop();

    let server = Server::start_in(&masters(&[NEW]), &data);
    for customer in &customers {
        customer
            .get(&server, "/customer/me")
            .problem(503, "key_unavailable");
    }
    server.stop();

    let server = Server::start_in(&masters(&[NEW, OLD]), &data);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("key"), SERVICE_KEYS[0]).unwrap();
    let ran = Command::new(env!("CARGO_BIN_EXE_user-api"))
        .args([
            "rewrap",
            "--url",
            server.origin(),
            "--service-key-file",
            "key",
            "--page",
            "2",
        ])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let (told, errors) = (
        String::from_utf8(ran.stdout).unwrap(),
        String::from_utf8(ran.stderr).unwrap(),
    );
    assert!(ran.status.success(), "{errors}");
    assert_eq!(
        told, "5 customers are wrapped under the active master key\n",
        "{errors}"
    );
    server.stop();

    let server = Server::start_in(&masters(&[NEW]), &data);
    for (customer, before) in customers.iter().zip(&before) {
        assert_eq!(customer.now(&server), *before);
    }
    let entries = log(&server).ok();
    let acts: Vec<_> = entries["data"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["action"] == "keys.rewrap")
        .map(|entry| entry["detail"]["wrapped"].clone())
        .collect();
    assert!(acts.len() >= 3, "{entries}");
}

#[test]
fn a_page_is_for_services_and_says_what_is_wrong_with_it() {
    let server = Server::start(&Settings::default());
    Customer::on(&server);
    post("/internal/rewrap", &json!({}))
        .bearer(&admin())
        .send(&server)
        .problem(403, "forbidden");
    page(&server, &json!({"limit": 101})).problem(422, "validation_failed");
    page(&server, &json!({"after": "AAAA"})).problem(400, "invalid_cursor");
    let told = page(&server, &json!({})).ok();
    assert_eq!(told["next"], Value::Null);
    assert_eq!(told["failed"], json!([]));
    assert_eq!(told["wrapped"], 1);
}
