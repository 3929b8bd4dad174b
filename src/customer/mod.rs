//! The brain of a customer's object: pure and synchronous. It gets storage, time and entropy as arguments,
//! and knows neither HTTP nor the platform.
//!
//! A request is handled in these steps, the same numbers as in the code:
//!
//! 1. Wake up: read the record and the log's head, unless they are in memory. Asking about a customer that
//!    does not exist writes nothing, no table and no row.
//! 2. The caller must be one that may act on this customer: the object does not rely on the front.
//! 3. An erased customer is gone for everybody.
//! 4. The user behind the token is found, or made at first use.
//! 5. The status must allow the command.
//! 6. The command is carried out.
//! 7. The audit entry is appended: for a refusal as well, because a refusal is an answer and commits.
//!
//! An error out of [`Customer::handle`] is a fault: the surrounding transaction rolls back, and the memory of
//! what was stored is dropped, so that the next request reads it anew.

pub mod api_keys;
pub mod audit;
pub mod batch;
pub mod command;
mod entry;
mod execute;
pub mod limits;
mod memory;
pub mod idempotency;
pub mod preferences;
pub mod profile;
pub mod request;
pub mod status;
#[cfg(all(test, not(target_arch = "wasm32")))]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_precision_loss
)]
pub(crate) mod test_sql;
pub mod tokens;
pub mod users;

use crate::caller::{Caller, User};
use crate::crypto::IndexKeys;
use crate::entropy::{Entropy, random};
use crate::error::{Code, Error, Result};
use crate::sql::{Migration, Sql, is_initialised, migrate};
use crate::types::{CustomerId, Timestamp, Version};
use audit::Entry;
use command::Command;
use entry::changes;
use execute::{Done, created, execute};
use memory::Memory;
use profile::{NewCustomer, Record};
use request::{Reply, Request};
use serde_json::{Map, Value, json};
use status::Status;

/// The schema of a customer's object.
pub const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, script: include_str!("../../migrations/customer/0001_customer.sql") },
    Migration { number: 2, script: include_str!("../../migrations/customer/0002_api_keys.sql") },
    Migration { number: 3, script: include_str!("../../migrations/customer/0003_tokens.sql") },
    Migration { number: 4, script: include_str!("../../migrations/customer/0004_idempotency.sql") },
    Migration { number: 5, script: include_str!("../../migrations/customer/0005_limits.sql") },
];

/// One customer.
#[derive(Debug)]
pub struct Customer {
    id: CustomerId,
    keys: IndexKeys,
    memory: Option<Memory>,
}

/// What one request is handled with.
struct Turn<'a> {
    sql: &'a dyn Sql,
    id: &'a CustomerId,
    keys: &'a IndexKeys,
    now: Timestamp,
    entropy: &'a mut dyn Entropy,
}

impl Customer {
    /// The customer with that id, asleep.
    #[must_use]
    pub fn new(id: CustomerId, keys: IndexKeys) -> Self {
        Self {
            id,
            keys,
            memory: None,
        }
    }

    /// Forgets what was read, because a transaction that it came from was rolled back.
    pub fn forget(&mut self) {
        self.memory = None;
    }

    /// Carries out one request inside the caller's transaction, after the steps of the module's header.
    ///
    /// # Errors
    /// Only faults, after which the transaction must be rolled back. A refusal is a [`Reply`].
    pub fn handle(
        &mut self,
        sql: &dyn Sql,
        request: &Request,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<Reply> {
        let mut turn = Turn {
            sql,
            id: &self.id,
            keys: &self.keys,
            now,
            entropy,
        };
        // 1. While the memory is taken out, an early return by an error leaves it dropped.
        let memory = match self.memory.take() {
            Some(memory) => Some(memory),
            None => turn.wake()?,
        };
        let (memory, reply) = match memory {
            Some(mut memory) => {
                let reply = turn.handle(&mut memory, request)?;
                (Some(memory), reply)
            }
            None => turn.handle_absent(request)?,
        };
        self.memory = memory;
        Ok(reply)
    }
}

impl Turn<'_> {
    fn wake(&self) -> Result<Option<Memory>> {
        if !is_initialised(self.sql)? {
            return Ok(None);
        }
        migrate(self.sql, MIGRATIONS)?;
        Memory::load(self.sql, self.id)
    }

