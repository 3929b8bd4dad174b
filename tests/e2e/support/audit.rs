//! The audit log as somebody else would verify it: written from the description of the format alone.

use crate::support::sealed::DataKey;
use crate::support::store::Object;
use crate::support::token::hmac;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// One entry, verified.
#[derive(Debug)]
pub struct Entry {
    /// `header`.
    pub header: Value,
    /// `detail`, without its salt.
    pub detail: Value,
}

impl Entry {
    /// Action and outcome, as `customer.read ok`.
    pub fn summary(&self) -> String {
        let text = |name: &str| self.header[name].as_str().expect("a text");
        format!("{} {}", text("action"), text("outcome"))
    }
}

/// The entries of the object, if its whole chain holds.
pub fn verify(object: &Object, customer: &str) -> Vec<Entry> {
    let mut statement = object
        .sql
        .prepare("SELECT seq, header, detail, hash FROM audit ORDER BY seq")
        .expect("audit");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)));
    let rows = rows.expect("audit").map(|row| row.expect("an entry"));
    let mut previous = Sha256::digest(format!("user-api/audit/v1|{customer}")).to_vec();
    let key = DataKey::of(&object.data, customer);
    let mut last_at = String::new();
    let mut entries = Vec::new();
    for (index, (seq, header, detail, hash)) in rows.enumerate() {
        let (seq, header, detail, hash): (i64, String, Vec<u8>, Vec<u8>) = (seq, header, detail, hash);
        assert_eq!(
            seq,
            i64::try_from(index).expect("small") + 1,
            "a gap in the sequence"
        );
        let leaf = Sha256::new().chain_update([0]).chain_update(&header).finalize();
        let chained = Sha256::new()
            .chain_update([1])
            .chain_update(&previous)
            .chain_update(leaf)
            .finalize();
        assert_eq!(chained.to_vec(), hash, "the chain breaks at {seq}");
        let parsed: Value = serde_json::from_str(&header).expect("a JSON header");
        assert_eq!(canonical(&parsed), header, "the header is not canonical");
        let detail = key.open("audit", "detail", &seq.to_string(), &detail);
        let (salt, detail) = detail.split_at(32);
        assert_eq!(
            parsed["commitment"],
            hex(&hmac(salt, detail)),
            "the commitment of {seq} does not hold"
        );
        let detail = std::str::from_utf8(detail).expect("UTF-8");
        let parsed_detail: Value = serde_json::from_str(detail).expect("a JSON detail");
        assert_eq!(canonical(&parsed_detail), detail, "the detail is not canonical");
        check(&parsed, customer, seq);
        let at = parsed["at"].as_str().expect("a time").to_owned();
        assert!(at >= last_at, "times go back at {seq}");
        (last_at, previous) = (at, hash);
        entries.push(Entry {
            header: parsed,
            detail: parsed_detail,
        });
    }
    entries
}

/// The header's members, and that no text in it is a caller's own.
fn check(header: &Value, customer: &str, seq: i64) {
    let members: Vec<_> = header
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    let wanted = [
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
    assert_eq!(members, wanted);
    assert_eq!(
        (&header["customerId"], &header["seq"], &header["v"]),
        (&customer.into(), &seq.into(), &1.into())
    );
    assert!(
        header["requestId"]
            .as_str()
            .is_some_and(|id| id.starts_with("req_")),
        "{header}"
    );
    assert!(
        !header.to_string().contains(crate::support::token::PERSONAL),
        "{header}"
    );
}

/// RFC 8785 for what we have: sorted keys, no white space, integers and texts.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let mut members: Vec<_> = map.iter().collect();
            members.sort_by_key(|(key, _)| key.encode_utf16().collect::<Vec<_>>());
            let members = members
                .iter()
                .map(|(key, value)| format!("{}:{}", Value::from(key.as_str()), canonical(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Array(list) => format!("[{}]", list.iter().map(canonical).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
