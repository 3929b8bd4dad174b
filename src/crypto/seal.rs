//! Sealed fields: how personal data lies in storage.
//!
//! `0x01 | key version (u32 BE) | nonce (24) | XChaCha20-Poly1305(ciphertext || tag)`
//! (draft-irtf-cfrg-xchacha-03), additional data `customerId|table|column|row`: what was sealed for one place
//! opens in no other. Each column has a key of its own, by HKDF-SHA256 (RFC 5869) of the customer's data key with
//! `info` `user-api/field/v1|table|column`. Nonces are random: 192 bits do not repeat in practice under any number
//! of seals.

use crate::crypto::{Dek, Fingerprint};
use crate::entropy::{Entropy, random};
use crate::error::{Code, Error, Result};
use crate::json;
use crate::types::CustomerId;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use user_api_cipher::{Cipher, KEY_BYTES};

/// The first byte of everything sealed in this form.
const FORMAT: u8 = 1;
/// The version of the data keys that there are. It stands in every field, so that a customer's data key can be
/// replaced one day.
const KEY_VERSION: u32 = 1;
/// Bytes of the nonce; the cipher's.
pub const NONCE_BYTES: usize = 24;
/// Bytes that sealing adds: format, key version, nonce, tag (16).
pub const OVERHEAD_BYTES: usize = 1 + 4 + NONCE_BYTES + 16;

macro_rules! columns {
    ($($(#[$doc:meta])* $variant:ident $table:literal $column:literal;)*) => {
        /// Every column that is sealed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Column { $($(#[$doc])* $variant,)* }

        impl Column {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Table and column, neither with a `|`.
            #[must_use]
            pub const fn names(self) -> (&'static str, &'static str) {
                match self { $(Self::$variant => ($table, $column),)* }
            }
        }
    };
}

columns! {
    /// The e-mail, names and metadata of the customer; the row is `1`.
    CustomerProfile "customer" "profile";
    /// Why the customer has its status, in an operator's words; the row is `1`.
    CustomerStatusReason "customer" "status_reason";
    /// What is known of a user; the row is its id.
    UserProfile "users" "profile";
    /// A user's preferences; the row is its id.
    UserPreferences "users" "preferences";
    /// What a person wrote about an API key; the row is its id.
    ApiKeySettings "api_keys" "settings";
    /// Salt and detail of an audit entry; the row is its number.
    AuditDetail "audit" "detail";
    /// A reply that is kept for a repetition; the row is its scope in hex.
    IdempotencyReply "idempotency" "reply";
    /// What came from the older service; the row is its kind and its key.
    LegacyDocument "legacy" "document";
}

/// One customer's keys, one a column, derived once.
#[derive(Clone)]
pub struct FieldKeys {
    customer: CustomerId,
    fingerprint: Fingerprint,
    /// In the order of [`Column::ALL`].
    ciphers: Vec<Cipher>,
}

impl fmt::Debug for FieldKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FieldKeys(..)")
    }
}

impl FieldKeys {
    /// The keys of one customer, from its data key.
    ///
    /// # Errors
    /// `internal_error`; 32-byte outputs are always within HKDF's bound.
    pub fn derive(customer: &CustomerId, dek: &Dek) -> Result<Self> {
        let root = dek.root();
        let cipher = |column: &Column| {
            let (table, column) = column.names();
            let mut key = [0; KEY_BYTES];
            root.expand(format!("user-api/field/v1|{table}|{column}").as_bytes(), &mut key)
                .map_err(|_| Error::fault("hkdf length"))?;
            Ok(Cipher::new(&key))
        };
        Ok(Self {
            customer: customer.clone(),
            fingerprint: dek.fingerprint()?,
            ciphers: Column::ALL.iter().map(cipher).collect::<Result<_>>()?,
        })
    }

