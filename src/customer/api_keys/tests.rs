//! What the keys promise, each promise under its name.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod bodies;
mod imports;
mod lifecycle;
mod model;
mod schema;
mod use_of_keys;

use super::testing::{Counter, Memory};
use super::*;
use crate::crypto::{Dek, IndexKeys};
use serde_json::{Value, json};

/// 2027-01-15T08:00:00Z, in milliseconds: the start of an hour.
pub const START: i64 = 1_800_000_000_000;

/// A customer's keys, its storage and its clock.
pub struct World {
    pub sql: Memory,
    pub keys: Keys,
    pub index: IndexKeys,
    pub fields: FieldKeys,
    pub customer: CustomerId,
    pub now_ms: i64,
    pub entropy: Counter,
}

impl World {
    pub fn new() -> Self {
        Self {
            sql: Memory::migrated(),
            keys: Keys::default(),
            index: IndexKeys::derive(&[7; 32]).unwrap(),
            fields: FieldKeys::derive(&CustomerId::parse("cust_a").unwrap(), &Dek::new([7; 32])).unwrap(),
            customer: CustomerId::parse("cust_a").unwrap(),
            now_ms: START,
            entropy: Counter::default(),
        }
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now_ms)
    }

    pub fn in_secs(&self, secs: i64) -> Timestamp {
        Timestamp::from_millis(self.now_ms + secs * 1000)
    }

    pub fn create(&mut self, new: &NewKey) -> Result<Issued> {
        let now = self.now();
        let issuer = Issuer {
            customer: &self.customer,
            pepper: self.index.api_keys(),
            fields: &self.fields,
        };
        self.keys.create(&self.sql, issuer, new, now, &mut self.entropy)
    }

    pub fn rotate(&mut self, key_id: &KeyId, grace_secs: i64) -> Result<Issued> {
        let now = self.now();
        let issuer = Issuer {
            customer: &self.customer,
            pepper: self.index.api_keys(),
            fields: &self.fields,
        };
        let rotation = Rotation { grace_secs };
        self.keys
            .rotate(&self.sql, issuer, key_id, rotation, now, &mut self.entropy)
    }

    pub fn revoke(&mut self, key_id: &KeyId) -> Result<bool> {
        let now = self.now();
        self.keys.revoke(&self.sql, key_id, now)
    }

    pub fn patch(&mut self, key_id: &KeyId, body: Value) -> Result<KeyRecord> {
        let edit = KeyEdit::parse(body.to_string().as_bytes())?;
        let now = self.now();
        self.keys
            .patch(&self.sql, &self.fields, key_id, &edit, now, &mut self.entropy)
            .cloned()
    }

    /// As a request with that key arrives: the front reads the text, the object judges the digest.
    pub fn present(&self, secret: &str, origin: Option<&str>) -> Result<KeyId> {
        let (customer, digest) = self.index.api_keys().parse(secret).expect("a sound key");
        assert_eq!(customer, self.customer);
        let key = self.keys.authenticate(&digest, false, origin, self.now())?;
        Ok(key.key_id.clone())
    }

    pub fn works(&self, issued: &Issued) -> bool {
        self.present(issued.secret(), None).is_ok()
    }

    /// What was written is what is remembered.
    pub fn check_stored(&self) {
        let stored = Keys::load(&self.sql, &self.fields).unwrap();
        let mut remembered = self.keys.records.clone();
        remembered.sort_by(|a, b| a.key_id.cmp(&b.key_id));
        assert_eq!(stored.records, remembered);
        assert!(stored.floor <= self.keys.floor);
    }
}

pub fn plain() -> NewKey {
    NewKey {
        name: "CI".into(),
        scopes: vec![Scope::CustomerRead],
        expires_at: None,
        allowed_origins: vec![],
        limit: None,
    }
}

pub fn code<T: std::fmt::Debug>(result: Result<T>) -> &'static str {
    result.unwrap_err().code.as_str()
}

pub fn pointers<T: std::fmt::Debug>(result: Result<T>) -> Vec<String> {
    let error = result.unwrap_err();
    assert_eq!(error.code, Code::ValidationFailed, "{error:?}");
    error.faults.iter().map(|fault| fault.pointer.clone()).collect()
}
