//! What the directory knows of the customer: its e-mail's claim and its place in the list; and changing the e-mail.
//!
//! An e-mail is changed in two phases, because the claim of the new one is another object's to give. 1. The change is
//! checked whole, and the wish is written down ([`prepare`] answers [`Prepared::Wait`]). 2. Once the claim is held,
//! the same request comes again with it, is checked again, and takes effect ([`Prepared::Take`], [`take`]) together
//! with the release of the old claim. A wish that nobody comes back for is given up after [`PENDING_MS`], and what may
//! have been claimed for it released.

use crate::customer::listing::{Listing, Shown};
use crate::customer::memory::Memory;
use crate::customer::outbox;
use crate::customer::profile::Record;
use crate::customer::status::Status;
use crate::customer::turn::Turn;
use crate::email::{Email, EmailIndex};
use crate::error::{Code, Error, Result};
use crate::sql::{Sql, Value};
use crate::types::{CustomerId, Timestamp};
use serde::{Deserialize, Serialize};

/// The attempt under which an e-mail is claimed for an id that is to become a customer.
pub const CREATED: i64 = 0;
/// The same where the customer moves in from an older service: whoever finds such a claim of an id that is nothing yet
/// knows that there are records of it. A customer's later attempts have higher numbers, so that no answer to one of
/// these two is taken for the answer to a wish of its own.
pub const MOVED_IN: i64 = 1;
/// How long a wish for another e-mail waits for its claim, in milliseconds.
pub const PENDING_MS: i64 = 60_000;

/// The row of table `account`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Counts what the list is to show.
    pub rev: i64,
    /// The blind index of the customer's e-mail.
    pub email_index: Option<EmailIndex>,
    /// Whether this customer holds its claim.
    pub email_claimed: bool,
    /// Under which attempt.
    pub email_attempt: i64,
    /// The attempts that were ever begun.
    pub last_attempt: i64,
    /// The e-mail that is being claimed.
    pub pending: Option<Pending>,
}

/// An e-mail that is being claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Pending {
    pub index: EmailIndex,
    pub attempt: i64,
    pub since: Timestamp,
}

/// The claim that a request needs before it can be carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// Of which e-mail.
    pub index: EmailIndex,
    /// Under which attempt of this customer.
    pub attempt: i64,
}

/// What came of it, when the request, or the import, comes again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claimed {
    /// What was wanted.
    pub wanted: Wanted,
    /// Whether this customer holds it now; if not, another one does.
    pub held: bool,
}

/// How far a change of the e-mail is.
#[derive(Debug, PartialEq, Eq)]
pub enum Prepared {
    /// It is the e-mail that the customer has and holds.
    Keep,
    /// The claim is held: the change can be made.
    Take(Wanted),
    /// The claim is wanted; nothing else may be done yet.
    Wait(Wanted),
}

impl Account {
    /// That of a new customer.
    #[must_use]
    pub const fn new(email_index: Option<EmailIndex>, claimed: bool, attempt: i64) -> Self {
        Self {
            rev: 1,
            email_claimed: claimed && email_index.is_some(),
            email_index,
            email_attempt: attempt,
            last_attempt: if attempt > MOVED_IN { attempt } else { MOVED_IN },
            pending: None,
        }
    }

    /// Whether the claim of this e-mail is this customer's, or wanted by it.
    #[must_use]
    pub fn holds(&self, index: &EmailIndex) -> bool {
        self.has_claimed(index)
            || self
                .pending
                .as_ref()
                .is_some_and(|pending| pending.index == *index)
    }

    /// Whether this is the customer's e-mail and no other customer's.
    #[must_use]
    pub fn has_claimed(&self, index: &EmailIndex) -> bool {
        self.email_claimed && self.email_index.as_ref() == Some(index)
    }

    /// Whether exactly this is being claimed: not the same e-mail under a later attempt.
    #[must_use]
    pub fn wants(&self, wanted: &Wanted) -> bool {
        self.pending
            .as_ref()
            .is_some_and(|pending| (pending.index, pending.attempt) == (wanted.index, wanted.attempt))
    }

