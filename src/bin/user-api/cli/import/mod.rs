//! `user-api import`: moves the records of the older service in, from dumps of its key-value store.
//!
//! 1. The dumps are read twice, customers first; one line at a time is in memory, and at most [`WINDOW`] batches.
//! 2. Batches are sent by several threads, and told of in their order: the results file and the state file only ever
//!    hold what was answered, and a run that is killed goes on where the state says.
//! 3. Sending a record again changes nothing, so whatever a killed run may have sent twice does no harm.

mod batch;
mod counts;
mod dump;
mod progress;
mod results;
mod send;
mod state;

use super::failure::{Failure, Result};
use super::service;
use batch::{Batch, Batches, PASSES};
use counts::Counts;
use progress::Progress;
use results::Results;
use send::Service;
use state::State;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use user_api::legacy::outcome::{Outcome, Told, Word};

/// Most batches between the first that is not answered and the last that is sent, for each thread.
const WINDOW: usize = 4;

/// Move customers in from dumps of the older service's key-value store.
///
/// A dump is NDJSON, one `{"key": …, "value": …, "expiration"?: …}` a line. Several dumps may overlap, in any order.
/// Repeating an import is safe, and so is stopping it: with `--state` the next run goes on where this one ended.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The dumps.
    #[arg(required = true, value_name = "DUMP")]
    dumps: Vec<PathBuf>,

    /// The service, e.g. https://users.example.com (http only on this machine).
    #[arg(long, value_name = "URL", required_unless_present = "dry_run", value_parser = service::base_url)]
    url: Option<String>,

    /// A file that holds one service key and nothing else [default: the first of SERVICE_API_KEYS].
    #[arg(long, value_name = "FILE")]
    service_key_file: Option<PathBuf>,

    /// Where SERVICE_API_KEYS stands, unless it is in the environment [default: .dev.vars].
    #[arg(long, value_name = "FILE", conflicts_with = "service_key_file")]
    env_file: Option<PathBuf>,

    /// Read and judge every record, and send none.
    #[arg(long)]
    dry_run: bool,

    /// Write the result of each record to this new file, as NDJSON.
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,

    /// Remember in this file how far the import is, and go on from there. It is removed at the end.
    #[arg(
        long,
        visible_alias = "resume",
        value_name = "FILE",
        conflicts_with = "dry_run"
    )]
    state: Option<PathBuf>,

    /// How many requests are under way at one time.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=64))]
    concurrency: u8,

    /// How many records one request carries at most.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=2000))]
    batch: u16,
}

/// Runs the subcommand.
///
/// # Errors
/// A file cannot be read or written, the service refuses or does not answer, or some record was not taken.
pub fn run(args: &Args) -> Result<()> {
    let url = args.url.clone().unwrap_or_default();
    let service = if args.dry_run {
        None
    } else {
        Some(Service::new(
            &url,
            service::key(args.service_key_file.as_deref(), args.env_file.as_deref())?,
        ))
    };
    let new = State::new(&url, &args.dumps)?;
    let resumed = match &args.state {
        Some(path) => State::resume(path, &new)?,
        None => None,
    };
    let results = Results::open(
        args.results.as_deref(),
        resumed.as_ref().map(|state| state.results_bytes),
    )?;
    let state = resumed.unwrap_or(new);
    if let Some(path) = &args.state {
        // From here on what the results hold is this run's own.
        state.save(path)?;
    }
    let mut import = Import {
        state,
        results,
        state_file: args.state.clone(),
    };
    match service {
        Some(service) => import.send(args, &service)?,
        None => import.look(args)?,
    }
    import.finish()
}

struct Import {
    state: State,
    results: Results,
    state_file: Option<PathBuf>,
}

/// What a thread answers.
type Answer = (u64, Batch, Result<Vec<Told>>);

impl Import {
    /// A dry run: everything is judged here.
    fn look(&mut self, args: &Args) -> Result<()> {
        let mut batches = Batches::new(args.dumps.clone(), self.state.at, usize::from(args.batch), true);
        let mut progress = Progress::new(self.state.total_bytes(), 0);
        while let Some(batch) = batches.next()? {
            let (until, bytes) = (batch.until, batch.bytes);
            let told = batch.entries.into_iter().filter_map(|entry| match entry {
                batch::Entry::Told(told) => Some(told),
                batch::Entry::Sent { .. } => None,
            });
            self.tell(told.collect(), until, bytes, &mut progress)?;
        }
        Ok(())
    }

