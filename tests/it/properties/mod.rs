//! Random bodies and random histories.

mod bodies;
mod histories;
mod model;
mod rounds;

use proptest::test_runner::Config;

/// So many cases, and no file of past failures beside the sources: a failure becomes a scenario.
pub fn cases(cases: u32) -> Config {
    Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    }
}
