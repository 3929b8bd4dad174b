//! Reading dumps line by line: never more than one line in memory, and never more of it than the bound.

use crate::cli::failure::{Failure, Result};
use std::fs::File;
use std::io::{BufRead, BufReader, Read as _, Seek, SeekFrom};
use std::path::Path;

/// Longest line that is read, in bytes: the largest value of the older store (25 MiB), escaped as far as it may be
/// in practice. What is longer is skipped and told.
pub const MAX_DUMP_LINE_BYTES: usize = 33_554_432;

/// A dump, from some place on.
pub struct Dump {
    reader: BufReader<File>,
    /// Where the next line begins, in bytes.
    pub offset: u64,
    name: String,
}

/// One line.
pub enum Read {
    /// It is in the buffer, without its end.
    Line,
    /// It is longer than may be; its beginning is in the buffer.
    TooLong,
    /// There is none.
    End,
}

impl Dump {
    /// Opens the file at that offset.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn open(path: &Path, offset: u64) -> Result<Self> {
        let name = path.display().to_string();
        let failed = |error: std::io::Error| Failure::failed(format!("cannot read {name}: {error}"));
        let mut file = File::open(path).map_err(failed)?;
        file.seek(SeekFrom::Start(offset)).map_err(failed)?;
        Ok(Self {
            reader: BufReader::with_capacity(1 << 16, file),
            offset,
            name,
        })
    }

    /// Reads the next line that is not blank into `line`.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn next(&mut self, line: &mut Vec<u8>) -> Result<Read> {
        loop {
            line.clear();
            // A large line must not make every later one hold its room.
            if line.capacity() > 1 << 20 {
                line.shrink_to(1 << 16);
            }
            let bound = u64::try_from(MAX_DUMP_LINE_BYTES).unwrap_or(u64::MAX);
            let read = (&mut self.reader).take(bound).read_until(b'\n', line);
            let read = read.map_err(|error| self.failed(&error))?;
            self.offset = self.offset.saturating_add(u64::try_from(read).unwrap_or(0));
            if read == 0 {
                return Ok(Read::End);
            }
            if line.last() != Some(&b'\n') && read >= MAX_DUMP_LINE_BYTES {
                self.skip()?;
                line.truncate(1 << 12);
                return Ok(Read::TooLong);
            }
            while line.last().is_some_and(u8::is_ascii_whitespace) {
                line.pop();
            }
            if !line.is_empty() {
                return Ok(Read::Line);
            }
        }
    }

    /// To the end of a line that is too long.
    fn skip(&mut self) -> Result<()> {
        loop {
            let (skipped, done) = {
                let buffer = self.reader.fill_buf();
                let buffer =
                    buffer.map_err(|error| Failure::failed(format!("cannot read {}: {error}", self.name)))?;
                match buffer.iter().position(|&byte| byte == b'\n') {
                    Some(at) => (at.saturating_add(1), true),
                    None => (buffer.len(), buffer.is_empty()),
                }
            };
            self.reader.consume(skipped);
            self.offset = self.offset.saturating_add(u64::try_from(skipped).unwrap_or(0));
            if done {
                return Ok(());
            }
        }
    }

    fn failed(&self, error: &std::io::Error) -> Failure {
        Failure::failed(format!("cannot read {}: {error}", self.name))
    }
}
