//! The audit log verified from docs alone: hashes, commitments and canonical form, without the code that
//! writes them.

use super::canonical::canonical;
use super::people::CUSTOMER;
use super::world::World;
use serde_json::Value;
use sha2::{Digest, Sha256};
use user_api::crypto::Column;

/// One stored entry, taken apart.
#[derive(Debug, Clone)]
pub struct Entry {
    pub text: String,
    pub header: Value,
    pub detail: Option<Value>,
}

impl Entry {
    /// `action outcome actor-kind`, which most tests ask for.
    pub fn brief(&self) -> String {
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        let (action, outcome) = (&self.header["action"], &self.header["outcome"]);
        format!(
            "{} {} {}",
            word(action),
            word(outcome),
            word(&self.header["actor"]["kind"])
        )
    }
}

impl World {
    /// The log, after every promise about it has been checked.
    pub fn log(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        let mut previous = sha256(&[format!("user-api/audit/v1|{CUSTOMER}").as_bytes()]);
        let mut latest = String::new();
        // An erased customer's key is gone, and so must be every detail.
        let fields = self.vault.held().is_some().then(|| self.fields());
        let rows = self.sql.raw(|db| {
            let mut select = db
                .prepare("SELECT seq, header, detail, hash FROM audit ORDER BY seq")
                .unwrap();
            let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)));
            rows.unwrap()
                .map(Result::unwrap)
                .collect::<Vec<(i64, String, Option<Vec<u8>>, Vec<u8>)>>()
        });
        for (index, (seq, text, stored, hash)) in rows.into_iter().enumerate() {
            assert_eq!(seq, index as i64 + 1, "a gap in the log");
            let header: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(canonical(&header), text, "the header is not canonical");
            assert!(text.is_ascii());
            assert_eq!(header["seq"], seq);
            assert_eq!(header["v"], 1);
            assert_eq!(header["customerId"], CUSTOMER);
            let at = header["at"].as_str().unwrap().to_owned();
            assert!(at >= latest, "time went back in the log");
            latest = at;
            let leaf = sha256(&[&[0], text.as_bytes()]);
            previous = sha256(&[&[1], &previous, &leaf]);
            assert_eq!(hash, previous, "the chain breaks at {seq}");
            let detail = stored.map(|stored| {
                let row = seq.to_string();
                let fields = fields.as_ref().expect("a detail without its key");
                opened(&fields.open(Column::AuditDetail, &row, &stored).unwrap(), &header)
            });
            entries.push(Entry { text, header, detail });
        }
        entries
    }

    /// The log's entries in brief, after the first `skip`.
    pub fn briefs(&self, skip: usize) -> Vec<String> {
        self.log().iter().skip(skip).map(Entry::brief).collect()
    }
}

/// The detail, if the header commits to it.
fn opened(stored: &[u8], header: &Value) -> Value {
    let (salt, text) = stored.split_at(32);
    let detail: Value = serde_json::from_slice(text).unwrap();
    let text = std::str::from_utf8(text).unwrap();
    assert_eq!(canonical(&detail), text, "the detail is not canonical");
    let commitment = hmac(salt, text.as_bytes());
    assert_eq!(
        header["commitment"],
        hex(&commitment),
        "the commitment does not open"
    );
    detail
}

/// RFC 2104 with a key no longer than a block.
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let pad = |with: u8| {
        let mut block = [with; 64];
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        block
    };
    sha256(&[&pad(0x5c), &sha256(&[&pad(0x36), text])])
}

pub fn sha256(parts: &[&[u8]]) -> Vec<u8> {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().to_vec()
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
