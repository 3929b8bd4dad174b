//! Tokens that are right: every algorithm, every way of rotating keys, the older issuer's habits.

use crate::support::http::get;
use crate::support::server::Server;
use crate::support::settings::{AUDIENCE, JWT_SECRETS, Settings};
use crate::support::shared::{Customer, shared};
use crate::support::token::{Token, base64url, hmac, now_secs};
use serde_json::json;

/// The token opens its customer, and only that one.
#[track_caller]
fn assert_accepted(server: &Server, customer: &Customer, token: &str) {
    let body = get("/customer/me").bearer(token).send(server).ok();
    assert_eq!(body["customerId"], customer.id);
}

#[test]
fn all_four_algorithms_are_accepted_with_and_without_kid() {
    let server = shared();
    let customer = Customer::on(&server);
    for kid in ["rsa-1", "ec-1", "ed-1"] {
        assert_accepted(&server, &customer, &Token::of(&customer.id).by(kid));
        let alg = crate::support::keys::algorithm(kid);
        let anonymous = Token::of(&customer.id).header("alg", alg);
        let token = anonymous.signed(|message| crate::support::keys::sign(kid, message));
        assert_accepted(&server, &customer, &token);
    }
    for (kid, secret) in JWT_SECRETS {
        let token = Token::of(&customer.id);
        assert_accepted(&server, &customer, &token.clone().hs256_by(secret.as_bytes()));
        assert_accepted(
            &server,
            &customer,
            &token.header("kid", kid).hs256_by(secret.as_bytes()),
        );
    }
}

#[test]
fn the_access_token_type_of_rfc_9068_is_accepted_and_so_is_none() {
    let server = shared();
    let customer = Customer::on(&server);
    for typ in ["at+jwt", "application/at+jwt", "jwt", "JWT"] {
        assert_accepted(
            &server,
            &customer,
            &Token::of(&customer.id).header("typ", typ).hs256(),
        );
    }
}

#[test]
fn clocks_may_differ_by_a_minute() {
    let server = shared();
    let customer = Customer::on(&server);
    let now = now_secs();
    let ahead = Token::of(&customer.id)
        .claim("iat", now + 40)
        .claim("nbf", now + 40)
        .claim("exp", now + 600);
    assert_accepted(&server, &customer, &ahead.hs256());
}

#[test]
fn one_right_audience_in_a_list_is_enough() {
    let server = shared();
    let customer = Customer::on(&server);
    let token = Token::of(&customer.id).claim("aud", json!(["https://other.e2e.test", AUDIENCE]));
    assert_accepted(&server, &customer, &token.hs256());
}

#[test]
fn the_older_issuer_s_unreplaced_slash_is_understood() {
    let server = shared();
    let customer = Customer::on(&server);
    let secret = JWT_SECRETS[0].1.as_bytes();
    // Some signature holds the character; jti varies until one does.
    let slashed = (0..1000).find_map(|round| {
        let token = Token::of(&customer.id)
            .claim("jti", round.to_string())
            .header("alg", "HS256");
        let token = token.signed(|message| hmac(secret, message));
        let (input, signature) = token.rsplit_once('.')?;
        signature
            .contains('_')
            .then(|| format!("{input}.{}", signature.replace('_', "/")))
    });
    assert_accepted(&server, &customer, &slashed.expect("one of a thousand"));
    assert!(base64url([255, 255, 255]).contains('_'));
}

#[test]
fn both_issuers_of_the_login_service_work_side_by_side() {
    let settings = Settings::default()
        .with("JWT_ISSUER", "auth.idling.app,https://login.e2e.test")
        .with("JWT_AUDIENCE", "default,@customerId,@keyId");
    let server = Server::start(&settings);
    let customer = Customer::on(&server);
    let older = Token::of(&customer.id)
        .claim("iss", "auth.idling.app")
        .subject("user_0123456789ab");
    assert_accepted(&server, &customer, &older.clone().claim("aud", "default").hs256());
    assert_accepted(
        &server,
        &customer,
        &older.clone().claim("aud", customer.id.as_str()).hs256(),
    );
    let newer = Token::of("x")
        .without("customerId")
        .without("email")
        .subject(&customer.id);
    assert_accepted(
        &server,
        &customer,
        &newer.clone().claim("aud", customer.id.as_str()).by("rsa-1"),
    );
    let of_key = newer.clone().claim("keyId", "key-7").claim("aud", "key-7");
    assert_accepted(&server, &customer, &of_key.by("rsa-1"));
    for wrong in [
        older.claim("aud", "somebody-else").hs256(),
        newer.claim("aud", "key-7").by("rsa-1"),
    ] {
        get("/customer/me")
            .bearer(&wrong)
            .send(&server)
            .problem(401, "invalid_token");
    }
}
