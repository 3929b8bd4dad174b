//! Rate limits: how much of what, in which time, decided exactly and in the transaction of the request itself.
//!
//! [`Policy`] is what an operator or a user sets, [`RateLimits`] what each plan grants. A [`Limiter`] is what one
//! customer has spent; it knows time only as an argument and storage only as the bytes of [`Limiter::encode`].
//! [`Consume`] is how an integration spends of named policies for purposes of its own. A [`Reserve`] is what is left to
//! a customer whose limits somebody else has spent.

pub mod bucket;
pub mod consume;
pub mod leases;
pub mod limiter;
pub mod plans;
pub mod policy;
pub mod reserve;
mod state;

pub use consume::{Consume, Release};
pub use leases::{LeaseId, MAX_LEASES};
pub use limiter::{Charge, Limiter, Outcome, PolicyOutcome};
pub use plans::{DEFAULT_RATE_LIMITS, RateLimits};
pub use policy::{MAX_POLICIES, Policy, QuotaUnit};
pub use reserve::Reserve;
