//! The nouns that every part shares, as types that cannot hold a wrong value. Depends on nothing but
//! [`crate::error`].

// Named, since the verifier's package takes this file from elsewhere.
#[path = "types/rfc3339.rs"]
mod rfc3339;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use std::fmt;
use subtle::ConstantTimeEq;

/// A moment: milliseconds since 1970-01-01T00:00:00Z, from year 0 to year 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

/// Milliseconds in an hour, the grain of every `lastSeenAt`.
const HOUR_MS: i64 = 3_600_000;

impl Timestamp {
    /// The last millisecond of the year 9999, the last that RFC 3339 can write.
    pub const MAX: Self = Self(253_402_300_799_999);

    /// A moment from Unix milliseconds, clamped to the range of the type.
    #[must_use]
    pub fn from_millis(ms: i64) -> Self {
        Self(ms.clamp(0, Self::MAX.0))
    }

    /// A moment from Unix seconds, clamped to the range of the type.
    #[must_use]
    pub fn from_secs(secs: i64) -> Self {
        Self::from_millis(secs.saturating_mul(1000))
    }

    /// Unix milliseconds.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Unix seconds, rounded down.
    #[must_use]
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The start of the hour that holds this moment (UTC).
    #[must_use]
    pub const fn hour(self) -> Self {
        Self(self.0.div_euclid(HOUR_MS).saturating_mul(HOUR_MS))
    }

    /// The moment that an RFC 3339 text names, at any offset, cut off at the millisecond.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        rfc3339::parse(text).map(Self::from_millis)
    }

    /// RFC 3339 in UTC with milliseconds: `2026-01-31T23:59:59.000Z`.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        rfc3339::write(self.0)
    }
}

/// `serialize_with` for a moment that a resource shows: RFC 3339, UTC, milliseconds.
pub fn serialize_rfc3339<S: serde::Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&at.to_rfc3339())
}

/// As [`serialize_rfc3339`], null where there is no moment.
pub fn serialize_rfc3339_option<S: serde::Serializer>(
    at: &Option<Timestamp>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => serialize_rfc3339(at, serializer),
        None => serializer.serialize_none(),
    }
}

macro_rules! bounded_id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The id if the text has the form that the type demands.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                let check: fn(&str) -> bool = $check;
                check(text).then(|| Self(text.to_owned()))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = &'static str;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::parse(&text).ok_or(concat!("not ", $what))
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

bounded_id! {
    /// A customer's id: `^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`. It names the customer's object, so it is never personal data.
    CustomerId, "a customer id", |text| {
        let mut bytes = text.bytes();
        text.len() <= 64
            && bytes.next().is_some_and(|first| first.is_ascii_alphanumeric())
            && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
    }
}

bounded_id! {
    /// A user's id, always one that we could have minted: `user_` and 12 to 32 of `a-z0-9`.
    UserId, "a user id", |text| {
        text.strip_prefix("user_").is_some_and(|rest| {
            (12..=32).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        })
    }
}

bounded_id! {
    /// The id of one request: 1 to 64 of `A-Za-z0-9_-`, ours or a caller's sane one.
    RequestId, "a request id", |text| {
        (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
    }
}

bounded_id! {
    /// An API key's id: `key_` and 32 hex digits in lower case.
    KeyId, "an API key's id", |text| {
        text.strip_prefix("key_").is_some_and(|rest| {
            rest.len() == 32 && rest.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'))
        })
    }
}

impl KeyId {
    /// A new id, `key_` and a UUIDv7 (RFC 9562 section 5.7) without dashes.
    #[must_use]
    pub fn mint(now: Timestamp, random: [u8; 10]) -> Self {
        Self(format!("key_{}", uuid_v7(now, random)))
    }
}

/// What is stored of an API key instead of it: 32 bytes that nobody can turn back into the key. Compared in
/// constant time, never shown by `Debug`, 43 characters of base64url (RFC 4648 section 5) as text.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyDigest([u8; 32]);

impl KeyDigest {
    /// The digest with these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for storage.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for KeyDigest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for KeyDigest {}

impl fmt::Debug for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyDigest(..)")
    }
}

impl TryFrom<String> for KeyDigest {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok();
        bytes
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or("not a key's digest")
    }
}

impl From<KeyDigest> for String {
    fn from(digest: KeyDigest) -> Self {
        URL_SAFE_NO_PAD.encode(digest.0)
    }
}

impl CustomerId {
    /// A new id, `cust_` and a UUIDv7 (RFC 9562 section 5.7) without dashes.
    #[must_use]
    pub fn mint(now: Timestamp, random: [u8; 10]) -> Self {
        Self(format!("cust_{}", uuid_v7(now, random)))
    }

    /// An id that is made of something else, `cust_` and a UUIDv8 (RFC 9562 section 5.8) without dashes.
    #[must_use]
    pub fn derived(bytes: [u8; 16]) -> Self {
        let id = uuid::Builder::from_custom_bytes(bytes).into_uuid();
        Self(format!("cust_{}", id.simple()))
    }
}

impl UserId {
    /// A new id, `user_` and a UUIDv7 (RFC 9562 section 5.7) without dashes.
    #[must_use]
    pub fn mint(now: Timestamp, random: [u8; 10]) -> Self {
        Self(format!("user_{}", uuid_v7(now, random)))
    }
}

impl RequestId {
    /// A new id, `req_` and a UUIDv7 (RFC 9562 section 5.7) without dashes.
    #[must_use]
    pub fn mint(now: Timestamp, random: [u8; 10]) -> Self {
        Self(format!("req_{}", uuid_v7(now, random)))
    }
}

