//! Sealed fields as somebody else would open them: written from docs/FORMATS.md alone, on libraries.

use crate::support::store;
use crate::support::token::hmac;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{Key, KeyInit, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use std::path::Path;

/// The bytes of `MASTER_KEYS` of [`crate::support::settings::Settings::default`].
const MASTER: [u8; 32] = [1; 32];

/// One customer's data key.
#[derive(Clone)]
pub struct DataKey {
    customer: String,
    key: Vec<u8>,
}

/// The wrapped key that a customer's vault holds.
pub fn wrapped(data: &Path, customer: &str) -> Option<Vec<u8>> {
    let folder = data.join("user-api-KeyVaultObject");
    let name = format!("{}.sqlite", object_id("user-api-KeyVaultObject", customer));
    if !folder.join(&name).exists() {
        return None;
    }
    let vault = store::open(&folder, name);
    vault
        .sql
        .query_row("SELECT wrapped FROM vault", [], |row| row.get(0))
        .ok()
}

impl DataKey {
    /// The key that the customer's vault holds.
    pub fn of(data: &Path, customer: &str) -> Self {
        let wrapped = wrapped(data, customer).expect("a vault");
        let mut kek = [0; 32];
        Hkdf::<Sha256>::new(Some(customer.as_bytes()), &MASTER)
            .expand(b"user-api/kek/v1", &mut kek)
            .expect("32 bytes");
        let key = open(&kek, &format!("{customer}|key_vault|wrapped|1"), &wrapped).expect("the master key");
        let customer = customer.to_owned();
        Self { customer, key }
    }

    /// The key itself.
    pub fn bytes(&self) -> &[u8] {
        &self.key
    }

    /// What is sealed in that place.
    pub fn open(&self, table: &str, column: &str, row: &str, sealed: &[u8]) -> Vec<u8> {
        let mut key = [0; 32];
        Hkdf::<Sha256>::new(None, &self.key)
            .expand(format!("user-api/field/v1|{table}|{column}").as_bytes(), &mut key)
            .expect("32 bytes");
        let place = format!("{}|{table}|{column}|{row}", self.customer);
        open(&key, &place, sealed).unwrap_or_else(|| panic!("{place} does not open"))
    }
}

fn open(key: &[u8; 32], aad: &str, sealed: &[u8]) -> Option<Vec<u8>> {
    assert_eq!(sealed[..5], [1, 0, 0, 0, 1], "{aad}: another form or version");
    let payload = Payload {
        msg: &sealed[29..],
        aad: aad.as_bytes(),
    };
    XChaCha20Poly1305::new(&Key::from(*key))
        .decrypt(
            &XNonce::from(<[u8; 24]>::try_from(&sealed[5..29]).expect("24 bytes")),
            payload,
        )
        .ok()
}

/// How workerd names the file of an object: HMAC-SHA256 under SHA-256 of the namespace's key, of the name and then
/// of the half that this gave.
fn object_id(unique_key: &str, name: &str) -> String {
    let key = Sha256::digest(unique_key);
    let mut id = hmac(&key, name.as_bytes())[..16].to_vec();
    let tag = hmac(&key, &id);
    id.extend_from_slice(&tag[..16]);
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}
