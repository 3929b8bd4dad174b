//! Revoked tokens. One token is revoked by its `jti` (RFC 7519 section 4.1.7), all that were issued until some
//! second by one time stamp, `not_before`. Both hold from the commit on, because the object that decides every
//! request of the customer is the one that holds them.
//!
//! **How long a revocation is kept.** `edge::auth` accepts no token that lives longer than `JWT_MAX_TTL_SECONDS`
//! or whose `iat` lies more than [`MAX_SKEW_SECS`] ahead. So a token that exists when it is revoked at `t` has
//! `iat <= t + skew` and is expired at `t + skew + ttl`; and a `not_before` of `t + skew` or later kills it
//! anyway. Past either moment its row is dead weight, and [`Revocations::sweep`] deletes it: a revoke-all makes
//! room for single revocations within the skew.
//!
//! Where the clock went back, `t` is the last moment that the customer's log knows. A clock that shows a moment at
//! which a token has expired has it forgotten; were it to go back over that again, the token would be let in.
//!
//! **What revoke-all takes.** Everything issued in the second of the request or before it, the token that asks
//! included, and a token that is issued later within that very second. A token of an issuer whose clock runs
//! ahead may survive; a service can name a `notBefore` that covers the skew.
//!
//! `not_before` never moves back, so no revocation is undone by a later one, a retry or an import.

use crate::caller::{Caller, Service, User};
use crate::error::{Code, Error, Fault, Result};
use crate::json;
use crate::sql::Sql;
use crate::types::{CustomerId, Timestamp};
use crate::validate::{Edit, Fields};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// Most single revocations of one customer at a time. At one a second this is almost three hours' worth: past it,
/// something is being revoked that should be revoked as a whole.
pub const MAX_HELD: i64 = 10_000;
/// Most rows that one sweep deletes.
pub const SWEEP_ROWS: i64 = 500;
/// How far `iat` may lie ahead, in seconds; the same as `edge::auth::MAX_SKEW_SECS`.
pub const MAX_SKEW_SECS: i64 = 60;
/// Longest `jti`, in characters; the same as `edge::auth::MAX_ID_CHARS`.
pub const MAX_JTI_CHARS: usize = 255;

/// One token, as a revocation names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenName<'a> {
    /// Its `jti` claim.
    Jti(&'a str),
    /// The hash of the older service's denylist: hex SHA-256 of the lower-cased compact token.
    Legacy(&'a str),
}

impl TokenName<'_> {
    /// The key under which its revocation is stored. The prefixes keep the two kinds apart.
    fn hash(self) -> [u8; 32] {
        match self {
            Self::Jti(jti) => digest("jti|", jti),
            Self::Legacy(hex) => digest("legacy|", &hex.to_ascii_lowercase()),
        }
    }
}

fn digest(kind: &str, value: &str) -> [u8; 32] {
    Sha256::new()
        .chain_update(kind)
        .chain_update(value)
        .finalize()
        .into()
}

/// What a request wants revoked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The token with this `jti`.
    Jti(String),
    /// Everything issued until now.
    All,
    /// Everything issued until this Unix second, inclusive.
    NotBefore(i64),
}

impl Target {
    /// Reads the body of POST `…/tokens/revoke` by a user or an administrator: `{jti}` or `{all: true}`.
    ///
    /// # Errors
    /// `malformed_body` or `validation_failed`.
    pub fn parse(body: &[u8]) -> Result<Self> {
        let mut fields = Fields::new(json::parse_object(body)?);
        let jti = present(&mut fields, "jti", jti).map(Self::Jti);
        let all = present(&mut fields, "all", |value| match value {
            Value::Bool(true) => Ok(Self::All),
            _ => Err("Must be true.".into()),
        });
        one_of(fields, ("jti", jti), ("all", all))
    }

