//! Calling our objects: their addresses, the deadline, the one retry.

use crate::customer::errand as customer;
use crate::customer::request::Elsewhere;
use crate::directory::errand as directory;
use crate::directory::shard::Shard;
use crate::edge::reply::{CODE_HEADER, ELSEWHERE_HEADER};
use crate::edge::route::Method;
use crate::edge::settings::Settings;
use crate::edge::{envelope, errand};
use crate::error::{Code, Error, Result};
use crate::operator;
use crate::shell::body;
use crate::shell::http::header;
use crate::types::CustomerId;
use js_sys::{Reflect, Uint8Array};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Headers, ReadableStream, RequestInit, Response, ResponseInit};
use worker::Env;

/// The binding of the customers' objects.
const CUSTOMERS: &str = "CUSTOMERS";
/// The binding of the directory's objects.
const DIRECTORY: &str = "DIRECTORY";
/// The binding of the operator object.
const OPERATOR: &str = "OPERATOR";
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
    /// The body, read whole, so that the request can be sent again.
    pub body: Option<&'a [u8]>,
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
    /// Where the resource is that the request made.
    pub location: Option<String>,
    /// What the id is, if that is why it answers nothing.
    pub elsewhere: Option<Elsewhere>,
    response: Response,
}

impl Relayed {
    fn new(response: Response) -> Self {
        let code = header(&response.headers(), CODE_HEADER).and_then(|name| Code::parse(&name));
        let elsewhere =
            header(&response.headers(), ELSEWHERE_HEADER).and_then(|text| Elsewhere::parse(&text));
        Self {
            status: response.status(),
            code,
            location: None,
            elsewhere,
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
            "Link",
            "Accept-Patch",
            "RateLimit-Policy",
            "RateLimit",
            "Idempotent-Replayed",
        ];
        passed
            .into_iter()
            .filter_map(|name| Some((name, header(&own, name)?)))
            .chain(self.location.clone().map(|location| ("Location", location)))
            .collect()
    }

