//! A login service on loopback that publishes its keys, or does what a broken or hostile one would.

use crate::support::server::{PATIENCE, poll};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// The path of the keys.
const PATH: &str = "/.well-known/jwks.json";

/// A running issuer.
pub struct Issuer {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    answer: Mutex<String>,
    /// While true, requests are accepted and not answered.
    held: AtomicBool,
    fetches: AtomicUsize,
    strays: AtomicUsize,
    closed: AtomicBool,
}

impl Issuer {
    /// One that publishes this JWK set.
    pub fn publishing(set: &Value) -> Self {
        Self::answering(ok(&set.to_string()))
    }

    /// One that sends every client to another URL.
    pub fn redirecting(to: &str) -> Self {
        Self::answering(format!(
            "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"
        ))
    }

    fn answering(answer: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            answer: Mutex::new(answer),
            held: AtomicBool::new(false),
            fetches: AtomicUsize::new(0),
            strays: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
        });
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if of_thread.closed.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&of_thread);
                std::thread::spawn(move || stream.map(|stream| serve(stream, &shared)));
            }
        });
        Self {
            address,
            shared,
            thread: Some(thread),
        }
    }

    /// Where its keys are.
    pub fn url(&self) -> String {
        format!("http://{}{PATH}", self.address)
    }

    /// Publishes another set from now on.
    pub fn publish(&self, set: &Value) {
        *self.shared.answer.lock().expect("the answer") = ok(&set.to_string());
    }

    /// Accepts requests but does not answer them until [`Issuer::release`].
    pub fn hold(&self) {
        self.shared.held.store(true, Ordering::SeqCst);
    }

    /// Answers what it holds.
    pub fn release(&self) {
        self.shared.held.store(false, Ordering::SeqCst);
    }

    /// How often its keys were asked for.
    pub fn fetches(&self) -> usize {
        self.shared.fetches.load(Ordering::SeqCst)
    }

    /// How often anything else was asked for.
    pub fn strays(&self) -> usize {
        self.shared.strays.load(Ordering::SeqCst)
    }

    /// Is gone: from now on connections are refused.
    pub fn stop(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        self.release();
        self.shared.closed.store(true, Ordering::SeqCst);
        // Wakes the thread out of `accept`.
        let _ = TcpStream::connect(self.address);
        let _ = thread.join();
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn serve(stream: TcpStream, shared: &Shared) {
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let mut lines = BufReader::new(&stream).lines();
    let Some(Ok(first)) = lines.next() else { return };
    while lines
        .next()
        .is_some_and(|line| line.is_ok_and(|line| !line.is_empty()))
    {}
    if first.starts_with(&format!("GET {PATH} ")) {
        shared.fetches.fetch_add(1, Ordering::SeqCst);
    } else {
        shared.strays.fetch_add(1, Ordering::SeqCst);
    }
    poll("the issuer is released", || {
        (!shared.held.load(Ordering::SeqCst)).then_some(())
    });
    let answer = shared
        .answer
        .lock()
        .expect("the answer")
        .replacen("\r\n", "\r\nConnection: close\r\n", 1);
    let _ = (&stream).write_all(answer.as_bytes());
}