    /// Reads the body of POST `/internal/tokens/revoke` by a service: `{customerId, jti}` or
    /// `{customerId, notBefore}`, Unix seconds. Without `customerId` the tokens of administrators and services are meant.
    ///
    /// # Errors
    /// `malformed_body` or `validation_failed`.
    pub fn parse_internal(body: &[u8]) -> Result<(Option<CustomerId>, Self)> {
        let mut fields = Fields::new(json::parse_object(body)?);
        let customer = present(&mut fields, "customerId", |value| {
            let id = value.as_str().and_then(CustomerId::parse);
            id.ok_or(Cow::Borrowed("Must be a customer id."))
        });
        let jti = present(&mut fields, "jti", jti).map(Self::Jti);
        let not_before = present(&mut fields, "notBefore", |value| {
            let seconds = value
                .as_i64()
                .filter(|seconds| (0..=Timestamp::MAX.as_secs()).contains(seconds));
            seconds.ok_or(Cow::Borrowed("Must be a time in whole Unix seconds."))
        });
        let target = one_of(
            fields,
            ("jti", jti),
            ("notBefore", not_before.map(Self::NotBefore)),
        )?;
        Ok((customer, target))
    }
}

/// Takes a field that may be absent, but not null.
fn present<T>(
    fields: &mut Fields,
    name: &str,
    read: impl FnOnce(Value) -> std::result::Result<T, Cow<'static, str>>,
) -> Option<T> {
    match fields.field(name, read) {
        Edit::Set(value) => Some(value),
        Edit::Keep => None,
        Edit::Clear => {
            fields.fault(name, "Must not be null.");
            None
        }
    }
}

/// The rules of the claim itself (`edge::auth`), because whatever a token can carry must be revocable.
fn jti(value: Value) -> std::result::Result<String, Cow<'static, str>> {
    match value {
        Value::String(jti)
            if (1..=MAX_JTI_CHARS).contains(&jti.chars().count()) && !jti.chars().any(char::is_control) =>
        {
            Ok(jti)
        }
        Value::String(_) => Err(format!(
            "Must have 1 to {MAX_JTI_CHARS} characters, none of them a control character."
        )
        .into()),
        _ => Err("Must be a string.".into()),
    }
}

/// Ends the reading of a body that must hold exactly one of two fields.
fn one_of(mut fields: Fields, a: (&str, Option<Target>), b: (&str, Option<Target>)) -> Result<Target> {
    let is_faulty = fields.has_fault(a.0) || fields.has_fault(b.0);
    let target = match (a.1, b.1) {
        (Some(_), Some(_)) => {
            fields.fault(b.0, format!("Must not be there together with {}.", a.0));
            None
        }
        (None, None) if !is_faulty => {
            fields.fault(a.0, format!("Either {} or {} is required.", a.0, b.0));
            None
        }
        (a, b) => a.or(b),
    };
    fields.finish(&[])?;
    target.ok_or_else(|| Error::fault("a fault without its error"))
}

/// What is known of a customer's revocations without a query. Read at wake-up, kept with the rest of the memory,
/// and dropped like it when a transaction is rolled back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocations {
    /// Tokens issued at this Unix second or before it are dead.
    not_before: Option<i64>,
    /// Number of rows.
    held: i64,
    /// `JWT_MAX_TTL_SECONDS`.
    max_ttl_secs: i64,
}

impl Revocations {
    /// Reads the state: one row.
    ///
    /// # Errors
    /// `internal_error` from the engine.
    pub fn load(sql: &dyn Sql, max_ttl_secs: u32) -> Result<Self> {
        let rows = sql.exec("SELECT not_before, held FROM token_state WHERE one = 1", &[])?;
        let row = rows
            .first()
            .ok_or_else(|| Error::fault("token_state has no row"))?;
        Ok(Self {
            not_before: row.integer_or_null(0)?,
            held: row.integer(1)?,
            max_ttl_secs: i64::from(max_ttl_secs),
        })
    }

