//! How far an import has come: a small file, replaced as a whole, so that a kill leaves the old one or the new one.

use crate::cli::failure::{Failure, Result};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// A place in the dumps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The pass, from 0.
    pub pass: u8,
    /// The dump, from 0.
    pub dump: usize,
    /// The byte in it.
    pub offset: u64,
}

/// What the file holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct State {
    /// Of this form.
    version: u32,
    /// Where the records go.
    url: String,
    /// The dumps, each with its length.
    dumps: Vec<(String, u64)>,
    /// Up to where every record was answered.
    pub at: Position,
    /// How long the results file was then.
    pub results_bytes: u64,
    /// What was counted until then.
    pub counts: super::counts::Counts,
}

impl State {
    /// The state of an import that begins.
    ///
    /// # Errors
    /// A dump cannot be read.
    pub fn new(url: &str, dumps: &[PathBuf]) -> Result<Self> {
        let length = |path: &PathBuf| {
            let name = path.display().to_string();
            match std::fs::metadata(path) {
                Ok(found) if found.is_file() => Ok((name, found.len())),
                Ok(_) => Err(Failure::failed(format!(
                    "{name} is no file; a dump is read twice, so it cannot come through a pipe"
                ))),
                Err(error) => Err(Failure::failed(format!("cannot read {name}: {error}"))),
            }
        };
        Ok(Self {
            version: 1,
            url: url.to_owned(),
            dumps: dumps.iter().map(length).collect::<Result<_>>()?,
            at: Position::default(),
            results_bytes: 0,
            counts: super::counts::Counts::default(),
        })
    }

    /// The length of all dumps.
    pub fn total_bytes(&self) -> u64 {
        self.dumps
            .iter()
            .fold(0, |sum, (_, bytes)| sum.saturating_add(*bytes))
    }

    /// How much of one pass lies before its place.
    pub fn bytes_before(&self) -> u64 {
        let before = self.dumps.iter().take(self.at.dump);
        before.fold(self.at.offset, |sum, (_, bytes)| sum.saturating_add(*bytes))
    }

    /// The stored state of this very import; `None` if there is no file.
    ///
    /// # Errors
    /// The file cannot be read, or is of another import.
    pub fn resume(path: &Path, new: &Self) -> Result<Option<Self>> {
        let name = path.display();
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::failed(format!("cannot read {name}: {error}"))),
        };
        let state: Self = serde_json::from_slice(&text)
            .map_err(|_| Failure::failed(format!("{name} is no state of an import")))?;
        if (state.version, &state.url, &state.dumps) != (new.version, &new.url, &new.dumps) {
            return Err(Failure::failed(format!(
                "{name} is of an import of other dumps, or to another service; remove it to begin anew"
            )));
        }
        Ok(Some(state))
    }

    /// Replaces the file.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let failed =
            |error: std::io::Error| Failure::failed(format!("cannot write {}: {error}", path.display()));
        let mut new = path.as_os_str().to_owned();
        new.push(".new");
        let new = PathBuf::from(new);
        let text = serde_json::to_vec(self).map_err(|error| failed(error.into()))?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file: File = options.open(&new).map_err(failed)?;
        file.write_all(&text)
            .and_then(|()| file.sync_all())
            .map_err(failed)?;
        std::fs::rename(&new, path).map_err(failed)
    }
}
