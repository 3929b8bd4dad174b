//! The brain of the operator object, pure and synchronous like the customer's: the revocations of the tokens of
//! administrators and services, which act on many customers, the log of what they did that concerns no single one of
//! them, and the replies to their repeatable requests that name no customer yet. The log has the form of a customer's
//! and the chain id `operator`.
//!
//! Whoever comes is checked first: also the one who asks for a revocation, or to read the log.

pub mod errand;

use crate::caller::Caller;
use crate::crypto::FieldKeys;
use crate::crypto::dek::{Wrapped, unavailable};
use crate::customer::audit::page::Reader;
use crate::customer::audit::retention::Retention;
use crate::customer::audit::view::Viewer;
use crate::customer::audit::{Actor, Entry, Head};
use crate::customer::config::Config;
use crate::customer::entry;
use crate::customer::errand::By;
use crate::customer::idempotency::{Idempotency, SWEEP_ROWS, Scope, Seen};
use crate::customer::refusals::{Admitted, Refusals, Sum};
use crate::customer::tokens::{self, Revocations};
use crate::entropy::{Entropy, random};
use crate::error::{Code, Error, Result};
use crate::sql::{Migration, Sql, is_initialised, migrate};
use crate::types::{CustomerId, RequestId, Timestamp};
use errand::{Act, Answer, Errand, Repeat, What};
use serde_json::{Map, Value, json};
use std::rc::Rc;

/// The schema of the operator object.
pub const MIGRATIONS: &[Migration] = &[Migration {
    number: 1,
    script: include_str!("../../migrations/operator/0001_operator.sql"),
}];

/// The name of the one object, and the chain id of its log.
pub const NAME: &str = "operator";

/// The operator object.
#[derive(Debug)]
pub struct Operator {
    chain: CustomerId,
    config: Rc<Config>,
    memory: Option<Memory>,
}

/// What it remembers of its storage between errands.
#[derive(Debug)]
struct Memory {
    fields: FieldKeys,
    head: Head,
    revocations: Revocations,
    revocations_due: Option<Timestamp>,
    refusals: Refusals,
    /// The oldest detail of the log that is kept.
    retention: Retention,
    idempotency: Idempotency,
}

impl Operator {
    /// The operator object, asleep.
    ///
    /// # Errors
    /// `internal_error` if there is no master key.
    pub fn new(config: Rc<Config>) -> Result<Self> {
        let chain = CustomerId::parse(NAME).ok_or_else(|| Error::fault("the operator's name is no id"))?;
        Ok(Self {
            chain,
            config,
            memory: None,
        })
    }

    /// Forgets what was read, because a transaction that it came from was rolled back.
    pub fn forget(&mut self) {
        self.memory = None;
    }