    /// When the wish for another e-mail is given up.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        let since = self.pending.as_ref()?.since.as_millis();
        Some(Timestamp::from_millis(since.saturating_add(PENDING_MS)))
    }

    /// The stored one.
    ///
    /// # Errors
    /// `internal_error` if the engine fails or the row is missing or unreadable.
    pub fn load(sql: &dyn Sql) -> Result<Self> {
        let rows = sql.exec(
            "SELECT rev, email_index, email_claimed, email_attempt, last_attempt, pending_index, pending_attempt, \
             pending_since FROM account WHERE one = 1",
            &[],
        )?;
        let row = rows
            .first()
            .ok_or_else(|| Error::fault("the row of the account is gone"))?;
        let index = |column| match row.0.get(column) {
            Some(Value::Null) => Ok(None),
            _ => EmailIndex::from_stored(row.blob(column)?).map(Some),
        };
        let pending = match index(5)? {
            Some(index) => Some(Pending {
                index,
                attempt: row.integer(6)?,
                since: Timestamp::from_millis(row.integer(7)?),
            }),
            None => None,
        };
        Ok(Self {
            rev: row.integer(0)?,
            email_index: index(1)?,
            email_claimed: row.integer(2)? == 1,
            email_attempt: row.integer(3)?,
            last_attempt: row.integer(4)?,
            pending,
        })
    }

    /// Writes the row.
    ///
    /// # Errors
    /// `internal_error` from the engine.
    pub fn save(&self, sql: &dyn Sql) -> Result<()> {
        let bytes = |index: &EmailIndex| index.as_bytes().to_vec();
        let pending = self.pending.as_ref();
        sql.exec(
            "INSERT INTO account (one, rev, email_index, email_claimed, email_attempt, last_attempt, pending_index, \
             pending_attempt, pending_since) VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (one) DO UPDATE SET \
             rev = excluded.rev, email_index = excluded.email_index, email_claimed = excluded.email_claimed, \
             email_attempt = excluded.email_attempt, last_attempt = excluded.last_attempt, \
             pending_index = excluded.pending_index, pending_attempt = excluded.pending_attempt, \
             pending_since = excluded.pending_since",
            &[
                self.rev.into(),
                self.email_index.as_ref().map(bytes).into(),
                i64::from(self.email_claimed).into(),
                self.email_attempt.into(),
                self.last_attempt.into(),
                pending.map(|pending| bytes(&pending.index)).into(),
                pending.map(|pending| pending.attempt).into(),
                pending.map(|pending| pending.since.as_millis()).into(),
            ],
        )?;
        Ok(())
    }

    /// What the list is to show.
    #[must_use]
    pub fn listing(&self, customer_id: &CustomerId, record: &Record) -> Listing {
        let shown = (record.status != Status::Erased).then_some(Shown {
            created_at: record.created_at,
            status: record.status,
            plan: record.plan,
            email_index: self.email_index,
        });
        Listing {
            customer_id: customer_id.clone(),
            rev: self.rev,
            shown,
        }
    }
}

/// Has the list told that status, plan or e-mail have changed. Call it in the turn that changes them.
///
/// # Errors
/// `internal_error` from the engine.
pub fn relist(turn: &Turn<'_>, memory: &mut Memory) -> Result<()> {
    let account = &mut memory.account;
    account.rev = account.rev.saturating_add(1);
    account.save(turn.sql)?;
    let notice = outbox::Kind::List { rev: account.rev };
    memory.outbox.put(turn.sql, &notice, turn.now)
}

/// The first thing that a command does which sets the e-mail, after it has checked everything else and before it
/// writes anything. `claimed` is what came of the claim when the request comes again.
///
/// # Errors
/// `email_taken`, or `internal_error` from the engine.
pub fn prepare(
    turn: &Turn<'_>,
    memory: &mut Memory,
    email: &Email,
    claimed: Option<&Claimed>,
) -> Result<Prepared> {
    let index = turn.config.index.email(email.as_str())?;
    if memory.account.has_claimed(&index) {
        give_up(turn, memory)?;
        return Ok(Prepared::Keep);
    }
    if let Some(claimed) = claimed.filter(|claimed| claimed.wanted.index == index) {
        return back(turn, memory, claimed);
    }
    wish(turn, memory, index).map(Prepared::Wait)
}

/// Writes the wish for an e-mail down. From then on the claim of it is this customer's to keep, until the wish comes
/// true or is given up.
///
/// # Errors
/// `internal_error` from the engine.
pub fn wish(turn: &Turn<'_>, memory: &mut Memory, index: EmailIndex) -> Result<Wanted> {
    let attempt = match &memory.account.pending {
        // Both wish for the same, and the claim is good for both.
        Some(pending) if pending.index == index => pending.attempt,
        // A later wish takes over from an earlier one.
        _ => {
            give_up(turn, memory)?;
            memory.account.last_attempt.saturating_add(1)
        }
    };
    memory.account.last_attempt = attempt;
    memory.account.pending = Some(Pending {
        index,
        attempt,
        since: turn.now,
    });
    memory.account.save(turn.sql)?;
    Ok(Wanted { index, attempt })
}

