//! The quiet way to move in: with the binding `LEGACY_KV` there, a customer that is not here is looked for in the
//! older service's store when somebody first asks for it, and moved in as an import would. Without it, nothing.
//!
//! A store that does not answer is not one that holds nothing: the request is refused for the moment, because a customer
//! made in place of the one there would keep that one's e-mail for good. Nothing is written in the store for it; only an
//! erasure deletes there ([`super::erasure`]).

use crate::caller::{Caller, Service, User};
use crate::customer::errand::By;
use crate::customer::request::Origin;
use crate::edge::log;
use crate::edge::settings::Settings;
use crate::error::{Code, Error, Result};
use crate::legacy::line::{Line, MAX_LINE_BYTES, Parsed};
use crate::legacy::outcome::Outcome;
use crate::legacy::{Record, parcels, slim, wanted};
use crate::shell::{host, import};
use crate::types::{CustomerId, KeyDigest};
use js_sys::{Array, Object, Promise, Reflect};
use serde_json::Value;
use std::future::Future;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use worker::Env;

/// The binding.
const LEGACY_KV: &str = "LEGACY_KV";
/// Most pages of revoked tokens that are listed of each form, of 1,000 each: as many as a customer may hold. Only what
/// is in force is there: the store drops an entry when its token expires.
const MAX_DENIED_PAGES: u32 = 10;
/// Keys of one page of an erasure's listing.
const MAX_PAGE_KEYS: u32 = 100;
/// How long all reads for one request may take together, in milliseconds.
const DEADLINE_MS: u32 = 5_000;
/// Who the log says it was.
const ACTOR: &str = "legacy_kv";

#[wasm_bindgen]
extern "C" {
    /// The older service's store.
    #[derive(Clone)]
    pub type Store;
    #[wasm_bindgen(method, catch)]
    fn get(this: &Store, key: &str) -> std::result::Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn list(this: &Store, options: &Object) -> std::result::Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn delete(this: &Store, key: &str) -> std::result::Result<Promise, JsValue>;
}

/// Moves the customer in that a user's token means, by its id or else by its verified e-mail. True if something was
/// moved in, so that it is worth asking again.
///
/// # Errors
/// `unavailable` if the store, or a part of the service, does not answer.
pub async fn of_user(env: &Env, settings: &Settings, user: &User, origin: &Origin) -> Result<bool> {
    let email = user.email.as_deref().filter(|_| user.email_verified);
    of_either(env, settings, user.customer.as_ref(), email, origin).await
}

/// The same for a service or an administrator who asks for a customer.
///
/// # Errors
/// As [`of_user`].
pub async fn of_either(
    env: &Env,
    settings: &Settings,
    id: Option<&CustomerId>,
    email: Option<&str>,
    origin: &Origin,
) -> Result<bool> {
    let Some(store) = store(env) else {
        return Ok(false);
    };
    let found = in_time(async {
        if let Some(id) = id
            && let Some(records) = fetch(&store, id, None, None).await?
        {
            return Ok(Some((id.clone(), records)));
        }
        let Some(email) = email else {
            return Ok(None);
        };
        let Some(id) = indexed(&store, email).await? else {
            return Ok(None);
        };
        // An index may point at anybody: who it is must have that e-mail.
        let records = fetch(&store, &id, Some(email), None).await?;
        Ok(records.map(|records| (id, records)))
    });
    match found.await? {
        Some((id, records)) => move_in(env, settings, &id, records, origin).await,
        None => Ok(false),
    }
}

/// Moves the customer of an older API key in, and the key, if the store knows the key as this customer's.
///
/// # Errors
/// As [`of_user`].
pub async fn of_key(
    env: &Env,
    settings: &Settings,
    customer: &CustomerId,
    digest: &KeyDigest,
    origin: &Origin,
) -> Result<bool> {
    let Some(store) = store(env) else {
        return Ok(false);
    };
    let found = in_time(async {
        let key = wanted::api_key(digest.as_bytes());
        match read(&store, &key).await? {
            Some((owner, record @ Record::ApiKey(_))) if owner == *customer => {
                fetch(&store, customer, None, Some(record)).await
            }
            _ => Ok(None),
        }
    });
    match found.await? {
        Some(records) => move_in(env, settings, customer, records, origin).await,
        None => Ok(false),
    }
}

