//! A server that counts what the platform bills: the delivered module, wrapped by `counter.js`.

use crate::support::server::{Server, new_data};
use crate::support::settings::Settings;
use crate::support::wrapped;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

const COUNTER: &str = include_str!("counter.js");
/// How long nothing may have been counted before all is taken to have come to rest.
const REST: Duration = Duration::from_millis(30);

/// What was counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Billed {
    /// Requests to objects, by their class; alarms among them.
    pub requests: BTreeMap<String, u64>,
    /// Alarms.
    pub alarms: u64,
    /// Rows read.
    pub read: u64,
    /// Rows written.
    pub written: u64,
}

impl Billed {
    /// What was counted since `before`.
    pub fn since(&self, before: &Self) -> Self {
        let requests = self.requests.iter().map(|(class, count)| {
            let before = before.requests.get(class).copied().unwrap_or_default();
            (class.clone(), count - before)
        });
        Self {
            requests: requests.filter(|(_, count)| *count > 0).collect(),
            alarms: self.alarms - before.alarms,
            read: self.read - before.read,
            written: self.written - before.written,
        }
    }

    /// All requests to objects.
    pub fn objects(&self) -> u64 {
        self.requests.values().sum()
    }
}

/// Such a server.
pub fn start(settings: &Settings) -> Server {
    start_in(settings, &new_data())
}

/// Such a server on that data.
pub fn start_in(settings: &Settings, data: &Arc<TempDir>) -> Server {
    wrapped::start(settings, data, COUNTER)
}

/// What was counted so far, once nothing more is under way.
pub fn billed(server: &Server) -> Billed {
    let mut last = ask(server, "/billed");
    loop {
        std::thread::sleep(REST);
        let now = ask(server, "/billed");
        if now == last {
            return now;
        }
        last = now;
    }
}

/// What `work` is billed, without the alarms that come meanwhile.
pub fn of<T>(server: &Server, work: impl FnOnce() -> T) -> (Billed, T) {
    ask(server, "/billed/hold");
    let before = billed(server);
    let done = work();
    let after = billed(server);
    ask(server, "/billed/go");
    (after.since(&before), done)
}

fn ask(server: &Server, path: &str) -> Billed {
    let mut answer = server
        .agent()
        .get(format!("{}{path}", server.origin()))
        .call()
        .unwrap();
    let told: Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
    let number = |value: &Value| value.as_u64().unwrap();
    let requests = told["requests"].as_object().unwrap().iter();
    Billed {
        requests: requests
            .map(|(class, count)| (class.clone(), number(count)))
            .collect(),
        alarms: number(&told["alarms"]),
        read: number(&told["read"]),
        written: number(&told["written"]),
    }
}