    /// Whether a user's token is still good. No query unless some token is revoked singly, then one look-up by
    /// primary key for each name that the token has (at most three).
    ///
    /// # Errors
    /// `token_revoked`, or `internal_error` from the engine.
    pub fn check(&self, sql: &dyn Sql, user: &User) -> Result<()> {
        let legacy = user.legacy_hashes.iter().map(|hex| TokenName::Legacy(hex));
        let names = user.jti.as_deref().map(TokenName::Jti).into_iter().chain(legacy);
        self.check_token(sql, user.issued_at, names)
    }

    /// As [`Revocations::check`], for a service; a service key is not a token and always passes.
    ///
    /// # Errors
    /// As [`Revocations::check`].
    pub fn check_service(&self, sql: &dyn Sql, service: &Service) -> Result<()> {
        let names = service.jti.as_deref().map(TokenName::Jti).into_iter();
        match service.issued_at {
            Some(issued_at) => self.check_token(sql, issued_at, names),
            None => Ok(()),
        }
    }

    fn check_token<'a>(
        &self,
        sql: &dyn Sql,
        issued_at: i64,
        names: impl Iterator<Item = TokenName<'a>>,
    ) -> Result<()> {
        let revoked = || Err(Error::new(Code::TokenRevoked, "The credential was revoked."));
        if self.not_before.is_some_and(|not_before| issued_at <= not_before) {
            return revoked();
        }
        if self.held == 0 {
            return Ok(());
        }
        for name in names {
            if is_held(sql, &name.hash())? {
                return revoked();
            }
        }
        Ok(())
    }

    /// Carries out what `caller` asked for. Repeating it is harmless.
    ///
    /// # Errors
    /// `revoke_all_instead`, `validation_failed` for a `notBefore` more than [`MAX_SKEW_SECS`] ahead (it could
    /// never be taken back), `internal_error` from the engine.
    pub fn revoke(&mut self, sql: &dyn Sql, target: &Target, caller: &Caller, now: Timestamp) -> Result<()> {
        match target {
            Target::Jti(jti) => self.revoke_one(sql, TokenName::Jti(jti), now),
            Target::All => {
                // The token that asks dies too, even if its issuer's clock is ahead of ours.
                let own = match caller {
                    Caller::User(user) => user.issued_at,
                    _ => 0,
                };
                self.revoke_until(sql, own.max(now.as_secs()))
            }
            Target::NotBefore(seconds) if *seconds > now.as_secs().saturating_add(MAX_SKEW_SECS) => {
                Err(Error::validation(vec![Fault {
                    pointer: "#/notBefore".to_owned(),
                    detail: format!("Must not lie more than {MAX_SKEW_SECS} seconds in the future.").into(),
                }]))
            }
            Target::NotBefore(seconds) => self.revoke_until(sql, *seconds),
        }
    }

    /// Revokes one token. At the bound, rows that are dead weight make room first.
    ///
    /// # Errors
    /// `revoke_all_instead` if [`MAX_HELD`] others are held, `internal_error` from the engine.
    pub fn revoke_one(&mut self, sql: &dyn Sql, name: TokenName<'_>, now: Timestamp) -> Result<()> {
        let hash = name.hash();
        if is_held(sql, &hash)? {
            // Anew, in case an issuer used the `jti` again for a token that was issued since.
            sql.exec(
                "UPDATE revocations SET revoked_at = max(revoked_at, ?) WHERE hash = ?",
                &[now.as_millis().into(), hash.as_slice().into()],
            )?;
            return Ok(());
        }
        if self.held >= MAX_HELD {
            self.sweep(sql, now, SWEEP_ROWS)?;
        }
        if self.held >= MAX_HELD {
            return Err(Error::new(
                Code::RevokeAllInstead,
                format!("{MAX_HELD} tokens are revoked one by one, and that is the most that is held."),
            ));
        }
        sql.exec(
            "INSERT INTO revocations (hash, revoked_at) VALUES (?, ?)",
            &[hash.as_slice().into(), now.as_millis().into()],
        )?;
        self.set_held(sql, self.held.saturating_add(1))
    }

    /// Takes over a revocation of the older service's; false if it is held already.
    ///
    /// # Errors
    /// As [`Revocations::revoke_one`].
    pub fn import(&mut self, sql: &dyn Sql, hash: &str, now: Timestamp) -> Result<bool> {
        let name = TokenName::Legacy(hash);
        if is_held(sql, &name.hash())? {
            return Ok(false);
        }
        self.revoke_one(sql, name, now).map(|()| true)
    }

    /// Revokes every token issued at this Unix second or before it. An earlier second than the one that holds
    /// already changes nothing.
    ///
    /// # Errors
    /// `internal_error` from the engine.
    pub fn revoke_until(&mut self, sql: &dyn Sql, seconds: i64) -> Result<()> {
        if self.not_before.is_none_or(|held| seconds > held) {
            sql.exec(
                "UPDATE token_state SET not_before = ? WHERE one = 1",
                &[seconds.into()],
            )?;
            self.not_before = Some(seconds);
        }
        Ok(())
    }

    /// Deletes at most `limit` rows that are dead weight, oldest first, and tells whether there may be more.
    ///
    /// # Errors
    /// `internal_error` from the engine.
    pub fn sweep(&mut self, sql: &dyn Sql, now: Timestamp, limit: i64) -> Result<bool> {
        if self.held == 0 {
            return Ok(false);
        }
        let deleted = sql.exec(
            "DELETE FROM revocations WHERE hash IN \
             (SELECT hash FROM revocations WHERE revoked_at <= ? ORDER BY revoked_at LIMIT ?) RETURNING 1",
            &[self.dead_weight_ms(now).into(), limit.into()],
        )?;
        let deleted = i64::try_from(deleted.len()).unwrap_or(i64::MAX);
        if deleted > 0 {
            self.set_held(sql, self.held.saturating_sub(deleted))?;
        }
        Ok(deleted >= limit && self.held > 0)
    }

    /// When the oldest row is dead weight, for the alarm; None while there is no row. It may lie in the past.
    ///
    /// # Errors
    /// `internal_error` from the engine.
    pub fn next_sweep(&self, sql: &dyn Sql, now: Timestamp) -> Result<Option<Timestamp>> {
        if self.held == 0 {
            return Ok(None);
        }
        let rows = sql.exec("SELECT min(revoked_at) FROM revocations", &[])?;
        let oldest = rows.first().map_or(Ok(None), |row| row.integer_or_null(0))?;
        Ok(oldest.map(|oldest| {
            let wait_ms = oldest.saturating_sub(self.dead_weight_ms(now));
            Timestamp::from_millis(now.as_millis().saturating_add(wait_ms))
        }))
    }

    /// Rows of this Unix millisecond or before it are dead weight; the header derives it.
    fn dead_weight_ms(&self, now: Timestamp) -> i64 {
        let kept_ms = self
            .max_ttl_secs
            .saturating_add(MAX_SKEW_SECS)
            .saturating_mul(1000);
        let expired = now.as_millis().saturating_sub(kept_ms);
        let covered = self
            .not_before
            .map(|seconds| seconds.saturating_sub(MAX_SKEW_SECS).saturating_mul(1000));
        covered.map_or(expired, |covered| covered.max(expired))
    }

    fn set_held(&mut self, sql: &dyn Sql, held: i64) -> Result<()> {
        sql.exec("UPDATE token_state SET held = ? WHERE one = 1", &[held.into()])?;
        self.held = held;
        Ok(())
    }
}

fn is_held(sql: &dyn Sql, hash: &[u8; 32]) -> Result<bool> {
    let rows = sql.exec(
        "SELECT 1 FROM revocations WHERE hash = ?",
        &[hash.as_slice().into()],
    )?;
    Ok(!rows.is_empty())
}

#[cfg(all(test, not(target_arch = "wasm32")))]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]
mod tests;
