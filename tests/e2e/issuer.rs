//! Keys from `JWKS_URL`: fetched seldom, kept when the issuer fails, never from anywhere else.

use crate::support::http::{Response, get};
use crate::support::issuer::Issuer;
use crate::support::keys::public_set;
use crate::support::raw::Raw;
use crate::support::server::{Server, poll};
use crate::support::settings::Settings;
use crate::support::shared::Customer;
use crate::support::token::Token;
use serde_json::json;
use std::time::{Duration, Instant};

/// Seconds between two fetches while there are keys (`edge::auth::REFRESH_FLOOR_MS`).
const FLOOR: Duration = Duration::from_secs(30);

fn ask(server: &Server, token: &str) -> Response {
    get("/customer/me").bearer(token).send(server)
}

#[test]
fn fifty_first_requests_at_once_fetch_the_keys_once() {
    let issuer = Issuer::publishing(&public_set(&["rsa-1"]));
    let server = Server::start(&Settings::of_issuer(&issuer.url()));
    let customer = Customer::on(&server);
    let token = format!("Bearer {}", Token::of(&customer.id).by("rsa-1"));
    issuer.hold();
    let mut waiting: Vec<_> = (0..50)
        .map(|_| {
            let mut raw = Raw::open(&server);
            raw.head("GET /customer/me", &[("Authorization", &token)]);
            raw
        })
        .collect();
    poll("the keys are fetched", || (issuer.fetches() > 0).then_some(()));
    // All fifty have been sent; one that needs no key is answered behind them.
    get("/health").send(&server).expect(200);
    issuer.release();
    for raw in &mut waiting {
        raw.response().expect(200);
    }
    assert_eq!((issuer.fetches(), issuer.strays()), (1, 0));
}

#[test]
fn every_algorithm_works_with_fetched_keys_and_no_second_fetch() {
    let kids = ["rsa-1", "ec-1", "ed-1"];
    let issuer = Issuer::publishing(&public_set(&kids));
    let server = Server::start(&Settings::of_issuer(&issuer.url()));
    let customer = Customer::on(&server);
    for kid in kids {
        ask(&server, &Token::of(&customer.id).by(kid)).expect(200);
    }
    ask(&server, &Token::of(&customer.id).by("rsa-2")).problem(401, "invalid_token");
    ask(&server, &Token::of(&customer.id).hs256()).problem(401, "invalid_token");
    assert_eq!(issuer.fetches(), 1);
}

#[test]
fn an_unknown_kid_refreshes_the_keys_but_not_more_often_than_the_floor() {
    let issuer = Issuer::publishing(&public_set(&["rsa-1"]));
    let server = Server::start(&Settings::of_issuer(&issuer.url()));
    let customer = Customer::on(&server);
    let began = Instant::now();
    ask(&server, &Token::of(&customer.id).by("rsa-1")).expect(200);
    // Only a minute's worth of requests: the floor is the clock's, so this is polled and not slept for.
    issuer.publish(&public_set(&["rsa-2", "ed-2"]));
    let rotated = Token::of(&customer.id).by("rsa-2");
    let mut refused = 0;
    poll("the new key is known", || {
        let response = ask(&server, &rotated);
        if response.status == 200 {
            return Some(());
        }
        response.problem(401, "invalid_token");
        refused += 1;
        std::thread::sleep(Duration::from_millis(250));
        None
    });
    assert!(began.elapsed() >= FLOOR, "refreshed after {:?}", began.elapsed());
    assert!(refused > 10, "only {refused} requests tried to hurry it");
    assert_eq!(issuer.fetches(), 2);
    ask(&server, &Token::of(&customer.id).by("ed-2")).expect(200);
    ask(&server, &Token::of(&customer.id).by("rsa-1")).problem(401, "invalid_token");
    assert_eq!(issuer.fetches(), 2);
}

