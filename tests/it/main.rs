//! The core as a whole, native: scenarios named after what they guarantee, faults at every step, random
//! sequences against a model, and the bytes that must not change. Storage is rusqlite that imitates workerd.
#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    missing_docs
)]

mod support;

mod absent;
mod admin;
mod audit;
mod audit_reading;
mod batch;
mod conditions;
mod cost;
mod creation;
mod customer;
mod directory;
mod ensure;
mod export;
mod integrations;
mod limits;
mod limits_model;
mod list_cost;
mod moving;
mod operator;
mod preferences;
mod sealing;
mod silence;
mod status;
mod status_gate;
mod taking_back;
mod users;
mod vault;

mod erasure;
mod faults;
mod imitation;
mod migrations;
mod pinned;
mod properties;
