//! Records of one customer, packed for errands. An errand has a bound, and a customer's records together may exceed it.
//! Whoever dies between two errands leaves the customer here with the first, and nobody looks for the rest any more:
//! so what takes rights away comes first.

use super::Record;
use super::facts::{STATUS, strictness};
use crate::order;

/// Bytes of records, as they travel, after which another errand begins. The longest record of a customer and all
/// revoked tokens that are fetched with it fit into one.
pub const PARCEL_BYTES: usize = 786_432;

/// The records in the order in which they are sent: the customer by its strictest record, its revoked tokens, its keys,
/// then everything else.
#[must_use]
pub fn pack(mut records: Vec<Record>) -> Vec<Vec<Record>> {
    order::sort_by(&mut records, |a, b| rank(a).cmp(&rank(b)));
    if let Some(at) = records
        .iter()
        .rposition(|record| matches!(record, Record::Customer { .. }))
    {
        // One record makes the customer; the others of it can wait.
        let others: Vec<_> = records.drain(1..=at).collect();
        records.extend(others);
    }
    let mut parcels: Vec<Vec<Record>> = Vec::new();
    let mut bytes = 0_usize;
    for record in records {
        let size = serde_json::to_vec(&record).map_or(PARCEL_BYTES, |bytes| bytes.len());
        bytes = bytes.saturating_add(size);
        match parcels.last_mut() {
            Some(parcel) if bytes <= PARCEL_BYTES => parcel.push(record),
            _ => {
                bytes = size;
                parcels.push(vec![record]);
            }
        }
    }
    parcels
}

fn rank(record: &Record) -> u8 {
    match record {
        Record::Customer { facts } => {
            let strict = facts.value(STATUS).map_or(0, strictness);
            2_u8.saturating_sub(strict)
        }
        Record::Denied { .. } => 3,
        Record::ApiKey(_) => 4,
        _ => 5,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::super::line::{Parsed, read};
    use super::*;
    use serde_json::{Value, json};

    fn record(key: &str, value: Value) -> Record {
        match read(json!({"key": key, "value": value}).to_string().as_bytes()) {
            Parsed::Record { record, .. } => record,
            Parsed::Told(told) => panic!("{told:?}"),
        }
    }

    /// A customer's record of about 200,000 bytes.
    fn customer(key: &str, status: &str) -> Record {
        let mut value = json!({"email": "a@x.example", "status": status});
        for number in 0..13 {
            value[format!("field{number}")] = json!("x".repeat(15_000));
        }
        record(key, value)
    }

    #[test]
    fn what_takes_rights_away_comes_first_and_nothing_is_lost() {
        let denied = |number: usize| {
            let key = format!("otp-auth:jwt-denylist:a_{number:064x}");
            record(&key, json!({}))
        };
        let mut records = vec![
            customer("customer:customer:a", "active"),
            customer("auth:customer:a", "suspended"),
            customer("customer_a", "pending"),
            record("customer:preferences:a", json!({"emailVisibility": "public"})),
        ];
        records.extend((0..2_000).map(denied));
        let parcels = pack(records.clone());
        assert!(parcels.len() > 1);
        let all: Vec<_> = parcels.concat();
        assert_eq!(all.len(), records.len());
        assert!(records.iter().all(|record| all.contains(record)));
        assert_eq!(parcels[0][0], records[1]);
        let tokens = |parcel: &Vec<Record>| {
            parcel
                .iter()
                .filter(|one| matches!(one, Record::Denied { .. }))
                .count()
        };
        assert_eq!(tokens(&parcels[0]), 2_000);
        for parcel in &parcels {
            assert!(serde_json::to_vec(parcel).unwrap().len() < 1_000_000);
        }
        assert_eq!(pack(vec![customer("customer:customer:a", "active")]).len(), 1);
        assert_eq!(pack(Vec::new()), Vec::<Vec<Record>>::new());
    }
}
