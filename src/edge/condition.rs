//! `If-Match` and `If-None-Match` (RFC 9110 section 13.1) as a [`Condition`].

use crate::error::{Code, Error, Result};
use crate::types::{Condition, Tags};

/// Most tags that one header may list.
const MAX_TAGS: usize = 16;
/// Longest header that is read, in bytes.
const MAX_HEADER_BYTES: usize = 2048;

/// Reads both headers.
///
/// # Errors
/// `malformed_request` if one is not a list of entity tags (RFC 9110 section 8.8.3) within the bounds.
pub fn parse(if_match: Option<&str>, if_none_match: Option<&str>) -> Result<Condition> {
    Ok(Condition {
        must_match: if_match.map(|value| tags("If-Match", value)).transpose()?,
        must_differ: if_none_match
            .map(|value| tags("If-None-Match", value))
            .transpose()?,
    })
}

fn tags(name: &'static str, value: &str) -> Result<Tags> {
    let malformed = || {
        let detail =
            format!("{name} must be * or a list of at most {MAX_TAGS} entity tags, each in double quotes.");
        Error::new(Code::MalformedRequest, detail)
    };
    let mut rest = value.trim_matches([' ', '\t']);
    if rest == "*" {
        return Ok(Tags::Any);
    }
    if rest.is_empty() || rest.len() > MAX_HEADER_BYTES {
        return Err(malformed());
    }
    let (mut strong, mut weak) = (Vec::new(), Vec::new());
    // RFC 9110 section 5.6.1: a recipient accepts empty list elements.
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            break;
        }
        let (list, quoted) = match rest.strip_prefix("W/") {
            Some(quoted) => (&mut weak, quoted),
            None => (&mut strong, rest),
        };
        let (tag, after) = quoted
            .strip_prefix('"')
            .and_then(|text| text.split_once('"'))
            .ok_or_else(malformed)?;
        if tag.bytes().any(|byte| byte <= b' ' || byte == 0x7f) {
            return Err(malformed());
        }
        list.push(tag.to_owned());
        rest = after.trim_start_matches([' ', '\t']);
        if !(rest.is_empty() || rest.starts_with(',')) || strong.len().saturating_add(weak.len()) > MAX_TAGS {
            return Err(malformed());
        }
    }
    Ok(Tags::Listed { strong, weak })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_as_rfc_9110_writes_them() {
        let listed = |strong: &[&str], weak: &[&str]| {
            let owned = |tags: &[&str]| tags.iter().map(|&tag| tag.to_owned()).collect();
            Tags::Listed {
                strong: owned(strong),
                weak: owned(weak),
            }
        };
        for (text, wanted) in [
            ("*", Tags::Any),
            (r#""a.1""#, listed(&["a.1"], &[])),
            (r#" "a" , W/"b",, "c,d""#, listed(&["a", "c,d"], &["b"])),
            (r#""""#, listed(&[""], &[])),
        ] {
            assert_eq!(tags("If-Match", text).unwrap(), wanted, "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let many = vec![r#""a""#; 17].join(",");
        let long = format!("\"{}\"", "x".repeat(3000));
        for text in [
            "",
            "a",
            r#""a"#,
            r#""a" "b""#,
            r#"w/"a""#,
            r#""a b""#,
            r#"*, "a""#,
            many.as_str(),
            long.as_str(),
        ] {
            assert_eq!(
                parse(Some(text), None).unwrap_err().code,
                Code::MalformedRequest,
                "{text}"
            );
        }
        assert_eq!(parse(None, None).unwrap(), Condition::default());
    }
}
