//! `POST /internal/import`: lines in, a result line each out. The request is read in windows, so that memory is
//! bounded however long it is; within a window the records of one customer go together, the customer itself first.

use crate::customer::moving::Taken;
use crate::error::Result;
use crate::json;
use crate::legacy::Record;
use crate::legacy::line::{self, MAX_LINE_BYTES, Parsed};
use crate::legacy::outcome::{Outcome, Told, Word, detail};
use crate::order;
use crate::types::CustomerId;
use std::collections::HashMap;

/// The media type of both directions.
pub const MEDIA_TYPE: &str = "application/x-ndjson";
/// Most lines that one request may have; what comes behind them is told as not sent.
pub const MAX_LINES: usize = 10_000;
/// Largest body of a request, in bytes.
pub const MAX_IMPORT_BYTES: usize = 67_108_864;
/// Most lines of a window.
pub const MAX_WINDOW_LINES: usize = 500;
/// Bytes of lines after which a window is full.
pub const WINDOW_BYTES: usize = 1_048_576;
/// Bytes of lines after which records of one customer go in another errand.
pub const ERRAND_LINE_BYTES: usize = 262_144;

/// Takes a stream apart into lines, never holding more than one line of the length that may be.
#[derive(Debug, Default)]
pub struct Lines {
    part: Vec<u8>,
    is_too_long: bool,
}

/// A line that came to its end.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// Its bytes.
    Whole(Vec<u8>),
    /// It was longer than may be.
    TooLong,
}

impl Lines {
    /// Takes the next bytes in; gives the lines that end in them, blank ones left out.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut parts = bytes.split(|&byte| byte == b'\n').peekable();
        while let Some(part) = parts.next() {
            if self.part.len().saturating_add(part.len()) > MAX_LINE_BYTES.saturating_add(1) {
                // One more for a carriage return.
                self.is_too_long = true;
                self.part = Vec::new();
            } else if !self.is_too_long {
                self.part.extend_from_slice(part);
            }
            if parts.peek().is_some() {
                lines.extend(self.end());
            }
        }
        lines
    }

    /// The line that has come so far, at the end of the stream or of a line.
    pub fn end(&mut self) -> Option<Line> {
        let mut line = std::mem::take(&mut self.part);
        if std::mem::take(&mut self.is_too_long) {
            return Some(Line::TooLong);
        }
        while line.last().is_some_and(u8::is_ascii_whitespace) {
            line.pop();
        }
        (!line.is_empty()).then_some(Line::Whole(line))
    }
}

/// Records of one customer that go in one errand, with the places of their lines.
pub type Errand = Vec<(usize, Record)>;

/// A record with the place and the length of its line.
type Placed = (usize, usize, Record);

/// Some lines of a request, and what is told of them.
#[derive(Debug, Default)]
pub struct Window {
    slots: Vec<Slot>,
    groups: Vec<(CustomerId, Vec<Placed>)>,
    by_customer: HashMap<CustomerId, usize>,
    bytes: usize,
}

#[derive(Debug)]
struct Slot {
    key: String,
    customer: Option<CustomerId>,
    notes: Vec<Word>,
    told: Option<Told>,
}

