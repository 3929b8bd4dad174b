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
    let mut kept = Map::new();
    for (name, value) in object(value)? {
        let is_short = value.to_string().len() <= MAX_FIELD_BYTES;
        // A status that is left out would be taken for an active one.
        if name == STATUS || name.len() <= MAX_FIELD_NAME_BYTES && is_short {
            kept.insert(name, if is_short { value } else { Value::from("too large") });
        }
    }
    let short = json!({"key": key, "value": kept}).to_string().into_bytes();
    (short.len() <= MAX_LINE_BYTES).then_some(short)
}
