//! A token that was accepted before is not accepted for longer, nor for more, than one that was not.
use super::*;

fn header(token: &str) -> String {
    format!("Bearer {token}")
}

fn at(auth: &Authenticator, token: &str, secs: i64) -> Result<Caller> {
    let authorization = header(token);
    let credentials = Credentials {
        authorization: Some(&authorization),
        ..Credentials::default()
    };
    match auth.authenticate(
        &credentials,
        &mut JwksCache::default(),
        Timestamp::from_secs(secs),
    ) {
        Outcome::Done(decided) => decided,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_remembered_token_comes_to_the_same_caller() {
    let auth = authenticator(&[]);
    let token = sign(&claims());
    let first = user(bearer(&auth, &token));
    assert_eq!(auth.remembered.len(), 1);
    assert_eq!(user(bearer(&auth, &token)), first);
    assert!(!first.legacy_hashes.is_empty());
    let other = sign(&with(json!({"jti": "j2"})));
    assert_eq!(user(bearer(&auth, &other)).jti.as_deref(), Some("j2"));
    assert_eq!(auth.remembered.len(), 2);
}

#[test]
fn a_remembered_token_expires_and_is_not_valid_before_its_time() {
    let auth = authenticator(&[]);
    let token = sign(&with(json!({"nbf": NOW - 5})));
    assert!(at(&auth, &token, NOW).is_ok());
    for (secs, word) in [
        (NOW + 100, "expired"),
        (NOW - 66, "not_yet_valid"),
        (NOW - 100, "not_yet_valid"),
    ] {
        let fresh = refusal(at(&authenticator(&[]), &token, secs));
        assert_eq!(refusal(at(&auth, &token, secs)), fresh, "{word}");
        assert_eq!(fresh.1, word);
    }
    assert!(at(&auth, &token, NOW + 99).is_ok());
}

#[test]
fn what_was_refused_is_not_remembered_and_one_changed_byte_is_another_token() {
    let auth = authenticator(&[]);
    let token = sign(&claims());
    assert!(bearer(&auth, &token).is_ok());
    for at in 0..token.len() {
        let mut other = token.clone().into_bytes();
        other[at] ^= 1;
        let other = String::from_utf8(other).unwrap();
        assert!(bearer(&auth, &other).is_err(), "{at}");
    }
    assert!(bearer(&auth, &sign(&with(json!({"iss": "https://evil.example"})))).is_err());
    assert_eq!(auth.remembered.len(), 1);
}

#[test]
fn a_remembered_cookie_still_needs_the_csrf_token() {
    let auth = authenticator(&[]);
    let cookie = format!("{COOKIE_NAME}={}", sign(&claims()));
    let decided = |csrf_header, unsafe_method| {
        let credentials = Credentials {
            cookie: Some(&cookie),
            csrf_header,
            unsafe_method,
            ..Credentials::default()
        };
        decide(&auth, &credentials)
    };
    assert!(decided(None, false).is_ok());
    refused(decided(None, true), "csrf_no_header");
    refused(decided(Some("other"), true), "csrf_mismatch");
    assert!(decided(Some("csrf-value"), true).is_ok());
}

#[test]
fn a_remembered_token_of_the_issuer_is_worth_what_its_keys_are_worth_now() {
    let auth = authenticator(&[("JWKS_URL", "https://login.example/jwks")]);
    let authorization = header(&pinned::token("pyjwt", "RS256"));
    let credentials = Credentials {
        authorization: Some(&authorization),
        ..Credentials::default()
    };
    let mut cache = JwksCache::default();
    let start = now();
    let later = |ms: i64| Timestamp::from_millis(start.as_millis() + ms);
    let set = pinned::jwks("pyjwt").to_string();
    assert!(matches!(
        auth.authenticate(&credentials, &mut cache, start),
        Outcome::FetchKeys
    ));
    cache.fetched(start, set.as_bytes()).unwrap();
    for _ in 0..2 {
        let outcome = auth.authenticate(&credentials, &mut cache, start);
        assert!(matches!(outcome, Outcome::Done(Ok(_))), "{outcome:?}");
    }
    assert_eq!(auth.remembered.len(), 1);
    // Keys of a certain age are asked for again, by a remembered token too.
    let outcome = auth.authenticate(&credentials, &mut cache, later(FRESH_MS));
    assert!(matches!(outcome, Outcome::FetchKeys), "{outcome:?}");
    // The issuer has taken the key back.
    cache.fetched(later(FRESH_MS), br#"{"keys":[]}"#).unwrap();
    let outcome = auth.authenticate(&credentials, &mut cache, later(FRESH_MS + 1));
    assert!(matches!(outcome, Outcome::Done(Err(_))), "{outcome:?}");
}

#[test]
fn too_many_tokens_and_too_long_ones_are_not_kept() {
    let auth = authenticator(&[]);
    let long = "x".repeat(MAX_REMEMBERED_BYTES);
    assert!(bearer(&auth, &sign(&with(json!({"scope": long})))).is_ok());
    assert_eq!(auth.remembered.len(), 0);
    for number in 0..=MAX_REMEMBERED {
        assert!(bearer(&auth, &sign(&with(json!({"jti": number.to_string()})))).is_ok());
    }
    assert_eq!(auth.remembered.len(), 1);
}
