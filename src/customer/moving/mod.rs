//! Moving in: what becomes of the older service's records in the customer's object. One errand takes records of one
//! customer in one turn; each is told what it came to.
//!
//! 1. What records of the customer say is joined with what they said before ([`Facts::join`]), so neither their order
//!    nor their repetition matters; [`map`] says what of it the record takes over. A record that says nothing new
//!    changes nothing and leaves no entry in the log.
//! 2. A customer that is not here is made of its records; other records of a customer that is not here wait outside.
//!    An alias never becomes a customer, an erased one never comes back, no status becomes less strict.
//! 3. The e-mail needs its claim, which is another object's to give: the answer is [`Moved::Wants`], and a customer
//!    that is here writes that wish down as for any change of its e-mail ([`account`]), until the errand comes again
//!    with what came of it. Who does not get it has its e-mail without the claim. While another change of the e-mail
//!    is under way, nothing is taken ([`Moved::Busy`]). Of two customers that moved in and were not touched since,
//!    the older one holds it ([`Turn::cede`]).
//! 4. What has no place of its own is kept sealed in table `legacy`.

mod belongings;
mod map;
mod store;
pub mod trail;

pub use belongings::{has_documents, has_preferences_waiting};
pub use store::{MAX_AUDIT_DAYS, MAX_DISPLAY_NAMES, page};

use crate::customer::account::{self, Claimed, Wanted};
use crate::customer::aliases;
use crate::customer::entry;
use crate::customer::errand::{By, Create};
use crate::customer::memory::Memory;
use crate::customer::outbox;
use crate::customer::profile::NewCustomer;
use crate::customer::turn::Turn;
use crate::email::EmailIndex;
use crate::error::Result;
use crate::legacy::outcome::{Outcome, Word};
use crate::legacy::{Facts, Record};
use crate::order;
use crate::sql::is_initialised;
use crate::types::{CustomerId, Timestamp};
use map::Change;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use store::Kind;

/// Records of one customer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Import {
    /// The records.
    pub records: Vec<Record>,
    /// What came of the claim that was wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed: Option<Claimed>,
    /// For whom they are taken in.
    pub by: By,
}

impl Eq for Import {}

impl Import {
    /// Whether it may make the customer: not while the claim of its e-mail is still wanted.
    #[must_use]
    pub fn creates(&self) -> bool {
        joined(self, None).is_some_and(|facts| self.claimed.is_some() || facts.text("email").is_none())
    }
}

/// What a record came to, and why.
pub type Taken = (Outcome, Vec<Word>);

/// What became of an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moved {
    /// The claim of an e-mail is wanted first. Nothing was written but that.
    Wants {
        /// Of which e-mail.
        wanted: Wanted,
        /// When the customer was created, which says who is older.
        created_at: Timestamp,
    },
    /// What each record came to, in their order.
    Results {
        /// The results.
        results: Vec<Taken>,
        /// Whether the claim that came with the errand is this customer's to keep.
        claimed: bool,
    },
    /// Another change of the customer's e-mail is under way. Nothing was taken.
    Busy,
}

impl Moved {
    /// The same for all.
    #[must_use]
    pub fn all(import: &Import, outcome: Outcome, word: Word) -> Self {
        Self::Results {
            results: import.records.iter().map(|_| (outcome, vec![word])).collect(),
            claimed: false,
        }
    }
}

/// What is stored of the records of the customer.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    facts: Facts,
    /// The record's version after the last import: while it is that, nobody has touched the record here.
    version: i64,
}

/// All that the records of the customer say.
fn joined(import: &Import, before: Option<&Facts>) -> Option<Facts> {
    let said = import.records.iter().filter_map(|record| match record {
        Record::Customer { facts } => Some(facts.clone()),
        _ => None,
    });
    said.reduce(Facts::join).map(|said| match before {
        Some(before) => before.clone().join(said),
        None => said,
    })
}

