//! The text of an API key: `uak_live_<customerId>.<24 random bytes, base64url>_<tag, 6 base64url characters>`.
//!
//! 1. It names its customer, so that a request finds the object without a look-up.
//! 2. The tag is the first 36 bits of HMAC-SHA256 (RFC 2104) under the pepper of all before `_<tag>`, so that
//!    whoever makes a key up, or mistypes one, is refused before any object is opened.
//! 3. Stored is only the digest, HMAC-SHA256 under the same pepper of [`DIGEST_DOMAIN`] and the whole text. A
//!    tag's message begins with [`PREFIX`], so neither can ever stand for the other.
//!
//! A customer id and base64url may both hold `_` and `-`; the one `.` and the fixed lengths behind it leave a
//! single way to read a key.

use crate::error::{Error, Result};
use crate::types::{CustomerId, KeyDigest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::fmt;
use subtle::ConstantTimeEq;

/// How every key begins; secret scanners look for it.
pub const PREFIX: &str = "uak_live_";
/// How a key of the older login service begins, of which 43 characters of base64url follow.
pub const LEGACY_PREFIX: &str = "otp_live_sk_";
/// Bytes of randomness in a key.
pub const RANDOM_BYTES: usize = 24;
/// Characters of the randomness in base64url (RFC 4648 section 5): 24 bytes leave no spare bits.
const RANDOM_CHARS: usize = 32;
/// Characters of the tag.
const TAG_CHARS: usize = 6;
/// The first characters of the randomness that people are shown beside the prefix: 24 of its 192 bits.
const SHOWN_CHARS: usize = 4;
/// Characters of a legacy key after its prefix.
const LEGACY_CHARS: usize = 43;
/// What precedes a key's text where its digest is made.
const DIGEST_DOMAIN: &[u8] = b"user-api/api-key-digest/v1|";

/// The key under which API keys are tagged and digested, ready to use. Derived from `INDEX_KEY`, so that
/// rotating the master keys kills no API key.
#[derive(Clone)]
pub struct ApiKeyPepper(Hmac<Sha256>);

impl fmt::Debug for ApiKeyPepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKeyPepper(..)")
    }
}

/// A key that was just made. Its text leaves by [`ApiKeySecret::expose`] alone, once.
#[derive(Clone)]
pub struct ApiKeySecret {
    text: String,
    /// What is stored of it.
    pub digest: KeyDigest,
    /// How it begins, for people: up to the first 4 characters of its randomness.
    pub prefix: String,
    /// Its last 4 characters, for people.
    pub last4: String,
}

impl ApiKeySecret {
    /// The key itself, for the one reply that shows it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for ApiKeySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKeySecret(..)")
    }
}

impl ApiKeyPepper {
    pub(super) fn new(key: &[u8; 32]) -> Result<Self> {
        Hmac::new_from_slice(key)
            .map(Self)
            .map_err(|_| Error::fault("hmac key"))
    }

    /// A new key of `customer`.
    #[must_use]
    pub fn mint(&self, customer: &CustomerId, random: &[u8; RANDOM_BYTES]) -> ApiKeySecret {
        let random = URL_SAFE_NO_PAD.encode(random);
        let body = format!("{PREFIX}{customer}.{random}");
        let tag = self.tag(&body);
        let text = format!("{body}_{tag}");
        let shown: String = random.chars().take(SHOWN_CHARS).collect();
        ApiKeySecret {
            digest: self.digest(&text),
            prefix: format!("{PREFIX}{customer}.{shown}"),
            last4: tag.chars().skip(TAG_CHARS.saturating_sub(SHOWN_CHARS)).collect(),
            text,
        }
    }

    /// The customer that a key names and the digest to look for there, if its tag holds. That such a key exists
    /// only the customer's object can tell.
    #[must_use]
    pub fn parse(&self, text: &str) -> Option<(CustomerId, KeyDigest)> {
        let (customer, secret) = text.strip_prefix(PREFIX)?.split_once('.')?;
        let customer = CustomerId::parse(customer)?;
        if secret.len() != RANDOM_CHARS + 1 + TAG_CHARS || !secret.bytes().all(is_base64url) {
            return None;
        }
        let (body, tag) = text.split_at_checked(text.len().checked_sub(TAG_CHARS + 1)?)?;
        let tag = tag.strip_prefix('_')?;
        let holds: bool = self.tag(body).as_bytes().ct_eq(tag.as_bytes()).into();
        holds.then(|| (customer, self.digest(text)))
    }

    fn tag(&self, body: &str) -> String {
        let mac = self.0.clone().chain_update(body).finalize().into_bytes();
        let mut tag = URL_SAFE_NO_PAD.encode(mac);
        tag.truncate(TAG_CHARS);
        tag
    }

    fn digest(&self, text: &str) -> KeyDigest {
        let mac = self.0.clone().chain_update(DIGEST_DOMAIN).chain_update(text);
        KeyDigest::new(mac.finalize().into_bytes().into())
    }
}

