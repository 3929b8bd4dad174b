//! How much a customer was used: requests by day, route and outcome. Counted in memory, so that a request costs no
//! row, and written at least once a minute and when the customer falls silent: soon after that the platform takes
//! the object's memory away, and an alarm that is set does not keep it. A crash may lose a minute of the statistics.

use crate::customer::limits::PolicyOutcome;
use crate::customer::request::Operation;
use crate::error::Result;
use crate::order;
use crate::sql::Sql;
use crate::types::Timestamp;
use serde_json::{Value, json};

/// How long a count may stay in memory, in milliseconds.
pub const FLUSH_AFTER_MS: i64 = 60_000;
/// How long after the last request what waits in memory is written, in milliseconds. The platform may drop an object
/// that is not asked for 10 s.
pub const IDLE_MS: i64 = 5_000;
/// Days that are kept, today among them.
pub const KEPT_DAYS: i64 = 31;
/// Milliseconds of a day.
pub const DAY_MS: i64 = 86_400_000;

/// Days that are shown together, today among them.
const SHOWN_DAYS: i64 = 30;

/// Requests of one route and outcome on one day.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    day: i64,
    operation: Operation,
    outcome: &'static str,
}

/// Counts that are not written yet. Their number is bounded by that of the routes times that of the codes.
#[derive(Debug, Clone, Default)]
pub struct Counters {
    counts: order::Map<Key, i64>,
    /// When the first of them came, and the last.
    between: Option<(Timestamp, Timestamp)>,
}

/// A day's count of one route and outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayCount {
    /// Days since 1970-01-01 (UTC).
    pub day: i64,
    /// The route, such as `GET /customer/me`.
    pub route: String,
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

/// When something is to be written of which the first came then and the last then: when nothing more comes, and after
/// `longest_ms` in any case.
#[must_use]
pub fn due(first: Timestamp, longest_ms: i64, last: Timestamp) -> Timestamp {
    let after = |at: Timestamp, ms: i64| Timestamp::from_millis(at.as_millis().saturating_add(ms));
    after(first, longest_ms).min(after(last, IDLE_MS))
}

impl Counters {
    /// Counts one request.
    pub fn count(&mut self, operation: Operation, outcome: &'static str, now: Timestamp) {
        let first = self.between.map_or(now, |(first, _)| first);
        self.between = Some((first, now));
        let count = self
            .counts
            .entry(Key {
                day: day_of(now),
                operation,
                outcome,
            })
            .or_insert(0);
        *count = count.saturating_add(1);
    }

    /// When the counts are to be written, unless more requests come before.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        self.between.map(|(first, last)| due(first, FLUSH_AFTER_MS, last))
    }

    /// Writes the counts if they are due, and drops days that are too old.
    ///
    /// # Errors
    /// `internal_error` from the engine; the caller then drops its memory, and with it these counts.
    pub fn flush_if_due(&mut self, sql: &dyn Sql, now: Timestamp) -> Result<()> {
        // A clock that went back must not keep them waiting for as long as it went back.
        let went_back = self.between.is_some_and(|(first, _)| now < first);
        if !went_back && self.due().is_none_or(|due| now < due) {
            return Ok(());
        }
        for (key, count) in std::mem::take(&mut self.counts) {
            sql.exec(
                "INSERT INTO usage (day, route, outcome, count) VALUES (?, ?, ?, ?) \
                 ON CONFLICT (day, route, outcome) DO UPDATE SET count = count + excluded.count",
                &[
                    key.day.into(),
                    name_of(key.operation).into(),
                    key.outcome.into(),
                    count.into(),
                ],
            )?;
        }
        self.between = None;
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
        let rows = sql.exec("SELECT day, route, outcome, count FROM usage", &[])?;
        let mut totals = Vec::new();
        for row in rows {
            totals.push(DayCount {
                day: row.integer(0)?,
                route: row.text(1)?.to_owned(),
                outcome: row.text(2)?.to_owned(),
                count: row.integer(3)?,
            });
        }
        totals.extend(self.counts.iter().map(|(key, count)| DayCount {
            day: key.day,
            route: name_of(key.operation),
            outcome: key.outcome.to_owned(),
            count: *count,
        }));
        let place = |one: &DayCount, other: &DayCount| {
            let day = other.day.cmp(&one.day);
            day.then_with(|| (&one.route, &one.outcome).cmp(&(&other.route, &other.outcome)))
        };
        order::sort_by(&mut totals, place);
        totals.dedup_by(|next, kept| {
            let is_same = place(next, kept).is_eq();
            if is_same {
                kept.count = kept.count.saturating_add(next.count);
            }
            is_same
        });
        Ok(totals)
    }
}

/// The route's name in the statistics.
fn name_of(operation: Operation) -> String {
    format!("{} {}", operation.method, operation.pattern)
}

/// What is left of a policy, as `GET /customer/me/usage` shows it.
#[must_use]
pub fn policy(policy: &PolicyOutcome, now: Timestamp) -> Value {
    let reset_ms = i64::try_from(policy.reset_seconds)
        .unwrap_or(i64::MAX)
        .saturating_mul(1000);
    let resets_at = Timestamp::from_millis(now.as_millis().saturating_add(reset_ms));
    json!({
        "name": policy.name, "unit": policy.unit.as_str(), "q": policy.q, "w": policy.w,
        "limit": policy.burst, "used": policy.used, "remaining": policy.remaining,
        "resetsAt": (policy.used > 0).then(|| resets_at.to_rfc3339()),
    })
}

/// The counts as `GET /customer/me/usage` shows them: by route and outcome.
#[derive(Debug, PartialEq, Eq)]
pub struct Summary {
    /// Of the day (UTC) that it is.
    pub today: Vec<Value>,
    /// Of the last 30 days together, today among them.
    pub last_30_days: Vec<Value>,
}

/// Sums the counts up.
#[must_use]
pub fn summary(totals: &[DayCount], now: Timestamp) -> Summary {
    let today = day_of(now);
    let since = today.saturating_sub(SHOWN_DAYS);
    let sum = |counts: &mut dyn Iterator<Item = &DayCount>| {
        let mut sums: order::Map<_, _> = order::Map::new();
        for total in counts {
            let sum = sums.entry((&total.route, &total.outcome)).or_insert(0_i64);
            *sum = sum.saturating_add(total.count);
        }
        let shown = |((route, outcome), count): (&(&String, &String), &i64)| json!({"route": route, "outcome": outcome, "count": count});
        sums.iter().map(shown).collect()
    };
    Summary {
        today: sum(&mut totals.iter().filter(|total| total.day == today)),
        last_30_days: sum(&mut totals.iter().filter(|total| total.day > since)),
    }
}
