//! The native companion, run as its users run it: the built binary, in a directory of its own.
#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod import;
mod import_memory;
mod keygen;
mod rewrap;
mod run;
mod service;
mod token;
mod token_refused;
mod verify;
