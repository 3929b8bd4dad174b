//! Reading a static file from the platform's store: the binding `ASSETS`, of Workers' static assets or of
//! workerd's disk service.

use crate::edge::assets::Asset;
use crate::edge::reply::{Answer, Caching};
use crate::error::{Code, Error, Result};
use crate::shell::http::empty_500;
use js_sys::Reflect;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, ReadableStream, Response, ResponseInit};
use worker::Env;

/// The binding of the store.
const ASSETS: &str = "ASSETS";
/// The origin of internal requests; the stores look at the path only.
const ORIGIN: &str = "https://assets.invalid";

#[wasm_bindgen]
extern "C" {
    type Store;
    #[wasm_bindgen(method, catch)]
    fn fetch(this: &Store, url: &str) -> std::result::Result<js_sys::Promise, JsValue>;
}

/// A file as it was found.
pub struct Found {
    asset: Asset,
    body: Option<ReadableStream>,
}

/// Opens a file.
///
/// # Errors
/// `unavailable` if the store has no such file, does not answer, or is not bound.
pub async fn open(env: &Env, asset: Asset) -> Result<Found> {
    let failed = |reason: &'static str| {
        Error::new(Code::Unavailable, "The file cannot be read at the moment.").because(reason)
    };
    let store = Reflect::get(env.as_ref(), &JsValue::from_str(ASSETS)).unwrap_or(JsValue::UNDEFINED);
    if !store.is_object() {
        return Err(failed("ASSETS is not bound"));
    }
    let store: Store = store.unchecked_into();
    let asked = store.fetch(&format!("{ORIGIN}{}", asset.file));
    let response = JsFuture::from(asked.map_err(|_| failed("assets: not asked"))?).await;
    let response: Response = response
        .map_err(|_| failed("assets: no answer"))?
        .dyn_into()
        .map_err(|_| failed("assets: no response"))?;
    // Names of the dashboard's files come with the request, and those of an older deployment are gone.
    if response.status() == 404 && asset.caching == Caching::Forever {
        return Err(Error::new(Code::RouteNotFound, Code::RouteNotFound.title()));
    }
    if response.status() != 200 {
        return Err(failed("assets: no such file"));
    }
    Ok(Found {
        asset,
        body: response.body(),
    })
}

impl Found {
    /// The response, with the headers that all carry and those of the file; `more` are the request's own.
    #[must_use]
    pub fn into_response(self, shown_id: &str, more: &[(&'static str, String)], is_head: bool) -> Response {
        let build = || {
            let answer = Answer {
                caching: self.asset.caching,
                ..Answer::empty(200)
            };
            let fields = Headers::new()?;
            for (name, value) in answer.common_headers(shown_id).iter().chain(more) {
                fields.set(name, value)?;
            }
            fields.set("Content-Type", self.asset.media_type)?;
            fields.set("Content-Security-Policy", self.asset.policy)?;
            let init = ResponseInit::new();
            init.set_headers(&fields);
            let body = if is_head { None } else { self.body.as_ref() };
            Response::new_with_opt_readable_stream_and_init(body, &init)
        };
        build().unwrap_or_else(|_: JsValue| empty_500())
    }
}
