//! The audit log line by line: canonical form, order, times, chain, and the commitments of the details that are
//! there. The first line that is wrong is named.

use super::chain::{self, Hash};
use super::{Checkpoint, Fault, Place, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

/// Longest line of a log, in bytes: a detail holds at most a body of 256 KiB twice, before and after.
pub const MAX_LINE_BYTES: usize = 4 * 1024 * 1024;

/// The members of a header, all of which and no others it must have.
const HEADER: [&str; 10] = [
    "action",
    "actor",
    "at",
    "commitment",
    "customerId",
    "outcome",
    "requestId",
    "seq",
    "target",
    "v",
];

/// What was found in place of a detail.
enum Detail {
    Sound,
    Unreadable,
    Absent,
}

/// The check of a log, entry by entry.
#[derive(Debug, Clone)]
pub struct Log {
    customer_id: Option<String>,
    previous: Hash,
    older: Option<Checkpoint>,
    rest: Vec<u8>,
    /// The number of the last entry that was read.
    pub seq: u64,
    /// The time of the first entry.
    pub first_at: String,
    /// The time of the last entry.
    pub at: String,
    /// Entries whose detail was there and is the one committed to.
    pub details: u64,
    /// Entries whose detail the service could not open.
    pub unreadable: u64,
}

/// What a line tells of an entry's detail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told<'a> {
    /// Its salt, and its text as canonical JSON.
    Whole(&'a [u8; 32], &'a [u8]),
    /// Nothing: it is not kept any more, or not for whom the export is.
    Nothing,
    /// That it is there, and the service could not open it.
    Unreadable,
}

/// What stands in place of a detail that could not be opened.
const UNREADABLE: &str = "unreadable";

/// The line of an entry: canonical JSON of `{detail, hash, header, salt}`, out of texts that are canonical already.
#[must_use]
pub fn line(header: &str, hash: &Hash, detail: Told<'_>) -> Vec<u8> {
    let hash = chain::hex(hash);
    let mut line = b"{\"detail\":".to_vec();
    match detail {
        Told::Whole(_, text) => line.extend(text),
        Told::Nothing => line.extend(b"null"),
        Told::Unreadable => line.extend(format!("\"{UNREADABLE}\"").bytes()),
    }
    line.extend(format!(",\"hash\":\"{hash}\",\"header\":{header},\"salt\":").bytes());
    match detail {
        Told::Whole(salt, _) => line.extend(format!("\"{}\"", STANDARD.encode(salt)).bytes()),
        Told::Nothing | Told::Unreadable => line.extend(b"null"),
    }
    line.extend(b"}\n");
    line
}

impl Log {
    /// A log of that customer; of whichever the first entry names, if that is `None`. If there is an older
    /// checkpoint, the log must pass through it.
    #[must_use]
    pub fn new(customer_id: Option<&str>, older: Option<Checkpoint>) -> Self {
        Self {
            customer_id: customer_id.map(str::to_owned),
            previous: customer_id.map(chain::genesis).unwrap_or_default(),
            older,
            rest: Vec::new(),
            seq: 0,
            first_at: String::new(),
            at: String::new(),
            details: 0,
            unreadable: 0,
        }
    }

    /// The hash of the last entry.
    #[must_use]
    pub const fn hash(&self) -> Hash {
        self.previous
    }

    /// Whose log it is; "" while that is not known.
    #[must_use]
    pub fn customer_id(&self) -> &str {
        self.customer_id.as_deref().unwrap_or_default()
    }

    /// Reads on. Lines may be cut anywhere.
    ///
    /// # Errors
    /// The first fault.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Result<()> {
        while let Some(at) = bytes.iter().position(|&byte| byte == b'\n') {
            let (head, tail) = bytes.split_at(at);
            if self.rest.is_empty() {
                self.entry(head)?;
            } else {
                let mut whole = std::mem::take(&mut self.rest);
                whole.extend(head);
                self.entry(&whole)?;
            }
            bytes = tail.get(1..).unwrap_or_default();
        }
        self.rest.extend(bytes);
        if self.rest.len() > MAX_LINE_BYTES {
            return Err(self.fault("its line is too long"));
        }
        Ok(())
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// That the last line has no end, or that the log does not reach the older checkpoint.
    pub fn finish(&self) -> Result<()> {
        if !self.rest.is_empty() {
            return Err(self.fault("its line is cut off"));
        }
        match &self.older {
            Some(older) if older.seq > self.seq => Err(Fault::new(
                Place::Log,
                format!(
                    "it ends at entry {}, before the older checkpoint's entry {}",
                    self.seq, older.seq
                ),
            )),
            Some(older) if older.seq == 0 => self.meets(older),
            _ => Ok(()),
        }
    }

