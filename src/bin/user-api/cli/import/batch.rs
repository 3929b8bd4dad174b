//! From the lines of the dumps to batches, in two passes: customers first, then everything that belongs to them, so
//! that the order of a dump does not matter. A batch is what one request carries, and what a resumed run repeats.

use super::dump::{Dump, Read};
use super::state::Position;
use crate::cli::failure::Result;
use std::path::PathBuf;
use user_api::legacy::line::{self, MAX_LINE_BYTES, Parsed};
use user_api::legacy::outcome::{Outcome, Told, Word};
use user_api::legacy::{Record, slim};

/// Most bytes of one request, unless a single line is longer.
const MAX_BATCH_BYTES: usize = 524_288;
/// Most lines that one batch looks at, sent or not.
const MAX_LOOKED_AT: usize = 2_000;
/// Customers, then the rest.
pub const PASSES: u8 = 2;

/// A line of a batch.
pub enum Entry {
    /// It is sent.
    Sent {
        /// Its key, to which the result must belong.
        key: String,
        /// The line, without its end.
        line: Vec<u8>,
        /// Whether it was made shorter.
        shortened: bool,
    },
    /// It is not sent; this is told of it.
    Told(Told),
}

/// What one request carries.
pub struct Batch {
    /// Counts batches.
    pub seq: u64,
    /// Of which pass it is.
    pub pass: u8,
    /// Its lines in their order.
    pub entries: Vec<Entry>,
    /// Where the next batch begins.
    pub until: Position,
    /// How many bytes of dump were read for it.
    pub bytes: u64,
}

/// Makes batches, from some place on.
pub struct Batches {
    dumps: Vec<PathBuf>,
    at: Position,
    open: Option<Dump>,
    seq: u64,
    most_lines: usize,
    dry_run: bool,
    line: Vec<u8>,
}

impl Batches {
    /// From that place on.
    pub fn new(dumps: Vec<PathBuf>, at: Position, most_lines: usize, dry_run: bool) -> Self {
        Self {
            dumps,
            at,
            open: None,
            seq: 0,
            most_lines,
            dry_run,
            line: Vec::new(),
        }
    }

    /// The next batch; `None` after the last.
    ///
    /// # Errors
    /// A dump cannot be read.
    pub fn next(&mut self) -> Result<Option<Batch>> {
        let mut entries = Vec::new();
        let (mut sent, mut sent_bytes, mut read_bytes, mut looked_at) = (0_usize, 0_usize, 0_u64, 0_usize);
        let last_pass = if self.dry_run { 1 } else { PASSES };
        let mut pass = self.at.pass;
        while self.at.pass < last_pass
            && sent < self.most_lines
            && sent_bytes < MAX_BATCH_BYTES
            && looked_at < MAX_LOOKED_AT
        {
            let Some(path) = self.dumps.get(self.at.dump) else {
                self.at = Position {
                    pass: self.at.pass.saturating_add(1),
                    ..Position::default()
                };
                if looked_at > 0 {
                    break;
                }
                pass = self.at.pass;
                continue;
            };
            let dump = match &mut self.open {
                Some(dump) => dump,
                None => self.open.insert(Dump::open(path, self.at.offset)?),
            };
            let read = dump.next(&mut self.line)?;
            read_bytes = read_bytes.saturating_add(dump.offset.saturating_sub(self.at.offset));
            self.at.offset = dump.offset;
            let entry = match read {
                Read::Line => self.entry(),
                Read::TooLong if self.at.pass == 0 => Some(too_long(&self.line)),
                Read::TooLong => None,
                Read::End => {
                    self.open = None;
                    self.at = Position {
                        dump: self.at.dump.saturating_add(1),
                        offset: 0,
                        ..self.at
                    };
                    continue;
                }
            };
            looked_at = looked_at.saturating_add(1);
            if let Some(Entry::Sent { line, .. }) = &entry {
                sent = sent.saturating_add(1);
                sent_bytes = sent_bytes.saturating_add(line.len());
            }
            entries.extend(entry);
        }
        if looked_at == 0 {
            return Ok(None);
        }
        self.seq = self.seq.saturating_add(1);
        Ok(Some(Batch {
            seq: self.seq,
            pass,
            entries,
            until: self.at,
            bytes: read_bytes,
        }))
    }

    /// What becomes of the line in the buffer in this pass.
    fn entry(&self) -> Option<Entry> {
        let short = if self.line.len() > MAX_LINE_BYTES {
            slim::shorten(&self.line)
        } else {
            None
        };
        let line = match &short {
            None if self.line.len() > MAX_LINE_BYTES => {
                return (self.at.pass == 0).then(|| too_long(&self.line));
            }
            None => &self.line,
            Some(short) => short,
        };
        let is_first = self.at.pass == 0;
        match line::read(line) {
            // What is wrong with a line is told once.
            Parsed::Told(told) => is_first.then_some(Entry::Told(told)),
            Parsed::Record {
                key,
                customer,
                record,
                notes,
            } => {
                if self.dry_run {
                    let mut words = vec![Word::NotSent];
                    words.extend(notes);
                    if short.is_some() {
                        words.push(Word::TooLarge);
                    }
                    return Some(Entry::Told(Told {
                        key,
                        outcome: Outcome::Skipped,
                        customer_id: Some(customer),
                        detail: user_api::legacy::outcome::detail(&words),
                    }));
                }
                (matches!(record, Record::Customer { .. }) == is_first).then(|| Entry::Sent {
                    key,
                    line: line.clone(),
                    shortened: short.is_some(),
                })
            }
        }
    }
}

/// What is told of a line that cannot be made to fit, under its key as far as its beginning shows one.
fn too_long(line: &[u8]) -> Entry {
    let beginning = line.get(..4096).unwrap_or(line);
    let text = String::from_utf8_lossy(beginning);
    let key = text
        .split_once("\"key\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .and_then(|(_, rest)| rest.split_once('"'))
        .map(|(key, _)| key.chars().take(256).collect())
        .unwrap_or_default();
    Entry::Told(line::told(key, Outcome::Invalid, Word::TooLong))
}
