//! A service on this machine that a test plays.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Its one service key.
pub const KEY: &str = "svc_0123456789abcdef0123456789abcdef";

/// What a played service does with a request: its number, the lines; the status and the body.
type Play = dyn Fn(usize, &[Value]) -> (u16, String) + Send + Sync;

/// A service on this machine, and all that it was sent.
pub struct Service {
    pub url: String,
    pub requests: Arc<Mutex<Vec<Vec<Value>>>>,
}

impl Service {
    pub fn new(play: impl Fn(usize, &[Value]) -> (u16, String) + Send + Sync + 'static) -> Self {
        Self::remembering(play, true)
    }

    /// One that does not keep what it was sent, but counts it.
    pub fn forgetful(play: impl Fn(usize, &[Value]) -> (u16, String) + Send + Sync + 'static) -> Self {
        Self::remembering(play, false)
    }

    fn remembering(
        play: impl Fn(usize, &[Value]) -> (u16, String) + Send + Sync + 'static,
        remembers: bool,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, play): (_, Arc<Play>) = (Arc::clone(&requests), Arc::new(play));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, play) = (Arc::clone(&seen), Arc::clone(&play));
                std::thread::spawn(move || while serve(&stream, &seen, &play, remembers).is_some() {});
            }
        });
        Self { url, requests }
    }
}

fn serve(stream: &TcpStream, seen: &Mutex<Vec<Vec<Value>>>, play: &Arc<Play>, remembers: bool) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let (mut length, mut has_key) = (0, false);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim().to_owned();
        if line.is_empty() {
            break;
        }
        let lower = line.to_lowercase();
        if let Some(value) = lower.strip_prefix("content-length: ") {
            length = value.parse().unwrap();
        }
        has_key |= lower == format!("x-service-key: {KEY}");
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let lines: Vec<Value> = String::from_utf8(body)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let number = {
        let mut seen = seen.lock().unwrap();
        seen.push(if remembers { lines.clone() } else { Vec::new() });
        seen.len()
    };
    let (status, body) = if has_key {
        play(number, &lines)
    } else {
        (401, r#"{"code":"invalid_service_key"}"#.to_owned())
    };
    let after = if status == 429 { "Retry-After: 1\r\n" } else { "" };
    write!(
        &mut &*stream,
        "HTTP/1.1 {status} X\r\n{after}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .ok()
}
