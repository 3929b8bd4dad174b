//! A value that must never be shown. Its `Debug` redacts, it has no `Display` and it does not serialise, so
//! that no log line, error text or panic message can hold it by accident.

use std::fmt;

/// A secret value. [`Secret::expose`] is the only way to it, and easy to search for.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Wraps a secret.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself, for a cryptographic operation and nothing else.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
