//! Cursors of lists: a position that only we can write, bound to what it was made for (whose list, which filters),
//! so that a forged, mistyped or misplaced one is told from ours.
//!
//! `base64url(position | first 12 bytes of HMAC-SHA256(key, length of scope (u64 BE) | scope | position))`. The
//! position is readable to whoever decodes it, so it must be nothing personal.

use crate::error::{Code, Error, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Bytes of a cursor's tag: whoever tries meets one by chance in 2^96.
const TAG_BYTES: usize = 12;
/// Longest cursor, in characters.
pub const MAX_CURSOR_CHARS: usize = 512;

/// The key under which cursors are made, derived from `INDEX_KEY`.
#[derive(Clone)]
pub struct CursorKey(Hmac<Sha256>);

impl std::fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CursorKey(..)")
    }
}

impl CursorKey {
    pub(super) fn new(key: &[u8; 32]) -> Result<Self> {
        Hmac::new_from_slice(key)
            .map(Self)
            .map_err(|_| Error::fault("hmac key"))
    }

    /// The cursor for `position` within `scope`.
    #[must_use]
    pub fn write(&self, scope: &str, position: &[u8]) -> String {
        let mut bytes = position.to_vec();
        bytes.extend(self.tag(scope, position));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The position that a cursor of ours holds.
    ///
    /// # Errors
    /// `invalid_cursor` for anything that [`CursorKey::write`] did not write for this scope.
    pub fn read(&self, scope: &str, cursor: &str) -> Result<Vec<u8>> {
        let invalid = || {
            Error::new(
                Code::InvalidCursor,
                "The cursor is none that this list gave for these filters.",
            )
        };
        if cursor.len() > MAX_CURSOR_CHARS {
            return Err(invalid());
        }
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| invalid())?;
        let at = bytes.len().checked_sub(TAG_BYTES).ok_or_else(invalid)?;
        let (position, tag) = bytes.split_at_checked(at).ok_or_else(invalid)?;
        let holds: bool = self.tag(scope, position).ct_eq(tag).into();
        if holds {
            Ok(position.to_vec())
        } else {
            Err(invalid())
        }
    }

    fn tag(&self, scope: &str, position: &[u8]) -> Vec<u8> {
        let length = (scope.len() as u64).to_be_bytes();
        let mac = self.0.clone().chain_update(length).chain_update(scope);
        let mut tag = mac.chain_update(position).finalize().into_bytes().to_vec();
        tag.truncate(TAG_BYTES);
        tag
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::crypto::IndexKeys;

    fn key() -> CursorKey {
        IndexKeys::derive(&[7; 32]).unwrap().cursors().clone()
    }

    #[test]
    fn a_cursor_is_read_where_it_was_made_and_nowhere_else() {
        let cursor = key().write("audit|cust_1", b"42");
        assert_eq!(key().read("audit|cust_1", &cursor).unwrap(), b"42");
        for scope in ["audit|cust_2", "audit|cust_", ""] {
            assert_eq!(key().read(scope, &cursor).unwrap_err().code, Code::InvalidCursor);
        }
        let other = IndexKeys::derive(&[8; 32]).unwrap();
        assert!(other.cursors().read("audit|cust_1", &cursor).is_err());
    }

    #[test]
    fn every_changed_character_makes_a_cursor_invalid() {
        let cursor = key().write("s", b"12345");
        for at in 0..cursor.len() {
            for typed in "AZaz09-_".chars() {
                let mut wrong: Vec<char> = cursor.chars().collect();
                if wrong[at] != typed {
                    wrong[at] = typed;
                    let wrong: String = wrong.into_iter().collect();
                    assert!(key().read("s", &wrong).is_err(), "{wrong}");
                }
            }
        }
        for bad in ["", "AAAA", "%%%", &format!("{cursor}="), &"A".repeat(513)] {
            assert_eq!(key().read("s", bad).unwrap_err().code, Code::InvalidCursor);
        }
    }

    /// Computed with Python's `hmac`.
    #[test]
    fn cursor_form_is_unchanged() {
        assert_eq!(key().write("audit|cust_1", b"42"), "NDJWcDOOgO1DmcPVD04");
    }
}
