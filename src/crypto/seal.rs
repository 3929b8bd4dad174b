//! Sealed fields: how personal data lies in storage.
//!
//! `0x01 | key version (u32 BE) | nonce (24) | XChaCha20-Poly1305(ciphertext || tag)`
//! (draft-irtf-cfrg-xchacha-03), additional data `customerId|table|column|row`: what was sealed for one place
//! opens in no other. Each column has a key of its own, by HKDF-SHA256 (RFC 5869) with `info`
//! `user-api/field/v1|table|column`. Nonces are random: 192 bits do not repeat in practice under any number of
//! seals.

use crate::error::{Code, Error, Result};
use crate::types::CustomerId;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{Key, KeyInit, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use sha2::Sha256;
use std::fmt;

/// The first byte of everything sealed in this form.
const FORMAT: u8 = 1;
/// Bytes of the nonce.
pub const NONCE_BYTES: usize = 24;
/// Bytes that sealing adds: format, key version, nonce, tag (16).
pub const OVERHEAD_BYTES: usize = 1 + 4 + NONCE_BYTES + 16;

/// Where a sealed field lies within its customer's storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The table, without `|`.
    pub table: &'static str,
    /// The column, without `|`.
    pub column: &'static str,
    /// The row's primary key as text. It comes last, so it may hold anything.
    pub row: &'a str,
}

/// One customer's keys by version.
#[derive(Clone)]
pub struct FieldKeys {
    customer: CustomerId,
    active: (u32, Hkdf<Sha256>),
    older: Vec<(u32, Hkdf<Sha256>)>,
}

impl fmt::Debug for FieldKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FieldKeys({}, ..)", self.active.0)
    }
}

impl FieldKeys {
    /// The keys of one customer, from the master keys by version, the active one first.
    ///
    /// # Errors
    /// `internal_error` if there is no master key.
    pub fn derive<'k>(
        customer: &CustomerId,
        masters: impl IntoIterator<Item = (u32, &'k [u8; 32])>,
    ) -> Result<Self> {
        let mut keys = masters
            .into_iter()
            .map(|(version, master)| (version, root(customer, master)));
        Ok(Self {
            customer: customer.clone(),
            active: keys.next().ok_or_else(|| Error::fault("no master key"))?,
            older: keys.collect(),
        })
    }

    /// Seals `plain` for one place. `nonce` must be fresh from the source of entropy.
    ///
    /// # Errors
    /// `internal_error` for more than 256 GiB, the cipher's bound.
    pub fn seal(&self, place: &Place<'_>, nonce: [u8; NONCE_BYTES], plain: &[u8]) -> Result<Vec<u8>> {
        let (version, root) = &self.active;
        let aad = self.aad(place);
        let payload = Payload {
            msg: plain,
            aad: &aad,
        };
        let ciphertext = cipher(root, place)?
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| Error::fault("too much to seal"))?;
        let mut sealed = Vec::with_capacity(plain.len().saturating_add(OVERHEAD_BYTES));
        sealed.push(FORMAT);
        sealed.extend_from_slice(&version.to_be_bytes());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&ciphertext);
        Ok(sealed)
    }

    /// Opens what was sealed for this place.
    ///
    /// # Errors
    /// `sealed_data_unreadable` if the form or the key version is unknown, or if a single bit, the place or the
    /// customer is another one.
    pub fn open(&self, place: &Place<'_>, sealed: &[u8]) -> Result<Vec<u8>> {
        let (&[format, ref version @ ..], rest) = sealed
            .split_first_chunk::<5>()
            .ok_or_else(|| unreadable(place, "too short"))?;
        let (nonce, ciphertext) = rest
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or_else(|| unreadable(place, "too short"))?;
        if format != FORMAT {
            return Err(unreadable(place, "of an unknown form"));
        }
        let root = self
            .root(u32::from_be_bytes(*version))
            .ok_or_else(|| unreadable(place, "of an unknown key version"))?;
        let aad = self.aad(place);
        let payload = Payload {
            msg: ciphertext,
            aad: &aad,
        };
        cipher(root, place)?
            .decrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| unreadable(place, "corrupted"))
    }

    fn root(&self, version: u32) -> Option<&Hkdf<Sha256>> {
        std::iter::once(&self.active)
            .chain(&self.older)
            .find(|(known, _)| *known == version)
            .map(|(_, root)| root)
    }

    fn aad(&self, place: &Place<'_>) -> Vec<u8> {
        let Place { table, column, row } = place;
        format!("{}|{table}|{column}|{row}", self.customer).into_bytes()
    }
}

/// Where one version of a customer's keys comes from, and the only place that knows: now the master key, salted
/// with the customer's id. A random data key of the customer will take its place (`Hkdf::from_prk` of it); what
/// derives from the root stays as it is.
fn root(customer: &CustomerId, master: &[u8; 32]) -> Hkdf<Sha256> {
    Hkdf::new(Some(customer.as_str().as_bytes()), master)
}

