//! The only user of the platform: it hands storage, time and entropy to the pure parts and carries their
//! answers out. It makes no decision of its own.

mod admin;
mod admin_create;
mod assets;
mod body;
mod customer;
mod deliver;
mod directory;
mod ensure;
mod erasure;
mod errand;
mod export;
mod front;
mod gather;
mod host;
mod http;
mod import;
mod join;
mod jwks;
mod legacy;
mod object;
mod older_keys;
mod operator;
mod relayed;
mod rewrap;
mod sealing;
mod shield;
mod sql;
mod task;
mod vault;

pub use customer::CustomerObject;
pub use directory::DirectoryObject;
pub use operator::OperatorObject;
pub use sql::Storage;
pub use vault::KeyVaultObject;

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::Request;
use worker::Env;

/// The entry of every request from outside: a response, or a promise of one.
#[wasm_bindgen]
#[must_use]
pub fn fetch(request: Request, env: Env) -> JsValue {
    task::run(async move { front::answer(&request, &env).await.into() })
}
