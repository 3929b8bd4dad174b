//! What a shard of the directory can be asked, and what it answers. Every errand may be lost, repeated and come late.

use crate::directory::claims::Claim;
use crate::directory::list::{Listing, Page, Query};
use crate::directory::shard::Shard;
use crate::email::EmailIndex;
use crate::types::CustomerId;
use serde::{Deserialize, Serialize};

/// One errand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Errand {
    /// `DIRECTORY_SHARDS` of whoever asks; the shard refuses another than its own.
    pub shards: u32,
    /// What is asked.
    pub what: What,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum What {
    /// Who holds this e-mail?
    Look {
        /// The e-mail.
        index: EmailIndex,
    },
    /// Let `candidate` hold it unless somebody does.
    Claim {
        /// The e-mail.
        index: EmailIndex,
        /// For whom.
        candidate: CustomerId,
        /// The candidate's own count.
        attempt: i64,
    },
    /// `holder` does not hold it, unless it has claimed it again since.
    Release {
        /// The e-mail.
        index: EmailIndex,
        /// Who held it.
        holder: CustomerId,
        /// Up to which of its attempts.
        attempt: i64,
    },
    /// This is what the list shall show of a customer.
    Put(Listing),
    /// A page of the list.
    Page(Query),
    /// Is this a customer, and not an erased one?
    Has {
        /// Its id.
        customer: CustomerId,
    },
    /// Is this the number of shards? It is from now on, if nothing was stored yet. For the first shard alone.
    Agree,
}

impl What {
    /// Whether it may change something.
    #[must_use]
    pub const fn writes(&self) -> bool {
        matches!(
            self,
            Self::Claim { .. } | Self::Release { .. } | Self::Put(_) | Self::Agree
        )
    }

    /// What a shard answers in which there is nothing yet.
    #[must_use]
    pub fn of_nothing(&self) -> Answer {
        match self {
            Self::Look { .. } => Answer::Claim(None),
            Self::Page(_) => Answer::Page(Page::default()),
            Self::Has { .. } => Answer::Has(false),
            Self::Claim { .. } | Self::Release { .. } | Self::Put(_) | Self::Agree => Answer::Done,
        }
    }

    /// Which shard it is for; None for a page, of which each shard of the list has one.
    #[must_use]
    pub fn shard(&self, shards: u32) -> Option<Shard> {
        match self {
            Self::Look { index } | Self::Claim { index, .. } | Self::Release { index, .. } => {
                Some(Shard::of_email(index, shards))
            }
            Self::Put(listing) => Some(Shard::of_customer(&listing.customer_id, shards)),
            Self::Has { customer } => Some(Shard::of_customer(customer, shards)),
            Self::Agree => Some(Shard::FIRST),
            Self::Page(_) => None,
        }
    }
}

/// What a shard answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Who holds the e-mail now.
    Claim(Option<Claim>),
    /// A page.
    Page(Page),
    /// Whether it is one.
    Has(bool),
    /// It is done.
    Done,
}