    /// The fingerprint of the data key.
    #[must_use]
    pub const fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// Seals `plain` for one row of a column, which is named by the primary key as text.
    ///
    /// # Errors
    /// `internal_error` without entropy, or for more than 256 GiB, the cipher's bound.
    pub fn seal(
        &self,
        column: Column,
        row: &str,
        plain: &[u8],
        entropy: &mut dyn Entropy,
    ) -> Result<Vec<u8>> {
        self.seal_with(column, row, plain, random(entropy)?)
    }

    /// [`FieldKeys::seal`] with a nonce that must be fresh from the source of entropy.
    ///
    /// # Errors
    /// `internal_error` for more than 256 GiB.
    pub fn seal_with(
        &self,
        column: Column,
        row: &str,
        plain: &[u8],
        nonce: [u8; NONCE_BYTES],
    ) -> Result<Vec<u8>> {
        let ciphertext = self
            .cipher(column)?
            .seal(&nonce, &self.aad(column, row), plain)
            .ok_or_else(|| Error::fault("too much to seal"))?;
        Ok(Sealed::join(KEY_VERSION, nonce, &ciphertext))
    }

    /// [`FieldKeys::seal`] of a document.
    ///
    /// # Errors
    /// As [`FieldKeys::seal`].
    pub fn seal_json<T: Serialize>(
        &self,
        column: Column,
        row: &str,
        document: &T,
        entropy: &mut dyn Entropy,
    ) -> Result<Vec<u8>> {
        self.seal(column, row, &json::to_bytes(document)?, entropy)
    }

    /// Opens what was sealed for this row of this column.
    ///
    /// # Errors
    /// `sealed_data_unreadable` if the form or the key version is unknown, or if a single bit, the place or the
    /// customer is another one.
    pub fn open(&self, column: Column, row: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        let sealed = Sealed::split(sealed).map_err(|why| unreadable(column, why))?;
        if sealed.version != KEY_VERSION {
            return Err(unreadable(column, "of an unknown key version"));
        }
        self.cipher(column)?
            .open(&sealed.nonce, &self.aad(column, row), sealed.ciphertext)
            .ok_or_else(|| unreadable(column, "corrupted"))
    }

    /// [`FieldKeys::open`] of a document.
    ///
    /// # Errors
    /// As [`FieldKeys::open`]; what opens and is no such document is unreadable too.
    pub fn open_json<T: DeserializeOwned>(&self, column: Column, row: &str, sealed: &[u8]) -> Result<T> {
        let plain = self.open(column, row, sealed)?;
        json::read(&plain).map_err(|_| unreadable(column, "of an unknown content"))
    }

    fn cipher(&self, column: Column) -> Result<&Cipher> {
        self.ciphers
            .get(column as usize)
            .ok_or_else(|| Error::fault("a column without a key"))
    }

    fn aad(&self, column: Column, row: &str) -> Vec<u8> {
        let (table, column) = column.names();
        format!("{}|{table}|{column}|{row}", self.customer).into_bytes()
    }
}

/// The parts of something sealed.
pub(super) struct Sealed<'a> {
    pub version: u32,
    pub nonce: [u8; NONCE_BYTES],
    pub ciphertext: &'a [u8],
}

impl<'a> Sealed<'a> {
    /// Puts them together.
    pub fn join(version: u32, nonce: [u8; NONCE_BYTES], ciphertext: &[u8]) -> Vec<u8> {
        let mut sealed = vec![FORMAT];
        sealed.reserve_exact(ciphertext.len().saturating_add(OVERHEAD_BYTES));
        sealed.extend_from_slice(&version.to_be_bytes());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(ciphertext);
        sealed
    }

    /// Takes them apart, or says what it is instead.
    pub fn split(sealed: &'a [u8]) -> Result<Self, &'static str> {
        let (&[format, ref version @ ..], rest) = sealed.split_first_chunk::<5>().ok_or("too short")?;
        let (nonce, ciphertext) = rest.split_first_chunk().ok_or("too short")?;
        if format != FORMAT {
            return Err("of an unknown form");
        }
        Ok(Self {
            version: u32::from_be_bytes(*version),
            nonce: *nonce,
            ciphertext,
        })
    }
}

/// The failure of what cannot be opened.
fn unreadable(column: Column, why: &str) -> Error {
    let (table, column) = column.names();
    Error::new(
        Code::SealedDataUnreadable,
        "Stored data cannot be opened. Nothing was changed.",
    )
    .because(format!("sealed {table}.{column} is {why}"))
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]
mod tests {
    use super::*;

