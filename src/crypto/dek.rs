//! Data keys: each customer's fields are sealed under a random key of its own, which is itself sealed ("wrapped")
//! under a key that derives from the master key. Whoever destroys the wrapped key destroys the data.
//!
//! ```text
//! kek     = HKDF-SHA256 (RFC 5869), salt = customer id, ikm = master key, info = "user-api/kek/v1"
//! wrapped = 0x01 | master key's kid (u32 BE) | nonce (24) | XChaCha20-Poly1305(dek || tag) under kek,
//!           additional data "customerId|key_vault|wrapped|1"
//! ```
//!
//! The fingerprint, which lies beside the data, tells the right key from another and nothing else about it.

use crate::crypto::seal::{NONCE_BYTES, OVERHEAD_BYTES, Sealed};
use crate::entropy::{Entropy, random};
use crate::error::{Code, Error, Result};
use crate::types::CustomerId;
use hkdf::Hkdf;
use sha2::Sha256;
use std::fmt;
use user_api_cipher::{Cipher, KEY_BYTES};

/// Bytes of a data key.
pub const DEK_BYTES: usize = 32;
/// Bytes of a wrapped data key.
pub const WRAPPED_BYTES: usize = DEK_BYTES + OVERHEAD_BYTES;

/// One customer's data key.
pub struct Dek([u8; DEK_BYTES]);

impl fmt::Debug for Dek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dek(..)")
    }
}

/// A data key as its vault holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrapped([u8; WRAPPED_BYTES]);

/// By which a customer's row knows its data key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

/// `MASTER_KEYS` by kid, the active one first.
pub struct MasterKeys(Vec<(u32, [u8; 32])>);

impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKeys(..)")
    }
}

impl Dek {
    /// The key of these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; DEK_BYTES]) -> Self {
        Self(bytes)
    }

    /// From which the keys of the columns derive.
    pub(super) fn root(&self) -> Hkdf<Sha256> {
        Hkdf::new(None, &self.0)
    }

    /// The key's fingerprint.
    ///
    /// # Errors
    /// `internal_error`; a 32-byte output is always within HKDF's bound.
    pub fn fingerprint(&self) -> Result<Fingerprint> {
        let mut print = [0; 32];
        self.root()
            .expand(b"user-api/key-fingerprint/v1", &mut print)
            .map_err(|_| Error::fault("hkdf length"))?;
        Ok(Fingerprint(print))
    }
}

impl Wrapped {
    /// A wrapped key, if the bytes have the length of one. Whether it opens, only [`MasterKeys::unwrap`] tells.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Fingerprint {
    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl MasterKeys {
    /// The master keys by kid, the active one first.
    #[must_use]
    pub const fn new(keys: Vec<(u32, [u8; 32])>) -> Self {
        Self(keys)
    }

    /// A new random data key, wrapped under the active master key.
    ///
    /// # Errors
    /// `internal_error` if there is no master key or no entropy.
    pub fn mint(&self, customer: &CustomerId, entropy: &mut dyn Entropy) -> Result<Wrapped> {
        let dek = Dek::new(random(entropy)?);
        self.wrap(customer, &dek, random(entropy)?)
    }

    /// The data key wrapped under the active master key. `nonce` must be fresh from the source of entropy.
    ///
    /// # Errors
    /// `internal_error` if there is no master key.
    pub fn wrap(&self, customer: &CustomerId, dek: &Dek, nonce: [u8; NONCE_BYTES]) -> Result<Wrapped> {
        let (kid, master) = self.0.first().ok_or_else(|| Error::fault("no master key"))?;
        let ciphertext = kek(customer, master)?
            .seal(&nonce, &aad(customer), &dek.0)
            .ok_or_else(|| Error::fault("a data key does not wrap"))?;
        let wrapped = Sealed::join(*kid, nonce, &ciphertext);
        Wrapped::parse(&wrapped).ok_or_else(|| Error::fault("a wrapped key has another length"))
    }

    /// The data key, and whether it is wrapped under the active master key.
    ///
    /// # Errors
    /// `key_unavailable` if the master key is not there or the bytes are not what [`MasterKeys::wrap`] made for this
    /// customer.
    pub fn unwrap(&self, customer: &CustomerId, wrapped: &Wrapped) -> Result<(Dek, bool)> {
        let sealed =
            Sealed::split(&wrapped.0).map_err(|why| unavailable(format!("the wrapped key is {why}")))?;
        let found = self.0.iter().position(|(kid, _)| *kid == sealed.version);
        let (at, (_, master)) = found
            .and_then(|at| Some((at, self.0.get(at)?)))
            .ok_or_else(|| unavailable(format!("MASTER_KEYS has no kid {}", sealed.version)))?;
        let opened = kek(customer, master)?.open(&sealed.nonce, &aad(customer), sealed.ciphertext);
        let bytes: Option<[u8; DEK_BYTES]> = opened.and_then(|bytes| bytes.try_into().ok());
        let bytes = bytes.ok_or_else(|| unavailable("the wrapped key is corrupted"))?;
        Ok((Dek(bytes), at == 0))
    }
}

/// The failure of a customer whose key cannot be had.
#[must_use]
pub fn unavailable(why: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(
        Code::KeyUnavailable,
        "The key to this customer's data cannot be had now. Nothing was changed.",
    )
    .because(why)
}

fn kek(customer: &CustomerId, master: &[u8; 32]) -> Result<Cipher> {
    let mut key = [0; KEY_BYTES];
    Hkdf::<Sha256>::new(Some(customer.as_str().as_bytes()), master)
        .expand(b"user-api/kek/v1", &mut key)
        .map_err(|_| Error::fault("hkdf length"))?;
    Ok(Cipher::new(&key))
}

fn aad(customer: &CustomerId) -> Vec<u8> {
    format!("{customer}|key_vault|wrapped|1").into_bytes()
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]
mod tests {
    use super::*;

