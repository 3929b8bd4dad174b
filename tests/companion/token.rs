//! `user-api token`: tokens verify with the right key, and carry what was asked for.

use crate::run::Place;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};
use user_api::types::UserId;

/// The claims, after every check that a service can make.
fn verify(token: &str, alg: Algorithm, key: &DecodingKey) -> (Header, Value) {
    let mut validation = Validation::new(alg);
    validation.set_issuer(&["user-api-dev"]);
    validation.set_audience(&["user-api-dev"]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.leeway = 0;
    let data = jsonwebtoken::decode::<Value>(token.trim_end(), key, &validation).unwrap();
    (data.header, data.claims)
}

/// The claims without any check.
fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

#[test]
fn an_hs256_token_verifies_with_the_secret_of_its_kid() {
    let place = Place::with_secrets();
    let secrets = place.secrets();
    let (kid, secret) = secrets["JWT_SECRET"].split_once(':').unwrap();
    let token = place.ok(&["token", "--customer", "cust_1"]);
    let (header, claims) = verify(
        &token,
        Algorithm::HS256,
        &DecodingKey::from_secret(secret.as_bytes()),
    );
    assert_eq!(header.kid.as_deref(), Some(kid));
    assert_eq!(header.typ.as_deref(), Some("JWT"));
    assert_eq!(claims["customerId"], "cust_1");
    assert!(UserId::parse(claims["sub"].as_str().unwrap()).is_some());
    let (iat, exp) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
    assert!((now() - 30..=now()).contains(&iat));
    assert_eq!(exp - iat, 3600);
}

#[test]
fn an_asymmetric_token_verifies_with_the_public_half_that_keygen_made() {
    let place = Place::with_secrets();
    for (alg, algorithm) in [
        ("RS256", Algorithm::RS256),
        ("ES256", Algorithm::ES256),
        ("EdDSA", Algorithm::EdDSA),
    ] {
        for kid in [None, Some("login-1")] {
            let (pem, jwk) = (format!("{alg}{kid:?}.pem"), format!("{alg}{kid:?}.jwk"));
            let kid_args = kid.map_or(vec![], |kid| vec!["--kid", kid]);
            let pair = ["keygen", "--token-key", alg, "--out", &pem, "--jwk-out", &jwk];
            assert_eq!(place.ok(&[&pair[..], &kid_args].concat()), "");
            let token = place.ok(&[&["token", "--alg", alg, "--key-file", &pem][..], &kid_args].concat());

            let jwk: Jwk = serde_json::from_str(&place.read(&jwk)).unwrap();
            let (header, _) = verify(&token, algorithm, &DecodingKey::from_jwk(&jwk).unwrap());
            assert!(header.kid.is_some());
            assert_eq!(header.kid, jwk.common.key_id, "{alg}");
            assert!(kid.is_none() || header.kid.as_deref() == kid);
        }
    }
}

#[test]
fn every_claim_that_is_asked_for_is_there_and_no_other() {
    let place = Place::with_secrets();
    let bare = claims(&place.ok(&["token"]));
    let names: Vec<&String> = bare.as_object().unwrap().keys().collect();
    assert_eq!(names, ["aud", "csrf", "exp", "iat", "iss", "jti", "sub"]);
    let full = claims(&place.ok(&[
        "token",
        "--customer",
        "null",
        "--sub",
        "user_abcdefabcdef",
        "--email",
        "a@example.com",
        "--email-verified",
        "--admin",
        "--scope",
        "service customer:owner",
        "--ttl",
        "60",
    ]));
    assert_eq!(full["customerId"], Value::Null);
    assert!(full.as_object().unwrap().contains_key("customerId"));
    assert_eq!(full["sub"], "user_abcdefabcdef");
    assert_eq!(full["email"], "a@example.com");
    assert_eq!(full["email_verified"], true);
    assert_eq!(full["isSuperAdmin"], true);
    assert_eq!(full["scope"], "service customer:owner");
    for random in ["jti", "csrf"] {
        assert_ne!(bare[random], full[random]);
        assert_eq!(
            URL_SAFE_NO_PAD
                .decode(full[random].as_str().unwrap())
                .unwrap()
                .len(),
            16
        );
    }
}

#[test]
fn a_claim_in_json_replaces_whatever_else_sets_it() {
    let place = Place::with_secrets();
    let token = claims(&place.ok(&[
        "token",
        "--customer",
        "c",
        "--admin",
        "--claim",
        "exp=1",
        "--claim",
        "aud=[\"a\",\"b\"]",
        "--claim",
        "iss=null",
        "--claim",
        "isSuperAdmin=\"yes\"",
        "--claim",
        "customerId=\"a=b c\"",
        "--claim",
        "x={\"y\":[1.5]}",
        "--claim",
        "x2=1",
        "--claim",
        "x2=2",
    ]));
    assert_eq!(token["exp"], 1);
    assert_eq!(token["aud"], json!(["a", "b"]));
    assert_eq!(token["iss"], Value::Null);
    assert_eq!(token["isSuperAdmin"], "yes");
    assert_eq!(token["customerId"], "a=b c");
    assert_eq!(token["x"], json!({"y": [1.5]}));
    assert_eq!(token["x2"], 2);
}

#[test]
fn a_token_of_no_or_negative_life_has_expired_but_is_otherwise_good() {
    let place = Place::with_secrets();
    for ttl in ["0", "-60"] {
        let token = claims(&place.ok(&["token", "--ttl", ttl]));
        let (iat, exp) = (token["iat"].as_i64().unwrap(), token["exp"].as_i64().unwrap());
        assert!(exp <= now() && iat < exp, "{ttl}");
    }
}

#[test]
fn the_environment_wins_over_the_file_and_serves_without_one() {
    let secret = "0123456789abcdef0123456789abcdef";
    let other = "x".repeat(32);
    let setting = format!("old:{secret},new:{other}");
    let env = [
        ("JWT_SECRET", setting.as_str()),
        ("JWT_ISSUER", " , i1,i2"),
        ("JWT_AUDIENCE", ""),
    ];
    for (place, aud) in [
        (Place::new(), Value::Null),
        (Place::with_secrets(), "user-api-dev".into()),
    ] {
        for (args, kid, secret) in [
            (&["token"][..], "old", secret),
            (&["token", "--kid", "new"][..], "new", &other),
        ] {
            let ended = place.run_with(args, &env);
            assert_eq!(ended.code, Some(0), "{}", ended.stderr);
            let token = claims(&ended.stdout);
            assert_eq!((&token["iss"], &token["aud"]), (&"i1".into(), &aud));
            let mut validation = Validation::new(Algorithm::HS256);
            validation.validate_aud = false;
            let key = DecodingKey::from_secret(secret.as_bytes());
            let data = jsonwebtoken::decode::<Value>(ended.stdout.trim_end(), &key, &validation).unwrap();
            assert_eq!(data.header.kid.as_deref(), Some(kid));
        }
    }
}

#[test]
fn a_bare_secret_makes_tokens_without_a_kid() {
    let place = Place::new();
    place.write(
        "vars",
        "export JWT_SECRET='0123456789abcdef0123456789abcdef' # bare\n",
    );
    let token = place.ok(&["token", "--env-file", "vars"]);
    assert_eq!(jsonwebtoken::decode_header(token.trim_end()).unwrap().kid, None);
}

#[test]
fn an_audience_that_names_a_claim_becomes_its_value() {
    let place = Place::with_secrets();
    let run = |audience: &str, args: &[&str]| {
        place.run_with(&[&["token"], args].concat(), &[("JWT_AUDIENCE", audience)])
    };
    assert_eq!(
        claims(&run("@customerId,x", &["--customer", "c"]).stdout)["aud"],
        "c"
    );
    assert_eq!(
        claims(&run("@keyId", &["--claim", "keyId=\"k\""]).stdout)["aud"],
        "k"
    );
    assert_eq!(
        claims(&run("@customerId", &["--claim", "aud=\"z\""]).stdout)["aud"],
        "z"
    );
    run("@customerId", &[]).is_refusal(&[], 2, &["JWT_AUDIENCE", "--customer"]);
    run("@customerId", &["--customer", "null"]).is_refusal(&[], 2, &["JWT_AUDIENCE", "--customer"]);
    run("@sub", &[]).is_refusal(&[], 1, &["JWT_AUDIENCE", "@customerId"]);
}
