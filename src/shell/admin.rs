//! What administrators and services are asked beyond a customer's own object: whether their credential still works,
//! and the operations that concern no single customer.

use crate::caller::{Caller, User};
use crate::customer::errand::{self as customer, By};
use crate::customer::idempotency::{IdempotencyKey, Payload};
use crate::customer::tokens::Target;
use crate::directory::errand as directory;
use crate::directory::list::{Page, Query};
use crate::directory::shard::Shard;
use crate::edge::customers::Look;
use crate::edge::decode::operator_log_query;
use crate::edge::reply::{Answer, Caching};
use crate::edge::route::Route;
use crate::edge::settings::Settings;
use crate::edge::{customers, idempotency};
use crate::error::{Code, Error, Result};
use crate::operator::errand::{Act, Answer as Told, Errand, Repeat, What};
use crate::shell::host::Site;
use crate::shell::{object, rewrap};
use crate::types::{Condition, CustomerId};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Map, json};
use std::future::Future;
use worker::Env;

/// Most objects that one page of the list asks at the same time.
pub const MAX_PARALLEL: usize = 16;

/// Asks the operator object, and turns its refusal into an error.
///
/// # Errors
/// The refusal, or `unavailable`.
async fn ask(env: &Env, site: &Site, by: &By, what: What) -> Result<Told> {
    let errand = Errand { by: by.clone(), what };
    match object::ask_operator(env, &errand, site.settings.object_deadline_ms).await? {
        Told::Refused(refusal) => Err(refusal.into()),
        told => Ok(told),
    }
}

/// Whether the credential of an administrator or a service still works: by the operators' revocations, and those of
/// the customer that an administrator's token names, unless that customer's own object is asked anyway.
///
/// # Errors
/// `token_revoked`, or `unavailable`.
pub async fn check(env: &Env, site: &Site, by: &By, addressee: Option<&CustomerId>) -> Result<()> {
    match &by.caller {
        Caller::User(user) if user.is_admin => {
            ask(env, site, by, What::Check).await?;
            check_own_customer(env, site, user, addressee).await
        }
        // A service key is no token: it is taken back by taking it off the list.
        Caller::Service(service) if service.issued_at.is_some() => {
            ask(env, site, by, What::Check).await.map(|_| ())
        }
        _ => Ok(()),
    }
}

async fn check_own_customer(
    env: &Env,
    site: &Site,
    user: &User,
    addressee: Option<&CustomerId>,
) -> Result<()> {
    let Some(own) = user.customer.as_ref().filter(|own| Some(*own) != addressee) else {
        return Ok(());
    };
    let errand = customer::Errand {
        customer: own.clone(),
        what: customer::What::CheckToken {
            user: Box::new(user.clone()),
        },
    };
    match object::ask_customer(env, &errand, site.settings.object_deadline_ms).await? {
        customer::Answer::Revoked => Err(Error::new(Code::TokenRevoked, "The credential was revoked.")),
        _ => Ok(()),
    }
}

/// The operations that concern no single customer; None for all others.
///
/// # Errors
/// Whatever refuses them.
pub async fn serve(
    env: &Env,
    site: &Site,
    found: Route,
    by: &By,
    query: &str,
    body: &[u8],
    key: Option<&IdempotencyKey>,
) -> Result<Option<Answer>> {
    match found {
        Route::ListCustomers => {
            check(env, site, by, None).await?;
            list(env, site, by, query).await.map(Some)
        }
        Route::GetOperatorLog => {
            check(env, site, by, None).await?;
            log(env, site, by, query).await.map(Some)
        }
        Route::ServiceRevokeTokens => match Target::parse_internal(body)? {
            (None, target) => {
                let repeat = repeat(found, key.cloned(), body)?;
                let act = revoke(env, site, by, target);
                once(env, site, by, repeat, act).await.map(Some)
            }
            (Some(_), _) => Ok(None),
        },
        Route::Rewrap => {
            let repeat = repeat(found, key.cloned(), body)?;
            let act = rewrap::page(env, site, by, body);
            once(env, site, by, repeat, act).await.map(Some)
        }
        _ => Ok(None),
    }
}

/// Carries out what has an idempotency key and names no customer, unless it was answered before.
async fn once(
    env: &Env,
    site: &Site,
    by: &By,
    repeat: Option<Repeat>,
    act: impl Future<Output = Result<Answer>>,
) -> Result<Answer> {
    match recall(env, site, by, repeat.as_ref()).await? {
        Some(answer) => Ok(answer),
        None => keep(env, site, by, repeat, act.await?).await,
    }
}

