//! Makes the tables from the crate.

use super::*;
use language_tags::ValidationError::{ExtendedLanguageNotInRegistry, WrongExtendedLanguagePrefix};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// The subtags that may stand behind a prefix.
type Lines = BTreeMap<String, BTreeSet<String>>;

/// Each variant with its prefixes. What has up to eight characters cannot be guessed: the crate is asked about those
/// that the table has, and when it is made they are read from the crate's source.
static VARIANTS: LazyLock<Vec<(String, Vec<String>)>> = LazyLock::new(|| {
    if is_update() {
        return variants_of_the_source();
    }
    let mut prefixes: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for line in OTHERS.lines() {
        let (prefix, names) = line.split_once(' ').unwrap();
        let is_variant =
            |name: &&str| name.len() > 4 || name.len() == 4 && name.starts_with(|c: char| c.is_ascii_digit());
        for name in names.split(' ').filter(is_variant) {
            prefixes.entry(name).or_default().push(prefix.to_owned());
        }
    }
    let own = |(name, prefixes): (&str, _)| (name.to_owned(), prefixes);
    prefixes.into_iter().map(own).collect()
});

fn is_update() -> bool {
    std::env::var_os("UPDATE_PINNED").is_some()
}

fn variants_of_the_source() -> Vec<(String, Vec<String>)> {
    let arguments = "metadata --locked --format-version 1 --filter-platform wasm32-unknown-unknown";
    let output = Command::new(env!("CARGO"))
        .args(arguments.split(' '))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut packages = metadata["packages"].as_array().unwrap().iter();
    let package = packages.find(|package| package["name"] == "language-tags");
    let manifest = Path::new(package.unwrap()["manifest_path"].as_str().unwrap());
    let source = std::fs::read_to_string(manifest.with_file_name("src/iana_registry.rs")).unwrap();
    let (_, list) = source.split_once("pub const VARIANTS: ").unwrap();
    let (list, _) = list.split_once("];").unwrap();
    let strings: Vec<_> = list.split('"').skip(1).step_by(2).collect();
    let prefixes = |text: &str| text.split(' ').map(str::to_owned).collect();
    strings
        .chunks(2)
        .map(|pair| (pair[0].to_owned(), prefixes(pair[1])))
        .collect()
}

fn extended_languages() -> Lines {
    let mut lines = Lines::new();
    for subtag in letters(3) {
        let answer = LanguageTag::parse(&format!("en-{subtag}")).unwrap().validate();
        if answer == Err(ExtendedLanguageNotInRegistry) {
            continue;
        }
        assert_eq!(answer, Err(WrongExtendedLanguagePrefix), "none is English");
        for language in LANGUAGE_NAMES.iter() {
            // With an end of its own, since `zh-min` is registered whole, which says nothing of `min` in others.
            if theirs(&format!("{language}-{subtag}-x-a")) == Some(true) {
                let prefix = format!("{language}-");
                lines.entry(prefix).or_default().insert(subtag.clone());
            }
        }
    }
    lines
}

fn variants() -> Lines {
    let mut lines = Lines::new();
    for (variant, prefixes) in VARIANTS.iter() {
        for prefix in prefixes {
            let language = prefix.trim_end_matches('-');
            let language = if language.is_empty() { "en" } else { language };
            assert_eq!(
                theirs(&format!("{language}-{variant}")),
                Some(true),
                "{prefix}{variant}"
            );
            let names = lines.entry(prefix.clone()).or_default();
            names.insert(variant.clone());
        }
    }
    lines
}

/// What may stand behind any language.
fn anywhere(names: impl IntoIterator<Item = String>) -> Lines {
    let is_registered = |name: &String| theirs(&format!("en-{name}")) == Some(true);
    let names = names.into_iter().filter(is_registered).collect();
    Lines::from([(String::new(), names)])
}

fn capitalised(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    first.to_uppercase() + rest
}

#[test]
fn the_tables_are_those_of_the_crate() {
    let mut languages = vec![0_u8; place("zzz").unwrap() / 8 + 1];
    for name in LANGUAGE_NAMES.iter() {
        let place = place(name).unwrap();
        languages[place / 8] |= 1 << (place % 8);
    }
    let countries = letters(2)
        .iter()
        .map(|name| name.to_uppercase())
        .collect::<Vec<_>>();
    let sections = [
        anywhere(letters(4).iter().map(|name| capitalised(name))),
        anywhere(countries),
        anywhere(words('0'..='9', 3)),
        variants(),
        extended_languages(),
    ];
    let line = |(prefix, names): (String, BTreeSet<String>)| {
        prefix + &names.iter().map(|name| format!(" {name}")).collect::<String>() + "\n"
    };
    let others: String = sections.into_iter().flatten().map(line).collect();

    for (name, expected) in [("languages.bin", languages), ("others.txt", others.into_bytes())] {
        let file = format!("{}/src/validate/subtags/{name}", env!("CARGO_MANIFEST_DIR"));
        if is_update() {
            std::fs::write(&file, &expected).unwrap();
        }
        assert!(
            std::fs::read(&file).unwrap() == expected,
            "UPDATE_PINNED=1 writes {file}"
        );
    }
}
