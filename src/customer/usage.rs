//! How much a customer was used: requests by day, action and outcome. Counted in memory and written at least
//! once a minute, so that a request costs no row; a crash may lose that minute of the statistics.

use crate::error::Result;
use crate::sql::Sql;
use crate::types::Timestamp;
use std::collections::BTreeMap;

/// How long a count may stay in memory, in milliseconds.
pub const FLUSH_AFTER_MS: i64 = 60_000;
/// Days that are kept, today among them.
pub const KEPT_DAYS: i64 = 31;
/// Milliseconds of a day.
pub const DAY_MS: i64 = 86_400_000;

/// Requests of one action and outcome on one day.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    day: i64,
    action: &'static str,
    outcome: &'static str,
}

/// Counts that are not written yet. Their number is bounded by that of the actions times that of the codes.
#[derive(Debug, Clone, Default)]
pub struct Counters {
    counts: BTreeMap<Key, i64>,
    since: Option<Timestamp>,
}

/// A day's count of one action and outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayCount {
    /// Days since 1970-01-01 (UTC).
    pub day: i64,
    /// The action, such as `customer.read`.
    pub action: String,
    /// `ok`, or the code of the refusal.
    pub outcome: String,
    /// Requests.
    pub count: i64,
}

/// The day of a moment, in days since 1970-01-01 (UTC).
#[must_use]
pub const fn day_of(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(DAY_MS)
}

impl Counters {
    /// Counts one request.
    pub fn count(&mut self, action: &'static str, outcome: &'static str, now: Timestamp) {
        self.since.get_or_insert(now);
        let count = self
            .counts
            .entry(Key {
                day: day_of(now),
                action,
                outcome,
            })
            .or_insert(0);
        *count = count.saturating_add(1);
    }

    /// When the counts must be written at the latest.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        self.since
            .map(|since| Timestamp::from_millis(since.as_millis().saturating_add(FLUSH_AFTER_MS)))
    }

    /// Writes the counts if they are due, and drops days that are too old.
    ///
    /// # Errors
    /// `internal_error` from the engine; the caller then drops its memory, and with it these counts.
    pub fn flush_if_due(&mut self, sql: &dyn Sql, now: Timestamp) -> Result<()> {
        if self.due().is_none_or(|due| now < due) {
            return Ok(());
        }
        for (key, count) in std::mem::take(&mut self.counts) {
            sql.exec(
                "INSERT INTO usage (day, action, outcome, count) VALUES (?, ?, ?, ?) \
                 ON CONFLICT (day, action, outcome) DO UPDATE SET count = count + excluded.count",
                &[
                    key.day.into(),
                    key.action.into(),
                    key.outcome.into(),
                    count.into(),
                ],
            )?;
        }
        self.since = None;
        sql.exec(
            "DELETE FROM usage WHERE day <= ?",
            &[day_of(now).saturating_sub(KEPT_DAYS).into()],
        )?;
        Ok(())
    }

    /// What is written and what is not yet, newest day first.
    ///
    /// # Errors
    /// `internal_error` from the engine.
    pub fn totals(&self, sql: &dyn Sql) -> Result<Vec<DayCount>> {
        let rows = sql.exec("SELECT day, action, outcome, count FROM usage", &[])?;
        let mut totals = BTreeMap::new();
        for row in rows {
            let key = (
                row.integer(0)?.saturating_neg(),
                row.text(1)?.to_owned(),
                row.text(2)?.to_owned(),
            );
            totals.insert(key, row.integer(3)?);
        }
        for (key, count) in &self.counts {
            let total = totals
                .entry((
                    key.day.saturating_neg(),
                    key.action.to_owned(),
                    key.outcome.to_owned(),
                ))
                .or_insert(0i64);
            *total = total.saturating_add(*count);
        }
        let day_count = |((day, action, outcome), count): ((i64, String, String), i64)| DayCount {
            day: day.saturating_neg(),
            action,
            outcome,
            count,
        };
        Ok(totals.into_iter().map(day_count).collect())
    }
}

/// The counts as `GET /customer/me/usage` shows them: newest day first.
#[must_use]
pub fn days(totals: &[DayCount]) -> Vec<serde_json::Value> {
    let mut days: Vec<(i64, Vec<serde_json::Value>)> = Vec::new();
    for total in totals {
        let count =
            serde_json::json!({"action": total.action, "outcome": total.outcome, "count": total.count});
        match days.last_mut() {
            Some((day, counts)) if *day == total.day => counts.push(count),
            _ => days.push((total.day, vec![count])),
        }
    }
    let date = |day: i64| {
        let midnight = Timestamp::from_millis(day.saturating_mul(DAY_MS)).to_rfc3339();
        midnight.split('T').next().unwrap_or_default().to_owned()
    };
    days.into_iter()
        .map(|(day, counts)| serde_json::json!({"date": date(day), "counts": counts}))
        .collect()
}
