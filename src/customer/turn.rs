//! One request, or one tick, with what it is handled with: the steps of [`crate::customer`] in code.

use crate::caller::{Caller, User};
use crate::crypto::FieldKeys;
use crate::crypto::dek::unavailable;
use crate::customer::api_keys::{KeyRecord, unknown_key};
use crate::customer::audit::{Actor, Entry, Head};
use crate::customer::command::{Charging, Command};
use crate::customer::config::Config;
use crate::customer::entry::{self, changes};
use crate::customer::erasure::Erasure;
use crate::customer::errand::{self, Create, Standing};
use crate::customer::execute::{Done, created, execute};
use crate::customer::idempotency::{SWEEP_ROWS, Scope, Seen as Repeated};
use crate::customer::limits::consume::ConsumeView;
use crate::customer::limits::{Consume, Outcome};
use crate::customer::memory::Memory;
use crate::customer::profile::NewCustomer;
use crate::customer::refusals::{Admitted, Sum};
use crate::customer::request::{Answered, Elsewhere, Reply, Request};
use crate::customer::status::{Access, By, Status};
use crate::customer::{MIGRATIONS, account, erasure, tokens, users};
use crate::email::EmailIndex;
use crate::entropy::{Entropy, random};
use crate::error::{Code, Error, Result};
use crate::json;
use crate::sql::{Sql, is_initialised, migrate};
use crate::types::{CustomerId, RequestId, Timestamp};
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
        Memory::load(self.sql, self.id, self.fields, self.config, self.now)
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

    /// The key behind an integration, and whether the credential still works at all.
    fn admit(&mut self, memory: &mut Memory, request: &Request) -> Result<Option<KeyRecord>> {
        match &request.caller {
            Caller::User(user) => self.still_works(memory, user, request.as_admin).map(|()| None),
            Caller::Service(_) => Ok(None),
            Caller::Integration(integration) => {
                let origin = integration.browser_origin.as_deref();
                let key = memory
                    .keys
                    .authenticate(&integration.digest, integration.legacy, origin, self.now)?
                    .clone();
                memory.keys.touch(self.sql, &key.key_id, self.now)?;
                Ok(Some(key))
            }
        }
    }

    /// Whether a user's token still works.
    ///
    /// # Errors
    /// `token_revoked` or a fault.
    pub fn still_works(&self, memory: &Memory, user: &User, as_admin: bool) -> Result<()> {
        // An administrator's token is revoked with the operators, which the front asks first; with the customer that
        // it acts on only where it names that one.
        if as_admin && user.customer.as_ref() != Some(self.id) {
            return Ok(());
        }
        memory.revocations.check(self.sql, user)
    }

    /// Finds or makes the user, and notes the hour of the visit. Warm: no row read, none written.
    ///
    /// # Errors
    /// `limit_reached` or faults.
    pub fn meet(&mut self, memory: &mut Memory, user: &User) -> Result<()> {
        if !memory
            .seen(user)
            .is_some_and(|seen| seen.is_current(user, self.now))
        {
            let subject_index = self.config.index.subject(&user.subject)?;
            let fields = self.fields()?;
            let seen = users::meet(self.sql, fields, user, &subject_index, self.now, self.entropy)?;
            memory.remember(user, seen);
        }
        if memory.has_preferences_waiting && self.owns_email(memory, user)? {
            self.hand_over_preferences(memory, user)?;
        }
        memory.record.touch(self.sql, self.now)
    }

    /// A pending customer becomes active when a user comes whose token says that the customer's e-mail is verified.
    fn verify(&mut self, memory: &mut Memory, user: &User, request: &Request) -> Result<()> {
        if memory.record.status != Status::PendingVerification || !self.owns_email(memory, user)? {
            return Ok(());
        }
        let before = memory
            .record
            .status_view()
            .map_or(Value::Null, |view| json!(view));
        let (fields, to) = (self.fields()?, (Status::Active, None));
        memory
            .record
            .move_to(self.sql, fields, to, By::VerifiedEmail, self.now, self.entropy)?;
        account::relist(self, memory)?;
        let changed = changes(&before, &json!(memory.record.status_view()?));
        let entry = Entry {
            actor: self.actor(memory, request, None)?,
            action: "customer.verify",
            target: "customer",
            outcome: "ok",
            request_id: &request.origin.request_id,
            detail: entry::detail(request, changed),
            limiter: memory.quota.store(self.sql, self.now)?,
        };
        self.append(memory, entry)
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
        let (reply, outcome, changed) = match outcome {
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
        let must_store = is_bounded || memory.quota.is_ahead_of(self.now);
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

    /// The blind index of a user's verified e-mail.
    fn email_index(&self, caller: &Caller) -> Result<Option<EmailIndex>> {
        match caller {
            Caller::User(user) => match user.email.as_deref().filter(|_| user.email_verified) {
                Some(email) => self.config.index.email(email).map(Some),
                None => Ok(None),
            },
            _ => Ok(None),
        }
    }

    /// Whether a token that does not name this customer is for it all the same, because its verified e-mail is the
    /// customer's. An id that stands for it does so only together with that e-mail, so that it need not be looked up.
    fn is_of_email(&self, memory: &Memory, user: &User) -> Result<bool> {
        let index = self.email_index(&Caller::User(Box::new(user.clone())))?;
        let Some(index) = index.filter(|_| memory.record.status != Status::Erased) else {
            return Ok(false);
        };
        Ok(memory.account.has_claimed(&index))
    }

    /// What the front may make of this id, which is no customer, for a user with a verified e-mail. Writes nothing.
    fn elsewhere(&self, request: &Request) -> Result<Option<Elsewhere>> {
        let index = self.email_index(&request.caller)?.filter(|_| !request.as_admin);
        let Some(index) = index else {
            return Ok(None);
        };
        Ok(Some(match self.standing(Some(&index))? {
            Standing::Alias(Some(customer)) => Elsewhere::At(customer),
            _ => Elsewhere::Nowhere,
        }))
    }

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
        memory
            .head
            .append(self.sql, self.fields()?, self.id, entry, self.now, self.entropy)?;
        memory
            .retention
            .appended(&memory.head, self.config.audit_retention_ms);
        Ok(())
    }

    /// Writes what waits in memory once its time has come.
    fn settle(&mut self, memory: &mut Memory) -> Result<()> {
        memory.counters.flush_if_due(self.sql, self.now)?;
        match memory.refusals.take_if_over(self.now) {
            Some(sum) => self.sum_up(memory, &sum),
            None => Ok(()),
        }
    }

    /// Whether a refusal that no limit bounds gets an entry of its own; if not, it is counted.
    fn admits_refusal(&mut self, memory: &mut Memory, outcome: &'static str) -> Result<bool> {
        match memory.refusals.admit(outcome, self.now) {
            Admitted::Single => return Ok(true),
            Admitted::Counted => {}
            Admitted::Summed(sum) => self.sum_up(memory, &sum)?,
        }
        Ok(false)
    }

    /// Many refusals in one entry.
    fn sum_up(&mut self, memory: &mut Memory, sum: &Sum) -> Result<()> {
        let mut detail = Map::new();
        detail.insert("since".to_owned(), sum.since.to_rfc3339().into());
        detail.insert("counts".to_owned(), json!(sum.counts));
        let request_id = RequestId::mint(self.now, random(self.entropy)?);
        let entry = Entry {
            actor: Actor {
                id: "object".to_owned(),
                kind: "system",
            },
            action: "requests.refused",
            target: "customer",
            outcome: "ok",
            request_id: &request_id,
            detail,
            limiter: memory.quota.store(self.sql, self.now)?,
        };
        self.append(memory, entry)
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
