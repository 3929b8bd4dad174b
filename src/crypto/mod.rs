//! Key derivation, blind indexes, API keys, and what is sealed at rest.

pub mod api_key;
mod index;
pub mod seal;

pub use api_key::{ApiKeyPepper, ApiKeySecret};
pub use index::IndexKeys;
pub use seal::{FieldKeys, Place};
