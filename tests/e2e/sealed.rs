//! Responses that only the caller can open.

use crate::support::http::{Request, Response, get, patch, post, request};
use crate::support::raw::Raw;
use crate::support::server::{Server, namespace, new_data};
use crate::support::settings::{SERVICE_KEYS, Settings};
use crate::support::shared::{Customer, create, fresh_id, new_customer, shared};
use crate::support::token::Token;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use serde_json::{Value, json};
use tempfile::TempDir;

const ASKING: &str = "X-Encrypt-Response";

/// What is sealed, opened as `docs/FORMATS.md` says; None for another credential.
fn open(response: &Response, credential: &str) -> Option<Value> {
    assert_eq!(
        response.must_header("X-Encrypted"),
        "true",
        "{}",
        response.describe()
    );
    assert_eq!(response.must_header("Content-Type"), "application/json");
    let sealed = response.json();
    let text = |name: &str| sealed[name].as_str().expect("text").to_owned();
    let bytes = |name: &str| STANDARD.decode(text(name)).expect("base64");
    assert_eq!(
        (&sealed["version"], &sealed["encrypted"]),
        (&json!(4), &json!(true))
    );
    assert_eq!(text("requestId"), response.must_header("X-Request-Id"));
    let mut key = [0; 32];
    hkdf::Hkdf::<sha2::Sha256>::new(Some(&bytes("salt")), credential.as_bytes())
        .expand(b"user-api/sealed-response/v4", &mut key)
        .expect("32 bytes");
    let bound = format!(
        "v4|{}|{}|{}",
        response.status,
        text("contentType"),
        text("requestId")
    );
    let nonce: [u8; 24] = bytes("nonce").try_into().expect("24 bytes");
    let payload = Payload {
        msg: &bytes("data"),
        aad: bound.as_bytes(),
    };
    let plain = XChaCha20Poly1305::new(&key.into()).decrypt(&nonce.into(), payload);
    plain
        .ok()
        .map(|plain| serde_json::from_slice(&plain).expect("JSON"))
}

fn is_open(response: &Response) -> bool {
    response.header("X-Encrypted").is_none()
}

fn required() -> Server {
    Server::start(&Settings::default().with("RESPONSE_ENCRYPTION", "required"))
}

#[test]
fn on_request_only_the_holder_of_the_token_opens_the_answer() {
    let server = shared();
    let customer = Customer::on(&server);
    let plain = get("/customer/me").bearer(&customer.token).send(&server);
    assert!(is_open(&plain));
    let sealed = get("/customer/me")
        .bearer(&customer.token)
        .header(ASKING, "1")
        .send(&server)
        .expect(200);
    assert_eq!(sealed.header("ETag"), plain.header("ETag"));
    assert!(sealed.must_header("Vary").contains(ASKING));
    assert!(sealed.header("RateLimit").is_some());
    assert_eq!(open(&sealed, &customer.token), Some(plain.json()));
    assert_eq!(open(&sealed, &format!("{}x", customer.token)), None);
    assert!(!String::from_utf8_lossy(&sealed.body).contains("persondata"));
    let unmodified = get("/customer/me")
        .bearer(&customer.token)
        .header(ASKING, "1")
        .header("If-None-Match", plain.must_header("ETag"))
        .send(&server)
        .expect(304);
    assert!(is_open(&unmodified));
    let head = request("HEAD", "/customer/me")
        .bearer(&customer.token)
        .header(ASKING, "1")
        .send(&server)
        .expect(200);
    assert!(head.body.is_empty() && !is_open(&head));
    let odd = get("/customer/me").bearer(&customer.token).header(ASKING, "yes");
    odd.send(&server).problem(400, "malformed_request");
    let cookie = get("/customer/me").cookie(&customer.token).header(ASKING, "1");
    assert!(open(&cookie.send(&server), &customer.token).is_some());
}

