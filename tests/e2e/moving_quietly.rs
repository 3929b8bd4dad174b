//! With `LEGACY_KV` bound, a customer that is not here moves in when somebody first asks for it.

use crate::support::http::{get, post};
use crate::support::kv::Kv;
use crate::support::server::{Server, namespace};
use crate::support::settings::Settings;
use crate::support::shared::Customer;
use crate::support::token::{PERSONAL, Token};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const OLD_KEY: &str = "otp_live_sk_0123456789012345678901234567890123456789-_a";

fn server(kv: &Kv) -> Server {
    let settings = Settings::default()
        .with("LEGACY_KV_ADDRESS", &kv.address())
        .with("LEGACY_API_KEYS", "on");
    Server::start(&settings)
}

fn record(id: &str) -> Value {
    json!({
        "customerId": id, "email": format!("{PERSONAL}.{id}@e2e.test"), "companyName": PERSONAL, "tier": "premium",
        "status": "active", "createdAt": "2024-01-01T00:00:00Z", "updatedAt": "2024-02-01T00:00:00Z",
    })
}

fn sha256(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_customer_moves_in_at_its_first_request_and_the_store_is_not_asked_again() {
    let kv = Kv::start();
    let server = server(&kv);
    for (id, key) in [
        ("quiet-1", "customer:customer:quiet-1"),
        ("quiet-2", "auth:customer:quiet-2"),
        ("cust_quiet-3", "customer_cust_quiet-3"),
        ("cust_quiet-4", "customer:customer:cust_cust_quiet-4"),
    ] {
        kv.put(key, &record(id));
        kv.put(
            &format!("customer:preferences:{id}"),
            &json!({"emailVisibility": "public"}),
        );
        let token = Token::of(id).hs256();
        let shown = get("/customer/me")
            .bearer(&token)
            .send(&server)
            .expect(200)
            .json();
        assert_eq!(
            (&shown["customerId"], &shown["plan"]),
            (&json!(id), &json!("pro"))
        );
        assert_eq!(shown["createdAt"], "2024-01-01T00:00:00.000Z");
        let own = get("/user/me/preferences")
            .bearer(&token)
            .send(&server)
            .expect(200)
            .json();
        assert_eq!(own["emailVisibility"], "public");
        kv.take_reads();
        get("/customer/me").bearer(&token).send(&server).expect(200);
        assert_eq!(kv.take_reads(), Vec::<String>::new());
    }
}

#[test]
fn a_suspension_and_revoked_tokens_come_along() {
    let kv = Kv::start();
    let server = server(&kv);
    let mut suspended = record("quiet-s");
    suspended["status"] = json!("suspended");
    kv.put("customer:customer:quiet-s", &suspended);
    let token = Token::of("quiet-s").hs256();
    let shown = get("/customer/me")
        .bearer(&token)
        .send(&server)
        .expect(200)
        .json();
    assert_eq!(shown["status"], "suspended");

    kv.put("customer:customer:quiet-d", &record("quiet-d"));
    let token = Token::of("quiet-d").hs256();
    let hash = sha256(&token.to_lowercase());
    kv.put(
        &format!("otp-auth:jwt-denylist:quiet-d_{hash}"),
        &json!({"token": hash}),
    );
    get("/customer/me")
        .bearer(&token)
        .send(&server)
        .problem(401, "token_revoked");
    let other = Token::of("quiet-d").claim("jti", json!("another")).hs256();
    get("/customer/me").bearer(&other).send(&server).expect(200);
}

#[test]
fn every_revoked_token_comes_along_however_many_there_are() {
    let kv = Kv::start();
    let server = server(&kv);
    kv.put("customer:customer:quiet-many", &record("quiet-many"));
    let put = |hash: &str| {
        kv.put(
            &format!("otp-auth:jwt-denylist:quiet-many_{hash}"),
            &json!({"token": hash}),
        );
    };
    // One that is listed last, behind two full pages.
    let token = (0..)
        .map(|n| {
            Token::of("quiet-many")
                .claim("jti", json!(format!("last-{n}")))
                .hs256()
        })
        .find(|token| sha256(&token.to_lowercase()).starts_with("ff"))
        .unwrap();
    put(&sha256(&token.to_lowercase()));
    for n in 0..2_300 {
        put(&sha256(&n.to_string()));
    }
    let other = Token::of("quiet-many").claim("jti", json!("another")).hs256();
    get("/customer/me").bearer(&other).send(&server).expect(200);
    get("/customer/me")
        .bearer(&token)
        .send(&server)
        .problem(401, "token_revoked");
}

#[test]
fn an_older_key_moves_in_with_its_customer_works_as_what_it_is_and_can_be_rotated() {
    let kv = Kv::start();
    let server = server(&kv);
    kv.put("customer:customer:quiet-k", &record("quiet-k"));
    let by_key = |customer: &str| {
        get("/customer/me")
            .api_key(OLD_KEY)
            .header("X-Customer-Id", customer)
            .send(&server)
    };
    by_key("quiet-k").problem(401, "invalid_api_key");
    kv.put(
        &format!("auth:apikey:{}", sha256(OLD_KEY)),
        &json!({"customerId": "quiet-k", "keyId": "key_1", "name": "Old", "status": "active"}),
    );
    by_key("quiet-other").problem(401, "invalid_api_key");
    assert_eq!(by_key("quiet-k").expect(200).json()["customerId"], "quiet-k");
    let token = Token::of("quiet-k").hs256();
    let keys = get("/customer/me/api-keys")
        .bearer(&token)
        .send(&server)
        .expect(200)
        .json();
    assert_eq!(
        (&keys["data"][0]["legacy"], &keys["data"][0]["name"]),
        (&json!(true), &json!("Old"))
    );
    let path = format!(
        "/customer/me/api-keys/{}/rotate",
        keys["data"][0]["keyId"].as_str().unwrap()
    );
    let new = post(&path, &json!({"graceSeconds": 0}))
        .bearer(&token)
        .send(&server)
        .expect(201)
        .json();
    by_key("quiet-k").problem(401, "invalid_api_key");
    let secret = new["secret"].as_str().unwrap();
    get("/customer/me").api_key(secret).send(&server).expect(200);
}

#[test]
fn who_is_in_neither_place_is_not_found_and_a_broken_store_is_as_none() {
    let kv = Kv::start();
    let server = server(&kv);
    let absent = |id: &str| {
        // Without an e-mail nobody can be made or found by it.
        let token = Token::of(id).claim("email_verified", json!(false)).hs256();
        get("/customer/me")
            .bearer(&token)
            .send(&server)
            .problem(404, "customer_not_found");
    };
    absent("quiet-nobody");
    assert!(!kv.take_reads().is_empty());
    kv.put("customer:customer:quiet-odd", &json!("{"));
    absent("quiet-odd");
    let mut other = record("quiet-b");
    other["customerId"] = json!("quiet-c");
    kv.put("customer:customer:quiet-a", &other);
    absent("quiet-a");
    kv.put("customer:customer:quiet-late", &record("quiet-late"));
    kv.set_broken(true);
    absent("quiet-late");
    kv.set_broken(false);
    let token = Token::of("quiet-late").hs256();
    get("/customer/me").bearer(&token).send(&server).expect(200);
}

#[test]
fn a_made_up_older_key_opens_no_object_that_is_not_there_and_leaves_no_trace_in_one_that_is() {
    let server = Server::start(&Settings::default().with("LEGACY_API_KEYS", "on"));
    let customer = Customer::on(&server);
    customer.get(&server, "/customer/me").expect(200);
    let made_up = |name: &str, number: usize| {
        let key = format!("otp_live_sk_{number:043}");
        get("/customer/me")
            .api_key(&key)
            .header("X-Customer-Id", name)
            .send(&server)
            .problem(401, "invalid_api_key")
    };
    let files = || {
        std::fs::read_dir(namespace(server.data(), "CustomerObject"))
            .unwrap()
            .count()
    };
    let opened = files();
    for number in 0..40 {
        made_up(&format!("made-up-{number}"), number);
        made_up(&customer.id, number);
    }
    assert_eq!(files(), opened, "objects were made");
    let log = customer.get(&server, "/customer/me/audit?limit=100").ok();
    let refused: Vec<_> = log["data"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["outcome"] != "ok")
        .collect();
    assert!(refused.is_empty(), "{refused:?}");
    server.stop();
}

#[test]
fn without_the_binding_and_the_setting_nothing_of_it_is_there() {
    let server = Server::start(&Settings::default());
    get("/customer/me")
        .api_key(OLD_KEY)
        .header("X-Customer-Id", "quiet-k")
        .send(&server)
        .problem(401, "invalid_api_key");
    let ended = server.stop();
    assert!(ended.log.contains("legacy_keys_off"), "{}", ended.log);
}
