//! A request's head, and a response's, as one text each: what crosses between JavaScript and Wasm costs by the
//! crossing, and a header field that is asked for alone costs two.
//!
//! Of a request: the method, the URL, then one line for each field of [`NAMES`], `=` and its value, or nothing where it
//! is not there. Of a response: names and values in turn. No value can hold a line feed (RFC 9110 section 5.5), and the
//! platform refuses one that does.

use std::ops::Range;

macro_rules! fields {
    ($($(#[$doc:meta])* $variant:ident $name:literal;)*) => {
        /// Every header field of a request that this service reads.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Field { $($(#[$doc])* $variant,)* }

        /// The fields' names, a line each, in the order of [`Field`], after an empty one.
        pub const NAMES: &str = concat!($("\n", $name),*);
        #[cfg(test)]
        const ALL: &[(Field, &str)] = &[$((Field::$variant, $name),)*];
    };
}

fields! {
    /// The caller's id of the request.
    RequestId "x-request-id";
    /// The client's address, from the platform.
    ConnectingIp "cf-connecting-ip";
    /// The client's program.
    UserAgent "user-agent";
    /// The page's origin.
    Origin "origin";
    /// The trace.
    Traceparent "traceparent";
    /// A token, or an API key.
    Authorization "authorization";
    /// Cookies, a token perhaps among them.
    Cookie "cookie";
    /// What a page sends beside its cookie.
    CsrfToken "x-csrf-token";
    /// A service's key.
    ServiceKey "x-service-key";
    /// An API key.
    ApiKey "x-api-key";
    /// The customer of a legacy API key.
    CustomerId "x-customer-id";
    /// The body's media type.
    ContentType "content-type";
    /// The body's length.
    ContentLength "content-length";
    /// The body's coding.
    ContentEncoding "content-encoding";
    /// On which version a change is wanted.
    IfMatch "if-match";
    /// Of which version the content is known already.
    IfNoneMatch "if-none-match";
    /// What a repetition is known by.
    IdempotencyKey "idempotency-key";
    /// The wish for a sealed answer.
    EncryptResponse "x-encrypt-response";
}

/// What stands before the fields: method and URL.
const FIRST_FIELD: usize = 2;
/// Lines of a head.
const LINES: usize = FIRST_FIELD + Field::EncryptResponse as usize + 1;

/// A request's method, URL and header fields, credentials among them: it is not printed.
pub struct Head {
    text: String,
    lines: Vec<Range<usize>>,
}

impl Head {
    /// Takes the text apart.
    #[must_use]
    pub fn parse(text: String) -> Self {
        let mut from = 0_usize;
        let mut lines = Vec::with_capacity(LINES);
        for line in text.split('\n') {
            let to = from.saturating_add(line.len());
            lines.push(from..to);
            from = to.saturating_add(1);
        }
        Self { text, lines }
    }

    /// The method's token.
    #[must_use]
    pub fn method(&self) -> &str {
        self.line(0).unwrap_or_default()
    }

    /// The absolute URL.
    #[must_use]
    pub fn url(&self) -> &str {
        self.line(1).unwrap_or_default()
    }

    /// A header field; several of one name come joined by `, `.
    #[must_use]
    pub fn header(&self, field: Field) -> Option<&str> {
        self.line(FIRST_FIELD.saturating_add(field as usize))?
            .strip_prefix('=')
    }

    fn line(&self, number: usize) -> Option<&str> {
        self.text.get(self.lines.get(number)?.clone())
    }
}

/// A response's header fields as one text; None if one of them holds a line feed, which none of ours gives reason to.
#[must_use]
pub fn join(fields: &[(&'static str, String)]) -> Option<String> {
    let bytes = fields
        .iter()
        .map(|(name, value)| name.len().saturating_add(value.len()));
    let mut text = String::with_capacity(bytes.fold(fields.len().saturating_mul(2), usize::saturating_add));
    for (name, value) in fields {
        if value.contains('\n') {
            return None;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(name);
        text.push('\n');
        text.push_str(value);
    }
    Some(text)
}

/// A field of a text that [`join`] wrote.
#[must_use]
pub fn field<'a>(fields: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = fields.split('\n');
    while let (Some(of), Some(value)) = (lines.next(), lines.next()) {
        if of.eq_ignore_ascii_case(name) {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_by_its_name_and_not_by_a_value() {
        let fields = join(&[("A", "B".to_owned()), ("B", String::new()), ("C", "3".to_owned())]);
        let fields = fields.unwrap_or_default();
        let found = |name| field(&fields, name);
        assert_eq!((found("b"), found("C"), found("3")), (Some(""), Some("3"), None));
        assert_eq!((field("", "A"), field("", "")), (None, None));
    }

    #[test]
    fn every_field_is_read_from_its_own_line() {
        let mut text = "GET\nhttps://a.example/x?y".to_owned();
        for (_, name) in ALL {
            text.push_str("\n=value of ");
            text.push_str(name);
        }
        let head = Head::parse(text);
        assert_eq!((head.method(), head.url()), ("GET", "https://a.example/x?y"));
        for (field, name) in ALL {
            assert_eq!(head.header(*field), Some(format!("value of {name}").as_str()));
        }
        let named: Vec<_> = NAMES.split('\n').skip(1).collect();
        assert_eq!(named, ALL.iter().map(|(_, name)| *name).collect::<Vec<_>>());
    }

    #[test]
    fn the_names_are_those_that_are_told_elsewhere() {
        for (field, name) in [
            (Field::IdempotencyKey, crate::edge::idempotency::HEADER),
            (Field::EncryptResponse, crate::edge::sealed::ASKING_HEADER),
        ] {
            assert!(
                ALL.iter()
                    .any(|(other, own)| *other == field && own.eq_ignore_ascii_case(name))
            );
        }
    }

    #[test]
    fn a_field_that_is_not_there_is_told_from_an_empty_one() {
        let head = Head::parse("PUT\nu\n\n=\n==x".to_owned());
        assert_eq!(head.header(Field::RequestId), None);
        assert_eq!(head.header(Field::ConnectingIp), Some(""));
        assert_eq!(head.header(Field::UserAgent), Some("=x"));
        assert_eq!(head.header(Field::EncryptResponse), None);
        assert_eq!(Head::parse(String::new()).url(), "");
    }

    #[test]
    fn a_value_with_a_line_feed_makes_no_other_field() {
        let joined = |value: &str| join(&[("A", "1".to_owned()), ("B", value.to_owned())]);
        assert_eq!(joined("2").as_deref(), Some("A\n1\nB\n2"));
        assert_eq!(joined("").as_deref(), Some("A\n1\nB\n"));
        assert_eq!(joined("2\nC\n3"), None);
        assert_eq!(join(&[]).as_deref(), Some(""));
    }
}
