//! Key derivation, blind indexes, API keys, data keys, and what is sealed at rest.

pub mod api_key;
pub mod cursor;
pub mod dek;
mod index;
pub mod seal;
mod sign;

pub use api_key::{ApiKeyPepper, ApiKeySecret};
pub use cursor::CursorKey;
pub use dek::{Dek, Fingerprint, MasterKeys, Wrapped};
pub use index::IndexKeys;
pub use seal::{Column, FieldKeys};
pub use sign::SigningKeys;
