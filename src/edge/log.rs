//! The structured log: one JSON line a request, without personal data.

use crate::edge::route::Method;
use crate::error::Error;
use serde::Serialize;

/// One request.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Line<'a> {
    /// The request's id, ours.
    pub id: &'a str,
    /// The id that the caller gave, if it is one that [`loggable_id`] lets through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller_id: Option<&'a str>,
    /// The method, or `-` for one that is unknown.
    pub method: &'a str,
    /// The pattern of the route, never the path; `-` where there is none.
    pub route: &'static str,
    /// The status of the answer.
    pub status: u16,
    /// From the request's arrival to its answer, in milliseconds of the platform's clock.
    pub ms: i64,
    /// `user`, `admin`, `service` or `none`.
    pub caller: &'static str,
    /// The customer, which is an id and no personal data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<&'a str>,
    /// The code of a problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// The code again where it is a security event (401 or 403), to be counted by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security: Option<&'static str>,
    /// What only an operator is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'a str>,
    /// `traceparent` (W3C Trace Context) as it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<&'a str>,
}

impl Line<'_> {
    /// The line's text.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// A method that this service knows, or `-`: the log repeats no text of a caller's own.
#[must_use]
pub fn method(token: &str) -> &'static str {
    match token {
        "HEAD" => "HEAD",
        "OPTIONS" => "OPTIONS",
        _ => Method::parse(token).map_or("-", Method::as_str),
    }
}

/// The code of an answer if it is a security event.
#[must_use]
pub fn security(status: u16, code: Option<&'static str>) -> Option<&'static str> {
    code.filter(|_| matches!(status, 401 | 403))
}

/// A failure that no request's line can tell, with the id of the request in which it was met, if there is one.
#[must_use]
pub fn event(event: &str, id: Option<&str>, error: &Error) -> String {
    serde_json::json!({"event": event, "id": id, "code": error.code.as_str(), "reason": error.internal})
        .to_string()
}

/// A caller's request id if the log may hold it: one of hex digits and dashes, such as a UUID, can name nobody.
#[must_use]
pub fn loggable_id(id: Option<&str>) -> Option<&str> {
    id.filter(|id| id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-'))
}

/// A `traceparent` header if it has the form of W3C Trace Context section 3.2; anything else is ignored.
#[must_use]
pub fn traceparent(header: Option<&str>) -> Option<&str> {
    header.filter(|text| {
        let mut parts = text.split('-');
        let mut hex = |length: usize| {
            parts.next().is_some_and(|part| {
                part.len() == length
                    && part
                        .bytes()
                        .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
            })
        };
        text.len() == 55 && hex(2) && hex(32) && hex(16) && hex(2)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_well_formed_traceparent_is_passed_on() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(traceparent(Some(good)), Some(good));
        for bad in [
            "",
            "00-x",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(traceparent(Some(bad)), None, "{bad}");
        }
    }

    #[test]
    fn a_callers_request_id_is_logged_only_if_it_can_name_nobody() {
        assert!(loggable_id(Some("4BF92F35-77b3-4da6-a3ce-929d0e0e4736")).is_some());
        assert!(loggable_id(Some("persondata-ada-lovelace")).is_none());
    }

    #[test]
    fn only_401_and_403_are_security_events() {
        assert_eq!(security(401, Some("invalid_token")), Some("invalid_token"));
        assert_eq!(security(404, Some("customer_not_found")), None);
    }
}