/// Another customer has what was wanted: the wish is over, if it is still this one.
///
/// # Errors
/// `internal_error` from the engine.
pub fn forgo(turn: &Turn<'_>, memory: &mut Memory, wanted: &Wanted) -> Result<()> {
    if memory.account.wants(wanted) {
        memory.account.pending = None;
        memory.account.save(turn.sql)?;
    }
    Ok(())
}

/// The claim of the customer's own e-mail was taken under a later attempt than it knew of, while it was made: it is
/// that claim that will have to be released one day.
///
/// # Errors
/// `internal_error` from the engine.
pub fn renewed(turn: &Turn<'_>, memory: &mut Memory, wanted: &Wanted) -> Result<()> {
    let account = &mut memory.account;
    if account.has_claimed(&wanted.index) && account.email_attempt < wanted.attempt {
        account.email_attempt = wanted.attempt;
        account.last_attempt = account.last_attempt.max(wanted.attempt);
        account.save(turn.sql)?;
    }
    Ok(())
}

/// The claim is held for a wish that is over: it is released, unless the customer has or wants that e-mail all the
/// same.
///
/// # Errors
/// `internal_error` from the engine.
pub fn let_go(turn: &Turn<'_>, memory: &mut Memory, wanted: &Wanted) -> Result<()> {
    if memory.account.holds(&wanted.index) {
        return Ok(());
    }
    let notice = outbox::Kind::Release {
        index: wanted.index,
        attempt: wanted.attempt,
    };
    memory.outbox.put(turn.sql, &notice, turn.now)
}

/// The second phase: the claim was asked for.
fn back(turn: &Turn<'_>, memory: &mut Memory, claimed: &Claimed) -> Result<Prepared> {
    let wanted = &claimed.wanted;
    if !claimed.held {
        forgo(turn, memory, wanted)?;
        return Err(Error::new(Code::EmailTaken, "Another customer has this e-mail."));
    }
    if memory.account.wants(wanted) {
        return Ok(Prepared::Take(wanted.clone()));
    }
    // Another wish has taken over meanwhile, or it took too long: whoever wished tries again. Were it begun anew here,
    // two could take over from each other for ever.
    let_go(turn, memory, wanted)?;
    Ok(Prepared::Wait(wanted.clone()))
}

/// The customer has this e-mail from now on, and the claim of the old one is released. The e-mail in the record's
/// profile is for the command to write.
///
/// # Errors
/// `internal_error` from the engine.
pub fn take(turn: &Turn<'_>, memory: &mut Memory, wanted: &Wanted) -> Result<()> {
    let account = &mut memory.account;
    let old = account.email_index.filter(|_| account.email_claimed);
    let attempt = account.email_attempt;
    account.email_index = Some(wanted.index);
    account.email_claimed = true;
    account.email_attempt = wanted.attempt;
    account.pending = None;
    if let Some(index) = old.filter(|old| *old != wanted.index) {
        let notice = outbox::Kind::Release { index, attempt };
        memory.outbox.put(turn.sql, &notice, turn.now)?;
    }
    relist(turn, memory)
}

/// The customer has this e-mail from now on although another one holds its claim, as only records of an older service
/// can say, and the claim of the old one is released.
///
/// # Errors
/// `internal_error` from the engine.
pub fn take_unclaimed(turn: &Turn<'_>, memory: &mut Memory, index: EmailIndex) -> Result<()> {
    let account = &mut memory.account;
    let old = account.email_index.filter(|_| account.email_claimed);
    let attempt = account.email_attempt;
    account.email_index = Some(index);
    account.email_claimed = false;
    if let Some(index) = old {
        let notice = outbox::Kind::Release { index, attempt };
        memory.outbox.put(turn.sql, &notice, turn.now)?;
    }
    relist(turn, memory)
}

/// Gives up the wish for another e-mail, if there is one. The claim may be under way: it is released, and should it
/// come later still, whoever asks for that e-mail next finds that this customer does not want it.
///
/// # Errors
/// `internal_error` from the engine.
pub fn give_up(turn: &Turn<'_>, memory: &mut Memory) -> Result<()> {
    let Some(Pending { index, attempt, .. }) = memory.account.pending.take() else {
        return Ok(());
    };
    memory.account.save(turn.sql)?;
    let notice = outbox::Kind::Release { index, attempt };
    memory.outbox.put(turn.sql, &notice, turn.now)
}
