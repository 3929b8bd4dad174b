//! Reading the fields of a body: all faults at once, each with its pointer. A [`Fields`] is consumed field
//! by field; what nobody asked for is unknown and therefore a fault.

mod list;
mod scalars;
mod subtags;
mod tidy;
mod values;

use crate::order;
pub use list::objects;
use scalars::check_line;
pub use scalars::{boolean, language_tag, line, natural, time_zone};
pub use tidy::{is_key, tidy_line};
pub use values::{MAX_ORIGIN_BYTES, integer, origin, time};

use crate::error::{Error, Fault, NOT_WRITABLE, Result};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::ops::RangeInclusive;

/// What a body says of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit<T> {
    /// The field is not mentioned.
    Keep,
    /// The field is null.
    Clear,
    /// The field has this value.
    Set(T),
}

impl<T> Edit<T> {
    /// The value of the field after the edit.
    pub fn apply(self, before: Option<T>) -> Option<T> {
        match self {
            Self::Keep => before,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }

    /// What a PUT means by not mentioning a field: that it has no value.
    #[must_use]
    pub fn or_clear(self) -> Self {
        if matches!(self, Self::Keep) {
            Self::Clear
        } else {
            self
        }
    }
}

/// The fields of one object in a body, with the faults found so far.
#[derive(Debug)]
pub struct Fields {
    map: Map<String, Value>,
    base: String,
    faults: Vec<Fault>,
}

impl Fields {
    /// The fields of the whole body.
    #[must_use]
    pub fn new(map: Map<String, Value>) -> Self {
        Self {
            map,
            base: "#".to_owned(),
            faults: Vec::new(),
        }
    }

    /// Adds a fault at `name`.
    pub fn fault(&mut self, name: &str, detail: impl Into<Cow<'static, str>>) {
        self.faults.push(Fault {
            pointer: pointer(&self.base, name),
            detail: detail.into(),
        });
    }

    /// Whether a fault was found at `name` itself.
    #[must_use]
    pub fn has_fault(&self, name: &str) -> bool {
        let pointer = pointer(&self.base, name);
        self.faults.iter().any(|fault| fault.pointer == pointer)
    }

    /// Whether any fault was found so far.
    #[must_use]
    pub fn has_faults(&self) -> bool {
        !self.faults.is_empty()
    }

    /// Whether a fault was found below `name`.
    #[must_use]
    pub fn has_fault_within(&self, name: &str) -> bool {
        let pointer = format!("{}/", pointer(&self.base, name));
        self.faults
            .iter()
            .any(|fault| fault.pointer.starts_with(&pointer))
    }

    /// Takes a field as it is.
    pub fn raw(&mut self, name: &str) -> Edit<Value> {
        match self.map.remove(name) {
            None => Edit::Keep,
            Some(Value::Null) => Edit::Clear,
            Some(value) => Edit::Set(value),
        }
    }

    /// Takes a field that `read` turns into a value, or into a sentence about what is wrong.
    pub fn field<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(Value) -> std::result::Result<T, Cow<'static, str>>,
    ) -> Edit<T> {
        match self.raw(name) {
            Edit::Keep => Edit::Keep,
            Edit::Clear => Edit::Clear,
            Edit::Set(value) => match read(value) {
                Ok(value) => Edit::Set(value),
                Err(detail) => {
                    self.fault(name, detail);
                    Edit::Keep
                }
            },
        }
    }

    /// Takes a line of text of 1 to `max_chars` characters; see [`line`].
    pub fn line(&mut self, name: &str, max_chars: usize) -> Edit<String> {
        self.field(name, |value| line(value, max_chars))
    }

