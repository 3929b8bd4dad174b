//! With `LEGACY_KV` bound, a customer that is not here moves in when somebody first asks for it.

use crate::support::http::{Request, get, post, put};
use crate::support::integration::{admin, service_revocation};
use crate::support::kv::Kv;
use crate::support::server::{Server, namespace, poll};
use crate::support::settings::{SERVICE_KEYS, Settings};
use crate::support::shared::{Customer, create};
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
fn who_is_in_neither_place_is_not_found() {
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
}

/// A token of the user with that address, which names no customer.
fn by_email(email: &str) -> Token {
    Token::of("nobody")
        .claim("customerId", Value::Null)
        .claim("email", email)
        .subject(&format!("auth0|{email}"))
}

fn address(id: &str) -> String {
    format!("{PERSONAL}.{id}@e2e.test")
}

#[test]
fn while_the_store_does_not_answer_nobody_is_made_and_the_customer_comes_once_it_does() {
    let kv = Kv::start();
    let server = server(&kv);
    for id in ["late-1", "late-2", "late-3", "late-4", "late-5", "late-6"] {
        let mut old = record(id);
        old["status"] = json!(if id == "late-1" { "suspended" } else { "active" });
        kv.put(&format!("customer:customer:{id}"), &old);
        kv.put(&format!("email_to_customer_{}", sha256(&address(id))), &json!(id));
    }
    kv.put(
        &format!("auth:apikey:{}", sha256(OLD_KEY)),
        &json!({"customerId": "late-6", "status": "active", "name": "Old"}),
    );
    let requests: Vec<Request> = vec![
        get("/customer/me").bearer(&Token::of("late-1").hs256()),
        get("/customer/me").bearer(&by_email(&address("late-2")).hs256()),
        create(&json!({"email": address("late-3")})),
        post("/admin/customers", &json!({"email": address("late-4")})).bearer(&admin()),
        get("/admin/customers/late-5").bearer(&admin()),
        get("/customer/me")
            .api_key(OLD_KEY)
            .header("X-Customer-Id", "late-6"),
        get("/customer/me").bearer(&Token::of("late-7").claim("email_verified", json!(false)).hs256()),
    ];
    kv.set_broken(true);
    for request in &requests {
        let refused = request.send(&server);
        assert_eq!(refused.must_header("Retry-After"), "1");
        refused.problem(503, "unavailable");
    }
    kv.set_broken(false);
    let listed = get("/admin/customers").bearer(&admin()).send(&server).ok();
    assert_eq!(listed["data"], json!([]), "somebody was made");
    let answers: Vec<_> = requests.iter().map(|request| request.send(&server)).collect();
    let shown: Vec<Value> = answers[..3].iter().map(|answer| answer.json()).collect();
    for (shown, id) in shown.iter().zip(["late-1", "late-2", "late-3"]) {
        assert_eq!(shown["customerId"], json!(id));
    }
    assert_eq!(
        (&shown[0]["status"], &shown[1]["plan"]),
        (&json!("suspended"), &json!("pro"))
    );
    assert_eq!((answers[2].status, &shown[2]["created"]), (200, &json!(false)));
    assert_eq!(answers[3].json()["code"], "email_taken");
    assert_eq!(answers[4].json()["customerId"], "late-5");
    assert_eq!(answers[5].json()["customerId"], "late-6");
    assert_eq!(answers[6].json()["code"], "customer_not_found");
}

