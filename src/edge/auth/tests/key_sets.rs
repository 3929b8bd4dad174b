//! What of a JWK set is used.
use super::*;

fn usable(keys: Value) -> usize {
    KeySet::parse(json!({ "keys": keys }).to_string().as_bytes())
        .unwrap()
        .len()
}

#[test]
fn keys_that_cannot_be_used_are_skipped_and_the_others_kept() {
    let keys = pinned::jwks("pyjwt")["keys"].as_array().unwrap().clone();
    let changed = |index: usize, name: &str, value: Value| {
        let mut key: Value = keys[index].clone();
        key[name] = value;
        key
    };
    for bad in [
        json!({"kty": "oct", "kid": "s", "k": "AAAA"}),
        json!({"kty": "NEW", "kid": "n"}),
        json!({"kid": "no-type"}),
        json!("no object"),
        json!(null),
        changed(0, "use", json!("enc")),
        changed(0, "key_ops", json!(["encrypt"])),
        changed(0, "alg", json!("PS256")),
        changed(0, "alg", json!("RS512")),
        changed(0, "alg", json!("HS256")),
        changed(0, "kid", json!(7)),
        changed(0, "n", json!("AQAB")),
        changed(0, "n", json!("A".repeat(683))),
        changed(0, "e", json!("AQ")),
        changed(0, "e", json!("Ag")),
        changed(0, "e", json!("__________________")),
        changed(0, "e", json!("not base64!")),
        changed(1, "crv", json!("P-384")),
        changed(1, "x", keys[1]["y"].clone()),
        changed(1, "x", json!("AAAA")),
        changed(2, "crv", json!("X25519")),
        changed(2, "x", json!("AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")),
        changed(2, "x", json!("AA")),
    ] {
        assert_eq!(usable(json!([bad, keys[1]])), 1, "{bad}");
    }
    let (mut bare, mut both) = (keys[0].clone(), keys[1].clone());
    for name in ["use", "key_ops", "alg", "kid"] {
        bare.as_object_mut().unwrap().remove(name);
    }
    both["key_ops"] = json!(["sign", "verify"]);
    assert_eq!(
        usable(json!([bare, both, changed(2, "alg", json!("Ed25519"))])),
        3
    );
}

#[test]
fn a_set_that_is_none_or_too_large_is_refused_whole() {
    for bad in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[]} x"#] {
        assert!(KeySet::parse(bad.as_bytes()).is_err(), "{bad}");
    }
    assert!(KeySet::parse(br#"{"keys":[]}"#).unwrap().is_empty());
    assert_eq!(usable(json!(vec![json!({}); 32])), 0);
    assert!(KeySet::parse(json!({"keys": vec![json!({}); 33]}).to_string().as_bytes()).is_err());
    let padded = format!(r#"{{"keys":[]{}}}"#, " ".repeat(MAX_SET_BYTES));
    assert!(KeySet::parse(padded.as_bytes()).is_err());
}

#[test]
fn a_token_without_kid_is_tried_against_few_keys() {
    let key = &pinned::jwks("pyjwt")["keys"][2];
    let set = json!({"keys": vec![key; 10]}).to_string();
    let set = KeySet::parse(set.as_bytes()).unwrap();
    assert_eq!(
        (set.len(), set.candidates(None, Algorithm::EdDsa).count()),
        (10, MAX_TRIES)
    );
    assert_eq!(set.candidates(Some("py-ed"), Algorithm::EdDsa).count(), MAX_TRIES);
    assert_eq!(set.candidates(Some("py-ed"), Algorithm::Es256).count(), 0);
    assert_eq!(set.candidates(Some("other"), Algorithm::EdDsa).count(), 0);
}

#[test]
fn what_was_verified_is_forgotten_with_the_keys() {
    let text = pinned::token("pyjwt", "RS256");
    let token = UnverifiedToken::parse(&text).unwrap();
    let mut cache = JwksCache::default();
    let set = pinned::jwks("pyjwt").to_string();
    assert!(matches!(
        cache.lookup(None, Algorithm::Rs256, now()),
        Lookup::Fetch
    ));
    cache.fetched(now(), set.as_bytes()).unwrap();
    let Lookup::Keys(keys) = cache.lookup(None, Algorithm::Rs256, now()) else {
        panic!("no keys");
    };
    let first = keys.verify(&token).unwrap();
    assert_eq!((keys.verify(&token).unwrap(), keys.remembered()), (first, 1));
    // The same kid and algorithm, another key: what the old one signed is worth nothing.
    let other = &pinned::jwks("jose")["keys"][0];
    let mut rotated = other.clone();
    rotated["kid"] = token.kid.clone().map_or(Value::Null, Value::from);
    let rotated = json!({"keys": [rotated]}).to_string();
    cache.fetched(now(), rotated.as_bytes()).unwrap();
    match cache.lookup(token.kid.as_deref(), Algorithm::Rs256, now()) {
        Lookup::Keys(keys) => assert_eq!(keys.verify(&token).unwrap_err(), Reason::BadSignature),
        _ => panic!("the rotated key is of another algorithm"),
    }
}

#[test]
fn a_remembered_token_still_expires_and_no_other_passes_for_it() {
    let auth = pinned::with_static_keys();
    let text = pinned::token("pyjwt", "RS256");
    let at = |now| {
        let credentials = Credentials {
            authorization: Some(&format!("Bearer {text}")),
            ..Credentials::default()
        };
        match auth.authenticate(&credentials, &mut JwksCache::default(), now) {
            Outcome::Done(decided) => decided,
            _ => panic!("its keys are there"),
        }
    };
    assert!(bearer(&auth, &text).is_ok());
    assert!(at(now()).is_ok());
    let late = Timestamp::from_secs(NOW + 10 * 365 * 86_400);
    assert_eq!(at(late).unwrap_err().code.as_str(), "token_expired");
    let (input, signature) = text.rsplit_once('.').unwrap();
    let mut changed = signature.to_owned();
    changed.replace_range(..1, if signature.starts_with('A') { "B" } else { "A" });
    refused(bearer(&auth, &format!("{input}.{changed}")), "bad_signature");
    let (header, _) = text.split_once('.').unwrap();
    let payload = URL_SAFE_NO_PAD.encode(r#"{"sub":"someone else"}"#);
    refused(
        bearer(&auth, &format!("{header}.{payload}.{signature}")),
        "bad_signature",
    );
}
