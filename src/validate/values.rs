//! Single values of a body: numbers, times, origins. Each reader gives the value, or a sentence about what is wrong.

use crate::types::Timestamp;
use serde_json::Value;
use std::borrow::Cow;
use std::ops::RangeInclusive;
use url::Url;

/// The longest origin in bytes: `https://`, a host of 253 (RFC 1035 section 2.3.4) and a port.
pub const MAX_ORIGIN_BYTES: usize = 267;
/// The longest text of a time in bytes; RFC 3339 itself bounds no fraction.
const MAX_TIME_BYTES: usize = 64;
/// 2^53 - 1, the largest whole number below which a double holds every one (RFC 8259 section 6).
const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;

/// A whole number within `range`; `5.0` is one (RFC 8259 section 6 knows one kind of number), `5.5` is none.
///
/// # Errors
/// A sentence about what is wrong.
pub fn integer(value: &Value, range: RangeInclusive<i64>) -> std::result::Result<i64, Cow<'static, str>> {
    let whole = |number: &f64| number.fract() == 0.0 && number.abs() <= MAX_SAFE_INTEGER;
    value
        .as_i64()
        .or_else(|| value.as_f64().filter(whole).map(|number| number as i64))
        .filter(|number| range.contains(number))
        .ok_or_else(|| {
            format!(
                "Must be a whole number from {} to {}.",
                range.start(),
                range.end()
            )
            .into()
        })
}

/// A moment as RFC 3339 writes it, at any offset; what is finer than a millisecond is cut off.
///
/// # Errors
/// A sentence about what is wrong.
pub fn time(value: Value) -> std::result::Result<Timestamp, Cow<'static, str>> {
    value
        .as_str()
        .filter(|text| text.len() <= MAX_TIME_BYTES)
        .and_then(Timestamp::parse_rfc3339)
        .ok_or(Cow::Borrowed(
            "Must be a time of RFC 3339, such as 2027-01-31T23:59:59Z.",
        ))
}

/// An origin exactly as a browser sends it (RFC 6454 section 6.2): scheme, host in lower case, and the port where
/// it is not the scheme's own.
///
/// # Errors
/// A sentence about what is wrong.
pub fn origin(value: Value) -> std::result::Result<String, Cow<'static, str>> {
    const WRONG: &str =
        "Must be an exact http or https origin, such as https://app.example.com, without a path or wildcard.";
    let Value::String(text) = value else {
        return Err("Must be a string.".into());
    };
    // To a URL parser `*` is a letter like any other; whoever writes it means a wildcard.
    let web = text.starts_with("https://") || text.starts_with("http://");
    if text.len() > MAX_ORIGIN_BYTES || !web || text.contains('*') {
        return Err(WRONG.into());
    }
    let parsed = Url::parse(&text).ok().map(|url| url.origin());
    if parsed.is_some_and(|origin| origin.ascii_serialization() == text) {
        Ok(text)
    } else {
        Err(WRONG.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn integers_are_whole_and_within_their_range() {
        assert_eq!(integer(&json!(5), 0..=5), Ok(5));
        assert_eq!(integer(&json!(5.0), 0..=5), Ok(5));
        assert_eq!(integer(&json!(0), 0..=5), Ok(0));
        for bad in [
            json!(-1),
            json!(6),
            json!(1.5),
            json!("1"),
            json!(1e300),
            json!(u64::MAX),
            json!(null),
        ] {
            assert!(integer(&bad, 0..=5).is_err(), "{bad}");
        }
        assert!(integer(&json!(1e300), i64::MIN..=i64::MAX).is_err());
    }

    #[test]
    fn times_are_rfc_3339_at_any_offset() {
        let at = |text: &str| time(json!(text)).map(Timestamp::as_millis);
        assert_eq!(at("2027-01-31T23:59:59Z"), Ok(1_801_439_999_000));
        assert_eq!(at("2027-02-01T01:59:59.0019999+02:00"), Ok(1_801_439_999_001));
        for bad in [
            "",
            "2027-01-31",
            "2027-01-31T23:59:59",
            "2027-02-30T00:00:00Z",
            "tomorrow",
            "1801439999",
        ] {
            assert!(at(bad).is_err(), "{bad}");
        }
        assert!(at(&format!("2027-01-31T23:59:59.{}Z", "0".repeat(64))).is_err());
        assert!(time(json!(1_801_439_999)).is_err());
    }

    #[test]
    fn origins_are_exact() {
        for good in [
            "https://a.example",
            "http://localhost:8787",
            "https://[::1]:8443",
            "https://xn--bcher-kva.example",
        ] {
            assert_eq!(origin(json!(good)).as_deref(), Ok(good));
        }
        for bad in [
            "https://a.example/",
            "https://A.example",
            "https://a.example:443",
            "https://*.example",
            "null",
            "*",
            "",
            "a.example",
            "ftp://a.example",
            "https://u@a.example",
            "https://b\u{fc}cher.example",
            "https://a.example?",
        ] {
            assert!(origin(json!(bad)).is_err(), "{bad}");
        }
        assert!(origin(json!(format!("https://{}.example", "a.".repeat(150)))).is_err());
    }
}