#[test]
fn known_keys_serve_on_while_the_issuer_is_down() {
    let mut issuer = Issuer::publishing(&public_set(&["rsa-1"]));
    let server = Server::start(&Settings::of_issuer(&issuer.url()));
    let customer = Customer::on(&server);
    let (known, unknown) = (
        Token::of(&customer.id).by("rsa-1"),
        Token::of(&customer.id).by("rsa-2"),
    );
    ask(&server, &known).expect(200);
    issuer.stop();
    poll("a refresh fails", || {
        ask(&server, &known).expect(200);
        let response = ask(&server, &unknown);
        if response.status == 503 {
            response.problem(503, "issuer_unavailable");
            return Some(());
        }
        response.problem(401, "invalid_token");
        std::thread::sleep(Duration::from_millis(250));
        None
    });
    ask(&server, &known).expect(200);
    assert_eq!(issuer.fetches(), 1);
}

#[test]
fn an_issuer_that_is_down_from_the_start_is_503_and_heals() {
    // A port where nothing can be listening.
    let server = Server::start(&Settings::of_issuer("http://127.0.0.1:1/jwks.json"));
    let response = ask(&server, &Token::of("x").by("rsa-1"));
    assert!(
        response
            .must_header("Retry-After")
            .parse::<u32>()
            .is_ok_and(|seconds| seconds >= 1)
    );
    response.problem(503, "issuer_unavailable");
    get("/health").send(&server).expect(200);
    drop(server);

    let issuer = Issuer::publishing(&json!("no key set"));
    let server = Server::start(&Settings::of_issuer(&issuer.url()));
    let customer = Customer::on(&server);
    let token = Token::of(&customer.id).by("rsa-1");
    ask(&server, &token).problem(503, "issuer_unavailable");
    issuer.publish(&public_set(&["rsa-1"]));
    poll("the keys are there", || {
        (ask(&server, &token).status == 200).then_some(())
    });
}

#[test]
fn an_issuer_that_never_answers_is_503_and_holds_up_nobody_else() {
    let issuer = Issuer::publishing(&public_set(&["rsa-1"]));
    let server = Server::start(&Settings::of_issuer(&issuer.url()));
    issuer.hold();
    let token = format!("Bearer {}", Token::of("x").by("rsa-1"));
    let mut waiting: Vec<_> = (0..5)
        .map(|_| {
            let mut raw = Raw::open(&server);
            raw.head("GET /customer/me", &[("Authorization", &token)]);
            raw
        })
        .collect();
    poll("the keys are fetched", || (issuer.fetches() > 0).then_some(()));
    Customer::on(&server);
    ask(&server, "a.b.c").problem(401, "invalid_token");
    for raw in &mut waiting {
        raw.response().problem(503, "issuer_unavailable");
    }
}

#[test]
fn a_redirecting_issuer_is_not_followed() {
    let trap = Issuer::publishing(&public_set(&["rsa-1"]));
    let issuer = Issuer::redirecting(&trap.url());
    let server = Server::start(&Settings::of_issuer(&issuer.url()));
    ask(&server, &Token::of("x").by("rsa-1")).problem(503, "issuer_unavailable");
    assert_eq!((issuer.fetches(), trap.fetches()), (1, 0));
}

#[test]
fn a_key_set_of_more_than_64_kib_is_refused() {
    let mut set = public_set(&["rsa-1"]);
    set["pad"] = json!("x".repeat(65_536));
    let issuer = Issuer::publishing(&set);
    let server = Server::start(&Settings::of_issuer(&issuer.url()));
    ask(&server, &Token::of("x").by("rsa-1")).problem(503, "issuer_unavailable");
    assert_eq!(issuer.fetches(), 1);
}

#[test]
fn a_token_that_no_issuer_s_key_could_verify_fetches_nothing() {
    let issuer = Issuer::publishing(&public_set(&["rsa-1"]));
    let server = Server::start(&Settings::of_issuer(&issuer.url()));
    for token in [
        "a.b.c".to_owned(),
        Token::of("x").hs256(),
        Token::of("x").header("alg", "none").signed(|_| vec![]),
    ] {
        ask(&server, &token).problem(401, "invalid_token");
    }
    let jku = Token::of("x")
        .header("jku", "http://127.0.0.1:1/")
        .header("alg", "RS512");
    ask(&server, &jku.signed(|_| vec![1])).problem(401, "invalid_token");
    assert_eq!((issuer.fetches(), issuer.strays()), (0, 0));
}
