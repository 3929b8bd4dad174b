//! `user-api keygen`: complete, strong, new each time, and never over another file.

use crate::run::{Place, parse};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

fn base64_bytes(text: &str) -> usize {
    STANDARD.decode(text).unwrap().len()
}

#[test]
fn every_secret_has_the_form_and_length_that_the_service_asks_for() {
    for environment in ["development", "production"] {
        let settings = parse(&Place::new().ok(&["keygen", "--environment", environment]));
        assert_eq!(settings["ENVIRONMENT"], environment);
        let (kid, secret) = settings["JWT_SECRET"].split_once(':').unwrap();
        assert!(!kid.is_empty() && !secret.contains([',', ':']));
        assert_eq!(URL_SAFE_NO_PAD.decode(secret).unwrap().len(), 32);
        let service = settings["SERVICE_API_KEYS"].strip_prefix("svc_").unwrap();
        assert_eq!(URL_SAFE_NO_PAD.decode(service).unwrap().len(), 32);
        assert_eq!(
            base64_bytes(settings["MASTER_KEYS"].strip_prefix("1:").unwrap()),
            32
        );
        assert_eq!(base64_bytes(&settings["INDEX_KEY"]), 32);
        let (kid, seed) = settings["SIGNING_KEYS"].split_once(':').unwrap();
        assert!(!kid.is_empty() && base64_bytes(seed) == 32);
        let development = environment == "development";
        for name in ["JWT_ISSUER", "JWT_AUDIENCE", "ALLOWED_ORIGINS"] {
            assert_eq!(
                settings.contains_key(name),
                development,
                "{name} in {environment}"
            );
        }
    }
}

#[test]
fn no_two_secrets_are_alike_in_one_run_or_in_two() {
    let place = Place::new();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..2 {
        let settings = parse(&place.ok(&["keygen"]));
        for name in [
            "JWT_SECRET",
            "SERVICE_API_KEYS",
            "MASTER_KEYS",
            "INDEX_KEY",
            "SIGNING_KEYS",
        ] {
            let secret = settings[name].rsplit(':').next().unwrap().to_owned();
            assert!(seen.insert(secret), "{name}");
        }
    }
}

#[test]
fn a_file_of_secrets_is_the_owners_alone_and_is_never_overwritten() {
    let place = Place::new();
    assert_eq!(place.ok(&["keygen", "--out", "vars"]), "");
    #[cfg(unix)]
    assert_eq!(crate::run::mode(&place.path("vars")), 0o600);
    let before = place.read("vars");
    place.refused(&["keygen", "--out", "vars"], 1, &["vars", "exists already"]);
    place.refused(&["keygen", "--out", "no/such/vars"], 1, &["no/such/vars"]);
    assert_eq!(place.read("vars"), before);
}

#[test]
fn a_token_key_pair_leaves_its_private_half_out_of_the_jwk() {
    let place = Place::new();
    let ended = place.run(&["keygen", "--token-key", "EdDSA", "--kid", "k.1"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    let jwk: Value = serde_json::from_str(&ended.stderr).unwrap();
    let fields: Vec<&String> = jwk.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["alg", "crv", "kid", "kty", "use", "x"]);
    assert_eq!(
        (&jwk["kid"], &jwk["alg"], &jwk["use"]),
        (&"k.1".into(), &"EdDSA".into(), &"sig".into())
    );
}

#[test]
fn a_token_key_pair_is_written_whole_or_not_at_all() {
    let place = Place::new();
    place.write("taken", "mine");
    let pair = ["keygen", "--token-key", "ES256", "--out", "new.pem", "--jwk-out"];
    place.refused(&[&pair[..], &["taken"]].concat(), 1, &["taken", "exists already"]);
    place.refused(
        &[&pair[..], &["new.pem"]].concat(),
        1,
        &["new.pem", "exists already"],
    );
    assert!(!place.path("new.pem").exists());
    assert_eq!(place.read("taken"), "mine");
}

#[test]
fn wrong_calls_are_refused_with_code_2() {
    let place = Place::new();
    place.refused(&[], 2, &["Usage"]);
    place.refused(&["verify-nothing"], 2, &["verify-nothing"]);
    place.refused(
        &["keygen", "--environment", "staging"],
        2,
        &["staging", "production"],
    );
    place.refused(&["keygen", "--token-key", "HS256"], 2, &["HS256", "RS256"]);
    place.refused(&["keygen", "--token-key", "ES256", "--kid", "a:b"], 2, &["--kid"]);
    place.refused(&["keygen", "--kid", "a"], 2, &["--token-key"]);
    place.refused(&["keygen", "--jwk-out", "a"], 2, &["--token-key"]);
    let both = ["keygen", "--token-key", "ES256", "--environment", "production"];
    place.refused(&both, 2, &["--environment"]);
}
