//! Calling our objects: their addresses, the deadline, the one retry.

use crate::customer::errand::{self as customer, Standing};
use crate::directory::errand as directory;
use crate::directory::shard::Shard;
use crate::edge::reply::CODE_HEADER;
use crate::edge::route::Method;
use crate::edge::settings::Settings;
use crate::edge::{enclosure, envelope, errand, head};
use crate::email::EmailIndex;
use crate::error::{Code, Error, Result};
use crate::operator;
use crate::shell::http::{self, header};
pub use crate::shell::relayed::Relayed;
use crate::shell::task::Settling;
use crate::shell::{body, gather};
use crate::types::CustomerId;
use js_sys::Reflect;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortController, AbortSignal, Response};
use worker::Env;

/// The binding of the customers' objects.
pub const CUSTOMERS: &str = "CUSTOMERS";
/// The binding of the directory's objects.
const DIRECTORY: &str = "DIRECTORY";
/// The binding of the operator object.
const OPERATOR: &str = "OPERATOR";

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
    /// Whether the answer's body may take longer than the deadline: then that ends with the answer's headers.
    pub is_long: bool,
    /// Whether it may go together with others.
    pub may_gather: bool,
    /// How long to wait, in milliseconds: a dead object never answers.
    pub deadline_ms: u32,
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
    outcome.map_err(|failure| {
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
    name: &'static str,
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
    name: &'static str,
    value: &str,
) -> std::result::Result<Response, Failure> {
    let fields = vec![(name, value.to_owned())];
    let deadline = callee.deadline_ms.into();
    answered(send(
        env,
        callee.binding,
        callee.name,
        Method::Post,
        fields,
        None,
        &deadline,
    ))
    .await
}

/// Whether to ask once more: only what changes nothing, and only where the platform says that it may help.
const fn may_retry(method: Method, failure: &Failure) -> bool {
    failure.is_retryable && !method.is_unsafe()
}

/// Why a call was not answered.
#[derive(Debug, Clone)]
pub struct Failure {
    reason: String,
    is_retryable: bool,
}

impl Failure {
    /// One that is not mended by another try.
    #[must_use]
    pub fn because(reason: &str) -> Self {
        Self {
            reason: reason.to_owned(),
            is_retryable: false,
        }
    }

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

async fn attempt(env: &Env, call: &Call<'_>) -> std::result::Result<Relayed, Failure> {
    if call.may_gather {
        return gather::call(env, call).await;
    }
    alone(env, call).await.map(Relayed::of_response)
}

/// One call of one request.
///
/// # Errors
/// Why it was not answered.
pub async fn alone(env: &Env, call: &Call<'_>) -> std::result::Result<Response, Failure> {
    if !call.is_long {
        return answered(start(env, call, &call.deadline_ms.into())).await;
    }
    let has_answered = Rc::new(Cell::new(false));
    let started =
        abort_unless(&has_answered, call.deadline_ms).and_then(|signal| start(env, call, signal.as_ref()));
    let outcome = answered(started).await;
    has_answered.set(true);
    outcome
}

/// A signal that ends the call at the deadline if it was not answered by then.
fn abort_unless(
    has_answered: &Rc<Cell<bool>>,
    deadline_ms: u32,
) -> std::result::Result<AbortSignal, JsValue> {
    let controller = AbortController::new()?;
    let (signal, has_answered) = (controller.signal(), Rc::clone(has_answered));
    wasm_bindgen_futures::spawn_local(async move {
        let _ = Settling::after(deadline_ms).await;
        if !has_answered.get() {
            controller.abort();
        }
    });
    Ok(signal)
}

/// The response that a call comes to.
///
/// # Errors
/// Why it was not answered.
pub async fn answered(
    promise: std::result::Result<js_sys::Promise, JsValue>,
) -> std::result::Result<Response, Failure> {
    let promise = promise.map_err(|error| Failure::of(&error))?;
    let response = Settling::of(&promise)
        .await
        .map_err(|error| Failure::of(&error))?;
    response.dyn_into().map_err(|_| Failure::because("no response"))
}

fn start(env: &Env, call: &Call<'_>, signal: &JsValue) -> std::result::Result<js_sys::Promise, JsValue> {
    let mut fields = vec![(envelope::HEADER, call.header.clone())];
    fields.extend(call.traceparent.clone().map(|trace| ("traceparent", trace)));
    send(
        env,
        CUSTOMERS,
        call.customer.as_str(),
        call.method,
        fields,
        call.body,
        signal,
    )
}

/// The one place that makes an object's address, so that a jurisdiction can enter it one day.
///
/// # Errors
/// What the platform throws.
pub fn send(
    env: &Env,
    binding: &str,
    name: &str,
    method: Method,
    mut fields: Vec<(&'static str, String)>,
    body: Option<&[u8]>,
    signal: &JsValue,
) -> std::result::Result<js_sys::Promise, JsValue> {
    let enclosed = body.and_then(enclosure::enclose);
    let body = body.filter(|_| enclosed.is_none());
    fields.extend(enclosed.map(|text| (enclosure::HEADER, text)));
    let fields = head::join(&fields).ok_or(JsValue::UNDEFINED)?;
    http::call(
        env.as_ref(),
        binding,
        name,
        method.as_str(),
        &fields,
        body,
        signal,
    )
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

/// Asks what an id is, for who comes with that e-mail.
///
/// # Errors
/// As [`ask_customer`].
pub async fn standing(
    env: &Env,
    id: &CustomerId,
    index: Option<EmailIndex>,
    deadline_ms: u32,
) -> Result<Standing> {
    let errand = customer::Errand {
        customer: id.clone(),
        what: customer::What::Look { index, by: None },
    };
    match ask_customer(env, &errand, deadline_ms).await? {
        customer::Answer::Is(standing) => Ok(standing),
        _ => Err(Error::fault("an answer to another errand")),
    }
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
    let fields = || vec![(errand::HEADER, errand::VERSION.to_string())];
    let deadline = deadline_ms.into();
    let start = || send(env, binding, name, Method::Post, fields(), Some(&body), &deadline);
    let mut outcome = answered(start()).await;
    if outcome.as_ref().is_err_and(|failure| failure.is_retryable) {
        outcome = answered(start()).await;
    }
    let response = outcome.map_err(|failure| {
        Error::new(Code::Unavailable, "A part of the service did not answer in time.").because(failure.reason)
    })?;
    let code = header(&response.headers(), CODE_HEADER).and_then(|name| Code::parse(&name));
    let bytes = body::whole(response.array_buffer(), errand::MAX_BYTES).await?;
    errand::read_reply(response.status(), code, &bytes)
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
