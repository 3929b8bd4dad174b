//! Tokens that nobody signed who may: forged, confused, spelt otherwise. Each is 401 `invalid_token`.

use crate::support::keys;
use crate::support::settings::JWT_SECRETS;
use crate::support::shared::shared;
use crate::support::token::{Token, base64url, hmac};
use crate::tokens_refused::{assert_all_refused, existing};
use rsa::pkcs8::{DecodePublicKey, EncodePublicKey};
use serde_json::json;

const PUBLIC_PEM: &str = include_str!("../data/e2e-rsa-1.public.pem");

#[test]
fn a_token_of_no_signature_is_refused_however_none_is_spelt() {
    let _server = shared();
    let mut tokens = Vec::new();
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        let token = existing().header("alg", alg);
        tokens.push(("unsigned", token.signed(|_| Vec::new())));
        let secret = JWT_SECRETS[0].1.as_bytes();
        tokens.push((
            "signed all the same",
            token
                .header("kid", "hs-2")
                .signed(|message| hmac(secret, message)),
        ));
    }
    let stripped = existing().hs256();
    let (rest, _) = stripped.rsplit_once('.').unwrap();
    tokens.push(("stripped", format!("{rest}.")));
    tokens.push(("stripped with its dot", rest.to_owned()));
    assert_all_refused("invalid_token", tokens);
}

#[test]
fn a_key_that_is_not_ours_signs_nothing() {
    let _server = shared();
    let flipped = existing()
        .header("kid", "hs-2")
        .header("alg", "HS256")
        .signed(|message| {
            let mut signature = hmac(JWT_SECRETS[0].1.as_bytes(), message);
            signature[0] ^= 1;
            signature
        });
    assert_all_refused(
        "invalid_token",
        [
            ("guessed secret", existing().hs256_by(b"secret")),
            ("empty secret", existing().hs256_by(b"")),
            (
                "guessed secret under our kid",
                existing().header("kid", "hs-2").hs256_by(b"secret"),
            ),
            (
                "the right secret under the other kid",
                existing()
                    .header("kid", "hs-1")
                    .hs256_by(JWT_SECRETS[0].1.as_bytes()),
            ),
            (
                "unknown kid",
                existing()
                    .header("kid", "hs-3")
                    .hs256_by(JWT_SECRETS[0].1.as_bytes()),
            ),
            ("one bit", flipped),
            ("foreign RSA key", existing().by("rsa-2")),
            ("foreign Ed25519 key", existing().by("ed-2")),
            (
                "foreign RSA key under our kid",
                existing()
                    .header("alg", "RS256")
                    .header("kid", "rsa-1")
                    .signed(|message| keys::sign("rsa-2", message)),
            ),
        ],
    );
}

#[test]
fn the_header_of_a_token_brings_no_key_along() {
    let server = shared();
    let attacker = keys::public("rsa-2");
    let url = format!("{}/jwks.json", server.origin());
    let by_attacker = |token: Token| token.signed(|message| keys::sign("rsa-2", message));
    let rsa = || existing().header("alg", "RS256");
    assert_all_refused(
        "invalid_token",
        [
            ("jwk", by_attacker(rsa().header("jwk", attacker.clone()))),
            (
                "jwk under our kid",
                by_attacker(rsa().header("jwk", attacker).header("kid", "rsa-1")),
            ),
            (
                "jku",
                by_attacker(rsa().header("jku", url.as_str()).header("kid", "rsa-2")),
            ),
            (
                "x5u",
                by_attacker(rsa().header("x5u", url.as_str()).header("kid", "rsa-2")),
            ),
            (
                "kid as a path",
                by_attacker(rsa().header("kid", "../../../dev/null")),
            ),
            ("kid as a number", by_attacker(rsa().header("kid", 1))),
            ("crit", existing().header("crit", json!(["exp"])).hs256()),
            (
                "b64",
                existing()
                    .header("crit", json!(["b64"]))
                    .header("b64", false)
                    .hs256(),
            ),
        ],
    );
}

