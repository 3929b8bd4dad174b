//! Moments as text (RFC 3339 section 5.6). By hand, with the calendar of `time`: texts are in every audit entry and every
//! answer, and the reader and writer of `time` are interpreters that serve every other format too (12 kB of the module).
//! Two things that `time` reads are refused: any sign at all between date and time, and a leap second at the end of 9999.

use time::{Date, Month, OffsetDateTime, Time};

const MINUTE_SECS: i64 = 60;
const HOUR_SECS: i64 = 3600;
/// The form up to the seconds; `0` stands for a digit.
const SHAPE: &str = "0000-00-00T00:00:00";

/// Unix milliseconds of the moment that `text` names, cut off at the millisecond. A leap second counts as the last
/// millisecond before it ends, as it has no number of its own, and is refused where there cannot be one.
pub fn parse(text: &str) -> Option<i64> {
    let (head, rest) = text.split_at_checked(SHAPE.len())?;
    let fits = |(wanted, found): (u8, u8)| match wanted {
        b'0' => found.is_ascii_digit(),
        // Section 5.6: in any letter case, or a space for people to read.
        b'T' => matches!(found, b'T' | b't' | b' '),
        _ => wanted == found,
    };
    if !SHAPE.bytes().zip(head.bytes()).all(fits) {
        return None;
    }
    let year = head.get(..4)?.parse().ok()?;
    let number = |from: usize| head.get(from..from.saturating_add(2))?.parse::<u8>().ok();
    let month = Month::try_from(number(5)?).ok()?;
    let date = Date::from_calendar_date(year, month, number(8)?).ok()?;
    let (hour, minute, second) = (number(11)?, number(14)?, number(17)?);
    let is_leap = second == 60;
    let time = Time::from_hms(hour, minute, if is_leap { 59 } else { second }).ok()?;
    let (fraction, offset) = fraction(rest)?;
    let secs = OffsetDateTime::new_utc(date, time)
        .unix_timestamp()
        .checked_sub(offset_secs(offset)?)?;
    let millis = if is_leap { 999 } else { fraction };
    if is_leap && !is_end_of_month(secs) {
        return None;
    }
    secs.checked_mul(1000)?.checked_add(millis)
}

/// The milliseconds that a fraction of a second begins with, if there is one, and what follows it.
fn fraction(rest: &str) -> Option<(i64, &str)> {
    let Some(rest) = rest.strip_prefix('.') else {
        return Some((0, rest));
    };
    let end = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, offset) = rest.split_at_checked(end).filter(|_| end > 0)?;
    let places = digits.bytes().chain([b'0'; 2]).take(3);
    let millis = places.fold(0_i64, |sum, digit| {
        let digit = i64::from(digit.saturating_sub(b'0'));
        sum.saturating_mul(10).saturating_add(digit)
    });
    Some((millis, offset))
}

/// Seconds by which the local time is ahead of UTC: `Z`, `+02:00`, at most 23:59.
fn offset_secs(text: &str) -> Option<i64> {
    if text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let &[sign @ (b'+' | b'-'), h1, h0, b':', m1, m0] = text.as_bytes() else {
        return None;
    };
    let pair = |tens: u8, ones: u8, most: i64| {
        let digit = |byte: u8| char::from(byte).to_digit(10).map(i64::from);
        let number = digit(tens)?.checked_mul(10)?.checked_add(digit(ones)?)?;
        (number <= most).then_some(number)
    };
    let hours = pair(h1, h0, 23)?.checked_mul(HOUR_SECS)?;
    let secs = hours.checked_add(pair(m1, m0, 59)?.checked_mul(MINUTE_SECS)?)?;
    secs.checked_mul(if sign == b'-' { -1 } else { 1 })
}

/// Whether that is a month's last second in UTC, the only place of leap seconds (section 5.7).
fn is_end_of_month(secs: i64) -> bool {
    let next = secs
        .checked_add(1)
        .and_then(|secs| OffsetDateTime::from_unix_timestamp(secs).ok());
    next.is_some_and(|next| next.day() == 1 && next.to_hms() == (0, 0, 0))
}

