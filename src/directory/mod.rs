//! The brain of the directory's objects, pure and synchronous like the customer's: who has which e-mail
//! ([`claims`]), and the list of customers ([`list`]). Both are sharded, [`shard`] says how; each object is one shard
//! of one of them. It holds ids, blind indexes, status, plan and times, no other personal data.
//!
//! The directory decides nothing about a customer: it only keeps that one id may claim an e-mail at a time. That at
//! the end exactly one customer has it is the work of [`ensure`] and [`change`].

pub mod change;
pub mod claims;
pub mod ensure;
pub mod errand;
pub mod list;
pub mod moving;
pub mod shard;

use crate::error::{Code, Error, Result};
use crate::sql::{Migration, Sql, is_initialised, migrate};
use errand::{Answer, Errand, What};
use shard::{Kind, Shard};

/// The schema of a directory's object.
pub const MIGRATIONS: &[Migration] = &[Migration {
    number: 1,
    script: include_str!("../../migrations/directory/0001_directory.sql"),
}];

/// One shard.
#[derive(Debug)]
pub struct Directory {
    shard: Shard,
    /// With how many shards the stored one was made, once that is known.
    made_with: Option<u32>,
}

impl Directory {
    /// The shard that the object of that name holds.
    ///
    /// # Errors
    /// `internal_error` if that is no shard's name.
    pub fn new(name: &str) -> Result<Self> {
        Ok(Self {
            shard: Shard::parse(name).ok_or_else(|| Error::fault("no name of a shard"))?,
            made_with: None,
        })
    }

    /// Forgets what was read, because a transaction that it came from was rolled back.
    pub fn forget(&mut self) {
        self.made_with = None;
    }

    /// Whether the first shard is to be asked ([`What::Agree`]) before this errand is carried out, because this shard is
    /// to hold something for the first time: were the number of shards another one by mistake, an empty shard alone
    /// could not know.
    ///
    /// # Errors
    /// As [`Directory::handle`].
    pub fn asks_first(&mut self, sql: &dyn Sql, errand: &Errand) -> Result<bool> {
        Ok(self.shard != Shard::FIRST && errand.what.writes() && !self.is_ready(sql, errand.shards)?)
    }

    /// Carries out one errand inside the caller's transaction. Asking writes nothing. Every errand can be repeated.
    ///
    /// # Errors
    /// `not_ready` if the shard was made for another number of shards; else faults, after which the transaction must
    /// be rolled back.
    pub fn handle(&mut self, sql: &dyn Sql, errand: &Errand) -> Result<Answer> {
        if !self.is_mine(errand) {
            return Err(Error::fault("the errand is for another shard"));
        }
        if !self.is_ready(sql, errand.shards)? {
            if !errand.what.writes() {
                return Ok(errand.what.of_nothing());
            }
            migrate(sql, MIGRATIONS)?;
            sql.exec(
                "INSERT INTO shard (one, shards) VALUES (1, ?)",
                &[i64::from(errand.shards).into()],
            )?;
            self.made_with = Some(errand.shards);
        }
        Ok(match &errand.what {
            What::Look { index } => Answer::Claim(claims::look(sql, index)?),
            What::Claim {
                index,
                candidate,
                attempt,
            } => Answer::Claim(Some(claims::claim(sql, index, candidate, *attempt)?)),
            What::Release {
                index,
                holder,
                attempt,
            } => {
                claims::release(sql, index, holder, *attempt)?;
                Answer::Done
            }
            What::Put(listing) => {
                list::put(sql, listing)?;
                Answer::Done
            }
            What::Page(query) => Answer::Page(list::page(sql, query)?),
            What::Has { customer } => Answer::Has(list::has(sql, customer)?),
            What::Agree => Answer::Done,
        })
    }

    fn is_mine(&self, errand: &Errand) -> bool {
        let shards = errand.shards;
        match &errand.what {
            What::Look { index } | What::Claim { index, .. } | What::Release { index, .. } => {
                self.shard == Shard::of_email(index, shards)
            }
            What::Put(listing) => self.shard == Shard::of_customer(&listing.customer_id, shards),
            What::Has { customer } => self.shard == Shard::of_customer(customer, shards),
            What::Agree => self.shard == Shard::FIRST,
            What::Page(_) => self.shard.kind == Kind::List && self.shard.number < shards,
        }
    }

    /// Whether the shard has its tables, made for this number of shards.
    fn is_ready(&mut self, sql: &dyn Sql, shards: u32) -> Result<bool> {
        if self.made_with.is_none() && is_initialised(sql)? {
            migrate(sql, MIGRATIONS)?;
            let rows = sql.exec("SELECT shards FROM shard WHERE one = 1", &[])?;
            let made_with = rows.first().map(|row| row.integer(0)).transpose()?;
            self.made_with = made_with.and_then(|number| u32::try_from(number).ok());
        }
        match self.made_with {
            None => Ok(false),
            Some(made_with) if made_with == shards => Ok(true),
            Some(made_with) => {
                let told = "DIRECTORY_SHARDS is not what the directory was made with.";
                let reason = format!("DIRECTORY_SHARDS is {shards}; the directory was made with {made_with}");
                Err(Error::new(Code::NotReady, told).because(reason))
            }
        }
    }
}