#[test]
fn the_algorithm_is_the_keys_and_never_the_tokens() {
    let _server = shared();
    let key = rsa::RsaPublicKey::from_public_key_pem(PUBLIC_PEM).unwrap();
    let der = key.to_public_key_der().unwrap();
    let jwk = keys::public("rsa-1");
    let modulus = rsa::traits::PublicKeyParts::n(&key).to_bytes_be();
    let forms: [(&str, Vec<u8>); 6] = [
        ("PEM", PUBLIC_PEM.into()),
        ("PEM without its last line break", PUBLIC_PEM.trim_end().into()),
        ("DER", der.as_bytes().into()),
        ("modulus", modulus),
        ("modulus as text", jwk["n"].as_str().unwrap().into()),
        ("JWK", jwk.to_string().into()),
    ];
    let mut tokens = Vec::new();
    for (what, secret) in &forms {
        tokens.push((*what, existing().hs256_by(secret)));
        tokens.push((*what, existing().header("kid", "rsa-1").hs256_by(secret)));
    }
    let under = |alg: &str, kid: &str, by: &'static str| {
        existing()
            .header("alg", alg)
            .header("kid", kid)
            .signed(|message| keys::sign(by, message))
    };
    for alg in [
        "RS384", "PS256", "HS256", "ES256", "EdDSA", "rs256", "RSA", "HS512",
    ] {
        tokens.push(("another alg on an RSA signature", under(alg, "rsa-1", "rsa-1")));
    }
    tokens.push(("ES256 under the RSA kid", under("ES256", "rsa-1", "ec-1")));
    tokens.push(("RS256 under the EC kid", under("RS256", "ec-1", "rsa-1")));
    tokens.push(("EdDSA under the EC kid", under("EdDSA", "ec-1", "ed-1")));
    assert_all_refused("invalid_token", tokens);
}

#[test]
fn a_token_is_one_spelling_and_nothing_before_or_behind_it() {
    let _server = shared();
    let good = existing().hs256();
    let (input, signature) = good.rsplit_once('.').unwrap();
    let (header, payload) = input.split_once('.').unwrap();
    // 32 bytes leave two bits of the last character unused; a lax decoder ignores them.
    let last = signature.chars().last().unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let stray = alphabet.chars().nth(alphabet.find(last).unwrap() | 1).unwrap();
    let twice = |name: &str, value: &str| {
        let claims = String::from_utf8(base64_decode(payload)).unwrap();
        let claims = claims.replacen('{', &format!("{{\"{name}\":\"{value}\","), 1);
        let input = format!("{header}.{}", base64url(claims));
        let signature = hmac(JWT_SECRETS[0].1.as_bytes(), input.as_bytes());
        format!("{input}.{}", base64url(signature))
    };
    assert_all_refused(
        "invalid_token",
        [
            ("a letter behind", format!("{good}x")),
            ("a segment behind", format!("{good}.e30")),
            ("a dot behind", format!("{good}.")),
            ("a word behind", format!("{good} x")),
            ("padding", format!("{good}=")),
            ("a comma behind", format!("{good},")),
            ("a dot before", format!(".{good}")),
            (
                "stray bits",
                format!("{input}.{}{stray}", &signature[..signature.len() - 1]),
            ),
            ("standard base64", good.replace(['-', '_'], "+")),
            ("not base64", "a.b.c".to_owned()),
            ("exclamation marks", "!!!.!!!.!!!".to_owned()),
            ("one word", "token".to_owned()),
            ("dots", "..".to_owned()),
            (
                "another payload",
                format!("{header}.{}.{signature}", base64url(r#"{"sub":"x"}"#)),
            ),
            (
                "payload no object",
                format!("{header}.{}.{signature}", base64url("[]")),
            ),
            (
                "header no object",
                format!("{}.{payload}.{signature}", base64url("[]")),
            ),
            (
                "header no JSON",
                format!("{}.{payload}.{signature}", base64url("{")),
            ),
            ("customerId twice", twice("customerId", "other")),
            ("sub twice", twice("sub", "other")),
        ]
        .map(|(what, token)| {
            (
                what,
                if token == good {
                    "unchanged".to_owned()
                } else {
                    token
                },
            )
        }),
    );
}

fn base64_decode(text: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(text)
        .unwrap()
}
