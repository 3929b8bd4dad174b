//! `POST /admin/customers`: an administrator makes a customer. Looks first, so that nothing that exists is touched,
//! then ensures it as everybody does, and lets the customer's own object answer, which keeps the answer for the
//! idempotency key.

use crate::caller::Caller;
use crate::customer::errand::{By, Standing};
use crate::customer::idempotency::IdempotencyKey;
use crate::customer::profile::NewCustomer;
use crate::directory::ensure::Wish;
use crate::directory::errand::{Answer as Kept, What};
use crate::edge::creation::{Before, email_taken, may_take};
use crate::edge::decode::EXISTED;
use crate::edge::envelope::Envelope;
use crate::edge::route::Route;
use crate::email::EmailIndex;
use crate::error::{Error, Result};
use crate::operator::errand::Act;
use crate::shell::ensure::ensure;
use crate::shell::host::Site;
use crate::shell::object::{self, Call, Relayed};
use crate::shell::{admin, legacy};
use crate::types::{Condition, CustomerId};
use worker::Env;

/// What was sent.
pub struct Posted<'a> {
    /// The body.
    pub body: &'a [u8],
    /// The `Idempotency-Key`.
    pub key: Option<IdempotencyKey>,
    /// The trace that the request belongs to.
    pub traceparent: Option<String>,
}

/// Makes the customer, and answers with it.
///
/// # Errors
/// What is wrong with the body, `token_revoked`, `customer_exists`, `email_taken`, `customer_erased` or `unavailable`.
pub async fn create(env: &Env, site: &Site, by: By, posted: Posted<'_>) -> Result<(CustomerId, Relayed)> {
    admin::check(env, site, &by, None).await?;
    let (customer, before) = match make(env, site, &by, &posted).await {
        Ok(made) => made,
        Err(error) if error.is_refusal() => {
            return admin::refused(env, site, &by, Act::CreateCustomer, error).await;
        }
        Err(error) => return Err(error),
    };
    let envelope = Envelope {
        customer: customer.clone(),
        route: Route::CreateCustomer,
        caller: by.caller,
        condition: Condition::default(),
        origin: by.origin,
        variable: match before {
            Before::Somebody => EXISTED.to_owned(),
            Before::Nothing | Before::Ours => String::new(),
        },
        query: String::new(),
        idempotency_key: posted.key,
    };
    let call = Call {
        customer: &customer,
        method: Route::CreateCustomer.method(),
        header: envelope.encode()?,
        body: Some(posted.body),
        traceparent: posted.traceparent,
        is_long: false,
        may_gather: false,
        deadline_ms: site.settings.object_deadline_ms,
    };
    let mut relayed = object::call(env, &call).await?;
    // The object only shows the customer; that it was made is the front's to say, to a repetition too.
    if relayed.status == 200 {
        relayed.status = 201;
        relayed.location = Some(Route::AdminGetCustomer.path(customer.as_str()));
    }
    Ok((customer, relayed))
}

/// Sees to it that the customer is there, if nothing is in its way, and says who it is and what was under its id.
async fn make(env: &Env, site: &Site, by: &By, posted: &Posted<'_>) -> Result<(CustomerId, Before)> {
    let new = NewCustomer::parse(posted.body)?;
    let email = new.profile.email.as_deref();
    let email = email.ok_or_else(|| Error::fault("a new customer without an e-mail"))?;
    let keys = &site.customers.index;
    let index = keys.email(email)?;
    let derived = match (&new.customer_id, &posted.key, &by.caller) {
        (None, Some(key), Caller::User(user)) => Some(keys.creation(&user.subject, key)?),
        _ => None,
    };
    // Who is in the older store is there already.
    let named = new.customer_id.as_ref();
    legacy::of_either(env, &site.settings, named, Some(email), &by.origin).await?;
    let is_derived = derived.is_some();
    let id = new.customer_id.clone().or(derived);
    if let Some(id) = &id {
        let before = Before::of(&look(env, site, id, index).await?, is_derived)?;
        if before != Before::Nothing {
            return Ok((id.clone(), before));
        }
    }
    if let Some(holder) = holder(env, site, index)
        .await?
        .filter(|holder| Some(holder) != id.as_ref())
    {
        may_take(&look(env, site, &holder, index).await?, id.is_some())?;
    }
    // Somebody may still come first from here on, with the id or with the e-mail. Then nothing of theirs is changed,
    // and the answer is the same refusal; at worst the id, which was nothing, now stands for the other customer where
    // a token carries that customer's own verified e-mail, as any id does that such a token names.
    let wish = Wish {
        named: id.clone(),
        index,
        new,
        by: by.clone(),
    };
    let ensured = ensure(env, site, wish).await?;
    match id {
        _ if ensured.created => Ok((ensured.customer_id, Before::Nothing)),
        Some(id) if id == ensured.customer_id => {
            let before = Before::of(&look(env, site, &id, index).await?, is_derived)?;
            Ok((id, before))
        }
        _ => Err(email_taken()),
    }
}

/// What an id is.
async fn look(env: &Env, site: &Site, id: &CustomerId, index: EmailIndex) -> Result<Standing> {
    object::standing(env, id, Some(index), site.settings.object_deadline_ms).await
}

/// Who holds the claim of an e-mail.
async fn holder(env: &Env, site: &Site, index: EmailIndex) -> Result<Option<CustomerId>> {
    match object::tell_directory(env, &site.settings, What::Look { index }).await? {
        Kept::Claim(claim) => Ok(claim.map(|claim| claim.holder)),
        _ => Err(Error::fault("an answer to another errand")),
    }
}
