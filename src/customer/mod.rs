//! The brain of a customer's object: pure and synchronous. It gets storage, time and entropy as arguments,
//! and knows neither HTTP nor the platform.
//!
//! A request is handled in these steps, the same numbers as in the code:
//!
//! 1. Wake up: read the record and the log's head, unless they are in memory. Asking about a customer that
//!    does not exist writes nothing, no table and no row.
//! 2. An erased customer is gone for everybody.
//! 3. The caller must be one that may act on this customer: the object does not rely on the front.
//! 4. The user behind the token is found, or made at first use.
//! 5. The status must allow the command.
//! 6. The command is carried out.
//! 7. The audit entry is appended: for a refusal as well, because a refusal is an answer and commits.
//!
//! An error out of [`Customer::handle`] is a fault: the surrounding transaction rolls back, and the memory of
//! what was stored is dropped, so that the next request reads it anew.

pub mod audit;
pub mod batch;
pub mod command;
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
use crate::json;
use crate::sql::{Migration, Sql, is_initialised, migrate};
use crate::types::{Condition, CustomerId, Timestamp, Version, serialize_rfc3339};
use audit::{Actor, Entry, Head};
use command::Command;
use profile::{NewCustomer, Record};
use request::{Reply, Request};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use users::{Seen, UserRecord};

/// The schema of a customer's object.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        script: include_str!("../../migrations/customer/0001_customer.sql"),
    },
    Migration {
        number: 3,
        script: include_str!("../../migrations/customer/0003_tokens.sql"),
    },
    Migration {
        number: 4,
        script: include_str!("../../migrations/customer/0004_idempotency.sql"),
    },
];

/// Most callers that an object remembers between requests; past that it forgets all and looks them up again.
const MAX_SEEN: usize = 1024;

/// One customer.
#[derive(Debug)]
pub struct Customer {
    id: CustomerId,
    keys: IndexKeys,
    memory: Option<Memory>,
}

/// What is remembered of the storage between requests. Dropped whenever a transaction may not have committed.
#[derive(Debug)]
struct Memory {
    record: Record,
    head: Head,
    seen: HashMap<String, Seen>,
}