impl Turn<'_> {
    /// Records of an id that is nothing yet.
    ///
    /// # Errors
    /// Only faults.
    pub(super) fn import_absent(&mut self, import: &Import) -> Result<(Option<Memory>, Moved)> {
        let Some(facts) = joined(import, None) else {
            return Ok((None, Moved::all(import, Outcome::Skipped, Word::NotHere)));
        };
        let mapped = map::map(&facts, self.now);
        let created_at = mapped.created_at.or(mapped.updated_at).unwrap_or(self.now);
        let index = match &mapped.profile.email {
            Some(email) => Some(self.config.index.email(email)?),
            None => None,
        };
        let claimed = import
            .claimed
            .as_ref()
            .filter(|claimed| Some(claimed.wanted.index) == index);
        if let (Some(index), None) = (index, claimed) {
            let attempt = account::MOVED_IN;
            let wanted = Wanted { index, attempt };
            return Ok((None, Moved::Wants { wanted, created_at }));
        }
        // Of who stood aside no claim is believed, since whoever met it may have taken it away: it becomes a customer
        // first, and then claims as one.
        let stood_aside = is_initialised(self.sql)? && aliases::stood_aside(self.sql)?;
        if stood_aside {
            aliases::step_forward(self.sql)?;
        }
        let mut memory = self.create(&Create {
            index,
            email_claimed: claimed.is_some_and(|claimed| claimed.held && !stood_aside),
            attempt: account::MOVED_IN,
            new: NewCustomer {
                customer_id: Some(self.id.clone()),
                plan: mapped.plan,
                status: mapped.status,
                features: mapped.features,
                profile: mapped.profile,
            },
            created_at: Some(created_at),
            by: import.by.clone(),
        })?;
        let record = &mut memory.record;
        record.status_changed_at = map::status_said_at(&facts, self.now).unwrap_or(created_at);
        record.updated_at = mapped.updated_at.unwrap_or(created_at);
        record.last_seen_at = mapped.last_seen_at;
        record.write_moved(self.sql, self.fields()?, self.entropy)?;
        if let (Some(index), true) = (index, stood_aside) {
            let wanted = account::wish(self, &mut memory, index)?;
            return Ok((Some(memory), Moved::Wants { wanted, created_at }));
        }
        let mut moved = Work::new(import, Facts::default());
        moved.is_new = true;
        self.keep_facts(&memory, facts)?;
        let moved = self.take_records(&mut memory, import, moved)?;
        Ok((Some(memory), moved))
    }

    /// Records of a customer.
    ///
    /// # Errors
    /// Only faults.
    pub(super) fn import(&mut self, memory: &mut Memory, import: &Import) -> Result<Moved> {
        let stored: Option<Stored> = store::get(self, Kind::Customer, "")?;
        let before = stored.map(|stored| stored.facts);
        let work = Work::new(import, before.clone().unwrap_or_default());
        let Some(after) = joined(import, before.as_ref()) else {
            return self.take_records(memory, import, work);
        };
        let change = Change {
            before: before.as_ref(),
            after: &after,
            now: self.now,
        };
        let index = self.email_to_claim(memory, &change)?;
        match self.claim(memory, index, import.claimed.as_ref())? {
            Claim::Wants(wanted) => {
                let created_at = map::map(&after, self.now).created_at;
                let created_at =
                    created_at.map_or(memory.record.created_at, |at| at.min(memory.record.created_at));
                return Ok(Moved::Wants { wanted, created_at });
            }
            Claim::Busy => return Ok(Moved::Busy),
            Claim::Taken(held) => {
                if before.as_ref() != Some(&after) || held.is_some() {
                    self.take_over(memory, &change, index, held.as_ref(), import)?;
                    self.keep_facts(memory, after)?;
                }
            }
        }
        self.take_records(memory, import, work)
    }

    /// The e-mail that the customer should have and whose claim it does not hold.
    fn email_to_claim(&self, memory: &Memory, change: &Change<'_>) -> Result<Option<EmailIndex>> {
        let Some(email) = change.email(&memory.record)? else {
            return Ok(None);
        };
        let index = self.config.index.email(&email)?;
        Ok((!memory.account.has_claimed(&index)).then_some(index))
    }

    /// How far the claim is that the customer should have, after what came with the errand. Only a claim for a wish
    /// that is written down here is believed: of any other, somebody may have learned since that nobody wants it.
    fn claim(
        &self,
        memory: &mut Memory,
        index: Option<EmailIndex>,
        claimed: Option<&Claimed>,
    ) -> Result<Claim> {
        if let Some(claimed) = claimed.filter(|claimed| memory.account.wants(&claimed.wanted)) {
            if index != Some(claimed.wanted.index) {
                // The records have no use for it any more.
                account::give_up(self, memory)?;
            } else if claimed.held {
                return Ok(Claim::Taken(Some(claimed.wanted.clone())));
            } else {
                account::forgo(self, memory, &claimed.wanted)?;
                return Ok(Claim::Taken(None));
            }
        }
        if let Some(claimed) = claimed.filter(|claimed| claimed.held) {
            account::renewed(self, memory, &claimed.wanted)?;
        }
        let Some(index) = index else {
            return Ok(Claim::Taken(None));
        };
        let pending = memory.account.pending.as_ref();
        if pending.is_some_and(|pending| pending.index != index) {
            if let Some(claimed) = claimed.filter(|claimed| claimed.held) {
                account::let_go(self, memory, &claimed.wanted)?;
            }
            return Ok(Claim::Busy);
        }
        account::wish(self, memory, index).map(Claim::Wants)
    }

    /// Changes the record, its e-mail and its place in the list.
    /// `index` is that of the e-mail that it should have and has not claimed, `held` the claim that it holds for it.
    fn take_over(
        &mut self,
        memory: &mut Memory,
        change: &Change<'_>,
        index: Option<EmailIndex>,
        held: Option<&Wanted>,
        import: &Import,
    ) -> Result<()> {
        let shown = json!(memory.record.profile()?);
        let old = memory.record.clone();
        let mut is_relisted = false;
        if let Some(index) = index {
            let email = change.email(&memory.record)?;
            if let Ok(profile) = &mut memory.record.profile {
                profile.email = email;
            }
            if let Some(wanted) = held {
                account::take(self, memory, wanted)?;
                is_relisted = true;
            } else if memory.account.email_index != Some(index) {
                account::take_unclaimed(self, memory, index)?;
                is_relisted = true;
            }
        }
        change.apply(&mut memory.record)?;
        if memory.record == old {
            return Ok(());
        }
        memory
            .record
            .write_moved(self.sql, self.fields()?, self.entropy)?;
        let record = &memory.record;
        if old.plan != record.plan {
            let plan = self.config.limits.of(record.plan);
            memory.quota.set_plan(plan, &memory.keys, self.now)?;
        }
        let listed = (old.status, old.plan, old.created_at);
        if !is_relisted && listed != (record.status, record.plan, record.created_at) {
            account::relist(self, memory)?;
        }
        let mut changed = entry::changes(&shown, &json!(memory.record.profile()?));
        let record = &memory.record;
        changed.extend(entry::changes(
            &json!({"plan": old.plan, "status": old.status, "features": old.features}),
            &json!({"plan": record.plan, "status": record.status, "features": record.features}),
        ));
        self.log_errand(memory, &import.by, ACTION, changed)
    }

    fn keep_facts(&mut self, memory: &Memory, facts: Facts) -> Result<()> {
        let version = memory.record.version.number;
        store::put(self, Kind::Customer, "", &Stored { facts, version })
    }

    /// Tells of each record of the customer, and takes everything that belongs to it.
    fn take_records(&mut self, memory: &mut Memory, import: &Import, mut work: Work) -> Result<Moved> {
        for record in &import.records {
            let result = match record {
                Record::Customer { facts } => work.tell(memory, facts),
                other => self.take_belonging(memory, other)?,
            };
            if !matches!(record, Record::Customer { .. })
                && matches!(result.0, Outcome::Created | Outcome::Merged)
            {
                let count = work.taken.entry(record.kind()).or_default();
                *count = count.saturating_add(1);
            }
            work.results.push(result);
        }
        if !work.taken.is_empty() {
            let mut detail = Map::new();
            detail.insert("records".to_owned(), json!(work.taken));
            self.log_errand(memory, &import.by, ACTION, detail)?;
        }
        let claimed = import
            .claimed
            .as_ref()
            .is_some_and(|claimed| memory.account.holds(&claimed.wanted.index));
        Ok(Moved::Results {
            results: work.results,
            claimed,
        })
    }

    /// Gives the claim up for an older customer, if this one moved in, is younger and untouched since, and nobody has
    /// signed in to it. Of two that were created at one moment the one whose id sorts first is the older.
    ///
    /// # Errors
    /// Only faults.
    pub(super) fn cede(
        &mut self,
        memory: &mut Memory,
        rival: (Timestamp, &CustomerId),
        by: &By,
    ) -> Result<bool> {
        let stored: Option<Stored> = store::get(self, Kind::Customer, "")?;
        let is_untouched = stored.is_some_and(|stored| stored.version == memory.record.version.number)
            && memory.account.pending.is_none()
            && self.sql.exec("SELECT 1 FROM users LIMIT 1", &[])?.is_empty();
        let (Some(index), true) = (memory.account.email_index, is_untouched) else {
            return Ok(false);
        };
        if (memory.record.created_at, self.id) <= rival {
            return Ok(false);
        }
        memory.account.email_claimed = false;
        memory.account.save(self.sql)?;
        let attempt = memory.account.email_attempt;
        let notice = outbox::Kind::Release { index, attempt };
        memory.outbox.put(self.sql, &notice, self.now)?;
        let changed = entry::changes(&json!({"emailClaimed": true}), &json!({"emailClaimed": false}));
        self.log_errand(memory, by, ACTION, changed)?;
        Ok(true)
    }
}

