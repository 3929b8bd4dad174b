//! Ensuring an account: from a verified e-mail, and perhaps an id, to the one customer of that e-mail. A saga over
//! three kinds of objects, as a state machine that does no I/O: whoever runs it carries [`Ask`]s out and hands the
//! answers back. It may stop between any two steps and be run again by anybody, any number of times at once.
//!
//! 1. An id that is a customer is that customer, whatever its e-mail. One that was erased is gone, and so is one that
//!    stood for it. One that stands for a customer when a token carries this e-mail is that customer, as long as the
//!    customer has that e-mail.
//! 2. The e-mail's claim is taken for the id, if that is nothing yet, else for a new one; or somebody holds it.
//! 3. The holder is told to become the customer. Only the object of an id decides what the id is: it does, or is
//!    that customer already, or does not want the claim; then the claim is released and all begins anew.
//! 4. An id that is not the holder is bound to it, with this e-mail.
//!
//! A claim whose holder is nothing yet is not released here: whoever finds it makes the customer. That is how a crash
//! between 2 and 3 is mended. Another customer that wants the e-mail has the holder stand aside
//! ([`Tell::StandAside`]); then it is an alias, and 3 finds that it does not want the claim.

use crate::customer::account::CREATED;
use crate::customer::errand::{Answer as Said, By, Create, Errand, Standing, What as Tell};
use crate::customer::idempotency::Seen;
use crate::customer::profile::NewCustomer;
use crate::directory::claims::Claim;
use crate::directory::errand::{Answer as Kept, What};
use crate::email::EmailIndex;
use crate::error::{Code, Error, Result};
use crate::types::CustomerId;

/// Most rounds: each ends because a claim was stale, or because somebody else was quicker.
pub const MAX_ROUNDS: u32 = 8;

/// What is wanted.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The id that the token or the service names.
    pub named: Option<CustomerId>,
    /// The e-mail, which is verified, or a service says so.
    pub index: EmailIndex,
    /// What the customer is to be if it is made now.
    pub new: NewCustomer,
    /// For whom.
    pub by: By,
}

/// What is to be asked next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// An id's object.
    Customer(Box<Errand>),
    /// The shard whose matter it is.
    Directory(What),
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// By an id's object.
    Customer(Said),
    /// By the directory.
    Directory(Kept),
}

/// The account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ensured {
    /// Whose it is; it exists.
    pub customer_id: CustomerId,
    /// Whether it was made now, or by this very request when it came before.
    pub created: bool,
    /// Whether it was the latter.
    pub repeated: bool,
}

/// How it goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Something is to be asked.
    Ask(Ask),
    /// It is done.
    Done(Ensured),
}

/// One run.
#[derive(Debug)]
pub struct Ensure {
    wish: Wish,
    /// The id for a new customer that gets no other.
    minted: CustomerId,
    state: State,
    round: u32,
    /// The customer that this run made.
    made: Option<CustomerId>,
    /// Whether a run before did, of the same request.
    is_repeated: bool,
    /// For whom the named id stood before: a customer that has another e-mail since.
    instead_of: Option<CustomerId>,
}

#[derive(Debug, Clone)]
enum State {
    LookNamed(CustomerId),
    LookTarget(CustomerId),
    Claim,
    Create(Claim),
    Release(After),
    AddAlias(CustomerId),
    Bind(CustomerId),
}

/// What follows the release of a stale claim.
#[derive(Debug, Clone)]
enum After {
    Again,
    /// The id for a new customer had to stand aside: whoever comes next has another.
    Busy,
    Done(CustomerId),
    Gone,
}

impl Ensure {
    /// A run, and what it asks first. `minted` is an id that nobody has.
    #[must_use]
    pub fn start(wish: Wish, minted: CustomerId) -> (Self, Ask) {
        let mut ensure = Self {
            wish,
            minted,
            state: State::Claim,
            round: 0,
            made: None,
            is_repeated: false,
            instead_of: None,
        };
        let ask = ensure.begin();
        (ensure, ask)
    }

    /// What follows from an answer.
    ///
    /// # Errors
    /// `customer_erased` if the named id was erased; `idempotency_key_reused`; `unavailable` after [`MAX_ROUNDS`]; a fault for an answer to
    /// something else.
    pub fn step(&mut self, heard: Heard) -> Result<Step> {
        if heard == Heard::Customer(Said::Reused) {
            return Err(Seen::reused());
        }
        match (self.state.clone(), heard) {
            (State::LookNamed(id) | State::LookTarget(id), Heard::Customer(Said::Made)) => {
                self.was_made_before(&id);
                Ok(self.done(id))
            }
            (State::LookNamed(named), Heard::Customer(Said::Is(standing))) => self.named_is(named, standing),
            (State::LookTarget(target), Heard::Customer(Said::Is(standing))) => {
                match standing {
                    Standing::Customer { holds: true } => return Ok(self.done(target)),
                    Standing::Erased => return Err(gone()),
                    // It has another e-mail by now.
                    Standing::Customer { holds: false } | Standing::Alias(_) | Standing::Absent => {}
                }
                self.instead_of = Some(target);
                Ok(Step::Ask(self.claim_for(self.minted.clone())))
            }
            (State::Claim, Heard::Directory(Kept::Claim(Some(claim)))) => Ok(Step::Ask(self.create(claim))),
            (State::Create(claim), Heard::Customer(said)) => self.was_created(claim, said),
            (State::Release(after), Heard::Directory(Kept::Done)) => match after {
                After::Again => self.again(),
                After::Busy => Err(contended("the id for a new customer stood aside")),
                After::Done(customer) => Ok(self.done(customer)),
                After::Gone => Err(gone()),
            },
            (State::AddAlias(holder), Heard::Customer(said)) => match (said, self.wish.named.clone()) {
                (Said::Noted, Some(named)) => {
                    let tell = Tell::Bind {
                        index: self.wish.index,
                        target: holder.clone(),
                        instead_of: self.instead_of.clone(),
                    };
                    self.state = State::Bind(holder);
                    Ok(Step::Ask(ask(named, tell)))
                }
                (Said::Full, _) => Ok(self.done(holder)),
                (Said::Is(_), _) => self.again(),
                _ => Err(unexpected()),
            },
            (State::Bind(holder), Heard::Customer(said)) => match (said, self.wish.named.clone()) {
                (Said::Bound(bound), _) if bound != holder => self.again(),
                (Said::Bound(_) | Said::Full, _) => Ok(self.done(holder)),
                (Said::Is(Standing::Customer { .. }), Some(named)) => Ok(self.done(named)),
                (Said::Is(Standing::Erased), _) => Err(gone()),
                _ => Err(unexpected()),
            },
            _ => Err(unexpected()),
        }
    }

