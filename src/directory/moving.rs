//! Moving the records of one customer in: which errands are run, in which order, by whoever does it. No errand is run
//! here: [`Moving::step`] takes what the last one was answered and says what to ask next. It may stop anywhere and be
//! begun anew by anyone.
//!
//! 1. The customer's object is asked to take the records. It does, or says which e-mail it must have claimed first.
//! 2. The e-mail is claimed for it.
//! 3. If somebody else holds it, that customer is asked whether it gives it up: because it is younger, moved in as
//!    well, and nobody has touched it since; or because it does not want the e-mail at all. An id that is nothing yet,
//!    and of which somebody began to make a customer, stands aside. Then the claim is released and 2 comes again, at
//!    most [`MAX_ROUNDS`] times.
//! 4. The object is asked again, with what came of the claim. It takes the records either way, unless another change
//!    of its e-mail is under way.
//! 5. A claim that it found no use for after all is released.
//!
//! A claim whose holder is nothing yet and moves in itself stays: there are records of that customer.

use crate::customer::account::{CREATED, Claimed, Wanted};
use crate::customer::errand::{self, By, Errand, Standing};
use crate::customer::moving::{Import, Moved, Taken};
use crate::directory::change::stand_aside;
use crate::directory::claims::Claim;
use crate::directory::ensure::contended;
use crate::directory::errand::{Answer, What};
use crate::error::{Error, Result};
use crate::legacy::Record;
use crate::types::{CustomerId, Timestamp};

/// Most times that a claim is asked for.
pub const MAX_ROUNDS: u32 = 8;

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask an id's object.
    Customer(Errand),
    /// Ask the shard of the directory whose matter it is.
    Directory(What),
    /// It is done: what each record came to, in their order.
    Done(Vec<Taken>),
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// By an id's object.
    Customer(errand::Answer),
    /// By the directory.
    Directory(Answer),
}

/// How far it is.
#[derive(Debug)]
enum At {
    Start,
    Importing(Option<Claimed>),
    Claiming(Wanted, Timestamp),
    Ceding(Wanted, Timestamp, Claim),
    Releasing(Wanted, Timestamp),
    Ending(Vec<Taken>),
}

/// The records of one customer on their way.
#[derive(Debug)]
pub struct Moving {
    customer: CustomerId,
    records: Vec<Record>,
    by: By,
    rounds: u32,
    at: At,
}

impl Moving {
    /// Begins.
    #[must_use]
    pub const fn new(customer: CustomerId, records: Vec<Record>, by: By) -> Self {
        Self {
            customer,
            records,
            by,
            rounds: 0,
            at: At::Start,
        }
    }

    /// What to do next, after the last step was answered; nothing was before the first.
    ///
    /// # Errors
    /// `unavailable` while the customer's e-mail is being changed otherwise; `internal_error` for an answer to
    /// something else.
    pub fn step(&mut self, heard: Option<Heard>) -> Result<Step> {
        let at = std::mem::replace(&mut self.at, At::Start);
        match (at, heard) {
            (At::Start, None) => Ok(self.import(None)),
            (At::Importing(claimed), Some(Heard::Customer(errand::Answer::Moved(moved)))) => {
                self.moved(claimed, moved)
            }
            (At::Claiming(wanted, created_at), Some(Heard::Directory(Answer::Claim(Some(claim))))) => {
                Ok(self.claimed(wanted, created_at, claim))
            }
            (At::Ceding(wanted, created_at, claim), Some(Heard::Customer(answer))) => {
                Ok(self.answered(wanted, created_at, claim, &answer))
            }
            (At::Releasing(wanted, created_at), Some(Heard::Directory(_))) => {
                Ok(self.claim(wanted, created_at))
            }
            (At::Ending(results), Some(Heard::Directory(_))) => Ok(Step::Done(results)),
            _ => Err(Error::fault("an answer to another errand")),
        }
    }

    fn import(&mut self, claimed: Option<Claimed>) -> Step {
        self.at = At::Importing(claimed.clone());
        Step::Customer(Errand {
            customer: self.customer.clone(),
            what: errand::What::Import(Box::new(Import {
                records: self.records.clone(),
                claimed,
                by: self.by.clone(),
            })),
        })
    }

    fn moved(&mut self, claimed: Option<Claimed>, moved: Moved) -> Result<Step> {
        let held = claimed.filter(|claimed| claimed.held);
        Ok(match moved {
            Moved::Busy => return Err(contended("another change of the customer's e-mail is under way")),
            Moved::Wants { wanted, created_at } => self.claim(wanted, created_at),
            Moved::Results {
                results,
                claimed: false,
            } if held.is_some() => {
                let what = held.map(|claimed| What::Release {
                    index: claimed.wanted.index,
                    holder: self.customer.clone(),
                    attempt: claimed.wanted.attempt,
                });
                match what {
                    Some(what) => {
                        self.at = At::Ending(results);
                        Step::Directory(what)
                    }
                    None => Step::Done(results),
                }
            }
            Moved::Results { results, .. } => Step::Done(results),
        })
    }

    fn claim(&mut self, wanted: Wanted, created_at: Timestamp) -> Step {
        self.rounds = self.rounds.saturating_add(1);
        if self.rounds > MAX_ROUNDS {
            return self.import(Some(Claimed { wanted, held: false }));
        }
        let what = What::Claim {
            index: wanted.index,
            candidate: self.customer.clone(),
            attempt: wanted.attempt,
        };
        self.at = At::Claiming(wanted, created_at);
        Step::Directory(what)
    }

    fn claimed(&mut self, wanted: Wanted, created_at: Timestamp, claim: Claim) -> Step {
        if claim.holder == self.customer {
            return self.import(Some(Claimed { wanted, held: true }));
        }
        let errand = Errand {
            customer: claim.holder.clone(),
            what: errand::What::Cede {
                index: wanted.index,
                rival: self.customer.clone(),
                created_at,
                by: Box::new(self.by.clone()),
            },
        };
        self.at = At::Ceding(wanted, created_at, claim);
        Step::Customer(errand)
    }

    fn answered(
        &mut self,
        wanted: Wanted,
        created_at: Timestamp,
        claim: Claim,
        answer: &errand::Answer,
    ) -> Step {
        use errand::Answer::{Ceded, Is, NotMine};
        if *answer == NotMine(Standing::Absent) && claim.attempt == CREATED {
            let aside = stand_aside(&claim, wanted.index);
            self.at = At::Ceding(wanted, created_at, claim);
            return Step::Customer(aside);
        }
        let is_free = matches!(
            answer,
            Ceded
                | Is(Standing::Alias(_) | Standing::Erased | Standing::Customer { holds: false })
                | NotMine(Standing::Alias(_) | Standing::Erased | Standing::Customer { holds: false })
        );
        if !is_free {
            return self.import(Some(Claimed { wanted, held: false }));
        }
        let what = What::Release {
            index: wanted.index,
            holder: claim.holder,
            attempt: claim.attempt,
        };
        self.at = At::Releasing(wanted, created_at);
        Step::Directory(what)
    }
}
