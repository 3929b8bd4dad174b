//! Details are kept for `AUDIT_RETENTION_DAYS`. After that they are set to NULL, oldest first and so many at a time,
//! which is the one change that the schema lets through: entries stay and the chain verifies.

use super::Head;
use crate::error::Result;
use crate::sql::Sql;
use crate::types::Timestamp;

/// Most details that one tick drops.
pub const SWEEP_ROWS: i64 = 500;
/// Most steps of a bisection: sequence numbers stay below 2^53.
const MAX_STEPS: u32 = 53;

/// What is known of the oldest detail that is kept.
#[derive(Debug, Clone, Default)]
pub struct Retention {
    /// When it has been kept for long enough; `None` if there is none.
    pub due: Option<Timestamp>,
    /// Before this entry there is none.
    oldest: i64,
}

impl Retention {
    /// Finds the oldest detail. They go in order, so by bisection.
    ///
    /// # Errors
    /// `internal_error` if the engine fails or an entry is unreadable.
    pub fn load(sql: &dyn Sql, head: &Head, keep_ms: i64) -> Result<Self> {
        let (mut low, mut high) = (1, head.seq.saturating_add(1));
        let mut middle = 1;
        let mut due = None;
        for _ in 0..MAX_STEPS {
            if low >= high {
                break;
            }
            let rows = sql.exec(
                "SELECT detail IS NULL, header ->> '$.at' FROM audit WHERE seq = ?",
                &[middle.into()],
            )?;
            let Some(row) = rows.first() else { break };
            if row.integer(0)? == 1 {
                low = middle.saturating_add(1);
            } else {
                high = middle;
                due = Timestamp::parse_rfc3339(row.text(1)?)
                    .map(|at| Timestamp::from_millis(at.as_millis().saturating_add(keep_ms)));
            }
            middle = low.saturating_add(high.saturating_sub(low).div_euclid(2));
        }
        Ok(Self { due, oldest: high })
    }

    /// Notes that entries were appended: if no detail was kept, theirs are the oldest.
    pub fn appended(&mut self, head: &Head, keep_ms: i64) {
        if self.due.is_none() {
            self.due = Some(Timestamp::from_millis(
                head.at.as_millis().saturating_add(keep_ms),
            ));
        }
    }

    /// Drops what has been kept for long enough, at most [`SWEEP_ROWS`] of it.
    ///
    /// # Errors
    /// `internal_error` if the engine fails.
    pub fn sweep(&mut self, sql: &dyn Sql, head: &Head, keep_ms: i64, now: Timestamp) -> Result<()> {
        if self.due.is_none_or(|due| due > now) {
            return Ok(());
        }
        let cutoff = Timestamp::from_millis(now.as_millis().saturating_sub(keep_ms));
        let until = self.oldest.saturating_add(SWEEP_ROWS);
        // Times have one form, whose order is that of the text.
        sql.exec(
            "UPDATE audit SET detail = NULL WHERE seq >= ? AND seq < ? AND detail IS NOT NULL \
             AND header ->> '$.at' <= ?",
            &[self.oldest.into(), until.into(), cutoff.to_rfc3339().into()],
        )?;
        *self = Self::load(sql, head, keep_ms)?;
        Ok(())
    }
}
