//! A sealed stream of lines (`docs/FORMATS.md`, "Sealed response"): each of its lines is a sealed document that holds
//! some whole lines of what is streamed, and an empty one ends it. The media type that is bound to each says which it
//! is, so none can be left out, repeated, moved or cut off unnoticed.

use crate::edge::sealed::{Frame, seal};
use crate::entropy::Entropy;
use crate::error::Result;

/// The media type that is bound to the part of that number, from 0.
#[must_use]
pub fn part_type(media_type: &str, number: u32) -> String {
    format!("{media_type};part={number}")
}

/// The media type that is bound to the document that ends a stream of so many parts.
#[must_use]
pub fn end_type(media_type: &str, parts: u32) -> String {
    format!("{media_type};parts={parts}")
}

/// Seals one stream.
#[derive(Debug, Clone)]
pub struct Sealer {
    credential: String,
    media_type: &'static str,
    request_id: String,
    parts: u32,
}

impl Sealer {
    /// For the holder of `credential`; `request_id` is `X-Request-Id` of the response, whose status is 200.
    #[must_use]
    pub fn new(credential: String, media_type: &'static str, request_id: String) -> Self {
        Self {
            credential,
            media_type,
            request_id,
            parts: 0,
        }
    }

    /// The line that stands for these lines.
    ///
    /// # Errors
    /// `internal_error` if there is no entropy.
    pub fn part(&mut self, lines: &[u8], entropy: &mut dyn Entropy) -> Result<Vec<u8>> {
        let line = self.line(&part_type(self.media_type, self.parts), lines, entropy)?;
        self.parts = self.parts.saturating_add(1);
        Ok(line)
    }

    /// The last line.
    ///
    /// # Errors
    /// `internal_error` if there is no entropy.
    pub fn end(&self, entropy: &mut dyn Entropy) -> Result<Vec<u8>> {
        self.line(&end_type(self.media_type, self.parts), b"", entropy)
    }

    fn line(&self, content_type: &str, plain: &[u8], entropy: &mut dyn Entropy) -> Result<Vec<u8>> {
        let frame = Frame {
            status: 200,
            content_type,
            request_id: &self.request_id,
        };
        let mut line = seal(&self.credential, frame, plain, entropy)?;
        line.push(b'\n');
        Ok(line)
    }
}

/// Opens a stream line by line.
#[cfg(not(target_arch = "wasm32"))]
#[derive(Debug)]
pub struct Opener<'a> {
    credential: &'a str,
    media_type: &'static str,
    request_id: &'a str,
    parts: u32,
    is_at_end: bool,
}

#[cfg(not(target_arch = "wasm32"))]
impl<'a> Opener<'a> {
    /// The other end of [`Sealer::new`].
    #[must_use]
    pub fn new(credential: &'a str, media_type: &'static str, request_id: &'a str) -> Self {
        Self {
            credential,
            media_type,
            request_id,
            parts: 0,
            is_at_end: false,
        }
    }

    /// The lines that the next line stands for; None where it is not that line.
    #[must_use]
    pub fn line(&mut self, line: &[u8]) -> Option<Vec<u8>> {
        let open = |content_type: &str| {
            let frame = Frame {
                status: 200,
                content_type,
                request_id: self.request_id,
            };
            crate::edge::sealed::open(self.credential, frame, line)
        };
        if self.is_at_end {
            return None;
        }
        if let Some(lines) = open(&part_type(self.media_type, self.parts)) {
            self.parts = self.parts.checked_add(1)?;
            return Some(lines);
        }
        let end = open(&end_type(self.media_type, self.parts))?;
        self.is_at_end = true;
        Some(end)
    }

    /// Whether nothing is missing.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.is_at_end
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    /// Counts up, so that no two lines are sealed alike.
    struct Counting(u8);

    impl Entropy for Counting {
        fn fill(&mut self, out: &mut [u8]) -> Result<()> {
            self.0 = self.0.wrapping_add(1);
            out.fill(self.0);
            Ok(())
        }
    }

    const KIND: &str = "application/x-ndjson";

    fn sealed(parts: &[&str]) -> Vec<Vec<u8>> {
        let mut sealer = Sealer::new("key".to_owned(), KIND, "req_1".to_owned());
        let mut entropy = Counting(0);
        let mut lines: Vec<_> = parts
            .iter()
            .map(|part| sealer.part(part.as_bytes(), &mut entropy).unwrap())
            .collect();
        lines.push(sealer.end(&mut entropy).unwrap());
        lines
    }

    fn opened(credential: &str, lines: &[Vec<u8>]) -> Option<String> {
        let mut opener = Opener::new(credential, KIND, "req_1");
        let mut text = Vec::new();
        for line in lines {
            text.extend(opener.line(line)?);
        }
        opener.is_whole().then(|| String::from_utf8(text).unwrap())
    }

    #[test]
    fn a_stream_opens_whole_and_in_its_order_for_its_own_credential_and_not_otherwise() {
        let lines = sealed(&["{\"a\":1}\n{\"a\":2}\n", "{\"a\":3}\n"]);
        assert_eq!(lines.len(), 3);
        assert!(
            lines
                .iter()
                .all(|line| line.ends_with(b"\n") && line.iter().filter(|&&b| b == b'\n').count() == 1)
        );
        let text = opened("key", &lines).unwrap();
        assert_eq!(text, "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n");
        assert_eq!(opened("other", &lines), None);
        let (first, second, end) = (&lines[0], &lines[1], &lines[2]);
        for broken in [
            vec![first.clone(), second.clone()],
            vec![second.clone(), first.clone(), end.clone()],
            vec![first.clone(), end.clone()],
            vec![first.clone(), first.clone(), end.clone()],
            vec![first.clone(), second.clone(), end.clone(), end.clone()],
            vec![end.clone()],
            Vec::new(),
        ] {
            assert_eq!(opened("key", &broken), None);
        }
        assert_eq!(opened("key", &sealed(&[])).unwrap(), "");
    }

    /// Made by another implementation (`tests/data/make-sealed.mjs`); the TypeScript client opens the same.
    const VECTORS: &str = include_str!("../../tests/data/sealed-lines-v4.json");

    #[test]
    fn sealed_lines_of_another_implementation_open() {
        let vectors: Vec<serde_json::Value> = serde_json::from_str(VECTORS).unwrap();
        assert!(vectors.len() >= 2);
        for vector in vectors {
            let mut opener = Opener::new(
                vector["token"].as_str().unwrap(),
                KIND,
                vector["requestId"].as_str().unwrap(),
            );
            let mut text = Vec::new();
            for line in vector["lines"].as_array().unwrap() {
                text.extend(opener.line(line.as_str().unwrap().as_bytes()).unwrap());
            }
            assert!(opener.is_whole());
            assert_eq!(
                String::from_utf8(text).unwrap(),
                vector["plaintext"].as_str().unwrap()
            );
        }
    }
}
