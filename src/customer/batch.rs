//! Group commit: the requests that have arrived at an object run one after the other, each in a savepoint of
//! its own, inside one transaction. A request that fails rolls back alone; if the transaction itself cannot
//! commit, every one of them failed, because none may be answered before it is durable.

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
    // A transaction is a savepoint already: one alone needs no second.
    if let [request] = requests {
        let mut reply = Err(Error::fault("the transaction did not run"));
        let committed = sql.transaction(&mut || {
            reply = customer.handle(sql, request, now, entropy);
            reply.as_ref().map(|_| ()).map_err(Clone::clone)
        });
        if let Err(error) = committed {
            customer.forget();
            reply = Err(error);
        }
        return vec![reply];
    }
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
