//! Reading a body, never more of it than the cap.

use crate::edge::intake::too_large;
use crate::error::{Code, Error, Result};
use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{ReadableStream, ReadableStreamDefaultReader};

/// Reads a stream to its end.
///
/// # Errors
/// `body_too_large` as soon as more than `max_bytes` have come; `malformed_request` if the caller broke off.
pub async fn read(stream: Option<ReadableStream>, max_bytes: usize) -> Result<Vec<u8>> {
    let Some(stream) = stream else {
        return Ok(Vec::new());
    };
    let broken = |_| Error::new(Code::MalformedRequest, "The body broke off.");
    let reader = ReadableStreamDefaultReader::new(&stream).map_err(broken)?;
    let mut bytes = Vec::new();
    loop {
        let step = JsFuture::from(reader.read()).await.map_err(broken)?;
        let done = Reflect::get(&step, &JsValue::from_str("done")).map_err(broken)?;
        if done.is_truthy() {
            return Ok(bytes);
        }
        let chunk = Reflect::get(&step, &JsValue::from_str("value")).map_err(broken)?;
        let chunk: Uint8Array = chunk.dyn_into().map_err(broken)?;
        let length = bytes.len().saturating_add(chunk.length() as usize);
        if length > max_bytes {
            // The rest is not wanted; whether the caller hears of it before it has sent it does not matter.
            let _ = reader.cancel();
            return Err(too_large());
        }
        let at = bytes.len();
        bytes.resize(length, 0);
        if let Some(room) = bytes.get_mut(at..) {
            chunk.copy_to(room);
        }
    }
}
