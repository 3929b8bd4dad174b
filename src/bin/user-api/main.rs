//! The native companion of the service.
fn main() {}
