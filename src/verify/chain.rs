//! The hash chain of an audit log (`docs/FORMATS.md`, "The chain").

use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

/// A SHA-256.
pub type Hash = [u8; 32];

/// What the first entry is chained to: no two customers' chains begin alike, so none can be swapped.
#[must_use]
pub fn genesis(customer_id: &str) -> Hash {
    Sha256::digest(format!("user-api/audit/v1|{customer_id}")).into()
}

/// The leaf of an entry: its header under a prefix that no link has.
#[must_use]
pub fn leaf(header: &[u8]) -> Hash {
    Sha256::new()
        .chain_update([0])
        .chain_update(header)
        .finalize()
        .into()
}

/// The hash of an entry, from the hash before it and its leaf.
#[must_use]
pub fn link(previous: &Hash, leaf: &Hash) -> Hash {
    let hash = Sha256::new().chain_update([1]).chain_update(previous);
    hash.chain_update(leaf).finalize().into()
}

/// HMAC-SHA256 (RFC 2104) of a canonical detail under its salt, by which a header is bound to it.
#[must_use]
pub fn commitment(salt: &[u8; 32], detail: &[u8]) -> Hash {
    // A key shorter than a block is padded with zeros, by the RFC.
    let mut block = [0; 64];
    block.iter_mut().zip(salt).for_each(|(to, from)| *to = *from);
    let mac = <Hmac<Sha256> as KeyInit>::new(&block.into());
    mac.chain_update(detail).finalize().into_bytes().into()
}

/// Lower-case hex digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16);
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        text.extend([digit(byte >> 4), digit(byte & 15)].into_iter().flatten());
    }
    text
}

/// 32 bytes out of their lower-case hex digits.
#[must_use]
pub fn unhex(text: &str) -> Option<Hash> {
    let mut hash = [0; 32];
    let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if text.len() != 64 || !text.bytes().all(lower) {
        return None;
    }
    for (at, byte) in hash.iter_mut().enumerate() {
        let from = at.checked_mul(2)?;
        *byte = u8::from_str_radix(text.get(from..from.checked_add(2)?)?, 16).ok()?;
    }
    Some(hash)
}
