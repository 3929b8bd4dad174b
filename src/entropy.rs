//! Randomness as an argument: the platform's generator on the worker, a seeded one in tests.

use crate::error::Result;

/// A source of cryptographically secure random bytes.
pub trait Entropy {
    /// Fills `out`.
    ///
    /// # Errors
    /// `internal_error` if the source fails; nothing may then be made of `out`.
    fn fill(&mut self, out: &mut [u8]) -> Result<()>;
}

/// `N` random bytes.
///
/// # Errors
/// As [`Entropy::fill`].
pub fn random<const N: usize>(entropy: &mut dyn Entropy) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes)?;
    Ok(bytes)
}
