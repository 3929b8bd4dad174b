//! Key derivation, blind indexes, and what is sealed at rest.

mod index;
pub mod seal;

pub use index::IndexKeys;
pub use seal::{FieldKeys, Place};
