//! Requests byte by byte, for what a polite client would not send.

use crate::support::http::Response;
use crate::support::server::{PATIENCE, Server};
use std::io::{self, Read, Write};
use std::net::TcpStream;

/// A connection to a server.
pub struct Raw {
    stream: TcpStream,
    host: String,
    sent: String,
}

impl Raw {
    /// Opens it.
    pub fn open(server: &Server) -> Self {
        let stream = TcpStream::connect(server.address()).expect("connecting");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        stream.set_write_timeout(Some(PATIENCE)).expect("a timeout");
        Self {
            stream,
            host: server.address().to_owned(),
            sent: String::new(),
        }
    }

    /// Sends a request's head: its first line, `Host`, and these lines.
    pub fn head(&mut self, line: &str, headers: &[(&str, &str)]) {
        line.clone_into(&mut self.sent);
        let mut text = format!("{line} HTTP/1.1\r\nHost: {}\r\n", self.host);
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        self.bytes(text.as_bytes()).expect("sending the head");
    }

    /// Sends these bytes; an error where the server has hung up.
    pub fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Sends one chunk of a chunked body (RFC 9112 section 7.1), the last one if it is empty.
    pub fn chunk(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.bytes(format!("{:x}\r\n", bytes.len()).as_bytes())?;
        self.bytes(bytes)?;
        self.bytes(b"\r\n")
    }

    /// Waits for some bytes of a response.
    pub fn some(&mut self) {
        let mut bytes = [0; 1024];
        let count = self.stream.read(&mut bytes).expect("some bytes");
        assert!(count > 0, "the server hung up");
    }

    /// Whatever comes until the server hangs up, or breaks off.
    pub fn rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let _ = self.stream.read_to_end(&mut bytes);
        bytes
    }

    /// Reads one response.
    pub fn response(&mut self) -> Response {
        let head = self.until(b"\r\n\r\n");
        let mut lines = head.lines();
        let status = lines
            .next()
            .and_then(|line| line.split(' ').nth(1))
            .and_then(|text| text.parse().ok());
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers: Vec<_> = headers
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let mut response = Response {
            status: status.unwrap_or_else(|| panic!("no response: {head}")),
            headers,
            body: Vec::new(),
            request: format!("raw {}", self.sent),
        };
        response.body = match response.header("content-length") {
            Some(length) => self.exactly(length.parse().expect("a length")),
            None if response.header("transfer-encoding").is_some() => self.chunks(),
            None => Vec::new(),
        };
        response.check();
        response
    }

    /// Waits until the server hangs up without a word.
    pub fn closed(&mut self) {
        let mut byte = [0];
        let read = self.stream.read(&mut byte).expect("the end of the connection");
        assert_eq!(read, 0, "the server said something");
    }

    fn until(&mut self, end: &[u8]) -> String {
        let mut bytes = Vec::new();
        while !bytes.ends_with(end) {
            bytes.extend(self.exactly(1));
        }
        String::from_utf8(bytes).expect("a head of ASCII")
    }

    fn exactly(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.stream
            .read_exact(&mut bytes)
            .unwrap_or_else(|error| panic!("{}: {error}", self.sent));
        bytes
    }

    fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let length = self.until(b"\r\n");
            let length = usize::from_str_radix(length.trim_end(), 16).expect("a chunk's length");
            body.extend(self.exactly(length));
            self.exactly(2);
            if length == 0 {
                return body;
            }
        }
    }
}
