//! JSON bodies and tokens, read more strictly than serde_json alone does: UTF-8, one value, no key twice in an object
//! (RFC 8259 section 4 leaves that open, and of two readers that disagree one is fooled: RFC 8725 section 2.4),
//! bounded depth, numbers within a double. Documents of our own are read by [`read`].

mod objects;

pub use objects::read;

use crate::error::{Code, Error, Result};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// Deepest nesting of arrays and objects that a body may have, in levels.
const MAX_DEPTH: u8 = 32;

/// Reads a body, or a part of a token, that must be one JSON object.
///
/// # Errors
/// `malformed_body`, with the line and column, never with the text that stands there.
pub fn parse_object(bytes: &[u8]) -> Result<Map<String, Value>> {
    match parse(bytes)? {
        Value::Object(map) => Ok(map),
        _ => Err(Error::new(Code::MalformedBody, "The body must be a JSON object.")),
    }
}

/// Reads a body that must be one JSON array.
///
/// # Errors
/// As [`parse_object`].
pub fn parse_array(bytes: &[u8]) -> Result<Vec<Value>> {
    match parse(bytes)? {
        Value::Array(items) => Ok(items),
        _ => Err(Error::new(Code::MalformedBody, "The body must be a JSON array.")),
    }
}

fn parse(bytes: &[u8]) -> Result<Value> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Error::new(
            Code::MalformedBody,
            format!("The body is not UTF-8: byte {} is wrong.", error.valid_up_to()),
        )
    })?;
    let mut reader = serde_json::Deserializer::from_slice(text.as_bytes());
    Strict { depth: 0 }
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value))
        .map_err(|error| Error::new(Code::MalformedBody, describe(&error)))
}

/// What is wrong and where, without serde_json's own text, which may quote the body.
fn describe(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let what = if text.starts_with(DUPLICATE_KEY) {
        DUPLICATE_KEY
    } else if text.starts_with(TOO_DEEP) || text.starts_with("recursion limit") {
        TOO_DEEP
    } else if text.starts_with("number out of range") {
        "a number is larger than a double can hold"
    } else if error.is_eof() {
        "the text ends before the JSON value does"
    } else {
        "the text is not JSON"
    };
    format!("Line {}, column {}: {what}.", error.line(), error.column())
}

const DUPLICATE_KEY: &str = "an object has the same key twice";
const TOO_DEEP: &str = "the value is nested more than 32 levels deep";

#[derive(Clone, Copy)]
struct Strict {
    depth: u8,
}

impl Strict {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        let depth = self.depth.saturating_add(1);
        if depth > MAX_DEPTH {
            Err(E::custom(TOO_DEEP))
        } else {
            Ok(Self { depth })
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let seed = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(seed)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let seed = self.deeper()?;
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(seed)?;
            if map.insert(key, value).is_some() {
                return Err(A::Error::custom(DUPLICATE_KEY));
            }
        }
        Ok(Value::Object(map))
    }
}

/// A stored document, which we wrote ourselves.
///
/// # Errors
/// `internal_error` if it is not what we wrote.
pub fn from_stored<'de, T: Deserialize<'de>>(bytes: &'de [u8], what: &'static str) -> Result<T> {
    read(bytes).map_err(|_| Error::fault(format!("stored {what} is unreadable")))
}

/// A document as we store and send it.
///
/// # Errors
/// `internal_error`; serialising our own types into memory does not fail in practice.
pub fn to_bytes<T: serde::Serialize>(value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| Error::fault(format!("serialisation failed: {error}")))
}

/// An object as [`to_canonical_bytes`] writes it. Where all is text under plain names, which is most of what the audit
/// log says, serde_json writes the same by itself: it has the names in order, and escapes as RFC 8785 section 3.2.2.2
/// demands.
///
/// # Errors
/// As [`to_bytes`].
pub fn to_canonical_object(object: &Map<String, Value>) -> Result<Vec<u8>> {
    let is_plain = |(name, value): (&String, &Value)| name.is_ascii() && value.is_string();
    if object.iter().all(is_plain) {
        to_bytes(object)
    } else {
        to_canonical_bytes(object)
    }
}

/// A document as we commit to it: JSON Canonicalization Scheme (RFC 8785).
///
/// # Errors
/// As [`to_bytes`].
pub fn to_canonical_bytes<T: serde::Serialize>(value: &T) -> Result<Vec<u8>> {
    serde_json_canonicalizer::to_vec(value)
        .map_err(|error| Error::fault(format!("serialisation failed: {error}")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn refused(body: &[u8]) -> String {
        let error = parse_object(body).unwrap_err();
        assert_eq!(error.code, Code::MalformedBody);
        error.public.to_string()
    }

    #[test]
    fn what_json_leaves_open_is_closed() {
        assert!(refused(br#"{"a":1,"a":1}"#).contains(DUPLICATE_KEY));
        assert!(refused(br#"{"x":{"b":1,"b":2}}"#).contains("Line 1, column"));
        assert!(refused(br#"{"a":1,"\u0061":2}"#).contains(DUPLICATE_KEY));
        assert!(refused(br#"{"b":[{"a":1,"a":2}]}"#).contains(DUPLICATE_KEY));
        assert!(refused(br#"{"a":1e999}"#).contains("double"));
        assert!(refused(b"{\"a\":\"\xff\"}").contains("byte 6"));
        assert!(refused(br#"{"a":1} x"#).contains("not JSON"));
        assert!(refused(br#"{"a":"#).contains("ends before"));
        assert!(refused(b"").contains("ends before"));
        assert!(refused(b"[]").contains("must be a JSON object"));
        assert!(refused(b"{\"a\":\"\\ud800\"}").contains("not JSON"));
        assert!(parse_array(b"{}").is_err() && parse_array(b"[{\"a\":1,\"a\":1}]").is_err());
        assert_eq!(parse_array(b" [] ").unwrap(), Vec::<Value>::new());
    }

    #[test]
    fn an_object_of_texts_is_canonical_as_it_is() {
        let controls: String = (0..=0xff_u8).map(char::from).collect();
        for text in [controls.as_str(), "\u{2028}\u{1f600}\"\\/<\u{fffd}", ""] {
            let mut object = Map::new();
            for name in ["userAgent", "ip", "callerRequestId", "Z", "a\n\u{7f}", ""] {
                object.insert(name.to_owned(), text.into());
            }
            let canonical = to_canonical_bytes(&object).unwrap();
            assert_eq!(to_bytes(&object).unwrap(), canonical);
            assert_eq!(to_canonical_object(&object).unwrap(), canonical);
            object.insert("changed".to_owned(), serde_json::json!({"b": 1.0e21, "a": 1}));
            assert_eq!(
                to_canonical_object(&object).unwrap(),
                to_canonical_bytes(&object).unwrap()
            );
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |levels: usize| format!("{}{}{}", r#"{"a":"#.repeat(levels), 1, "}".repeat(levels));
        assert!(parse_object(nested(32).as_bytes()).is_ok());
        assert!(refused(nested(33).as_bytes()).contains("32 levels"));
        assert!(refused(nested(100_000).as_bytes()).contains("32 levels"));
    }

    #[test]
    fn a_fault_never_quotes_the_body() {
        assert!(!refused(br#"{"a":secret}"#).contains("secret"));
    }
}