    const REPLY: Column = Column::IdempotencyReply;

    fn keys(customer: &str, dek: u8) -> FieldKeys {
        FieldKeys::derive(&CustomerId::parse(customer).unwrap(), &Dek::new([dek; 32])).unwrap()
    }

    fn sealed(plain: &[u8]) -> Vec<u8> {
        keys("c", 1).seal_with(REPLY, "row-1", plain, [5; 24]).unwrap()
    }

    fn unreadable(opened: Result<Vec<u8>>, why: &str) {
        let error = opened.unwrap_err();
        assert_eq!(error.code, Code::SealedDataUnreadable);
        assert!(error.internal.as_ref().unwrap().ends_with(why), "{why}");
    }

    /// Made with PyNaCl (libsodium `crypto_aead_xchacha20poly1305_ietf_encrypt`) and HKDF of pyca/cryptography.
    #[test]
    fn sealed_form_is_unchanged() {
        let nonce = std::array::from_fn(|at| u8::try_from(at).unwrap());
        let sealed = keys("cust_0123456789ab", 7)
            .seal_with(REPLY, "row-1", "{\"name\":\"Zo\u{eb}\"}".as_bytes(), nonce)
            .unwrap();
        let hex: String = sealed.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hex,
            "0100000001000102030405060708090a0b0c0d0e0f1011121314151617\
             d25762e688073cb6dd9ad94ca502d03295979872b0edbebc98332a1b4b96e5"
        );
    }

    #[test]
    fn what_was_sealed_opens() {
        for plain in [b"".as_slice(), b"a", &[9; 10_000]] {
            let sealed = sealed(plain);
            assert_eq!(sealed.len(), plain.len() + OVERHEAD_BYTES);
            assert_eq!(keys("c", 1).open(REPLY, "row-1", &sealed).unwrap(), plain);
        }
    }

    #[test]
    fn moving_it_to_another_place_or_customer_fails() {
        let keys_of_c = keys("c", 1);
        for &from in Column::ALL {
            let sealed = keys_of_c.seal_with(from, "row-1", b"x", [5; 24]).unwrap();
            for &to in Column::ALL {
                assert_eq!(keys_of_c.open(to, "row-1", &sealed).is_ok(), from == to);
            }
            unreadable(keys_of_c.open(from, "row-2", &sealed), "corrupted");
            unreadable(keys("d", 1).open(from, "row-1", &sealed), "corrupted");
            unreadable(keys("c", 2).open(from, "row-1", &sealed), "corrupted");
        }
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let sealed = sealed(b"some text");
        for bit in 0..sealed.len() * 8 {
            let mut other = sealed.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            let opened = keys("c", 1).open(REPLY, "row-1", &other);
            assert_eq!(opened.unwrap_err().code, Code::SealedDataUnreadable);
        }
        for length in 0..sealed.len() {
            assert!(keys("c", 1).open(REPLY, "row-1", &sealed[..length]).is_err());
        }
    }

    #[test]
    fn what_cannot_be_opened_is_said_to_the_log_alone() {
        let open = |sealed: &[u8]| keys("c", 1).open(REPLY, "row-1", sealed);
        let mut newer = sealed(b"x");
        newer[4] = 2;
        unreadable(open(&newer), "of an unknown key version");
        unreadable(open(&[]), "too short");
        unreadable(open(&[1; 28]), "too short");
        unreadable(open(&[2; 60]), "of an unknown form");
        let document = keys("c", 1).open_json::<bool>(REPLY, "row-1", &sealed(b"1"));
        unreadable(document.map(|_| Vec::new()), "of an unknown content");
        assert_eq!(format!("{:?}", keys("c", 1)), "FieldKeys(..)");
    }
}