#[test]
fn problems_and_repetitions_are_sealed_and_a_401_is_not() {
    let server = shared();
    let customer = Customer::on(&server);
    let sealed = |request: Request| request.bearer(&customer.token).header(ASKING, "1").send(&server);
    let faulty = sealed(patch("/customer/me", &json!({"plan": "pro"}))).expect(422);
    let problem = open(&faulty, &customer.token).expect("opens");
    assert_eq!(problem["code"], "field_not_writable");
    assert_eq!(faulty.json()["contentType"], "application/problem+json");
    let early = sealed(request("PUT", "/customer/me").body("text/plain", "x")).expect(415);
    assert!(open(&early, &customer.token).is_some());
    let write = || patch("/customer/me", &json!({"name": "Sealed"})).idempotency_key("sealed-1");
    let (first, second) = (sealed(write()), sealed(write()));
    assert_eq!(second.must_header("Idempotent-Replayed"), "true");
    assert_eq!(open(&first, &customer.token), open(&second, &customer.token));
    assert_ne!(first.body, second.body);
    let refused = get("/customer/me")
        .bearer("a.b.c")
        .header(ASKING, "1")
        .send(&server);
    assert!(is_open(&refused));
    refused.problem(401, "invalid_token");
    for path in ["/health", "/problems/not_ready", "/nowhere", "/openapi.json"] {
        let public = get(path).bearer(&customer.token).header(ASKING, "1");
        assert!(is_open(&public.send(&server)), "{path}");
    }
}

#[test]
fn where_it_is_required_no_header_and_no_cookie_switches_it_off() {
    let server = required();
    let id = fresh_id("sealed");
    let made = create(&new_customer(&id)).send(&server).expect(201);
    assert_eq!(open(&made, SERVICE_KEYS[0]).expect("opens")["created"], true);
    let token = Token::of(&id).hs256();
    for asked in ["0", "1", "false", "off"] {
        let answer = get("/customer/me")
            .bearer(&token)
            .header(ASKING, asked)
            .send(&server);
        assert_eq!(
            open(&answer.expect(200), &token).expect("opens")["customerId"],
            id
        );
    }
    for answer in [
        get("/customer/me").cookie(&token).send(&server),
        get("/customer/me")
            .cookie(&token)
            .header(ASKING, "0")
            .send(&server),
    ] {
        assert!(is_open(&answer));
        answer.problem(403, "encryption_required");
    }
    let wanted = json!({"name": "k", "scopes": ["customer:read"]});
    let made = post("/customer/me/api-keys", &wanted)
        .bearer(&token)
        .send(&server)
        .expect(201);
    let secret = open(&made, &token).expect("opens")["secret"]
        .as_str()
        .expect("secret")
        .to_owned();
    let by_key = get("/customer/me").api_key(&secret).send(&server).expect(200);
    assert_eq!(open(&by_key, &token), None);
    assert_eq!(open(&by_key, &secret).expect("opens")["customerId"], id);
    let gone = get("/customer/me/api-keys/key_00000000000000000000000000000000").bearer(&token);
    assert_eq!(
        open(&gone.send(&server).expect(404), &token).expect("opens")["code"],
        "key_not_found"
    );
    assert!(is_open(&get("/ready").send(&server)));
    get("/customer/me")
        .send(&server)
        .problem(401, "authentication_required");
}

/// The problem in a sealed refusal.
#[track_caller]
fn refusal(response: Response, status: u16, credential: &str) -> Value {
    let response = response.expect(status);
    assert_eq!(response.json()["contentType"], "application/problem+json");
    let problem = open(&response, credential).expect("opens");
    assert_eq!(problem["status"], status);
    problem
}

