//! Errands to an id that is no customer: nothing yet, an alias, or one that stood aside.

use super::MIGRATIONS;
use super::aliases;
use super::errand::{Answer, ENSURE, Standing, What};
use super::memory::Memory;
use super::moving::Moved;
use super::turn::Turn;
use crate::caller::Caller;
use crate::email::EmailIndex;
use crate::error::{Error, Result};
use crate::legacy::outcome::{Outcome, Word};
use crate::sql::{is_initialised, migrate};

impl Turn<'_> {
    /// An errand to an id that is no customer.
    ///
    /// # Errors
    /// Only faults.
    pub fn run_errand_absent(&mut self, what: &What) -> Result<(Option<Memory>, Answer)> {
        let answer = match what {
            What::Look { index, .. } => Answer::Is(self.standing(index.as_ref())?),
            What::Create(create) => match self.standing(create.index.as_ref())? {
                Standing::Absent => {
                    let mut memory = self.create(create)?;
                    if matches!(create.by.caller, Caller::Service(_)) {
                        memory.counters.count(ENSURE, "ok", self.now);
                    }
                    self.remember_made(&mut memory, &create.by)?;
                    return Ok((Some(memory), Answer::Created));
                }
                other => Answer::NotMine(other),
            },
            What::Bind {
                index,
                target,
                instead_of,
            } => {
                if target == self.id {
                    return Err(Error::fault("an id cannot stand for itself"));
                }
                migrate(self.sql, MIGRATIONS)?;
                match aliases::bind(self.sql, index, target, instead_of.as_ref())? {
                    Some(customer) => Answer::Bound(customer),
                    None => Answer::Full,
                }
            }
            What::Import(import) => {
                let is_free = match self.standing(None)? {
                    Standing::Absent => true,
                    Standing::Alias(_) => !aliases::is_alias(self.sql)?,
                    Standing::Customer { .. } | Standing::Erased => false,
                };
                let (memory, moved) = if is_free {
                    self.import_absent(import)?
                } else {
                    (None, Moved::all(import, Outcome::Conflict, Word::Alias))
                };
                return Ok((memory, Answer::Moved(moved)));
            }
            What::StandAside { index } => {
                if self.standing(Some(index))? == Standing::Absent {
                    migrate(self.sql, MIGRATIONS)?;
                    aliases::stand_aside(self.sql)?;
                }
                Answer::Is(self.standing(Some(index))?)
            }
            What::Cede { index, .. } => Answer::NotMine(self.standing(Some(index))?),
            What::AddAlias { index, .. } => Answer::Is(self.standing(Some(index))?),
            What::CheckToken { .. } => Answer::Noted,
            What::Show { .. } | What::Rewrap => Answer::Is(self.standing(None)?),
            What::DropAlias { customer } => {
                migrate(self.sql, MIGRATIONS)?;
                aliases::erase(self.sql, customer)?;
                Answer::Noted
            }
        };
        Ok((None, answer))
    }

    /// What this id is, which is no customer. Writes nothing.
    ///
    /// # Errors
    /// `internal_error` from the engine.
    pub fn standing(&self, index: Option<&EmailIndex>) -> Result<Standing> {
        if !is_initialised(self.sql)? {
            return Ok(Standing::Absent);
        }
        let target = match index {
            Some(index) => aliases::target(self.sql, index)?,
            None => None,
        };
        if target.is_none() && aliases::was_erased(self.sql, None)? {
            return Ok(Standing::Erased);
        }
        if !aliases::is_alias(self.sql)? && !aliases::stood_aside(self.sql)? {
            return Ok(Standing::Absent);
        }
        Ok(Standing::Alias(target))
    }
}