    /// When [`Operator::tick`] has something to do.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        let memory = self.memory.as_ref()?;
        [
            memory.refusals.due(),
            memory.revocations_due,
            memory.retention.due,
            memory.idempotency.next_sweep(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Carries out one errand inside the caller's transaction.
    ///
    /// # Errors
    /// Only faults, after which the transaction must be rolled back and the memory forgotten. A refusal is an answer.
    pub fn handle(
        &mut self,
        sql: &dyn Sql,
        errand: &Errand,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<Answer> {
        let mut memory = match self.memory.take() {
            Some(memory) => memory,
            // Of a deployment without revocations a check writes nothing, not even tables.
            None if errand.what == What::Check && !is_initialised(sql)? => return Ok(Answer::Done),
            None => self.wake(sql, now, entropy)?,
        };
        let mut turn = Turn {
            operator: self,
            sql,
            now,
            entropy,
        };
        let answer = turn.handle(&mut memory, errand)?;
        self.memory = Some(memory);
        Ok(answer)
    }

    /// Does what is due, inside the caller's transaction. Safe to repeat at any time.
    ///
    /// # Errors
    /// Only faults, as [`Operator::handle`].
    pub fn tick(&mut self, sql: &dyn Sql, now: Timestamp, entropy: &mut dyn Entropy) -> Result<()> {
        let mut memory = match self.memory.take() {
            Some(memory) => memory,
            None if !is_initialised(sql)? => return Ok(()),
            None => self.wake(sql, now, entropy)?,
        };
        let mut turn = Turn {
            operator: self,
            sql,
            now,
            entropy,
        };
        turn.settle(&mut memory)?;
        memory.revocations.sweep(sql, now, tokens::SWEEP_ROWS)?;
        memory.idempotency.sweep(sql, now, SWEEP_ROWS)?;
        memory.revocations_due = memory.revocations.next_sweep(sql, now)?;
        let keep_ms = self.config.audit_retention_ms;
        memory.retention.sweep(sql, &memory.head, keep_ms, now)?;
        self.memory = Some(memory);
        Ok(())
    }

    fn wake(&self, sql: &dyn Sql, now: Timestamp, entropy: &mut dyn Entropy) -> Result<Memory> {
        migrate(sql, MIGRATIONS)?;
        let head = Head::load(sql, &self.chain)?;
        let revocations = Revocations::load(sql, self.config.max_ttl_secs)?;
        Ok(Memory {
            fields: self.fields(sql, entropy)?,
            retention: Retention::load(sql, &head, self.config.audit_retention_ms)?,
            head,
            // Known at once, or the alarm for it could be put off to when the next detail is due.
            revocations_due: revocations.next_sweep(sql, now)?,
            revocations,
            refusals: Refusals::default(),
            idempotency: Idempotency::load(sql)?,
        })
    }
}

impl Operator {
    /// The keys of the log's details: the stored data key, made at first use and wrapped anew under a newer master key.
    fn fields(&self, sql: &dyn Sql, entropy: &mut dyn Entropy) -> Result<FieldKeys> {
        let masters = &self.config.master_keys;
        let rows = sql.exec("SELECT wrapped FROM data_key WHERE one = 1", &[])?;
        let stored = rows.first().map(|row| row.blob(0)).transpose()?;
        let wrapped = match stored {
            Some(bytes) => {
                Wrapped::parse(bytes).ok_or_else(|| unavailable("the operators' key has another length"))?
            }
            None => masters.mint(&self.chain, entropy)?,
        };
        let (dek, is_current) = masters.unwrap(&self.chain, &wrapped)?;
        if stored.is_none() || !is_current {
            let wrapped = if is_current {
                wrapped
            } else {
                masters.wrap(&self.chain, &dek, random(entropy)?)?
            };
            sql.exec(
                "INSERT OR REPLACE INTO data_key (one, wrapped) VALUES (1, ?)",
                &[wrapped.as_bytes().into()],
            )?;
        }
        FieldKeys::derive(&self.chain, &dek)
    }
}

/// One errand, with what it is carried out with.
struct Turn<'a> {
    operator: &'a Operator,
    sql: &'a dyn Sql,
    now: Timestamp,
    entropy: &'a mut dyn Entropy,
}

impl Turn<'_> {
    fn handle(&mut self, memory: &mut Memory, errand: &Errand) -> Result<Answer> {
        self.settle(memory)?;
        let Errand { by, what } = errand;
        if let Err(refusal) = self.check(memory, &by.caller) {
            return self.refuse(memory, by, Act::Knock, Map::new(), refusal);
        }
        match what {
            What::Check => Ok(Answer::Done),
            What::Revoke { target } => {
                let done = memory.revocations.revoke(self.sql, target, &by.caller, self.now);
                if let Err(refusal) = done {
                    return self.refuse(memory, by, Act::RevokeTokens, Map::new(), refusal);
                }
                memory.revocations_due = memory.revocations.next_sweep(self.sql, self.now)?;
                self.log(memory, by, Act::RevokeTokens, "ok", Map::new())?;
                Ok(Answer::Done)
            }
            What::Note { act, refused, detail } => {
                match refused.as_deref() {
                    None => self.log(memory, by, *act, "ok", detail.clone())?,
                    Some(code) => {
                        let code = Code::parse(code)
                            .ok_or_else(|| Error::fault("a note of a refusal with an unknown code"))?;
                        self.log_refusal(memory, by, *act, code, detail.clone())?;
                    }
                }
                Ok(Answer::Done)
            }
            What::ReadLog(query) => {
                let reader = Reader {
                    sql: self.sql,
                    customer_id: &self.operator.chain,
                    fields: Some(&memory.fields),
                    head: &memory.head,
                };
                let cursors = self.operator.config.index.cursors();
                let page = match reader.page(query, &Viewer::Operator, cursors) {
                    Ok(page) => page,
                    Err(refusal) => {
                        return self.refuse(memory, by, Act::ReadLog, Map::new(), refusal);
                    }
                };
                self.log(memory, by, Act::ReadLog, "ok", Map::new())?;
                let page = String::from_utf8(page).map_err(|_| Error::fault("a page is not UTF-8"))?;
                Ok(Answer::Page(page))
            }
            What::Recall(repeat) => self.recall(memory, by, repeat),
            What::Keep { repeat, reply } => {
                let answer = self.recall(memory, by, repeat)?;
                if answer != Answer::Done {
                    return Ok(answer);
                }
                let (scope, payload) = (self.scope(by, repeat)?, &repeat.payload);
                memory.idempotency.store(
                    self.sql,
                    &memory.fields,
                    &scope,
                    payload,
                    reply,
                    self.now,
                    self.entropy,
                )?;
                Ok(Answer::Done)
            }
        }
    }

    /// What is known of a request that may be a repetition.
    fn recall(&mut self, memory: &mut Memory, by: &By, repeat: &Repeat) -> Result<Answer> {
        let scope = self.scope(by, repeat)?;
        let fields = &memory.fields;
        let seen = memory
            .idempotency
            .lookup(self.sql, fields, &scope, &repeat.payload, self.now);
        match seen {
            Ok(Seen::New) => Ok(Answer::Done),
            Ok(Seen::Replay(reply)) => Ok(Answer::Replay(reply)),
            Ok(Seen::Mismatch) => self.refuse(memory, by, Act::Repeat, Map::new(), Seen::reused()),
            Err(refusal) => self.refuse(memory, by, Act::Repeat, Map::new(), refusal),
        }
    }

    fn scope(&self, by: &By, repeat: &Repeat) -> Result<Scope> {
        let actor = self.actor(by)?;
        Ok(Scope::new(&actor, &repeat.method, &repeat.path, &repeat.key))
    }

    fn actor(&self, by: &By) -> Result<Actor> {
        let id = match &by.caller {
            Caller::User(user) => entry::admin_id(user, &self.operator.config.index)?,
            Caller::Service(service) => service.id.clone(),
            Caller::Integration(_) => return Err(Error::fault("an API key is no operator")),
        };
        Ok(Actor {
            id,
            kind: by.caller.kind(),
        })
    }

    fn check(&self, memory: &Memory, caller: &Caller) -> Result<()> {
        match caller {
            Caller::User(user) if user.is_admin => memory.revocations.check(self.sql, user),
            Caller::Service(service) => memory.revocations.check_service(self.sql, service),
            Caller::User(_) | Caller::Integration(_) => {
                Err(Error::new(Code::Forbidden, Code::Forbidden.title()))
            }
        }
    }

    /// A refusal is an answer and is logged; a fault is neither.
    fn refuse(
        &mut self,
        memory: &mut Memory,
        by: &By,
        act: Act,
        detail: Map<String, Value>,
        refusal: Error,
    ) -> Result<Answer> {
        if !refusal.is_refusal() {
            return Err(refusal);
        }
        self.log_refusal(memory, by, act, refusal.code, detail)?;
        Ok(Answer::Refused((&refusal).into()))
    }

    /// The first refusals of a window get an entry each; the rest are summed.
    fn log_refusal(
        &mut self,
        memory: &mut Memory,
        by: &By,
        act: Act,
        code: Code,
        detail: Map<String, Value>,
    ) -> Result<()> {
        match memory.refusals.admit(code.as_str(), self.now) {
            Admitted::Single => self.log(memory, by, act, code.as_str(), detail),
            Admitted::Counted => Ok(()),
            Admitted::Summed(sum) => self.sum_up(memory, &sum),
        }
    }

    fn log(
        &mut self,
        memory: &mut Memory,
        by: &By,
        act: Act,
        outcome: &'static str,
        detail: Map<String, Value>,
    ) -> Result<()> {
        let actor = self.actor(by)?;
        let mut all = entry::detail_of(&by.caller, &by.origin, Map::new());
        all.extend(detail);
        self.append(memory, actor, act.as_str(), outcome, &by.origin.request_id, all)
    }

    fn append(
        &mut self,
        memory: &mut Memory,
        actor: Actor,
        action: &'static str,
        outcome: &'static str,
        request_id: &RequestId,
        detail: Map<String, Value>,
    ) -> Result<()> {
        let entry = Entry {
            actor,
            action,
            target: NAME,
            outcome,
            request_id,
            detail,
            limiter: None,
        };
        let (chain, fields) = (&self.operator.chain, &memory.fields);
        memory
            .head
            .append(self.sql, fields, chain, entry, self.now, self.entropy)?;
        memory
            .retention
            .appended(&memory.head, self.operator.config.audit_retention_ms);
        Ok(())
    }

    /// Writes the sum of the refusals of a window that is over.
    fn settle(&mut self, memory: &mut Memory) -> Result<()> {
        match memory.refusals.take_if_over(self.now) {
            Some(sum) => self.sum_up(memory, &sum),
            None => Ok(()),
        }
    }

    /// Many refusals in one entry.
    fn sum_up(&mut self, memory: &mut Memory, sum: &Sum) -> Result<()> {
        let mut detail = Map::new();
        detail.insert("since".to_owned(), sum.since.to_rfc3339().into());
        detail.insert("counts".to_owned(), json!(sum.counts));
        let request_id = RequestId::mint(self.now, random(self.entropy)?);
        let actor = Actor {
            id: "object".to_owned(),
            kind: "system",
        };
        self.append(memory, actor, "requests.refused", "ok", &request_id, detail)
    }
}
