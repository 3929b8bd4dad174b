//! The words of the audit log.

use crate::{files, read, root};

#[test]
fn every_word_for_an_action_of_the_log_stands_in_the_formats() {
    let page = read("docs/FORMATS.md");
    let nouns = [
        "customer",
        "customers",
        "status",
        "session",
        "user",
        "preferences",
        "usage",
        "limits",
        "api_key",
        "api_keys",
        "tokens",
        "audit",
        "export",
        "erasure",
        "erased",
        "requests",
        "keys",
    ];
    let mut known = 0;
    for folder in ["src/customer", "src/operator", "src/edge"] {
        for file in files(&root().join(folder), ".rs") {
            let text = std::fs::read_to_string(&file).unwrap();
            let shipped = text.split("#[cfg(test").next().unwrap();
            // Between any two quotes: what stands between two texts is never such a word.
            for word in shipped.split('"') {
                let Some((noun, verb)) = word.split_once('.') else {
                    continue;
                };
                let is_verb = !verb.is_empty() && verb.bytes().all(|byte| byte.is_ascii_lowercase());
                let is_file = ["json", "ndjson", "csv", "txt", "html", "css"].contains(&verb);
                if nouns.contains(&noun) && is_verb && !is_file {
                    known += 1;
                    assert!(
                        page.contains(&format!("`{word}`")),
                        "{word} of {}",
                        file.display()
                    );
                }
            }
        }
    }
    assert!(known > 40, "{known}");
}
