//! The Wasm module of the worker: all that the library exports, and nothing else.

#[cfg(target_arch = "wasm32")]
pub use user_api::shell::*;
