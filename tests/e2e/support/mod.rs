//! What the tests stand on: servers, requests, tokens, and a look into what is stored.

pub mod audit;
pub mod counted;
pub mod described;
#[path = "../../../bench/fill/append.rs"]
pub mod fill;
pub mod http;
pub mod integration;
pub mod issuer;
pub mod keys;
pub mod kv;
pub mod log;
pub mod raw;
pub mod sealed;
pub mod server;
pub mod settings;
pub mod shared;
pub mod store;
pub mod token;
pub mod wrapped;
