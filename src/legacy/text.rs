//! Small readings of untrusted values: times in the forms that occur, hashes, bounded texts.

use crate::types::Timestamp;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Later times are taken for mistakes, in Unix milliseconds: 2100-01-01.
const MAX_TIME_MS: i64 = 4_102_444_800_000;
/// Numbers from here on are milliseconds, below it seconds: as seconds it lies in the year 5138, as milliseconds in 1973.
const FIRST_MILLIS: i64 = 100_000_000_000;
/// The longest text of a time, in bytes.
const MAX_TIME_BYTES: usize = 40;

/// Hex SHA-256, in lower case.
pub fn sha256_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes)
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// Whether it is a hex SHA-256, in either case.
pub fn is_sha256_hex(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A moment: RFC 3339, or Unix seconds or milliseconds as a number or as a text.
pub fn time(value: &Value) -> Option<Timestamp> {
    let at = match value {
        Value::String(text) if text.len() <= MAX_TIME_BYTES => {
            let text = text.trim();
            match text.parse::<i64>() {
                Ok(number) => of_number(number)?,
                Err(_) => Timestamp::parse_rfc3339(text)?,
            }
        }
        #[allow(clippy::cast_possible_truncation)] // Whole, and rounded into range by the cast.
        Value::Number(number) => of_number(number.as_i64().or_else(|| number.as_f64().map(|n| n as i64))?)?,
        _ => return None,
    };
    (at.as_millis() <= MAX_TIME_MS).then_some(at)
}

fn of_number(number: i64) -> Option<Timestamp> {
    match number {
        i64::MIN..=0 => None,
        1..FIRST_MILLIS => Some(Timestamp::from_secs(number)),
        _ => Some(Timestamp::from_millis(number)),
    }
}

/// The time that a field of an object tells.
pub fn time_of(object: &serde_json::Map<String, Value>, name: &str) -> Option<Timestamp> {
    object.get(name).and_then(time)
}

/// Canonical JSON (RFC 8785), so that equal values have equal bytes however they were written.
pub fn canonical(value: &Value) -> Vec<u8> {
    // A value that was read has no number that JSON cannot write.
    crate::json::to_canonical_bytes(value).unwrap_or_default()
}