fn uuid_v7(now: Timestamp, random: [u8; 10]) -> uuid::fmt::Simple {
    let millis = u64::try_from(now.as_millis()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &random)
        .into_uuid()
        .simple()
}

/// The version of one resource. Rendered `<incarnation>.<version>`, the opaque part of its ETag
/// (RFC 9110 section 8.8.3). The incarnation is random at creation, so that a customer created anew under
/// an old id never repeats a tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// 16 hex digits.
    pub incarnation: String,
    /// Counts changes, from 1; 0 for a resource that still has its defaults.
    pub number: i64,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.incarnation, self.number)
    }
}

/// What the caller knows of a resource's version, from `If-Match` and `If-None-Match`
/// (RFC 9110 section 13.1), each a list of opaque tags or `*`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// The change is wanted only if the version is one of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub must_match: Option<Tags>,
    /// The content is wanted only if the version is none of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub must_differ: Option<Tags>,
}

/// A list of version tags as a header gives them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tags {
    /// `*`: whatever exists.
    Any,
    /// Opaque tags without their quotes; weak ones are kept apart, because they never satisfy `If-Match`.
    Listed {
        /// Strong tags.
        strong: Vec<String>,
        /// Weak tags (`W/"…"`).
        weak: Vec<String>,
    },
}

impl Tags {
    fn names(list: &[String], version: &str) -> bool {
        list.iter().any(|tag| tag == version)
    }

    /// Strong comparison, for `If-Match`.
    #[must_use]
    pub fn matches_strongly(&self, version: &Version) -> bool {
        match self {
            Self::Any => true,
            Self::Listed { strong, .. } => Self::names(strong, &version.to_string()),
        }
    }

    /// Weak comparison, for `If-None-Match`.
    #[must_use]
    pub fn matches_weakly(&self, version: &Version) -> bool {
        match self {
            Self::Any => true,
            Self::Listed { strong, weak } => {
                let version = version.to_string();
                Self::names(strong, &version) || Self::names(weak, &version)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_rfc3339_with_milliseconds() {
        assert_eq!(Timestamp::from_millis(0).to_rfc3339(), "1970-01-01T00:00:00.000Z");
        assert_eq!(
            Timestamp::from_millis(1_767_225_599_007).to_rfc3339(),
            "2025-12-31T23:59:59.007Z"
        );
        assert_eq!(Timestamp::MAX.to_rfc3339(), "9999-12-31T23:59:59.999Z");
        assert_eq!(
            Timestamp::from_millis(1_709_164_800_000).to_rfc3339(),
            "2024-02-29T00:00:00.000Z"
        );
        assert_eq!(Timestamp::from_millis(-5), Timestamp::from_millis(0));
        assert_eq!(Timestamp::from_secs(i64::MAX), Timestamp::MAX);
        for at in [Timestamp::from_millis(1_767_225_599_007), Timestamp::MAX] {
            assert_eq!(Timestamp::parse_rfc3339(&at.to_rfc3339()), Some(at));
        }
        assert_eq!(
            Timestamp::parse_rfc3339("1969-12-31T00:00:00Z"),
            Some(Timestamp::from_millis(0))
        );
    }

    #[test]
    fn ids_accept_their_form_and_nothing_else() {
        for good in ["a", "cust_0123456789ab", "A-b_9", &"x".repeat(64)] {
            assert!(CustomerId::parse(good).is_some(), "{good}");
        }
        for bad in ["", "_a", "-a", "a b", "a/b", "ü", "a.b", &"x".repeat(65)] {
            assert!(CustomerId::parse(bad).is_none(), "{bad}");
        }
        assert!(UserId::parse("user_0123456789ab").is_some());
        for bad in [
            "user_",
            "user_short",
            "user_0123456789AB",
            "usr_0123456789ab",
            &format!("user_{}", "a".repeat(33)),
        ] {
            assert!(UserId::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn key_ids_are_ours_and_digests_stay_hidden() {
        let id = KeyId::mint(Timestamp::from_millis(1_000), [255; 10]);
        assert_eq!(KeyId::parse(id.as_str()), Some(id));
        for bad in [
            "key_",
            "key_0123456789ab",
            &format!("key_{}", "A".repeat(32)),
            &"a".repeat(36),
        ] {
            assert!(KeyId::parse(bad).is_none(), "{bad}");
        }
        let digest = KeyDigest::new([251; 32]);
        assert_eq!(format!("{digest:?}"), "KeyDigest(..)");
        assert_eq!(KeyDigest::try_from(String::from(digest)), Ok(digest));
        assert_ne!(digest, KeyDigest::new([250; 32]));
        for bad in ["", "AAAA", &"+".repeat(43), &"A".repeat(44)] {
            assert!(KeyDigest::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn minted_ids_have_their_own_form_and_sort_by_time() {
        let early = UserId::mint(Timestamp::from_millis(1_000), [255; 10]);
        let late = UserId::mint(Timestamp::from_millis(2_000), [0; 10]);
        assert!(UserId::parse(early.as_str()).is_some());
        assert!(CustomerId::parse(CustomerId::mint(Timestamp::MAX, [7; 10]).as_str()).is_some());
        assert!(early < late);
    }

    #[test]
    fn weak_tags_never_satisfy_if_match() {
        let version = Version {
            incarnation: "00".into(),
            number: 3,
        };
        let weak = Tags::Listed {
            strong: vec![],
            weak: vec!["00.3".into()],
        };
        assert!(!weak.matches_strongly(&version));
        assert!(weak.matches_weakly(&version));
    }
}