/// The digest of a key of the older login service, which kept a plain SHA-256 of it; `None` unless the text has
/// a legacy key's form.
#[must_use]
pub fn legacy_digest(text: &str) -> Option<KeyDigest> {
    use sha2::Digest;
    let secret = text.strip_prefix(LEGACY_PREFIX)?;
    let sound = secret.len() == LEGACY_CHARS && secret.bytes().all(is_base64url);
    sound.then(|| KeyDigest::new(Sha256::digest(text).into()))
}

const fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

#[cfg(all(test, not(target_arch = "wasm32")))]
#[allow(clippy::unwrap_used, clippy::string_slice, clippy::arithmetic_side_effects)]
mod tests {
    use super::*;
    use crate::crypto::IndexKeys;
    use proptest::prelude::*;

    fn keys() -> IndexKeys {
        IndexKeys::derive(&[7; 32]).unwrap()
    }

    fn minted(customer: &str, random: [u8; 24]) -> ApiKeySecret {
        keys()
            .api_keys()
            .mint(&CustomerId::parse(customer).unwrap(), &random)
    }

    fn hex(digest: KeyDigest) -> String {
        digest
            .as_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// The expected values were computed with Python's `hmac` and `hashlib`.
    #[test]
    fn key_and_digest_are_unchanged() {
        let key = minted("cust_0123456789ab", std::array::from_fn(|i| i as u8));
        assert_eq!(
            key.expose(),
            "uak_live_cust_0123456789ab.AAECAwQFBgcICQoLDA0ODxAREhMUFRYX_rdSHIV"
        );
        assert_eq!(
            hex(key.digest),
            "1dddf7b597c650029ea1d0e869978633aa5416a4c7464faef242a074475330de"
        );
        assert_eq!(
            (key.prefix.as_str(), key.last4.as_str()),
            ("uak_live_cust_0123456789ab.AAEC", "SHIV")
        );
    }

    #[test]
    fn a_legacy_digest_is_the_plain_sha_256() {
        let key = format!("otp_live_sk_{}", "a".repeat(43));
        assert_eq!(
            hex(legacy_digest(&key).unwrap()),
            "e4d48e88e0450a4417322a99a1503f17a0a5271240066e6ee2db8b820a609d24"
        );
        for bad in [
            String::new(),
            key.replace("live", "test"),
            format!("{key}a"),
            key.replace("aaa", "a+a"),
            key[1..].to_owned(),
            format!("otp_live_sk_{}", "a".repeat(42)),
        ] {
            assert_eq!(legacy_digest(&bad), None, "{bad}");
        }
    }

    #[test]
    fn a_secret_is_never_printed() {
        let key = minted("c", [1; 24]);
        assert_eq!(
            format!("{key:?} {:?}", keys().api_keys()),
            "ApiKeySecret(..) ApiKeyPepper(..)"
        );
    }

    #[test]
    fn another_pepper_knows_none_of_our_keys() {
        let other = IndexKeys::derive(&[8; 32]).unwrap();
        assert_eq!(other.api_keys().parse(minted("c", [1; 24]).expose()), None);
    }

    #[test]
    fn what_is_no_key_is_none() {
        let key = minted("c", [1; 24]);
        let text = key.expose();
        for bad in [
            "",
            "uak_live_",
            "uak_live_.",
            "uak_live_c.",
            &text[1..],
            &text[..text.len() - 1],
            &format!("{text}A"),
            &format!("{text}="),
            &format!(" {text}"),
            &format!("{text}, {text}"),
            &text.to_uppercase(),
            &text.replace("live", "test"),
            &text.replace("_c.", "_c.."),
            &text.replace("_c.", "_d."),
            &text.replace("_c.", "_."),
            &text.replace("_c.", "_é."),
            &format!("uak_live_{}.{}", "c".repeat(65), "A".repeat(39)),
            &format!("uak_live_c.{}", "é".repeat(20)),
        ] {
            assert_eq!(keys().api_keys().parse(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn every_key_is_read_back_whatever_its_customer_is_called(
            customer in "[A-Za-z0-9][A-Za-z0-9_-]{0,63}", random: [u8; 24],
        ) {
            let key = minted(&customer, random);
            let read = keys().api_keys().parse(key.expose());
            prop_assert_eq!(read, Some((CustomerId::parse(&customer).unwrap(), key.digest)));
            prop_assert!(key.expose().starts_with(&key.prefix) && key.expose().ends_with(&key.last4));
        }

        #[test]
        fn a_mistyped_key_is_none(random: [u8; 24], place in 0usize..50, typed in "[A-Za-z0-9_.-]") {
            let key = minted("ab", random);
            let text = key.expose();
            let place = place % text.len();
            let wrong = format!("{}{typed}{}", &text[..place], &text[place + 1..]);
            prop_assume!(wrong != text);
            prop_assert_eq!(keys().api_keys().parse(&wrong), None);
        }
    }
}