/// What the store is read for, as long as that may take.
async fn in_time<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let done = host::within(DEADLINE_MS, work).await;
    done.unwrap_or_else(|| Err(unanswered("the older store does not answer in time")))
}

fn unanswered(reason: &'static str) -> Error {
    let told = "The older service's store, from which the customer may have to be moved in, does not answer.";
    Error::new(Code::Unavailable, told).because(reason)
}

/// The store, where one is bound.
pub fn store(env: &Env) -> Option<Store> {
    let bound = Reflect::get(env.as_ref(), &JsValue::from_str(LEGACY_KV)).ok()?;
    bound.is_object().then(|| bound.unchecked_into())
}

/// Whom the index of an e-mail names.
async fn indexed(store: &Store, email: &str) -> Result<Option<CustomerId>> {
    for key in wanted::index(email) {
        if let Some((customer, Record::Index { .. })) = read(store, &key).await? {
            return Ok(Some(customer));
        }
    }
    Ok(None)
}

/// What there is of a customer, if its records are there. `email` is what they must say. A key alone is taken too: its
/// customer may be here already.
async fn fetch(
    store: &Store,
    id: &CustomerId,
    email: Option<&str>,
    key: Option<Record>,
) -> Result<Option<Vec<Record>>> {
    let mut records = Vec::new();
    for key in wanted::customer(id) {
        if let Some((owner, record @ Record::Customer { .. })) = read(store, &key).await?
            && owner == *id
        {
            records.push(record);
        }
    }
    let has_email = |record: &Record| match record {
        Record::Customer { facts } => email.is_none() || facts.text("email") == email,
        _ => false,
    };
    if !records.iter().any(has_email) && key.is_none() {
        return Ok(None);
    }
    for key in wanted::preferences(id) {
        if let Some((owner, record)) = read(store, &key).await?
            && owner == *id
        {
            records.push(record);
        }
    }
    records.extend(key);
    for prefix in wanted::denylist(id) {
        records.extend(denied(store, &prefix, id).await?);
    }
    Ok(Some(records))
}

/// Moves what was fetched in. True if that changed anything.
async fn move_in(
    env: &Env,
    settings: &Settings,
    id: &CustomerId,
    records: Vec<Record>,
    origin: &Origin,
) -> Result<bool> {
    let by = By {
        caller: Caller::Service(Service {
            id: ACTOR.to_owned(),
            jti: None,
            issued_at: None,
        }),
        origin: origin.clone(),
        fingerprint: None,
    };
    let mut has_moved = false;
    for parcel in parcels::pack(records) {
        let results = import::move_in(env, settings, id.clone(), parcel, by.clone()).await?;
        has_moved |= results
            .iter()
            .any(|(outcome, _)| matches!(outcome, Outcome::Created | Outcome::Merged | Outcome::Conflict));
    }
    Ok(has_moved)
}

/// What lies under a key.
///
/// # Errors
/// `unavailable` if the store does not answer.
pub async fn value(store: &Store, key: &str) -> Result<Option<String>> {
    let failed = |_: JsValue| unanswered("the older store does not answer");
    let value = JsFuture::from(store.get(key).map_err(failed)?)
        .await
        .map_err(failed)?;
    Ok(value.as_string())
}

/// Deletes what lies under a key.
///
/// # Errors
/// `unavailable` if the store does not.
pub async fn remove(store: &Store, key: &str) -> Result<()> {
    let failed = |_: JsValue| unanswered("the older store does not delete");
    JsFuture::from(store.delete(key).map_err(failed)?)
        .await
        .map_err(failed)?;
    Ok(())
}

/// Some of the keys that begin alike.
pub struct Page {
    /// The keys.
    pub keys: Vec<String>,
    /// Where the next page begins; None after the last.
    pub cursor: Option<String>,
}

