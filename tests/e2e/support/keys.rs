//! The test keys of `tests/data/e2e-keys.json`: signing with them, and their public halves.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rsa::BigUint;
use serde_json::{Map, Value, json};
use sha2::Sha256;
use signature::{SignatureEncoding, Signer};

const KEYS: &str = include_str!("../../data/e2e-keys.json");
/// The members of a JWK that are secret (RFC 7518 sections 6.2.2 and 6.3.2, RFC 8037 section 2).
const PRIVATE_MEMBERS: [&str; 6] = ["d", "p", "q", "dp", "dq", "qi"];

fn jwk(kid: &str) -> Map<String, Value> {
    let set: Value = serde_json::from_str(KEYS).expect("the test keys are JSON");
    let keys = set["keys"].as_array().expect("a JWK set");
    let found = keys.iter().find(|key| key["kid"] == kid);
    found
        .and_then(Value::as_object)
        .unwrap_or_else(|| panic!("no test key {kid}"))
        .clone()
}

/// The public half of one key.
pub fn public(kid: &str) -> Value {
    let mut key = jwk(kid);
    key.retain(|name, _| !PRIVATE_MEMBERS.contains(&name.as_str()));
    Value::Object(key)
}

/// The public halves as a JWK set (RFC 7517 section 5).
pub fn public_set(kids: &[&str]) -> Value {
    json!({"keys": kids.iter().map(|kid| public(kid)).collect::<Vec<_>>()})
}

/// The `alg` of a key.
pub fn algorithm(kid: &str) -> String {
    jwk(kid)["alg"].as_str().expect("alg").to_owned()
}

/// The signature of `message` by the key of that id, as RFC 7518 section 3 and RFC 8037 section 3.1 want it.
pub fn sign(kid: &str, message: &[u8]) -> Vec<u8> {
    let key = jwk(kid);
    let member = |name: &str| {
        let text = key[name].as_str().expect("a member");
        URL_SAFE_NO_PAD.decode(text).expect("base64url")
    };
    match algorithm(kid).as_str() {
        "RS256" => {
            let number = |name| BigUint::from_bytes_be(&member(name));
            let primes = vec![number("p"), number("q")];
            let key = rsa::RsaPrivateKey::from_components(number("n"), number("e"), number("d"), primes);
            let key = rsa::pkcs1v15::SigningKey::<Sha256>::new(key.expect("an RSA key"));
            key.sign(message).to_vec()
        }
        "ES256" => {
            let key = p256::ecdsa::SigningKey::from_slice(&member("d")).expect("a P-256 key");
            let signature: p256::ecdsa::Signature = key.sign(message);
            signature.to_vec()
        }
        "EdDSA" => {
            let seed = member("d").try_into().expect("32 bytes");
            ed25519_dalek::SigningKey::from_bytes(&seed)
                .sign(message)
                .to_vec()
        }
        other => panic!("no such algorithm: {other}"),
    }
}
