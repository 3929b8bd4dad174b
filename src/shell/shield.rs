//! Asking the platform's rate-limit binding, where there is one.

use crate::edge::log;
use crate::edge::shield::{self, ANSWER_WITHIN_MS, Answer, BINDING};
use crate::error::{Code, Error, Result};
use crate::shell::host;
use js_sys::{Object, Promise, Reflect};
use std::cell::Cell;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use worker::Env;

#[wasm_bindgen]
extern "C" {
    /// The binding; bound by hand because `worker` takes only an object of the platform's own class, and whoever
    /// hosts this on plain workerd brings one that is wrapped.
    type RateLimit;
    #[wasm_bindgen(method, catch)]
    fn limit(this: &RateLimit, options: &Object) -> std::result::Result<JsValue, JsValue>;
}

thread_local! {
    /// Whether this isolate has said that it has no shield.
    static SAID: Cell<bool> = const { Cell::new(false) };
}

/// Lets a request of this address through, or refuses it.
///
/// # Errors
/// `too_many_requests`.
pub async fn admit(env: &Env, connecting_ip: Option<&str>, request_id: &str) -> Result<()> {
    let Some(binding) = binding(env) else {
        if !SAID.with(|said| said.replace(true)) {
            worker::console_log!("{}", shield::absence());
        }
        return Ok(());
    };
    let Some(key) = shield::key(connecting_ip) else {
        return Ok(());
    };
    let answer = ask(&binding, &key).await;
    if let Answer::Failed(reason) = answer {
        let error = Error::new(Code::Unavailable, "").because(reason);
        worker::console_error!("{}", log::event("shield", Some(request_id), &error));
    }
    shield::judge(answer)
}

fn binding(env: &Env) -> Option<RateLimit> {
    let binding = Reflect::get(env.as_ref(), &JsValue::from_str(BINDING)).ok()?;
    (!binding.is_undefined() && !binding.is_null()).then(|| binding.unchecked_into())
}

async fn ask(binding: &RateLimit, key: &str) -> Answer {
    let options = Object::new();
    let named = Reflect::set(&options, &JsValue::from_str("key"), &JsValue::from_str(key));
    let Ok(asked) = named.and_then(|_| binding.limit(&options)) else {
        return Answer::Failed("the binding threw");
    };
    let answer = JsFuture::from(Promise::resolve(&asked));
    let answered = host::within(ANSWER_WITHIN_MS, answer).await;
    match answered {
        None => Answer::Failed("no answer in time"),
        Some(Err(_)) => Answer::Failed("the binding failed"),
        Some(Ok(outcome)) => {
            let success = Reflect::get(&outcome, &JsValue::from_str("success"));
            match success.ok().and_then(|success| success.as_bool()) {
                Some(true) => Answer::Passed,
                Some(false) => Answer::Exceeded,
                None => Answer::Failed("no outcome"),
            }
        }
    }
}
