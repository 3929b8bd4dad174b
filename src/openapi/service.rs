//! What the login service calls.

use super::answers::Ensured;
use super::bodies::{EnsureCustomer, ServiceRevocation};
use super::operation::Operation;
use crate::edge::route::Route;
use crate::error::Code;

pub(super) fn describe(route: Route) -> Option<Operation> {
    Some(match route {
        Route::EnsureCustomer => Operation::new("See to it that a customer exists")
            .about("Made safe to repeat by its `customerId`.")
            .body::<EnsureCustomer>()
            .answers::<Ensured>(200, "It existed, and was left as it is.")
            .answers::<Ensured>(201, "It was made.")
            .problems(&[Code::FieldNotWritable, Code::EmailTaken, Code::CustomerErased])
            .without_idempotency_key(),
        Route::ServiceRevokeTokens => Operation::new("Revoke a customer's tokens, as a service")
            .body::<ServiceRevocation>()
            .done("They are revoked.")
            .problems(&[
                Code::CustomerNotFound,
                Code::CustomerErased,
                Code::RevokeAllInstead,
            ]),
        _ => return None,
    })
}
