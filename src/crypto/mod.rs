//! Key derivation, blind indexes, API keys, and what is sealed at rest.

pub mod api_key;
pub mod cursor;
mod index;
pub mod seal;
mod sign;

pub use api_key::{ApiKeyPepper, ApiKeySecret};
pub use cursor::CursorKey;
pub use index::IndexKeys;
pub use seal::{FieldKeys, Place};
pub use sign::SigningKeys;