/// Takes tokens of administrators and services back.
///
/// # Errors
/// `revoke_all_instead`, `validation_failed`, `token_revoked` or `unavailable`.
async fn revoke(env: &Env, site: &Site, by: &By, target: Target) -> Result<Answer> {
    ask(env, site, by, What::Revoke { target }).await?;
    Ok(Answer::empty(204))
}

/// An administrator that took its own token back at its customer does so everywhere.
///
/// # Errors
/// As [`revoke`].
pub async fn revoke_own(env: &Env, site: &Site, by: &By, body: &[u8]) -> Result<()> {
    let Caller::User(user) = &by.caller else {
        return Ok(());
    };
    let Some(own) = user.jti.as_ref().filter(|_| user.is_admin) else {
        return Ok(());
    };
    let is_meant = match Target::parse(body)? {
        Target::Jti(jti) => jti == *own,
        Target::All | Target::NotBefore(_) => true,
    };
    if is_meant {
        revoke(env, site, by, Target::Jti(own.clone())).await?;
    }
    Ok(())
}

/// Notes what concerns no customer; `refused` where it was refused. What cannot be noted fails.
///
/// # Errors
/// `token_revoked` or `unavailable`.
pub(super) async fn note(
    env: &Env,
    site: &Site,
    by: &By,
    act: Act,
    refused: Option<&Error>,
    detail: Map<String, serde_json::Value>,
) -> Result<()> {
    let refused = refused.map(|error| error.code.as_str().to_owned());
    let what = What::Note { act, refused, detail };
    ask(env, site, by, what).await.map(|_| ())
}

/// Checks the credential, and notes that an import begins. What moves in is in the customers' own logs.
///
/// # Errors
/// As [`note`].
pub async fn note_import(env: &Env, site: &Site, by: &By) -> Result<()> {
    note(env, site, by, Act::Import, None, Map::new()).await
}

/// How a request is known again that names no customer in its path, if its caller wants that.
///
/// # Errors
/// `internal_error`, in practice never.
pub fn repeat(found: Route, key: Option<IdempotencyKey>, body: &[u8]) -> Result<Option<Repeat>> {
    let Some(key) = key else {
        return Ok(None);
    };
    Ok(Some(Repeat {
        key,
        method: found.method().as_str().to_owned(),
        path: found.path(""),
        payload: Payload::new(&Condition::default(), body)?,
    }))
}

/// What such a request was answered before; its caller's credential is checked in any case. Where more are kept than
/// there is room for, nothing is known: that the request made a customer is kept with the customer too.
///
/// # Errors
/// `token_revoked`, `idempotency_key_reused` or `unavailable`.
pub async fn recall(env: &Env, site: &Site, by: &By, repeat: Option<&Repeat>) -> Result<Option<Answer>> {
    let Some(repeat) = repeat else {
        return check(env, site, by, None).await.map(|()| None);
    };
    match ask(env, site, by, What::Recall(repeat.clone())).await {
        Ok(Told::Replay(stored)) => Ok(Some(idempotency::replay(stored))),
        Ok(_) => Ok(None),
        Err(error) if error.code == Code::LimitReached => Ok(None),
        Err(error) => Err(error),
    }
}

/// Keeps what it is answered now. Of two that ran at the same time both get the first one's answer.
///
/// # Errors
/// As [`recall`].
pub async fn keep(env: &Env, site: &Site, by: &By, repeat: Option<Repeat>, answer: Answer) -> Result<Answer> {
    // That the key was used for another request is not this one's answer.
    let is_reused = answer.code == Some(Code::IdempotencyKeyReused);
    let Some(repeat) = repeat.filter(|_| !is_reused) else {
        return Ok(answer);
    };
    let reply = idempotency::stored(&answer);
    match ask(env, site, by, What::Keep { repeat, reply }).await {
        Ok(Told::Replay(stored)) => Ok(idempotency::replay(stored)),
        Ok(_) => Ok(answer),
        Err(error) if error.code == Code::LimitReached => Ok(answer),
        Err(error) => Err(error),
    }
}

/// `GET /admin/audit`.
///
/// # Errors
/// What is wrong with the query, `token_revoked` or `unavailable`.
async fn log(env: &Env, site: &Site, by: &By, query: &str) -> Result<Answer> {
    let asked = match operator_log_query(query) {
        Ok(asked) => asked,
        Err(refusal) => return refused(env, site, by, Act::ReadLog, refusal).await,
    };
    match ask(env, site, by, What::ReadLog(asked)).await? {
        Told::Page(page) => Ok(document(page.into_bytes())),
        _ => Err(Error::fault("the operator object gave no page")),
    }
}

