//! Several requests to one customer's object in one call, and their answers in one response: a call costs the platform
//! more than all that is done in it (`docs/adr/0042-gather-calls-of-one-object.md`).
//!
//! A parcel is a sequence of byte strings, each after its length in four bytes, the lowest first. (A list of parts and
//! no more: a format with types would bring another library for what these few lines do.)

use crate::edge::head;
use crate::edge::reply::{Answer, CODE_HEADER, ELSEWHERE_HEADER};
use crate::error::{Code, Error, Result};

/// The header that says that the body is a parcel, and of which version.
pub const HEADER: &str = "x-user-api-parcel";
/// The version that this code writes and the newest that it reads.
pub const VERSION: &str = "1";
/// Most requests in one parcel.
pub const MAX_LETTERS: usize = 64;
/// Most bytes of the requests in one parcel.
pub const MAX_BYTES: usize = 512 * 1024;
/// Most bytes of the answers to one parcel: 64 of the largest document that is no list, and more.
pub const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;

/// How many bytes a length takes.
const LENGTH_BYTES: usize = 4;
/// Parts of a letter.
const LETTER_PARTS: usize = 2;
/// Parts of an answer.
const ANSWER_PARTS: usize = 5;

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The envelope, as its header would carry it.
    pub envelope: String,
    /// The body; empty where there is none.
    pub body: Vec<u8>,
}

impl Letter {
    fn length(&self) -> usize {
        letter_length(&self.envelope, &self.body)
    }
}

/// An answer: a response, and what the front alone is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The status.
    pub status: u16,
    /// The code of a problem.
    pub code: Option<Code>,
    /// What the id is, if that is why it answers nothing.
    pub elsewhere: Option<String>,
    /// The header fields that go out, as [`head::join`] writes them.
    pub fields: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Told {
    /// What an object answers, with all the fields that go out; an empty 500 if one of them holds a line feed, which
    /// none of ours gives reason to.
    #[must_use]
    pub fn new(mut answer: Answer) -> Self {
        let at = answer
            .headers
            .iter()
            .position(|(name, _)| *name == ELSEWHERE_HEADER);
        let elsewhere = at.map(|at| answer.headers.swap_remove(at).1);
        answer.headers.retain(|(name, _)| *name != CODE_HEADER);
        let Some(fields) = head::join(&answer.headers) else {
            return Self {
                status: 500,
                code: Some(Code::InternalError),
                elsewhere: None,
                fields: String::new(),
                body: Vec::new(),
            };
        };
        Self {
            status: answer.status,
            code: answer.code,
            elsewhere,
            fields,
            body: answer.body,
        }
    }
}

/// What a request takes in a parcel, in bytes.
#[must_use]
pub const fn letter_length(envelope: &str, body: &[u8]) -> usize {
    envelope
        .len()
        .saturating_add(body.len())
        .saturating_add(LETTER_PARTS * LENGTH_BYTES)
}

/// The parcel of these requests.
#[must_use]
pub fn pack(letters: &[Letter]) -> Vec<u8> {
    let length = letters.iter().map(Letter::length);
    let mut bytes = Vec::with_capacity(length.fold(0, usize::saturating_add));
    for letter in letters {
        part(&mut bytes, letter.envelope.as_bytes());
        part(&mut bytes, &letter.body);
    }
    bytes
}

/// The requests of a parcel.
///
/// # Errors
/// `unavailable` for another version, `internal_error` for anything that [`pack`] did not write.
pub fn unpack(version: &str, bytes: &[u8]) -> Result<Vec<Letter>> {
    if version != VERSION {
        let error = Error::new(Code::Unavailable, "The service is being updated.");
        return Err(error.because("parcel of another version"));
    }
    let letters = parts(bytes)?
        .chunks(LETTER_PARTS)
        .map(|parts| match parts {
            [envelope, body] => Ok(Letter {
                envelope: text(envelope)?,
                body: body.to_vec(),
            }),
            _ => Err(malformed()),
        })
        .collect::<Result<Vec<_>>>()?;
    if letters.len() > MAX_LETTERS {
        return Err(malformed());
    }
    Ok(letters)
}

/// The parcel of these answers.
#[must_use]
pub fn pack_answers(answers: &[Told]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for answer in answers {
        part(&mut bytes, &answer.status.to_be_bytes());
        part(&mut bytes, answer.code.map_or("", Code::as_str).as_bytes());
        part(
            &mut bytes,
            answer.elsewhere.as_deref().unwrap_or_default().as_bytes(),
        );
        part(&mut bytes, answer.fields.as_bytes());
        part(&mut bytes, &answer.body);
    }
    bytes
}

/// The answers to `count` requests.
///
/// # Errors
/// `internal_error` for anything that [`pack_answers`] did not write for so many.
pub fn unpack_answers(bytes: &[u8], count: usize) -> Result<Vec<Told>> {
    let answers = parts(bytes)?
        .chunks(ANSWER_PARTS)
        .map(|parts| match parts {
            &[&[high, low], code, elsewhere, fields, body] => Ok(Told {
                status: u16::from_be_bytes([high, low]),
                code: Code::parse(&text(code)?),
                elsewhere: Some(text(elsewhere)?).filter(|text| !text.is_empty()),
                fields: text(fields)?,
                body: body.to_vec(),
            }),
            _ => Err(malformed()),
        })
        .collect::<Result<Vec<_>>>()?;
    if answers.len() != count {
        return Err(malformed());
    }
    Ok(answers)
}

