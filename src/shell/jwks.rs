//! Fetching the issuer's keys.

use crate::edge::auth::{FETCH_DEADLINE_MS, MAX_SET_BYTES};
use crate::shell::body;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, RequestInit, RequestRedirect, Response};

/// The bytes that the issuer serves at `url`. Follows no redirect, waits and reads no more than the bounds.
///
/// # Errors
/// A word for the log about why there are none.
pub async fn fetch(url: &str) -> Result<Vec<u8>, &'static str> {
    let init = RequestInit::new();
    // Not followed: "manual" makes a redirect a response that is not 200. ("error" is not implemented here.)
    init.set_redirect(RequestRedirect::Manual);
    let deadline = u32::try_from(FETCH_DEADLINE_MS).unwrap_or(u32::MAX);
    init.set_signal(Some(&AbortSignal::timeout_with_u32(deadline)));
    let global: web_sys::WorkerGlobalScope = js_sys::global().unchecked_into();
    let promise = global.fetch_with_str_and_init(url, &init);
    let response = JsFuture::from(promise).await.map_err(|_| "no answer")?;
    let response: Response = response.dyn_into().map_err(|_| "no response")?;
    if response.status() != 200 {
        return Err("not 200");
    }
    body::read(response.body(), MAX_SET_BYTES)
        .await
        .map_err(|_| "too large or broken off")
}
