//! Records of the older login service, as a dump of its key-value store has them: one `{key, value, expiration?}` a
//! line. Pure, and the same code in the worker and in the companion.
//!
//! 1. [`line::read`] makes one [`Record`] of a line, or says in one word why it is none. Nothing in a line can do more
//!    harm than that: keys, values, fields and times are bounded, types are checked, references are only names.
//! 2. [`key`] knows every form that a key ever had. What has none of them is foreign: counted, never an error.
//! 3. [`Facts`](facts::Facts) are what the records of one customer say together. Joining them is commutative,
//!    associative and idempotent, so neither order nor repetition of a dump matters.
//!
//! What becomes of a record is decided by the customer's object, `customer::moving`.

pub mod facts;
pub mod key;
pub mod line;
pub mod outcome;
pub mod owned;
pub mod parcels;
mod read;
pub mod slim;
mod text;
pub mod wanted;

pub use facts::Facts;
pub use line::{Line, Note, Parsed};
pub use outcome::{Outcome, Told};

use crate::types::{CustomerId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One record, in our words. It travels to the customer's object as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Record {
    /// A customer.
    Customer {
        /// What it says.
        facts: Facts,
    },
    /// The preferences of a customer's only user.
    Preferences {
        /// When they changed last, as far as they say so.
        at: Timestamp,
        /// All of them.
        document: Value,
    },
    /// A display name that somebody reserved.
    DisplayName {
        /// `{userId, name, reservedAt}`, and the name as the key has it.
        document: Value,
    },
    /// An e-mail's index: whom it points at, the record's owner says.
    Index {
        /// Hex SHA-256 of the address.
        hash: String,
    },
    /// An API key, by its hash.
    ApiKey(Box<ApiKey>),
    /// A token that was revoked.
    Denied {
        /// Hex SHA-256 of the lower-cased token.
        hash: String,
        /// When it was revoked.
        revoked_at: Option<Timestamp>,
        /// When the token has expired, after which its revocation means nothing.
        expires_at: Option<Timestamp>,
    },
    /// A day of the older audit log.
    AuditDay {
        /// `YYYY-MM-DD`.
        date: String,
        /// All of it.
        document: Value,
    },
}

impl Record {
    /// What it is, in a word for counts and for the log.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Customer { .. } => "customer",
            Self::Preferences { .. } => "preferences",
            Self::DisplayName { .. } => "display_name",
            Self::Index { .. } => "index",
            Self::ApiKey(_) => "api_key",
            Self::Denied { .. } => "denylist",
            Self::AuditDay { .. } => "audit",
        }
    }
}

/// What is known of a key of the older form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiKey {
    /// Hex SHA-256 of the key.
    pub hash: String,
    /// What its owner calls it.
    pub name: String,
    /// The names of the scopes that it has; `None` where it was never restricted.
    pub scopes: Option<Vec<String>>,
    /// From which origins browsers may use it; every one where this is empty.
    pub origins: Vec<String>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When it was used last.
    pub last_used_at: Option<Timestamp>,
    /// True once it no longer worked there.
    pub ended: bool,
    /// Since when.
    pub ended_at: Option<Timestamp>,
    /// The record as it was.
    pub document: Value,
}

/// The longest id of the older service that is looked at, in bytes.
pub const MAX_ID_BYTES: usize = 256;

/// The id that a customer of the older service has here: its own where that has our form, else one that is made of
/// it, the same every time. A doubled `cust_`, which some records have, is one.
#[must_use]
pub fn customer_id(text: &str) -> Option<CustomerId> {
    let text = text.trim();
    if text.is_empty() || text.len() > MAX_ID_BYTES {
        return None;
    }
    let text = single_prefix(text);
    CustomerId::parse(text).or_else(|| {
        let digest = text::sha256_hex(format!("user-api/legacy-id/v1|{text}").as_bytes());
        let short: String = digest.chars().take(32).collect();
        CustomerId::parse(&format!("cust_{short}"))
    })
}

/// Whether a customer of that id has another one here.
#[must_use]
pub fn is_replaced(text: &str) -> bool {
    CustomerId::parse(single_prefix(text.trim())).is_none()
}

fn single_prefix(mut text: &str) -> &str {
    while let Some(rest) = text
        .strip_prefix("cust_")
        .filter(|rest| rest.starts_with("cust_"))
    {
        text = rest;
    }
    text
}

#[cfg(all(test, not(target_arch = "wasm32")))]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
mod tests;
