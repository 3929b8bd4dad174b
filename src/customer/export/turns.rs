//! The turns of an export after the one that began it: a piece each, and the end, which the log tells.

use super::running::Exports;
use super::{Export, Source};
use crate::caller::Caller;
use crate::customer::audit::{Actor, Entry};
use crate::customer::memory::Memory;
use crate::customer::status::Status;
use crate::customer::turn::Turn;
use crate::error::{Code, Error, Result};
use crate::types::RequestId;
use serde_json::{Map, Value};

impl Turn<'_> {
    /// Makes the next piece; with the last one the log tells what was handed out.
    ///
    /// # Errors
    /// `customer_erased`, `token_revoked`, `unavailable` if the export was given up, or a fault. The export is then
    /// over.
    pub fn pull(&mut self, memory: &mut Memory, export: &mut Export) -> Result<Vec<u8>> {
        if memory.record.status == Status::Erased {
            return Err(Error::new(Code::CustomerErased, Code::CustomerErased.title()));
        }
        self.check_credential(memory, export)?;
        if !memory.exports.touch(&export.plan().id, self.now) {
            return Err(Error::new(Code::Unavailable, "The export was given up."));
        }
        let source = Source {
            sql: self.sql,
            fields: self.fields()?,
            signing: &self.config.signing,
        };
        let piece = export.next(&source)?;
        if export.is_done() {
            self.end(memory, export, "export.completed", export.summary())?;
        }
        Ok(piece)
    }

    /// Whether the credential by which it was begun still works: a revocation ends what is under way, too.
    fn check_credential(&self, memory: &Memory, export: &Export) -> Result<()> {
        let plan = export.plan();
        match &plan.by.caller {
            Caller::User(user) => self.still_works(memory, user, plan.is_for_operator),
            // Neither may have one.
            Caller::Integration(_) | Caller::Service(_) => Ok(()),
        }
    }

    /// Ends an export whose receiver went away, or whose credential was revoked.
    ///
    /// # Errors
    /// Only faults.
    pub fn abandon(&mut self, memory: &mut Memory, export: &Export) -> Result<()> {
        let reason = match self.check_credential(memory, export) {
            Ok(()) => "cancelled",
            Err(error) if error.is_refusal() => "revoked",
            Err(fault) => return Err(fault),
        };
        if memory.record.status == Status::Erased || !memory.exports.touch(&export.plan().id, self.now) {
            return Ok(());
        }
        let mut detail = export.summary();
        detail.insert("reason".to_owned(), reason.into());
        self.end(memory, export, "export.aborted", detail)
    }

    fn end(
        &mut self,
        memory: &mut Memory,
        export: &Export,
        action: &'static str,
        detail: Map<String, Value>,
    ) -> Result<()> {
        let plan = export.plan();
        memory.exports.end(self.sql, &plan.id)?;
        self.tell(memory, plan.actor.clone(), action, &plan.request_id, detail)
    }

    /// Gives up the exports of which nobody has taken a piece for long, also those of before a restart.
    ///
    /// # Errors
    /// Only faults.
    pub fn give_up_idle_exports(&mut self, memory: &mut Memory) -> Result<()> {
        for id in memory.exports.idle(self.now) {
            let request_id = Exports::request_id(self.sql, &id)?;
            let request_id = RequestId::parse(&request_id)
                .ok_or_else(|| Error::fault("a stored request id is malformed"))?;
            memory.exports.end(self.sql, &id)?;
            let actor = Actor {
                id: "object".to_owned(),
                kind: "system",
            };
            let mut detail = Map::new();
            detail.insert("export".to_owned(), id.into());
            detail.insert("reason".to_owned(), "idle".into());
            self.tell(memory, actor, "export.aborted", &request_id, detail)?;
        }
        Ok(())
    }

    fn tell(
        &mut self,
        memory: &mut Memory,
        actor: Actor,
        action: &'static str,
        request_id: &RequestId,
        detail: Map<String, Value>,
    ) -> Result<()> {
        let entry = Entry {
            actor,
            action,
            target: "customer",
            outcome: "ok",
            request_id,
            detail,
            limiter: memory.quota.store(self.sql, self.now)?,
        };
        self.append(memory, entry)
    }
}
