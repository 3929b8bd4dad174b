//! Making a long line fit: for the companion, which has the room to read what the service does not take.

use super::facts::{MAX_FIELD_BYTES, MAX_FIELD_NAME_BYTES, STATUS};
use super::key::{self, Key};
use super::line::{Line, MAX_LINE_BYTES, object};
use serde_json::{Map, Value, json};

/// The line of a customer without the fields that are longer than may be; `None` where it is nobody's, or still too
/// long without them.
#[must_use]
pub fn shorten(line: &[u8]) -> Option<Vec<u8>> {
    let Line { key, value, .. } = Line::parse(line).ok()?;
    if !matches!(key::read(&key), Key::Customer { .. }) {
        return None;
    }
    let value: Map<String, Value> = object(value)?
        .into_iter()
        .filter(|(name, value)| {
            // A status that is left out would be taken for an active one.
            name == STATUS || name.len() <= MAX_FIELD_NAME_BYTES && value.to_string().len() <= MAX_FIELD_BYTES
        })
        .map(|(name, value)| {
            let is_short = value.to_string().len() <= MAX_FIELD_BYTES;
            (name, if is_short { value } else { Value::from("too large") })
        })
        .collect();
    let short = json!({"key": key, "value": value}).to_string().into_bytes();
    (short.len() <= MAX_LINE_BYTES).then_some(short)
}
