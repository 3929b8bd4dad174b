//! What the documentation says is what the code does: its tables are compared with the tables in the code, the
//! schema's page with the migrations, and every link inside the repository leads somewhere.
#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::string_slice
)]

#[path = "docs/actions.rs"]
mod actions;
#[path = "docs/schema.rs"]
mod schema;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use user_api::customer::status::{self, Status, TRANSITIONS};
use user_api::edge::access::{Access, Kind};
use user_api::edge::route::{Audience, Route};
use user_api::edge::settings::{Required, SETTINGS};
use user_api::error::Code;
use user_api::legacy::outcome::{Outcome, Word};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All files under `folder` with that ending.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The cells of all table rows of a page.
fn rows(page: &str) -> Vec<Vec<&str>> {
    let rows = page
        .lines()
        .filter_map(|line| line.trim().strip_prefix("| ")?.strip_suffix(" |"));
    rows.map(|row| row.split(" | ").map(str::trim).collect())
        .collect()
}

/// The rows whose first cell is one word in backticks, without them; none twice.
fn named_rows(page: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut named = BTreeMap::new();
    for row in rows(page) {
        let name = row[0].strip_prefix('`').and_then(|text| text.strip_suffix('`'));
        if let Some(name) = name {
            assert!(
                named.insert(name, row[1..].to_vec()).is_none(),
                "two rows of {name}"
            );
        }
    }
    named
}

/// The part of a page under the heading of that text.
fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let mut from = None;
    let mut at = 0;
    for line in page.split_inclusive('\n') {
        let level = line.bytes().take_while(|&byte| byte == b'#').count();
        match from {
            None if level > 0 && line[level..].trim() == heading => from = Some((at + line.len(), level)),
            Some((start, outer)) if level > 0 && level <= outer => return &page[start..at],
            _ => {}
        }
        at += line.len();
    }
    from.map(|(start, _)| &page[start..])
        .unwrap_or_else(|| panic!("no heading {heading}"))
}

#[test]
fn every_setting_stands_in_operations_with_form_default_and_when_it_is_required() {
    let page = read("docs/OPERATIONS.md");
    let rows = named_rows(section(&page, "Settings"));
    let names: BTreeSet<_> = SETTINGS.iter().map(|doc| doc.name).collect();
    assert_eq!(rows.keys().copied().collect::<BTreeSet<_>>(), names);
    for doc in SETTINGS {
        let default = match doc.default {
            None => "none".to_owned(),
            Some(text) if text.len() <= 40 => format!("`{text}`"),
            Some(text) => {
                assert!(page.contains(text), "{}: the default stands nowhere", doc.name);
                "below".to_owned()
            }
        };
        let required = match doc.required {
            Required::Always => "always",
            Required::InProduction => "in production",
            Required::OneOfTokenKeys => "one of the three",
            Required::No => "no",
        };
        let kept = if doc.secret { "secret" } else { "plain" };
        assert_eq!(
            rows[doc.name][..4],
            [doc.form, &default, required, kept],
            "{}",
            doc.name
        );
    }
}

#[test]
fn every_operation_stands_in_the_contract_and_in_the_readme() {
    for (page, heading) in [("docs/API.md", "Operations"), ("README.md", "Endpoints")] {
        let text = read(page);
        let mut told = BTreeSet::new();
        for row in rows(section(&text, heading)) {
            let [methods, path, who] = row[..3] else {
                panic!("{page}: a row is too short: {row:?}")
            };
            for method in methods.split(", ").filter(|_| path.starts_with('`')) {
                assert!(
                    told.insert((method, path.trim_matches('`'), who)),
                    "{page}: {method} {path} twice"
                );
            }
        }
        let who = |route: &Route| match route.audience() {
            Audience::Public => "anyone",
            Audience::User => "user",
            Audience::Customer => "user, integration",
            Audience::Integration => "integration",
            Audience::Admin | Audience::OwnAdmin | Audience::Operator => "admin",
            Audience::Service => "service",
        };
        let routes = Route::ALL
            .iter()
            .map(|route| (route.method().as_str(), route.pattern(), who(route)))
            .collect();
        assert_eq!(told, routes, "{page}");
    }
}