fn part(bytes: &mut Vec<u8>, part: &[u8]) {
    // What is longer than 4 GiB does not exist in a Wasm module's memory.
    let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(part);
}

fn parts(mut bytes: &[u8]) -> Result<Vec<&[u8]>> {
    let mut parts = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<LENGTH_BYTES>() {
        let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| malformed())?;
        let (part, rest) = rest.split_at_checked(length).ok_or_else(malformed)?;
        parts.push(part);
        bytes = rest;
    }
    if bytes.is_empty() {
        Ok(parts)
    } else {
        Err(malformed())
    }
}

fn text(part: &[u8]) -> Result<String> {
    String::from_utf8(part.to_vec()).map_err(|_| malformed())
}

fn malformed() -> Error {
    Error::fault("malformed parcel")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::edge::reply::Caching;

    fn letters() -> Vec<Letter> {
        let letter = |envelope: &str, body: &[u8]| Letter {
            envelope: envelope.to_owned(),
            body: body.to_vec(),
        };
        vec![
            letter("1 {}", b""),
            letter("", b"\n\0\xff"),
            letter("x", &[7; 4096]),
        ]
    }

    fn answers() -> Vec<Told> {
        let content = Answer::document(200, "application/json", b"{\"a\":1}".to_vec(), Caching::Never);
        let mut elsewhere = Answer::problem(&Error::new(Code::CustomerNotFound, "no"), "req_1");
        elsewhere
            .headers
            .insert(0, (ELSEWHERE_HEADER, "at cust_2".to_owned()));
        [content, elsewhere, Answer::empty(204)]
            .into_iter()
            .map(Told::new)
            .collect()
    }

    #[test]
    fn form_is_unchanged() {
        let letter = Letter {
            envelope: "1 {}".to_owned(),
            body: b"{}".to_vec(),
        };
        assert_eq!(pack(&[letter]), *b"\x04\0\0\x001 {}\x02\0\0\0{}");
        let answer = Told {
            status: 404,
            code: Some(Code::KeyNotFound),
            elsewhere: None,
            fields: "A\nb".to_owned(),
            body: vec![b'x'; 257],
        };
        let head = b"\x02\0\0\0\x01\x94\x0d\0\0\0key_not_found\0\0\0\0\x03\0\0\0A\nb\x01\x01\0\0";
        let bytes = [head.as_slice(), &[b'x'; 257]].concat();
        assert_eq!(pack_answers(&[answer]), bytes);
    }

    #[test]
    fn what_was_packed_is_unpacked() {
        let packed = pack(&letters());
        assert_eq!(packed.len(), letters().iter().map(Letter::length).sum::<usize>());
        assert_eq!(unpack(VERSION, &packed).unwrap(), letters());
        assert_eq!(unpack_answers(&pack_answers(&answers()), 3).unwrap(), answers());
        assert_eq!(unpack(VERSION, &pack(&[])).unwrap(), []);
    }

    #[test]
    fn what_the_front_alone_is_told_is_no_field_that_goes_out() {
        let [content, elsewhere, _] = answers().try_into().unwrap();
        assert_eq!(content.fields, "Content-Type\napplication/json");
        assert_eq!(elsewhere.code, Some(Code::CustomerNotFound));
        assert_eq!(elsewhere.elsewhere.as_deref(), Some("at cust_2"));
        assert_eq!(elsewhere.fields, "Content-Type\napplication/problem+json");
    }

    #[test]
    fn a_field_with_a_line_feed_makes_no_other_field() {
        let mut answer = Answer::empty(200);
        answer.headers.push(("A", "1\nB\n2".to_owned()));
        let told = Told::new(answer);
        assert_eq!((told.status, told.fields.as_str()), (500, ""));
    }

    #[test]
    fn another_version_is_answered_503_and_what_is_cut_anywhere_is_a_fault() {
        let packed = pack(&letters());
        assert_eq!(unpack("2", &packed).unwrap_err().code, Code::Unavailable);
        let whole: Vec<usize> = vec![0, 12, 23, packed.len()];
        for at in 0..=packed.len() {
            let cut = unpack(VERSION, packed.get(..at).unwrap());
            assert_eq!(cut.is_ok(), whole.contains(&at), "{at}");
        }
        let told = pack_answers(&answers());
        for at in 0..told.len() {
            assert!(unpack_answers(told.get(..at).unwrap(), 3).is_err(), "{at}");
        }
        for count in [0, 2, 4] {
            assert!(unpack_answers(&told, count).is_err(), "{count}");
        }
        assert!(parts(&[255; 8]).is_err());
    }

    #[test]
    fn no_more_letters_are_taken_than_are_ever_sent() {
        let many = vec![letters().remove(0); MAX_LETTERS + 1];
        assert!(unpack(VERSION, &pack(&many)).is_err());
        assert!(unpack(VERSION, &pack(many.get(1..).unwrap())).is_ok());
    }
}
