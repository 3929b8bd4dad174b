//! What a super-admin may do.

use super::answers::{Limits, Usage};
use super::bodies::{NewPolicies, Revocation};
use super::operation::Operation;
use crate::edge::route::Route;
use crate::error::Code;

/// What a request on a customer that the path names may meet.
const NAMED: &[Code] = &[Code::CustomerNotFound, Code::CustomerErased];

pub(super) fn describe(route: Route) -> Option<Operation> {
    Some(match route {
        Route::AdminRevokeTokens => Operation::new("Revoke a customer's tokens")
            .body::<Revocation>()
            .done("They are revoked.")
            .problems(NAMED)
            .problems(&[Code::RevokeAllInstead]),
        Route::AdminGetLimits => Operation::new("Read a customer's limits")
            .answers::<Limits>(200, "Its own limits, and those in force.")
            .problems(NAMED),
        Route::AdminPutLimits => Operation::new("Set a customer's own limits")
            .body::<NewPolicies>()
            .answers::<Limits>(200, "Its own limits, and those in force.")
            .problems(NAMED),
        Route::AdminGetUsage => Operation::new("Read a customer's usage")
            .answers::<Usage>(200, "The limits and the last 31 days.")
            .problems(NAMED),
        _ => return None,
    })
}