#[test]
fn every_word_of_an_import_s_results_stands_in_the_page_on_moving_in() {
    let page = read("docs/MIGRATION.md");
    let rows = named_rows(section(&page, "Results"));
    let words = Word::ALL.iter().map(|word| (word.as_str(), vec![word.help()]));
    assert_eq!(rows, words.collect());
    for outcome in Outcome::ALL {
        assert!(page.contains(&format!("`{}`:", outcome.as_str())));
    }
}

#[test]
fn every_problem_code_stands_in_the_contract() {
    let page = read("docs/API.md");
    let rows = named_rows(section(&page, "Problem codes"));
    for code in Code::ALL {
        let row = rows
            .get(code.as_str())
            .unwrap_or_else(|| panic!("{code:?} has no row"));
        assert_eq!(
            row[..2],
            [code.status().to_string().as_str(), code.title()],
            "{code:?}"
        );
    }
    assert_eq!(rows.len(), Code::ALL.len(), "a row is of no code");
}

#[test]
fn the_moves_between_statuses_and_what_each_allows_stand_in_the_contract() {
    let page = read("docs/API.md");
    let status = section(&page, "Status");
    let table = |header: &str| {
        let (_, table) = status.split_once(header).expect("the table");
        let table = table.split("\n\n").next().unwrap();
        rows(table)
            .into_iter()
            .map(|row| row.join(" | "))
            .collect::<Vec<_>>()
    };
    let moves: Vec<_> = TRANSITIONS
        .iter()
        .map(|(from, to, who)| {
            let who: Vec<_> = who.iter().map(|by| by.as_str()).collect();
            format!("`{}` | `{}` | {}", from.as_str(), to.as_str(), who.join(", "))
        })
        .collect();
    assert_eq!(table("| From | To | By |\n"), moves);
    let mut allowed: Vec<_> = Status::ALL
        .iter()
        .map(|(state, name)| {
            let [read, act] =
                [status::Access::ReadOwn, status::Access::Act].map(|access| match state.allows(access) {
                    Ok(()) => "yes".to_owned(),
                    Err(error) => format!("{} `{}`", error.code.status(), error.code.as_str()),
                });
            format!("`{name}` | {read} | {act}")
        })
        .collect();
    let mut told = table("| Status | Reading | Changing |\n");
    told.sort();
    allowed.sort();
    assert_eq!(told, allowed);
}

/// docs/ACCESS.md's table, made from the code.
fn access_table() -> String {
    let mut table = String::from("| Operation |");
    for kind in Kind::ALL {
        let _ = write!(table, " {} |", kind.as_str());
    }
    let _ = write!(table, "\n|---|{}", "---|".repeat(Kind::ALL.len()));
    for route in Route::ALL {
        let _ = write!(table, "\n| {} `{}` |", route.method().as_str(), route.pattern());
        for kind in Kind::ALL {
            let _ = match route.access(kind) {
                Access::Served => write!(table, " yes |"),
                Access::OwnOnly => write!(table, " own |"),
                Access::Refused(code) => write!(table, " {} `{}` |", code.status(), code.as_str()),
            };
        }
    }
    table.push('\n');
    table
}

#[test]
fn who_may_call_what_is_made_from_the_table_in_the_code() {
    let old = read("docs/ACCESS.md");
    let (head, _) = old.split_once("\n| Operation |").expect("the table");
    let new = format!("{head}\n{}", access_table());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(root().join("docs/ACCESS.md"), &new).unwrap();
    } else {
        assert_eq!(
            old, new,
            "docs/ACCESS.md is stale: UPDATE_DOCS=1 cargo test --test docs"
        );
    }
}

