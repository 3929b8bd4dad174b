//! The `Idempotency-Key` header (draft-ietf-httpapi-idempotency-key-header-07) and the form in which an answer is
//! stored and replayed. What holds a key's promise is in [`crate::customer::idempotency`].

use crate::customer::idempotency::{IdempotencyKey, MAX_KEY_CHARS, StoredReply};
use crate::edge::reply::{Answer, CODE_HEADER, Caching};
use crate::edge::route::Method;
use crate::error::{Code, Error, Result};

/// The request's header.
pub const HEADER: &str = "Idempotency-Key";
/// The header of an answer that was given before; its value is `true`.
pub const REPLAYED: &str = "Idempotent-Replayed";

/// The header fields that are stored with an answer: those that tell of what was done. All others tell of the
/// moment and are made anew for every response. The code goes along for the log.
const STORED: [&str; 4] = ["Content-Type", "ETag", "Location", CODE_HEADER];

/// The key of a request; None where there is none, or where the method changes nothing, so that a key has no
/// meaning.
///
/// The key is a String of structured fields (RFC 9651 section 3.3.3) without parameters, which the draft does not
/// define; or bare, as many clients send it: then visible ASCII without `"`, `\`, `,` and `;`, so that neither a
/// header that was sent twice nor half a quoted one is taken for a key. `"a"` and `a` are the same key.
///
/// # Errors
/// `malformed_request` for anything else, or for more than 255 characters.
pub fn parse(method: Method, value: Option<&str>) -> Result<Option<IdempotencyKey>> {
    let Some(value) = value.filter(|_| method.is_unsafe()) else {
        return Ok(None);
    };
    let value = value.trim_matches([' ', '\t']);
    let key = match value.strip_prefix('"') {
        Some(rest) => unquote(rest),
        None => value
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b',' | b';'))
            .then(|| value.to_owned()),
    };
    let key = key.and_then(|key| IdempotencyKey::parse(&key));
    key.map(Some).ok_or_else(|| {
        let detail = format!(
            "{HEADER} must be one string of 1 to {MAX_KEY_CHARS} printable ASCII characters, in double quotes or bare."
        );
        Error::new(Code::MalformedRequest, detail)
    })
}

/// What stands between the quotes of a String, given all after the first one (RFC 9651 section 4.2.5).
fn unquote(rest: &str) -> Option<String> {
    let mut text = String::with_capacity(rest.len());
    let mut characters = rest.chars();
    loop {
        match characters.next()? {
            '"' => break,
            '\\' => text.push(characters.next().filter(|c| matches!(c, '"' | '\\'))?),
            character @ ' '..='~' => text.push(character),
            _ => return None,
        }
    }
    characters.next().is_none().then_some(text)
}

/// What of an answer is stored.
#[must_use]
pub fn stored(answer: &Answer) -> StoredReply {
    let own = answer
        .headers
        .iter()
        .filter(|(name, _)| STORED.contains(name))
        .map(|(name, value)| ((*name).to_owned(), value.clone()));
    let code = answer
        .code
        .map(|code| (CODE_HEADER.to_owned(), code.as_str().to_owned()));
    StoredReply {
        status: answer.status,
        headers: own.chain(code).collect(),
        body: answer.body.clone(),
    }
}

/// The answer to a repeated request: the first one, and that it is a replay. The body of a problem keeps the
/// `instance` of the first request, because the bytes are the first answer's.
#[must_use]
pub fn replay(stored: StoredReply) -> Answer {
    let value_of = |name: &str| stored.headers.iter().find(|(known, _)| known == name);
    let mut headers: Vec<_> = STORED
        .into_iter()
        .filter(|name| *name != CODE_HEADER)
        .filter_map(|name| Some((name, value_of(name)?.1.clone())))
        .collect();
    headers.push((REPLAYED, "true".to_owned()));
    Answer {
        status: stored.status,
        code: value_of(CODE_HEADER).and_then(|(_, code)| Code::parse(code)),
        headers,
        body: stored.body,
        caching: Caching::Never,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::customer::request::Reply;
    use crate::types::Version;

    fn key(value: &str) -> String {
        let key = parse(Method::Post, Some(value)).unwrap().unwrap();
        key.as_str().to_owned()
    }

    #[test]
    fn a_key_is_quoted_or_bare() {
        assert_eq!(key("8e03978e-40d5-43dd-bc93-6894a57f9324").len(), 36);
        assert_eq!(key(r#" "8e03978e" "#), "8e03978e");
        assert_eq!(key(r#""a \"b\" \\, ;c""#), r#"a "b" \, ;c"#);
        assert_eq!(key("a=b/c+d:e"), "a=b/c+d:e");
        let longest = "x".repeat(255);
        assert_eq!(key(&longest), longest);
        assert_eq!(key(&format!("\"{longest}\"")), longest);
    }

    #[test]
    fn anything_else_is_refused_by_name() {
        let long = "x".repeat(256);
        let long_quoted = format!("\"{long}\"");
        for bad in [
            "",
            " ",
            "\"\"",
            "\"",
            "\"a",
            "a\"",
            "a b",
            "a,b",
            "\"a\", \"b\"",
            "a, a",
            "\"a\";p=1",
            "a;p",
            "\"a\"b",
            r#""a\b""#,
            r#""a\"#,
            r"a\b",
            "\u{e9}",
            "\"\u{e9}\"",
            "a\u{7f}",
            "\"a\u{0}\"",
            "\"a\tb\"",
            &long,
            &long_quoted,
        ] {
            let error = parse(Method::Delete, Some(bad)).unwrap_err();
            assert_eq!(error.code, Code::MalformedRequest, "{bad:?}");
            assert!(error.public.contains(HEADER));
        }
    }

    #[test]
    fn only_a_method_that_changes_something_has_a_key() {
        for method in [Method::Post, Method::Put, Method::Patch, Method::Delete] {
            assert!(parse(method, Some("k")).unwrap().is_some());
            assert_eq!(parse(method, None).unwrap(), None);
        }
        assert_eq!(parse(Method::Get, Some("k")).unwrap(), None);
        assert_eq!(parse(Method::Get, Some("\"")).unwrap(), None);
    }

    #[test]
    fn a_replay_is_the_first_answer_and_says_so() {
        let content = Reply::Content {
            body: b"{\"a\":1}".to_vec(),
            version: Some(Version {
                incarnation: "00".into(),
                number: 1,
            }),
            created: true,
        };
        let refused = Reply::Refused(Error::new(Code::StaleVersion, "x"));
        for reply in [content, refused] {
            let mut first = Answer::from_reply(reply, "req_1");
            let again = replay(stored(&first));
            first.headers.push((REPLAYED, "true".to_owned()));
            assert_eq!(again, first);
        }
    }

    #[test]
    fn headers_of_the_moment_are_not_stored() {
        let mut answer = Answer::empty(204);
        answer.headers.push(("Retry-After", "1".to_owned()));
        answer.headers.push(("Location", "/x".to_owned()));
        assert_eq!(
            stored(&answer).headers,
            [("Location".to_owned(), "/x".to_owned())]
        );
    }
}