/// `GET /admin/customers`: a page of each shard, merged, filled from the customers' own objects.
///
/// # Errors
/// What is wrong with the query, `token_revoked`, `not_ready` or `unavailable`.
async fn list(env: &Env, site: &Site, by: &By, query: &str) -> Result<Answer> {
    let index = &site.customers.index;
    let asked = match customers::parse(query, index) {
        Ok(asked) => asked,
        Err(refusal) => return refused(env, site, by, Act::ListCustomers, refusal).await,
    };
    note(env, site, by, Act::ListCustomers, None, asked.told.clone()).await?;
    let pages = pages(env, &site.settings, &asked.shard).await?;
    let deadline_ms = site.settings.object_deadline_ms;
    let (rows, has_more) = customers::merge(pages, asked.limit);
    let looks: Vec<_> = stream::iter(&rows)
        .map(|row| show(env, by, &row.customer_id, deadline_ms))
        .buffered(MAX_PARALLEL)
        .collect()
        .await;
    let (body, link) = asked.page(&rows, has_more, looks, index)?;
    let mut answer = document(body);
    answer.headers.extend(link.map(|link| ("Link", link)));
    Ok(answer)
}

/// A page of each shard of the list.
///
/// # Errors
/// `not_ready` or `unavailable`.
pub(super) async fn pages(env: &Env, settings: &Settings, query: &Query) -> Result<Vec<Page>> {
    let (shards, deadline_ms) = (settings.directory_shards, settings.object_deadline_ms);
    let question = &directory::Errand {
        shards,
        what: directory::What::Page(query.clone()),
    };
    stream::iter(Shard::all_of_list(shards))
        .map(|shard| async move {
            match object::ask_directory(env, shard, question, deadline_ms).await? {
                directory::Answer::Page(page) => Ok(page),
                _ => Err(Error::fault("a shard gave no page")),
            }
        })
        .buffered(MAX_PARALLEL)
        .try_collect()
        .await
}

/// What the list tells of a customer, from its own object, where the look is logged. One that fails must not keep
/// anybody from seeing the others.
async fn show(env: &Env, by: &By, customer: &CustomerId, deadline_ms: u32) -> Look {
    let errand = customer::Errand {
        customer: customer.clone(),
        what: customer::What::Show {
            by: Box::new(by.clone()),
        },
    };
    match object::ask_customer(env, &errand, deadline_ms).await {
        Ok(customer::Answer::Shown(shown)) => Look::Is(*shown),
        Ok(_) => Look::Gone,
        Err(error) => {
            let request_id = Some(by.origin.request_id.as_str());
            worker::console_error!("{}", crate::edge::log::event("list", request_id, &error));
            Look::Failed
        }
    }
}

/// A refusal that concerns no customer, noted.
///
/// # Errors
/// The refusal, or why it cannot be noted.
pub async fn refused<T>(env: &Env, site: &Site, by: &By, act: Act, refusal: Error) -> Result<T> {
    note(env, site, by, act, Some(&refusal), Map::new()).await?;
    Err(refusal)
}

/// A refused act on a customer that does not exist, or was erased, stands in the operators' log. What was refused
/// stays refused if it cannot be noted.
pub async fn missed(
    env: &Env,
    site: &Site,
    by: &By,
    found: Route,
    (named, code): (Option<&CustomerId>, Option<Code>),
) {
    let Some(code @ (Code::CustomerNotFound | Code::CustomerErased)) = code else {
        return;
    };
    let refusal = Error::new(code, "");
    let noted = note(
        env,
        site,
        by,
        Act::MissCustomer,
        Some(&refusal),
        told(found, named),
    )
    .await;
    if let Err(error) = noted {
        worker::console_error!("{}", crate::edge::log::event("operator", None, &error));
    }
}

/// A look at what is left of an erased customer stands there as well, or it is not shown.
///
/// # Errors
/// As [`note`].
pub async fn read_erased(
    env: &Env,
    site: &Site,
    by: &By,
    found: Route,
    (customer, code): (&CustomerId, Option<Code>),
) -> Result<()> {
    let refusal = code.map(|code| Error::new(code, ""));
    let detail = told(found, Some(customer));
    note(env, site, by, Act::ReadErased, refusal.as_ref(), detail).await
}

/// Which operation on whom.
fn told(found: Route, named: Option<&CustomerId>) -> Map<String, serde_json::Value> {
    let mut detail = Map::new();
    let operation = format!("{} {}", found.method().as_str(), found.pattern());
    detail.insert("operation".to_owned(), operation.into());
    if let Some(named) = named {
        detail.insert("customerId".to_owned(), json!(named));
    }
    detail
}

fn document(body: Vec<u8>) -> Answer {
    Answer::document(200, "application/json", body, Caching::Never)
}
