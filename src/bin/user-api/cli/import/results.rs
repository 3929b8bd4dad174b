//! The results file: NDJSON, a line a record, in the order of the dumps.

use crate::cli::failure::{Failure, Result};
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::Path;
use user_api::legacy::outcome::Told;

/// The file, or nothing where none is wanted.
pub struct Results {
    file: Option<(BufWriter<File>, String)>,
    bytes: u64,
}

impl Results {
    /// A new file; or the file of a run that is resumed, without what that run wrote after its last state.
    ///
    /// # Errors
    /// The file cannot be made, exists already, or is not that of the run.
    pub fn open(path: Option<&Path>, resumed_at: Option<u64>) -> Result<Self> {
        let Some(path) = path else {
            return Ok(Self { file: None, bytes: 0 });
        };
        let name = path.display().to_string();
        let failed = |error: std::io::Error| Failure::failed(format!("cannot write {name}: {error}"));
        // An empty one is what a run leaves that was killed at once.
        let is_written = std::fs::metadata(path).is_ok_and(|found| found.len() > 0);
        if resumed_at.is_none() && is_written {
            return Err(Failure::failed(format!(
                "{name} exists already, and is not overwritten"
            )));
        }
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(failed)?;
        let bytes = resumed_at.unwrap_or(0);
        if file.metadata().map_err(failed)?.len() < bytes {
            return Err(Failure::failed(format!(
                "{name} is shorter than the state says; begin anew without both"
            )));
        }
        file.set_len(bytes).map_err(failed)?;
        file.seek(SeekFrom::Start(bytes)).map_err(failed)?;
        Ok(Self {
            file: Some((BufWriter::new(file), name)),
            bytes,
        })
    }

    /// Writes one result.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&mut self, told: &Told) -> Result<()> {
        let Some((file, name)) = &mut self.file else {
            return Ok(());
        };
        let failed = |error: std::io::Error| Failure::failed(format!("cannot write {name}: {error}"));
        let mut line = serde_json::to_vec(told).map_err(|error| failed(error.into()))?;
        line.push(b'\n');
        file.write_all(&line).map_err(failed)?;
        self.bytes = self.bytes.saturating_add(u64::try_from(line.len()).unwrap_or(0));
        Ok(())
    }

    /// Hands all to the system, and says how long the file is.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn sync(&mut self) -> Result<u64> {
        if let Some((file, name)) = &mut self.file {
            file.flush()
                .map_err(|error| Failure::failed(format!("cannot write {name}: {error}")))?;
        }
        Ok(self.bytes)
    }
}