    /// Takes a field that has one of a few texts.
    pub fn one_of<T>(
        &mut self,
        name: &str,
        options: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Edit<T> {
        self.field(name, |value| {
            value
                .as_str()
                .and_then(parse)
                .ok_or_else(|| Cow::Owned(format!("Must be one of: {options}.")))
        })
    }

    /// Takes an object whose values `read` understands, with keys of 1 to `max_key_chars` characters. In a
    /// patch a null value means that the key goes (RFC 7396); elsewhere it is read like any other.
    pub fn entries<T>(
        &mut self,
        name: &str,
        patch: bool,
        max_key_chars: usize,
        read: impl Fn(Value) -> std::result::Result<T, Cow<'static, str>>,
    ) -> Edit<order::Map<String, Option<T>>> {
        let map = match self.raw(name) {
            Edit::Keep => return Edit::Keep,
            Edit::Clear => return Edit::Clear,
            Edit::Set(Value::Object(map)) => map,
            Edit::Set(_) => {
                self.fault(name, "Must be an object.");
                return Edit::Keep;
            }
        };
        let base = pointer(&self.base, name);
        let mut entries = order::Map::new();
        for (key, value) in map {
            let checked =
                check_line(&key, max_key_chars).map_err(|detail| Cow::Owned(format!("The key: {detail}")));
            let read = checked.and_then(|()| {
                if patch && value.is_null() {
                    Ok(None)
                } else {
                    read(value).map(Some)
                }
            });
            match read {
                Ok(value) => {
                    entries.insert(key, value);
                }
                Err(detail) => self.faults.push(Fault {
                    pointer: pointer(&base, &key),
                    detail,
                }),
            }
        }
        Edit::Set(entries)
    }

    /// Takes an array of at most `max_items` items, none of them twice, each of which `read` understands.
    pub fn list<T: PartialEq>(
        &mut self,
        name: &str,
        max_items: usize,
        read: impl Fn(Value) -> std::result::Result<T, Cow<'static, str>>,
    ) -> Edit<Vec<T>> {
        let values = self.field(name, |value| match value {
            Value::Array(values) if values.len() <= max_items => Ok(values),
            Value::Array(_) => Err(format!("Must have at most {max_items} items.").into()),
            _ => Err("Must be an array.".into()),
        });
        let values = match values {
            Edit::Keep => return Edit::Keep,
            Edit::Clear => return Edit::Clear,
            Edit::Set(values) => values,
        };
        let base = pointer(&self.base, name);
        let mut items = Vec::new();
        for (index, value) in values.into_iter().enumerate() {
            let read = read(value).and_then(|item| {
                if items.contains(&item) {
                    Err("Must not be there twice.".into())
                } else {
                    Ok(item)
                }
            });
            match read {
                Ok(item) => items.push(item),
                Err(detail) => self.faults.push(Fault {
                    pointer: pointer(&base, &index.to_string()),
                    detail,
                }),
            }
        }
        Edit::Set(items)
    }

    /// Takes a whole number within `range`.
    pub fn integer(&mut self, name: &str, range: RangeInclusive<i64>) -> Edit<i64> {
        self.field(name, |value| integer(&value, range))
    }

    /// Takes a value that must be there: neither absent nor null. A fault at `name` that says more than that it is
    /// missing stays the only one.
    pub fn required<T>(&mut self, name: &str, edit: Edit<T>) -> Option<T> {
        let value = edit.apply(None);
        if value.is_none() && !self.has_fault(name) {
            self.fault(name, "Is required.");
        }
        value
    }

    /// Refuses null for a field that always has a value.
    pub fn not_null<T>(&mut self, name: &str, edit: Edit<T>) -> Option<T> {
        match edit {
            Edit::Keep => None,
            Edit::Set(value) => Some(value),
            Edit::Clear => {
                self.fault(name, "Must not be null.");
                None
            }
        }
    }

    /// Takes an object that has named fields of its own.
    pub fn object<T>(&mut self, name: &str, read: impl FnOnce(&mut Fields) -> T) -> Edit<T> {
        match self.raw(name) {
            Edit::Keep => Edit::Keep,
            Edit::Clear => Edit::Clear,
            Edit::Set(Value::Object(map)) => {
                let mut inner = Fields {
                    map,
                    base: pointer(&self.base, name),
                    faults: Vec::new(),
                };
                let value = read(&mut inner);
                inner.refuse_rest(&[]);
                self.faults.append(&mut inner.faults);
                Edit::Set(value)
            }
            Edit::Set(_) => {
                self.fault(name, "Must be an object.");
                Edit::Keep
            }
        }
    }

    /// Takes a value, or the faults in its place.
    pub fn absorb<T: Default>(&mut self, result: Result<T>) -> T {
        result.unwrap_or_else(|error| {
            self.faults.extend(error.faults.iter().cloned());
            T::default()
        })
    }

    fn refuse_rest(&mut self, read_only: &[&str]) {
        for (name, _) in std::mem::take(&mut self.map) {
            let known = read_only.contains(&name.as_str());
            self.fault(
                &name,
                if known {
                    NOT_WRITABLE
                } else {
                    "There is no such field."
                },
            );
        }
    }

    /// Ends the reading: what is left is a field of `read_only`, which this caller may not change, or unknown.
    ///
    /// # Errors
    /// `validation_failed` or `field_not_writable` with all faults.
    pub fn finish(mut self, read_only: &[&str]) -> Result<()> {
        self.refuse_rest(read_only);
        if self.faults.is_empty() {
            Ok(())
        } else {
            Err(Error::validation(self.faults))
        }
    }
}

/// Longest name that a pointer repeats, in characters; a longer one is the caller's own affair.
const MAX_POINTER_NAME_CHARS: usize = 64;

/// A JSON Pointer in URI fragment form (RFC 6901 sections 3 and 6).
fn pointer(base: &str, name: &str) -> String {
    use std::fmt::Write as _;
    let mut text = format!("{base}/");
    for character in name.chars().take(MAX_POINTER_NAME_CHARS) {
        match character {
            '~' => text.push_str("~0"),
            '/' => text.push_str("~1"),
            'A'..='Z' | 'a'..='z' | '0'..='9' | '-' | '.' | '_' => text.push(character),
            _ => {
                for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                    let _ = write!(text, "%{byte:02X}");
                }
            }
        }
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::error::MAX_FAULTS;
    use crate::json;
    use serde_json::json;

    #[test]
    fn pointers_are_escaped_for_a_fragment() {
        assert_eq!(pointer("#", "a/b~c"), "#/a~1b~0c");
        assert_eq!(pointer("#/metadata", "ü x"), "#/metadata/%C3%BC%20x");
        assert!(pointer("#", &"x".repeat(1000)).len() < 80);
    }

    #[test]
    fn lines_are_clean_text() {
        assert_eq!(line(json!("Zoë"), 3).unwrap(), "Zoë");
        for bad in [
            "",
            " a",
            "a ",
            "a\nb",
            "a\u{0}",
            "\u{202e}abc",
            "Zoe\u{308}",
            "abcd\u{fffe}",
            "12345",
        ] {
            assert!(line(json!(bad), 4).is_err(), "{bad:?}");
        }
        assert!(line(json!(1), 4).is_err());
    }

    #[test]
    fn language_tags_are_real() {
        assert_eq!(language_tag(json!("pt-br")).unwrap(), "pt-BR");
        for bad in ["english", "xx-YY", "en_US", "", "e", "en-", "de-DE-u-"] {
            assert!(language_tag(json!(bad)).is_err(), "{bad}");
        }
        assert_eq!(language_tag(json!("zh-Hant-TW")).unwrap(), "zh-Hant-TW");
    }

    #[test]
    fn time_zones_are_real() {
        assert_eq!(time_zone(json!("europe/berlin")).unwrap(), "Europe/Berlin");
        assert_eq!(time_zone(json!("Asia/Kolkata")).unwrap(), "Asia/Kolkata");
        assert_eq!(time_zone(json!("UTC")).unwrap(), "UTC");
        for bad in ["Mars/Base", "Europe/Berlin ", "", "CEST+2", "Etc/Unknown"] {
            assert!(time_zone(json!(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn items_of_a_list_have_pointers_of_their_own() {
        let body =
            json!({"a": ["x", 1, "x", "y"], "b": "x", "c": ["1", "2", "3", "4", "5"], "d": null, "e": 7});
        let mut fields = Fields::new(json::parse_object(body.to_string().as_bytes()).unwrap());
        let read = |value| line(value, 5);
        assert_eq!(
            fields.list("a", 4, read),
            Edit::Set(vec!["x".to_owned(), "y".to_owned()])
        );
        assert_eq!(fields.list("b", 4, read), Edit::Keep);
        assert_eq!(fields.list("c", 4, read), Edit::Keep);
        assert_eq!(fields.list("none", 4, read), Edit::Keep);
        let cleared = fields.list("d", 4, read);
        assert_eq!(fields.not_null("d", cleared), None);
        let e = fields.integer("e", 0..=5);
        assert_eq!(fields.required("e", e), None);
        assert_eq!(fields.required("f", Edit::<i64>::Clear), None);
        let faults = fields.finish(&[]).unwrap_err().faults.clone();
        let pointers: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(pointers, ["#/a/1", "#/a/2", "#/b", "#/c", "#/d", "#/e", "#/f"]);
    }

    #[test]
    fn all_faults_are_reported_at_once() {
        let body = json!({"name": 1, "plan": "free", "nick": "x", "metadata": {"a": 1, "": "x"}});
        let mut fields = Fields::new(json::parse_object(body.to_string().as_bytes()).unwrap());
        fields.line("name", 10);
        fields.entries("metadata", true, 5, |value| line(value, 5));
        let error = fields.finish(&["plan"]).unwrap_err();
        let pointers: Vec<_> = error.faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(
            pointers,
            ["#/metadata/", "#/metadata/a", "#/name", "#/nick", "#/plan"]
        );
    }

    #[test]
    fn of_many_faults_the_first_are_told() {
        let refused = |unknown: usize| {
            let names = (0..unknown).map(|number| (format!("k{number:05}"), json!(1)));
            Fields::new(names.collect()).finish(&[]).unwrap_err()
        };
        let error = refused(MAX_FAULTS);
        assert_eq!(error.public, "The body has several faults.");
        assert_eq!(error.faults.len(), MAX_FAULTS);
        let error = refused(26_000);
        assert_eq!(
            error.public,
            "The body has several faults; the first 100 are listed."
        );
        assert_eq!(error.faults.len(), MAX_FAULTS);
        assert_eq!(error.faults[0].pointer, "#/k00000");
        assert_eq!(error.faults[MAX_FAULTS - 1].pointer, "#/k00099");
    }
}
