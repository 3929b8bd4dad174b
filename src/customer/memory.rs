//! What a customer's object remembers of its storage between requests, so that a warm request reads no row.
//! Dropped whenever a transaction may not have committed.

use crate::caller::User;
use crate::crypto::FieldKeys;
use crate::customer::account::Account;
use crate::customer::api_keys::Keys;
use crate::customer::audit::Head;
use crate::customer::audit::retention::Retention;
use crate::customer::config::Config;
use crate::customer::erasure::Erasure;
use crate::customer::export::running::Exports;
use crate::customer::idempotency::Idempotency;
use crate::customer::moving;
use crate::customer::outbox::Outbox;
use crate::customer::profile::Record;
use crate::customer::quota::Quota;
use crate::customer::refusals::Refusals;
use crate::customer::tokens::Revocations;
use crate::customer::usage::Counters;
use crate::customer::users::Seen;
use crate::error::{Error, Result};
use crate::sql::Sql;
use crate::types::{CustomerId, Timestamp, UserId};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// Most callers that are remembered; past that all are forgotten and looked up again.
const MAX_SEEN: usize = 1024;

/// The memory of an object that is awake and has a customer.
#[derive(Debug)]
pub struct Memory {
    /// The customer's record.
    pub record: Record,
    /// What the directory knows of it.
    pub account: Account,
    /// What other objects must be told.
    pub outbox: Outbox,
    /// The erasure that was asked for, or carried out.
    pub erasure: Option<Erasure>,
    /// Where the audit log ends.
    pub head: Head,
    /// The API keys.
    pub keys: Keys,
    /// What is known of revoked tokens.
    pub revocations: Revocations,
    /// When the oldest revocation can go, as the last tick found it.
    pub revocations_due: Option<Timestamp>,
    /// What is known of stored replies.
    pub idempotency: Idempotency,
    /// The policies and what was spent of them.
    pub quota: Quota,
    /// Counts of requests that are not written yet.
    pub counters: Counters,
    /// Refusals that no limit bounds.
    pub refusals: Refusals,
    /// Exports under way.
    pub exports: Exports,
    /// The oldest detail of the log that is kept.
    pub retention: Retention,
    /// Whether preferences came along that no user has yet.
    pub has_preferences_waiting: bool,
    /// What could not be opened and was passed over, until the operator's log is told.
    pub passed_over: Option<Error>,
    /// What the token of the request under way has changed of its user, for the request's entry in the log.
    pub brought: Map<String, Value>,
    seen: HashMap<String, Seen>,
}

impl Memory {
    /// The memory of a customer that was just created.
    ///
    /// # Errors
    /// `internal_error` from the engine.
    pub fn of_new(
        sql: &dyn Sql,
        fields: &FieldKeys,
        record: Record,
        account: Account,
        customer_id: &CustomerId,
        config: &Config,
        now: Timestamp,
    ) -> Result<Self> {
        Self::with(
            sql,
            Some(fields),
            record,
            account,
            Head::genesis(customer_id),
            config,
            now,
        )
    }

    /// Reads it from a storage whose schema is current; `None` if there is no customer.
    ///
    /// # Errors
    /// `internal_error` if the engine fails or something stored is unreadable; `key_unavailable` if the keys are not
    /// those of this customer, or are not there.
    pub fn load(
        sql: &dyn Sql,
        customer_id: &CustomerId,
        (fields, is_key_lost): (Option<&FieldKeys>, bool),
        config: &Config,
        now: Timestamp,
    ) -> Result<Option<Self>> {
        let Some(record) = Record::load(sql, fields, is_key_lost)? else {
            return Ok(None);
        };
        let head = Head::load(sql, customer_id)?;
        Self::with(sql, fields, record, Account::load(sql)?, head, config, now).map(Some)
    }

    fn with(
        sql: &dyn Sql,
        fields: Option<&FieldKeys>,
        record: Record,
        account: Account,
        head: Head,
        config: &Config,
        now: Timestamp,
    ) -> Result<Self> {
        // Only an erased customer comes without, and one whose key is lost: nobody may use a key of it.
        let keys = fields.map_or_else(|| Ok(Keys::default()), |fields| Keys::load(sql, fields))?;
        let mut quota = Quota::load(sql, config.limits.of(record.plan))?;
        quota.adopt(&keys, now)?;
        Ok(Self {
            keys,
            revocations_due: None,
            revocations: Revocations::load(sql, config.max_ttl_secs)?,
            idempotency: Idempotency::load(sql)?,
            quota,
            counters: Counters::default(),
            refusals: Refusals::default(),
            exports: Exports::load(sql, now)?,
            retention: Retention::load(sql, &head, config.audit_retention_ms)?,
            has_preferences_waiting: moving::has_preferences_waiting(sql)?,
            passed_over: None,
            brought: Map::new(),
            seen: HashMap::new(),
            record,
            account,
            outbox: Outbox::load(sql)?,
            erasure: Erasure::load(sql)?,
            head,
        })
    }

    /// What is known of the holder of this token.
    #[must_use]
    pub fn seen(&self, user: &User) -> Option<&Seen> {
        self.seen.get(&user.subject)
    }

    /// Remembers the holder of this token.
    pub fn remember(&mut self, user: &User, seen: Seen) {
        if self.seen.len() >= MAX_SEEN {
            self.seen.clear();
        }
        self.seen.insert(user.subject.clone(), seen);
    }

    /// Our id of the holder of this token.
    ///
    /// # Errors
    /// `internal_error` if it was not met, which comes before everything else.
    pub fn user_id(&self, user: &User) -> Result<&UserId> {
        self.seen(user)
            .map(|seen| &seen.user_id)
            .ok_or_else(|| Error::fault("the user was not met"))
    }
}
