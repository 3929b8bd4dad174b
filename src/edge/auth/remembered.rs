//! Tokens that were accepted before. A token comes many times: taking it apart, verifying it and judging its claims
//! come to the same each time, but for the clock, the issuer's keys and the CSRF token, which are looked at each time.
//! (Revocation is the customer's object's to know.)

use super::claims::Times;
use super::key::Algorithm;
use super::reason::Reason;
use crate::caller::Caller;
use crate::edge::settings::TokenPolicy;
use crate::types::Timestamp;
use sha2::{Digest, Sha256};
use std::cell::RefCell;
use std::collections::HashMap;

/// Most tokens that are remembered; past that all are forgotten and judged again.
pub const MAX_REMEMBERED: usize = 4096;
/// Longest token, in bytes, that is remembered, so that all of them take some megabytes at most.
pub const MAX_REMEMBERED_BYTES: usize = 2048;

/// By whose key a token is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Signer {
    /// A secret or key of the configuration.
    Own,
    /// A key of the issuer's set, as long as that has it.
    Issuer(Option<String>, Algorithm),
}

/// What a token came to.
#[derive(Clone)]
pub(super) struct Accepted {
    /// Who its holder is.
    pub caller: Caller,
    /// Its `csrf` claim.
    pub csrf: Option<String>,
    /// When it holds.
    pub times: Times,
    /// By whose key.
    pub signer: Signer,
}

impl Accepted {
    /// What it comes to now, if time has not made it void.
    ///
    /// # Errors
    /// `expired` and its like.
    pub fn now(self, policy: &TokenPolicy, now: Timestamp) -> Result<(Caller, Option<String>), Reason> {
        self.times.check(policy, now)?;
        Ok((self.caller, self.csrf))
    }
}

/// The tokens, by their SHA-256, so that a look at the memory tells no token.
#[derive(Default)]
pub(super) struct Remembered(RefCell<HashMap<[u8; 32], Accepted>>);

impl Remembered {
    /// What a token is known by.
    pub fn digest(token: &str) -> [u8; 32] {
        Sha256::digest(token).into()
    }

    /// What is known of the token.
    pub fn get(&self, digest: &[u8; 32]) -> Option<Accepted> {
        self.0.borrow().get(digest).cloned()
    }

    /// Remembers a token that was accepted.
    pub fn put(&self, token: &str, digest: [u8; 32], accepted: Accepted) {
        if token.len() > MAX_REMEMBERED_BYTES {
            return;
        }
        let mut held = self.0.borrow_mut();
        if held.len() >= MAX_REMEMBERED {
            held.clear();
        }
        held.insert(digest, accepted);
    }

    /// How many there are.
    #[cfg(all(test, not(target_arch = "wasm32")))]
    pub fn len(&self) -> usize {
        self.0.borrow().len()
    }
}