fn cipher(root: &Hkdf<Sha256>, place: &Place<'_>) -> Result<XChaCha20Poly1305> {
    let info = format!("user-api/field/v1|{}|{}", place.table, place.column);
    let mut key = Key::default();
    root.expand(info.as_bytes(), &mut key)
        .map_err(|_| Error::fault("hkdf length"))?;
    Ok(XChaCha20Poly1305::new(&key))
}

fn unreadable(place: &Place<'_>, why: &str) -> Error {
    let internal = format!("sealed {}.{} is {why}", place.table, place.column);
    Error::new(
        Code::SealedDataUnreadable,
        "Stored data cannot be opened. Nothing was changed.",
    )
    .because(internal)
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]
mod tests {
    use super::*;

    const PLACE: Place<'_> = Place {
        table: "idempotency",
        column: "reply",
        row: "row-1",
    };

    fn keys(customer: &str, masters: &[(u32, u8)]) -> FieldKeys {
        let masters: Vec<_> = masters.iter().map(|&(kid, byte)| (kid, [byte; 32])).collect();
        let id = CustomerId::parse(customer).unwrap();
        FieldKeys::derive(&id, masters.iter().map(|(kid, key)| (*kid, key))).unwrap()
    }

    fn unreadable(opened: Result<Vec<u8>>, why: &str) {
        let error = opened.unwrap_err();
        assert_eq!(error.code, Code::SealedDataUnreadable);
        assert!(error.internal.unwrap().ends_with(why), "{why}");
    }

    /// Made with PyNaCl (libsodium `crypto_aead_xchacha20poly1305_ietf_encrypt`) and HKDF of pyca/cryptography.
    #[test]
    fn sealed_form_is_unchanged() {
        let mut nonce = [0; NONCE_BYTES];
        for (byte, at) in nonce.iter_mut().zip(0..) {
            *byte = at;
        }
        let keys = keys("cust_0123456789ab", &[(3, 7)]);
        let sealed = keys
            .seal(&PLACE, nonce, "{\"name\":\"Zo\u{eb}\"}".as_bytes())
            .unwrap();
        let hex: String = sealed.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hex,
            "0100000003000102030405060708090a0b0c0d0e0f1011121314151617\
             3810ee2141436e701e4676f3bd7c13756bbd088768464630ff0b102800b80b"
        );
    }

    #[test]
    fn what_was_sealed_opens_and_an_older_key_still_opens_it() {
        for plain in [b"".as_slice(), b"a", &[9; 10_000]] {
            let sealed = keys("c", &[(1, 1)]).seal(&PLACE, [5; 24], plain).unwrap();
            assert_eq!(sealed.len(), plain.len() + OVERHEAD_BYTES);
            assert_eq!(keys("c", &[(2, 2), (1, 1)]).open(&PLACE, &sealed).unwrap(), plain);
        }
    }

    #[test]
    fn moving_it_to_another_place_or_customer_fails() {
        let sealed = keys("c", &[(1, 1)]).seal(&PLACE, [5; 24], b"x").unwrap();
        for place in [
            Place {
                row: "row-2",
                ..PLACE
            },
            Place {
                column: "body",
                ..PLACE
            },
            Place {
                table: "users",
                ..PLACE
            },
        ] {
            unreadable(keys("c", &[(1, 1)]).open(&place, &sealed), "corrupted");
        }
        unreadable(keys("d", &[(1, 1)]).open(&PLACE, &sealed), "corrupted");
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let keys = keys("c", &[(1, 1), (0, 2)]);
        let sealed = keys.seal(&PLACE, [5; 24], b"some text").unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut other = sealed.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(
                keys.open(&PLACE, &other).unwrap_err().code,
                Code::SealedDataUnreadable
            );
        }
        for length in 0..sealed.len() {
            assert!(keys.open(&PLACE, &sealed[..length]).is_err());
        }
    }

    #[test]
    fn what_cannot_be_opened_is_said_to_the_log_alone() {
        let sealed = keys("c", &[(1, 1)]).seal(&PLACE, [5; 24], b"x").unwrap();
        unreadable(
            keys("c", &[(2, 1)]).open(&PLACE, &sealed),
            "of an unknown key version",
        );
        unreadable(keys("c", &[(1, 1)]).open(&PLACE, &[]), "too short");
        unreadable(keys("c", &[(1, 1)]).open(&PLACE, &[1; 28]), "too short");
        unreadable(keys("c", &[(1, 1)]).open(&PLACE, &[2; 60]), "of an unknown form");
        assert_eq!(
            FieldKeys::derive(&CustomerId::parse("c").unwrap(), [])
                .unwrap_err()
                .code,
            Code::InternalError
        );
        assert_eq!(format!("{:?}", keys("c", &[(1, 1)])), "FieldKeys(1, ..)");
    }
}
