//! What the records came to, counted.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use user_api::legacy::outcome::{Outcome, Told};

/// Counts by outcome, and by the words of `detail`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    outcomes: BTreeMap<Outcome, u64>,
    details: BTreeMap<String, u64>,
}

impl Counts {
    /// Counts one.
    pub fn add(&mut self, told: &Told) {
        let count = self.outcomes.entry(told.outcome).or_default();
        *count = count.saturating_add(1);
        for word in told.detail.iter().flat_map(|detail| detail.split(", ")) {
            let word = format!("{}: {word}", told.outcome.as_str());
            let count = self.details.entry(word).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.outcomes
            .values()
            .fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// How many there are with this word.
    pub fn with_detail(&self, outcome: Outcome, word: &str) -> u64 {
        let name = format!("{}: {word}", outcome.as_str());
        self.details.get(&name).copied().unwrap_or(0)
    }

    /// The summary: a line a count.
    pub fn summary(&self) -> String {
        let mut text = format!("records\t{}\n", self.total());
        for outcome in Outcome::ALL {
            let count = self.outcomes.get(&outcome).copied().unwrap_or(0);
            let _ = writeln!(text, "{}\t{count}", outcome.as_str());
        }
        for (word, count) in &self.details {
            let _ = writeln!(text, "  {word}\t{count}");
        }
        text
    }
}