/// `2026-01-31T23:59:59.000Z`; nothing where the year has not four digits.
pub fn write(millis: i64) -> String {
    let Ok(at) = OffsetDateTime::from_unix_timestamp(millis.div_euclid(1000)) else {
        return String::new();
    };
    let ((year, month, day), (hour, minute, second)) = (at.to_calendar_date(), at.to_hms());
    let mut text = String::with_capacity("2026-01-31T23:59:59.000Z".len());
    let mut put = |value: u32, first_place: u32, after: char| {
        let places = [1000, 100, 10, 1]
            .into_iter()
            .filter(|place| *place <= first_place);
        let digits = places.map(|place: u32| value.checked_div(place).unwrap_or_default() % 10);
        text.extend(digits.filter_map(|digit| char::from_digit(digit, 10)));
        text.push(after);
    };
    put(year.unsigned_abs(), 1000, '-');
    put(u8::from(month).into(), 10, '-');
    put(day.into(), 10, 'T');
    put(hour.into(), 10, ':');
    put(minute.into(), 10, ':');
    put(second.into(), 10, '.');
    put(
        u32::try_from(millis.rem_euclid(1000)).unwrap_or_default(),
        100,
        'Z',
    );
    text
}

#[cfg(all(test, not(target_arch = "wasm32")))]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::format_description::well_known::Rfc3339;

    /// What the reader of `time` makes of it.
    fn theirs(text: &str) -> Option<i64> {
        let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        i64::try_from(at.unix_timestamp_nanos().div_euclid(1_000_000)).ok()
    }

    #[test]
    fn what_the_standard_has_for_examples_is_read() {
        // Section 5.8.
        for text in [
            "1985-04-12T23:20:50.52Z",
            "1996-12-19T16:39:57-08:00",
            "1990-12-31T23:59:60Z",
            "1990-12-31T15:59:60-08:00",
            "1937-01-01T12:00:27.87+00:20",
            "2026-02-28 23:59:59.9999999999999999999999z",
            "0000-01-01t00:00:00Z",
            "9999-12-31T23:59:59.999-23:59",
            "2024-02-29T00:00:00.1+23:59",
        ] {
            assert_eq!(parse(text), theirs(text), "{text}");
            assert!(parse(text).is_some(), "{text}");
        }
        assert_eq!(parse("1970-01-01T00:00:01.5Z"), Some(1500));
        assert_eq!(parse("1990-12-31T23:59:60.5Z"), Some(662_687_999_999));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "2026",
            "2026-01-01",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00Z",
            "2026-01-01x00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:60:00Z",
            "2026-01-01T00:00:61Z",
            "2026-01-01T12:00:60Z",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00,5Z",
            "2026-01-01T00:00:00.5",
            "2026-01-01T00:00:00ZZ",
            "2026-01-01T00:00:00+24:00",
            "2026-01-01T00:00:00+00:60",
            "2026-01-01T00:00:00+0000",
            "2026-01-01T00:00:00+1:000",
            "2026-01-01T00:00:00 Z",
            " 2026-01-01T00:00:00Z",
            "+026-01-01T00:00:00Z",
            "2026-+1-01T00:00:00Z",
            "2026-01-01T00:00:0\u{660}Z",
            "２026-01-01T00:00:00Z",
            "2026-01-01T00:00:00\u{2212}01:00",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        for text in ["2026-01-01x00:00:00Z", "9999-12-31T23:59:60Z"] {
            assert!(parse(text).is_none() && theirs(text).is_some(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn it_reads_what_time_reads(
            text in "(19|20)[0-9]{2}-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,12})?([Zz]|[+-][0-2][0-9]:[0-6][0-9])?",
        ) {
            prop_assert_eq!(parse(&text), theirs(&text));
        }

        #[test]
        fn what_is_nearly_a_moment_is_read_as_time_reads_it_or_not_at_all(
            millis in -62_167_219_200_000..=253_402_300_799_999_i64,
            place in 0..24_usize,
            sign in "\\PC",
        ) {
            let mut text: Vec<_> = write(millis).chars().map(String::from).collect();
            text[place] = sign;
            let text = text.concat();
            prop_assert!(parse(&text).is_none_or(|at| Some(at) == theirs(&text)), "{}", text);
        }

        #[test]
        fn what_is_written_is_read(millis in -62_167_219_200_000..=253_402_300_799_999_i64) {
            prop_assert_eq!(parse(&write(millis)), Some(millis));
        }
    }
}