    /// 1. What the named id is decides what is proposed.
    fn named_is(&mut self, named: CustomerId, standing: Standing) -> Result<Step> {
        Ok(match standing {
            Standing::Customer { .. } => self.done(named),
            Standing::Erased => return Err(gone()),
            Standing::Alias(Some(target)) => {
                self.state = State::LookTarget(target.clone());
                Step::Ask(ask(
                    target,
                    Tell::Look {
                        index: Some(self.wish.index),
                        by: self.by(),
                    },
                ))
            }
            Standing::Alias(None) => Step::Ask(self.claim_for(self.minted.clone())),
            Standing::Absent => Step::Ask(self.claim_for(named)),
        })
    }

    /// 3. What the holder made of it.
    fn was_created(&mut self, claim: Claim, said: Said) -> Result<Step> {
        let standing = match said {
            Said::Created => {
                self.made = Some(claim.holder.clone());
                return Ok(self.settle(claim.holder));
            }
            Said::Made => {
                self.was_made_before(&claim.holder);
                return Ok(self.settle(claim.holder));
            }
            Said::Exists => return Ok(self.settle(claim.holder)),
            Said::NotMine(standing) => standing,
            _ => return Err(unexpected()),
        };
        let is_named = self.wish.named.as_ref() == Some(&claim.holder);
        let after = match standing {
            Standing::Customer { .. } if is_named => After::Done(claim.holder.clone()),
            Standing::Erased if is_named => After::Gone,
            Standing::Alias(_) if claim.holder == self.minted => After::Busy,
            _ => After::Again,
        };
        self.state = State::Release(after);
        Ok(Step::Ask(Ask::Directory(What::Release {
            index: self.wish.index,
            holder: claim.holder,
            attempt: claim.attempt,
        })))
    }

    /// 4. Another id than the holder's is bound to it, first with the customer, then with the id.
    fn settle(&mut self, holder: CustomerId) -> Step {
        match &self.wish.named {
            Some(named) if *named != holder => {
                let tell = Tell::AddAlias {
                    alias: named.clone(),
                    index: self.wish.index,
                };
                self.state = State::AddAlias(holder.clone());
                Step::Ask(ask(holder, tell))
            }
            _ => self.done(holder),
        }
    }

    fn begin(&mut self) -> Ask {
        match self.wish.named.clone() {
            Some(named) => {
                self.state = State::LookNamed(named.clone());
                ask(
                    named,
                    Tell::Look {
                        index: Some(self.wish.index),
                        by: self.by(),
                    },
                )
            }
            None => self.claim_for(self.minted.clone()),
        }
    }

    fn again(&mut self) -> Result<Step> {
        self.round = self.round.saturating_add(1);
        if self.round >= MAX_ROUNDS {
            return Err(contended("ensuring an account took too many rounds"));
        }
        Ok(Step::Ask(self.begin()))
    }

    fn claim_for(&mut self, candidate: CustomerId) -> Ask {
        self.state = State::Claim;
        Ask::Directory(What::Claim {
            index: self.wish.index,
            candidate,
            attempt: CREATED,
        })
    }

    fn create(&mut self, claim: Claim) -> Ask {
        let create = Create {
            index: Some(self.wish.index),
            email_claimed: true,
            attempt: claim.attempt,
            new: NewCustomer {
                customer_id: Some(claim.holder.clone()),
                ..self.wish.new.clone()
            },
            created_at: None,
            by: self.wish.by.clone(),
        };
        let holder = claim.holder.clone();
        self.state = State::Create(claim);
        ask(holder, Tell::Create(Box::new(create)))
    }

    fn by(&self) -> Option<Box<By>> {
        Some(Box::new(self.wish.by.clone()))
    }

    fn was_made_before(&mut self, customer: &CustomerId) {
        self.made = Some(customer.clone());
        self.is_repeated = true;
    }

    fn done(&self, customer_id: CustomerId) -> Step {
        Step::Done(Ensured {
            created: self.made.as_ref() == Some(&customer_id),
            repeated: self.is_repeated,
            customer_id,
        })
    }
}

fn ask(customer: CustomerId, what: Tell) -> Ask {
    Ask::Customer(Box::new(Errand { customer, what }))
}

fn gone() -> Error {
    Error::new(Code::CustomerErased, Code::CustomerErased.title())
}

/// Others are at it too.
pub(super) fn contended(reason: &'static str) -> Error {
    let told = "The account is being changed by others at this moment.";
    Error::new(Code::Unavailable, told).because(reason)
}

pub(super) fn unexpected() -> Error {
    Error::fault("an answer to another errand")
}
