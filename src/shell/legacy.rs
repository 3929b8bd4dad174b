//! The quiet way to move in: with the binding `LEGACY_KV` there, a customer that is not here is looked for in the
//! older service's store when somebody first asks for it, and moved in as an import would. Without it, nothing.
//!
//! What fails here is as if the store had held nothing: the request is then answered without it. The store is
//! never written.

use crate::caller::{Caller, Service, User};
use crate::customer::errand::By;
use crate::customer::request::Origin;
use crate::edge::log;
use crate::edge::settings::Settings;
use crate::error::{Error, Result};
use crate::legacy::line::{Line, MAX_LINE_BYTES, Parsed};
use crate::legacy::outcome::Outcome;
use crate::legacy::{Record, slim, wanted};
use crate::shell::import;
use crate::types::{CustomerId, KeyDigest};
use js_sys::{Array, Object, Promise, Reflect};
use serde_json::Value;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use worker::Env;

/// The binding.
const LEGACY_KV: &str = "LEGACY_KV";
/// Most pages of revoked tokens that are listed of each form, of 1,000 each: as many as a customer may hold. Only what
/// is in force is there: the store drops an entry when its token expires.
const MAX_DENIED_PAGES: u32 = 10;
/// Who the log says it was.
const ACTOR: &str = "legacy_kv";

#[wasm_bindgen]
extern "C" {
    /// The older service's store.
    #[derive(Clone)]
    type Store;
    #[wasm_bindgen(method, catch)]
    fn get(this: &Store, key: &str) -> std::result::Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn list(this: &Store, options: &Object) -> std::result::Result<Promise, JsValue>;
}

/// Moves the customer in that a user's token means, by its id or else by its verified e-mail. True if something was
/// moved in, so that it is worth asking again.
pub async fn of_user(env: &Env, settings: &Settings, user: &User, origin: &Origin) -> bool {
    let Some(store) = store(env) else { return false };
    let found = async {
        if let Some(id) = &user.customer
            && move_in(env, settings, &store, id, None, None, origin).await?
        {
            return Ok(true);
        }
        let Some(email) = user.email.as_deref().filter(|_| user.email_verified) else {
            return Ok(false);
        };
        let Some(id) = indexed(&store, email).await? else {
            return Ok(false);
        };
        // An index may point at anybody: who it is must have that e-mail.
        move_in(env, settings, &store, &id, Some(email), None, origin).await
    };
    told(found.await, origin)
}

/// The same for a service that asks for a customer.
pub async fn of_service(
    env: &Env,
    settings: &Settings,
    id: Option<&CustomerId>,
    email: &str,
    origin: &Origin,
) -> bool {
    let user = User {
        customer: id.cloned(),
        subject: String::new(),
        email: Some(email.to_owned()),
        email_verified: true,
        is_admin: false,
        scopes: Vec::new(),
        jti: None,
        issued_at: 0,
        expires_at: 0,
        csrf: None,
        legacy_hashes: Vec::new(),
    };
    of_user(env, settings, &user, origin).await
}

/// Moves the customer of an older API key in, and the key, if the store knows the key as this customer's.
pub async fn of_key(
    env: &Env,
    settings: &Settings,
    customer: &CustomerId,
    digest: &KeyDigest,
    origin: &Origin,
) -> bool {
    let Some(store) = store(env) else { return false };
    let found = async {
        let key = wanted::api_key(digest.as_bytes());
        match read(&store, &key).await? {
            Some((owner, record @ Record::ApiKey(_))) if owner == *customer => {
                move_in(env, settings, &store, customer, None, Some(record), origin).await
            }
            _ => Ok(false),
        }
    };
    told(found.await, origin)
}

fn told(found: Result<bool>, origin: &Origin) -> bool {
    found.unwrap_or_else(|error| {
        worker::console_error!(
            "{}",
            log::event("legacy_kv", Some(origin.request_id.as_str()), &error)
        );
        false
    })
}

fn store(env: &Env) -> Option<Store> {
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

/// Fetches what there is of a customer and moves it in. `email` is what its records must say.
async fn move_in(
    env: &Env,
    settings: &Settings,
    store: &Store,
    id: &CustomerId,
    email: Option<&str>,
    key: Option<Record>,
    origin: &Origin,
) -> Result<bool> {
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
    // A key alone is taken too: its customer may be here already.
    if !records.iter().any(has_email) && key.is_none() {
        return Ok(false);
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
    let by = By {
        caller: Caller::Service(Service {
            id: ACTOR.to_owned(),
            jti: None,
            issued_at: None,
        }),
        origin: origin.clone(),
        fingerprint: None,
    };
    let results = import::move_in(env, settings, id.clone(), records, by).await?;
    Ok(results
        .iter()
        .any(|(outcome, _)| matches!(outcome, Outcome::Created | Outcome::Merged | Outcome::Conflict)))
}

/// The record under a key, and whose it is.
async fn read(store: &Store, key: &str) -> Result<Option<(CustomerId, Record)>> {
    let failed = |_: JsValue| Error::fault("the older store does not answer");
    let value = JsFuture::from(store.get(key).map_err(failed)?)
        .await
        .map_err(failed)?;
    let Some(text) = value.as_string() else {
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
        let page = denied_page(store, prefix, &cursor).await?;
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

async fn denied_page(store: &Store, prefix: &str, cursor: &JsValue) -> Result<JsValue> {
    let failed = |_: JsValue| Error::fault("the older store does not list");
    let options = Object::new();
    for (name, value) in [("prefix", &JsValue::from_str(prefix)), ("cursor", cursor)] {
        if !value.is_undefined() {
            Reflect::set(&options, &JsValue::from_str(name), value).map_err(failed)?;
        }
    }
    JsFuture::from(store.list(&options).map_err(failed)?)
        .await
        .map_err(failed)
}

fn member(listed: &JsValue, name: &str) -> Result<JsValue> {
    Reflect::get(listed, &JsValue::from_str(name)).map_err(|_| Error::fault("the older store lists badly"))
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
