//! Errors as `application/problem+json` (RFC 9457), and the page that explains each code. Written by hand:
//! the crates for it bring an HTTP framework's types along, and the document is six members.

use crate::edge::ratelimit::QUOTA_EXCEEDED;
use crate::error::{Code, Error};
use crate::json;
use serde::Serialize;
use serde_json::{Map, Value};

/// The media type of a problem document.
pub const MEDIA_TYPE: &str = "application/problem+json";

#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
    code: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<DocumentFault<'a>>,
    #[serde(flatten)]
    members: &'a Map<String, Value>,
}

#[derive(Serialize)]
struct DocumentFault<'a> {
    pointer: &'a str,
    detail: &'a str,
}

/// The `type` of a code's problems: the registered one, or a relative reference to the page that explains it
/// (RFC 9457 section 3.1.1), so that it is right under whatever host the service is reached.
#[must_use]
pub fn type_of(code: Code) -> String {
    match code {
        Code::QuotaExceeded | Code::TooManyRequests => QUOTA_EXCEEDED.to_owned(),
        _ => format!("/problems/{}", code.as_str()),
    }
}

/// The problem document of an error in the request `request_id`. Says nothing of `error.internal`.
#[must_use]
pub fn document(error: &Error, request_id: &str) -> Vec<u8> {
    let errors = error.faults.iter().map(|fault| DocumentFault {
        pointer: &fault.pointer,
        detail: &fault.detail,
    });
    let document = Document {
        kind: type_of(error.code),
        title: error.code.title(),
        status: error.code.status(),
        detail: &error.public,
        instance: Some(format!("urn:request:{request_id}")),
        code: error.code.as_str(),
        errors: errors.collect(),
        members: &error.members,
    };
    json::to_bytes(&document).unwrap_or_default()
}

/// What `/problems/{code}` serves: a page of HTML without script, style sheet or foreign host.
#[must_use]
pub fn page(code: Code) -> Vec<u8> {
    let (name, status, title, help) = (code.as_str(), code.status(), code.title(), escape(code.help()));
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{title}</title></head>\n<body><main><h1>{title}</h1>\n\
         <p><code>{name}</code>, status {status}</p>\n<p>{help}</p></main></body></html>\n"
    )
    .into_bytes()
}

/// The few texts are ours, but they hold `<`, `&` and backticks.
fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    let mut in_code = false;
    for character in text.chars() {
        match character {
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '&' => html.push_str("&amp;"),
            '`' => {
                in_code = !in_code;
                html.push_str(if in_code { "<code>" } else { "</code>" });
            }
            _ => html.push(character),
        }
    }
    html
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::error::Fault;

    #[test]
    fn document_form_is_unchanged() {
        let fault = Fault {
            pointer: "#/name".into(),
            detail: "Must be a string.".into(),
        };
        let error = Error::validation(vec![fault]).because("internal words");
        assert_eq!(
            String::from_utf8(document(&error, "req_1")).unwrap(),
            r##"{"type":"/problems/validation_failed","title":"The body has faults","status":422,"detail":"The body has one fault.","instance":"urn:request:req_1","code":"validation_failed","errors":[{"pointer":"#/name","detail":"Must be a string."}]}"##
        );
    }

    #[test]
    fn every_code_has_its_own_name_and_a_page_of_balanced_html() {
        let mut names: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
        for &code in Code::ALL {
            assert_eq!(Code::parse(code.as_str()), Some(code));
            let html = String::from_utf8(page(code)).unwrap();
            assert_eq!(
                html.matches("<code>").count(),
                html.matches("</code>").count(),
                "{code:?}"
            );
            assert!((400..=599).contains(&code.status()));
        }
    }
}
