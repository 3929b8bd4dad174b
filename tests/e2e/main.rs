//! End-to-end: the built worker on real workerd, spoken to over HTTP. Each test is named after the guarantee it
//! holds. Run `make build` first.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::unreachable
)]

mod absent;
mod audit;
mod bodies;
mod concurrency;
mod configuration;
mod cookie;
mod cors;
mod crash;
mod customer;
mod deadline;
mod headers;
mod isolation;
mod issuer;
mod lifecycle;
mod logging;
mod malformed;
mod preferences;
mod public;
mod service;
mod status;
mod support;
mod tokens_accepted;
mod tokens_forged;
mod tokens_refused;
mod users;
mod validation;
