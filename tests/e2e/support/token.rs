//! Tokens, right ones and hostile ones, made by hand so that each of their bytes can be wrong.

use crate::support::keys;
use crate::support::settings::{AUDIENCE, ISSUER, JWT_SECRETS};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde_json::{Map, Value, json};
use sha2::Sha256;
use std::time::{SystemTime, UNIX_EPOCH};

/// Whatever is personal in these tests holds this word, so that a log can be searched for it.
pub const PERSONAL: &str = "persondata";
/// The `csrf` claim of every token.
pub const CSRF: &str = "csrf-persondata-0123456789";

/// Unix seconds.
pub fn now_secs() -> i64 {
    let elapsed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock after 1970");
    i64::try_from(elapsed.as_secs()).expect("a clock of this age")
}

/// Base64url without padding (RFC 7515 section 2).
pub fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// HMAC-SHA256 (RFC 2104).
pub fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes any key");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

/// A token before it is signed.
#[derive(Clone)]
pub struct Token {
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl Token {
    /// A right token of a user of that customer, for an hour.
    pub fn of(customer: &str) -> Self {
        let now = now_secs();
        let claims = json!({
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": format!("auth0|{PERSONAL}-{customer}"),
            "customerId": customer,
            "email": format!("{PERSONAL}.{customer}@e2e.test").to_lowercase(),
            "email_verified": true,
            "jti": format!("jti-{PERSONAL}-{customer}"),
            "csrf": CSRF,
            "iat": now,
            "exp": now + 3600,
        });
        let Value::Object(claims) = claims else {
            unreachable!()
        };
        Self {
            header: Map::new(),
            claims,
        }
        .header("typ", "JWT")
    }

    /// With this claim.
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.to_owned(), value.into());
        self
    }

    /// Without this claim.
    pub fn without(mut self, name: &str) -> Self {
        assert!(self.claims.remove(name).is_some(), "there was no {name}");
        self
    }

    /// With this header parameter.
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.insert(name.to_owned(), value.into());
        self
    }

    /// Of this `sub`.
    pub fn subject(self, subject: &str) -> Self {
        self.claim("sub", subject)
    }

    /// Signed as the servers of [`crate::support::settings::Settings::default`] expect it.
    pub fn hs256(self) -> String {
        let [(kid, secret), _] = JWT_SECRETS;
        self.header("kid", kid).hs256_by(secret.as_bytes())
    }

    /// Signed with any HMAC key, `kid` as it stands.
    pub fn hs256_by(self, key: &[u8]) -> String {
        self.header("alg", "HS256").signed(|message| hmac(key, message))
    }

    /// Signed by the test key of that id, which its header names.
    pub fn by(self, kid: &str) -> String {
        let alg = keys::algorithm(kid);
        self.header("kid", kid)
            .header("alg", alg)
            .signed(|message| keys::sign(kid, message))
    }

    /// With the signature that `sign` makes; the header as it stands.
    pub fn signed(&self, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
        let input = self.signing_input();
        let signature = base64url(sign(input.as_bytes()));
        format!("{input}.{signature}")
    }

    fn signing_input(&self) -> String {
        let part = |map: &Map<String, Value>| base64url(serde_json::to_vec(map).expect("JSON"));
        format!("{}.{}", part(&self.header), part(&self.claims))
    }
}
