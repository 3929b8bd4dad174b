//! API keys: made, shown once, listed, changed, rotated and taken back.

use crate::concurrency::at_once;
use crate::customer::assert_timestamp;
use crate::support::http::{Request, Response, get, patch, post, request};
use crate::support::integration::{Key, SCOPES, creation};
use crate::support::server::Server;
use crate::support::settings::Settings;
use crate::support::shared::{Customer, shared};
use crate::support::token::Token;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const KEYS: &str = "/customer/me/api-keys";

fn rotate(server: &Server, customer: &Customer, key: &Key, grace: u64) -> Key {
    let rotation = post(
        &format!("{}/rotate", key.path()),
        &json!({ "graceSeconds": grace }),
    );
    Key::from(rotation.bearer(&customer.token).send(server))
}

fn revoke(server: &Server, customer: &Customer, key: &Key) -> Response {
    request("DELETE", &key.path())
        .bearer(&customer.token)
        .send(server)
}

#[test]
fn the_secret_is_shown_once_and_never_again() {
    let server = shared();
    let customer = Customer::on(&server);
    let key = Key::of(&server, &customer, &["customer:read"]);
    let shown = &key.shown;
    assert!(key.secret.starts_with("uak_live_"));
    assert!(key.secret.ends_with(shown["last4"].as_str().unwrap()));
    assert!(key.secret.starts_with(shown["prefix"].as_str().unwrap()));
    assert_eq!(
        (&shown["status"], &shown["scopes"], &shown["expiresAt"]),
        (&json!("active"), &json!(["customer:read"]), &Value::Null)
    );
    assert_timestamp(&shown["createdAt"]);
    let mut public = shown.clone();
    public.as_object_mut().unwrap().remove("secret");
    let got = customer.get(&server, &key.path()).ok();
    assert_eq!(got, public);
    let list = customer.get(&server, KEYS).ok();
    assert_eq!(
        list,
        json!({"data": [public], "hasMore": false, "nextCursor": null})
    );
    let change = patch(&key.path(), &json!({"name": "Renamed"})).bearer(&customer.token);
    let changed = change.send(&server).ok();
    assert_eq!(
        (&changed["name"], changed.get("secret")),
        (&json!("Renamed"), None)
    );
    let random = key.secret.split_once('.').unwrap().1;
    for answer in [customer.get(&server, &key.path()), customer.get(&server, KEYS)] {
        assert!(!answer.describe().contains(random));
    }
}

#[test]
fn no_secret_is_on_disk() {
    let server = Server::start(&Settings::default());
    let customer = Customer::on(&server);
    let key = Key::of(&server, &customer, &SCOPES);
    let repeated = creation(&customer, &SCOPES).idempotency_key("disk-1");
    let stored = Key::from(repeated.send(&server));
    for key in [&key, &stored] {
        key.get(&server, "/customer/me").expect(200);
    }
    let data = server.data().clone();
    let ended = server.stop();
    crate::support::log::check(&ended.log);
    let mut files = 0;
    let mut folders = vec![data.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            files += 1;
            for key in [&key, &stored] {
                // The first four characters of the randomness are shown to people; the rest is the secret.
                let secret = &key.secret.split_once('.').unwrap().1.as_bytes()[4..];
                let found = bytes.windows(secret.len()).any(|window| window == secret);
                assert!(!found, "a secret in {}", path.display());
            }
        }
    }
    assert!(files > 1);
}

#[test]
fn either_header_carries_a_key() {
    let server = shared();
    let customer = Customer::on(&server);
    let key = Key::of(&server, &customer, &["customer:read"]);
    for request in [
        get("/customer/me").bearer(&key.secret),
        get("/customer/me").api_key(&key.secret),
    ] {
        assert_eq!(request.send(&server).ok()["customerId"], customer.id);
    }
    let used = customer.get(&server, &key.path()).ok();
    assert_timestamp(&used["lastUsedAt"]);
    assert!(used["lastUsedAt"].as_str().unwrap().ends_with(":00:00.000Z"));
}

#[test]
fn a_key_that_was_tampered_with_is_no_key() {
    let server = shared();
    let (own, other) = (Customer::on(&server), Customer::on(&server));
    let key = Key::of(&server, &own, &SCOPES);
    let secret = &key.secret;
    let mut flipped = secret.clone().into_bytes();
    let last = flipped.last_mut().unwrap();
    *last = if *last == b'A' { b'B' } else { b'A' };
    let flipped = String::from_utf8(flipped).unwrap();
    let stolen = secret.replace(&format!("_{}.", own.id), &format!("_{}.", other.id));
    assert_ne!(&stolen, secret);
    let short = &secret[..secret.len() - 1];
    for wrong in [&flipped, &stolen, short, "uak_live_x", "uak_"] {
        for request in [
            get("/customer/me").bearer(wrong),
            get("/customer/me").api_key(wrong),
        ] {
            let answer = request.send(&server);
            assert!(answer.must_header("WWW-Authenticate").starts_with("Bearer "));
            answer.problem(401, "invalid_api_key");
        }
    }
}

