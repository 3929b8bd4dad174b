//! Reads a `.dev.vars` file: the form of dotenv, without what its readers disagree about.
//!
//! The worker gets the file through wrangler, which is dotenv and then dotenv-expand; other harnesses use
//! `node --env-file`. A signing secret that is read differently here gives tokens that fail for no visible
//! reason, so where the readers differ this one refuses. That is also why it is not the crate `dotenvy`
//! (0.15, of 2023): it knows no backticks, unescapes what dotenv leaves alone, expands `$` by other rules,
//! and shows the whole line, secret and all, in its error.
//!
//! - `NAME=value`, with `export ` before it if one likes; a later line wins over an earlier one.
//! - A value in `'`, `"` or `` ` `` may hold anything but that quote, also line breaks. Without quotes it
//!   is trimmed and ends at the first `#`.
//! - `$` and `\` mean something in some quotes to some readers: a variable that holds one cannot be asked
//!   for. Variables that nobody asks for may.

use std::collections::BTreeMap;

/// The variables of one file.
#[derive(Default)]
pub struct EnvFile(BTreeMap<String, Variable>);

struct Variable {
    value: String,
    line: usize,
}

/// What is wrong with a file, and in which line. It never holds any of the file's text.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong.
    pub what: &'static str,
}

impl EnvFile {
    /// The variables in the text of a file.
    ///
    /// # Errors
    /// The first line that is neither empty, nor a comment, nor `NAME=value`, or whose quote has no end.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let mut variables = BTreeMap::new();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut lines = text.lines().enumerate();
        while let Some((index, line)) = lines.next() {
            let line_number = index.saturating_add(1);
            let fault = |what| Fault {
                line: line_number,
                what,
            };
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, rest) = line.split_once('=').ok_or(fault("is not NAME=value"))?;
            let name = name_of(name).ok_or(fault("has no variable's name before the ="))?;
            let rest = rest.trim();
            let value = match rest.chars().next().filter(|first| "'\"`".contains(*first)) {
                None => rest.split('#').next().unwrap_or_default().trim().to_owned(),
                Some(quote) => {
                    let mut quoted = rest.strip_prefix(quote).unwrap_or_default().to_owned();
                    while !quoted.contains(quote) {
                        let (_, more) = lines.next().ok_or(fault("opens a quote that nothing closes"))?;
                        quoted.push('\n');
                        quoted.push_str(more);
                    }
                    let (value, after) = quoted.split_once(quote).unwrap_or_default();
                    let after = after.trim_start();
                    if !after.is_empty() && !after.starts_with('#') {
                        return Err(fault("goes on after the closing quote"));
                    }
                    value.to_owned()
                }
            };
            variables.insert(
                name.to_owned(),
                Variable {
                    value,
                    line: line_number,
                },
            );
        }
        Ok(Self(variables))
    }

    /// The value of a variable, if the file has it.
    ///
    /// # Errors
    /// The value holds `$` or `\`, which the readers of such files take differently.
    pub fn get(&self, name: &str) -> Result<Option<&str>, Fault> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Variable { value, line }) if value.contains(['$', '\\']) => {
                let what = "holds a $ or a \\, which other readers of this file would replace";
                Err(Fault { line: *line, what })
            }
            Some(Variable { value, .. }) => Ok(Some(value)),
        }
    }
}

fn name_of(text: &str) -> Option<&str> {
    let text = text.trim();
    let name = match text.strip_prefix("export") {
        Some(rest) if rest.starts_with([' ', '\t']) => rest.trim_start(),
        _ => text,
    };
    let mut bytes = name.bytes();
    let starts_well = bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_');
    (starts_well && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn value(text: &str) -> String {
        let file = EnvFile::parse(text).expect("a good file");
        file.get("A")
            .expect("a plain value")
            .expect("the variable")
            .to_owned()
    }

    #[test]
    fn values_are_unquoted_as_dotenv_does() {
        for text in [
            "A=b c",
            " A = b c # d",
            "export A=b c",
            "A='b c'",
            "A=\"b c\" # d",
            "A=`b c`#d",
        ] {
            assert_eq!(value(text), "b c", "{text}");
        }
        assert_eq!(value("\u{feff}# first\r\n\r\nA=\"1:b+/=\"\r\n"), "1:b+/=");
        assert_eq!(value("A='{\"keys\":[]} # in'"), "{\"keys\":[]} # in");
        assert_eq!(value("A=it's"), "it's");
        assert_eq!(value("A="), "");
        assert_eq!(value("A='x\n  y'\nB=1"), "x\n  y");
        assert_eq!(value("A=1\nA=2"), "2");
        assert_eq!(value("exported=1\nA=2"), "2");
    }

    #[test]
    fn what_readers_disagree_about_is_refused_with_its_line() {
        for (text, line) in [
            ("hello", 1),
            ("A=1\n=2", 2),
            ("A-B=1", 1),
            ("1A=1", 1),
            ("A: 1", 1),
            ("\nA=\"x", 2),
            ("A='x'y", 1),
            ("A='x\ny' z", 1),
        ] {
            assert_eq!(
                EnvFile::parse(text).err().map(|fault| fault.line),
                Some(line),
                "{text}"
            );
        }
        for text in ["B=1\nA='a$b'", "B=$\nA=\"a\\nb\""] {
            let file = EnvFile::parse(text).expect("a good file");
            assert_eq!(file.get("A").err().map(|fault| fault.line), Some(2), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "([A-Za-z#'\"`=\\\\$ \r\n\u{e4}]|export ){0,60}") {
            let _ = EnvFile::parse(&text).map(|file| file.get("A").map(|_| ()));
        }

        #[test]
        fn what_keygen_may_write_is_read_back(text in "[A-Za-z0-9+/=:,._@-]{0,80}") {
            prop_assert_eq!(value(&format!("A=\"{text}\" # why\n")), text);
        }
    }
}
