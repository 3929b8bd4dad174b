//! The key of a request that makes a customer by errands. The reply is kept in the transaction that makes it, in the
//! customer's own object, so that whoever repeats the request, or sent it twice at once, is answered that it made the
//! customer, whatever crashed in between.

use crate::customer::errand::{Answer, By};
use crate::customer::execute::created;
use crate::customer::idempotency::Seen;
use crate::customer::memory::Memory;
use crate::customer::turn::Turn;
use crate::error::{Code, Result};

impl Turn<'_> {
    /// Keeps that this request has made the customer.
    ///
    /// # Errors
    /// Only faults.
    pub fn remember_made(&mut self, memory: &mut Memory, by: &By) -> Result<()> {
        let Some(print) = by.fingerprint else {
            return Ok(());
        };
        let reply = created(self.id, true)?;
        let shown = by.origin.caller_request_id.as_deref();
        let stored = (self.config.render)(&reply, shown.unwrap_or(by.origin.request_id.as_str()));
        let fields = self.fields()?;
        let (now, entropy) = (self.now, &mut *self.entropy);
        memory.idempotency.store(
            self.sql,
            fields,
            &print.scope,
            &print.payload,
            &stored,
            now,
            entropy,
        )
    }

    /// What is known of a request that may have made the customer when it came before; `None` if it did not.
    ///
    /// # Errors
    /// Only faults.
    pub fn made_before(&mut self, memory: &mut Memory, by: &By) -> Result<Option<Answer>> {
        let Some(print) = by.fingerprint else {
            return Ok(None);
        };
        let fields = self.fields()?;
        let seen = memory
            .idempotency
            .lookup(self.sql, fields, &print.scope, &print.payload, self.now);
        match seen {
            Ok(Seen::Replay(_)) => Ok(Some(Answer::Made)),
            Ok(Seen::Mismatch) => Ok(Some(Answer::Reused)),
            Ok(Seen::New) => Ok(None),
            // No room for a new one, and none is to be kept.
            Err(error) if error.code == Code::LimitReached => Ok(None),
            Err(error) => Err(error),
        }
    }
}
