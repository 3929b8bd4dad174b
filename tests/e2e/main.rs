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
mod access;
mod accounts;
mod admin;
mod api_keys;
mod audit;
mod billed;
mod bodies;
mod concurrency;
mod configuration;
mod cookie;
mod cors;
mod crash;
mod customer;
mod customers;
mod deadline;
mod email_change;
mod erasure;
mod export;
mod gathered;
mod headers;
mod idempotency;
mod import;
mod import_scale;
mod isolation;
mod issuer;
mod key_scopes;
mod leases;
mod lifecycle;
mod limits;
mod limits_flood;
mod limits_survive;
mod list_scale;
mod logging;
mod malformed;
mod moving_quietly;
mod operators;
mod preferences;
mod public;
mod revocations;
mod revocations_survive;
mod rewrap;
mod sealed;
mod sealing;
mod service;
mod shield;
mod silence;
mod status;
mod support;
mod taking_back;
mod tokens_accepted;
mod tokens_forged;
mod tokens_refused;
mod users;
mod validation;