    fn send(&mut self, args: &Args, service: &Service) -> Result<()> {
        let threads = usize::from(args.concurrency);
        let window = u64::try_from(threads.saturating_mul(WINDOW)).unwrap_or(u64::MAX);
        let mut batches = Batches::new(args.dumps.clone(), self.state.at, usize::from(args.batch), false);
        let total = self.state.total_bytes();
        let done = total
            .saturating_mul(u64::from(self.state.at.pass))
            .saturating_add(self.state.bytes_before());
        let mut progress = Progress::new(total.saturating_mul(u64::from(PASSES)), done);
        let (jobs, inbox) = channel::<Batch>();
        let (outbox, answers) = channel::<Answer>();
        start(threads, service, inbox, &outbox);
        // What is answered ahead of its turn waits here.
        let mut ahead = BTreeMap::new();
        let (mut sent, mut told, mut pass) = (0_u64, 0_u64, self.state.at.pass);
        let mut next = batches.next()?;
        loop {
            // What belongs to a customer is sent once every customer was answered.
            while let Some(batch) = next
                .take_if(|batch| sent.saturating_sub(told) < window && (batch.pass == pass || sent == told))
            {
                (sent, pass) = (batch.seq, batch.pass);
                let _ = jobs.send(batch);
                next = batches.next()?;
            }
            if sent == told {
                return Ok(());
            }
            let (seq, batch, answer) = answers
                .recv()
                .map_err(|_| Failure::failed("a sending thread ended by itself"))?;
            ahead.insert(seq, (batch.until, batch.bytes, answer?));
            while let Some((until, bytes, results)) = ahead.remove(&told.saturating_add(1)) {
                told = told.saturating_add(1);
                self.tell(results, until, bytes, &mut progress)?;
            }
        }
    }

    /// Writes down what became of a batch, and then that it is done.
    fn tell(
        &mut self,
        told: Vec<Told>,
        until: state::Position,
        bytes: u64,
        progress: &mut Progress,
    ) -> Result<()> {
        for told in &told {
            self.state.counts.add(told);
            self.results.write(told)?;
        }
        self.state.at = until;
        if let Some(path) = &self.state_file {
            self.state.results_bytes = self.results.sync()?;
            self.state.save(path)?;
        }
        progress.advance(bytes, &self.state.counts);
        Ok(())
    }

    fn finish(mut self) -> Result<()> {
        self.results.sync()?;
        if let Some(path) = &self.state_file
            && let Err(error) = std::fs::remove_file(path)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(Failure::failed(format!(
                "cannot remove {}: {error}",
                path.display()
            )));
        }
        let counts: &Counts = &self.state.counts;
        std::io::stdout()
            .lock()
            .write_all(counts.summary().as_bytes())
            .map_err(|error| Failure::failed(format!("cannot write to stdout: {error}")))?;
        match counts.with_detail(Outcome::Skipped, Word::Unavailable.as_str()) {
            0 => Ok(()),
            left => Err(Failure::failed(format!(
                "{left} records could not be taken now; run the import again"
            ))),
        }
    }
}

/// Threads that send until there is nothing more to send.
fn start(threads: usize, service: &Service, inbox: Receiver<Batch>, outbox: &Sender<Answer>) {
    let inbox = Arc::new(Mutex::new(inbox));
    for _ in 0..threads {
        let (inbox, outbox, service) = (Arc::clone(&inbox), outbox.clone(), service.clone());
        std::thread::spawn(move || {
            loop {
                let batch = match inbox.lock() {
                    Ok(inbox) => inbox.recv(),
                    Err(_) => return,
                };
                let Ok(mut batch) = batch else { return };
                let entries = std::mem::take(&mut batch.entries);
                let answer = service.send(entries);
                if outbox.send((batch.seq, batch, answer)).is_err() {
                    return;
                }
            }
        });
    }
}
