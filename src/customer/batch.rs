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
