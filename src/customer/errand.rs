//! What others of our objects, and the front, ask of an id's object while an account is ensured: what the id is, that
//! it become a customer, that it stand for one. The object of an id is the one place that decides what the id is:
//! nothing, an alias, a customer, or an erased one; it never goes back to nothing. Every errand may be lost,
//! repeated and come late. [`crate::directory::ensure`] says in which order they are asked.

use crate::caller::{Caller, User};
use crate::customer::account::Account;
use crate::customer::audit::Entry;
use crate::customer::export::documents::if_readable;
use crate::customer::idempotency::Fingerprint;
use crate::customer::memory::Memory;
use crate::customer::moving::{Import, Moved};
use crate::customer::profile::{NewCustomer, Plan, Record};
use crate::customer::request::{Operation, Origin};
use crate::customer::status::Status;
use crate::customer::turn::Turn;
use crate::customer::{MIGRATIONS, aliases, entry, listing, outbox};
use crate::email::EmailIndex;
use crate::entropy::random;
use crate::error::{Error, Result};
use crate::legacy::outcome::{Outcome, Word};
use crate::sql::migrate;
use crate::types::{CustomerId, Timestamp, Version};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// What the statistics call the operation by which a service has a customer ensured, which reaches the customer as
/// errands.
pub const ENSURE: Operation = Operation {
    method: "POST",
    pattern: "/internal/customers",
};

/// One errand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Errand {
    /// Whose object this is meant for; the object compares it with its own name.
    pub customer: CustomerId,
    /// What is asked.
    pub what: What,
}

impl Errand {
    /// Whether it may make the customer.
    #[must_use]
    pub fn creates(&self) -> bool {
        match &self.what {
            What::Create(_) => true,
            What::Import(import) => import.creates(),
            _ => false,
        }
    }
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum What {
    /// What is this id? Writes nothing, but that a service's look at a customer is logged there.
    Look {
        /// The e-mail for which it may be an alias, or whose claim it may hold.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        index: Option<EmailIndex>,
        /// For whom it is asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Box<By>>,
    },
    /// Become this customer, if the id is nothing yet. Its e-mail's claim is held by this id.
    Create(Box<Create>),
    /// Stand for `target` when a token carries this e-mail.
    Bind {
        /// The e-mail.
        index: EmailIndex,
        /// For whom.
        target: CustomerId,
        /// For whom it stood before, as far as whoever asks knows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instead_of: Option<CustomerId>,
    },
    /// Does this token of an administrator, which names this customer, still work here?
    CheckToken {
        /// Its holder.
        user: Box<User>,
    },
    /// Is the key wrapped under the active master key? Whoever holds the object sees to that before it asks, see
    /// [`Customer::renewal`](crate::customer::Customer::renewal). Writes nothing.
    Rewrap,
    /// What the list of customers tells of this one. An administrator looks, so it is logged here.
    Show {
        /// For whom.
        by: Box<By>,
    },
    /// Take these records of the older service in.
    Import(Box<Import>),
    /// Give up the claim of this e-mail for an older customer, if nobody has touched this one since it moved in.
    Cede {
        /// The e-mail.
        index: EmailIndex,
        /// The other customer.
        rival: CustomerId,
        /// When it was created.
        created_at: Timestamp,
        /// For whom it is asked.
        by: Box<By>,
    },
    /// A customer was begun of this id, as far as the claim of this e-mail tells, and another one wants the e-mail: if
    /// it is nothing yet, whoever began it makes none any more.
    StandAside {
        /// The e-mail.
        index: EmailIndex,
    },
    /// `alias` stands for this customer when a token carries this e-mail.
    AddAlias {
        /// The other id.
        alias: CustomerId,
        /// The e-mail.
        index: EmailIndex,
    },
    /// `customer`, for whom this id stood, was erased.
    DropAlias {
        /// For whom.
        customer: CustomerId,
    },
}

/// The customer that is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Create {
    /// Its e-mail's index; None for one that is imported without an e-mail.
    pub index: Option<EmailIndex>,
    /// False for one that is imported although somebody else holds its e-mail.
    pub email_claimed: bool,
    /// The attempt under which the claim is held.
    pub attempt: i64,
    /// Everything else about it.
    pub new: NewCustomer,
    /// When it was created elsewhere, for one that is imported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// By whom it is created.
    pub by: By,
}

/// For whom an errand is run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs)]
pub struct By {
    pub caller: Caller,
    pub origin: Origin,
    /// Of a request that is known again when it is repeated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Fingerprint>,
}

