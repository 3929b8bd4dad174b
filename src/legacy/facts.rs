//! What the records of one customer say together: each field with when it was said. Of two that say something about a
//! field the one that was updated later counts, and of two of one moment the one whose digest is larger, so that
//! [`Facts::join`] has one result in whatever order and however often records are joined:
//! it is commutative, associative and idempotent.
//!
//! A status never becomes less strict by a join: a record that calls a customer cancelled or suspended outweighs
//! every one that does not, whatever its age. Nothing is reactivated by an import.

use super::text::sha256_hex;
use crate::order;
use crate::types::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Most fields that are no fields of ours; of more, those whose names sort first are kept.
pub const MAX_OTHER_FIELDS: usize = 64;
/// Longest JSON of one field, in bytes.
pub const MAX_FIELD_BYTES: usize = 16_384;
/// Longest name of a field, in bytes.
pub const MAX_FIELD_NAME_BYTES: usize = 100;

/// A value, and when it was said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// `updatedAt` of the record; the epoch where it has none.
    pub at: Timestamp,
    /// Decides between two of one moment: the first 16 digits of the hex digest of the record.
    pub tie: String,
    /// What was said.
    pub value: Value,
}

impl Said {
    fn is_after(&self, other: &Self) -> bool {
        (self.at, &self.tie) > (other.at, &other.tie)
    }
}

/// What is known of a customer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Facts {
    /// The earliest `createdAt`, `updatedAt` of a record that has none.
    pub created_at: Option<Timestamp>,
    /// The latest `updatedAt`.
    pub updated_at: Option<Timestamp>,
    /// The latest `lastLogin`.
    pub last_login: Option<Timestamp>,
    /// Fields that have a place here, each in the form that [`super::line`] admits.
    pub ours: order::Map<String, Said>,
    /// Everything else, and what has the name of a field of ours but not its form.
    pub other: order::Map<String, Said>,
}

/// How strict a status is; a join never makes it less.
#[must_use]
pub fn strictness(status: &Value) -> u8 {
    match status.as_str() {
        Some("cancelled") => 2,
        Some("suspended") => 1,
        _ => 0,
    }
}

/// The name of the status among [`Facts::ours`].
pub const STATUS: &str = "status";

impl Facts {
    /// What both say together.
    #[must_use]
    pub fn join(mut self, other: Self) -> Self {
        self.created_at = match (self.created_at, other.created_at) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.updated_at = self.updated_at.max(other.updated_at);
        self.last_login = self.last_login.max(other.last_login);
        for (name, said) in other.ours {
            let is_kept = self.ours.get(&name).is_some_and(|known| {
                let (old, new) = if name == STATUS {
                    (strictness(&known.value), strictness(&said.value))
                } else {
                    (0, 0)
                };
                old > new || old == new && !said.is_after(known)
            });
            if !is_kept {
                self.ours.insert(name, said);
            }
        }
        for (name, said) in other.other {
            if self.other.get(&name).is_none_or(|known| said.is_after(known)) {
                self.other.insert(name, said);
            }
        }
        // Of the names of both the first ones: which they are does not depend on the order either.
        while self.other.len() > MAX_OTHER_FIELDS {
            self.other.pop_last();
        }
        self
    }

    /// The value of a field of ours.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.ours.get(name).map(|said| &said.value)
    }

    /// The text of a field of ours.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.value(name).and_then(Value::as_str)
    }

    /// The hashes under which the older service may have indexed the e-mail: of the address as we write it, and as
    /// it was written there.
    #[must_use]
    pub fn email_hashes(&self) -> Vec<String> {
        let raw = self.other.get("email").and_then(|said| said.value.as_str());
        self.text("email")
            .into_iter()
            .chain(raw)
            .map(|email| sha256_hex(email.trim().to_lowercase().as_bytes()))
            .collect()
    }
}
