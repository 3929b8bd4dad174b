//! The brain of a customer's object: pure and synchronous. It gets storage, time and entropy as arguments,
//! and knows neither HTTP nor the platform.
//!
//! A request is handled in these steps, the same numbers as in the code:
//!
//! 1. Wake up: read the record and the log's head, unless they are in memory. Asking about a customer that
//!    does not exist writes nothing, no table and no row.
//! 2. The caller must be one that may act on this customer: the object does not rely on the front.
//! 3. An erased customer is gone for everybody.
//! 4. The credential must work: a token that is not revoked, a key that is known.
//! 5. The user behind the token is found, or made at first use.
//! 6. The status must allow the command, and so must the key's scopes, or the user's standing as owner.
//! 7. A repeated request is answered as it was the first time.
//! 8. The limits must admit it: of all policies that it is charged to, or of none.
//! 9. The command is carried out.
//! 10. The reply is kept for a repetition, and the audit entry is appended: for a refusal as well, because a refusal
//!     is an answer and commits. Refusals that no limit bounds are summed ([`refusals`]).
//!
//! An error out of [`Customer::handle`] is a fault: the surrounding transaction rolls back, and the memory of
//! what was stored is dropped, so that the next request reads it anew.

mod absent;
pub mod account;
pub mod admin_edit;
pub mod aliases;
pub mod api_keys;
pub mod audit;
pub mod batch;
pub mod command;
pub mod config;
pub mod entry;
pub mod erasure;
pub mod errand;
mod execute;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use execute::SessionView;
pub mod export;
pub mod idempotency;
mod key;
pub mod limits;
pub mod listing;
mod made;
mod memory;
pub mod moving;
pub mod outbox;
mod permission;
pub mod preferences;
pub mod profile;
mod quota;
pub mod refusals;
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
mod turn;
pub mod usage;
pub mod users;

use crate::crypto::FieldKeys;
use crate::entropy::Entropy;
use crate::error::{Error, Result};
use crate::sql::{Migration, Sql};
use crate::types::{CustomerId, Timestamp};
use config::Config;
use erasure::Erasure;
use erasure::run::Legacy;
use errand::Errand;
pub use execute::created;
use export::Export;
use memory::Memory;
use outbox::{Notice, Told};
use request::{Answered, Request};
use status::Status;
use std::rc::Rc;
use turn::Turn;

/// The schema of a customer's object.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        script: include_str!("../../migrations/customer/0001_customer.sql"),
    },
    Migration {
        number: 2,
        script: include_str!("../../migrations/customer/0002_api_keys.sql"),
    },
    Migration {
        number: 3,
        script: include_str!("../../migrations/customer/0003_tokens.sql"),
    },
    Migration {
        number: 4,
        script: include_str!("../../migrations/customer/0004_idempotency.sql"),
    },
    Migration {
        number: 5,
        script: include_str!("../../migrations/customer/0005_limits.sql"),
    },
    Migration {
        number: 6,
        script: include_str!("../../migrations/customer/0006_accounts.sql"),
    },
    Migration {
        number: 7,
        script: include_str!("../../migrations/customer/0007_legacy.sql"),
    },
    Migration {
        number: 8,
        script: include_str!("../../migrations/customer/0008_erasure.sql"),
    },
    Migration {
        number: 9,
        script: include_str!("../../migrations/customer/0009_standing_aside.sql"),
    },
];

/// One customer.
#[derive(Debug)]
pub struct Customer {
    id: CustomerId,
    config: Rc<Config>,
    /// The keys of sealed fields; `None` until the vault was asked.
    fields: Option<FieldKeys>,
    /// Whether the vault has answered, last, with no key or with one that does not fit.
    is_key_lost: bool,
    memory: Option<Memory>,
}

impl Customer {
    /// The customer with that id, asleep.
    #[must_use]
    pub const fn new(id: CustomerId, config: Rc<Config>) -> Self {
        Self {
            id,
            config,
            fields: None,
            is_key_lost: false,
            memory: None,
        }
    }

    /// Whose object it is.
    #[must_use]
    pub const fn id(&self) -> &CustomerId {
        &self.id
    }

    /// Forgets what was read, because a transaction that it came from was rolled back. The key did not come from
    /// one.
    pub fn forget(&mut self) {
        self.memory = None;
    }

