//! # user-api
//!
//! A customer-data service for Cloudflare Workers. A thin front worker authenticates each request and forwards
//! it to the one Durable Object that owns that customer; everything about one customer is decided there, in one
//! turn and one transaction.
//!
//! The modules, in reading order; an arrow never points down this list:
//!
//! - [`order`]: sorting by one copy of the sort, and maps that are sorted lists
//! - [`error`], [`types`], [`email`], [`caller`], [`entropy`]: the words that all share
//! - [`json`], [`validate`]: bodies, read strictly
//! - [`sql`]: storage as the core sees it
//! - [`verify`]: the formats by which the audit log and an export prove themselves, and their check
//! - [`crypto`]: key derivation, blind indexes, sealed fields, signatures
//! - [`vault`]: the brain of the object that holds a customer's wrapped data key
//! - [`legacy`]: records of the older login service
//! - [`customer`]: the object's brain, pure and synchronous
//! - [`directory`]: who has which e-mail, and the list of customers
//! - [`operator`]: revocations of operators' tokens, and their log
//! - [`edge`]: HTTP and tokens, pure
//! - `openapi` (not in the worker): the description of the interface, made of the above
//! - `shell` (wasm32 only): the only user of the platform
//!
//! `docs/ARCHITECTURE.md` tells the way of a request and the invariants.

pub mod caller;
pub mod crypto;
pub mod customer;
pub mod directory;
pub mod edge;
pub mod email;
pub mod entropy;
pub mod error;
pub mod json;
pub mod legacy;
#[cfg(not(target_arch = "wasm32"))]
pub mod openapi;
pub mod operator;
pub mod order;
#[cfg(target_arch = "wasm32")]
#[allow(missing_docs)]
pub mod shell;
pub mod sql;
pub mod types;
pub mod validate;
pub mod vault;
pub mod verify;