#[test]
fn a_key_of_one_customer_never_reads_another() {
    let server = shared();
    let (own, other) = (Customer::on(&server), Customer::on(&server));
    let (key, foreign) = (Key::of(&server, &own, &SCOPES), Key::of(&server, &other, &SCOPES));
    let before = other.now(&server);
    for path in ["/customer/me", &format!("/customer/me?customerId={}", other.id)] {
        assert_eq!(key.get(&server, path).ok()["customerId"], own.id);
    }
    let named = get("/customer/me")
        .bearer(&key.secret)
        .header("X-Customer-Id", &other.id);
    named.send(&server).problem(401, "invalid_api_key");
    let change = json!({"name": "Mine"});
    let answer = patch("/customer/me", &change)
        .bearer(&key.secret)
        .send(&server)
        .ok();
    assert_eq!(answer["customerId"], own.id);
    assert_eq!(other.now(&server), before);
    // Nor does one customer's owner reach another's keys.
    for request in [
        get(&foreign.path()),
        patch(&foreign.path(), &change),
        request("DELETE", &foreign.path()),
        post(&format!("{}/rotate", foreign.path()), &json!({"graceSeconds": 0})),
    ] {
        let answer = request.bearer(&own.token).send(&server);
        answer.problem(404, "key_not_found");
    }
    foreign.get(&server, "/customer/me").expect(200);
}

#[test]
fn only_an_owner_manages_keys() {
    let server = shared();
    let customer = Customer::on(&server);
    let key = Key::of(&server, &customer, &SCOPES);
    let member = |token: Token| {
        token
            .subject("auth0|persondata-member")
            .claim("email", "persondata.member@e2e.test")
    };
    let plain = member(Token::of(&customer.id)).hs256();
    let unverified = Token::of(&customer.id).claim("email_verified", false).hs256();
    let scoped = member(Token::of(&customer.id))
        .claim("scope", "openid customer:owner")
        .hs256();
    let manage = || -> Vec<Request> {
        vec![
            get(KEYS),
            get(&key.path()),
            post(KEYS, &json!({"name": "Another", "scopes": ["usage:read"]})),
            patch(&key.path(), &json!({"name": "Another"})),
            post(&format!("{}/rotate", key.path()), &json!({"graceSeconds": 9})),
            request("DELETE", &key.path()),
        ]
    };
    for token in [&plain, &unverified, &key.secret] {
        for request in manage() {
            request.bearer(token).send(&server).problem(403, "forbidden");
        }
    }
    for (request, status) in manage().into_iter().zip([200, 200, 201, 200, 201, 204]) {
        request.bearer(&scoped).send(&server).expect(status);
    }
}

#[test]
fn a_rotated_key_works_until_its_grace_is_over_and_no_longer() {
    let server = shared();
    for grace in [0, 1, 2] {
        let customer = Customer::on(&server);
        let old = Key::of(&server, &customer, &["customer:read"]);
        let asked = Instant::now();
        let new = rotate(&server, &customer, &old, grace);
        let answered = Instant::now();
        assert_eq!(
            (&new.shown["rotatedFrom"], new.id == old.id),
            (&json!(old.id), false)
        );
        assert_eq!(new.shown["scopes"], old.shown["scopes"]);
        let grace = Duration::from_secs(grace);
        let mut worked = 0;
        loop {
            let began = Instant::now();
            let answer = old.get(&server, "/customer/me");
            if answer.status == 200 {
                worked += 1;
                assert!(began < answered + grace, "{:?} after it", began - answered);
            } else {
                assert!(Instant::now() >= asked + grace, "too early");
                answer.problem(401, "invalid_api_key");
                break;
            }
            new.get(&server, "/customer/me").expect(200);
        }
        assert_eq!(worked == 0, grace.is_zero());
        for _ in 0..10 {
            old.get(&server, "/customer/me").problem(401, "invalid_api_key");
            new.get(&server, "/customer/me").expect(200);
        }
        let ended = customer.get(&server, &old.path()).ok();
        assert_eq!(ended["status"], "rotated");
    }
}

#[test]
fn a_revoked_key_never_works_again_not_even_in_its_grace() {
    let server = shared();
    let customer = Customer::on(&server);
    let old = Key::of(&server, &customer, &SCOPES);
    let new = rotate(&server, &customer, &old, 600);
    for key in [&old, &new] {
        key.get(&server, "/customer/me").expect(200);
        revoke(&server, &customer, key).expect(204);
        for answer in at_once(10, |_| key.get(&server, "/customer/me")) {
            answer.problem(401, "token_revoked");
        }
        assert_eq!(customer.get(&server, &key.path()).ok()["status"], "revoked");
        let rotation = post(&format!("{}/rotate", key.path()), &json!({"graceSeconds": 9}));
        let rotation = rotation.bearer(&customer.token).send(&server);
        rotation.problem(409, "key_ended");
        key.get(&server, "/customer/me").problem(401, "token_revoked");
    }
}

#[test]
fn of_many_creations_at_once_at_most_fifty_succeed() {
    let server = shared();
    let customer = Customer::on(&server);
    let answers = at_once(60, |_| creation(&customer, &["customer:read"]).send(&server));
    let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!(made.len(), 50);
    for answer in refused {
        answer.problem(409, "limit_reached");
    }
    let list = customer.get(&server, KEYS).ok();
    assert_eq!(list["data"].as_array().unwrap().len(), 50);
}