/// The audit log's word for an import.
const ACTION: &str = "customer.import";

/// How far the claim of an e-mail is that records need.
enum Claim {
    /// It is to be asked for.
    Wants(Wanted),
    /// Another change of the e-mail is under way.
    Busy,
    /// The records can be taken: with this claim, or without one.
    Taken(Option<Wanted>),
}

/// What is found out while records are told of.
struct Work {
    /// What was known until the record that is told of now.
    known: Facts,
    /// Whether the customer was made of these records, and that was not told yet.
    is_new: bool,
    results: Vec<Taken>,
    taken: order::Map<&'static str, i64>,
}

impl Work {
    fn new(import: &Import, known: Facts) -> Self {
        Self {
            known,
            is_new: false,
            results: Vec::with_capacity(import.records.len()),
            taken: order::Map::new(),
        }
    }

    /// What a record of the customer came to.
    fn tell(&mut self, memory: &Memory, facts: &Facts) -> Taken {
        let known = self.known.clone().join(facts.clone());
        let outcome = match known == self.known {
            _ if self.is_new => Outcome::Created,
            true => Outcome::Unchanged,
            false => Outcome::Merged,
        };
        self.is_new = false;
        self.known = known;
        let email = memory
            .record
            .profile
            .as_ref()
            .ok()
            .and_then(|profile| profile.email.as_deref());
        if email.is_some() && facts.text("email") == email && !memory.account.email_claimed {
            return (Outcome::Conflict, vec![Word::EmailHeld]);
        }
        (outcome, Vec::new())
    }
}

/// A document without anything in it tells nothing.
fn is_empty(document: &Value) -> bool {
    document.as_object().is_none_or(Map::is_empty)
}
