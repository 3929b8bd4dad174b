//! The first look at a request, in the front: its id, and whether its body is one that the route takes.
//! Reads headers only.

use crate::customer::request::Origin;
use crate::edge::import;
use crate::edge::route::{BodyKind, Route};
use crate::entropy::{Entropy, random};
use crate::error::{Code, Error, Result};
use crate::types::{RequestId, Timestamp};

/// A caller's own request id is taken over from this length on, in characters: long enough for a UUID without
/// dashes, too long for somebody's name.
const MIN_CALLER_REQUEST_ID_CHARS: usize = 16;
/// Longest `User-Agent` that the audit log keeps, in characters.
const MAX_USER_AGENT_CHARS: usize = 256;
/// Longest textual IP address (RFC 4291 section 2.2), in bytes.
const MAX_IP_BYTES: usize = 45;

/// The header fields that a look at the body needs.
#[derive(Debug, Clone, Copy, Default)]
pub struct BodyHeaders<'a> {
    /// `Content-Type`.
    pub content_type: Option<&'a str>,
    /// `Content-Length`.
    pub content_length: Option<&'a str>,
    /// `Content-Encoding`.
    pub content_encoding: Option<&'a str>,
}

/// Refuses a body that the route cannot take, before a byte of it is read. A body without a length is counted
/// when it is read.
///
/// # Errors
/// `unsupported_media_type`, `body_too_large`, or `malformed_request` for a length that is no number.
pub fn check_body(route: Route, headers: BodyHeaders<'_>) -> Result<()> {
    if let Some(length) = headers.content_length {
        let length: u64 = length.parse().map_err(|_| {
            Error::new(
                Code::MalformedRequest,
                "Content-Length must be a number of bytes.",
            )
        })?;
        if length > route.max_body_bytes() as u64 {
            return Err(too_large(route.max_body_bytes()));
        }
    }
    if route.body() == BodyKind::None {
        return Ok(());
    }
    if headers
        .content_encoding
        .is_some_and(|coding| !coding.trim().eq_ignore_ascii_case("identity"))
    {
        return Err(unsupported("Content codings are not accepted in requests."));
    }
    let content_type = headers.content_type.unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let is = |wanted: &str| essence.eq_ignore_ascii_case(wanted);
    match route.body() {
        BodyKind::OptionalJson if content_type.is_empty() => Ok(()),
        BodyKind::Json | BodyKind::OptionalJson if !is("application/json") => {
            Err(unsupported("Content-Type must be application/json."))
        }
        BodyKind::Ndjson if !is(import::MEDIA_TYPE) => {
            Err(unsupported("Content-Type must be application/x-ndjson."))
        }
        BodyKind::MergePatch if !is("application/json") && !is("application/merge-patch+json") => Err(
            unsupported("Content-Type must be application/merge-patch+json or application/json."),
        ),
        _ => Ok(()),
    }
}

/// The refusal of a body over the cap.
#[must_use]
pub fn too_large(max_bytes: usize) -> Error {
    Error::new(
        Code::BodyTooLarge,
        format!("The body may have at most {max_bytes} bytes."),
    )
}

fn unsupported(detail: &'static str) -> Error {
    Error::new(Code::UnsupportedMediaType, detail)
}

/// Gives the request an id of ours and notes where it came from. What is too long or has odd characters is
/// dropped, never an error: it only describes the request.
///
/// # Errors
/// `internal_error` if there is no entropy.
pub fn origin(
    now: Timestamp,
    entropy: &mut dyn Entropy,
    caller_request_id: Option<&str>,
    ip: Option<&str>,
    user_agent: Option<&str>,
) -> Result<Origin> {
    let sane = |id: &&str| id.len() >= MIN_CALLER_REQUEST_ID_CHARS && RequestId::parse(id).is_some();
    let address = |ip: &&str| {
        ip.len() <= MAX_IP_BYTES
            && ip
                .bytes()
                .all(|b| b.is_ascii_hexdigit() || b == b'.' || b == b':')
    };
    let user_agent = user_agent.map(|text| {
        text.chars()
            .filter(|c| !c.is_control())
            .take(MAX_USER_AGENT_CHARS)
            .collect()
    });
    Ok(Origin {
        request_id: RequestId::mint(now, random(entropy)?),
        caller_request_id: caller_request_id.filter(sane).map(str::to_owned),
        ip: ip.filter(address).map(str::to_owned),
        user_agent,
    })
}

/// The id by which the caller knows the request: its own if that is a sane one, else ours.
#[must_use]
pub fn shown_request_id(origin: &Origin) -> &str {
    origin
        .caller_request_id
        .as_deref()
        .unwrap_or(origin.request_id.as_str())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn code(
        route: Route,
        content_type: Option<&str>,
        content_length: Option<&str>,
        coding: Option<&str>,
    ) -> Code {
        check_body(
            route,
            BodyHeaders {
                content_type,
                content_length,
                content_encoding: coding,
            },
        )
        .unwrap_err()
        .code
    }

    #[test]
    fn media_types_are_checked_by_route() {
        let check = |route, content_type| {
            check_body(
                route,
                BodyHeaders {
                    content_type: Some(content_type),
                    ..BodyHeaders::default()
                },
            )
        };
        assert!(check(Route::PutCustomer, "application/json; charset=utf-8").is_ok());
        assert!(check(Route::PatchCustomer, "Application/Merge-Patch+JSON").is_ok());
        assert!(check(Route::PatchCustomer, "application/json").is_ok());
        assert!(check(Route::GetCustomer, "text/plain").is_ok());
        for bad in [
            "text/plain",
            "application/jsonx",
            "",
            "application/merge-patch+json",
        ] {
            assert!(check(Route::PutCustomer, bad).is_err(), "{bad}");
        }
        assert_eq!(
            code(Route::PatchCustomer, None, None, None),
            Code::UnsupportedMediaType
        );
        assert_eq!(
            code(Route::PutUser, Some("application/json"), None, Some("gzip")),
            Code::UnsupportedMediaType
        );
    }

    #[test]
    fn length_is_checked_before_reading() {
        let json = Some("application/json");
        assert_eq!(
            code(Route::PutUser, json, Some("262145"), None),
            Code::BodyTooLarge
        );
        assert_eq!(
            code(Route::GetUser, None, Some("99999999999"), None),
            Code::BodyTooLarge
        );
        assert_eq!(
            code(Route::PutUser, json, Some("1e3"), None),
            Code::MalformedRequest
        );
    }

    #[test]
    fn only_a_sane_request_id_is_taken_over() {
        struct Zero;
        impl Entropy for Zero {
            fn fill(&mut self, _: &mut [u8]) -> Result<()> {
                Ok(())
            }
        }
        let with = |id: &str| {
            let ip = Some("<script>");
            origin(Timestamp::from_millis(0), &mut Zero, Some(id), ip, Some("a\nb")).unwrap()
        };
        assert_eq!(shown_request_id(&with("0123456789abcdef")), "0123456789abcdef");
        for bad in [
            "ada",
            "",
            "0123456789abcdef\u{e9}",
            &"x".repeat(65),
            "0123456789 abcdef",
        ] {
            assert!(shown_request_id(&with(bad)).starts_with("req_"), "{bad}");
        }
        assert_eq!((with("").ip, with("").user_agent.as_deref()), (None, Some("ab")));
    }
}
