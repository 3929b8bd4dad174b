//! Calling a customer's object from the front: its address, the deadline, the one retry.

use crate::edge::envelope;
use crate::edge::reply::CODE_HEADER;
use crate::edge::route::Method;
use crate::error::{Code, Error, Result};
use crate::shell::http::header;
use crate::types::CustomerId;
use js_sys::Reflect;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Headers, ReadableStream, RequestInit, Response, ResponseInit};
use worker::Env;

/// The binding of the customers' objects.
const CUSTOMERS: &str = "CUSTOMERS";
/// The URL of every internal request; nothing reads it.
const INTERNAL_URL: &str = "https://object/";

/// One call.
pub struct Call<'a> {
    /// Whose object.
    pub customer: &'a CustomerId,
    /// The method of the request from outside, which says whether it may be repeated.
    pub method: Method,
    /// The envelope.
    pub header: String,
    /// The body, as it came.
    pub body: Option<JsValue>,
    /// The trace that the request belongs to.
    pub traceparent: Option<String>,
    /// How long to wait, in milliseconds: a dead object never answers.
    pub deadline_ms: u32,
}

/// An object's response, to be passed on.
pub struct Relayed {
    /// The status.
    pub status: u16,
    /// The code of a problem.
    pub code: Option<Code>,
    response: Response,
}

impl Relayed {
    fn new(response: Response) -> Self {
        let code = header(&response.headers(), CODE_HEADER).and_then(|name| Code::parse(&name));
        Self {
            status: response.status(),
            code,
            response,
        }
    }

    /// The headers of the object's own that go out.
    #[must_use]
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let own = self.response.headers();
        let passed = [
            "Content-Type",
            "ETag",
            "Retry-After",
            "Location",
            "Accept-Patch",
            "RateLimit-Policy",
            "RateLimit",
            "Idempotent-Replayed",
        ];
        passed
            .into_iter()
            .filter_map(|name| Some((name, header(&own, name)?)))
            .collect()
    }

    /// The response with `headers`, its body passed on without a look.
    #[must_use]
    pub fn into_response(self, headers: &[(&'static str, String)], is_head: bool) -> Response {
        let build = || {
            let fields = Headers::new()?;
            for (name, value) in headers {
                fields.set(name, value)?;
            }
            let init = ResponseInit::new();
            init.set_status(self.status);
            init.set_headers(&fields);
            let body: Option<ReadableStream> = if is_head { None } else { self.response.body() };
            Response::new_with_opt_readable_stream_and_init(body.as_ref(), &init)
        };
        build().unwrap_or_else(|_: JsValue| crate::shell::http::empty_500())
    }
}

/// Asks the customer's object.
///
/// # Errors
/// `unavailable` if it does not answer within the deadline, or fails and, for a request that changes nothing,
/// fails again.
pub async fn call(env: &Env, call: Call<'_>) -> Result<Relayed> {
    let mut outcome = attempt(env, &call).await;
    if let Err(failure) = &outcome
        && failure.is_retryable
        && !call.method.is_unsafe()
    {
        outcome = attempt(env, &call).await;
    }
    outcome.map(Relayed::new).map_err(|failure| {
        Error::new(Code::Unavailable, "The customer's data did not answer in time.").because(failure.reason)
    })
}

struct Failure {
    reason: String,
    is_retryable: bool,
}

impl Failure {
    /// What the platform says of a failed call: `retryable` and `overloaded` are documented properties of the
    /// error; its text is not matched.
    fn of(error: &JsValue) -> Self {
        let is =
            |name: &str| Reflect::get(error, &JsValue::from_str(name)).is_ok_and(|value| value.is_truthy());
        let name = error
            .dyn_ref::<js_sys::Error>()
            .map(|error| String::from(error.name()))
            .unwrap_or_default();
        let reason = if is("overloaded") {
            "the object is overloaded".to_owned()
        } else {
            format!("call: {name}")
        };
        Self {
            reason,
            is_retryable: is("retryable") && !is("overloaded"),
        }
    }
}

async fn attempt(env: &Env, call: &Call<'_>) -> std::result::Result<Response, Failure> {
    let promise = start(env, call).map_err(|error| Failure::of(&error))?;
    let response = JsFuture::from(promise)
        .await
        .map_err(|error| Failure::of(&error))?;
    response.dyn_into().map_err(|_| Failure {
        reason: "no response".to_owned(),
        is_retryable: false,
    })
}

fn start(env: &Env, call: &Call<'_>) -> std::result::Result<js_sys::Promise, JsValue> {
    let headers = Headers::new()?;
    headers.set(envelope::HEADER, &call.header)?;
    if let Some(traceparent) = &call.traceparent {
        headers.set("traceparent", traceparent)?;
    }
    let init = RequestInit::new();
    init.set_method(call.method.as_str());
    init.set_headers(&headers);
    if let Some(body) = &call.body {
        init.set_body(body);
    }
    init.set_signal(Some(&AbortSignal::timeout_with_u32(call.deadline_ms)));
    stub(env, call.customer)?.fetch(INTERNAL_URL, &init)
}

#[wasm_bindgen]
extern "C" {
    /// A namespace of objects; bound by hand because `worker` makes a Request object for every call.
    type Namespace;
    #[wasm_bindgen(method, catch, js_name = getByName)]
    fn get_by_name(this: &Namespace, name: &str) -> std::result::Result<Stub, JsValue>;

    type Stub;
    #[wasm_bindgen(method, catch)]
    fn fetch(this: &Stub, url: &str, init: &RequestInit) -> std::result::Result<js_sys::Promise, JsValue>;
}

/// The one place that makes an object's address, so that a jurisdiction can enter it one day.
fn stub(env: &Env, customer: &CustomerId) -> std::result::Result<Stub, JsValue> {
    let namespace: Namespace = Reflect::get(env.as_ref(), &JsValue::from_str(CUSTOMERS))?.unchecked_into();
    namespace.get_by_name(customer.as_str())
}
