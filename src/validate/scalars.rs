//! Single values: lines of text, booleans, numbers, language tags and time zones.

use super::integer;
use icu_normalizer::ComposingNormalizerBorrowed;
use serde_json::Value;
use std::borrow::Cow;
use std::ops::RangeInclusive;

/// A line of text: 1 to `max_chars` characters (Unicode scalar values), in normalization form C (UAX #15),
/// without control characters, line separators or bidirectional overrides, and not blank at either end.
///
/// # Errors
/// A sentence about what is wrong.
pub fn line(value: Value, max_chars: usize) -> std::result::Result<String, Cow<'static, str>> {
    let Value::String(text) = value else {
        return Err("Must be a string.".into());
    };
    check_line(&text, max_chars)?;
    Ok(text)
}

pub(super) fn check_line(text: &str, max_chars: usize) -> std::result::Result<(), Cow<'static, str>> {
    if text.is_empty() {
        return Err("Must not be empty; null clears a field.".into());
    }
    if text.len() > max_chars && text.chars().count() > max_chars {
        return Err(format!("Must have at most {max_chars} characters.").into());
    }
    if text.chars().any(is_forbidden) {
        return Err("Must not hold control characters, line breaks or bidirectional overrides.".into());
    }
    if text.trim().len() != text.len() {
        return Err("Must not begin or end with white space.".into());
    }
    if !ComposingNormalizerBorrowed::new_nfc().is_normalized(text) {
        return Err("Must be in Unicode normalization form C (NFC).".into());
    }
    Ok(())
}

/// Control characters (Cc), line and paragraph separators, and the bidirectional controls that make a name
/// read as another one (Unicode TR 36 section 2.6), and noncharacters.
pub(super) fn is_forbidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || matches!(character, '\u{fdd0}'..='\u{fdef}')
        || u32::from(character) & 0xfffe == 0xfffe
}

/// True or false.
///
/// # Errors
/// A sentence about what is wrong.
pub fn boolean(value: Value) -> std::result::Result<bool, Cow<'static, str>> {
    value.as_bool().ok_or(Cow::Borrowed("Must be true or false."))
}

/// A whole number of nought or more within bounds; see [`integer`].
///
/// # Errors
/// A sentence about what is wrong.
pub fn natural(value: Value, bounds: RangeInclusive<u64>) -> std::result::Result<u64, Cow<'static, str>> {
    let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    integer(&value, signed(*bounds.start())..=signed(*bounds.end())).map(i64::unsigned_abs)
}

/// A language tag that is well-formed and whose subtags are registered (BCP 47, RFC 5646 section 2.2.9), in
/// its canonical letter case.
///
/// # Errors
/// A sentence about what is wrong.
pub fn language_tag(value: Value) -> std::result::Result<String, Cow<'static, str>> {
    const WRONG: &str = "Must be a language tag of BCP 47, such as en or pt-BR.";
    let text = value
        .as_str()
        .filter(|text| text.len() <= 35)
        .ok_or(Cow::Borrowed(WRONG))?;
    let tag = language_tags::LanguageTag::parse(text).map_err(|_| Cow::Borrowed(WRONG))?;
    if !super::subtags::are_registered(&tag) {
        return Err(Cow::Borrowed(WRONG));
    }
    Ok(tag.into_string())
}

/// A time zone of the IANA database, as it is written there (any letter case is accepted).
///
/// # Errors
/// A sentence about what is wrong.
pub fn time_zone(value: Value) -> std::result::Result<String, Cow<'static, str>> {
    const WRONG: &str = "Must be a time zone of the IANA database, such as Europe/Berlin or UTC.";
    let text = value
        .as_str()
        .filter(|text| text.len() <= 64)
        .ok_or(Cow::Borrowed(WRONG))?;
    let parsed = icu_time::zone::iana::IanaParserExtended::new().parse(text);
    if parsed.time_zone.is_unknown() {
        return Err(Cow::Borrowed(WRONG));
    }
    Ok(parsed.normalized.to_owned())
}
