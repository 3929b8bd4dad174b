//! What a turn writes to the audit log, and under whose name.

use super::Turn;
use crate::caller::Caller;
use crate::customer::api_keys::KeyRecord;
use crate::customer::audit::{Actor, Entry, bare};
use crate::customer::entry;
use crate::customer::memory::Memory;
use crate::customer::refusals::{Admitted, Sum};
use crate::customer::request::Request;
use crate::entropy::random;
use crate::error::Result;
use crate::types::RequestId;
use serde_json::{Map, Value, json};

impl Turn<'_> {
    /// Who the log says it was.
    ///
    /// # Errors
    /// Only faults.
    pub fn actor(&self, memory: &Memory, request: &Request, key: Option<&KeyRecord>) -> Result<Actor> {
        self.actor_of(memory, &request.caller, request.as_admin, key)
    }

    /// The same of what is no request.
    ///
    /// # Errors
    /// `internal_error`, in practice never.
    pub fn actor_of(
        &self,
        memory: &Memory,
        caller: &Caller,
        as_admin: bool,
        key: Option<&KeyRecord>,
    ) -> Result<Actor> {
        let id = match caller {
            Caller::User(user) if as_admin => entry::admin_id(user, &self.config.index)?,
            // Only a user that was not met, because its token is revoked or there are too many users, has no id.
            Caller::User(user) => memory
                .seen(user)
                .map_or_else(|| "user_unknown".to_owned(), |seen| seen.user_id.to_string()),
            Caller::Integration(_) => {
                key.map_or_else(|| "key_unknown".to_owned(), |key| key.key_id.to_string())
            }
            Caller::Service(service) => service.id.clone(),
        };
        Ok(Actor {
            id,
            kind: caller.kind(),
        })
    }

    /// Appends an entry to the log, whose detail is kept for a while.
    ///
    /// # Errors
    /// Only faults.
    pub fn append(&mut self, memory: &mut Memory, entry: Entry<'_>) -> Result<()> {
        let (sql, id, now) = (self.sql, self.id, self.now);
        if self.is_key_lost && self.fields.is_none() {
            bare::append_entry(&mut memory.head, sql, id, entry, now, self.entropy)?;
        } else {
            let fields = self.fields()?;
            memory.head.append(sql, fields, id, entry, now, self.entropy)?;
        }
        memory
            .retention
            .appended(&memory.head, self.config.audit_retention_ms);
        Ok(())
    }

    /// Writes what waits in memory once its time has come.
    pub(super) fn settle(&mut self, memory: &mut Memory) -> Result<()> {
        memory.counters.flush_if_due(self.sql, self.now)?;
        match memory.refusals.take_if_over(self.now) {
            Some(sum) => self.sum_up(memory, &sum),
            None => Ok(()),
        }
    }

    /// Whether a refusal that no limit bounds gets an entry of its own; if not, it is counted.
    pub(super) fn admits_refusal(&mut self, memory: &mut Memory, outcome: &'static str) -> Result<bool> {
        match memory.refusals.admit(outcome, self.now) {
            Admitted::Single => return Ok(true),
            Admitted::Counted => {}
            Admitted::Summed(sum) => self.sum_up(memory, &sum)?,
        }
        Ok(false)
    }

    /// Many refusals in one entry.
    pub(super) fn sum_up(&mut self, memory: &mut Memory, sum: &Sum) -> Result<()> {
        let mut detail = Map::new();
        detail.insert("since".to_owned(), sum.since.to_rfc3339().into());
        detail.insert("counts".to_owned(), json!(sum.counts));
        self.append_own(memory, "requests.refused", detail)
    }

    /// Appends what the object itself has to say.
    ///
    /// # Errors
    /// Only faults.
    pub fn append_own(
        &mut self,
        memory: &mut Memory,
        action: &'static str,
        detail: Map<String, Value>,
    ) -> Result<()> {
        let request_id = RequestId::mint(self.now, random(self.entropy)?);
        let entry = Entry {
            actor: Actor {
                id: "object".to_owned(),
                kind: "system",
            },
            action,
            target: "customer",
            outcome: "ok",
            request_id: &request_id,
            detail,
            limiter: memory.quota.store(self.sql, self.now)?,
        };
        self.append(memory, entry)
    }
}
