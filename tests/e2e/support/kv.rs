//! The older service's key-value store, as workerd asks one: over HTTP, `GET /<key>`, `GET /?prefix=…` in pages, and
//! `DELETE /<key>`.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Keys that the platform lists at once.
const PAGE_KEYS: usize = 1000;

/// A running store. It ends with the process.
pub struct Kv {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    values: BTreeMap<String, String>,
    reads: Vec<String>,
    is_broken: bool,
    keeps_all: bool,
}

impl Kv {
    /// An empty one.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Mutex::new(Shared::default()));
        let of_thread = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&of_thread);
                std::thread::spawn(move || serve(&stream, &shared));
            }
        });
        Self { address, shared }
    }

    /// `host:port`.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Writes a value: a text as it is, anything else as JSON.
    pub fn put(&self, key: &str, value: &Value) {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        self.shared.lock().unwrap().values.insert(key.to_owned(), text);
    }

    /// From now on it answers 500 to everything, or no longer.
    pub fn set_broken(&self, is_broken: bool) {
        self.shared.lock().unwrap().is_broken = is_broken;
    }

    /// From now on it deletes nothing and says so, or no longer.
    pub fn set_keeping(&self, keeps_all: bool) {
        self.shared.lock().unwrap().keeps_all = keeps_all;
    }

    /// All keys that it has.
    pub fn keys(&self) -> Vec<String> {
        self.shared.lock().unwrap().values.keys().cloned().collect()
    }

    /// What was read since the last call.
    pub fn take_reads(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.lock().unwrap().reads)
    }
}

fn serve(stream: &TcpStream, shared: &Mutex<Shared>) {
    let mut lines = BufReader::new(stream).lines();
    let Some(Ok(first)) = lines.next() else { return };
    while lines
        .next()
        .is_some_and(|line| line.is_ok_and(|line| !line.is_empty()))
    {}
    let method = first.split(' ').next().unwrap_or_default();
    let target = first.split(' ').nth(1).unwrap_or_default();
    // Workerd sends the absolute form to what it takes for a proxy.
    let target = match target.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => target,
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let key = decode(path.trim_start_matches('/'));
    let mut shared = shared.lock().unwrap();
    shared.reads.push(if key.is_empty() {
        decode(query)
    } else {
        key.clone()
    });
    let (status, body) = if shared.is_broken {
        (500, String::new())
    } else if method == "DELETE" && shared.keeps_all {
        (405, String::new())
    } else if method == "DELETE" {
        shared.values.remove(&key);
        (200, String::new())
    } else if key.is_empty() {
        (200, list(&shared.values, query).to_string())
    } else {
        match shared.values.get(&key) {
            Some(value) => (200, value.clone()),
            None => (404, String::new()),
        }
    };
    drop(shared);
    let _ = write!(
        &mut &*stream,
        "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
}

/// A page of keys; the cursor is the last key of the page before.
fn list(values: &BTreeMap<String, String>, query: &str) -> Value {
    let parameter = |name: &str| {
        let mut parts = query.split('&').filter_map(|part| part.split_once('='));
        decode(parts.find(|(key, _)| *key == name).map_or("", |(_, value)| value))
    };
    let (prefix, after) = (parameter("prefix"), parameter("cursor"));
    let mut found = values
        .keys()
        .filter(|key| key.starts_with(&prefix) && **key > after);
    let limit = parameter("key_count_limit").parse().unwrap_or(PAGE_KEYS);
    let page: Vec<_> = found.by_ref().take(limit).collect();
    let keys: Vec<_> = page.iter().map(|key| json!({"name": key})).collect();
    match found.next() {
        Some(_) => json!({"keys": keys, "list_complete": false, "cursor": page.last()}),
        None => json!({"keys": keys, "list_complete": true}),
    }
}

fn decode(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte == b'%' && tail.len() >= 2 {
            let hex = std::str::from_utf8(&tail[..2]).unwrap();
            bytes.push(u8::from_str_radix(hex, 16).unwrap());
            rest = &tail[2..];
        } else {
            bytes.push(if byte == b'+' { b' ' } else { byte });
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