/// What the object answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// What the id is, and so all that there is to say.
    Is(Standing),
    /// The customer was made.
    Created,
    /// The customer was made by this very request, when it came before.
    Made,
    /// The request's key was used for another request.
    Reused,
    /// It is a customer already, and the e-mail is its own or is being claimed by it.
    Exists,
    /// The id does not want the e-mail's claim, because of what it is.
    NotMine(Standing),
    /// For whom it stands now.
    Bound(CustomerId),
    /// What became of the records.
    Moved(Moved),
    /// The claim is given up, and released.
    Ceded,
    /// It is noted.
    Noted,
    /// There is no room for more.
    Full,
    /// The token was revoked.
    Revoked,
    /// What the list tells.
    Shown(Box<Shown>),
}

/// What the list of customers tells of one, beyond its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Shown {
    pub email: Option<String>,
    pub display_name: Option<String>,
    pub plan: Plan,
    pub status: Status,
    pub created_at: Timestamp,
    /// Whether the e-mail and the display name are null because they cannot be opened.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unreadable: bool,
}

impl Shown {
    /// What the list's own row tells of a customer that cannot be opened at all.
    #[must_use]
    pub fn of_row(row: &listing::Shown) -> Self {
        Self {
            email: None,
            display_name: None,
            plan: row.plan,
            status: row.status,
            created_at: row.created_at,
            unreadable: true,
        }
    }
}

/// What an id is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Nothing yet.
    Absent,
    /// An alias; of this customer where the e-mail is one for which it was bound. One that has stood aside is one too.
    Alias(Option<CustomerId>),
    /// A customer.
    Customer {
        /// Whether it holds the e-mail's claim, or wants it.
        holds: bool,
    },
    /// A customer that was erased, or an id that stood for one and stands for nobody else with this e-mail.
    Erased,
}

