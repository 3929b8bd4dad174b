//! A small body in a header field of the call of an object: a body of its own costs the platform a stream, and both
//! sides a turn of its loop more than the call itself.

use crate::error::{Error, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// The header that carries it, in base64 (RFC 4648 section 4).
pub const HEADER: &str = "x-user-api-body";
/// Longest body that goes this way, in bytes.
pub const MAX_BYTES: usize = 4096;

/// The body as a header field; None if it is too long, and goes as a body.
#[must_use]
pub fn enclose(body: &[u8]) -> Option<String> {
    (body.len() <= MAX_BYTES).then(|| STANDARD_NO_PAD.encode(body))
}

/// The body from the header field.
///
/// # Errors
/// `internal_error` if it is none of ours.
pub fn open(text: &str) -> Result<Vec<u8>> {
    let unreadable = || Error::fault("an enclosed body is unreadable");
    let body = STANDARD_NO_PAD.decode(text).map_err(|_| unreadable())?;
    if body.len() > MAX_BYTES {
        return Err(unreadable());
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_body_comes_back_as_it_was_and_a_long_one_does_not_go_this_way() {
        let bytes: Vec<u8> = (0..=255).cycle().take(MAX_BYTES).collect();
        for length in [0, 1, 2, 3, MAX_BYTES] {
            let body = &bytes[..length];
            assert_eq!(
                enclose(body).and_then(|text| open(&text).ok()).as_deref(),
                Some(body)
            );
        }
        assert_eq!(enclose(&vec![0; MAX_BYTES + 1]), None);
        for wrong in ["=", "a", "\n", "é", &"A".repeat(2 * MAX_BYTES)] {
            assert!(open(wrong).is_err(), "{wrong}");
        }
    }
}
