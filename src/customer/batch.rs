//! Group commit: the requests that have arrived at an object run one after the other inside one transaction. Where one
//! of them fails all is undone and run once more, each in a savepoint of its own, so that it rolls back alone: a
//! savepoint costs more than what most requests write, and failures (refusals are none) are rare. If the transaction
//! itself cannot commit, every one of them failed, because none may be answered before it is durable.

use crate::customer::Customer;
use crate::customer::request::{Answered, Request};
use crate::entropy::Entropy;
use crate::error::{Error, Result};
use crate::sql::Sql;
use crate::types::Timestamp;

/// Most requests of one transaction. Bounds how long an object is busy in one turn, and what one failing
/// commit takes with it.
pub const MAX_REQUESTS: usize = 256;

/// After so many batches of one request each, the next one is expected to be alone, too.
pub const LONELY_BATCHES: u32 = 8;
/// Of so many requests that are expected to be alone, one waits for company all the same.
pub const PROBE_EVERY: u32 = 16;

/// Whether waiting for neighbours is worth it: a turn of the platform's loop costs who is alone a twentieth of its time.
#[derive(Debug, Default, Clone, Copy)]
pub struct Company {
    /// Batches of one request since the last of more.
    alone: u32,
}

impl Company {
    /// Whether the next request should wait for others.
    #[must_use]
    pub const fn is_expected(self) -> bool {
        self.alone < LONELY_BATCHES || self.alone.is_multiple_of(PROBE_EVERY)
    }

    /// A batch of so many has run.
    pub const fn met(&mut self, requests: usize) {
        self.alone = match requests {
            0 => self.alone,
            // Far from the end it begins again where a probe is due.
            1 => match self.alone.checked_add(1) {
                Some(alone) => alone,
                None => PROBE_EVERY,
            },
            _ => 0,
        };
    }

    /// Several have come together.
    pub const fn came(&mut self) {
        self.alone = 0;
    }
}

/// Carries out the requests in their order and answers each in the same place.
pub fn run(
    customer: &mut Customer,
    sql: &dyn Sql,
    requests: &[Request],
    now: Timestamp,
    entropy: &mut dyn Entropy,
) -> Vec<Result<Answered>> {
    let mut replies = Vec::with_capacity(requests.len());
    let mut has_failed = false;
    let committed = sql.transaction(&mut || {
        for request in requests {
            let reply = customer.handle(sql, request, now, entropy);
            has_failed = reply.is_err();
            replies.push(Ok(reply?));
        }
        Ok(())
    });
    let Err(error) = committed else {
        return replies;
    };
    customer.forget();
    // A transaction is a savepoint already: who is alone has rolled back alone.
    if has_failed && requests.len() > 1 {
        return run_apart(customer, sql, requests, now, entropy);
    }
    vec![Err(error); requests.len()]
}

/// The same, each in a savepoint.
fn run_apart(
    customer: &mut Customer,
    sql: &dyn Sql,
    requests: &[Request],
    now: Timestamp,
    entropy: &mut dyn Entropy,
) -> Vec<Result<Answered>> {
    let mut replies = Vec::with_capacity(requests.len());
    let committed = sql.transaction(&mut || {
        for request in requests {
            let mut reply = Err(Error::fault("the savepoint did not run"));
            let released = sql.transaction(&mut || {
                reply = customer.handle(sql, request, now, entropy);
                reply.as_ref().map(|_| ()).map_err(Clone::clone)
            });
            if let Err(error) = released {
                customer.forget();
                reply = Err(error);
            }
            replies.push(reply);
        }
        Ok(())
    });
    if let Err(error) = committed {
        customer.forget();
        replies.clear();
        replies.resize(requests.len(), Err(error));
    }
    replies
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn company_is_expected_until_none_has_come_for_a_while_and_then_now_and_again() {
        let mut company = Company::default();
        for _ in 0..LONELY_BATCHES {
            assert!(company.is_expected());
            company.met(1);
        }
        let waits = |company: &mut Company| {
            let waits = company.is_expected();
            company.met(1);
            waits
        };
        let waited = (0..10 * PROBE_EVERY).filter(|_| waits(&mut company)).count();
        assert_eq!(waited, 10);
        company.met(0);
        while !company.is_expected() {
            company.met(1);
        }
        // The one that waited has met somebody.
        company.met(2);
        assert!((0..LONELY_BATCHES).all(|_| waits(&mut company)));
        assert!(!company.is_expected());
        company.came();
        assert!(company.is_expected());
    }

    #[test]
    fn counting_who_is_alone_has_no_end() {
        let mut company = Company { alone: u32::MAX };
        company.met(1);
        assert!(company.is_expected());
        company.met(1);
        assert!(!company.is_expected());
    }
}
