//! One request, or one tick, with what it is handled with: the steps of [`crate::customer`] in code.

mod log;
mod visitor;

use crate::caller::Caller;
use crate::crypto::FieldKeys;
use crate::crypto::dek::unavailable;
use crate::customer::api_keys::{KeyRecord, unknown_key};
use crate::customer::audit::{Entry, Head};
use crate::customer::command::{Charging, Command};
use crate::customer::config::Config;
use crate::customer::entry;
use crate::customer::erasure::Erasure;
use crate::customer::errand::{self, Create};
use crate::customer::execute::{Done, created, execute};
use crate::customer::idempotency::{SWEEP_ROWS, Scope, Seen as Repeated};
use crate::customer::limits::consume::ConsumeView;
use crate::customer::limits::{Consume, Outcome};
use crate::customer::memory::Memory;
use crate::customer::profile::NewCustomer;
use crate::customer::request::{Answered, Elsewhere, Reply, Request};
use crate::customer::status::{Access, Status};
use crate::customer::{MIGRATIONS, account, erasure, tokens};
use crate::entropy::Entropy;
use crate::error::{Code, Error, Result};
use crate::json;
use crate::sql::{Sql, is_initialised, migrate};
use crate::types::{CustomerId, Timestamp};
use serde_json::{Map, Value, json};

/// The request's surroundings.
pub struct Turn<'a> {
    /// The object's storage, in a transaction.
    pub sql: &'a dyn Sql,
    /// Whose object.
    pub id: &'a CustomerId,
    /// The deployment's configuration.
    pub config: &'a Config,
    /// The keys of sealed fields, once the vault was asked.
    pub fields: Option<&'a FieldKeys>,
    /// Whether there is none to be had: then entries are appended without their details.
    pub is_key_lost: bool,
    /// The moment of the transaction.
    pub now: Timestamp,
    /// Randomness.
    pub entropy: &'a mut dyn Entropy,
}

/// How far a request came, and with what.
#[derive(Default)]
struct Passage {
    /// The key that it came with.
    key: Option<KeyRecord>,
    /// Under which its reply is kept.
    scope: Option<Scope>,
    /// What the limits said.
    quotas: Option<Outcome>,
    /// True once a limit has admitted it, so that its refusals are bounded.
    is_admitted: bool,
    /// True if it found nothing to do, which no limit bounds.
    is_idle: bool,
}

