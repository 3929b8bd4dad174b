//! E-mail addresses in the one form in which they are compared, indexed and stored. Two spellings of one
//! mailbox must not open two accounts, so every address enters through [`Email::parse`].

use crate::error::{self, Error};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use email_address::{EmailAddress, Options};
use icu_normalizer::ComposingNormalizerBorrowed;
use idna::AsciiDenyList;
use idna::uts46::verify_dns_length;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The longest address in bytes: what fits between the angle brackets of an SMTP path
/// (RFC 5321 section 4.5.3.1.3, with erratum 1690).
pub const MAX_EMAIL_BYTES: usize = 254;

/// A normalised address: trimmed, in lower case and NFC, its domain in IDNA A-labels (RFC 5890
/// section 2.3.2.1). Personal data: never logged, hence no `Debug` that shows it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

impl Email {
    /// The address if `text` is one (RFC 5321 section 4.1.2, local part also in UTF-8 as RFC 6531 allows).
    ///
    /// Quoted local parts, address literals and display names are refused: they give one mailbox several
    /// spellings, and nobody has an account under one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        // Normalising can only lengthen a text a few times over, so a bound before it bounds the work.
        if text.len() > MAX_EMAIL_BYTES {
            return None;
        }
        let (local, domain) = text.rsplit_once('@')?;
        if local.contains(['"', '@']) || local.chars().any(char::is_control) {
            return None;
        }
        let local = local.to_lowercase();
        let local = ComposingNormalizerBorrowed::new_nfc().normalize(&local);
        // `Uts46::new()` in our own code would link its tables a second time: `url` uses them through this function.
        let domain = idna::domain_to_ascii_cow(domain.as_bytes(), AsciiDenyList::STD3).ok()?;
        if !verify_dns_length(&domain, false) {
            return None;
        }
        let address = format!("{local}@{domain}");
        let options = Options::default()
            .without_display_text()
            .without_domain_literal()
            .with_no_minimum_sub_domains();
        let sound =
            address.len() <= MAX_EMAIL_BYTES && EmailAddress::parse_with_options(&address, options).is_ok();
        sound.then_some(Self(address))
    }

    /// The normalised text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

impl TryFrom<String> for Email {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not an e-mail address")
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

/// The blind index of an address: HMAC-SHA256 under a key of its own, by which an e-mail is found again without being
/// stored. 43 characters of base64url (RFC 4648 section 5) as text. Not shown by `Debug`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailIndex([u8; 32]);

impl EmailIndex {
    /// The index with these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The index that a row holds.
    ///
    /// # Errors
    /// `internal_error` if it has another length.
    pub fn from_stored(bytes: &[u8]) -> error::Result<Self> {
        let bytes = bytes.try_into().ok();
        bytes
            .map(Self)
            .ok_or_else(|| Error::fault("a stored e-mail index has another length"))
    }

    /// The bytes, for storage.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for EmailIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailIndex(..)")
    }
}

impl TryFrom<String> for EmailIndex {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok();
        bytes
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or("not an e-mail index")
    }
}

impl From<EmailIndex> for String {
    fn from(index: EmailIndex) -> Self {
        URL_SAFE_NO_PAD.encode(index.0)
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn normal(text: &str) -> Option<String> {
        Email::parse(text).map(String::from)
    }

    #[test]
    fn spellings_of_one_mailbox_become_one_address() {
        for spelling in ["ada@example.com", " Ada@Example.COM\n", "ADA@EXAMPLE.COM"] {
            assert_eq!(normal(spelling).unwrap(), "ada@example.com", "{spelling}");
        }
        assert_eq!(normal("ada@BÜCHER.example").unwrap(), "ada@xn--bcher-kva.example");
        assert_eq!(
            normal("ada@xn--bcher-kva.example").unwrap(),
            "ada@xn--bcher-kva.example"
        );
        assert_eq!(normal("e\u{301}a@x.org"), normal("\u{c9}A@x.org"));
        assert_eq!(
            normal("first.last+tag@sub.example.co.uk").unwrap(),
            "first.last+tag@sub.example.co.uk"
        );
    }

    #[test]
    fn what_is_no_plain_address_is_refused() {
        let long = format!("{}@example.com", "a".repeat(65));
        let longer = format!("a@{}.example.com", vec!["b".repeat(60); 5].join("."));
        for bad in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "a b@example.com",
            "ada@exa mple.com",
            "ada@@example.com",
            "\"a b\"@example.com",
            "Ada <ada@example.com>",
            "ada@[127.0.0.1]",
            "a\u{0}da@example.com",
            "ada@example..com",
            ".ada@example.com",
            "ada.@example.com",
            "ada@exam_ple.com",
            "ada@example.com.",
            "a,b@example.com",
            long.as_str(),
            longer.as_str(),
        ] {
            assert_eq!(normal(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn an_address_does_not_show_in_debug_output() {
        assert!(!format!("{:?}", Email::parse("ada@example.com")).contains("ada"));
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(text in "\\PC{1,20}@\\PC{1,20}(\\.[a-z]{2,4})?") {
            if let Some(once) = normal(&text) {
                prop_assert_eq!(normal(&once), Some(once.clone()));
                prop_assert!(once.len() <= MAX_EMAIL_BYTES);
            }
        }
    }
}
