//! Usage, and limits of an integration's own.

use super::answers::{Limits, Usage};
use super::bodies::{Consume, NewPolicies, Release};
use super::operation::Operation;
use crate::customer::limits::consume::ConsumeView;
use crate::edge::route::Route;
use crate::error::Code;

pub(super) fn describe(route: Route) -> Option<Operation> {
    Some(match route {
        Route::GetUsage => Operation::new("Read what is left of the limits, and the usage")
            .answers::<Usage>(200, "The limits and the last 31 days."),
        Route::GetLimits => {
            Operation::new("Read the limits").answers::<Limits>(200, "Its own limits, and those in force.")
        }
        Route::PutLimits => Operation::new("Set the customer's own limits, within its plan")
            .about("For the owner.")
            .body::<NewPolicies>()
            .answers::<Limits>(200, "Its own limits, and those in force."),
        Route::ConsumeLimits => Operation::new("Spend of named policies, all or nothing")
            .body::<Consume>()
            .answers::<ConsumeView>(200, "Everything was spent.")
            .problems(&[Code::QuotaExceeded]),
        Route::ReleaseLease => Operation::new("Give a lease back")
            .about("Safe to repeat: a lease that is not held is none.")
            .body::<Release>()
            .done("The lease is not held any more."),
        _ => return None,
    })
}
