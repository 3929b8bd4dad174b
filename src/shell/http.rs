//! Requests and responses of the platform.

use crate::edge::head::{self, Head, NAMES};
use crate::edge::reply::Answer;
use js_sys::JsString;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::{Headers, ReadableStream, Request, Response, ResponseInit};

// What takes one crossing instead of one for each header field. The texts are those of `edge::head`.
#[wasm_bindgen(inline_js = r#"
    const dictionary = (fields) => {
        const found = {};
        const parts = fields === '' ? [] : fields.split('\n');
        for (let at = 0; at < parts.length; at += 2) found[parts[at]] = parts[at + 1];
        return found;
    };

    let [known, list] = ['', []];

    export function head(request, names) {
        if (names !== known) [known, list] = [names, names.split('\n').slice(1)];
        const { headers } = request;
        let text = `${request.method}\n${request.url}`;
        for (const name of list) {
            const value = headers.get(name);
            text += value === null ? '\n' : `\n=${value}`;
        }
        return text;
    }

    // The bytes are a view of the module's memory, which moves on.
    export function build(status, fields, bytes) {
        return new Response(bytes === undefined ? null : bytes.slice(), { status, headers: dictionary(fields) });
    }

    export function buildStream(status, fields, stream) {
        return new Response(stream, { status, headers: dictionary(fields) });
    }

    export function relay(response, status, fields) {
        return new Response(response.body, { status, headers: dictionary(fields) });
    }

    export function call(env, binding, name, method, fields, bytes, signal) {
        return env[binding].getByName(name).fetch('https://object/', {
            method,
            headers: dictionary(fields),
            body: bytes === undefined ? undefined : bytes.slice(),
            signal: typeof signal === 'number' ? AbortSignal.timeout(signal) : signal,
        });
    }
"#)]
extern "C" {
    #[wasm_bindgen(js_name = head)]
    fn js_head(request: &Request, names: &JsValue) -> String;
    #[wasm_bindgen(catch)]
    fn build(status: u16, fields: &str, bytes: Option<&[u8]>) -> Result<Response, JsValue>;
    #[wasm_bindgen(catch, js_name = buildStream)]
    fn build_stream(status: u16, fields: &str, stream: &ReadableStream) -> Result<Response, JsValue>;
    #[wasm_bindgen(catch, js_name = relay)]
    fn js_relay(response: &Response, status: u16, fields: &str) -> Result<Response, JsValue>;
    /// Calls an object. The signal is one of the platform's, or a number of milliseconds.
    #[wasm_bindgen(catch)]
    pub fn call(
        env: &JsValue,
        binding: &str,
        name: &str,
        method: &str,
        fields: &str,
        bytes: Option<&[u8]>,
        signal: &JsValue,
    ) -> Result<js_sys::Promise, JsValue>;
}

thread_local! {
    /// The list of fields as the platform's own string, which crosses once.
    static FIELDS: JsString = JsString::from(NAMES);
}

/// A request's method, URL and header fields.
#[must_use]
pub fn head(request: &Request) -> Head {
    Head::parse(FIELDS.with(|names| js_head(request, names)))
}

/// A header field; several of one name come joined by `, `.
#[must_use]
pub fn header(headers: &Headers, name: &str) -> Option<String> {
    headers.get(name).ok().flatten()
}

/// Statuses that have no body (RFC 9110 section 6.4.1).
const fn is_bodiless(status: u16) -> bool {
    matches!(status, 204 | 304)
}

/// The response of the platform. Falls back to an empty 500 where the platform refuses a header, which none of
/// ours gives it reason to.
#[must_use]
pub fn respond(mut answer: Answer, more_headers: Vec<(&'static str, String)>) -> Response {
    answer.headers.extend(more_headers);
    match head::join(&answer.headers) {
        Some(fields) => made_of(answer.status, &fields, &answer.body),
        None => empty_500(),
    }
}

/// The response of fields that are joined already.
#[must_use]
pub fn made_of(status: u16, fields: &str, body: &[u8]) -> Response {
    let body = (!is_bodiless(status)).then_some(body);
    build(status, fields, body).unwrap_or_else(|_| empty_500())
}

/// A response without a body, whatever its status.
#[must_use]
pub fn without_body(status: u16, headers: &[(&'static str, String)]) -> Response {
    head::join(headers)
        .and_then(|fields| build(status, &fields, None).ok())
        .unwrap_or_else(empty_500)
}

/// A response whose body comes as it is made.
#[must_use]
pub fn stream(status: u16, headers: &[(&'static str, String)], body: &ReadableStream) -> Response {
    head::join(headers)
        .and_then(|fields| build_stream(status, &fields, body).ok())
        .unwrap_or_else(empty_500)
}

/// A response with other headers and this status, its body passed on without a look.
#[must_use]
pub fn relay(response: &Response, status: u16, headers: &[(&'static str, String)]) -> Response {
    head::join(headers)
        .and_then(|fields| js_relay(response, status, &fields).ok())
        .unwrap_or_else(empty_500)
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
    use crate::edge::head::Field;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test]
    fn an_answer_becomes_a_response_with_its_headers() {
        let answer = Answer::document(
            201,
            "application/json",
            b"{}".to_vec(),
            crate::edge::reply::Caching::Never,
        );
        let response = respond(answer, vec![("X-Request-Id", "r".to_owned())]);
        assert_eq!(response.status(), 201);
        assert_eq!(
            header(&response.headers(), "content-type").as_deref(),
            Some("application/json")
        );
        assert_eq!(header(&response.headers(), "x-request-id").as_deref(), Some("r"));
    }

    #[wasm_bindgen_test]
    fn bodiless_statuses_and_headers_that_the_platform_refuses_do_not_trap() {
        assert!(respond(Answer::empty(304), Vec::new()).body().is_none());
        for bad in ["a\nb", "a\0b", "\u{20ac}"] {
            let response = respond(Answer::empty(200), vec![("X-Bad", bad.to_owned())]);
            assert_eq!(response.status(), 500, "{bad:?}");
        }
    }

    #[wasm_bindgen_test]
    fn a_head_has_the_fields_that_the_request_has() {
        let init = web_sys::RequestInit::new();
        init.set_method("PUT");
        let fields = Headers::new().unwrap();
        fields.set("X-Request-Id", "r").unwrap();
        fields.set("If-Match", "").unwrap();
        init.set_headers(&fields);
        let request = Request::new_with_str_and_init("https://a.example/b?c", &init).unwrap();
        for _ in 0..2 {
            let head = head(&request);
            assert_eq!((head.method(), head.url()), ("PUT", "https://a.example/b?c"));
            assert_eq!(head.header(Field::RequestId), Some("r"));
            assert_eq!(head.header(Field::IfMatch), Some(""));
            assert_eq!(head.header(Field::Cookie), None);
        }
    }
}
