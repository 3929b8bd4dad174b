//! One line of a dump.

use super::key::{self, Key};
use super::outcome::{Outcome, Told, Word, detail};
use super::read::{self, Read};
use super::text::{self, is_sha256_hex};
use super::{Record, customer_id, is_replaced};
use crate::json;
use crate::order;
use crate::types::{CustomerId, Timestamp};
use serde_json::{Map, Value};

/// Longest line that the service takes, in bytes.
pub const MAX_LINE_BYTES: usize = 262_144;
/// Longest key, in bytes: what the older store allowed.
pub const MAX_KEY_BYTES: usize = 512;

/// Something that is told of a record beyond what it came to.
pub type Note = Word;

/// A line whose three members are there.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The key.
    pub key: String,
    /// The value; one that was written as JSON in a text is still a text.
    pub value: Value,
    /// Unix seconds after which the older store would have dropped it.
    pub expiration: Option<Timestamp>,
}

/// What a line says.
#[derive(Debug, Clone, PartialEq)]
pub enum Parsed {
    /// A record of this customer.
    Record {
        /// The key.
        key: String,
        /// Whose, under the id that it has here.
        customer: CustomerId,
        /// The record.
        record: Record,
        /// What is to be told of it.
        notes: Vec<Note>,
    },
    /// Nothing to move in, and what is told of it.
    Told(Told),
}

impl Line {
    /// Takes a line apart.
    ///
    /// # Errors
    /// `not_json` or `too_long`, and the key as far as there is one.
    pub fn parse(line: &[u8]) -> Result<Self, (Word, String)> {
        let mut object = json::parse_object(line).map_err(|_| (Word::NotJson, String::new()))?;
        let Some(Value::String(key)) = object.remove("key") else {
            return Err((Word::NotJson, String::new()));
        };
        if key.len() > MAX_KEY_BYTES {
            return Err((Word::TooLong, cut(&key)));
        }
        let expiration = text::time_of(&object, "expiration");
        match object.remove("value") {
            Some(value) => Ok(Self {
                key,
                value,
                expiration,
            }),
            None => Err((Word::NotJson, key)),
        }
    }

    /// What it says.
    #[must_use]
    pub fn read(self) -> Parsed {
        let key = self.key.clone();
        match self.interpret() {
            Ok(Some(Read {
                id,
                record,
                mut notes,
            })) => match customer_id(&id) {
                Some(customer) => {
                    if is_replaced(&id) {
                        notes.push(Word::IdReplaced);
                    }
                    order::sort_distinct(&mut notes);
                    Parsed::Record {
                        key,
                        customer,
                        record,
                        notes,
                    }
                }
                None => Parsed::Told(told(key, Outcome::Invalid, Word::BadId)),
            },
            Ok(None) => Parsed::Told(told(key, Outcome::Skipped, Word::Foreign)),
            Err(word) => {
                let outcome = if word == Word::OtherId {
                    Outcome::Conflict
                } else {
                    Outcome::Invalid
                };
                Parsed::Told(told(key, outcome, word))
            }
        }
    }

    /// The record and whose it is; `None` for one that is not ours.
    fn interpret(self) -> Result<Option<Read>, Word> {
        let Self {
            key,
            value,
            expiration,
        } = self;
        match key::read(&key) {
            Key::Customer { id, loose } => match object(value) {
                Some(object) if !loose || read::looks_like_customer(&object) => {
                    read::customer(id, object, loose).map(Some)
                }
                _ if loose => Ok(None),
                _ => Err(Word::ValueType),
            },
            Key::Preferences { id, loose } => match object(value) {
                Some(object) if !loose || read::looks_like_preferences(&object) => {
                    Ok(Some(read::preferences(id, object)))
                }
                _ if loose => Ok(None),
                _ => Err(Word::ValueType),
            },
            Key::DisplayName(name) => {
                read::display_name(name, object(value).ok_or(Word::ValueType)?).map(Some)
            }
            Key::Index(hash) => read::index(hash, &value).map(Some),
            Key::ApiKey(hash) if is_sha256_hex(hash) => {
                read::api_key(hash, object(value).ok_or(Word::ValueType)?).map(Some)
            }
            Key::Denied { id, hash, older } if is_sha256_hex(hash) => {
                let object = object(value).ok_or(Word::ValueType)?;
                read::denied(id, hash, older, &object, expiration).map(Some)
            }
            Key::ApiKey(_) | Key::Denied { .. } => Err(Word::BadHash),
            Key::AuditDay { id, date } => {
                read::audit_day(id, date, object(value).ok_or(Word::ValueType)?).map(Some)
            }
            Key::Foreign => Ok(None),
        }
    }
}

/// Reads one line of a dump.
#[must_use]
pub fn read(line: &[u8]) -> Parsed {
    if line.len() > MAX_LINE_BYTES {
        // The key may be anywhere in it; the companion, which has the room, finds it.
        return Parsed::Told(told(String::new(), Outcome::Invalid, Word::TooLong));
    }
    match Line::parse(line) {
        Ok(line) => line.read(),
        Err((word, key)) => Parsed::Told(told(key, Outcome::Invalid, word)),
    }
}

/// What is told of a record that nothing is done with.
#[must_use]
pub fn told(key: String, outcome: Outcome, word: Word) -> Told {
    Told {
        key,
        outcome,
        customer_id: None,
        detail: detail(&[word]),
    }
}

/// An object, or one that was written as JSON in a text, as the older store has them.
pub(super) fn object(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(object) => Some(object),
        Value::String(text) => json::parse_object(text.as_bytes()).ok(),
        _ => None,
    }
}

fn cut(key: &str) -> String {
    let mut end = MAX_KEY_BYTES.min(key.len());
    while !key.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    key.get(..end).unwrap_or_default().to_owned()
}
