//! XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) without generic types, so that it is compiled here. What is sealed
//! with it, and under which key, stands in `user_api::crypto`, as do its tests with vectors of other libraries.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};

/// Bytes of a key.
pub const KEY_BYTES: usize = 32;
/// Bytes of a nonce.
pub const NONCE_BYTES: usize = 24;

/// The cipher under one key.
#[derive(Clone)]
pub struct Cipher(XChaCha20Poly1305);

impl Cipher {
    /// The cipher under this key.
    #[must_use]
    pub fn new(key: &[u8; KEY_BYTES]) -> Self {
        Self(XChaCha20Poly1305::new(key.into()))
    }

    /// Ciphertext and tag; None for more than 256 GiB, the cipher's bound.
    #[must_use]
    #[inline(never)]
    pub fn seal(&self, nonce: &[u8; NONCE_BYTES], aad: &[u8], msg: &[u8]) -> Option<Vec<u8>> {
        self.0.encrypt(&XNonce::from(*nonce), Payload { msg, aad }).ok()
    }

    /// What was sealed; None if a single bit of anything is another one.
    #[must_use]
    #[inline(never)]
    pub fn open(&self, nonce: &[u8; NONCE_BYTES], aad: &[u8], msg: &[u8]) -> Option<Vec<u8>> {
        self.0.decrypt(&XNonce::from(*nonce), Payload { msg, aad }).ok()
    }
}
