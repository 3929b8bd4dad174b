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