    fn masters(keys: &[(u32, u8)]) -> MasterKeys {
        MasterKeys::new(keys.iter().map(|&(kid, byte)| (kid, [byte; 32])).collect())
    }

    fn id(text: &str) -> CustomerId {
        CustomerId::parse(text).unwrap()
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn counting<const N: usize>() -> [u8; N] {
        std::array::from_fn(|at| u8::try_from(at).unwrap())
    }

    fn refused(outcome: Result<(Dek, bool)>, why: &str) {
        let error = outcome.unwrap_err();
        assert_eq!(
            (error.code, error.internal.as_deref()),
            (Code::KeyUnavailable, Some(why))
        );
    }

    /// Made with PyNaCl (libsodium) and HKDF of pyca/cryptography.
    #[test]
    fn wrapped_form_and_fingerprint_are_unchanged() {
        let dek = Dek::new(counting());
        let wrapped = masters(&[(3, 7)])
            .wrap(&id("cust_0123456789ab"), &dek, counting())
            .unwrap();
        assert_eq!(
            hex(wrapped.as_bytes()),
            "0100000003000102030405060708090a0b0c0d0e0f10111213141516176394468de59fb430a0eb4ba6bf47814b\
             3494296432d4fd60293d37add52b0eacc671697545bfeddf20bfdf06fd708f82"
        );
        assert_eq!(
            hex(dek.fingerprint().unwrap().as_bytes()),
            "9b6f7f0d169302a4312ef4129abf9c2b0ea448a00bf3779cd69033900db94730"
        );
    }

    #[test]
    fn what_was_wrapped_opens_under_an_older_key_too_and_says_so() {
        let dek = Dek::new([5; 32]);
        let wrapped = masters(&[(1, 1)]).wrap(&id("c"), &dek, [9; 24]).unwrap();
        for (keys, is_current) in [
            (&[(1, 1)][..], true),
            (&[(1, 1), (2, 2)], true),
            (&[(2, 2), (1, 1)], false),
        ] {
            let (opened, current) = masters(keys).unwrap(&id("c"), &wrapped).unwrap();
            assert_eq!((opened.0, current), ([5; 32], is_current));
        }
    }

    #[test]
    fn a_wrapped_key_opens_for_its_customer_under_its_master_and_unchanged_only() {
        let wrapped = masters(&[(1, 1)])
            .wrap(&id("c"), &Dek::new([5; 32]), [9; 24])
            .unwrap();
        refused(
            masters(&[(1, 1)]).unwrap(&id("d"), &wrapped),
            "the wrapped key is corrupted",
        );
        refused(
            masters(&[(1, 2)]).unwrap(&id("c"), &wrapped),
            "the wrapped key is corrupted",
        );
        refused(
            masters(&[(2, 1)]).unwrap(&id("c"), &wrapped),
            "MASTER_KEYS has no kid 1",
        );
        for bit in 0..WRAPPED_BYTES * 8 {
            let mut bytes = wrapped.0;
            bytes[bit / 8] ^= 1 << (bit % 8);
            let error = masters(&[(1, 1), (0, 3)])
                .unwrap(&id("c"), &Wrapped(bytes))
                .unwrap_err();
            assert_eq!(error.code, Code::KeyUnavailable);
        }
        assert_eq!(Wrapped::parse(&wrapped.0[1..]), None);
    }

    #[test]
    fn without_a_master_key_nothing_is_wrapped_and_no_key_is_ever_printed() {
        let dek = Dek::new([5; 32]);
        let error = masters(&[]).wrap(&id("c"), &dek, [9; 24]).unwrap_err();
        assert_eq!(error.code, Code::InternalError);
        assert_eq!(
            format!("{dek:?} {:?}", masters(&[(1, 77)])),
            "Dek(..) MasterKeys(..)"
        );
    }
}
