//! # user-api
pub mod caller;
pub mod edge;
pub mod email;
pub mod error;
pub mod sql;
pub mod types;
