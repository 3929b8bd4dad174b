//! Where a subcommand's result goes: to stdout, or to a new file that only its owner may read.

use super::failure::{Failure, Result};
use std::fs::{File, OpenOptions, remove_file};
use std::io::Write;
use std::path::{Path, PathBuf};

/// A place for a result. Opened before anything is made, so that nothing is made that has no place.
#[derive(Debug)]
pub enum Output {
    /// The standard output.
    Stdout,
    /// The standard error, for the public half of a key whose private half goes to stdout.
    Stderr,
    /// A new file.
    File(NewFile),
}

/// A file that did not exist before, mode 0600. Removed again if nothing is written to it.
#[derive(Debug)]
pub struct NewFile {
    path: PathBuf,
    file: File,
    written: bool,
}

impl Output {
    /// A new file if there is a path, else `otherwise`.
    ///
    /// # Errors
    /// The file exists already, or cannot be made.
    pub fn open(path: Option<&Path>, otherwise: Self) -> Result<Self> {
        path.map_or(Ok(otherwise), |path| NewFile::create(path).map(Self::File))
    }

    /// Writes the whole text, durably where it is a file.
    ///
    /// # Errors
    /// The output is closed or full. A file is then removed.
    pub fn write(self, text: &str) -> Result<()> {
        match self {
            Self::Stdout => to_stream(&mut std::io::stdout().lock(), text, "stdout"),
            Self::Stderr => to_stream(&mut std::io::stderr().lock(), text, "stderr"),
            Self::File(file) => file.write(text),
        }
    }
}

fn to_stream(stream: &mut dyn Write, text: &str, name: &str) -> Result<()> {
    stream
        .write_all(text.as_bytes())
        .and_then(|()| stream.flush())
        .map_err(|error| Failure::failed(format!("cannot write to {name}: {error}")))
}

impl NewFile {
    fn create(path: &Path) -> Result<Self> {
        let mut options = OpenOptions::new();
        // `create_new` is one step for the system (O_EXCL): no other file or link can slip in between.
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(|error| {
            if error.kind() == std::io::ErrorKind::AlreadyExists {
                Failure::failed(format!(
                    "{} exists already, and is not overwritten",
                    path.display()
                ))
            } else {
                Failure::failed(format!("cannot make {}: {error}", path.display()))
            }
        })?;
        Ok(Self {
            path: path.to_owned(),
            file,
            written: false,
        })
    }

    fn write(mut self, text: &str) -> Result<()> {
        self.file
            .write_all(text.as_bytes())
            .and_then(|()| self.file.sync_all())
            .map_err(|error| Failure::failed(format!("cannot write {}: {error}", self.path.display())))?;
        self.written = true;
        Ok(())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.written {
            // Best effort: an empty file left behind is refused, not used, by the next run.
            let _ = remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_is_the_owners_alone_and_is_never_overwritten() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("secrets");
        let output = Output::open(Some(&path), Output::Stdout).expect("a new file");
        output.write("first").expect("a write");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&path).expect("metadata").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert!(Output::open(Some(&path), Output::Stdout).is_err());
        assert_eq!(std::fs::read_to_string(&path).expect("the file"), "first");
    }

    #[test]
    fn a_file_to_which_nothing_was_written_is_removed() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("secrets");
        drop(Output::open(Some(&path), Output::Stdout).expect("a new file"));
        assert!(!path.exists());
    }
}
