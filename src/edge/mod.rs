//! All that is HTTP and tokens, pure: no runtime, no I/O, no clock.

pub mod auth;
pub mod settings;