/// What carrying out a command came to, and what the log is to say of it beyond the usual.
struct Done {
    reply: Reply,
    changed: Map<String, Value>,
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
        // 1. While the memory is taken out, an early return by an error leaves it dropped.
        let memory = match self.memory.take() {
            Some(memory) => Some(memory),
            None => self.wake(sql)?,
        };
        let Some(mut memory) = memory else {
            return self.handle_absent(sql, request, now, entropy);
        };
        let reply = self.handle_present(sql, &mut memory, request, now, entropy)?;
        self.memory = Some(memory);
        Ok(reply)
    }

    fn wake(&self, sql: &dyn Sql) -> Result<Option<Memory>> {
        if !is_initialised(sql)? {
            return Ok(None);
        }
        migrate(sql, MIGRATIONS)?;
        let Some(record) = Record::load(sql)? else {
            return Ok(None);
        };
        Ok(Some(Memory {
            record,
            head: Head::load(sql, &self.id)?,
            seen: HashMap::new(),
        }))
    }

    /// A customer that does not exist can only be created, and only by a service.
    fn handle_absent(
        &mut self,
        sql: &dyn Sql,
        request: &Request,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<Reply> {
        let (Command::Create(new), Caller::Service(_)) = (&request.command, &request.caller) else {
            return Ok(Reply::Refused(not_found()));
        };
        migrate(sql, MIGRATIONS)?;
        let record = self.create(sql, new, now, entropy)?;
        let mut memory = Memory {
            record,
            head: Head::genesis(&self.id),
            seen: HashMap::new(),
        };
        let reply = created_reply(&self.id, true)?;
        let changed = changes(
            &Value::Null,
            &json!({"plan": new.plan, "status": new.status, "profile": new.profile}),
        );
        self.log(
            sql,
            &mut memory,
            request,
            actor_of(&request.caller, None),
            "ok",
            changed,
            now,
            entropy,
        )?;
        self.memory = Some(memory);
        Ok(reply)
    }

    fn create(
        &self,
        sql: &dyn Sql,
        new: &NewCustomer,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<Record> {
        let incarnation = format!("{:016x}", u64::from_be_bytes(random(entropy)?));
        let record = Record {
            version: Version {
                incarnation,
                number: 1,
            },
            status: new.status,
            status_reason: None,
            status_changed_at: now,
            plan: new.plan,
            features: new.features.clone(),
            profile: new.profile.clone(),
            created_at: now,
            updated_at: now,
            last_seen_at: None,
        };
        record.insert(sql, &self.id)?;
        Ok(record)
    }

    fn handle_present(
        &self,
        sql: &dyn Sql,
        memory: &mut Memory,
        request: &Request,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<Reply> {
        // 2.
        if memory.record.status == status::Status::Erased {
            return Ok(Reply::Refused(Error::new(
                Code::CustomerErased,
                Code::CustomerErased.title(),
            )));
        }
        // 3. Not logged: it is not a request on this customer.
        let user = match &request.caller {
            Caller::User(user) if user.customer.as_ref() != Some(&self.id) => {
                return Ok(Reply::Refused(not_found()));
            }
            Caller::User(user) => Some(user.as_ref()),
            Caller::Service(_) => None,
        };
        let outcome = self.decide(sql, memory, request, user, now, entropy);
        let seen = user.and_then(|user| memory.seen.get(&user.subject));
        let actor = actor_of(&request.caller, seen);
        // 7.
        let (reply, outcome, changed) = match outcome {
            Ok(done) => (done.reply, "ok", done.changed),
            Err(error) if error.is_refusal() => {
                let code = error.code.as_str();
                (Reply::Refused(error), code, Map::new())
            }
            Err(fault) => return Err(fault),
        };
        self.log(sql, memory, request, actor, outcome, changed, now, entropy)?;
        Ok(reply)
    }

    /// Steps 4 to 6. A refusal must leave before anything that it refuses is written.
    fn decide(
        &self,
        sql: &dyn Sql,
        memory: &mut Memory,
        request: &Request,
        user: Option<&User>,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<Done> {
        // 4.
        if let Some(user) = user {
            self.meet(sql, memory, user, now, entropy)?;
        }
        // 5.
        memory.record.status.allows(request.command.access())?;
        // 6.
        let condition = &request.condition;
        match (&request.command, user) {
            (Command::Create(_), None) => Ok(Done::read(created_reply(&self.id, false)?)),
            (Command::ReadCustomer, Some(_)) => {
                let version = &memory.record.version;
                Done::versioned(condition, version, || memory.record.to_json(&self.id))
            }
            (Command::ReadStatus, Some(_)) => {
                let version = &memory.record.version;
                Done::versioned(condition, version, || {
                    json::to_bytes(&memory.record.status_view())
                })
            }
            (Command::WriteCustomer(edit), Some(_)) => {
                unchanged_since(condition, &memory.record.version)?;
                let before = memory.record.profile.clone();
                let after = edit.as_ref().clone().apply(&before)?;
                let changed = changes(&json!(before), &json!(after));
                memory.record.write_profile(sql, after, now)?;
                let body = memory.record.to_json(&self.id)?;
                Ok(Done {
                    reply: content(body, memory.record.version.clone()),
                    changed,
                })
            }
            (Command::ReadSession, Some(user)) => self.session(memory, user),
            (Command::ReadUser, Some(user)) => {
                let record = UserRecord::load(sql, memory.user_id(user)?)?;
                let version = record.version(&memory.record.version.incarnation);
                Done::versioned(condition, &version, || record.to_json(&self.id))
            }
            (Command::WriteUser(edit), Some(user)) => {
                let mut record = UserRecord::load(sql, memory.user_id(user)?)?;
                unchanged_since(condition, &record.version(&memory.record.version.incarnation))?;
                let after = edit.as_ref().clone().apply(&record.profile);
                let changed = changes(&json!(record.profile), &json!(after));
                record.write_profile(sql, after, now)?;
                let version = record.version(&memory.record.version.incarnation);
                Ok(Done {
                    reply: content(record.to_json(&self.id)?, version),
                    changed,
                })
            }
            (Command::ReadPreferences, Some(user)) => {
                let (preferences, number) = preferences::load(sql, memory.user_id(user)?)?;
                let version = preferences::version(&memory.record.version.incarnation, number);
                Done::versioned(condition, &version, || json::to_bytes(&preferences))
            }
            (Command::WritePreferences(edit), Some(user)) => {
                let user_id = memory.user_id(user)?;
                let (before, number) = preferences::load(sql, user_id)?;
                let incarnation = &memory.record.version.incarnation;
                unchanged_since(condition, &preferences::version(incarnation, number))?;
                let after = edit.as_ref().clone().apply(&before)?;
                let number = if after == before {
                    number
                } else {
                    number.saturating_add(1)
                };
                if after != before {
                    preferences::store(sql, user_id, &after, number)?;
                }
                let reply = content(json::to_bytes(&after)?, preferences::version(incarnation, number));
                Ok(Done {
                    reply,
                    changed: changes(&json!(before), &json!(after)),
                })
            }
            (Command::Invalid { error, .. }, _) => Err(error.clone()),
            (Command::Create(_), Some(_)) | (_, None) => {
                Err(Error::new(Code::Forbidden, Code::Forbidden.title()))
            }
        }
    }

    /// Finds or makes the user, and notes the hour of the visit. Warm: no row read, none written.
    fn meet(
        &self,
        sql: &dyn Sql,
        memory: &mut Memory,
        user: &User,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<()> {
        if !memory
            .seen
            .get(&user.subject)
            .is_some_and(|seen| seen.is_current(user, now))
        {
            let seen = users::meet(sql, user, &self.keys.subject(&user.subject)?, now, entropy)?;
            if memory.seen.len() >= MAX_SEEN {
                memory.seen.clear();
            }
            memory.seen.insert(user.subject.clone(), seen);
        }
        memory.record.touch(sql, now)
    }

    fn session(&self, memory: &Memory, user: &User) -> Result<Done> {
        let body = json::to_bytes(&SessionView {
            customer_id: &self.id,
            user_id: memory.user_id(user)?.as_str(),
            is_admin: user.is_admin,
            csrf: user.csrf.as_deref(),
            expires_at: Timestamp::from_secs(user.expires_at),
        })?;
        Ok(Done::read(Reply::Content {
            body,
            version: None,
            created: false,
        }))
    }

    #[allow(clippy::too_many_arguments)]
    fn log(
        &self,
        sql: &dyn Sql,
        memory: &mut Memory,
        request: &Request,
        actor: Actor,
        outcome: &'static str,
        changed: Map<String, Value>,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<()> {
        let target = match request.command {
            Command::ReadUser
            | Command::WriteUser(_)
            | Command::ReadPreferences
            | Command::WritePreferences(_)
            | Command::ReadSession => actor.id.clone(),
            _ => "customer".to_owned(),
        };
        let entry = Entry {
            action: request.command.action(),
            target: &target,
            outcome,
            request_id: &request.origin.request_id,
            detail: detail(request, changed),
            actor,
        };
        memory.head.append(sql, &self.id, entry, now, entropy)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionView<'a> {
    customer_id: &'a CustomerId,
    user_id: &'a str,
    is_admin: bool,
    csrf: Option<&'a str>,
    #[serde(serialize_with = "serialize_rfc3339")]
    expires_at: Timestamp,
}

impl Memory {
    fn user_id(&self, user: &User) -> Result<&crate::types::UserId> {
        let seen = self
            .seen
            .get(&user.subject)
            .ok_or_else(|| Error::fault("the user was not met"))?;
        Ok(&seen.user_id)
    }
}

impl Done {
    fn read(reply: Reply) -> Self {
        Self {
            reply,
            changed: Map::new(),
        }
    }

    /// A resource that is read under the request's condition (RFC 9110 section 13.2.2).
    fn versioned(
        condition: &Condition,
        version: &Version,
        body: impl FnOnce() -> Result<Vec<u8>>,
    ) -> Result<Self> {
        if condition
            .must_match
            .as_ref()
            .is_some_and(|tags| !tags.matches_strongly(version))
        {
            return Err(stale());
        }
        if condition
            .must_differ
            .as_ref()
            .is_some_and(|tags| tags.matches_weakly(version))
        {
            return Ok(Self::read(Reply::NotModified(version.clone())));
        }
        Ok(Self::read(content(body()?, version.clone())))
    }
}

/// The condition of a change (RFC 9110 section 13.1).
fn unchanged_since(condition: &Condition, version: &Version) -> Result<()> {
    let stale_match = condition
        .must_match
        .as_ref()
        .is_some_and(|tags| !tags.matches_strongly(version));
    let exists = condition
        .must_differ
        .as_ref()
        .is_some_and(|tags| tags.matches_weakly(version));
    if stale_match || exists {
        Err(stale())
    } else {
        Ok(())
    }
}

fn content(body: Vec<u8>, version: Version) -> Reply {
    Reply::Content {
        body,
        version: Some(version),
        created: false,
    }
}

fn created_reply(id: &CustomerId, created: bool) -> Result<Reply> {
    let body = json::to_bytes(&json!({"customerId": id, "created": created}))?;
    Ok(Reply::Content {
        body,
        version: None,
        created,
    })
}

fn not_found() -> Error {
    Error::new(
        Code::CustomerNotFound,
        "The credential names no customer that this service holds.",
    )
}

fn stale() -> Error {
    Error::new(
        Code::StaleVersion,
        "The resource has another version than the condition names.",
    )
}

fn actor_of(caller: &Caller, seen: Option<&Seen>) -> Actor {
    let id = match caller {
        Caller::User(_) => seen.map_or_else(|| "user_unknown".to_owned(), |seen| seen.user_id.to_string()),
        Caller::Service(service) => service.id.clone(),
    };
    Actor {
        id,
        kind: caller.kind(),
    }
}

/// The entry's detail: where the request came from, by which credential, and what it changed.
fn detail(request: &Request, changed: Map<String, Value>) -> Map<String, Value> {
    let mut detail = Map::new();
    let mut put = |key: &str, value: Option<&str>| {
        if let Some(value) = value {
            detail.insert(key.to_owned(), Value::from(value));
        }
    };
    put("callerRequestId", request.origin.caller_request_id.as_deref());
    put("ip", request.origin.ip.as_deref());
    put("userAgent", request.origin.user_agent.as_deref());
    if let Caller::User(user) = &request.caller {
        put("jti", user.jti.as_deref());
    }
    if !changed.is_empty() {
        detail.insert("changed".to_owned(), Value::Object(changed));
    }
    detail
}

/// The fields that differ, each with `before` and `after`.
fn changes(before: &Value, after: &Value) -> Map<String, Value> {
    let mut changed = Map::new();
    if let Value::Object(after) = after {
        for (key, value) in after {
            let was = before.get(key).unwrap_or(&Value::Null);
            if was != value {
                changed.insert(key.clone(), json!({"before": was, "after": value}));
            }
        }
    }
    changed
}
