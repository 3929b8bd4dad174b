//! What is kept apart for taking credentials back. Whoever holds a leaked key or token can spend the customer's
//! limits, and must not keep the owner from ending it by that: so what ends credentials draws on reserves of its own.
//! Their names begin like those of the API keys' limits, which no other policy may have, and end in another length.

use crate::customer::limits::policy::Policy;
use crate::error::{Error, Result};

/// Requests a minute of each reserve; also the most at once.
pub const MAX_RESERVE_A_MINUTE: u64 = 60;
/// The window of a reserve, in seconds.
const WINDOW_SECS: u64 = 60;

/// A reserve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reserve {
    /// For the owner's looking for the key that is to be revoked. Only owners can spend it.
    Keys,
    /// For revoking single tokens. Every user of the customer can spend it, so it is not the owner's.
    Tokens,
}

impl Reserve {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Keys, Self::Tokens];

    /// The policy by which it is counted.
    ///
    /// # Errors
    /// `internal_error`, in practice never.
    pub fn policy(self) -> Result<Policy> {
        let name = match self {
            Self::Keys => "key-reserve",
            Self::Tokens => "key-reserve-tokens",
        };
        Policy::requests(name, MAX_RESERVE_A_MINUTE, WINDOW_SECS, None)
            .ok_or_else(|| Error::fault("a reserve is no policy"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::customer::limits::policy::KEY_PREFIX;

    #[test]
    fn no_reserve_is_called_like_a_policy_that_somebody_can_have() {
        for reserve in Reserve::ALL {
            let policy = reserve.policy().unwrap();
            let tail = policy.name().strip_prefix(KEY_PREFIX).unwrap();
            // A key's own is called by 12 characters of its id.
            assert_ne!(tail.len(), 12);
        }
    }
}
