//! Keys of the older form name their customer only by what their caller says, so whoever makes one up could have the
//! object of any id opened, and so made. The list is asked first, whose shards are as many as were set: what it does
//! not know is opened only if the older store knows the key.

use crate::caller::{Caller, Integration};
use crate::customer::api_keys::unknown_key;
use crate::customer::request::Origin;
use crate::directory::errand::{Answer, What};
use crate::error::{Error, Result};
use crate::shell::host::Site;
use crate::shell::{legacy, object};
use worker::Env;

/// Refuses a key of the older form whose customer is none of ours.
///
/// # Errors
/// `invalid_api_key`, or `unavailable` where a part of the service does not answer.
pub async fn admit(env: &Env, site: &Site, caller: &Caller, origin: &Origin) -> Result<()> {
    let Caller::Integration(key) = caller else {
        return Ok(());
    };
    if !key.legacy || is_listed(env, site, key).await? {
        return Ok(());
    }
    if legacy::of_key(env, &site.settings, &key.customer, &key.digest, origin).await? {
        return Ok(());
    }
    Err(unknown_key())
}

async fn is_listed(env: &Env, site: &Site, key: &Integration) -> Result<bool> {
    let customer = key.customer.clone();
    match object::tell_directory(env, &site.settings, What::Has { customer }).await? {
        Answer::Has(is_listed) => Ok(is_listed),
        _ => Err(Error::fault("an answer to another errand")),
    }
}
