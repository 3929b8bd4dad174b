//! Key derivation and blind indexes. What is sealed at rest comes here too.

mod index;

pub use index::IndexKeys;