impl Window {
    /// Whether the next line belongs to the next window.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.slots.len() >= MAX_WINDOW_LINES || self.bytes >= WINDOW_BYTES
    }

    /// Whether there is no line in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Adds a line; `seen` came before it in the request.
    pub fn add(&mut self, line: &Line, seen: usize) {
        let parsed = match line {
            Line::Whole(bytes) => {
                self.bytes = self.bytes.saturating_add(bytes.len());
                line::read(bytes)
            }
            Line::TooLong => Parsed::Told(line::told(String::new(), Outcome::Invalid, Word::TooLong)),
        };
        let place = self.slots.len();
        match parsed {
            Parsed::Record {
                key, customer, notes, ..
            } if seen >= MAX_LINES => {
                let told = line::told(key.clone(), Outcome::Skipped, Word::NotSent);
                self.slots.push(Slot {
                    key,
                    customer: Some(customer),
                    notes,
                    told: Some(told),
                });
            }
            Parsed::Told(told) => self.slots.push(Slot {
                key: String::new(),
                customer: None,
                notes: Vec::new(),
                told: Some(told),
            }),
            Parsed::Record {
                key,
                customer,
                record,
                notes,
            } => {
                let length = match line {
                    Line::Whole(bytes) => bytes.len(),
                    Line::TooLong => 0,
                };
                let groups = &mut self.groups;
                let at = *self.by_customer.entry(customer.clone()).or_insert_with(|| {
                    groups.push((customer.clone(), Vec::new()));
                    groups.len().saturating_sub(1)
                });
                if let Some((_, records)) = groups.get_mut(at) {
                    records.push((place, length, record));
                }
                self.slots.push(Slot {
                    key,
                    customer: Some(customer),
                    notes,
                    told: None,
                });
            }
        }
    }

    /// The records by customer, in the order in which customers came; of one customer those of itself first, in as
    /// many errands as their length demands, to be run one after the other.
    pub fn take_groups(&mut self) -> Vec<(CustomerId, Vec<Errand>)> {
        self.by_customer.clear();
        let groups = std::mem::take(&mut self.groups).into_iter();
        groups
            .map(|(customer, mut records)| {
                let is_other = |(_, _, record): &(_, _, Record)| !matches!(record, Record::Customer { .. });
                order::sort_by(&mut records, |a, b| is_other(a).cmp(&is_other(b)));
                let mut errands: Vec<Errand> = Vec::new();
                let mut bytes = usize::MAX;
                for (place, length, record) in records {
                    bytes = bytes.saturating_add(length);
                    if bytes > ERRAND_LINE_BYTES {
                        errands.push(Vec::new());
                        bytes = length;
                    }
                    if let Some(errand) = errands.last_mut() {
                        errand.push((place, record));
                    }
                }
                (customer, errands)
            })
            .collect()
    }

    /// What the record of that place came to.
    pub fn tell(&mut self, place: usize, (outcome, mut words): Taken) {
        let Some(slot) = self.slots.get_mut(place) else {
            return;
        };
        if outcome != Outcome::Unchanged {
            words.append(&mut slot.notes);
        }
        order::sort_distinct(&mut words);
        let skipped = matches!(outcome, Outcome::Skipped | Outcome::Invalid);
        slot.told = Some(Told {
            key: std::mem::take(&mut slot.key),
            outcome,
            customer_id: slot.customer.take(),
            // What is told of a record that was not taken would be told of nothing.
            detail: detail(if skipped {
                words.get(..1).unwrap_or_default()
            } else {
                &words
            }),
        });
    }

    /// The result lines, in the order of the lines. A record of which nothing was told could not be taken.
    ///
    /// # Errors
    /// `internal_error`, in practice never.
    pub fn into_lines(self) -> Result<Vec<u8>> {
        let mut lines = Vec::new();
        for slot in self.slots {
            let told = slot.told.unwrap_or_else(|| Told {
                customer_id: slot.customer,
                ..line::told(slot.key, Outcome::Skipped, Word::Unavailable)
            });
            lines.extend(json::to_bytes(&told)?);
            lines.push(b'\n');
        }
        Ok(lines)
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn whole(text: &str) -> Line {
        Line::Whole(text.as_bytes().to_vec())
    }

    proptest! {
        #[test]
        fn lines_are_the_same_however_the_stream_is_cut(text in "[ab\\n\\r ]{0,40}", cuts in prop::collection::vec(0..41_usize, 0..5)) {
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.sort_unstable();
            let mut lines = Lines::default();
            let mut cut = Vec::new();
            let mut at = 0;
            for end in cuts.into_iter().chain([text.len()]) {
                cut.extend(lines.push(&text.as_bytes()[at..end]));
                at = end;
            }
            cut.extend(lines.end());
            let expected: Vec<_> = text
                .split('\n')
                .map(|line| line.trim_end_matches([' ', '\r']))
                .filter(|line| !line.is_empty())
                .map(whole)
                .collect();
            prop_assert_eq!(cut, expected);
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_told_and_never_held() {
        let mut lines = Lines::default();
        let chunk = vec![b'x'; 100_000];
        for _ in 0..100 {
            assert!(lines.push(&chunk).is_empty());
            assert!(lines.part.len() <= MAX_LINE_BYTES + 1);
        }
        assert_eq!(lines.push(b"\nok\n"), [Line::TooLong, whole("ok")]);
        let longest = [vec![b'x'; MAX_LINE_BYTES], b"\r\n".to_vec()].concat();
        assert_eq!(lines.push(&longest), [Line::Whole(vec![b'x'; MAX_LINE_BYTES])]);
        assert_eq!(lines.end(), None);
    }

    #[test]
    fn records_of_one_customer_go_together_the_customer_first_and_answers_keep_the_order_of_the_lines() {
        let mut window = Window::default();
        for line in [
            r#"{"key":"customer:preferences:a","value":{"emailVisibility":"public"}}"#,
            r#"{"key":"customer:customer:b","value":{"email":"b@x.example"}}"#,
            "nonsense",
            r#"{"key":"customer:customer:a","value":{"email":"a@x.example","status":"?"}}"#,
        ] {
            window.add(&whole(line), 0);
        }
        window.add(&whole(r#"{"key":"customer:customer:c","value":{}}"#), MAX_LINES);
        let groups = window.take_groups();
        let places: Vec<_> = groups
            .iter()
            .map(|(customer, errands)| {
                let places: Vec<_> = errands.concat().iter().map(|(place, _)| *place).collect();
                (customer.as_str(), places)
            })
            .collect();
        assert_eq!(places, [("a", vec![3, 0]), ("b", vec![1])]);
        window.tell(3, (Outcome::Conflict, vec![Word::EmailHeld]));
        window.tell(1, (Outcome::Created, vec![]));
        let lines = String::from_utf8(window.into_lines().unwrap()).unwrap();
        assert_eq!(
            lines.lines().collect::<Vec<_>>(),
            [
                r#"{"key":"customer:preferences:a","outcome":"skipped","customerId":"a","detail":"unavailable"}"#,
                r#"{"key":"customer:customer:b","outcome":"created","customerId":"b"}"#,
                r#"{"key":"","outcome":"invalid","detail":"not_json"}"#,
                r#"{"key":"customer:customer:a","outcome":"conflict","customerId":"a","detail":"email_held, status_unknown"}"#,
                r#"{"key":"customer:customer:c","outcome":"skipped","detail":"not_sent"}"#,
            ]
        );
    }

    #[test]
    fn windows_and_errands_are_bounded() {
        let mut window = Window::default();
        let long = format!(
            r#"{{"key":"audit_a_2025-01-01","value":{{"events":"{}"}}}}"#,
            "x".repeat(200_000)
        );
        let mut lines = 0;
        while !window.is_full() {
            window.add(&whole(&long), 0);
            lines += 1;
        }
        assert_eq!(lines, 6);
        let groups = window.take_groups();
        assert_eq!(groups[0].1.iter().map(Vec::len).collect::<Vec<_>>(), [1; 6]);
        let mut window = Window::default();
        for _ in 0..MAX_WINDOW_LINES {
            assert!(!window.is_full());
            window.add(&whole("x"), 0);
        }
        assert!(window.is_full());
    }
}
