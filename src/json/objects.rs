//! Our own documents, read by rules that serde_json leaves looser than we need them. It reads a struct from an array as
//! well, by another function for each struct and each variant with fields; an enum by one function for a name alone
//! and by another for a name with a value; and with each it carries the texts of what may be wrong. That was 120 kB
//! of the module, for documents which nobody but us writes and of which nobody asks what is wrong with them.
//!
//! So here a struct is an object and nothing else, what all types have in common is said once, and an error is an
//! error. Only what holds values together is read by us: texts, numbers and whole JSON values are serde_json's.

mod access;
mod reader;
#[cfg(all(test, not(target_arch = "wasm32")))]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;

use reader::Reader;
use serde::Deserialize;
use serde::de::{Error, Expected, Unexpected};
use std::fmt;

/// Reads one document of ours.
///
/// # Errors
/// For what [`serde_json::from_slice`] refuses, and for an array in place of a struct. Two differences: the keys of a map
/// must be texts or names of variants, and the nesting of a JSON value in the document is counted by itself.
pub fn read<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T> {
    let mut reader = Reader::of(bytes);
    let value = T::deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// That a document is not what we write. Where and why is left out, and with it the texts of every type: whoever reads
/// a document says which one it was, and no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable;

type Result<T> = std::result::Result<T, Unreadable>;

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a document of ours")
    }
}

impl std::error::Error for Unreadable {}

/// All of them, because by themselves they write their text before they hand it over.
impl Error for Unreadable {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }

    fn invalid_type(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Self
    }

    fn invalid_value(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Self
    }

    fn invalid_length(_: usize, _: &dyn Expected) -> Self {
        Self
    }

    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        Self
    }

    fn unknown_field(_: &str, _: &'static [&'static str]) -> Self {
        Self
    }

    fn missing_field(_: &'static str) -> Self {
        Self
    }

    fn duplicate_field(_: &'static str) -> Self {
        Self
    }
}
