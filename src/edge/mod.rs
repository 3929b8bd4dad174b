//! All that is HTTP and tokens, as pure functions: which route, who calls, what the object is told, what the
//! caller is answered. Never sees SQL, never does I/O.

pub mod access;
pub mod assets;
pub mod auth;
pub mod condition;
pub mod cors;
pub mod creation;
pub mod customers;
pub mod decode;
pub mod enclosure;
pub mod envelope;
pub mod errand;
pub mod gather;
pub mod head;
pub mod health;
pub mod idempotency;
pub mod import;
pub mod intake;
pub mod log;
pub mod parcel;
pub mod problem;
pub mod query;
pub mod ratelimit;
pub mod reply;
pub mod rewrap;
pub mod route;
pub mod sealed;
pub mod sealed_stream;
pub mod settings;
pub mod shield;
