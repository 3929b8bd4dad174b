//! Runs the binary and reads what it prints.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// A directory to run in, with nothing in it but what the test puts there.
pub struct Place(TempDir);

/// How one run ended.
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Place {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A place with a `.dev.vars` as `keygen` makes it.
    pub fn with_secrets() -> Self {
        let place = Self::new();
        place.ok(&["keygen", "--out", ".dev.vars"]);
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// The settings in the place's `.dev.vars`.
    pub fn secrets(&self) -> BTreeMap<String, String> {
        parse(&self.read(".dev.vars"))
    }

    pub fn run(&self, args: &[&str]) -> Ended {
        self.run_with(args, &[])
    }

    /// Runs with these environment variables and no others, so that the machine's own cannot interfere.
    pub fn run_with(&self, args: &[&str], env: &[(&str, &str)]) -> Ended {
        let mut command = Command::new(env!("CARGO_BIN_EXE_user-api"));
        command
            .args(args)
            .current_dir(self.0.path())
            .env_clear()
            .envs(env.iter().copied());
        let Output {
            status,
            stdout,
            stderr,
        } = command.output().unwrap();
        Ended {
            code: status.code(),
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
        }
    }

    /// The stdout of a run that must succeed.
    #[track_caller]
    pub fn ok(&self, args: &[&str]) -> String {
        let ended = self.run(args);
        assert_eq!(ended.code, Some(0), "{args:?}: {}", ended.stderr);
        ended.stdout
    }

    /// A run that must fail with this code, with nothing on stdout and all of these words on stderr.
    #[track_caller]
    pub fn refused(&self, args: &[&str], code: i32, words: &[&str]) {
        self.run(args).is_refusal(args, code, words);
    }
}

impl Ended {
    #[track_caller]
    pub fn is_refusal(&self, args: &[&str], code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{args:?}: {}", self.stderr);
        assert_eq!(self.stdout, "", "{args:?}");
        for word in words {
            assert!(
                self.stderr.contains(word),
                "{args:?}: no {word:?} in {}",
                self.stderr
            );
        }
        assert!(!self.stderr.contains("panicked"), "{args:?}: {}", self.stderr);
    }
}

/// The `NAME="value"` lines of a file, read by other code than the program's own. Every line must be one,
/// a comment or empty, and no value may hold what the readers of such files disagree about.
pub fn parse(text: &str) -> BTreeMap<String, String> {
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, value) = line.split_once("=\"").unwrap();
            let value = value.strip_suffix('"').unwrap();
            assert!(!value.contains(['"', '$', '\\', '`', '\'', '#', ' ']), "{name}");
            (name.to_owned(), value.to_owned())
        })
        .collect()
}

/// Permission bits of a file.
#[cfg(unix)]
pub fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}
