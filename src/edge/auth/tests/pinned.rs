//! Tokens made by other people's libraries (`tests/data/make-tokens.*`): what we accept is what they mean.
use super::*;

fn vectors(library: &str) -> Value {
    let text = match library {
        "pyjwt" => include_str!("../../../../tests/data/tokens-pyjwt.json"),
        _ => include_str!("../../../../tests/data/tokens-jose.json"),
    };
    serde_json::from_str(text).unwrap()
}

pub fn jwks(library: &str) -> Value {
    vectors(library)["jwks"].clone()
}

/// A token of that library by its name in the vectors, which is mostly its algorithm.
pub fn token(library: &str, name: &str) -> String {
    vectors(library)["good"][name].as_str().unwrap().to_owned()
}

pub fn with_static_keys() -> Authenticator {
    let mut keys = jwks("pyjwt")["keys"].as_array().unwrap().clone();
    keys.extend(jwks("jose")["keys"].as_array().unwrap().clone());
    authenticator(&[("JWKS", &json!({ "keys": keys }).to_string())])
}

#[test]
fn tokens_of_pyjwt_and_jose_authenticate() {
    let auth = with_static_keys();
    let mut seen = 0;
    for library in ["pyjwt", "jose"] {
        for (name, token) in vectors(library)["good"].as_object().unwrap() {
            let user = user(bearer(&auth, token.as_str().unwrap()));
            assert_eq!(
                user.customer.unwrap().as_str(),
                "cust_pinned0001",
                "{library} {name}"
            );
            assert_eq!(user.scopes, ["profile", "customer:owner"]);
            assert_eq!((user.email, user.email_verified), (None, false));
            seen += 1;
        }
    }
    assert_eq!(seen, 12);
}

#[test]
fn an_older_token_with_a_raw_slash_in_its_signature_authenticates() {
    let vectors = vectors("pyjwt");
    let token = vectors["legacySlash"].as_str().unwrap();
    assert!(token.rsplit('.').next().unwrap().contains('/'));
    let auth = authenticator(&[]);
    assert_eq!(user(bearer(&auth, token)).customer, None);
    // Only there: the same letter in the header or the payload, or under RS256, stays a fault.
    refused(bearer(&auth, &token.replacen("eyJ", "ey/", 1)), "malformed_token");
    let rs256 = super::pinned::token("pyjwt", "RS256");
    let (head, signature) = rs256.rsplit_once('.').unwrap();
    assert!(signature.contains('_'));
    refused(
        bearer(
            &with_static_keys(),
            &format!("{head}.{}", signature.replace('_', "/")),
        ),
        "malformed_token",
    );
}

#[test]
fn an_older_token_keeps_its_denylist_hash_however_its_signature_is_spelled() {
    let hash = |token: &str| {
        let digest = Sha256::digest(token.to_lowercase());
        digest
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let vectors = vectors("pyjwt");
    let original = vectors["legacySlash"].as_str().unwrap();
    let (head, signature) = original.rsplit_once('.').unwrap();
    let auth = authenticator(&[]);
    let underscores = format!("{head}.{}", signature.replace('/', "_"));
    let one_of_each = format!("{head}.{}", signature.replacen('/', "_", 1));
    for spelling in [original, &underscores, &one_of_each] {
        let hashes = user(bearer(&auth, spelling)).legacy_hashes;
        assert_eq!(hashes, [hash(original), hash(&underscores)], "{spelling}");
    }
    // A signature without either letter has one spelling.
    let plain = (0..)
        .map(|n| sign(&with(json!({"jti": n.to_string()}))))
        .find(|token| !token.rsplit('.').next().unwrap().contains('_'))
        .unwrap();
    assert_eq!(user(bearer(&auth, &plain)).legacy_hashes, [hash(&plain)]);
    // Its newer tokens are RS256; whatever the algorithm, a token that it revoked is known again.
    for algorithm in ["RS256", "ES256", "EdDSA"] {
        let newer = token("pyjwt", algorithm);
        let known = user(bearer(&with_static_keys(), &newer));
        assert_eq!(known.legacy_hashes, [hash(&newer)], "{algorithm}");
    }
}

#[test]
fn no_confusion_of_algorithms_authenticates() {
    let auth = with_static_keys();
    let refused = vectors("pyjwt")["refused"].as_object().unwrap().clone();
    assert!(refused.len() >= 28, "{}", refused.len());
    for (name, token) in refused {
        let (code, word) = refusal(bearer(&auth, token.as_str().unwrap()));
        assert_eq!(code, "invalid_token", "{name}");
        let expected = match name.as_str() {
            name if name.starts_with("HS256") => "bad_signature",
            "ES256 in DER" => "bad_signature",
            _ => "unsupported_algorithm",
        };
        assert_eq!(word, expected, "{name}");
    }
}

#[test]
fn an_hs256_token_signed_with_the_rsa_public_key_fails_also_where_there_is_no_secret() {
    let auth = authenticator(&[("JWT_SECRET", ""), ("JWKS", &jwks("pyjwt").to_string())]);
    for (name, token) in vectors("pyjwt")["refused"].as_object().unwrap() {
        assert_eq!(
            refusal(bearer(&auth, token.as_str().unwrap())).0,
            "invalid_token",
            "{name}"
        );
    }
}

#[test]
fn a_key_verifies_only_its_own_tokens() {
    let keys = jwks("pyjwt")["keys"].as_array().unwrap().clone();
    for (kept, key) in keys.iter().enumerate() {
        let auth = authenticator(&[("JWKS", &json!({"keys": [key]}).to_string())]);
        for (index, alg) in ["RS256", "ES256", "EdDSA"].iter().enumerate() {
            let decided = bearer(&auth, &token("pyjwt", alg));
            assert_eq!(decided.is_ok(), index == kept, "{alg}");
        }
        // The right id on another issuer's key.
        let mut foreign = jwks("jose")["keys"][kept].clone();
        foreign["kid"] = key["kid"].clone();
        let auth = authenticator(&[("JWKS", &json!({"keys": [foreign]}).to_string())]);
        refused(
            bearer(&auth, &token("pyjwt", ["RS256", "ES256", "EdDSA"][kept])),
            "bad_signature",
        );
    }
}

#[test]
fn a_short_rsa_key_is_no_key() {
    let weak = &vectors("pyjwt")["weakRsa"];
    let keys = json!({"keys": [weak["jwk"], jwks("pyjwt")["keys"][0]]});
    let auth = authenticator(&[("JWKS", &keys.to_string())]);
    refused(bearer(&auth, weak["token"].as_str().unwrap()), "unknown_kid");
}

#[test]
fn tokens_of_the_crate_that_the_companion_signs_with_authenticate() {
    // What the companion prints must be what the service accepts.
    let key = jsonwebtoken::EncodingKey::from_secret(SECRET.as_bytes());
    let token = jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims(), &key).unwrap();
    user(bearer(&authenticator(&[]), &token));
}
