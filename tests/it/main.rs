//! Native scenarios.
