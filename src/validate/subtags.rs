//! Whether the subtags of a language tag are registered (BCP 47). The crate `language-tags` knows as much, but its
//! registry is 34 kB of the module (`docs/adr/0032-size-and-speed-of-the-module.md`). Here is the same one in 7 kB, made
//! from the crate by the tests, which hold our answers against the crate's. `UPDATE_PINNED=1` writes it anew.

#[cfg(all(test, not(target_arch = "wasm32")))]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;

use language_tags::LanguageTag;

/// A bit for each primary language of two or three letters, at the place that [`place`] gives it.
const LANGUAGES: &[u8] = include_bytes!("subtags/languages.bin");

/// All other subtags. A line has a prefix, which is empty in most, and the subtags that a tag which begins with it may
/// have. The form of a subtag says what it is, so that scripts, regions and variants do not get into each other's way.
const OTHERS: &str = include_str!("subtags/others.txt");

/// Says what [`LanguageTag::validate`] says, without the crate's registry.
pub(super) fn are_registered(tag: &LanguageTag) -> bool {
    let language = tag.primary_language();
    // Of a private tag and of one that was registered whole (`i-klingon`) the crate makes a single subtag.
    if language.contains('-') {
        return true;
    }
    // Two extended languages come as one subtag with a dash in it, and so are refused, as they must be.
    let mut others = tag
        .extended_language()
        .into_iter()
        .chain(tag.script())
        .chain(tag.region())
        .chain(tag.variant_subtags());
    is_language(language) && others.all(|subtag| is_registered(tag.as_str(), subtag)) && !repeats(tag)
}

fn is_language(language: &str) -> bool {
    // For private use. As the crate compares them, `qb` and `qabcd` are among them.
    ("qaa"..="qtz").contains(&language)
        || place(language).is_some_and(|place| {
            let byte = LANGUAGES.get(place >> 3).copied().unwrap_or_default();
            byte >> (place & 7) & 1 == 1
        })
}

/// The letters read as the digits of a number to the base of 27, of which nought is unused: no two languages have the
/// same place, and those of more than three letters have one behind the end of the bits.
fn place(language: &str) -> Option<usize> {
    language.bytes().try_fold(0_usize, |place, letter| {
        place.checked_mul(27)?.checked_add(usize::from(letter & 31))
    })
}

fn is_registered(tag: &str, subtag: &str) -> bool {
    OTHERS.lines().any(|line| {
        let mut words = line.split(' ');
        words.next().is_some_and(|prefix| tag.starts_with(prefix)) && words.any(|word| word == subtag)
    })
}

/// Whether a variant, or the letter or digit that introduces an extension, is there twice.
fn repeats(tag: &LanguageTag) -> bool {
    let marks = || {
        let extensions = tag.extension().unwrap_or_default().split('-');
        tag.variant_subtags()
            .chain(extensions.filter(|subtag| subtag.len() == 1))
    };
    marks()
        .enumerate()
        .any(|(place, mark)| marks().take(place).any(|earlier| earlier == mark))
}
