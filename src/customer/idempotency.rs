//! Idempotency keys (draft-ietf-httpapi-idempotency-key-header-07): what a request with a key was answered is
//! stored in the transaction of the request itself. So either both its change and its reply are there or neither
//! is, and after any crash the repeated request is answered byte for byte what the first one was, or would have
//! been.
//!
//! The way of a request with a key, after authentication, revocation, status and scope:
//!
//! 1. [`Idempotency::lookup`]: new, to be replayed, or a key that was used for something else (422).
//! 2. New: the command is carried out.
//! 3. [`Idempotency::store`], in the same savepoint, unless the reply is of a kind that a repetition may change
//!    ([`is_stored`]).
//!
//! The draft's answer to a repetition that comes while the first is *still running*, 409, cannot occur here: an
//! object decides one request after the other without a pause between these steps, so the second finds the reply
//! of the first, which the platform's output gate holds back until it is durable.
//!
//! **Bounds.** At most [`MAX_KEYS`] replies and about [`MAX_HELD_BYTES`] are held for a customer. At the bound, a
//! new key is refused with 409 `limit_reached` and nothing is done: forgetting an older key before its 24 hours
//! instead would let its repetition act twice, which is what the caller asked us to rule out. The same request
//! without a key is served.

use crate::crypto::{Column, FieldKeys};
use crate::customer::audit::Actor;
use crate::entropy::Entropy;
use crate::error::{Code, Error, Result};
use crate::json;
use crate::sql::{Row, Sql};
use crate::types::{Condition, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Longest key, in characters.
pub const MAX_KEY_CHARS: usize = 255;
/// How long a reply is kept, in milliseconds: 24 hours.
pub const KEPT_MS: i64 = 86_400_000;
/// Most replies that are held for one customer.
pub const MAX_KEYS: i64 = 100_000;
/// Sum of the sealed replies, in bytes, from which on no new key is taken: a hundredth of an object's 10 GB.
pub const MAX_HELD_BYTES: i64 = 100 * 1024 * 1024;
/// Largest body that is stored, in bytes. The largest reply to a change shows a customer whole: 50 metadata
/// entries of 540 characters of 4 bytes are 108 kB, and the rest is a few kB.
pub const MAX_BODY_BYTES: usize = 256 * 1024;
/// Largest list of header fields that is stored, in bytes of its JSON.
pub const MAX_HEADERS_BYTES: usize = 2048;
/// Most rows that one sweep deletes.
pub const SWEEP_ROWS: i64 = 500;

/// A key as the caller chose it: 1 to 255 characters of printable ASCII.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The key, if the text is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let sound =
            (1..=MAX_KEY_CHARS).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        sound.then(|| Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for IdempotencyKey {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not an idempotency key")
    }
}

impl From<IdempotencyKey> for String {
    fn from(key: IdempotencyKey) -> Self {
        key.0
    }
}

/// Within what a key is unique: SHA-256 over caller, method, path and key, each with its length in front.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Scope([u8; 32]);

impl Scope {
    /// The scope of a key. The caller is named by an id of ours, as in the audit log, so nothing personal goes
    /// into the hash but what the caller may have put into its key.
    #[must_use]
    pub fn new(caller: &Actor, method: &str, path: &str, key: &IdempotencyKey) -> Self {
        let parts = [
            "user-api/idempotency-scope/v1",
            caller.kind,
            caller.id.as_str(),
            method,
            path,
            key.as_str(),
        ];
        Self(digest(parts.map(str::as_bytes)))
    }

    /// The row's name in the additional data of its seal.
    fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// What a request asks, as far as its repetition must ask the same: the body's bytes and the condition. (Not its
/// media type: where two are accepted, they mean the same.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload([u8; 32]);

impl Payload {
    /// The fingerprint of a request. It is stored only under the seal: a plain hash of a small body could be
    /// guessed.
    ///
    /// # Errors
    /// `internal_error`, in practice never.
    pub fn new(condition: &Condition, body: &[u8]) -> Result<Self> {
        let condition = json::to_bytes(condition)?;
        let parts = [b"user-api/idempotency-payload/v1".as_slice(), &condition, body];
        Ok(Self(digest(parts)))
    }
}

fn digest<const N: usize>(parts: [&[u8]; N]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// How a request with a key is known again where it arrives as errands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fingerprint {
    /// Which key, whose, for what.
    pub scope: Scope,
    /// What it asks.
    pub payload: Payload,
}

/// A reply as the caller saw it: what is not in here is made anew for every response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredReply {
    /// The status code.
    pub status: u16,
    /// The header fields that belong to the reply and not to the moment, in their order.
    pub headers: Vec<(String, String)>,
    /// The body's bytes.
    pub body: Vec<u8>,
}

/// Whether a reply of this status is stored. What a sign-in, a permission, another try or a repair on our side
/// can change is not: 401, 403, 409, 429 and 5xx.
#[must_use]
pub const fn is_stored(status: u16) -> bool {
    matches!(status, 200..=499) && !matches!(status, 401 | 403 | 409 | 429)
}

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// Nothing: carry the request out.
    New,
    /// This was answered.
    Replay(StoredReply),
    /// It was used with another payload: refuse with [`Seen::reused`].
    Mismatch,
}

