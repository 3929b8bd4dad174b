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
mod export;
mod front;
mod host;
mod http;
mod import;
mod jwks;
mod legacy;
mod object;
mod older_keys;
mod operator;
mod rewrap;
mod sealing;
mod shield;
mod sql;
mod vault;

pub use customer::CustomerObject;
pub use directory::DirectoryObject;
pub use operator::OperatorObject;
pub use sql::Storage;
pub use vault::KeyVaultObject;

use web_sys::{Request, Response};
use worker::{Context, Env, event};

/// The entry of every request from outside.
#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> worker::Result<Response> {
    Ok(front::answer(&request, &env).await)
}