    /// Carries out one request inside the caller's transaction, after the steps of the module's header.
    ///
    /// # Errors
    /// Only faults, after which the transaction must be rolled back. A refusal is a reply.
    pub fn handle(
        &mut self,
        sql: &dyn Sql,
        request: &Request,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<Answered> {
        let mut turn = Turn {
            sql,
            id: &self.id,
            config: &self.config,
            fields: self.fields.as_ref(),
            is_key_lost: self.is_key_lost,
            now,
            entropy,
        };
        // 1. While the memory is taken out, an early return by an error leaves it dropped.
        let (memory, ends) = turn.wake_or_erase(self.memory.take())?;
        let (memory, answered) = match memory {
            Some(mut memory) => {
                let answered = turn.handle(&mut memory, request)?;
                (Some(memory), answered)
            }
            None => turn.handle_absent(request)?,
        };
        self.memory = memory;
        self.lose_key(ends);
        Ok(answered)
    }

    /// Carries out one errand of another object's or the front's, inside the caller's transaction.
    ///
    /// # Errors
    /// Only faults, after which the transaction must be rolled back.
    pub fn run_errand(
        &mut self,
        sql: &dyn Sql,
        errand: &Errand,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<errand::Answer> {
        if errand.customer != self.id {
            return Err(Error::fault("the errand is for another object"));
        }
        let mut turn = Turn {
            sql,
            id: &self.id,
            config: &self.config,
            fields: self.fields.as_ref(),
            is_key_lost: self.is_key_lost,
            now,
            entropy,
        };
        let (memory, ends) = turn.wake_or_erase(self.memory.take())?;
        let (memory, answer) = match memory {
            Some(mut memory) => {
                let answer = turn.run_errand(&mut memory, &errand.what)?;
                (Some(memory), answer)
            }
            None => turn.run_errand_absent(&errand.what)?,
        };
        self.memory = memory;
        self.lose_key(ends);
        Ok(answer)
    }

    /// Whether any notice to another object waits, tried or not.
    #[must_use]
    pub fn has_notices(&self) -> bool {
        let memory = self.memory.as_ref();
        memory.is_some_and(|memory| memory.outbox.due.is_some())
    }

    /// Whether a notice to another object was written and not tried yet.
    #[must_use]
    pub fn has_fresh_notices(&self) -> bool {
        self.memory.as_ref().is_some_and(|memory| memory.outbox.is_fresh)
    }

    /// What could not be opened and was passed over since this was asked last, for the operator's log.
    #[must_use]
    pub fn passed_over(&mut self) -> Option<Error> {
        self.memory.as_mut()?.passed_over.take()
    }

    /// What other objects must be told: what is due by then, [`Timestamp::MAX`] for all.
    ///
    /// # Errors
    /// `internal_error` from the engine.
    pub fn notices(&mut self, sql: &dyn Sql, due_until: Timestamp) -> Result<Vec<(Notice, Told)>> {
        let Some(memory) = &mut self.memory else {
            return Ok(Vec::new());
        };
        let notices = memory.outbox.waiting(sql, due_until)?;
        let told = |notice: &Notice| match &notice.kind {
            outbox::Kind::List { .. } => Told::List(memory.account.listing(&self.id, &memory.record)),
            outbox::Kind::Release { index, attempt } => Told::Release {
                index: *index,
                attempt: *attempt,
            },
            outbox::Kind::Alias(alias) => Told::Alias(alias.clone()),
            outbox::Kind::Legacy { .. } => Told::Legacy,
            outbox::Kind::Vault => Told::Vault,
        };
        Ok(notices
            .into_iter()
            .map(|notice| {
                let told = told(&notice);
                (notice, told)
            })
            .collect())
    }

    /// What came of telling it: whether it was heard.
    ///
    /// # Errors
    /// `internal_error` from the engine.
    pub fn noticed(&mut self, sql: &dyn Sql, notice: &Notice, heard: bool, now: Timestamp) -> Result<()> {
        let Some(memory) = &mut self.memory else {
            return Ok(());
        };
        if heard {
            memory.outbox.told(sql, notice)
        } else {
            memory.outbox.failed(sql, notice, now)
        }
    }

    /// When [`Customer::tick`] has something to do, as far as is known; `None` while asleep or idle.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        let memory = self.memory.as_ref()?;
        let erasure = memory.erasure.as_ref();
        let erasure = erasure.and_then(|erasure| erasure.due(memory.outbox.due.is_some()));
        if memory.record.status == Status::Erased {
            return [erasure, memory.outbox.due].into_iter().flatten().min();
        }
        [
            erasure,
            memory.counters.due(),
            memory.refusals.due(),
            memory.idempotency.next_sweep(),
            memory.revocations_due,
            memory.exports.due(),
            memory.retention.due,
            memory.account.due(),
            memory.outbox.due,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Does what is due, inside the caller's transaction: writes counts and sums, drops what has expired. Safe to
    /// repeat at any time.
    ///
    /// # Errors
    /// Only faults, after which the transaction must be rolled back and the memory forgotten.
    pub fn tick(&mut self, sql: &dyn Sql, now: Timestamp, entropy: &mut dyn Entropy) -> Result<()> {
        let mut turn = Turn {
            sql,
            id: &self.id,
            config: &self.config,
            fields: self.fields.as_ref(),
            is_key_lost: self.is_key_lost,
            now,
            entropy,
        };
        let (memory, ends) = turn.wake_or_erase(self.memory.take())?;
        self.memory = match memory {
            Some(mut memory) => {
                turn.tick(&mut memory)?;
                Some(memory)
            }
            None => None,
        };
        self.lose_key(ends);
        Ok(())
    }

    /// Makes the customer erased if that is due, inside the caller's transaction. Needs no key, so that losing the
    /// key keeps nobody from being erased.
    ///
    /// # Errors
    /// Only faults, after which the transaction must be rolled back.
    pub fn erase_if_due(&mut self, sql: &dyn Sql, now: Timestamp, entropy: &mut dyn Entropy) -> Result<()> {
        let mut turn = Turn {
            sql,
            id: &self.id,
            config: &self.config,
            fields: None,
            is_key_lost: self.is_key_lost,
            now,
            entropy,
        };
        if erasure::run::begin(&mut turn)? {
            self.memory = None;
            self.lose_key(true);
        }
        Ok(())
    }

    /// What came of the older service's store, whose notice is told by the caller as any other.
    ///
    /// # Errors
    /// `internal_error` from the engine.
    pub fn heard_of_legacy(&mut self, sql: &dyn Sql, outcome: &Legacy, now: Timestamp) -> Result<()> {
        erasure::run::heard_of_legacy(sql, outcome, now)?;
        if let Some(memory) = &mut self.memory {
            memory.erasure = Erasure::load(sql)?;
            memory.outbox = outbox::Outbox::load(sql)?;
        }
        Ok(())
    }

    /// The next piece of an export, inside the caller's transaction.
    ///
    /// # Errors
    /// Any error ends the export, and the transaction must be rolled back and the memory forgotten.
    pub fn pull(
        &mut self,
        sql: &dyn Sql,
        export: &mut Export,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<Vec<u8>> {
        self.turn(sql, now, entropy, |turn, memory| turn.pull(memory, export))
    }

    /// Ends an export whose receiver went away, or whose credential was revoked, inside the caller's transaction.
    ///
    /// # Errors
    /// Only faults, after which the transaction must be rolled back and the memory forgotten.
    pub fn abandon(
        &mut self,
        sql: &dyn Sql,
        export: &Export,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<()> {
        self.turn(sql, now, entropy, |turn, memory| turn.abandon(memory, export))
    }

    /// A turn that is no request, on a customer that exists.
    fn turn<T>(
        &mut self,
        sql: &dyn Sql,
        now: Timestamp,
        entropy: &mut dyn Entropy,
        work: impl FnOnce(&mut Turn<'_>, &mut Memory) -> Result<T>,
    ) -> Result<T> {
        let mut turn = Turn {
            sql,
            id: &self.id,
            config: &self.config,
            fields: self.fields.as_ref(),
            is_key_lost: self.is_key_lost,
            now,
            entropy,
        };
        let (memory, ends) = turn.wake_or_erase(self.memory.take())?;
        let mut memory = memory.ok_or_else(|| Error::fault("there is no customer any more"))?;
        let done = work(&mut turn, &mut memory)?;
        self.memory = Some(memory);
        self.lose_key(ends);
        Ok(done)
    }

    /// An erased customer has no key any more.
    fn lose_key(&mut self, is_erased: bool) {
        if is_erased {
            self.fields = None;
        }
    }
}