impl Seen {
    /// The refusal of a key that was used for something else.
    #[must_use]
    pub fn reused() -> Error {
        let detail =
            "The idempotency key was used within 24 hours for a request with another body or condition.";
        Error::new(Code::IdempotencyKeyReused, detail)
    }
}

/// What is known of the stored replies without a query: their first and last row. Read at wake-up, and dropped
/// with the rest of the memory when a transaction is rolled back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    span: Option<(Mark, Mark)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    seq: i64,
    /// Bytes of all replies before this one.
    bytes_before: i64,
    /// Bytes of all replies up to this one.
    bytes_through: i64,
    expires_at: Timestamp,
}

impl Mark {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            seq: row.integer(0)?,
            bytes_through: row.integer(1)?,
            bytes_before: row.integer(1)?.saturating_sub(row.integer(2)?),
            expires_at: Timestamp::from_millis(row.integer(3)?),
        })
    }
}

impl Idempotency {
    /// Reads the first and the last row.
    ///
    /// # Errors
    /// `internal_error` from the engine.
    pub fn load(sql: &dyn Sql) -> Result<Self> {
        let last = sql.exec(
            "SELECT seq, total_bytes, length(reply), expires_at FROM idempotency ORDER BY seq DESC LIMIT 1",
            &[],
        )?;
        let first = first(sql)?;
        let last = last.first().map(Mark::from_row).transpose()?;
        Ok(Self {
            span: first.zip(last),
        })
    }

    /// How many replies are held; an expired one that made way for its successor counts until it would have been
    /// swept.
    #[must_use]
    pub fn held(&self) -> i64 {
        self.span.map_or(0, |(first, last)| {
            last.seq.saturating_sub(first.seq).saturating_add(1)
        })
    }

    /// How many bytes they have, sealed.
    #[must_use]
    pub fn held_bytes(&self) -> i64 {
        self.span.map_or(0, |(first, last)| {
            last.bytes_through.saturating_sub(first.bytes_before)
        })
    }

    /// When the oldest reply expires, for the alarm; None while none is held.
    #[must_use]
    pub fn next_sweep(&self) -> Option<Timestamp> {
        self.span.map(|(first, _)| first.expires_at)
    }

    /// What is known of the key in this scope. Writes only where expired rows are in the way.
    ///
    /// # Errors
    /// `limit_reached` for a new key at the bound, `sealed_data_unreadable`, `internal_error` from the engine.
    pub fn lookup(
        &mut self,
        sql: &dyn Sql,
        keys: &FieldKeys,
        scope: &Scope,
        payload: &Payload,
        now: Timestamp,
    ) -> Result<Seen> {
        let rows = sql.exec(
            "SELECT status, headers, reply, expires_at FROM idempotency WHERE scope = ?",
            &[scope.0.as_slice().into()],
        )?;
        match rows.first() {
            Some(row) if row.integer(3)? > now.as_millis() => return open(row, keys, scope, payload),
            Some(_) => self.remove_expired(sql, scope)?,
            None => {}
        }
        if self.is_full() {
            self.sweep(sql, now, SWEEP_ROWS)?;
        }
        if self.is_full() {
            let detail = format!(
                "At most {MAX_KEYS} idempotency keys, and {MAX_HELD_BYTES} bytes of replies to them, are held \
                 for 24 hours. Nothing was done."
            );
            return Err(Error::new(Code::LimitReached, detail));
        }
        Ok(Seen::New)
    }