#[test]
fn whoever_refuses_it_the_problem_is_sealed() {
    let limits = r#"{"pro":[{"name":"day","q":2,"w":86400}]}"#;
    let settings = Settings::default()
        .with("RESPONSE_ENCRYPTION", "required")
        .with("OBJECT_DEADLINE_MS", "500")
        .with("RATE_LIMITS", limits);
    let server = Server::start(&settings);
    let id = fresh_id("sealed");
    create(&new_customer(&id)).send(&server).expect(201);
    let token = Token::of(&id).hs256();
    let told = |request: Request, status: u16, code: &str| {
        let response = request.bearer(&token).send(&server);
        let headers = response.header("Retry-After").map(str::to_owned);
        assert_eq!(refusal(response, status, &token)["code"], code);
        headers
    };
    // The front.
    told(get("/admin/audit"), 403, "forbidden");
    told(
        get("/customer/me").header("If-Match", "?"),
        400,
        "malformed_request",
    );
    told(
        request("PUT", "/customer/me").body("text/plain", "x"),
        415,
        "unsupported_media_type",
    );
    assert_eq!(
        unfinished(&server, &token, "999999", 413)["code"],
        "body_too_large"
    );
    let stranger = Token::of(&fresh_id("sealed"))
        .claim("email_verified", false)
        .hs256();
    let unknown = get("/customer/me").bearer(&stranger).send(&server);
    assert_eq!(refusal(unknown, 404, &stranger)["code"], "customer_not_found");
    assert_eq!(unfinished(&server, &token, "99", 503)["code"], "unavailable");
    // The customer's object.
    told(
        patch("/customer/me", &json!({"plan": "free"})),
        422,
        "field_not_writable",
    );
    told(
        get("/user/me/preferences").header("If-Match", "\"1.99\""),
        412,
        "stale_version",
    );
    let retry_after = told(get("/customer/me"), 429, "quota_exceeded");
    assert!(retry_after.is_some(), "a proxy must see it too");
}

/// What a caller is told who announces a body of that length and sends none of it.
fn unfinished(server: &Server, token: &str, length: &str, status: u16) -> Value {
    let mut raw = Raw::open(server);
    let bearer = format!("Bearer {token}");
    let headers = [
        ("Authorization", bearer.as_str()),
        ("Content-Type", "application/json"),
        ("Content-Length", length),
    ];
    raw.head("PUT /customer/me", &headers);
    refusal(raw.response(), status, token)
}

#[test]
fn a_fault_of_our_own_is_told_sealed() {
    let data = new_data();
    let settings = Settings::default().with("RESPONSE_ENCRYPTION", "required");
    let server = Server::start_in(&settings, &data);
    let id = fresh_id("sealed");
    create(&new_customer(&id)).send(&server).expect(201);
    server.stop();
    damage_profiles(&data);
    let server = Server::start_in(&settings, &data);
    let token = Token::of(&id).hs256();
    // Not by `send`, to which a 500 is always a failure of the test.
    let url = format!("{}/customer/me", server.origin());
    let asked = server
        .agent()
        .get(url)
        .header("Authorization", format!("Bearer {token}"));
    let mut answer = asked.call().expect("an answer");
    let headers = answer.headers().iter();
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().expect("text").to_owned()));
    let response = Response {
        status: answer.status().as_u16(),
        headers: headers.collect(),
        body: answer.body_mut().read_to_vec().expect("a body"),
        request: "GET /customer/me".to_owned(),
    };
    assert_eq!(refusal(response, 500, &token)["code"], "sealed_data_unreadable");
}

/// Overwrites what is stored of the customers.
fn damage_profiles(data: &TempDir) {
    let folder = namespace(data, "CustomerObject");
    let mut damaged = 0;
    for entry in std::fs::read_dir(folder).expect("the customers") {
        let path = entry.expect("an entry").path();
        let named = path.file_stem().is_some_and(|stem| stem.len() == 64);
        if named && path.extension().is_some_and(|kind| kind == "sqlite") {
            let sql = rusqlite::Connection::open(&path).expect("a database");
            damaged += sql
                .execute("UPDATE customer SET profile = zeroblob(length(profile))", [])
                .unwrap_or(0);
        }
    }
    assert_eq!(damaged, 1);
}

#[test]
fn where_it_is_off_nothing_is_sealed() {
    let server = Server::start(&Settings::default().with("RESPONSE_ENCRYPTION", "off"));
    let customer = Customer::on(&server);
    let answer = get("/customer/me").bearer(&customer.token).header(ASKING, "1");
    assert!(is_open(&answer.send(&server).expect(200)));
}
