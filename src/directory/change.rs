//! Claiming an e-mail for a customer that wants to change to it: as a state machine that does no I/O, like
//! [`crate::directory::ensure`]. What goes before and after is the customer's own object's to decide
//! ([`crate::customer::account`]).
//!
//! 1. The claim is taken, or somebody holds it.
//! 2. Whoever holds it is asked whether it does still: a customer that has this e-mail or wants it keeps it, and so
//!    does an id that is about to move in. From any other, which is left over from an errand that came late, the claim
//!    is taken away, and all begins anew.
//! 3. An id that is nothing yet, and of which somebody began to make a customer, stands aside first
//!    ([`Tell::StandAside`]), so that whoever began and comes late does not make it.

use crate::customer::account::{CREATED, Wanted};
use crate::customer::errand::{Answer as Said, Errand, Standing, What as Tell};
use crate::directory::claims::Claim;
use crate::directory::ensure::{Ask, Heard, contended, unexpected};
use crate::directory::errand::{Answer as Kept, What};
use crate::email::EmailIndex;
use crate::error::Result;
use crate::types::CustomerId;

/// Most left-over claims that are taken away in one run.
pub const MAX_ROUNDS: u32 = 4;

/// How it goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Something is to be asked.
    Ask(Ask),
    /// It is done: whether this customer holds the claim now.
    Done(bool),
}

/// One run.
#[derive(Debug)]
pub struct Change {
    own: CustomerId,
    wanted: Wanted,
    state: State,
    round: u32,
}

#[derive(Debug, Clone)]
enum State {
    Claim,
    Look(Claim),
    Release,
}

impl Change {
    /// A run for the customer `own`, and what it asks first.
    #[must_use]
    pub fn start(own: CustomerId, wanted: Wanted) -> (Self, Ask) {
        let change = Self {
            own,
            wanted,
            state: State::Claim,
            round: 0,
        };
        let ask = change.claim();
        (change, ask)
    }

    /// What follows from an answer.
    ///
    /// # Errors
    /// `unavailable` after [`MAX_ROUNDS`]; a fault for an answer to something else.
    pub fn step(&mut self, heard: Heard) -> Result<Step> {
        match (self.state.clone(), heard) {
            (State::Claim, Heard::Directory(Kept::Claim(Some(claim)))) => {
                if claim.holder == self.own {
                    return Ok(Step::Done(true));
                }
                let look = Errand {
                    customer: claim.holder.clone(),
                    what: Tell::Look {
                        index: Some(self.wanted.index),
                        by: None,
                    },
                };
                self.state = State::Look(claim);
                Ok(Step::Ask(Ask::Customer(Box::new(look))))
            }
            (State::Look(claim), Heard::Customer(Said::Is(standing))) => Ok(match standing {
                Standing::Absent if claim.attempt == CREATED => {
                    let aside = stand_aside(&claim, self.wanted.index);
                    Step::Ask(Ask::Customer(Box::new(aside)))
                }
                Standing::Customer { holds: true } | Standing::Absent => Step::Done(false),
                Standing::Customer { holds: false } | Standing::Alias(_) | Standing::Erased => {
                    self.state = State::Release;
                    Step::Ask(Ask::Directory(What::Release {
                        index: self.wanted.index,
                        holder: claim.holder,
                        attempt: claim.attempt,
                    }))
                }
            }),
            (State::Release, Heard::Directory(Kept::Done)) => {
                self.round = self.round.saturating_add(1);
                if self.round >= MAX_ROUNDS {
                    return Err(contended("claiming an e-mail took too many rounds"));
                }
                self.state = State::Claim;
                Ok(Step::Ask(self.claim()))
            }
            _ => Err(unexpected()),
        }
    }

    fn claim(&self) -> Ask {
        Ask::Directory(What::Claim {
            index: self.wanted.index,
            candidate: self.own.clone(),
            attempt: self.wanted.attempt,
        })
    }
}

/// Has the holder of a claim, of which a customer was begun, make room.
pub(super) fn stand_aside(claim: &Claim, index: EmailIndex) -> Errand {
    Errand {
        customer: claim.holder.clone(),
        what: Tell::StandAside { index },
    }
}