impl<'a> Turn<'a> {
    /// The keys of sealed fields.
    ///
    /// # Errors
    /// `key_unavailable` if the vault was not asked, which comes before every decision that needs them.
    pub fn fields(&self) -> Result<&'a FieldKeys> {
        self.fields.ok_or_else(|| unavailable("the vault was not asked"))
    }

    /// Reads the memory of a customer that exists.
    ///
    /// # Errors
    /// `internal_error` or `unavailable`.
    pub fn wake(&self) -> Result<Option<Memory>> {
        if !is_initialised(self.sql)? {
            return Ok(None);
        }
        migrate(self.sql, MIGRATIONS)?;
        let keys = (self.fields, self.is_key_lost);
        Memory::load(self.sql, self.id, keys, self.config, self.now)
    }

    /// The memory of a customer that exists, after it was made erased if that is due; and whether it was.
    ///
    /// # Errors
    /// Only faults.
    pub fn wake_or_erase(&mut self, memory: Option<Memory>) -> Result<(Option<Memory>, bool)> {
        let memory = match memory {
            Some(memory) => Some(memory),
            None => self.wake()?,
        };
        let erasure = memory.as_ref().and_then(|memory| memory.erasure.as_ref());
        if !erasure.is_some_and(|erasure| erasure.is_due(self.now)) {
            return Ok((memory, false));
        }
        erasure::run::begin(self)?;
        self.fields = None;
        Ok((self.wake()?, true))
    }

    /// A customer that does not exist can only be created, and only by a service.
    ///
    /// # Errors
    /// Only faults.
    pub fn handle_absent(&mut self, request: &Request) -> Result<(Option<Memory>, Answered)> {
        let (Command::Create(new), Caller::Service(_)) = (&request.command, &request.caller) else {
            // Of a customer that does not exist a key learns no more than of one that has no such key.
            let refusal = match &request.caller {
                Caller::Integration(_) => unknown_key(),
                _ => not_found(),
            };
            let answered = Answered {
                elsewhere: self.elsewhere(request)?,
                ..Reply::Refused(refusal).into()
            };
            return Ok((None, answered));
        };
        let create = Create {
            index: match &new.profile.email {
                Some(email) => Some(self.config.index.email(email)?),
                None => None,
            },
            email_claimed: true,
            attempt: account::CREATED,
            new: NewCustomer::clone(new),
            created_at: None,
            by: errand::By {
                caller: request.caller.clone(),
                origin: request.origin.clone(),
                fingerprint: None,
            },
        };
        let mut memory = self.create(&create)?;
        memory.counters.count(request.operation, "ok", self.now);
        Ok((Some(memory), created(self.id, true)?.into()))
    }

    /// Steps 2 to 10 for a customer that exists.
    ///
    /// # Errors
    /// Only faults.
    pub fn handle(&mut self, memory: &mut Memory, request: &Request) -> Result<Answered> {
        // 2. Not logged: it is not a request on this customer.
        let is_own = match &request.caller {
            Caller::User(user) if request.as_admin => user.is_admin,
            Caller::User(user) => {
                user.customer.as_ref() == Some(self.id) || self.is_of_email(memory, user)?
            }
            Caller::Integration(integration) => integration.customer == *self.id,
            Caller::Service(_) => true,
        };
        if !is_own {
            let may_be_elsewhere = !request.as_admin && self.email_index(&request.caller)?.is_some();
            return Ok(Answered {
                elsewhere: may_be_elsewhere.then_some(Elsewhere::Foreign),
                ..Reply::Refused(not_found()).into()
            });
        }
        // Nor is this: whoever makes a key of the older form up can name any customer. It is answered as of one that
        // does not exist, and leaves as little.
        if let Caller::Integration(integration) = &request.caller
            && integration.legacy
            && !memory.keys.has_legacy(&integration.digest)
        {
            return Ok(Reply::Refused(unknown_key()).into());
        }
        // 3.
        if memory.record.status == Status::Erased {
            return erasure::gone(self, memory, request);
        }
        self.settle(memory)?;
        let mut passage = Passage::default();
        let listed = (memory.record.status, memory.record.plan);
        let outcome = self.decide(memory, request, &mut passage);
        // Also where the request was refused: its user may have woken a pending customer.
        if listed != (memory.record.status, memory.record.plan) {
            account::relist(self, memory)?;
        }
        self.finish(memory, request, passage, outcome)
    }

    /// Steps 4 to 9. A refusal must leave before anything that it refuses is written.
    fn decide(&mut self, memory: &mut Memory, request: &Request, passage: &mut Passage) -> Result<Done> {
        // 4.
        passage.key = self.admit(memory, request)?;
        // 5.
        if let (Caller::User(user), false) = (&request.caller, request.as_admin) {
            self.meet(memory, user)?;
            self.verify(memory, user, request)?;
        }
        // 6.
        let access = match &request.caller {
            Caller::Integration(_) => Access::Act,
            Caller::Service(_) => Access::Operate,
            Caller::User(_) if request.as_admin => Access::Operate,
            Caller::User(_) => request.command.access(),
        };
        memory.record.status.allows(access)?;
        self.permit(memory, request, passage.key.as_ref())?;
        // 7.
        if let Some(repeat) = &request.repeat {
            let actor = self.actor(memory, request, passage.key.as_ref())?;
            let scope = Scope::new(&actor, repeat.method, &repeat.path, &repeat.key);
            let seen =
                memory
                    .idempotency
                    .lookup(self.sql, self.fields()?, &scope, &repeat.payload, self.now)?;
            match seen {
                Repeated::New => passage.scope = Some(scope),
                Repeated::Replay(stored) => {
                    return Ok(Done {
                        reply: Reply::Replayed(stored),
                        changed: Map::new(),
                    });
                }
                Repeated::Mismatch => return Err(Repeated::reused()),
            }
        }
        // 8.
        self.charge(memory, request, passage)?;
        // 9.
        match &request.command {
            Command::Consume(wanted) => self.consume(memory, wanted, passage),
            Command::Release(release) => {
                passage.is_idle = !memory.quota.release(release.lease, self.now);
                Ok(Done::read(Reply::Done))
            }
            Command::RevokeKey(id) => {
                passage.is_idle = memory.keys.get(id).is_ok_and(|key| key.revoked_at.is_some());
                execute(self, memory, request)
            }
            _ => execute(self, memory, request),
        }
    }

    fn consume(&mut self, memory: &mut Memory, wanted: &Consume, passage: &mut Passage) -> Result<Done> {
        let outcome = memory.quota.consume(wanted, self.now, self.entropy)?;
        let view = ConsumeView::from(&outcome);
        let refusal = (!outcome.allowed).then(|| exceeded(&outcome));
        passage.quotas = Some(outcome);
        if let Some(mut refusal) = refusal {
            if let Value::Object(members) = json!(view) {
                refusal.members.extend(members);
            }
            return Err(refusal);
        }
        Ok(Done::read(Reply::Content {
            body: json::to_bytes(&view)?,
            version: None,
            created: false,
        }))
    }

    fn charge(&mut self, memory: &mut Memory, request: &Request, passage: &mut Passage) -> Result<()> {
        let is_limited = match &request.caller {
            Caller::User(_) => !request.as_admin,
            Caller::Integration(_) => true,
            Caller::Service(_) => false,
        };
        let charging = request.command.charging();
        if is_limited && charging != Charging::Nothing {
            let key = passage.key.as_ref();
            let outcome = match charging {
                Charging::Reserve(reserve) => memory.quota.draw(reserve, self.now, self.entropy)?,
                _ => memory.quota.charge(key, self.now, self.entropy)?,
            };
            let refusal = (!outcome.allowed).then(|| exceeded(&outcome));
            passage.quotas = Some(outcome);
            if let Some(refusal) = refusal {
                return Err(refusal);
            }
        }
        passage.is_admitted = !is_limited || charging != Charging::Nothing;
        Ok(())
    }

    /// 10. What the request came to is kept and logged.
    fn finish(
        &mut self,
        memory: &mut Memory,
        request: &Request,
        passage: Passage,
        outcome: Result<Done>,
    ) -> Result<Answered> {
        let (reply, outcome, mut changed) = match outcome {
            // Not decided: the log is told when it is.
            Ok(Done {
                reply: reply @ Reply::Claim(_),
                ..
            }) => return Ok(reply.into()),
            Ok(Done {
                reply: Reply::Replayed(stored),
                changed,
            }) => (Reply::Replayed(stored), REPLAYED, changed),
            Ok(done) if passage.is_idle => (done.reply, IDLE, done.changed),
            Ok(done) => (done.reply, "ok", done.changed),
            Err(error) if error.is_refusal() => {
                let code = error.code.as_str();
                (Reply::Refused(error), code, Map::new())
            }
            Err(fault) => return Err(fault),
        };
        // What no limit bounds leaves no row, or a caller without quota could fill the storage.
        let is_bounded = outcome == "ok" || passage.is_admitted;
        if let (Some(scope), Some(repeat), true) = (&passage.scope, &request.repeat, is_bounded) {
            let shown = request.origin.caller_request_id.as_deref();
            let stored = (self.config.render)(&reply, shown.unwrap_or(request.origin.request_id.as_str()));
            let fields = self.fields()?;
            let (now, entropy) = (self.now, &mut *self.entropy);
            memory
                .idempotency
                .store(self.sql, fields, scope, &repeat.payload, &stored, now, entropy)?;
        }
        memory.counters.count(request.operation, outcome, self.now);
        // Also where the request itself was refused: the token was read before.
        let brought = std::mem::take(&mut memory.brought);
        let must_store = is_bounded || !brought.is_empty() || memory.quota.is_ahead_of(self.now);
        changed.extend(brought);
        if must_store || self.admits_refusal(memory, outcome)? {
            let actor = self.actor(memory, request, passage.key.as_ref())?;
            let target = entry::target(&request.command, &actor);
            let entry = Entry {
                actor,
                action: request.command.action(),
                target: &target,
                outcome,
                request_id: &request.origin.request_id,
                detail: entry::detail(request, changed),
                limiter: memory.quota.store(self.sql, self.now)?,
            };
            self.append(memory, entry)?;
        }
        Ok(Answered {
            reply,
            quotas: passage.quotas,
            elsewhere: None,
        })
    }

    /// What [`crate::customer::Customer::tick`] does.
    ///
    /// # Errors
    /// Only faults.
    pub fn tick(&mut self, memory: &mut Memory) -> Result<()> {
        if memory.record.status == Status::Erased {
            erasure::run::advance(self)?;
            memory.erasure = Erasure::load(self.sql)?;
            // The last step appends the last entry.
            memory.head = Head::load(self.sql, self.id)?;
            return Ok(());
        }
        self.settle(memory)?;
        memory.idempotency.sweep(self.sql, self.now, SWEEP_ROWS)?;
        memory.revocations.sweep(self.sql, self.now, tokens::SWEEP_ROWS)?;
        memory.revocations_due = memory.revocations.next_sweep(self.sql, self.now)?;
        self.give_up_idle_exports(memory)?;
        let keep_ms = self.config.audit_retention_ms;
        memory
            .retention
            .sweep(self.sql, &memory.head, keep_ms, self.now)?;
        if memory.account.due().is_some_and(|due| due <= self.now) {
            account::give_up(self, memory)?;
        }
        Ok(())
    }
}

/// The outcome of a request that was answered as it was the first time. It spends nothing, so a flood of it is summed.
const REPLAYED: &str = "replayed";

/// The outcome of a request that found nothing to do: a lease that is not held was given back, a revoked key revoked.
const IDLE: &str = "idle";

fn not_found() -> Error {
    Error::new(
        Code::CustomerNotFound,
        "The credential names no customer that this service holds.",
    )
}

/// The refusal by a limit.
#[must_use]
pub fn exceeded(outcome: &Outcome) -> Error {
    let violated: Vec<_> = outcome
        .policies
        .iter()
        .filter(|policy| policy.violated)
        .map(|policy| policy.name.as_str())
        .collect();
    let mut error = Error::new(
        Code::QuotaExceeded,
        "The request would exceed a rate limit. Nothing was spent.",
    );
    error
        .members
        .insert("violated-policies".to_owned(), json!(violated));
    error.retry_after_secs = outcome.retry_after_seconds;
    error
}
