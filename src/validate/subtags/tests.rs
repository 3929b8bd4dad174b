mod tables;

use super::*;
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// All words of so many letters or digits.
fn words(digits: std::ops::RangeInclusive<char>, len: u32) -> Vec<String> {
    (0..len).fold(vec![String::new()], |words, _| {
        let longer = |word: String| digits.clone().map(move |digit| format!("{word}{digit}"));
        words.into_iter().flat_map(longer).collect()
    })
}

fn letters(len: u32) -> Vec<String> {
    words('a'..='z', len)
}

fn theirs(tag: &str) -> Option<bool> {
    LanguageTag::parse(tag).ok().map(|tag| tag.validate().is_ok())
}

fn ours(tag: &str) -> Option<bool> {
    LanguageTag::parse(tag).ok().map(|tag| are_registered(&tag))
}

#[track_caller]
fn compare(tag: &str) {
    assert_eq!(ours(tag), theirs(tag), "{tag}");
}

/// The languages of two and three letters that the crate accepts.
static LANGUAGE_NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let names = letters(2).into_iter().chain(letters(3));
    names.filter(|name| theirs(name) == Some(true)).collect()
});

#[test]
fn every_language_and_region_is_judged_as_the_crate_does() {
    // Of four letters, those around the ones for private use.
    let long = letters(4)
        .into_iter()
        .filter(|name| ('p'..='r').contains(&name.chars().next().unwrap()));
    for language in letters(2).into_iter().chain(letters(3)).chain(long) {
        compare(&language);
    }
    for region in letters(2).into_iter().chain(words('0'..='9', 3)) {
        compare(&format!("en-{region}"));
    }
}

/// The words of the table that have this form.
fn listed(has_form: fn(&str) -> bool) -> Vec<String> {
    let lines = OTHERS.lines().flat_map(|line| line.split(' ').skip(1));
    lines.filter(|word| has_form(word)).map(str::to_owned).collect()
}

fn prefixes() -> BTreeSet<&'static str> {
    OTHERS.lines().filter_map(|line| line.split(' ').next()).collect()
}

fn is_extended_language(word: &str) -> bool {
    word.len() == 3 && word.starts_with(|letter: char| letter.is_ascii_lowercase())
}

fn is_script(word: &str) -> bool {
    word.len() == 4 && word.starts_with(|letter: char| letter.is_ascii_uppercase())
}

fn is_region(word: &str) -> bool {
    word.len() < 4 && !is_extended_language(word)
}

fn is_variant(word: &str) -> bool {
    word.len() > 3 && !is_script(word)
}

/// The words that differ from this one by a letter.
fn neighbours(word: &str) -> impl Iterator<Item = String> {
    (0..word.len()).flat_map(move |at| {
        let with = move |letter: char| {
            let letters = word.chars().enumerate();
            letters
                .map(|(place, own)| if place == at { letter } else { own })
                .collect()
        };
        ('a'..='z').map(with)
    })
}

#[test]
fn every_script_extended_language_and_variant_is_judged_as_the_crate_does() {
    for script in listed(is_script) {
        neighbours(&script).for_each(|script| compare(&format!("en-{script}")));
    }
    for prefix in prefixes().into_iter().chain(["en-"]) {
        let subtags = listed(|word| is_extended_language(word) || is_variant(word));
        subtags
            .iter()
            .for_each(|subtag| compare(&format!("{prefix}{subtag}")));
    }
    for variant in listed(is_variant) {
        neighbours(&variant).for_each(|variant| compare(&format!("en-{variant}")));
    }
}

#[test]
fn what_is_not_of_the_tables_is_judged_as_the_crate_does() {
    for (tag, expected) in [
        ("x-anything-at-all", true),
        ("X--", true),
        ("i-klingon", true),
        ("EN-gb-OED", true),
        ("zh-min", true),
        ("zh-min-x-a", false),
        ("zh-cmn", true),
        ("zh-cmn-yue", false),
        ("en-cmn", false),
        ("qb", true),
        ("qabcdefg", true),
        ("qtz", true),
        ("qtza", false),
        ("english", false),
        ("de-1901", true),
        ("de-1901-1901", false),
        ("sl-rozaj-biske-1994", true),
        ("sl-biske-rozaj", false),
        ("sl-rozaj-biske-rozaj", false),
        ("en-a-bb-b-cc", true),
        ("en-a-bb-a-cc", false),
        ("en-a-bb-bb-x-a-a-zzz", true),
        ("en-Qabx-QM", true),
        ("en-Qaby", false),
        ("en-QL", false),
        ("en-419", true),
        ("en-420", false),
    ] {
        compare(tag);
        assert_eq!(ours(tag), Some(expected), "{tag}");
    }
}

/// A word of the table, or now and then any other.
fn word(has_form: fn(&str) -> bool, other: &'static str) -> impl Strategy<Value = String> {
    prop_oneof![9 => select(listed(has_form)), 1 => other]
}

/// The parts of a tag in their order, any of which may be missing.
fn parts() -> impl Strategy<Value = Vec<String>> {
    let pairs = OTHERS.lines().filter_map(|line| line.split_once(' '));
    let starts: Vec<_> = pairs
        .filter(|(prefix, _)| !prefix.is_empty())
        .flat_map(|(prefix, words)| words.split(' ').map(move |word| format!("{prefix}{word}")))
        .collect();
    let start = prop_oneof![
        4 => select(starts),
        4 => select(LANGUAGE_NAMES.clone()),
        1 => "[a-z]{2,5}|q[a-u][a-z]{1,6}|zh-min|i-hak|x",
    ];
    let some = |part, most| prop::collection::vec(part, 0..=most);
    (
        start.prop_map(|start| vec![start]),
        prop::option::weighted(0.1, word(is_extended_language, "[a-z]{3}")).prop_map(Vec::from_iter),
        some(word(is_script, "[a-z]{4}").boxed(), 1),
        some(word(is_region, "[a-z]{2}|[0-9]{3}").boxed(), 1),
        some(word(is_variant, "[a-z0-9]{4,8}").boxed(), 3),
        some("[abu]-[a-z0-9]{2,3}".boxed(), 3),
        some("x-[a-z0-9]{1,3}".boxed(), 1),
    )
        .prop_map(|parts| {
            let (start, extended, script, region, variants, extensions, private) = parts;
            [start, extended, script, region, variants, extensions, private].concat()
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn any_tag_is_judged_as_the_crate_does(parts in parts(), in_capitals: bool) {
        let tag = parts.join("-");
        let tag = if in_capitals { tag.to_uppercase() } else { tag };
        prop_assert_eq!(ours(&tag), theirs(&tag), "{}", tag);
    }
}