    /// A customer that does not exist can only be created, and only by a service.
    fn handle_absent(&mut self, request: &Request) -> Result<(Option<Memory>, Reply)> {
        let (Command::Create(new), Caller::Service(_)) = (&request.command, &request.caller) else {
            return Ok((None, Reply::Refused(not_found())));
        };
        migrate(self.sql, MIGRATIONS)?;
        let mut memory = Memory::of_new(self.create(new)?, self.id);
        let after =
            json!({"plan": new.plan, "status": new.status, "features": new.features, "profile": new.profile});
        self.log(&mut memory, request, "ok", changes(&Value::Null, &after))?;
        Ok((Some(memory), created(self.id, true)?))
    }

    fn create(&mut self, new: &NewCustomer) -> Result<Record> {
        let incarnation = format!("{:016x}", u64::from_be_bytes(random(self.entropy)?));
        let record = Record {
            version: Version {
                incarnation,
                number: 1,
            },
            status: new.status,
            status_reason: None,
            status_changed_at: self.now,
            plan: new.plan,
            features: new.features.clone(),
            profile: new.profile.clone(),
            created_at: self.now,
            updated_at: self.now,
            last_seen_at: None,
        };
        record.insert(self.sql, self.id)?;
        Ok(record)
    }

    fn handle(&mut self, memory: &mut Memory, request: &Request) -> Result<Reply> {
        // 2. Not logged: it is not a request on this customer.
        if let Caller::User(user) = &request.caller
            && user.customer.as_ref() != Some(self.id)
        {
            return Ok(Reply::Refused(not_found()));
        }
        // 3.
        if memory.record.status == Status::Erased {
            return Ok(Reply::Refused(Error::new(
                Code::CustomerErased,
                Code::CustomerErased.title(),
            )));
        }
        let (reply, outcome, changed) = match self.decide(memory, request) {
            Ok(done) => (done.reply, "ok", done.changed),
            Err(error) if error.is_refusal() => {
                let code = error.code.as_str();
                (Reply::Refused(error), code, Map::new())
            }
            Err(fault) => return Err(fault),
        };
        // 7.
        self.log(memory, request, outcome, changed)?;
        Ok(reply)
    }

    /// Steps 4 to 6. A refusal must leave before anything that it refuses is written.
    fn decide(&mut self, memory: &mut Memory, request: &Request) -> Result<Done> {
        // 4.
        if let Caller::User(user) = &request.caller {
            self.meet(memory, user)?;
        }
        // 5.
        memory.record.status.allows(request.command.access())?;
        // 6.
        execute(self, memory, request)
    }

    /// Finds or makes the user, and notes the hour of the visit. Warm: no row read, none written.
    fn meet(&mut self, memory: &mut Memory, user: &User) -> Result<()> {
        if !memory
            .seen(user)
            .is_some_and(|seen| seen.is_current(user, self.now))
        {
            let subject_index = self.keys.subject(&user.subject)?;
            let seen = users::meet(self.sql, user, &subject_index, self.now, self.entropy)?;
            memory.remember(user, seen);
        }
        memory.record.touch(self.sql, self.now)
    }

    fn log(
        &mut self,
        memory: &mut Memory,
        request: &Request,
        outcome: &'static str,
        changed: Map<String, Value>,
    ) -> Result<()> {
        let seen = match &request.caller {
            Caller::User(user) => memory.seen(user),
            Caller::Service(_) => None,
        };
        let actor = entry::actor(&request.caller, seen);
        let target = entry::target(&request.command, &actor);
        let entry = Entry {
            actor,
            action: request.command.action(),
            target: &target,
            outcome,
            request_id: &request.origin.request_id,
            detail: entry::detail(request, changed),
        };
        memory
            .head
            .append(self.sql, self.id, entry, self.now, self.entropy)
    }
}

fn not_found() -> Error {
    Error::new(
        Code::CustomerNotFound,
        "The credential names no customer that this service holds.",
    )
}
