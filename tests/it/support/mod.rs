//! What every scenario needs: storage that behaves like the platform's, people who call, a world to ask.

pub mod canonical;
pub mod chain;
pub mod people;
pub mod vault;
mod workerd;
pub mod world;

pub use people::{Who, ada, admin, bob, service};
pub use workerd::{Harm, Workerd};
pub use world::{Dump, World};
