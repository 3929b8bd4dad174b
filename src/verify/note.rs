//! Checkpoints: a signed note (C2SP signed-note) that says where one customer's log ended at a moment.
//!
//! ```text
//! user-api/audit/v1/<customerId>
//! <seq, decimal>
//! <hash, base64>
//! <time, RFC 3339>
//!
//! — user-api/<kid> <base64(key id (4) || Ed25519 signature (64))>
//! ```
//!
//! Key id: the first 4 bytes of SHA-256(key name || 0x0A || 0x01 || public key).

use super::chain::Hash;
use super::{Fault, Place, PublicKeys, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// Longest signed note that is read, in bytes.
pub const MAX_NOTE_BYTES: usize = 8 * 1024;
/// What the first line begins with.
const ORIGIN: &str = "user-api/audit/v1/";
/// The signature type of Ed25519.
const ED25519: u8 = 1;

/// Where a log ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Whose log.
    pub customer_id: String,
    /// The number of its last entry; 0 for a log without one.
    pub seq: u64,
    /// The hash of that entry.
    pub hash: Hash,
    /// When the checkpoint was made, RFC 3339.
    pub at: String,
}

impl Checkpoint {
    /// The text that is signed.
    #[must_use]
    pub fn text(&self) -> String {
        let hash = STANDARD.encode(self.hash);
        format!(
            "{ORIGIN}{}\n{}\n{hash}\n{}\n",
            self.customer_id, self.seq, self.at
        )
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let (origin, seq) = (lines.next()?, lines.next()?);
        let (hash, at) = (lines.next()?, lines.next()?);
        let checkpoint = Self {
            customer_id: origin.strip_prefix(ORIGIN)?.to_owned(),
            seq: seq.parse().ok()?,
            hash: STANDARD.decode(hash).ok()?.try_into().ok()?,
            at: at.to_owned(),
        };
        // One form only: no sign, no leading zero, no further line.
        (checkpoint.text() == text).then_some(checkpoint)
    }

    /// Reads a signed note. Lines of keys that we do not know are passed over, as the format wants; one of a key
    /// that we know must hold, and there must be one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn open(note: &str, keys: &PublicKeys) -> Result<(Self, String)> {
        let fault = |what: &str| Fault::new(Place::Checkpoint, what);
        if note.len() > MAX_NOTE_BYTES {
            return Err(fault("it is too long"));
        }
        let (text, signatures) = note
            .rsplit_once("\n\n")
            .ok_or_else(|| fault("it is no signed note (C2SP)"))?;
        let text = format!("{text}\n");
        let signatures = signatures
            .strip_suffix('\n')
            .ok_or_else(|| fault("it does not end in a newline"))?;
        let mut signer = None;
        for line in signatures.split('\n') {
            let (name, signature) = line
                .strip_prefix("— ")
                .and_then(|rest| rest.split_once(' '))
                .ok_or_else(|| fault("a line below the blank one is no signature"))?;
            let bytes = STANDARD
                .decode(signature)
                .map_err(|_| fault("a signature is no base64"))?;
            let Some((id, signature)) = bytes.split_first_chunk::<4>() else {
                return Err(fault("a signature is too short"));
            };
            let known = keys
                .iter()
                .find(|(kid, public)| key_name(kid) == name && key_id(name, public.as_bytes()) == *id);
            let Some((kid, _)) = known else {
                continue;
            };
            let holds = <[u8; 64]>::try_from(signature)
                .is_ok_and(|signature| keys.holds(kid, text.as_bytes(), &signature));
            if !holds {
                return Err(fault("the signature does not hold"));
            }
            signer = Some(kid.to_owned());
        }
        let signer = signer.ok_or_else(|| fault("none of the public keys signed it"))?;
        let checkpoint = Self::parse(&text).ok_or_else(|| fault("it is none of an audit log of user-api"))?;
        Ok((checkpoint, signer))
    }
}

/// The name of a key in signature lines. C2SP forbids `+` and spaces in it.
#[must_use]
pub fn key_name(kid: &str) -> String {
    format!("user-api/{kid}")
}

/// The key id of a signature line.
#[must_use]
pub fn key_id(name: &str, public: &[u8; 32]) -> [u8; 4] {
    let hash = Sha256::new().chain_update(name).chain_update([b'\n', ED25519]);
    let hash: Hash = hash.chain_update(public).finalize().into();
    let [a, b, c, d, ..] = hash;
    [a, b, c, d]
}

/// The signed note, from its text and the signature over that text.
#[must_use]
pub fn signed(text: &str, kid: &str, public: &[u8; 32], signature: &[u8; 64]) -> String {
    let name = key_name(kid);
    let mut bytes = key_id(&name, public).to_vec();
    bytes.extend_from_slice(signature);
    format!("{text}\n— {name} {}\n", STANDARD.encode(bytes))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::crypto::SigningKeys;

    fn keys(kid: &str, seed: u8) -> SigningKeys {
        SigningKeys::new([(kid, &[seed; 32])].into_iter()).unwrap()
    }

    fn checkpoint() -> Checkpoint {
        Checkpoint {
            customer_id: "cust_1".into(),
            seq: 42,
            hash: [3; 32],
            at: "2026-01-01T00:00:00.000Z".into(),
        }
    }

    /// Computed with Python's `cryptography` after the C2SP text.
    #[test]
    fn checkpoint_form_is_unchanged() {
        assert_eq!(
            keys("k1", 7).note(&checkpoint()),
            "user-api/audit/v1/cust_1\n42\nAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=\n\
             2026-01-01T00:00:00.000Z\n\n— user-api/k1 pK6fMdG8onkUN7V44WkSaj3TWOjOpTtOqJcGFUufNYmisRX8gvvh3Yfeks6p2bqPjici/7RPq5m+fJg+q1YzZXaVOQk=\n"
        );
    }

    #[test]
    fn a_checkpoint_opens_under_its_key_and_says_which() {
        let note = keys("k1", 7).note(&checkpoint());
        let opened = Checkpoint::open(&note, keys("k1", 7).public()).unwrap();
        assert_eq!(opened, (checkpoint(), "k1".to_owned()));
        for (kid, seed) in [("k1", 8), ("k2", 7)] {
            assert!(Checkpoint::open(&note, keys(kid, seed).public()).is_err());
        }
    }

    #[test]
    fn a_witness_of_whom_we_know_nothing_does_no_harm_and_no_good() {
        let note = keys("k1", 7).note(&checkpoint());
        let witness = keys("w", 9).note(&checkpoint());
        let line = witness.lines().last().unwrap();
        assert!(Checkpoint::open(&format!("{note}{line}\n"), keys("k1", 7).public()).is_ok());
        assert!(Checkpoint::open(&witness, keys("k1", 7).public()).is_err());
    }

    #[test]
    fn every_flipped_bit_of_a_checkpoint_is_found() {
        let (keys, note) = (keys("k1", 7), keys("k1", 7).note(&checkpoint()));
        for at in 0..note.len() {
            for bit in 0..8 {
                let mut bytes = note.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                if let Ok(flipped) = String::from_utf8(bytes) {
                    assert!(
                        Checkpoint::open(&flipped, keys.public()).is_err(),
                        "byte {at} bit {bit}"
                    );
                }
            }
        }
    }
}
