//! Tokens that try to be verified by the wrong key, by none, or by another reading of their bytes.
use super::*;

fn headed(header: &str) -> Result<Caller> {
    bearer(
        &authenticator(&[]),
        &sign_raw(header, &claims().to_string(), SECRET),
    )
}

#[test]
fn header_types_of_access_tokens_are_accepted_and_no_others() {
    for typ in [
        "JWT",
        "jwt",
        "at+jwt",
        "AT+JWT",
        "application/jwt",
        "Application/at+JWT",
    ] {
        user(headed(&json!({"alg": "HS256", "typ": typ}).to_string()));
    }
    user(headed(r#"{"alg":"HS256"}"#));
    for typ in [
        "JWE",
        "dpop+jwt",
        "logout+jwt",
        "",
        "text/jwt",
        "application/application/jwt",
    ] {
        refused(
            headed(&json!({"alg": "HS256", "typ": typ}).to_string()),
            "wrong_type",
        );
    }
    refused(headed(r#"{"alg":"HS256","typ":1}"#), "malformed_header");
}

#[test]
fn a_header_that_demands_or_repeats_is_refused() {
    refused(
        headed(r#"{"alg":"HS256","crit":["exp"],"exp":1}"#),
        "critical_header",
    );
    refused(headed(r#"{"alg":"HS256","crit":[]}"#), "critical_header");
    refused(headed(r#"{"alg":"none","alg":"HS256"}"#), "malformed_header");
    for header in [
        "[]",
        "null",
        "\"x\"",
        "",
        "{",
        r#"{"typ":"JWT"}"#,
        r#"{"alg":["HS256"]}"#,
        r#"{"alg":"HS256","kid":7}"#,
    ] {
        refused(headed(header), "malformed_header");
    }
    for alg in [
        "none", "None", "HS384", "HS512", "hs256", "RS512", "PS256", "ES256K", "",
    ] {
        refused(
            headed(&json!({ "alg": alg }).to_string()),
            "unsupported_algorithm",
        );
    }
}

#[test]
fn keys_that_a_token_brings_along_are_ignored() {
    let attacker = json!({"kty": "oct", "k": URL_SAFE_NO_PAD.encode("x".repeat(40))});
    let header = json!({"alg": "HS256", "jwk": attacker, "jku": "https://evil.example", "x5u": "https://evil.example"});
    let payload = claims().to_string();
    refused(
        bearer(
            &authenticator(&[]),
            &sign_raw(&header.to_string(), &payload, &"x".repeat(40)),
        ),
        "bad_signature",
    );
    user(headed(&header.to_string()));
}

fn claims_with_nested(value: &str) -> String {
    claims()
        .to_string()
        .replacen('{', &format!(r#"{{"deep":{value},"#), 1)
}

#[test]
fn a_payload_that_is_no_plain_object_is_refused() {
    let auth = authenticator(&[]);
    let duplicate = claims().to_string().replacen('{', r#"{"sub":"root","#, 1);
    // The payload itself is a level.
    let nested = |levels: usize| claims_with_nested(&format!("{}{}", "[".repeat(levels), "]".repeat(levels)));
    user(bearer(
        &auth,
        &sign_raw(r#"{"alg":"HS256"}"#, &nested(31), SECRET),
    ));
    for payload in ["[]", "1", "", "{}{}", duplicate.as_str(), &nested(32)] {
        refused(
            bearer(&auth, &sign_raw(r#"{"alg":"HS256"}"#, payload, SECRET)),
            "malformed_payload",
        );
    }
}

#[test]
fn a_token_has_three_segments_of_strict_base64url_and_nothing_after_them() {
    let auth = authenticator(&[]);
    let token = sign(&claims());
    let parts: Vec<&str> = token.split('.').collect();
    for bad in [
        "",
        "a",
        "a.b",
        ".",
        "..",
        "...",
        &format!("{token}."),
        &format!(".{token}"),
        &format!("{token}.x"),
        &format!("{token}="),
        &format!("{token} x"),
        &format!("{token}\u{0}"),
        &format!("{}.{}", parts[0], parts[1]),
        &format!("{} .{}.{}", parts[0], parts[1], parts[2]),
        &format!("{}\n.{}.{}", parts[0], parts[1], parts[2]),
        &format!("{}.{}.", parts[0], parts[1]),
        &format!("{}=.{}.{}", parts[0], parts[1], parts[2]),
    ] {
        assert!(bearer(&auth, bad).is_err(), "{bad:?}");
    }
    for garbage in ["a", "aa", "AAAA", "%", "\u{e9}"] {
        assert!(
            bearer(&auth, &format!("{token}{garbage}")).is_err(),
            "{garbage:?}"
        );
    }
    // The last character carries unused bits: only one of its spellings is the signature.
    let spellings = (b'!'..=b'~').filter(|last| {
        let mut bytes = token.clone().into_bytes();
        *bytes.last_mut().unwrap() = *last;
        bearer(&auth, std::str::from_utf8(&bytes).unwrap()).is_ok()
    });
    assert_eq!(spellings.count(), 1);
}

#[test]
fn a_token_larger_than_8_kib_is_refused_before_anything_else() {
    let auth = authenticator(&[]);
    let token = sign(&with(json!({"pad": "x".repeat(8192)})));
    refused(bearer(&auth, &token), "token_too_large");
    // A quarter of padding makes the token about as long as is allowed.
    let fits = sign(&with(json!({"pad": "x".repeat(5600)})));
    assert!(fits.len() > 7800 && fits.len() <= MAX_TOKEN_BYTES);
    user(bearer(&auth, &fits));
}

#[test]
fn secrets_rotate_by_kid() {
    let (one, two) = ("1".repeat(32), "2".repeat(32));
    let auth = authenticator(&[("JWT_SECRET", &format!("new:{one},old:{two}"))]);
    let token = |kid: Option<&str>, secret: &str| {
        let header = kid.map_or(json!({"alg": "HS256"}), |kid| json!({"alg": "HS256", "kid": kid}));
        bearer(
            &auth,
            &sign_raw(&header.to_string(), &claims().to_string(), secret),
        )
    };
    user(token(Some("new"), &one));
    user(token(Some("old"), &two));
    user(token(None, &two));
    refused(token(Some("new"), &two), "bad_signature");
    refused(token(Some("gone"), &one), "unknown_kid");
    refused(token(None, SECRET), "bad_signature");
    // A secret without an id fits whatever the issuer calls it.
    user(headed(r#"{"alg":"HS256","kid":"any"}"#));
}

#[test]
fn without_a_secret_no_hs256_token_is_accepted() {
    let jwks = pinned::jwks("pyjwt").to_string();
    let auth = authenticator(&[("JWT_SECRET", ""), ("JWKS", &jwks)]);
    refused(bearer(&auth, &sign(&claims())), "unknown_kid");
}
