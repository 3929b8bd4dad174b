//! # user-api
pub mod caller;
pub mod error;
pub mod sql;
pub mod types;
