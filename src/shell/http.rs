//! Requests and responses of the platform.

use crate::edge::reply::Answer;
use js_sys::Uint8Array;
use wasm_bindgen::JsValue;
use web_sys::{Headers, ReadableStream, Request, Response, ResponseInit};

/// A request's header; several of one name come joined by `, `.
#[must_use]
pub fn header(headers: &Headers, name: &str) -> Option<String> {
    headers.get(name).ok().flatten()
}

/// The request's headers and method, each read once from the platform.
#[derive(Debug)]
pub struct Head {
    /// The method's token.
    pub method: String,
    /// The absolute URL.
    pub url: String,
    /// All header fields.
    pub headers: Headers,
}

impl Head {
    /// Reads them.
    #[must_use]
    pub fn of(request: &Request) -> Self {
        Self {
            method: request.method(),
            url: request.url(),
            headers: request.headers(),
        }
    }

    /// A header field.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        header(&self.headers, name)
    }
}

/// Statuses that have no body (RFC 9110 section 6.4.1).
const fn is_bodiless(status: u16) -> bool {
    matches!(status, 204 | 304)
}

/// The response of the platform. Falls back to an empty 500 where the platform refuses a header, which none of
/// ours gives it reason to.
#[must_use]
pub fn respond(answer: Answer, more_headers: &[(&'static str, String)]) -> Response {
    let build = || {
        let headers = Headers::new()?;
        for (name, value) in answer.headers.iter().chain(more_headers) {
            headers.set(name, value)?;
        }
        let init = ResponseInit::new();
        init.set_status(answer.status);
        init.set_headers(&headers);
        if is_bodiless(answer.status) {
            return Response::new_with_opt_str_and_init(None, &init);
        }
        let body = Uint8Array::from(answer.body.as_slice());
        Response::new_with_opt_buffer_source_and_init(Some(&body), &init)
    };
    build().unwrap_or_else(|_| empty_500())
}

/// A response whose body comes as it is made.
#[must_use]
pub fn stream(body: &ReadableStream, headers: &[(&'static str, String)]) -> Response {
    let build = || {
        let fields = Headers::new()?;
        for (name, value) in headers {
            fields.set(name, value)?;
        }
        let init = ResponseInit::new();
        init.set_headers(&fields);
        Response::new_with_opt_readable_stream_and_init(Some(body), &init)
    };
    build().unwrap_or_else(|_: JsValue| empty_500())
}

/// A last resort.
#[must_use]
pub fn empty_500() -> Response {
    let init = ResponseInit::new();
    init.set_status(500);
    // The platform accepts status 500 without a body; an error object is a response too.
    Response::new_with_opt_str_and_init(None, &init).unwrap_or_else(|_| Response::error())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test]
    fn an_answer_becomes_a_response_with_its_headers() {
        let answer = Answer::document(
            201,
            "application/json",
            b"{}".to_vec(),
            crate::edge::reply::Caching::Never,
        );
        let response = respond(answer, &[("X-Request-Id", "r".to_owned())]);
        assert_eq!(response.status(), 201);
        assert_eq!(
            header(&response.headers(), "content-type").as_deref(),
            Some("application/json")
        );
        assert_eq!(header(&response.headers(), "x-request-id").as_deref(), Some("r"));
    }

    #[wasm_bindgen_test]
    fn bodiless_statuses_and_headers_that_the_platform_refuses_do_not_trap() {
        assert!(respond(Answer::empty(304), &[]).body().is_none());
        assert_eq!(
            respond(Answer::empty(200), &[("X-Bad", "a\nb".to_owned())]).status(),
            500
        );
    }
}
