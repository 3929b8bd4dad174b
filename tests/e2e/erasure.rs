//! Erasure on workerd: that it ends, that it holds, and that nothing left on disk can be opened.

use crate::support::http::{get, post, request};
use crate::support::integration::admin;
use crate::support::server::{Server, new_data, poll};
use crate::support::settings::Settings;
use crate::support::shared::{Customer, create, fresh_id, new_customer, shared};
use crate::support::store;
use crate::support::token::Token;
use serde_json::{Value, json};
use std::path::Path;
use tempfile::TempDir;
use user_api::crypto::{MasterKeys, Wrapped};
use user_api::types::CustomerId;
use user_api::verify::{PublicKeys, certificate};

/// `MASTER_KEYS` of the servers under test.
const MASTER: [u8; 32] = [1; 32];
/// Bytes of a wrapped key.
const WRAPPED_BYTES: usize = 77;

fn path(customer: &Customer) -> String {
    format!("/admin/customers/{}/erasure", customer.id)
}

fn erase(server: &Server, customer: &Customer) -> Value {
    post(
        &path(customer),
        &json!({"reason": "asked by letter", "graceDays": 0}),
    )
    .bearer(&admin())
    .send(server)
    .expect(202)
    .json()
}

/// The certificate, once there is one.
fn certified(server: &Server, customer: &Customer) -> String {
    poll("the certificate is there", || {
        let answer = get(&path(customer)).bearer(&admin()).try_send(server).ok()?;
        let view = answer.json();
        view["certificate"].as_str().map(str::to_owned)
    })
}

#[test]
fn the_owner_schedules_and_withdraws_an_erasure_and_nothing_changes() {
    let server = shared();
    let customer = Customer::on(&server);
    let before = customer.now(&server).0;
    let ask = |method: &str| request(method, "/customer/me/erasure").bearer(&customer.token);
    ask("GET").send(&server).problem(404, "erasure_not_found");
    ask("DELETE").send(&server).problem(404, "erasure_not_found");
    let view = ask("POST").send(&server).expect(202).json();
    assert_eq!(view["status"], "scheduled");
    assert_eq!(ask("POST").send(&server).expect(202).json(), view);
    assert_eq!(ask("GET").send(&server).ok(), view);
    ask("DELETE").send(&server).expect(204);
    ask("GET").send(&server).problem(404, "erasure_not_found");
    let mut after = customer.now(&server).0;
    after["lastSeenAt"] = before["lastSeenAt"].clone();
    assert_eq!(after, before);
}

#[test]
fn a_customer_is_erased_and_its_e_mail_is_free_and_nothing_brings_it_back() {
    let server = shared();
    let customer = Customer::on(&server);
    let body = json!({"name": "CI", "scopes": ["customer:read"]});
    let key = post("/customer/me/api-keys", &body)
        .bearer(&customer.token)
        .send(&server)
        .expect(201)
        .json();
    assert_eq!(erase(&server, &customer)["status"], "scheduled");
    let jws = certified(&server, &customer);
    let keys = get("/.well-known/jwks.json").send(&server).expect(200);
    let keys = PublicKeys::parse(keys.json().to_string().as_bytes()).unwrap();
    let (certificate, _) = certificate::open(&jws, &keys).unwrap();
    assert_eq!(certificate.customer_id, customer.id);
    assert_eq!(certificate.asked_by.kind, "admin");
    assert_eq!(certificate.destroyed["apiKeys"], 1);
    // Every credential, again and again.
    let gone = customer
        .get(&server, "/customer/me")
        .problem(410, "customer_erased");
    assert_eq!(gone["certificate"], jws.as_str());
    for path in [
        "/customer/me/erasure",
        "/customer/me/audit",
        "/user/me",
        "/session",
    ] {
        customer.get(&server, path).problem(410, "customer_erased");
    }
    get("/customer/me")
        .api_key(key["secret"].as_str().unwrap())
        .send(&server)
        .problem(410, "customer_erased");
    create(&new_customer(&customer.id))
        .send(&server)
        .problem(410, "customer_erased");
    get(&format!("/admin/customers/{}", customer.id))
        .bearer(&admin())
        .send(&server)
        .problem(410, "customer_erased");
    request("DELETE", &path(&customer))
        .bearer(&admin())
        .send(&server)
        .problem(410, "customer_erased");
    // The e-mail serves a new customer.
    let id = fresh_id("heir");
    let mut heir = new_customer(&id);
    heir["email"] = new_customer(&customer.id)["email"].clone();
    let made = create(&heir).send(&server).expect(201).json();
    assert_eq!(made, json!({"customerId": id, "created": true}));
    let token = Token::of(&id).hs256();
    assert_eq!(
        get("/customer/me").bearer(&token).send(&server).ok()["email"],
        heir["email"]
    );
}

#[test]
fn a_kill_at_any_moment_of_an_erasure_ends_in_its_certificate() {
    let (settings, data) = (Settings::default(), new_data());
    for pause_ms in [0, 2, 5, 10, 20, 50, 100] {
        let mut server = Server::start_in(&settings, &data);
        let customer = Customer::on(&server);
        erase(&server, &customer);
        std::thread::sleep(std::time::Duration::from_millis(pause_ms));
        server.crash();
        server = Server::start_in(&settings, &data);
        certified(&server, &customer);
        customer
            .get(&server, "/customer/me")
            .problem(410, "customer_erased");
        server.stop();
    }
}

/// All files below.
fn files(folder: &Path, found: &mut Vec<Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if let Ok(bytes) = std::fs::read(&path) {
            found.push(bytes);
        }
    }
}

/// How many places of the files hold a wrapped key of this customer that the master key opens.
fn openable(data: &TempDir, id: &str) -> usize {
    let (masters, id) = (MasterKeys::new(vec![(1, MASTER)]), CustomerId::parse(id).unwrap());
    let mut all = Vec::new();
    files(data.path(), &mut all);
    let mut count = 0;
    for bytes in &all {
        for window in bytes.windows(WRAPPED_BYTES) {
            // Each begins with the version of the form, then the master key's number.
            if window[..5] != [1, 0, 0, 0, 1] {
                continue;
            }
            let Some(wrapped) = Wrapped::parse(window) else {
                continue;
            };
            if masters.unwrap(&id, &wrapped).is_ok() {
                count += 1;
            }
        }
    }
    count
}

#[test]
fn nothing_left_on_disk_opens_under_the_master_key() {
    let (settings, data) = (Settings::default(), new_data());
    let server = Server::start_in(&settings, &data);
    let (customer, other) = (Customer::on(&server), Customer::on(&server));
    customer.patch(&server, &json!({"name": "Somebody"})).expect(200);
    assert!(
        openable(&data, &customer.id) > 0,
        "the search finds nothing at all"
    );
    erase(&server, &customer);
    certified(&server, &customer);
    assert_eq!(openable(&data, &customer.id), 0, "right after");
    assert!(openable(&data, &other.id) > 0, "the search still works");
    server.crash();
    assert_eq!(openable(&data, &customer.id), 0, "after a crash");
    let server = Server::start_in(&settings, &data);
    customer
        .get(&server, "/customer/me")
        .problem(410, "customer_erased");
    server.stop();
    assert_eq!(openable(&data, &customer.id), 0, "after a restart");
    assert!(openable(&data, &other.id) > 0, "the search still works");
    let object = store::customer(&data, &customer.id);
    for table in ["users", "api_keys", "idempotency", "outbox"] {
        assert_eq!(object.count(table), 0, "{table}");
    }
}