impl Turn<'_> {
    /// What the list of customers tells of this one, for an administrator whose look is logged here. Of a damaged
    /// profile it says so: one customer must not keep the others from being listed.
    fn show(&mut self, memory: &mut Memory, by: &By) -> Result<Answer> {
        let record = &memory.record;
        let profile = if_readable(record.profile.clone())?;
        if let Err(error) = &record.profile {
            memory.passed_over = Some(error.clone());
        }
        let shown = Shown {
            unreadable: profile.is_none(),
            email: profile.as_ref().and_then(|profile| profile.email.clone()),
            display_name: profile.and_then(|profile| profile.display_name),
            plan: record.plan,
            status: record.status,
            created_at: record.created_at,
        };
        self.log_errand(memory, by, "customer.listed", Map::new())?;
        Ok(Answer::Shown(Box::new(shown)))
    }

    /// An errand to an id that is a customer.
    ///
    /// # Errors
    /// Only faults.
    pub fn run_errand(&mut self, memory: &mut Memory, what: &What) -> Result<Answer> {
        let is_erased = memory.record.status == Status::Erased;
        let standing = |index: Option<&EmailIndex>| {
            if is_erased {
                Standing::Erased
            } else {
                let holds = index.is_some_and(|index| memory.account.holds(index));
                Standing::Customer { holds }
            }
        };
        Ok(match what {
            What::Look { index, by } => {
                let is = Answer::Is(standing(index.as_ref()));
                match by {
                    Some(by) if !is_erased => {
                        self.note(memory, by)?;
                        self.made_before(memory, by)?.unwrap_or(is)
                    }
                    _ => is,
                }
            }
            What::Create(create) => match standing(create.index.as_ref()) {
                Standing::Customer { holds: true } => {
                    self.note(memory, &create.by)?;
                    let made = self.made_before(memory, &create.by)?;
                    made.unwrap_or(Answer::Exists)
                }
                other => Answer::NotMine(other),
            },
            What::Bind { index, .. } | What::StandAside { index } => Answer::Is(standing(Some(index))),
            What::CheckToken { user } => self.check_token(memory, user)?,
            What::Rewrap if is_erased => Answer::Is(Standing::Erased),
            What::Rewrap => Answer::Noted,
            What::Show { .. } if is_erased => Answer::Is(standing(None)),
            What::Show { by } => self.show(memory, by)?,
            What::Import(import) if is_erased => {
                Answer::Moved(Moved::all(import, Outcome::Skipped, Word::Erased))
            }
            What::Import(import) => Answer::Moved(self.import(memory, import)?),
            What::Cede { index, .. } if is_erased || !memory.account.has_claimed(index) => {
                Answer::NotMine(standing(Some(index)))
            }
            What::Cede {
                rival,
                created_at,
                by,
                ..
            } => {
                if self.cede(memory, (*created_at, rival), by)? {
                    Answer::Ceded
                } else {
                    Answer::Is(Standing::Customer { holds: true })
                }
            }
            What::AddAlias { index, .. } if is_erased || !memory.account.holds(index) => {
                Answer::Is(standing(Some(index)))
            }
            What::AddAlias { alias, index } => {
                // Whether it will have the e-mail that it wants is not known yet: the id is bound another time.
                let has_claimed = memory.account.has_claimed(index);
                let is_known = aliases::has(self.sql, alias, index)?;
                if has_claimed && aliases::add(self.sql, alias, index)? {
                    if !is_known {
                        self.log_alias(memory, alias)?;
                    }
                    Answer::Noted
                } else {
                    Answer::Full
                }
            }
            // An id that is a customer of its own stood for nobody.
            What::DropAlias { .. } => Answer::Noted,
        })
    }

    fn check_token(&self, memory: &mut Memory, user: &User) -> Result<Answer> {
        match memory.revocations.check(self.sql, user) {
            Ok(()) => Ok(Answer::Noted),
            Err(error) if error.is_refusal() => Ok(Answer::Revoked),
            Err(fault) => Err(fault),
        }
    }

    /// From now on another id leads here, for who comes with the customer's e-mail.
    fn log_alias(&mut self, memory: &mut Memory, alias: &CustomerId) -> Result<()> {
        let mut changed = Map::new();
        changed.insert("alias".to_owned(), json!({"before": null, "after": alias}));
        let mut detail = Map::new();
        detail.insert("changed".to_owned(), Value::Object(changed));
        self.append_own(memory, "alias.add", detail)
    }

    /// A service that was told of a customer stands in its log. A user's own request follows, and is logged itself.
    fn note(&mut self, memory: &mut Memory, by: &By) -> Result<()> {
        if !matches!(by.caller, Caller::Service(_)) {
            return Ok(());
        }
        memory.counters.count(ENSURE, "ok", self.now);
        self.log_errand(memory, by, "customer.ensure", Map::new())
    }

    /// The entry of an errand in the log.
    ///
    /// # Errors
    /// Only faults.
    pub fn log_errand(
        &mut self,
        memory: &mut Memory,
        by: &By,
        action: &'static str,
        changed: Map<String, Value>,
    ) -> Result<()> {
        let as_admin = match &by.caller {
            Caller::User(user) => action == "customer.listed" || user.is_admin && memory.seen(user).is_none(),
            _ => false,
        };
        let entry = Entry {
            actor: self.actor_of(memory, &by.caller, as_admin, None)?,
            action,
            target: "customer",
            outcome: "ok",
            request_id: &by.origin.request_id,
            detail: entry::detail_of(&by.caller, &by.origin, changed),
            limiter: memory.quota.store(self.sql, self.now)?,
        };
        self.append(memory, entry)
    }

    /// Makes the customer: its record, its account, the word to the list, and the first entry of its log.
    ///
    /// # Errors
    /// Only faults.
    pub fn create(&mut self, create: &Create) -> Result<Memory> {
        let Create { new, by, .. } = create;
        if new.customer_id.as_ref().is_some_and(|id| id != self.id) {
            return Err(Error::fault("the customer has another id than its object"));
        }
        let own = match &new.profile.email {
            Some(email) => Some(self.config.index.email(email)?),
            None => None,
        };
        if own != create.index {
            return Err(Error::fault("the e-mail is not the one that was claimed"));
        }
        migrate(self.sql, MIGRATIONS)?;
        let incarnation = format!("{:016x}", u64::from_be_bytes(random(self.entropy)?));
        let created_at = create.created_at.unwrap_or(self.now);
        let record = Record {
            version: Version {
                incarnation,
                number: 1,
            },
            status: new.status,
            status_reason: Ok(None),
            status_changed_at: created_at,
            plan: new.plan,
            features: new.features.clone(),
            profile: Ok(new.profile.clone()),
            created_at,
            updated_at: created_at,
            last_seen_at: None,
        };
        record.insert(self.sql, self.id, self.fields()?, self.entropy)?;
        let account = Account::new(own, create.email_claimed, create.attempt);
        account.save(self.sql)?;
        let rev = account.rev;
        let mut memory = Memory::of_new(
            self.sql,
            self.fields()?,
            record,
            account,
            self.id,
            self.config,
            self.now,
        )?;
        memory
            .outbox
            .put(self.sql, &outbox::Kind::List { rev }, self.now)?;
        // Who makes a customer of its own e-mail is its user; an administrator who makes somebody else's is not.
        if let Caller::User(user) = &by.caller
            && (!user.is_admin || user.email_verified && user.email == new.profile.email)
        {
            self.meet(&mut memory, user)?;
        }
        let mut changed = entry::changes(&Value::Null, &everything(&memory.record)?);
        changed.extend(std::mem::take(&mut memory.brought));
        self.log_errand(&mut memory, by, "customer.create", changed)?;
        Ok(memory)
    }
}

/// All fields that a creation sets, side by side as the resource has them.
fn everything(record: &Record) -> Result<Value> {
    let mut fields = json!(record.profile()?);
    if let Value::Object(fields) = &mut fields {
        fields.insert("plan".to_owned(), json!(record.plan));
        fields.insert("status".to_owned(), json!(record.status));
        fields.insert("features".to_owned(), json!(record.features));
        fields.insert("createdAt".to_owned(), json!(record.created_at.to_rfc3339()));
    }
    Ok(fields)
}
