//! Accounts are found and made at first use: one e-mail, one customer.

use crate::support::http::{Request, Response, get, post};
use crate::support::server::{Server, new_data};
use crate::support::settings::{SERVICE_KEYS, Settings};
use crate::support::shared::{Customer, fresh_id, shared};
use crate::support::token::{PERSONAL, Token};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

fn email(name: &str) -> String {
    format!("{PERSONAL}.{name}@e2e.test").to_lowercase()
}

/// A token with that verified e-mail that names this id, or none.
fn token(id: Option<&str>, email: &str) -> String {
    let subject = format!("auth0|{email}");
    Token::of("x")
        .claim("customerId", id.map_or(Value::Null, Value::from))
        .claim("email", email)
        .subject(&subject)
        .hs256()
}

fn me(server: &Server, id: Option<&str>, email: &str) -> Response {
    get("/customer/me").bearer(&token(id, email)).send(server)
}

fn ensure(id: Option<&str>, email: &str) -> Request {
    let body = json!({"customerId": id, "email": email});
    post("/internal/customers", &body).service_key(SERVICE_KEYS[0])
}

#[test]
fn the_first_use_of_a_verified_token_makes_the_customer_that_it_names() {
    let server = shared();
    let (id, email) = (fresh_id("first"), email(&fresh_id("first")));
    let customer = me(&server, Some(&id), &email).ok();
    assert_eq!(
        (&customer["customerId"], &customer["email"]),
        (&json!(id), &json!(email))
    );
    assert_eq!(
        (&customer["status"], &customer["plan"]),
        (&json!("active"), &json!("free"))
    );
    assert_eq!(
        me(&server, Some(&id), &email).ok()["createdAt"],
        customer["createdAt"]
    );
}

#[test]
fn a_token_that_names_no_customer_finds_the_one_of_its_e_mail_or_makes_it() {
    let server = shared();
    let known = Customer::on(&server);
    let held = email(&known.id);
    assert_eq!(me(&server, None, &held).ok()["customerId"], known.id);
    let new = email(&fresh_id("null"));
    let id = me(&server, None, &new).ok()["customerId"].clone();
    assert!(id.as_str().unwrap().starts_with("cust_"), "{id}");
    assert_eq!(me(&server, None, &new).ok()["customerId"], id);
    assert_eq!(
        ensure(None, &new).send(&server).expect(200).json()["customerId"],
        id
    );
}

#[test]
fn twenty_at_once_for_one_e_mail_are_one_customer() {
    let server = shared();
    for names_it in [true, false] {
        let email = email(&fresh_id("twenty"));
        let ids: Vec<_> = (0..20).map(|_| names_it.then(|| fresh_id("twenty"))).collect();
        let ask = |(number, id): (usize, &Option<String>)| {
            if number % 2 == 0 {
                me(&server, id.as_deref(), &email).ok()["customerId"].clone()
            } else {
                let response = ensure(id.as_deref(), &email).send(&server);
                assert!([200, 201].contains(&response.status), "{}", response.status);
                response.json()["customerId"].clone()
            }
        };
        let told: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = ids
                .iter()
                .enumerate()
                .map(|each| scope.spawn(move || ask(each)))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(told.iter().all(|id| *id == told[0]), "{told:?}");
        assert_eq!(me(&server, None, &email).ok()["customerId"], told[0]);
    }
}

#[test]
fn an_id_that_became_an_alias_serves_only_tokens_of_its_e_mail() {
    let server = shared();
    let (known, other) = (Customer::on(&server), Customer::on(&server));
    let alias = fresh_id("alias");
    assert_eq!(
        me(&server, Some(&alias), &email(&known.id)).ok()["customerId"],
        known.id
    );
    assert_eq!(
        me(&server, Some(&alias), &email(&known.id)).ok()["customerId"],
        known.id
    );
    assert_eq!(
        me(&server, Some(&alias), &email(&other.id)).ok()["customerId"],
        other.id
    );
    let unverified = Token::of(&alias).claim("email_verified", false).hs256();
    get("/customer/me")
        .bearer(&unverified)
        .send(&server)
        .problem(404, "customer_not_found");
    let stranger = email(&fresh_id("stranger"));
    let made = me(&server, Some(&alias), &stranger).ok()["customerId"].clone();
    assert!(
        made != json!(alias) && made != json!(known.id) && made != json!(other.id),
        "{made}"
    );
}

#[test]
fn a_service_is_told_whether_it_made_the_customer_and_an_existing_one_is_left_alone() {
    let server = shared();
    let known = Customer::on(&server);
    let before = known.now(&server);
    for id in [Some(known.id.as_str()), None, Some(&fresh_id("alias"))] {
        let told = ensure(id, &email(&known.id)).send(&server).expect(200).json();
        assert_eq!(told, json!({"customerId": known.id, "created": false}));
    }
    let told = ensure(Some(&known.id), &email(&fresh_id("else")))
        .send(&server)
        .expect(200)
        .json();
    assert_eq!(told, json!({"customerId": known.id, "created": false}));
    assert_eq!(known.now(&server), before);
}

#[test]
fn whoever_was_killed_in_the_midst_the_next_one_finds_one_customer() {
    let (settings, data) = (Settings::default(), new_data());
    let mut server = Server::start_in(&settings, &data);
    let emails: Vec<_> = (0..6).map(|n| email(&format!("killed-{n}"))).collect();
    let mut answered: Vec<(String, Value)> = Vec::new();
    for round in 0..4 {
        let told = std::sync::Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let (emails, told, server) = (&emails, &told, &server);
                scope.spawn(move || {
                    for (n, email) in emails.iter().enumerate() {
                        let id = (thread % 2 == 0).then(|| format!("killed-{round}-{thread}-{n}"));
                        let Ok(response) = ensure(id.as_deref(), email).try_send(server) else {
                            return;
                        };
                        if [200, 201].contains(&response.status) {
                            let id = response.json()["customerId"].clone();
                            told.lock().unwrap().push((email.clone(), id));
                        }
                    }
                });
            }
            std::thread::sleep(std::time::Duration::from_millis(15 + 25 * round));
            let pid = Pid::from_raw(i32::try_from(server.workerd()).unwrap()).unwrap();
            kill_process(pid, Signal::KILL).unwrap();
        });
        answered.extend(told.into_inner().unwrap());
        drop(server);
        server = Server::start_in(&settings, &data);
    }
    for email in &emails {
        let id = ensure(None, email).send(&server).json()["customerId"].clone();
        assert_eq!(me(&server, None, email).ok()["customerId"], id);
        for (_, told) in answered.iter().filter(|(of, _)| of == email) {
            assert_eq!(*told, id, "an answered id is the customer's");
        }
    }
    server.stop();
}
