//! One request: a batch out, a result for each line back. Tried again, later each time, where that may help.

use super::batch::Entry;
use crate::cli::failure::{Failure, Result};
use crate::cli::service;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::time::Duration;
use ureq::http::Response;
use ureq::{Agent, Body};
use user_api::edge::import::MEDIA_TYPE;
use user_api::edge::sealed_stream::Opener;
use user_api::legacy::outcome::{Outcome, Told, Word};

/// How often a batch is sent at most.
pub const MAX_ATTEMPTS: u32 = 8;
/// The first wait between two attempts, in milliseconds; each is twice as long as the one before.
const FIRST_WAIT_MS: u64 = 500;
/// The longest wait, in milliseconds, also where the service asks for more.
const MAX_WAIT_MS: u64 = 60_000;
/// Longest line of an answer, in bytes.
const MAX_ANSWER_LINE_BYTES: u64 = 8_192;
/// Longest sealed part of an answer, in bytes: the results of a window, in base64.
const MAX_SEALED_PART_BYTES: u64 = 8_388_608;

/// Where batches go.
#[derive(Clone)]
pub struct Service {
    agent: Agent,
    url: String,
    key: String,
}

/// Why an attempt failed.
enum Failed {
    /// It may help to try again, after so long if that was told.
    Again(String, Option<Duration>),
    /// It does not.
    ForGood(String),
}

impl Service {
    /// The service at that address.
    pub fn new(url: &str, key: String) -> Self {
        Self {
            agent: service::agent(),
            url: format!("{url}/internal/import"),
            key,
        }
    }

    /// Sends the lines of a batch that are to be sent, and tells of each of its lines, in their order.
    ///
    /// # Errors
    /// The service refuses, or does not answer however often it is asked.
    pub fn send(&self, entries: Vec<Entry>) -> Result<Vec<Told>> {
        let mut told: Vec<Option<Told>> = Vec::with_capacity(entries.len());
        let mut open = Vec::new();
        for (at, entry) in entries.into_iter().enumerate() {
            match entry {
                Entry::Told(this) => told.push(Some(this)),
                Entry::Sent { key, line, shortened } => {
                    told.push(None);
                    open.push((at, key, line, shortened));
                }
            }
        }
        let mut attempt = 0;
        while !open.is_empty() {
            let mut wait = Duration::from_millis(
                FIRST_WAIT_MS
                    .saturating_mul(1_u64.checked_shl(attempt).unwrap_or(u64::MAX))
                    .min(MAX_WAIT_MS),
            );
            attempt = attempt.saturating_add(1);
            let lines: Vec<&[u8]> = open.iter().map(|(_, _, line, _)| line.as_slice()).collect();
            let keys: Vec<&str> = open.iter().map(|(_, key, ..)| key.as_str()).collect();
            match self.attempt(&lines, &keys) {
                Ok(answers) => {
                    let is_last = attempt >= MAX_ATTEMPTS;
                    let mut rest = Vec::new();
                    for (one, mut answer) in open.into_iter().zip(answers) {
                        if answer.detail.as_deref() == Some(Word::Unavailable.as_str()) && !is_last {
                            rest.push(one);
                            continue;
                        }
                        if one.3 {
                            note_shortened(&mut answer);
                        }
                        if let Some(place) = told.get_mut(one.0) {
                            *place = Some(answer);
                        }
                    }
                    open = rest;
                }
                Err(Failed::Again(what, _)) if attempt >= MAX_ATTEMPTS => {
                    return Err(Failure::failed(format!("{what}, {MAX_ATTEMPTS} times in a row")));
                }
                Err(Failed::Again(_, told)) => {
                    wait = told.unwrap_or(wait).min(Duration::from_millis(MAX_WAIT_MS));
                }
                Err(Failed::ForGood(what)) => return Err(Failure::failed(what)),
            }
            if !open.is_empty() {
                std::thread::sleep(wait);
            }
        }
        Ok(told.into_iter().flatten().collect())
    }

    fn attempt(&self, lines: &[&[u8]], keys: &[&str]) -> std::result::Result<Vec<Told>, Failed> {
        let mut body = Vec::with_capacity(lines.iter().map(|line| line.len().saturating_add(1)).sum());
        for line in lines {
            body.extend_from_slice(line);
            body.push(b'\n');
        }
        let sent = self
            .agent
            .post(&self.url)
            .header("Content-Type", MEDIA_TYPE)
            .header("X-Service-Key", &self.key)
            .send(&body);
        let response =
            sent.map_err(|error| Failed::Again(format!("the service does not answer: {error}"), None))?;
        let status = response.status().as_u16();
        match status {
            200 if service::is_sealed(&response) => {
                let lines = self.open(response, keys.len())?;
                read(&mut Cursor::new(lines), keys)
            }
            200 => read(&mut BufReader::new(response.into_body().into_reader()), keys),
            429 | 500..=599 => {
                let after = response.headers().get("Retry-After");
                let after = after.and_then(|value| value.to_str().ok()?.trim().parse().ok());
                let after = after.map(Duration::from_secs);
                Err(Failed::Again(format!("the service answers {status}"), after))
            }
            _ => Err(Failed::ForGood(service::refusal(&self.key, response))),
        }
    }

    /// The lines of an answer that is sealed to the key, whole; of `results` lines there are no more parts than that.
    fn open(&self, response: Response<Body>, results: usize) -> std::result::Result<Vec<u8>, Failed> {
        let request_id = service::request_id(&response);
        let mut opener = Opener::new(&self.key, MEDIA_TYPE, &request_id);
        let mut sealed = BufReader::new(response.into_body().into_reader());
        let mut lines = Vec::new();
        for _ in 0..=results {
            let part = line(&mut sealed, MAX_SEALED_PART_BYTES)?;
            let opened = opener.line(&part);
            lines.extend(
                opened.ok_or_else(|| Failed::ForGood("the answer was not sealed for this key".to_owned()))?,
            );
            if opener.is_whole() {
                return Ok(lines);
            }
        }
        Err(Failed::ForGood("the answer is not that of an import".to_owned()))
    }
}

/// The next line, with its end.
fn line(lines: &mut impl BufRead, longest: u64) -> std::result::Result<Vec<u8>, Failed> {
    let broken = || Failed::Again("the answer broke off".to_owned(), None);
    let mut line = Vec::new();
    Read::take(&mut *lines, longest)
        .read_until(b'\n', &mut line)
        .map_err(|_| broken())?;
    if line.last() == Some(&b'\n') {
        Ok(line)
    } else {
        Err(broken())
    }
}

/// The results, each of which must be that of its line: whoever answers something else is no such service.
fn read(lines: &mut impl BufRead, keys: &[&str]) -> std::result::Result<Vec<Told>, Failed> {
    let mut told = Vec::with_capacity(keys.len());
    for key in keys {
        let line = line(lines, MAX_ANSWER_LINE_BYTES)?;
        match serde_json::from_slice::<Told>(&line) {
            Ok(answer) if answer.key == *key => told.push(answer),
            _ => return Err(Failed::ForGood("the answer is not that of an import".to_owned())),
        }
    }
    Ok(told)
}

fn note_shortened(told: &mut Told) {
    let word = Word::TooLarge.as_str();
    match &mut told.detail {
        Some(detail) if detail.split(", ").any(|known| known == word) => {}
        Some(detail) => {
            detail.push_str(", ");
            detail.push_str(word);
        }
        None if told.outcome == Outcome::Unchanged => {}
        None => told.detail = Some(word.to_owned()),
    }
}
