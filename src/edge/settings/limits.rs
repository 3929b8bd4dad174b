//! `RATE_LIMITS`: what each plan may do, as JSON by plan.

use super::reader::Form;
use crate::customer::limits::RateLimits;
use crate::error::Code;

/// The limits of `text`; a plan that it does not name keeps its default.
pub fn rate_limits(text: &str) -> Form<RateLimits> {
    RateLimits::parse(text).map_err(|error| match (error.code, error.faults.first()) {
        (Code::MalformedBody, _) | (_, None) => {
            "must be JSON of the form {\"<plan>\": [{\"name\", \"q\", \"w\", \"burst\"?, \"unit\"?}]}".into()
        }
        (_, Some(fault)) => format!("has a fault at {}: {}", fault.pointer, fault.detail).into(),
    })
}
