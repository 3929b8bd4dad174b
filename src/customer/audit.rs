//! The audit log: one entry a command, written in the command's own transaction, chained by hashes.
//!
//! 1. `detail` is what may be personal; `commitment = HMAC-SHA256(salt, canonical(detail))` binds it.
//! 2. `header` is canonical JSON (RFC 8785: our keys, sorted; our own ASCII values) with ids of ours only.
//! 3. `leaf = SHA-256(0x00 || header)`, `hash = SHA-256(0x01 || previous hash || leaf)`.
//! 4. The first previous hash is SHA-256 of `user-api/audit/v1|<customerId>`, so that no two customers'
//!    chains can be swapped.

pub mod bare;
pub mod checkpoint;
pub mod page;
pub mod retention;
pub mod view;

use crate::crypto::seal::NONCE_BYTES;
use crate::crypto::{Column, FieldKeys};
use crate::entropy::{Entropy, random};
use crate::error::{Error, Result};
use crate::json;
use crate::sql::Sql;
use crate::types::{CustomerId, RequestId, Timestamp, serialize_rfc3339};
use crate::verify::chain::{commitment, genesis, hex, leaf, link};
use serde::Serialize;
use serde_json::{Map, Value};

/// Version of the header's form.
const FORMAT: u8 = 1;
/// Bytes of the salt in front of a stored detail.
pub const SALT_BYTES: usize = 32;

/// Where the log ends: what the next entry is chained to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Sequence number of the last entry; 0 while there is none.
    pub seq: i64,
    /// Its hash.
    pub hash: [u8; 32],
    /// Its time: times never go back along the log, even when the clock does.
    pub at: Timestamp,
}

/// Who did it, under an id of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Actor {
    /// Our id of the user, key or service.
    pub id: String,
    /// `user`, `admin` or `service`.
    pub kind: &'static str,
}

/// What is to be written down.
#[derive(Debug)]
pub struct Entry<'a> {
    /// Who.
    pub actor: Actor,
    /// What, such as `customer.read`.
    pub action: &'static str,
    /// To what, such as `customer` or `user_…`.
    pub target: &'a str,
    /// `ok`, or the code of the refusal.
    pub outcome: &'static str,
    /// In which request.
    pub request_id: &'a RequestId,
    /// Everything that may be personal.
    pub detail: Map<String, Value>,
    /// The state of the limits after the request, which is stored with the entry and no part of it.
    pub limiter: Option<Vec<u8>>,
}

/// In the order of the keys, which RFC 8785 section 3.2.3 demands.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Header<'a> {
    action: &'static str,
    actor: &'a Actor,
    #[serde(serialize_with = "serialize_rfc3339")]
    at: Timestamp,
    commitment: String,
    customer_id: &'a CustomerId,
    outcome: &'static str,
    request_id: &'a RequestId,
    seq: i64,
    target: &'a str,
    v: u8,
}

impl Head {
    /// The head of a log without entries.
    #[must_use]
    pub fn genesis(customer_id: &CustomerId) -> Self {
        Self {
            seq: 0,
            hash: genesis(customer_id.as_str()),
            at: Timestamp::from_millis(0),
        }
    }

    /// The head of the stored log.
    ///
    /// # Errors
    /// `internal_error` if the engine fails or the last entry is unreadable.
    pub fn load(sql: &dyn Sql, customer_id: &CustomerId) -> Result<Self> {
        let rows = sql.exec(
            "SELECT seq, hash, header ->> '$.at' FROM audit ORDER BY seq DESC LIMIT 1",
            &[],
        )?;
        let Some(row) = rows.first() else {
            return Ok(Self::genesis(customer_id));
        };
        let unreadable = || Error::fault("the last audit entry is unreadable");
        let at = Timestamp::parse_rfc3339(row.text(2)?).ok_or_else(unreadable)?;
        Ok(Self {
            seq: row.integer(0)?,
            hash: row.blob(1)?.try_into().map_err(|_| unreadable())?,
            at,
        })
    }

    /// Appends an entry and moves the head to it. One row written, none read.
    ///
    /// # Errors
    /// `internal_error` from the engine or the source of entropy.
    pub fn append(
        &mut self,
        sql: &dyn Sql,
        fields: &FieldKeys,
        customer_id: &CustomerId,
        entry: Entry<'_>,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<()> {
        // The platform's generator is asked once an entry.
        let fresh: [u8; SALT_BYTES + NONCE_BYTES] = random(entropy)?;
        let (salt, nonce) = fresh
            .split_first_chunk::<SALT_BYTES>()
            .and_then(|(salt, nonce)| Some((salt, <[u8; NONCE_BYTES]>::try_from(nonce).ok()?)))
            .ok_or_else(|| Error::fault("randomness of another length"))?;
        // It may hold a caller's keys and numbers, which serde_json alone orders and writes in its own way.
        let detail = json::to_canonical_object(&entry.detail)?;
        let seq = self.seq.saturating_add(1);
        let at = self.at.max(now);
        let header = json::to_bytes(&Header {
            action: entry.action,
            actor: &entry.actor,
            at,
            commitment: hex(&commitment(salt, &detail)),
            customer_id,
            outcome: entry.outcome,
            request_id: entry.request_id,
            seq,
            target: entry.target,
            v: FORMAT,
        })?;
        let hash = link(&self.hash, &leaf(&header));
        let header = String::from_utf8(header).map_err(|_| Error::fault("an audit header is not UTF-8"))?;
        let mut stored = salt.to_vec();
        stored.extend_from_slice(&detail);
        let stored = fields.seal_with(Column::AuditDetail, &seq.to_string(), &stored, nonce)?;
        // The table numbers its rows itself, which costs no look for a row of that number, and holds them to the header.
        sql.exec(
            "INSERT INTO audit (header, detail, hash, limiter) VALUES (?, ?, ?, ?)",
            &[
                header.into(),
                stored.into(),
                hash.as_slice().into(),
                entry.limiter.into(),
            ],
        )?;
        *self = Self { seq, hash, at };
        Ok(())
    }
}

/// A detail as it was committed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    /// What its commitment is keyed with.
    pub salt: [u8; SALT_BYTES],
    /// Its canonical JSON.
    pub text: Vec<u8>,
}

/// Reads the stored detail of the entry `seq`: the one place that knows how it lies in storage.
///
/// # Errors
/// `sealed_data_unreadable`.
pub fn read_detail(fields: &FieldKeys, seq: i64, stored: &[u8]) -> Result<Detail> {
    let opened = fields.open(Column::AuditDetail, &seq.to_string(), stored)?;
    let (salt, text) = opened
        .split_first_chunk()
        .ok_or_else(|| Error::fault("a stored audit detail is too short"))?;
    Ok(Detail {
        salt: *salt,
        text: text.to_vec(),
    })
}