    /// The body, whole. At once, and not step by step with a count, since an object's documents are bounded where
    /// they are made, and every step of a stream costs a turn of the platform's loop.
    ///
    /// # Errors
    /// `internal_error` if it breaks off, or is longer than `max_bytes` all the same.
    pub async fn read(&self, max_bytes: usize) -> Result<Vec<u8>> {
        let broken = |_| Error::fault("an object's answer broke off");
        let promise = self.response.array_buffer().map_err(broken)?;
        let bytes = Uint8Array::new(&JsFuture::from(promise).await.map_err(broken)?);
        if bytes.length() as usize > max_bytes {
            return Err(Error::fault("an object's answer is too long to be sealed"));
        }
        Ok(bytes.to_vec())
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
pub async fn call(env: &Env, call: &Call<'_>) -> Result<Relayed> {
    let mut outcome = attempt(env, call).await;
    if let Err(failure) = &outcome
        && may_retry(call.method, failure)
    {
        outcome = attempt(env, call).await;
    }
    outcome.map(Relayed::new).map_err(|failure| {
        Error::new(Code::Unavailable, "The customer's data did not answer in time.").because(failure.reason)
    })
}

/// An object that another object asks.
pub struct Callee<'a> {
    /// The binding of its namespace.
    pub binding: &'a str,
    /// Its name.
    pub name: &'a str,
    /// How long to wait each time, in milliseconds.
    pub deadline_ms: u32,
}

/// Asks an object something that may be repeated, by one header; asks once more where the platform says that it may
/// help.
///
/// # Errors
/// Why it did not answer, fit for the log.
pub async fn ask(
    env: &Env,
    callee: &Callee<'_>,
    name: &str,
    value: &str,
) -> std::result::Result<Response, String> {
    let mut outcome = ask_once(env, callee, name, value).await;
    if outcome.as_ref().is_err_and(|failure| failure.is_retryable) {
        outcome = ask_once(env, callee, name, value).await;
    }
    outcome.map_err(|failure| failure.reason)
}

async fn ask_once(
    env: &Env,
    callee: &Callee<'_>,
    name: &str,
    value: &str,
) -> std::result::Result<Response, Failure> {
    let start = || {
        let headers = Headers::new()?;
        headers.set(name, value)?;
        let init = RequestInit::new();
        init.set_method("POST");
        init.set_headers(&headers);
        init.set_signal(Some(&AbortSignal::timeout_with_u32(callee.deadline_ms)));
        stub(env, callee.binding, callee.name)?.fetch(INTERNAL_URL, &init)
    };
    answered(start()).await
}

/// Whether to ask once more: only what changes nothing, and only where the platform says that it may help.
const fn may_retry(method: Method, failure: &Failure) -> bool {
    failure.is_retryable && !method.is_unsafe()
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
    answered(start(env, call)).await
}

async fn answered(
    promise: std::result::Result<js_sys::Promise, JsValue>,
) -> std::result::Result<Response, Failure> {
    let promise = promise.map_err(|error| Failure::of(&error))?;
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
    if let Some(body) = call.body {
        init.set_body(&Uint8Array::from(body).into());
    }
    init.set_signal(Some(&AbortSignal::timeout_with_u32(call.deadline_ms)));
    stub(env, CUSTOMERS, call.customer.as_str())?.fetch(INTERNAL_URL, &init)
}

/// Asks what an id is, or tells it something.
///
/// # Errors
/// `unavailable` if its object does not answer, or the error that it answers.
pub async fn ask_customer(
    env: &Env,
    errand: &customer::Errand,
    deadline_ms: u32,
) -> Result<customer::Answer> {
    run_errand(env, CUSTOMERS, errand.customer.as_str(), errand, deadline_ms).await
}

/// Asks the operator object.
///
/// # Errors
/// `unavailable` if it does not answer, or the error that it answers.
pub async fn ask_operator(
    env: &Env,
    errand: &operator::errand::Errand,
    deadline_ms: u32,
) -> Result<operator::errand::Answer> {
    run_errand(env, OPERATOR, operator::NAME, errand, deadline_ms).await
}

/// Asks a shard of the directory.
///
/// # Errors
/// `unavailable` if it does not answer, or the error that it answers.
pub async fn ask_directory(
    env: &Env,
    shard: Shard,
    errand: &directory::Errand,
    deadline_ms: u32,
) -> Result<directory::Answer> {
    run_errand(env, DIRECTORY, &shard.to_string(), errand, deadline_ms).await
}

/// Tells the shard whose matter it is.
///
/// # Errors
/// As [`ask_directory`].
pub async fn tell_directory(
    env: &Env,
    settings: &Settings,
    what: directory::What,
) -> Result<directory::Answer> {
    let shards = settings.directory_shards;
    let shard = what
        .shard(shards)
        .ok_or_else(|| Error::fault("the errand is for no one shard"))?;
    ask_directory(
        env,
        shard,
        &directory::Errand { shards, what },
        settings.object_deadline_ms,
    )
    .await
}

/// Sends an errand; any errand may be repeated, so it is where the platform says that it may help.
async fn run_errand<E: Serialize, A: DeserializeOwned>(
    env: &Env,
    binding: &str,
    name: &str,
    errand: &E,
    deadline_ms: u32,
) -> Result<A> {
    let body = errand::encode(errand)?;
    let send = || {
        let init = RequestInit::new();
        init.set_method(Method::Post.as_str());
        let headers = Headers::new()?;
        headers.set(errand::HEADER, &errand::VERSION.to_string())?;
        init.set_headers(&headers);
        init.set_body(&Uint8Array::from(body.as_slice()).into());
        init.set_signal(Some(&AbortSignal::timeout_with_u32(deadline_ms)));
        stub(env, binding, name)?.fetch(INTERNAL_URL, &init)
    };
    let mut outcome = answered(send()).await;
    if outcome.as_ref().is_err_and(|failure| failure.is_retryable) {
        outcome = answered(send()).await;
    }
    let response = outcome.map_err(|failure| {
        Error::new(Code::Unavailable, "A part of the service did not answer in time.").because(failure.reason)
    })?;
    let code = header(&response.headers(), CODE_HEADER).and_then(|name| Code::parse(&name));
    let bytes = body::read(response.body(), errand::MAX_BYTES).await?;
    errand::read_reply(response.status(), code, &bytes)
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
fn stub(env: &Env, binding: &str, name: &str) -> std::result::Result<Stub, JsValue> {
    let namespace: Namespace = Reflect::get(env.as_ref(), &JsValue::from_str(binding))?.unchecked_into();
    namespace.get_by_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    /// What the platform throws, with these properties set to true.
    fn failure(properties: &[&str]) -> Failure {
        let error = js_sys::Error::new("retryable overloaded");
        error.set_name("TimeoutError");
        for name in properties {
            assert_eq!(
                Reflect::set(&error, &JsValue::from_str(name), &JsValue::TRUE),
                Ok(true)
            );
        }
        Failure::of(&error)
    }

    #[wasm_bindgen_test]
    fn a_failure_is_what_its_properties_say_and_not_its_text() {
        for (properties, is_retryable, reason) in [
            (&[][..], false, "call: TimeoutError"),
            (&["retryable"], true, "call: TimeoutError"),
            (&["overloaded"], false, "the object is overloaded"),
            (&["retryable", "overloaded"], false, "the object is overloaded"),
        ] {
            let failure = failure(properties);
            assert_eq!(failure.is_retryable, is_retryable, "{properties:?}");
            assert_eq!(failure.reason, reason, "{properties:?}");
        }
        let thrown = Failure::of(&JsValue::from_str("no error at all"));
        assert_eq!((thrown.is_retryable, thrown.reason.as_str()), (false, "call: "));
    }

    #[wasm_bindgen_test]
    fn only_a_safe_method_is_repeated_and_only_where_it_may_help() {
        for method in [
            Method::Get,
            Method::Post,
            Method::Put,
            Method::Patch,
            Method::Delete,
        ] {
            let is_safe = method == Method::Get;
            assert_eq!(may_retry(method, &failure(&["retryable"])), is_safe);
            assert!(!may_retry(method, &failure(&[])));
            assert!(!may_retry(method, &failure(&["retryable", "overloaded"])));
        }
    }
}
