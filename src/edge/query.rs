//! The query of a URL (`application/x-www-form-urlencoded`), read strictly: every name that was asked for at most
//! once, everything else a fault. No fault repeats a value.

use crate::error::{Code, Error, Fault, Result};
use crate::types::Timestamp;
use crate::validate::time;
use std::ops::RangeInclusive;

/// Longest query, in bytes.
pub const MAX_QUERY_BYTES: usize = 2048;
/// Longest name of a parameter that a fault repeats, in bytes.
const MAX_NAME_BYTES: usize = 32;
/// Most parameters of a query.
pub const MAX_PARAMETERS: usize = 32;

/// The parameters of a query. What [`Query::finish`] finds left over is unknown and therefore a fault.
#[derive(Debug)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Takes a raw query apart; `text` is what stands between `?` and `#`.
    ///
    /// # Errors
    /// `malformed_request` if it is too long, has too many parameters or one that is not UTF-8; `validation_failed` if one
    /// comes twice.
    pub fn parse(text: &str) -> Result<Self> {
        if text.len() > MAX_QUERY_BYTES {
            return Err(malformed(format!(
                "The query may have at most {MAX_QUERY_BYTES} bytes."
            )));
        }
        let mut pairs: Vec<(String, String)> = Vec::new();
        for part in text.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let (name, value) = (decoded(name)?, decoded(value)?);
            if pairs.iter().any(|(known, _)| *known == name) {
                return Err(fault(&name, "Must not be given twice."));
            }
            if pairs.len() >= MAX_PARAMETERS {
                return Err(malformed(format!(
                    "The query may have at most {MAX_PARAMETERS} parameters."
                )));
            }
            pairs.push((name, value));
        }
        Ok(Self(pairs))
    }

    /// The value of the parameter `name`, once; an empty one counts as absent.
    pub fn take(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.swap_remove(at).1).filter(|value| !value.is_empty())
    }

    /// A parameter that `parse` understands.
    ///
    /// # Errors
    /// `validation_failed` with `wanted` as the sentence about what it must be.
    pub fn field<T>(
        &mut self,
        name: &str,
        wanted: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>> {
        match self.take(name) {
            None => Ok(None),
            Some(text) => match parse(&text) {
                Some(value) => Ok(Some(value)),
                None => Err(fault(name, format!("Must be {wanted}."))),
            },
        }
    }

    /// A whole number in plain decimal.
    ///
    /// # Errors
    /// `validation_failed` if it is none, or outside of `range`.
    pub fn integer(&mut self, name: &str, range: RangeInclusive<i64>) -> Result<Option<i64>> {
        let wanted = format!("a whole number from {} to {}", range.start(), range.end());
        self.field(name, &wanted, |text| {
            let plain = text.bytes().all(|byte| byte.is_ascii_digit());
            let number = text.parse().ok().filter(|_| plain)?;
            range.contains(&number).then_some(number)
        })
    }

    /// A moment as RFC 3339 writes it. A `+` of its offset arrives as a space unless it was escaped.
    ///
    /// # Errors
    /// `validation_failed` if it is none.
    pub fn time(&mut self, name: &str) -> Result<Option<Timestamp>> {
        self.field(name, "a time of RFC 3339, such as 2027-01-31T23:59:59Z", |text| {
            time(text.replace(' ', "+").into()).ok()
        })
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// `validation_failed` if there is a parameter that nobody asked for.
    pub fn finish(self) -> Result<()> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => Err(fault(name, "There is no such query parameter.")),
        }
    }
}

/// A fault of one parameter, which is named as a body's field would be, with `?` for the root. A name that none of
/// ours could be is not repeated.
fn fault(name: &str, detail: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    let sound = name.len() <= MAX_NAME_BYTES && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let fault = Fault {
        pointer: format!("?{}", if sound { name } else { "" }),
        detail: detail.into(),
    };
    let mut error = Error::validation(vec![fault]);
    error.public = "The query has a fault.".into();
    error
}

fn malformed(detail: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(Code::MalformedRequest, detail)
}

/// Percent-decoding, `+` for a space (WHATWG URL section 5.1), but strict: `%` needs two hex digits, the result UTF-8.
fn decoded(text: &str) -> Result<String> {
    let wrong = || malformed("The query is not percent-encoded UTF-8.");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
                let (high, low) = (digit().ok_or_else(wrong)?, digit().ok_or_else(wrong)?);
                u8::try_from(high.wrapping_mul(16).wrapping_add(low)).map_err(|_| wrong())?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn query(text: &str) -> Query {
        Query::parse(text).unwrap()
    }

    #[test]
    fn parameters_are_decoded_and_taken_once() {
        let mut query = query("a=1%2B2&b=x+y&&c&d=%C3%A9&e=");
        assert_eq!(query.take("a").as_deref(), Some("1+2"));
        assert_eq!(query.take("b").as_deref(), Some("x y"));
        assert_eq!((query.take("c"), query.take("e")), (None, None));
        assert_eq!(query.take("d").as_deref(), Some("é"));
        assert_eq!(query.take("a"), None);
        query.finish().unwrap();
    }

    #[test]
    fn what_is_twice_unknown_or_badly_encoded_is_refused() {
        assert_eq!(Query::parse("a=1&a=2").unwrap_err().faults[0].pointer, "?a");
        assert_eq!(query("b=1").finish().unwrap_err().faults[0].pointer, "?b");
        for bad in ["a=%", "a=%4", "a=%zz", "a=%ff", "a=%+1", &"x".repeat(2049)] {
            assert_eq!(
                Query::parse(bad).unwrap_err().code,
                Code::MalformedRequest,
                "{bad}"
            );
        }
        let many: Vec<_> = (0..33).map(|n| format!("p{n}=1")).collect();
        assert!(Query::parse(&many.join("&")).is_err());
        assert!(query("b=1").finish().is_err());
    }

    #[test]
    fn numbers_and_times_have_one_form() {
        let limit = |text: &str| query(text).integer("limit", 1..=100);
        assert_eq!(limit("limit=100").unwrap(), Some(100));
        assert_eq!(limit("").unwrap(), None);
        for bad in [
            "limit=0",
            "limit=101",
            "limit=+1",
            "limit=1.0",
            "limit=-1",
            "limit=9999999999999999999",
        ] {
            assert!(limit(bad).is_err(), "{bad}");
        }
        let at = |text: &str| query(text).time("from");
        assert_eq!(
            at("from=2026-01-01T01:00:00+01:00").unwrap(),
            at("from=2026-01-01T01%3A00%3A00%2B01%3A00").unwrap()
        );
        assert!(at("from=yesterday").is_err());
    }

    #[test]
    fn no_fault_repeats_a_value() {
        let error = query("limit=secret").integer("limit", 1..=2).unwrap_err();
        assert!(!format!("{error:?}").contains("secret"));
        let error = query("ada%40example.com=1").finish().unwrap_err();
        assert!(!format!("{error:?}").contains("ada"));
    }
}