/// The constants of the worker that bound something, by file and name, each with its value where that is a
/// literal or a product of literals.
fn bounds() -> BTreeMap<(String, String), Option<u64>> {
    let mut bounds = BTreeMap::new();
    for path in files(&root().join("src"), ".rs") {
        let file = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        if file.starts_with("src/bin/") {
            continue;
        }
        for line in read(&path).lines() {
            let line = line.trim_start_matches("pub ");
            let Some((name, value)) = line.strip_prefix("const ").and_then(|rest| rest.split_once(": "))
            else {
                continue;
            };
            let bounding = ["MAX_", "MIN_"].iter().any(|start| name.starts_with(start))
                || ["_MS", "_SECONDS", "_BYTES"]
                    .iter()
                    .any(|end| name.ends_with(end));
            let value = value
                .split_once(" = ")
                .map_or("", |(_, value)| value.trim_end_matches(';'));
            let factors = value
                .split('*')
                .map(|factor| factor.trim().replace(['_', '"'], "").parse::<u64>());
            if bounding {
                let value = factors
                    .collect::<Result<Vec<_>, _>>()
                    .ok()
                    .map(|factors| factors.iter().product());
                bounds.insert((file.clone(), name.to_owned()), value);
            }
        }
    }
    bounds
}

#[test]
fn every_named_bound_stands_in_the_architecture_with_its_value() {
    let page = read("docs/ARCHITECTURE.md");
    let mut told = BTreeMap::new();
    for row in rows(section(&page, "Bounds")) {
        let [name, value, _, file] = row[..4] else {
            panic!("a row is too short: {row:?}")
        };
        if name.starts_with('`') {
            let key = (
                file.trim_matches('`').to_owned(),
                name.trim_matches('`').to_owned(),
            );
            assert!(
                told.insert(key, value.replace(',', "").parse().ok()).is_none(),
                "{name} twice"
            );
        }
    }
    assert_eq!(told, bounds());
}

#[test]
fn every_test_that_the_architecture_names_exists() {
    let page = read("docs/ARCHITECTURE.md");
    let sources: String = ["src", "tests"]
        .iter()
        .flat_map(|folder| files(&root().join(folder), ".rs"))
        .map(read)
        .collect();
    for row in rows(section(&page, "Invariants"))
        .iter()
        .filter(|row| row[0] != "Invariant")
    {
        for test in row[1].split('`').skip(1).step_by(2) {
            assert!(
                sources.contains(&format!("fn {test}(")),
                "there is no test {test}"
            );
        }
    }
}

/// The anchor that a heading gets: lower case, spaces to dashes, letters, digits, `-` and `_` kept.
fn anchor(heading: &str) -> String {
    let kept = heading
        .trim()
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// The lines of a page outside its code blocks.
fn prose(page: &str) -> String {
    let blocks = page
        .split("\n```")
        .enumerate()
        .filter(|(index, _)| index % 2 == 0);
    blocks.map(|(_, text)| text).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_link_leads_somewhere() {
    let mut pages = files(&root().join("docs"), ".md");
    pages.extend(["README.md", "CONTRIBUTING.md"].map(|name| root().join(name)));
    for page in pages {
        for target in prose(&read(&page))
            .split("](")
            .skip(1)
            .map(|rest| rest.split(')').next().unwrap())
        {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (path, fragment) = target.split_once('#').unwrap_or((target, ""));
            let path = if path.is_empty() {
                page.clone()
            } else {
                page.parent().unwrap().join(path)
            };
            assert!(path.exists(), "{}: {target}", page.display());
            let headings = || {
                prose(&read(&path))
                    .lines()
                    .any(|line| line.starts_with('#') && anchor(line.trim_start_matches('#')) == fragment)
            };
            assert!(
                fragment.is_empty() || headings(),
                "{}: no heading {target}",
                page.display()
            );
        }
    }
}
