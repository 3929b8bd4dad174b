//! Which object of the directory holds what. The number of shards is part of the address of everything, so it is
//! fixed once a deployment has customers; each shard remembers it.

use crate::email::EmailIndex;
use crate::types::CustomerId;
use sha2::{Digest, Sha256};
use std::fmt;

/// Most shards of a kind.
pub const MAX_SHARDS: u32 = 1024;

/// What a shard holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Claims of e-mails.
    Claims,
    /// Customers.
    List,
}

/// One shard; its `Display` is the name of its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Shard {
    /// What it holds.
    pub kind: Kind,
    /// From 0.
    pub number: u32,
}

impl Shard {
    /// The one that every other asks before it holds anything, so that none is made with another number of shards.
    pub const FIRST: Self = Self {
        kind: Kind::Claims,
        number: 0,
    };

    /// Where the claim of this e-mail is kept.
    #[must_use]
    pub fn of_email(index: &EmailIndex, shards: u32) -> Self {
        Self {
            kind: Kind::Claims,
            number: number(index.as_bytes(), shards),
        }
    }

    /// Where this customer is listed. By a hash, because ids that we did not mint may be alike.
    #[must_use]
    pub fn of_customer(customer: &CustomerId, shards: u32) -> Self {
        Self {
            kind: Kind::List,
            number: number(&Sha256::digest(customer.as_str()).into(), shards),
        }
    }

    /// All shards of the list.
    pub fn all_of_list(shards: u32) -> impl Iterator<Item = Self> {
        (0..shards).map(|number| Self {
            kind: Kind::List,
            number,
        })
    }

    /// The shard whose object has that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let (kind, number) = name.split_once('-')?;
        let kind = match kind {
            "claims" => Kind::Claims,
            "list" => Kind::List,
            _ => return None,
        };
        let number = number.parse().ok().filter(|number| *number < MAX_SHARDS)?;
        let shard = Self { kind, number };
        (shard.to_string() == name).then_some(shard)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Claims => "claims",
            Kind::List => "list",
        };
        write!(f, "{kind}-{}", self.number)
    }
}

/// The first eight bytes as a number, modulo the number of shards.
fn number(hash: &[u8; 32], shards: u32) -> u32 {
    let first = hash.first_chunk::<8>().copied().unwrap_or_default();
    let rest = u64::from_be_bytes(first).checked_rem(u64::from(shards));
    rest.and_then(|rest| u32::try_from(rest).ok()).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn places_are_unchanged() {
        let index = EmailIndex::new([0xa5; 32]);
        assert_eq!(Shard::of_email(&index, 16).to_string(), "claims-5");
        assert_eq!(Shard::of_email(&index, 1000).to_string(), "claims-45");
        let customer = CustomerId::parse("cust_acme").unwrap();
        assert_eq!(Shard::of_customer(&customer, 16).to_string(), "list-8");
        assert_eq!(Shard::of_customer(&customer, 1).to_string(), "list-0");
    }

    #[test]
    fn a_name_is_that_of_one_shard() {
        for name in ["claims-0", "claims-15", "list-1023"] {
            assert_eq!(Shard::parse(name).unwrap().to_string(), name);
        }
        for name in [
            "",
            "claims",
            "claims-",
            "claims-00",
            "list-+1",
            "list-1024",
            "cust-1",
            "list-1-1",
        ] {
            assert_eq!(Shard::parse(name), None, "{name}");
        }
    }

    #[test]
    fn customers_spread_over_all_shards() {
        let mut counts = [0_u32; 16];
        for n in 0..1600 {
            let id = CustomerId::parse(&format!("cust_{n}")).unwrap();
            let shard = Shard::of_customer(&id, 16);
            *counts.get_mut(shard.number as usize).unwrap() += 1;
        }
        assert!(
            counts.iter().all(|count| (60..=140).contains(count)),
            "{counts:?}"
        );
    }
}
