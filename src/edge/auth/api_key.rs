//! The keys of integrations (`Authorization: Bearer uak_…` or `X-API-Key`). Here it is decided only whether a key
//! holds together and whose it claims to be; the rest is for the customer's object.
//!
//! A legacy key (`otp_live_sk_…`) has no tag, so whoever makes one up can have any customer's object asked. Only that of
//! one that is listed, so that none is made (`shell::older_keys`); there it is answered as every unknown key is, and
//! leaves no trace. Still it is refused here unless `LEGACY_API_KEYS` is on.

use super::reason::Reason;
use crate::caller::{Caller, Integration};
use crate::crypto::ApiKeyPepper;
use crate::crypto::api_key::{LEGACY_PREFIX, legacy_digest};
use crate::types::CustomerId;
use crate::validate::MAX_ORIGIN_BYTES;

/// What an origin is called that tells nothing (RFC 6454 section 7.3).
const OPAQUE_ORIGIN: &str = "null";

/// Whether a bearer token is meant to be an API key. No JWT is: they begin with `eyJ`.
pub(super) fn is_one(token: &str) -> bool {
    token.starts_with("uak_") || token.starts_with(LEGACY_PREFIX)
}

/// Whether it is a key of the older form, or meant to be one.
pub(super) fn is_legacy(key: &str) -> bool {
    key.starts_with(LEGACY_PREFIX)
}

/// The caller that a key makes.
///
/// # Errors
/// `bad_api_key`, `legacy_key_without_customer`, or `api_key_of_another_customer` where `X-Customer-Id` says
/// something else than the key: one of them is a mistake.
pub(super) fn identify(
    key: &str,
    pepper: &ApiKeyPepper,
    customer_id: Option<&str>,
    origin: Option<&str>,
) -> Result<Caller, Reason> {
    let (customer, digest, legacy) = match legacy_digest(key) {
        Some(digest) => {
            let customer = customer_id.and_then(CustomerId::parse);
            (customer.ok_or(Reason::LegacyKeyWithoutCustomer)?, digest, true)
        }
        None => {
            let (customer, digest) = pepper.parse(key).ok_or(Reason::BadApiKey)?;
            if customer_id.is_some_and(|named| named != customer.as_str()) {
                return Err(Reason::ApiKeyOfAnotherCustomer);
            }
            (customer, digest, false)
        }
    };
    Ok(Caller::Integration(Box::new(Integration {
        customer,
        digest,
        legacy,
        browser_origin: origin.map(bounded),
    })))
}

/// An origin that cannot be on a key's list is passed on as the opaque one, which is on none: dropped, it would
/// look like no origin at all.
fn bounded(origin: &str) -> String {
    let sound = origin.len() <= MAX_ORIGIN_BYTES && origin.bytes().all(|byte| byte.is_ascii_graphic());
    if sound { origin } else { OPAQUE_ORIGIN }.to_owned()
}