/// One page of the keys that begin so.
///
/// # Errors
/// `unavailable` if the store does not list, or says that there is more and not where.
pub async fn page(store: &Store, prefix: &str, cursor: Option<&str>) -> Result<Page> {
    let cursor = cursor.map_or(JsValue::UNDEFINED, JsValue::from_str);
    let listed = list(store, prefix, &cursor, &MAX_PAGE_KEYS.into()).await?;
    let keys: Array = member(&listed, "keys")?.unchecked_into();
    let keys = keys
        .iter()
        .map(|key| Ok(member(&key, "name")?.as_string().unwrap_or_default()))
        .collect::<Result<_>>()?;
    let cursor = if member(&listed, "list_complete")?.is_truthy() {
        None
    } else {
        let next = member(&listed, "cursor")?
            .as_string()
            .filter(|next| !next.is_empty());
        Some(next.ok_or_else(|| unanswered("the older store lists no further"))?)
    };
    Ok(Page { keys, cursor })
}

/// The record under a key, and whose it is.
///
/// # Errors
/// `unavailable` if the store does not answer.
pub async fn read(store: &Store, key: &str) -> Result<Option<(CustomerId, Record)>> {
    let Some(text) = value(store, key).await? else {
        return Ok(None);
    };
    let line = Line {
        key: key.to_owned(),
        value: Value::String(text),
        expiration: None,
    };
    Ok(match fit(line).map(Line::read) {
        Some(Parsed::Record { customer, record, .. }) => Some((customer, record)),
        _ => None,
    })
}

/// A value that is too long loses what is too long in it, as the companion does with a line.
fn fit(line: Line) -> Option<Line> {
    match &line.value {
        Value::String(text) if text.len() > MAX_LINE_BYTES => {
            let whole = serde_json::json!({"key": line.key, "value": text}).to_string();
            Line::parse(&slim::shorten(whole.as_bytes())?).ok()
        }
        _ => Some(line),
    }
}

/// The revoked tokens whose keys begin so; the keys say all that is needed.
async fn denied(store: &Store, prefix: &str, id: &CustomerId) -> Result<Vec<Record>> {
    let mut records = Vec::new();
    let mut cursor = JsValue::UNDEFINED;
    for _ in 0..MAX_DENIED_PAGES {
        let page = list(store, prefix, &cursor, &JsValue::UNDEFINED).await?;
        let keys: Array = member(&page, "keys")?.unchecked_into();
        for listed in keys.iter() {
            records.extend(denied_one(&listed, id)?);
        }
        cursor = member(&page, "cursor")?;
        if member(&page, "list_complete")?.is_truthy() || !cursor.is_truthy() {
            return Ok(records);
        }
    }
    let error =
        Error::fault("the older store lists more revoked tokens than a customer may hold; the rest is left");
    worker::console_error!("{}", log::event("legacy_kv", None, &error));
    Ok(records)
}

/// A page of the keys that begin so, as the store tells it; by itself of as many as it lists at once.
async fn list(store: &Store, prefix: &str, cursor: &JsValue, limit: &JsValue) -> Result<JsValue> {
    let failed = |_: JsValue| unanswered("the older store does not list");
    let options = Object::new();
    let prefix = &JsValue::from_str(prefix);
    for (name, value) in [("prefix", prefix), ("cursor", cursor), ("limit", limit)] {
        if !value.is_undefined() {
            Reflect::set(&options, &JsValue::from_str(name), value).map_err(failed)?;
        }
    }
    JsFuture::from(store.list(&options).map_err(failed)?)
        .await
        .map_err(failed)
}

fn member(listed: &JsValue, name: &str) -> Result<JsValue> {
    Reflect::get(listed, &JsValue::from_str(name)).map_err(|_| unanswered("the older store lists badly"))
}

fn denied_one(listed: &JsValue, id: &CustomerId) -> Result<Option<Record>> {
    let line = Line {
        key: member(listed, "name")?.as_string().unwrap_or_default(),
        value: Value::Object(serde_json::Map::new()),
        #[allow(clippy::cast_possible_truncation)] // Unix seconds.
        expiration: member(listed, "expiration")?
            .as_f64()
            .map(|secs| crate::types::Timestamp::from_secs(secs as i64)),
    };
    Ok(match line.read() {
        Parsed::Record {
            customer,
            record: record @ Record::Denied { .. },
            ..
        } if customer == *id => Some(record),
        _ => None,
    })
}
