//! Exports that are under way, and their snapshots of what can change meanwhile: users, preferences and what came
//! along from an older service are copied row by row, still sealed as they lie in storage, in the turn that begins the
//! export. The audit log needs no copy: it is append-only, and the export ends where the log ended.

use crate::error::{Code, Error, Result};
use crate::order;
use crate::sql::Sql;
use crate::types::Timestamp;

/// Most exports of one customer at a time.
pub const MAX_RUNNING: usize = 4;
/// An export of which nobody has taken a piece for so long is given up, in milliseconds.
pub const IDLE_MS: i64 = 600_000;

/// The exports under way, by id, with the time at which the last piece was taken.
#[derive(Debug, Clone, Default)]
pub struct Exports(order::Map<String, Timestamp>);

impl Exports {
    /// Reads them; what was under way before a restart counts as alive for a while.
    ///
    /// # Errors
    /// `internal_error` from the engine.
    pub fn load(sql: &dyn Sql, now: Timestamp) -> Result<Self> {
        let rows = sql.exec("SELECT export_id FROM exports", &[])?;
        let mut running = order::Map::new();
        for row in &rows {
            running.insert(row.text(0)?.to_owned(), now);
        }
        Ok(Self(running))
    }

    /// Begins one: notes it and copies what can change.
    ///
    /// # Errors
    /// `limit_reached`, or `internal_error` from the engine.
    pub fn begin(&mut self, sql: &dyn Sql, id: &str, request_id: &str, now: Timestamp) -> Result<()> {
        if self.0.len() >= MAX_RUNNING {
            let told = format!("At most {MAX_RUNNING} exports of a customer run at a time.");
            return Err(Error::new(Code::LimitReached, told));
        }
        sql.exec(
            "INSERT INTO exports (export_id, request_id, started_at) VALUES (?, ?, ?)",
            &[id.into(), request_id.into(), now.as_millis().into()],
        )?;
        sql.exec(
            "INSERT INTO export_users SELECT ?1, user_id, version, profile, preferences_version, preferences, \
             created_at, updated_at, last_seen_at FROM users",
            &[id.into()],
        )?;
        sql.exec(
            "INSERT INTO export_legacy SELECT ?1, kind, key, \
             CASE WHEN kind IN ('customer', 'preferences', 'api_key') THEN document END FROM legacy",
            &[id.into()],
        )?;
        self.0.insert(id.to_owned(), now);
        Ok(())
    }

    /// Notes that a piece is taken; false if the export was given up.
    pub fn touch(&mut self, id: &str, now: Timestamp) -> bool {
        self.0.get_mut(id).map(|at| *at = now).is_some()
    }

    /// Ends one and drops its copies.
    ///
    /// # Errors
    /// `internal_error` from the engine.
    pub fn end(&mut self, sql: &dyn Sql, id: &str) -> Result<()> {
        sql.exec("DELETE FROM export_users WHERE export_id = ?", &[id.into()])?;
        sql.exec("DELETE FROM export_legacy WHERE export_id = ?", &[id.into()])?;
        sql.exec("DELETE FROM exports WHERE export_id = ?", &[id.into()])?;
        self.0.remove(id);
        Ok(())
    }

    /// The request that began it.
    ///
    /// # Errors
    /// `internal_error` from the engine, or if there is no such export.
    pub fn request_id(sql: &dyn Sql, id: &str) -> Result<String> {
        let rows = sql.exec("SELECT request_id FROM exports WHERE export_id = ?", &[id.into()])?;
        let row = rows
            .first()
            .ok_or_else(|| Error::fault("an export's row is gone"))?;
        row.text(0).map(str::to_owned)
    }

    /// When the first of them will have been idle for too long.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        let oldest = self.0.values().min()?;
        Some(Timestamp::from_millis(oldest.as_millis().saturating_add(IDLE_MS)))
    }

    /// Those that were idle for too long.
    #[must_use]
    pub fn idle(&self, now: Timestamp) -> Vec<String> {
        let since = |at: &Timestamp| now.as_millis().saturating_sub(at.as_millis());
        let idle = self.0.iter().filter(|(_, at)| since(at) >= IDLE_MS);
        idle.map(|(id, _)| id.clone()).collect()
    }
}