    /// A fault of the entry that comes next.
    fn fault(&self, what: &str) -> Fault {
        Fault::new(Place::Entry(self.seq.saturating_add(1)), what)
    }

    fn meets(&self, older: &Checkpoint) -> Result<()> {
        let is_same = older.customer_id == self.customer_id()
            && (older.seq == 0 && older.hash == chain::genesis(self.customer_id())
                || older.seq == self.seq && older.hash == self.previous);
        if is_same {
            Ok(())
        } else {
            let told = "the log up to here is not the one of the older checkpoint";
            Err(Fault::new(Place::Entry(self.seq), told))
        }
    }

    fn entry(&mut self, line: &[u8]) -> Result<()> {
        let wrong = |what: &str| self.fault(what);
        let form = || wrong("its line is not in the form of this format");
        let value: Value = serde_json::from_slice(line).map_err(|_| form())?;
        let Value::Object(members) = &value else {
            return Err(form());
        };
        let canonical = |value: &Value| serde_json_canonicalizer::to_vec(value).map_err(|_| form());
        if members.len() != 4 || canonical(&value)? != line {
            return Err(form());
        }
        let member = |name: &str| members.get(name).ok_or_else(form);
        let Value::Object(header) = member("header")? else {
            return Err(form());
        };
        if header.len() != HEADER.len() || HEADER.iter().any(|name| !header.contains_key(*name)) {
            return Err(wrong("its header has other members than this format"));
        }
        let text = |name: &str| header.get(name).and_then(Value::as_str).unwrap_or_default();
        let seq = header.get("seq").and_then(Value::as_u64);
        if seq != Some(self.seq.saturating_add(1)) {
            return Err(wrong(
                "it does not have the number that follows: an entry is missing, doubled or moved",
            ));
        }
        if header.get("v").and_then(Value::as_u64) != Some(1) {
            return Err(wrong("it is of a version that this program does not know"));
        }
        let (customer_id, previous) = match &self.customer_id {
            Some(known) if known == text("customerId") => (known.clone(), self.previous),
            Some(_) => return Err(wrong("it is of another customer's log")),
            None => (text("customerId").to_owned(), chain::genesis(text("customerId"))),
        };
        let at = text("at").to_owned();
        if !is_time(&at) || at < self.at {
            return Err(wrong(
                "its time is malformed or lies before that of the entry ahead of it",
            ));
        }
        let hash = member("hash")?.as_str().and_then(chain::unhex).ok_or_else(form)?;
        let header_text = canonical(member("header")?)?;
        let computed = chain::link(&previous, &chain::leaf(&header_text));
        if computed != hash {
            return Err(wrong(
                "the chain breaks here: this entry was changed, or its hash",
            ));
        }
        let commitment = chain::unhex(text("commitment")).ok_or_else(form)?;
        match self.detail(members, &commitment)? {
            Detail::Sound => self.details = self.details.saturating_add(1),
            Detail::Unreadable => self.unreadable = self.unreadable.saturating_add(1),
            Detail::Absent => {}
        }
        self.seq = self.seq.saturating_add(1);
        self.previous = hash;
        if self.seq == 1 {
            self.first_at.clone_from(&at);
        }
        (self.at, self.customer_id) = (at, Some(customer_id));
        match &self.older {
            Some(older) if older.seq == self.seq => self.meets(older),
            _ => Ok(()),
        }
    }

    /// If there is a detail, it must be the one that the header commits to.
    fn detail(&self, members: &Map<String, Value>, commitment: &Hash) -> Result<Detail> {
        let form = || self.fault("its detail and salt are not in the form of this format");
        match (members.get("detail"), members.get("salt")) {
            (Some(Value::Null), Some(Value::Null)) => Ok(Detail::Absent),
            (Some(Value::String(told)), Some(Value::Null)) if told == UNREADABLE => Ok(Detail::Unreadable),
            (Some(detail @ Value::Object(_)), Some(Value::String(salt))) => {
                let salt = STANDARD.decode(salt).ok();
                let salt = salt
                    .and_then(|salt| <[u8; 32]>::try_from(salt).ok())
                    .ok_or_else(form)?;
                let text = serde_json_canonicalizer::to_vec(detail).map_err(|_| form())?;
                if chain::commitment(&salt, &text) == *commitment {
                    Ok(Detail::Sound)
                } else {
                    Err(self.fault("its detail is not the one that it was written with"))
                }
            }
            _ => Err(form()),
        }
    }
}

/// RFC 3339 in UTC with milliseconds, the one form that entries have: its order is the order of the text.
fn is_time(text: &str) -> bool {
    crate::types::Timestamp::parse_rfc3339(text).is_some_and(|at| at.to_rfc3339() == text)
}
