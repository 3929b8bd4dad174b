//! Making a text fit, where refusing it would lose a record: for what comes from an older system, never for a body.

use super::scalars::{check_line, is_forbidden};
use icu_normalizer::ComposingNormalizerBorrowed;

/// The text as a field takes it: NFC, without what is forbidden, trimmed, cut off at `max_chars`. It may be empty.
#[must_use]
pub fn tidy_line(text: &str, max_chars: usize) -> String {
    // Normalising lengthens a text a few times over at most, so a bound before it bounds the work.
    let bounded = text.chars().take(max_chars.saturating_mul(4));
    let allowed: String = bounded.filter(|character| !is_forbidden(*character)).collect();
    let normal: String = ComposingNormalizerBorrowed::new_nfc()
        .normalize(allowed.trim())
        .chars()
        .take(max_chars)
        .collect();
    normal.trim().to_owned()
}

/// Whether the text may be the key of a map, as `features` has them.
#[must_use]
pub fn is_key(text: &str, max_chars: usize) -> bool {
    check_line(text, max_chars).is_ok()
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_text_is_made_fit() {
        assert_eq!(tidy_line(" Zoe\u{308}\u{202e}\n ", 100), "Zo\u{eb}");
        assert_eq!(tidy_line("abc def", 4), "abc");
        assert_eq!(tidy_line("\u{0}", 4), "");
    }

    proptest! {
        #[test]
        fn what_was_made_fit_is_accepted_and_stays_as_it_is(text in "\\PC{0,30}|[\\x00-\\x20a\u{308}]{0,9}") {
            let tidy = tidy_line(&text, 12);
            prop_assert!(tidy.is_empty() || is_key(&tidy, 12), "{:?}", tidy);
            prop_assert_eq!(tidy_line(&tidy, 12), tidy);
        }
    }
}
