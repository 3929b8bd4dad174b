//! Erasure on workerd: that it ends, that it holds, and that nothing left on disk can be opened.

mod afterwards;
mod lost_key;
pub mod on_disk;

use crate::support::http::{get, post, request};
use crate::support::integration::admin;
use crate::support::kv::Kv;
use crate::support::server::{Server, new_data, poll};
use crate::support::settings::Settings;
use crate::support::shared::{Customer, create, fresh_id, new_customer, shared};
use crate::support::token::Token;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use user_api::verify::certificate::{self, Certificate};
use user_api::verify::{PublicKeys, chain};

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
    assert_eq!(certificate.destroyed.get("apiKeys"), Some(&1));
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

fn opened_certificate(server: &Server, jws: &str) -> Certificate {
    let keys = get("/.well-known/jwks.json").send(server).expect(200);
    let keys = PublicKeys::parse(keys.json().to_string().as_bytes()).unwrap();
    certificate::open(jws, &keys).unwrap().0
}

fn sha256(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Everything that the older store has of a customer, by any kind of key; returns how many records that is.
fn fill_store(kv: &Kv, id: &str, email: &str, key: &str) -> i64 {
    let owner = json!({"userId": id, "name": "x", "reservedAt": "2024-01-01T00:00:00Z"});
    let customer = json!({
        "customerId": id, "email": email, "displayName": "Shown Name", "status": "active",
        "createdAt": "2024-01-01T00:00:00Z", "updatedAt": "2024-02-01T00:00:00Z",
    });
    let names = json!({"current": "Current Name", "previousNames": [{"name": "Previous Name"}]});
    let preferences = json!({"emailVisibility": "public", "displayName": names});
    let api_key = json!({"customerId": id, "keyId": "key_1", "name": "Old", "status": "active"});
    let revoked = json!({"revokedAt": "2024-01-01T00:00:00Z"});
    let mut records = vec![
        (format!("customer:customer:{id}"), customer.clone()),
        (format!("auth:customer:{id}"), customer),
        (format!("customer:preferences:{id}"), preferences.clone()),
        (format!("customer_{id}_preferences"), preferences),
        ("customer:displayname:shown name".into(), owner.clone()),
        ("customer:displayname:current name".into(), owner.clone()),
        ("displayname_previous name".into(), owner),
        (format!("auth:apikey:{}", sha256(key)), api_key),
    ];
    for prefix in ["idx:customer:email-to-customer:", "email_to_customer_", "email_"] {
        records.push((format!("{prefix}{}", sha256(email)), json!(id)));
    }
    // More than one page, and more than one round.
    for n in 0..230 {
        let hash = sha256(&n.to_string());
        records.push((format!("otp-auth:jwt-denylist:{id}_{hash}"), revoked.clone()));
    }
    for day in 1..=28 {
        let document = json!({"customerId": id, "events": []});
        records.push((format!("audit_{id}_2025-02-{day:02}"), document));
    }
    for (key, value) in &records {
        kv.put(key, value);
    }
    i64::try_from(records.len()).unwrap()
}

#[test]
fn the_older_store_is_left_with_nothing_of_the_customer_and_everything_of_the_others() {
    const KEY: &str = "otp_live_sk_0123456789012345678901234567890123456789-_e";
    let kv = Kv::start();
    let settings = Settings::default()
        .with("LEGACY_KV_ADDRESS", &kv.address())
        .with("LEGACY_API_KEYS", "on");
    let server = Server::start(&settings);
    let (id, email) = ("cust_0e5a5e0e5a5e", "person.legacy@e2e.test");
    // Another one whose id begins so, whose records sort first and fill a page, and one that took a name over.
    let other = format!("{id}_1");
    for n in 0..150 {
        let (year, month) = (1900 + n, n % 12 + 1);
        let day = json!({"customerId": other, "events": []});
        kv.put(&format!("audit_{other}_{year}-{month:02}-01"), &day);
    }
    kv.put(
        "displayname_shown name",
        &json!({"userId": "cust_somebody", "name": "Shown Name"}),
    );
    kv.put("email_template", &json!("<p>"));
    let others = kv.keys();
    let records = fill_store(&kv, id, email, KEY);
    let token = Token::of(id).claim("email", json!(email)).hs256();
    get("/customer/me").bearer(&token).send(&server).expect(200);
    let by_key = || {
        get("/customer/me")
            .api_key(KEY)
            .header("X-Customer-Id", id)
            .send(&server)
    };
    by_key().expect(200);
    let customer = Customer {
        id: id.to_owned(),
        token,
    };
    // A store that does not delete holds the certificate back; nothing says that it is gone.
    kv.set_keeping(true);
    erase(&server, &customer);
    poll("it is erased", || {
        let answer = customer.get(&server, "/customer/me");
        (answer.status == 410).then_some(())
    });
    std::thread::sleep(std::time::Duration::from_secs(1));
    let view = get(&path(&customer)).bearer(&admin()).send(&server).ok();
    assert_eq!(
        (&view["status"], &view["certificate"]),
        (&json!("erased"), &Value::Null)
    );
    kv.set_keeping(false);
    let jws = certified(&server, &customer);
    assert_eq!(kv.keys(), others);
    let certificate = opened_certificate(&server, &jws);
    assert_eq!(certificate.destroyed.get("legacyRecords"), Some(&records));
    let not_reached: Vec<_> = certificate
        .not_reached
        .iter()
        .map(|item| item.what.as_str())
        .collect();
    assert_eq!(not_reached, ["platformBackups", "legacyStoreOtherKeys"]);
    // The key that was one, and one that never was: both as if nobody had ever been here.
    by_key().problem(401, "invalid_api_key");
    let made_up = format!("{}x", &KEY[..KEY.len() - 1]);
    get("/customer/me")
        .api_key(&made_up)
        .header("X-Customer-Id", id)
        .send(&server)
        .problem(401, "invalid_api_key");
    customer
        .get(&server, "/customer/me")
        .problem(410, "customer_erased");
    server.stop();
}

#[test]
fn what_operators_ask_of_an_erased_customer_stands_in_their_log_and_its_own_still_proves_itself() {
    let server = Server::start(&Settings::default());
    let customer = Customer::on(&server);
    customer.patch(&server, &json!({"name": "Somebody"})).expect(200);
    erase(&server, &customer);
    let jws = certified(&server, &customer);
    let certificate = opened_certificate(&server, &jws);
    let read = |path: &str| {
        get(&format!("/admin/customers/{}{path}", customer.id))
            .bearer(&admin())
            .send(&server)
    };
    // From the first entry to the end that the certificate names, by nothing but what is answered.
    let head = read("/audit/head?since=0").ok();
    let leaves = head["leaves"].as_array().unwrap();
    let mut hash = chain::genesis(&customer.id);
    for leaf in leaves {
        hash = chain::link(&hash, &chain::unhex(leaf.as_str().unwrap()).unwrap());
    }
    assert_eq!(chain::hex(&hash), certificate.audit.after.hash);
    assert_eq!(leaves.len() as i64, certificate.audit.after.seq);
    let page = read("/audit?limit=100").ok();
    let data = page["data"].as_array().unwrap();
    assert_eq!(data.len(), leaves.len());
    assert!(data.iter().all(|entry| entry["detail"].is_null()));
    assert_eq!(data[0]["action"], "customer.erased");
    read("").problem(410, "customer_erased");
    create(&new_customer(&customer.id))
        .send(&server)
        .problem(410, "customer_erased");
    customer
        .get(&server, "/customer/me/audit")
        .problem(410, "customer_erased");
    let log = get("/admin/audit").bearer(&admin()).send(&server).ok();
    let of = |action: &str, outcome: &str| -> Vec<String> {
        let entries = log["data"].as_array().unwrap().iter();
        let entries = entries.filter(|entry| entry["action"] == action && entry["outcome"] == outcome);
        let mut operations: Vec<_> = entries
            .filter(|entry| entry["detail"]["customerId"] == customer.id.as_str())
            .map(|entry| entry["detail"]["operation"].as_str().unwrap().to_owned())
            .collect();
        operations.sort_unstable();
        operations.dedup();
        operations
    };
    assert_eq!(
        of("erased.read", "ok"),
        [
            "GET /admin/customers/{customerId}/audit",
            "GET /admin/customers/{customerId}/audit/head",
            "GET /admin/customers/{customerId}/erasure",
        ]
    );
    assert_eq!(
        of("customer.missed", "customer_erased"),
        ["GET /admin/customers/{customerId}", "POST /internal/customers"]
    );
    server.stop();
}
