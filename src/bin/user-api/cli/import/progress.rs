//! How far it is, on stderr: a bar where somebody looks, else a line now and then.

use super::counts::Counts;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// How often a line is written where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// The progress of an import.
pub struct Progress {
    bar: Option<ProgressBar>,
    total: u64,
    done: u64,
    last_line: Instant,
}

impl Progress {
    /// Of so many bytes, of which some were done before.
    pub fn new(total: u64, done: u64) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(total);
            let form = "{bar:30} {percent:>3} %  {msg}  {bytes_per_sec}  {eta} left";
            if let Ok(style) = ProgressStyle::with_template(form) {
                bar.set_style(style);
            }
            bar.set_position(done);
            bar.reset_eta();
            bar
        });
        Self {
            bar,
            total,
            done,
            last_line: Instant::now(),
        }
    }

    /// So many bytes more are done.
    pub fn advance(&mut self, bytes: u64, counts: &Counts) {
        self.done = self.done.saturating_add(bytes).min(self.total);
        let records = counts.total();
        if let Some(bar) = &self.bar {
            bar.set_position(self.done);
            bar.set_message(format!("{records} records"));
        } else if self.last_line.elapsed() >= LINE_EVERY {
            self.last_line = Instant::now();
            let percent = self
                .done
                .saturating_mul(100)
                .checked_div(self.total)
                .unwrap_or(100);
            // Where stderr is closed, the import goes on.
            let _ = writeln!(std::io::stderr().lock(), "{percent} %, {records} records");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
