//! What a customer's object is configured with, the same for every customer of a deployment.

use crate::crypto::{IndexKeys, MasterKeys, SigningKeys};
use crate::customer::idempotency::StoredReply;
use crate::customer::limits::RateLimits;
use crate::customer::request::Reply;
use std::fmt;

/// The configuration.
pub struct Config {
    /// The keys of the blind indexes and of API keys.
    pub index: IndexKeys,
    /// What each plan may do.
    pub limits: RateLimits,
    /// `JWT_MAX_TTL_SECONDS`: how long a revocation must be kept.
    pub max_ttl_secs: u32,
    /// `MASTER_KEYS`, the active one first.
    pub master_keys: MasterKeys,
    /// `ERASURE_GRACE_DAYS`: how long an erasure that was asked for can be withdrawn.
    pub erasure_grace_days: u32,
    /// `SIGNING_KEYS`, which sign checkpoints and exports.
    pub signing: SigningKeys,
    /// How a reply looks when it is sent, so that it can be stored and sent again byte for byte. The brain does not
    /// know HTTP; whoever does says it here.
    pub render: fn(&Reply, &str) -> StoredReply,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Config(..)")
    }
}
