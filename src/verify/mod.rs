//! The formats by which the audit log, an export and the certificate of an erasure prove themselves, and the check that
//! they do. The service makes them with these functions, `user-api verify` checks them with the same ones. Pure: no
//! I/O, no clock, no storage; builds for wasm32 too.

pub mod archive;
pub mod certificate;
pub mod chain;
pub mod extension;
pub mod keys;
pub mod log;
pub mod manifest;
pub mod note;
pub mod zip;

use std::fmt;

pub use keys::PublicKeys;
pub use note::Checkpoint;

/// Where something is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In the set of public keys.
    Keys,
    /// In a checkpoint.
    Checkpoint,
    /// In the certificate of an erasure.
    Certificate,
    /// In the audit entry of this number.
    Entry(u64),
    /// In the log as a whole.
    Log,
    /// In the archive's container.
    Archive,
    /// In a file of the archive.
    File(&'static str),
}

/// What is wrong, for a person. Repeats nothing of a detail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub place: Place,
    /// What.
    pub what: String,
}

impl Fault {
    /// A fault at a place.
    pub fn new(place: Place, what: impl Into<String>) -> Self {
        Self {
            place,
            what: what.into(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Keys => write!(f, "the public keys: {}", self.what),
            Place::Checkpoint => write!(f, "the checkpoint: {}", self.what),
            Place::Certificate => write!(f, "the certificate: {}", self.what),
            Place::Entry(seq) => write!(f, "audit entry {seq}: {}", self.what),
            Place::Log => write!(f, "the audit log: {}", self.what),
            Place::Archive => write!(f, "the archive: {}", self.what),
            Place::File(name) => write!(f, "{name}: {}", self.what),
        }
    }
}

/// Result with [`Fault`].
pub type Result<T> = std::result::Result<T, Fault>;
