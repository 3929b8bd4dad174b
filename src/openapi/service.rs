//! What the login service calls.

use super::answers::{Ensured, Rewrapped, Text};
use super::bodies::{EnsureCustomer, NewEmail, RewrapPage, ServiceRevocation};
use super::operation::Operation;
use crate::customer::profile::CustomerView;
use crate::edge::import::MEDIA_TYPE;
use crate::edge::route::Route;
use crate::error::Code;
use crate::legacy::outcome::Told;

pub(super) fn describe(route: Route) -> Option<Operation> {
    Some(match route {
        Route::EnsureCustomer => Operation::new("See to it that a customer exists")
            .about("Safe to repeat.")
            .body::<EnsureCustomer>()
            .answers::<Ensured>(200, "It existed, and was left as it is.")
            .answers::<Ensured>(201, "It was made.")
            .problems(&[Code::FieldNotWritable, Code::CustomerErased]),
        Route::ServicePutEmail => Operation::new("Change a customer's e-mail, as a service")
            .about("Takes effect whole or not at all; the old address is free from then on.")
            .versioned()
            .body::<NewEmail>()
            .answers::<CustomerView<'_>>(200, "The customer, which has this e-mail now.")
            .problems(&[Code::CustomerNotFound, Code::EmailTaken, Code::CustomerErased]),
        Route::ImportRecords => Operation::new("Move records of an older service in")
            .about(
                "One record `{key, value, expiration?}` a line, one `ImportResult` a line, in the order of the lines; \
                 both are streams. Safe to repeat. Sealed, each line is a `SealedResponse` of some whole lines.",
            )
            .body_as::<Text>(MEDIA_TYPE)
            .answers_as::<Text>(200, "What each record came to.", MEDIA_TYPE)
            .lines_of::<Told>()
            .without_idempotency_key(),
        Route::Rewrap => Operation::new("Wrap the keys of a page of customers under the active master key")
            .about("Safe to repeat. Customers whose key cannot be had are told, and do not stop the others.")
            .body::<RewrapPage>()
            .answers::<Rewrapped>(200, "What became of the page.")
            .problems(&[Code::InvalidCursor]),
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
