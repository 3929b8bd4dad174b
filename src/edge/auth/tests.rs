//! Everything that a credential can be and must not be.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod api_keys;
mod cache;
mod claims;
mod confusion;
mod credentials;
mod key_sets;
mod pinned;
mod properties;
mod remembered;

use super::*;
use crate::caller::User;
use crate::edge::settings::Settings;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub const NOW: i64 = 1_800_000_000;
pub const SECRET: &str = "a secret of the older login service, 40+";
pub const SERVICE_KEY: &str = "service-key-0123456789-0123456789";

pub fn now() -> Timestamp {
    Timestamp::from_secs(NOW)
}

/// An authenticator of these settings over a complete set of others.
pub fn authenticator(over: &[(&str, &str)]) -> Authenticator {
    let base = [
        ("JWT_SECRET", SECRET),
        ("JWT_ISSUER", "auth.idling.app, https://login.example"),
        ("JWT_AUDIENCE", "default, @customerId, @keyId"),
        ("SUPER_ADMIN_EMAILS", "root@example.com"),
        (
            "SERVICE_API_KEYS",
            "another-key-0123456789-0123456789,service-key-0123456789-0123456789",
        ),
    ];
    let key = STANDARD.encode([7; 32]);
    let settings = Settings::parse(|name| {
        let set = over.iter().chain(&base).find(|(known, _)| *known == name);
        match name {
            "MASTER_KEYS" => Some(format!("1:{key}")),
            "SIGNING_KEYS" => Some(format!("s1:{key}")),
            "INDEX_KEY" => Some(key.clone()),
            _ => set.map(|(_, text)| (*text).to_owned()),
        }
    });
    Authenticator::new(&settings.unwrap())
}

pub fn claims() -> Value {
    json!({
        "iss": "auth.idling.app", "aud": "default", "sub": "user_0123456789ab", "customerId": "cust_a",
        "email": " Ada@Example.com", "email_verified": true, "iat": NOW - 10, "exp": NOW + 100, "jti": "j1",
        "csrf": "csrf-value", "scope": "a  b",
    })
}

/// The claims with some replaced; null in `over` replaces too, so absence is asked for with `without`.
pub fn with(over: Value) -> Value {
    let mut all = claims();
    all.as_object_mut()
        .unwrap()
        .extend(over.as_object().unwrap().clone());
    all
}

pub fn without(name: &str) -> Value {
    let mut all = claims();
    all.as_object_mut().unwrap().remove(name);
    all
}

pub fn sign_raw(header: &str, payload: &str, secret: &str) -> String {
    let input = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(payload)
    );
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())
        .unwrap()
        .chain_update(&input)
        .finalize();
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(mac.into_bytes()))
}

pub fn sign(claims: &Value) -> String {
    sign_raw(r#"{"alg":"HS256","typ":"JWT"}"#, &claims.to_string(), SECRET)
}

pub fn decide(auth: &Authenticator, credentials: &Credentials<'_>) -> Result<Caller> {
    match auth.authenticate(credentials, &mut JwksCache::default(), now()) {
        Outcome::Done(decided) => decided,
        other => panic!("{other:?}"),
    }
}

pub fn bearer(auth: &Authenticator, token: &str) -> Result<Caller> {
    let header = format!("Bearer {token}");
    decide(
        auth,
        &Credentials {
            authorization: Some(&header),
            ..Credentials::default()
        },
    )
}

pub fn user(decided: Result<Caller>) -> User {
    match decided.unwrap() {
        Caller::User(user) => *user,
        other => panic!("{other:?}"),
    }
}

/// The code and the log's word of a refusal.
pub fn refusal(decided: Result<Caller>) -> (&'static str, String) {
    let error = decided.expect_err("not refused");
    (error.code.as_str(), error.internal.clone().unwrap().into_owned())
}

#[track_caller]
pub fn refused(decided: Result<Caller>, word: &str) {
    let (code, internal) = refusal(decided);
    let reason = Reason::ALL
        .iter()
        .find(|reason| reason.word() == word)
        .expect(word);
    assert_eq!((code, internal.as_str()), (reason.error().code.as_str(), word));
}
