//! `user-api rewrap`: has every customer's data key wrapped under the active master key, page by page, so that an older
//! master key can be taken off the list. Pages are repeated and resumed without harm.

use super::failure::{Failure, Result};
use super::service;
use serde::Deserialize;
use serde_json::json;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;
use ureq::Agent;

/// How often a page is asked for at most, one after the other.
const MAX_ATTEMPTS: u32 = 8;
/// The first wait between two attempts, in milliseconds; each is twice as long as the one before.
const FIRST_WAIT_MS: u64 = 500;
/// The longest wait, in milliseconds, also where the service asks for more.
const MAX_WAIT_MS: u64 = 60_000;
/// Longest page, in bytes.
const MAX_PAGE_BYTES: u64 = 65_536;
/// Most bytes of a state file.
const MAX_STATE_BYTES: usize = 1_024;

/// Wrap every customer's data key under the active master key.
///
/// Do this after a new entry was put first in MASTER_KEYS and deployed, before the older entry is removed. It changes
/// no data, can be stopped and repeated, and ends with failure if any customer's key could not be wrapped anew.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The service, e.g. https://users.example.com (http only on this machine).
    #[arg(long, value_name = "URL", value_parser = service::base_url)]
    url: String,

    /// A file that holds one service key and nothing else [default: the first of SERVICE_API_KEYS].
    #[arg(long, value_name = "FILE")]
    service_key_file: Option<PathBuf>,

    /// Where SERVICE_API_KEYS stands, unless it is in the environment [default: .dev.vars].
    #[arg(long, value_name = "FILE", conflicts_with = "service_key_file")]
    env_file: Option<PathBuf>,

    /// Remember in this file how far it is, and go on from there. It is removed when all were done.
    #[arg(long, visible_alias = "resume", value_name = "FILE")]
    state: Option<PathBuf>,

    /// How many customers one request does.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u8).range(1..=100))]
    page: u8,
}

/// What the service answers.
#[derive(Deserialize)]
struct Page {
    wrapped: u64,
    gone: u64,
    failed: Vec<Failed>,
    next: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failed {
    customer_id: String,
    code: String,
}

/// Runs the subcommand.
///
/// # Errors
/// The service refuses or does not answer, the state file cannot be read or written, or some key was not wrapped.
pub fn run(args: &Args) -> Result<()> {
    let key = service::key(args.service_key_file.as_deref(), args.env_file.as_deref())?;
    let (agent, url) = (service::agent(), format!("{}/internal/rewrap", args.url));
    let mut after = args.state.as_deref().map(resume).transpose()?.flatten();
    let (mut wrapped, mut gone, mut failed) = (0_u64, 0_u64, 0_u64);
    loop {
        let page = ask(&agent, &url, &key, after.as_deref(), args.page)?;
        wrapped = wrapped.saturating_add(page.wrapped);
        gone = gone.saturating_add(page.gone);
        for one in &page.failed {
            failed = failed.saturating_add(1);
            print(format_args!("{} {}", one.customer_id, one.code))?;
        }
        let _ = writeln!(
            std::io::stderr().lock(),
            "{wrapped} wrapped, {gone} gone, {failed} failed"
        );
        after = page.next;
        let Some(cursor) = &after else { break };
        // Who failed would be passed over by whoever goes on from here.
        if let (Some(path), 0) = (&args.state, failed) {
            save(path, cursor)?;
        }
    }
    if failed > 0 {
        return Err(Failure::failed(format!(
            "{failed} keys are still wrapped as they were; keep the older master key, and run this again"
        )));
    }
    if let Some(path) = &args.state {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Failure::failed(format!(
                    "cannot remove {}: {error}",
                    path.display()
                )));
            }
            _ => {}
        }
    }
    print(format_args!(
        "{wrapped} customers are wrapped under the active master key"
    ))
}

fn print(line: std::fmt::Arguments<'_>) -> Result<()> {
    writeln!(std::io::stdout().lock(), "{line}")
        .map_err(|error| Failure::failed(format!("cannot write the result: {error}")))
}

/// The cursor that an earlier run has left.
fn resume(path: &Path) -> Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) if text.len() <= MAX_STATE_BYTES => Ok(Some(text.trim().to_owned())),
        Ok(_) => Err(Failure::failed(format!(
            "{} is no state of a rewrap",
            path.display()
        ))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::failed(format!(
            "cannot read {}: {error}",
            path.display()
        ))),
    }
}

/// The whole cursor or the one before: a run that is killed here leaves no half of one.
fn save(path: &Path, cursor: &str) -> Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    std::fs::write(&new, cursor)
        .and_then(|()| std::fs::rename(&new, path))
        .map_err(|error| Failure::failed(format!("cannot write {}: {error}", path.display())))
}

/// One page, asked for again, later each time, where that may help.
fn ask(agent: &Agent, url: &str, key: &str, after: Option<&str>, limit: u8) -> Result<Page> {
    let body = match after {
        Some(after) => json!({"after": after, "limit": limit}),
        None => json!({"limit": limit}),
    };
    let (body, mut wait, mut last) = (body.to_string(), FIRST_WAIT_MS, String::new());
    for attempt in 0..MAX_ATTEMPTS {
        if attempt > 0 {
            std::thread::sleep(Duration::from_millis(wait.min(MAX_WAIT_MS)));
            wait = wait.saturating_mul(2);
        }
        let sent = agent
            .post(url)
            .header("Content-Type", "application/json")
            .header("X-Service-Key", key)
            .send(&body);
        let response = match sent {
            Ok(response) => response,
            Err(error) => {
                last = format!("the service does not answer: {error}");
                continue;
            }
        };
        match response.status().as_u16() {
            200 => {
                let bytes = service::body(key, "application/json", MAX_PAGE_BYTES, response);
                match bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
                    Some(page) => return Ok(page),
                    None => return Err(Failure::failed("the answer is not that of a rewrap")),
                }
            }
            status @ (429 | 500..=599) => {
                let after = response.headers().get("Retry-After");
                let after = after.and_then(|value| value.to_str().ok()?.trim().parse::<u64>().ok());
                if let Some(seconds) = after {
                    wait = seconds.saturating_mul(1_000);
                }
                last = format!("the service answers {status}");
            }
            _ => return Err(Failure::failed(service::refusal(key, response))),
        }
    }
    Err(Failure::failed(format!("{last}, {MAX_ATTEMPTS} times in a row")))
}