    /// Stores the reply to a request whose key was new; does nothing with one that is not to be stored.
    ///
    /// # Errors
    /// `internal_error` from the engine, or for a reply over the bounds, which would be a mistake of ours: then
    /// the request is rolled back, because a reply that is not stored would let a repetition act twice.
    #[allow(clippy::too_many_arguments)]
    pub fn store(
        &mut self,
        sql: &dyn Sql,
        keys: &FieldKeys,
        scope: &Scope,
        payload: &Payload,
        reply: &StoredReply,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<()> {
        if !is_stored(reply.status) {
            return Ok(());
        }
        let headers = json::to_bytes(&reply.headers)?;
        if headers.len() > MAX_HEADERS_BYTES || reply.body.len() > MAX_BODY_BYTES {
            return Err(Error::fault("a reply is too large to be stored under its key"));
        }
        let headers = String::from_utf8(headers).map_err(|_| Error::fault("headers are not UTF-8"))?;
        let plain = [payload.0.as_slice(), &reply.body].concat();
        let sealed = keys.seal(Column::IdempotencyReply, &scope.hex(), &plain, entropy)?;
        let mark = self.next(&sealed, now);
        sql.exec(
            "INSERT INTO idempotency (seq, scope, status, headers, reply, total_bytes, expires_at) \
             VALUES (?, ?, ?, ?, ?, ?, ?)",
            &[
                mark.seq.into(),
                scope.0.as_slice().into(),
                i64::from(reply.status).into(),
                headers.into(),
                sealed.into(),
                mark.bytes_through.into(),
                mark.expires_at.as_millis().into(),
            ],
        )?;
        let first = self.span.map_or(mark, |(first, _)| first);
        self.span = Some((first, mark));
        Ok(())
    }

    /// Deletes at most `limit` expired rows, oldest first, and tells whether there may be more.
    ///
    /// # Errors
    /// `internal_error` from the engine.
    pub fn sweep(&mut self, sql: &dyn Sql, now: Timestamp, limit: i64) -> Result<bool> {
        let Some((oldest, last)) = self.span.filter(|(first, _)| first.expires_at <= now) else {
            return Ok(false);
        };
        sql.exec(
            "DELETE FROM idempotency WHERE seq < ? AND expires_at <= ?",
            &[oldest.seq.saturating_add(limit).into(), now.as_millis().into()],
        )?;
        self.span = first(sql)?.map(|first| (first, last));
        Ok(self.span.is_some_and(|(first, _)| first.expires_at <= now))
    }

    /// Makes way for a new row of the same scope. Rows expire in their order, so all before it have expired too.
    fn remove_expired(&mut self, sql: &dyn Sql, scope: &Scope) -> Result<()> {
        sql.exec(
            "DELETE FROM idempotency WHERE scope = ?",
            &[scope.0.as_slice().into()],
        )?;
        self.span = first(sql)?.zip(self.span.map(|(_, last)| last));
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.held() >= MAX_KEYS || self.held_bytes() >= MAX_HELD_BYTES
    }

    /// The place of the next row. Its time never lies before the last one's, even when the clock went back.
    fn next(&self, sealed: &[u8], now: Timestamp) -> Mark {
        let bytes = i64::try_from(sealed.len()).unwrap_or(i64::MAX);
        let last = self.span.map(|(_, last)| last);
        let bytes_before = last.map_or(0, |last| last.bytes_through);
        let expires_at = Timestamp::from_millis(now.as_millis().saturating_add(KEPT_MS));
        Mark {
            seq: last.map_or(1, |last| last.seq.saturating_add(1)),
            bytes_before,
            bytes_through: bytes_before.saturating_add(bytes),
            expires_at: last.map_or(expires_at, |last| last.expires_at.max(expires_at)),
        }
    }
}

fn first(sql: &dyn Sql) -> Result<Option<Mark>> {
    let rows = sql.exec(
        "SELECT seq, total_bytes, length(reply), expires_at FROM idempotency ORDER BY seq LIMIT 1",
        &[],
    )?;
    rows.first().map(Mark::from_row).transpose()
}

fn open(row: &Row, keys: &FieldKeys, scope: &Scope, payload: &Payload) -> Result<Seen> {
    let plain = keys.open(Column::IdempotencyReply, &scope.hex(), row.blob(2)?)?;
    let (first_payload, body) = plain
        .split_first_chunk::<32>()
        .ok_or_else(|| Error::fault("a stored reply is too short"))?;
    if *first_payload != payload.0 {
        return Ok(Seen::Mismatch);
    }
    Ok(Seen::Replay(StoredReply {
        status: u16::try_from(row.integer(0)?).map_err(|_| Error::fault("a stored status is none"))?,
        headers: json::from_stored(row.text(1)?.as_bytes(), "reply headers")?,
        body: body.to_vec(),
    }))
}

#[cfg(all(test, not(target_arch = "wasm32")))]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]
mod tests;
