//! Sending a request to the customer that it is for: to the object of the id that it names, and on to another where
//! that is not its customer. Who is nowhere yet is looked for in the older store, then made.

use crate::caller::Caller;
use crate::customer::created;
use crate::customer::errand::{By, Standing};
use crate::customer::idempotency::IdempotencyKey;
use crate::customer::profile::NewCustomer;
use crate::customer::request::{Elsewhere, Reply};
use crate::directory::ensure::{Ensured, Wish};
use crate::edge::envelope::Envelope;
use crate::edge::reply::Answer;
use crate::edge::route::Route;
use crate::edge::{gather, idempotency, intake};
use crate::error::{Code, Error, Result};
use crate::shell::ensure::{self, Newcomer};
use crate::shell::host::Site;
use crate::shell::object::{self, Call};
use crate::shell::{admin, legacy};
use crate::types::CustomerId;
use worker::Env;

/// Most times that a request is sent again because the id that it was sent to is not its customer.
const MAX_RESENDS: u32 = 3;

/// What goes with an envelope.
pub struct Package<'a> {
    /// The body.
    pub body: Option<&'a [u8]>,
    /// The trace that the request belongs to.
    pub traceparent: Option<String>,
    /// For whom an account may be made.
    pub newcomer: Option<&'a Newcomer<'a>>,
}

/// 3., 4. The answer of the request's customer, and who that is.
///
/// # Errors
/// `unavailable`, or whatever refuses to make the account.
pub async fn deliver(
    env: &Env,
    site: &Site,
    mut envelope: Envelope,
    package: Package<'_>,
) -> Result<(CustomerId, object::Relayed)> {
    let send = async |envelope: &Envelope| {
        let call = Call {
            customer: &envelope.customer,
            method: envelope.route.method(),
            header: envelope.encode()?,
            body: package.body,
            traceparent: package.traceparent.clone(),
            is_long: envelope.route.streams(),
            may_gather: gather::may_gather(envelope.route, package.body),
            deadline_ms: site.settings.object_deadline_ms,
        };
        object::call(env, &call).await
    };
    let mut relayed = send(&envelope).await?;
    if relayed.elsewhere.is_none() && move_in(env, site, &envelope, relayed.code).await? {
        relayed = send(&envelope).await?;
    }
    // The id is not the customer of this token: nothing was written, and the request goes to whoever is.
    for round in 0..MAX_RESENDS {
        let Some(newcomer) = package.newcomer else {
            break;
        };
        let Some(elsewhere) = relayed.elsewhere.take() else {
            break;
        };
        envelope.customer = match elsewhere {
            Elsewhere::At(customer) if round == 0 => customer,
            _ => newcomer.ensure(env, site).await?.customer_id,
        };
        relayed = send(&envelope).await?;
    }
    if relayed.elsewhere.is_some() && package.newcomer.is_some() {
        let told = "The account is being changed at this moment.";
        return Err(Error::new(Code::Unavailable, told).because("the ensured customer refused its own token"));
    }
    Ok((envelope.customer, relayed))
}

/// The quiet way for those for whom no account is made: who is not here may still be in the older store. True if it
/// is worth asking again.
///
/// # Errors
/// `unavailable` if the store does not say.
async fn move_in(env: &Env, site: &Site, envelope: &Envelope, code: Option<Code>) -> Result<bool> {
    let (settings, origin) = (&site.settings, &envelope.origin);
    match (&envelope.caller, code) {
        (Caller::User(user), Some(Code::CustomerNotFound)) if !envelope.route.audience().is_admin() => {
            legacy::of_user(env, settings, user, origin).await
        }
        // Administrators and services name the customer that they act on.
        (Caller::User(_) | Caller::Service(_), Some(Code::CustomerNotFound)) => {
            legacy::of_either(env, settings, Some(&envelope.customer), None, origin).await
        }
        (Caller::Integration(key), Some(Code::InvalidApiKey)) if key.legacy => {
            legacy::of_key(env, settings, &key.customer, &key.digest, origin).await
        }
        _ => Ok(false),
    }
}

/// `POST /internal/customers`; where it comes again under its idempotency key, what it was answered before.
///
/// # Errors
/// `token_revoked`, `idempotency_key_reused`, `unavailable` or a fault. Any other refusal is an answer.
pub async fn ensure_once(
    env: &Env,
    site: &Site,
    by: By,
    body: &[u8],
    key: Option<IdempotencyKey>,
) -> Result<(Option<CustomerId>, Answer)> {
    let repeat = admin::repeat(Route::EnsureCustomer, key, body)?;
    if let Some(answer) = admin::recall(env, site, &by, repeat.as_ref()).await? {
        let Some(customer) = made_by(&answer) else {
            return Ok((None, answer));
        };
        // What was answered then is no answer once that customer is gone.
        let deadline_ms = site.settings.object_deadline_ms;
        if object::standing(env, &customer, None, deadline_ms).await? != Standing::Erased {
            return Ok((Some(customer), answer));
        }
        let gone = Error::new(Code::CustomerErased, Code::CustomerErased.title());
        let answer = Answer::problem(&gone, intake::shown_request_id(&by.origin));
        let told = (Some(&customer), answer.code);
        admin::missed(env, site, &by, Route::EnsureCustomer, told).await;
        return Ok((Some(customer), answer));
    }
    let fingerprint = repeat.as_ref().and_then(|repeat| repeat.fingerprint(&by.caller));
    let by = By { fingerprint, ..by };
    let (customer, answer) = ensure_for_service(env, site, body, &by).await?;
    let named = || NewCustomer::parse(body).ok()?.customer_id;
    let meant = customer.clone().or_else(named);
    admin::missed(
        env,
        site,
        &by,
        Route::EnsureCustomer,
        (meant.as_ref(), answer.code),
    )
    .await;
    let answer = admin::keep(env, site, &by, repeat, answer).await?;
    Ok((customer, answer))
}

/// The customer that an answer to `POST /internal/customers` tells of.
fn made_by(answer: &Answer) -> Option<CustomerId> {
    let body: serde_json::Value = serde_json::from_slice(&answer.body).ok()?;
    CustomerId::parse(body.get("customerId")?.as_str()?)
}

async fn ensure_for_service(
    env: &Env,
    site: &Site,
    body: &[u8],
    by: &By,
) -> Result<(Option<CustomerId>, Answer)> {
    let answer = |reply| Answer::from_reply(reply, intake::shown_request_id(&by.origin));
    match ensured(env, site, body, by).await {
        Ok(ensured) => {
            let answer = answer(created(&ensured.customer_id, ensured.created)?);
            let answer = if ensured.repeated {
                idempotency::replay(idempotency::stored(&answer))
            } else {
                answer
            };
            Ok((Some(ensured.customer_id), answer))
        }
        Err(error) if error.is_refusal() => Ok((None, answer(Reply::Refused(error)))),
        Err(error) => Err(error),
    }
}

async fn ensured(env: &Env, site: &Site, body: &[u8], by: &By) -> Result<Ensured> {
    let new = NewCustomer::parse(body)?;
    let email = new.profile.email.as_deref();
    let email = email.ok_or_else(|| Error::fault("a new customer without an e-mail"))?;
    let named = new.customer_id.as_ref();
    legacy::of_either(env, &site.settings, named, Some(email), &by.origin).await?;
    let wish = Wish {
        named: new.customer_id.clone(),
        index: site.customers.index.email(email)?,
        new,
        by: by.clone(),
    };
    ensure::ensure(env, site, wish).await
}
