//! Erasing what the older service's store has of a customer, where it is bound as `LEGACY_KV`.

use crate::customer::erasure::run::Legacy;
use crate::error::{Error, Result};
use crate::legacy::owned;
use crate::types::CustomerId;
use js_sys::{Array, Object, Promise, Reflect};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use worker::Env;

/// The binding of the older service's store.
const LEGACY_KV: &str = "LEGACY_KV";
/// Most pages of keys that one run lists; each has at most 1,000. What is left is met by the next run.
const MAX_PAGES: u32 = 10;

#[wasm_bindgen]
extern "C" {
    /// A key-value namespace; bound by hand because `worker` needs a serialiser of its own for it.
    type Namespace;
    #[wasm_bindgen(method, catch)]
    fn list(this: &Namespace, options: &Object) -> std::result::Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn delete(this: &Namespace, key: &str) -> std::result::Result<Promise, JsValue>;
}

/// Deletes the records that are the customer's by their key. May be repeated.
///
/// # Errors
/// `internal_error` if the store does not answer, or there is more than one run deletes.
pub async fn legacy(env: &Env, id: &CustomerId) -> Result<Legacy> {
    let bound = Reflect::get(env.as_ref(), &JsValue::from_str(LEGACY_KV)).ok();
    let Some(store) = bound.filter(JsValue::is_object) else {
        return Ok(Legacy::NotBound);
    };
    let store: Namespace = store.unchecked_into();
    let mut deleted = 0_i64;
    for key in owned::keys(id) {
        // Deleting what is not there is no error; only what is listed is counted.
        let found = page(&store, &key).await?;
        if found.0.contains(&key) {
            remove(&store, &key).await?;
            deleted = deleted.saturating_add(1);
        }
    }
    for prefix in owned::prefixes(id) {
        let mut is_complete = false;
        for _ in 0..MAX_PAGES {
            let (keys, complete) = page(&store, &prefix).await?;
            let own: Vec<_> = keys.iter().filter(|key| owned::is_of(key, id)).collect();
            for key in &own {
                remove(&store, key).await?;
                deleted = deleted.saturating_add(1);
            }
            is_complete = complete;
            // A page without any of its own would come again and again.
            if complete || own.is_empty() {
                break;
            }
        }
        if !is_complete {
            return Err(Error::fault(
                "the older store has more records than one run deletes",
            ));
        }
    }
    Ok(Legacy::Deleted(deleted))
}

/// The first keys that begin so, and whether they are all.
async fn page(store: &Namespace, prefix: &str) -> Result<(Vec<String>, bool)> {
    let failed = |_: JsValue| Error::fault("the older store does not list");
    let options = Object::new();
    Reflect::set(&options, &JsValue::from_str("prefix"), &JsValue::from_str(prefix)).map_err(failed)?;
    let listed = JsFuture::from(store.list(&options).map_err(failed)?)
        .await
        .map_err(failed)?;
    let member = |name: &str| Reflect::get(&listed, &JsValue::from_str(name)).map_err(failed);
    let keys: Array = member("keys")?.unchecked_into();
    let name = |key: JsValue| Reflect::get(&key, &JsValue::from_str("name")).ok()?.as_string();
    let is_complete = member("list_complete")?.is_truthy();
    Ok((keys.iter().filter_map(name).collect(), is_complete))
}

async fn remove(store: &Namespace, key: &str) -> Result<()> {
    let failed = |_: JsValue| Error::fault("the older store does not delete");
    JsFuture::from(store.delete(key).map_err(failed)?)
        .await
        .map_err(failed)?;
    Ok(())
}
