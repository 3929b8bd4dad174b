//! Random bytes from the operating system, in the forms that keys and ids need. A generator that fails is
//! an error, never a weaker key.

use super::failure::{Failure, Result};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rand::rngs::{OsRng, StdRng};
use rand::{RngCore, SeedableRng};
use std::fmt::Write;

/// `N` random bytes.
///
/// # Errors
/// The operating system's generator fails.
pub fn bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    OsRng
        .try_fill_bytes(&mut bytes)
        .map_err(|error| Failure::failed(format!("the system's random generator fails: {error}")))?;
    Ok(bytes)
}

/// `N` random bytes in base64 with padding (RFC 4648 section 4).
///
/// # Errors
/// As [`bytes`].
pub fn base64<const N: usize>() -> Result<String> {
    Ok(STANDARD.encode(bytes::<N>()?))
}

/// `N` random bytes in base64url without padding (RFC 4648 section 5).
///
/// # Errors
/// As [`bytes`].
pub fn base64url<const N: usize>() -> Result<String> {
    Ok(URL_SAFE_NO_PAD.encode(bytes::<N>()?))
}

/// `N` random bytes in lower-case hex.
///
/// # Errors
/// As [`bytes`].
pub fn hex<const N: usize>() -> Result<String> {
    Ok(bytes::<N>()?.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

/// A generator for algorithms that draw an unknown number of bytes: ChaCha12 from a 256-bit seed. Unlike
/// the system's own, it has no way to fail half-way, which those algorithms would answer with a panic.
///
/// # Errors
/// As [`bytes`].
pub fn generator() -> Result<StdRng> {
    Ok(StdRng::from_seed(bytes()?))
}
