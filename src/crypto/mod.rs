//! Key derivation, blind indexes and API keys. What is sealed at rest comes here too.

pub mod api_key;
mod index;

pub use api_key::{ApiKeyPepper, ApiKeySecret};
pub use index::IndexKeys;