#[test]
fn administrators_and_services_reach_who_is_still_there_before_the_first_sign_in() {
    let kv = Kv::start();
    let server = server(&kv);
    for id in ["adm-1", "adm-2", "adm-3", "adm-4", "adm-5"] {
        kv.put(&format!("auth:customer:{id}"), &record(id));
    }
    let suspended = post("/admin/customers/adm-1/suspend", &json!({"reason": "unpaid"}))
        .bearer(&admin())
        .send(&server)
        .ok();
    assert_eq!(
        (&suspended["status"], &suspended["plan"]),
        (&json!("suspended"), &json!("pro"))
    );
    let own = get("/customer/me")
        .bearer(&Token::of("adm-1").hs256())
        .send(&server)
        .ok();
    assert_eq!(own["status"], "suspended");

    let jti = "jti-persondata-lost";
    service_revocation(&json!({"customerId": "adm-2", "jti": jti}))
        .send(&server)
        .expect(204);
    get("/customer/me")
        .bearer(&Token::of("adm-2").claim("jti", jti).hs256())
        .send(&server)
        .problem(401, "token_revoked");

    let new = format!("{PERSONAL}.new@e2e.test");
    let changed = put("/internal/customers/adm-3/email", &json!({ "email": new }))
        .service_key(SERVICE_KEYS[0])
        .send(&server)
        .ok();
    assert_eq!(
        (&changed["customerId"], &changed["email"]),
        (&json!("adm-3"), &json!(new))
    );

    post(
        "/admin/customers/adm-4/erasure",
        &json!({"reason": "asked", "graceDays": 0}),
    )
    .bearer(&admin())
    .send(&server)
    .expect(202);
    get("/customer/me")
        .bearer(&Token::of("adm-4").hs256())
        .send(&server)
        .problem(410, "customer_erased");

    post(
        "/admin/customers",
        &json!({"customerId": "adm-5", "email": format!("{PERSONAL}.x@e2e.test")}),
    )
    .bearer(&admin())
    .send(&server)
    .problem(409, "customer_exists");
    get("/admin/customers/adm-nobody")
        .bearer(&admin())
        .send(&server)
        .problem(404, "customer_not_found");
}

#[test]
fn who_names_no_customer_is_found_by_the_index_of_its_e_mail_and_by_nobody_else_s() {
    let kv = Kv::start();
    let server = server(&kv);
    let index = |form: &str, email: &str, id: &str| kv.put(&format!("{form}{}", sha256(email)), &json!(id));
    for (number, form) in [
        "idx:customer:email-to-customer:",
        "idx:auth:email-to-customer:",
        "email_to_customer_",
        "email_",
    ]
    .iter()
    .enumerate()
    {
        let id = format!("found-{number}");
        kv.put(&format!("customer:customer:{id}"), &record(&id));
        index(form, &address(&id), &id);
        let shown = get("/customer/me")
            .bearer(&by_email(&address(&id)).hs256())
            .send(&server)
            .ok();
        assert_eq!(
            (&shown["customerId"], &shown["plan"]),
            (&json!(id), &json!("pro"))
        );
    }
    // As it was typed, with an internationalised domain; our form of it is in A-labels.
    let typed = format!("{PERSONAL}.idn@b\u{fc}cher.example");
    let mut old = record("found-idn");
    old["email"] = json!(typed);
    kv.put("customer:customer:found-idn", &old);
    index("email_to_customer_", &typed, "found-idn");
    for email in [typed.clone(), format!("{PERSONAL}.idn@xn--bcher-kva.example")] {
        let shown = get("/customer/me")
            .bearer(&by_email(&email).hs256())
            .send(&server)
            .ok();
        assert_eq!(shown["customerId"], "found-idn");
    }
    // One that points at somebody with another address finds nobody, and moves nobody in.
    kv.put("customer:customer:other", &record("other"));
    index("email_to_customer_", &address("mine"), "other");
    let mine = get("/customer/me")
        .bearer(&by_email(&address("mine")).hs256())
        .send(&server)
        .ok();
    assert_ne!(mine["customerId"], "other");
    assert_eq!(
        (&mine["email"], &mine["plan"]),
        (&json!(address("mine")), &json!("free"))
    );
    let listed = get("/admin/customers").bearer(&admin()).send(&server).ok();
    assert!(!listed.to_string().contains("\"other\""), "{listed}");
}

#[test]
fn who_looks_at_an_erased_customer_does_not_wait_for_the_older_store() {
    let kv = Kv::start();
    let server = server(&kv);
    let customer = Customer::on(&server);
    let path = format!("/admin/customers/{}/erasure", customer.id);
    kv.set_broken(true);
    post(&path, &json!({"reason": "asked", "graceDays": 0}))
        .bearer(&admin())
        .send(&server)
        .expect(202);
    poll("it is erased", || {
        let own = get("/customer/me").bearer(&customer.token).send(&server);
        (own.status == 410).then_some(())
    });
    for _ in 0..20 {
        let view = get(&path).bearer(&admin()).send(&server).ok();
        assert_eq!(view["certificate"], Value::Null, "the store was never told");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
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
