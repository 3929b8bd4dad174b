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
            // Where stderr is closed, the import goes on.
            let _ = writeln!(std::io::stderr().lock(), "{}", self.line(records));
        }
    }

    fn line(&self, records: u64) -> String {
        let percent = self.done.saturating_mul(100).checked_div(self.total);
        format!("{} %, {records} records", percent.unwrap_or(100))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use indicatif::ProgressDrawTarget;

    #[test]
    fn a_line_tells_how_much_of_the_dumps_is_done_and_how_many_records() {
        let mut progress = progress_of(None, 1_000);
        progress.advance(250, &Counts::default());
        assert_eq!(progress.line(7), "25 %, 7 records");
        progress.advance(500, &Counts::default());
        assert_eq!(progress.line(9), "75 %, 9 records");
        progress.advance(u64::MAX, &Counts::default());
        assert_eq!(progress.line(9), "100 %, 9 records");
        let nothing = progress_of(None, 0);
        assert_eq!(nothing.line(0), "100 %, 0 records");
    }

    #[test]
    fn the_bar_stands_where_the_import_is() {
        let bar = ProgressBar::with_draw_target(Some(1_000), ProgressDrawTarget::hidden());
        let mut progress = progress_of(Some(bar.clone()), 1_000);
        progress.advance(400, &Counts::default());
        assert_eq!((bar.position(), bar.message().as_str()), (400, "0 records"));
        drop(progress);
        assert!(bar.is_finished());
    }

    fn progress_of(bar: Option<ProgressBar>, total: u64) -> Progress {
        Progress {
            bar,
            total,
            done: 0,
            last_line: Instant::now(),
        }
    }
}
