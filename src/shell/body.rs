//! Reading a body, never more of it than the cap.

use crate::edge::enclosure;
use crate::edge::intake::too_large;
use crate::error::{Code, Error, Result};
use crate::shell::host;
use crate::shell::http::header;
use crate::shell::task::Settling;
use js_sys::{Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{ReadableStream, ReadableStreamDefaultReader, Request};

/// Reads a request's body, if it comes in time: at once where its length is declared, and step by step with a count
/// where it is not. (Each step of a stream costs a turn of the platform's loop.)
///
/// # Errors
/// `unavailable` if it does not; as [`read`].
pub async fn read_within(
    request: &Request,
    is_length_declared: bool,
    max_bytes: usize,
    deadline_ms: u32,
) -> Result<Vec<u8>> {
    let read = async {
        if is_length_declared {
            whole(request.array_buffer(), max_bytes).await
        } else {
            read(request.body(), max_bytes).await
        }
    };
    host::within(deadline_ms, read).await.unwrap_or_else(|| {
        let error = Error::new(Code::Unavailable, "The body did not come whole in time.");
        Err(error.because("a slow body"))
    })
}

/// The body of a call of an object, which one of our own has sent.
///
/// # Errors
/// `internal_error` or as [`whole`].
pub async fn sent(request: &Request, max_bytes: usize) -> Result<Vec<u8>> {
    match header(&request.headers(), enclosure::HEADER) {
        Some(enclosed) => enclosure::open(&enclosed),
        None => whole(request.array_buffer(), max_bytes).await,
    }
}

/// Where the body of a request is that has come to an object.
pub enum Sent<'a> {
    /// In a call of its own.
    Call(&'a Request),
    /// In a parcel, out of which it was taken.
    Parcel(Vec<u8>),
}

impl Sent<'_> {
    /// The body.
    ///
    /// # Errors
    /// As [`sent`].
    pub async fn read(self, max_bytes: usize) -> Result<Vec<u8>> {
        match self {
            Self::Call(request) => sent(request, max_bytes).await,
            Self::Parcel(body) if body.len() > max_bytes => Err(too_large(max_bytes)),
            Self::Parcel(body) => Ok(body),
        }
    }
}

/// Reads at once a body whose length is bounded already: by what was checked of its declared length, which the platform
/// keeps to, or by whoever sends it, which is one of our own.
///
/// # Errors
/// `body_too_large`, `malformed_request` if the sender broke off.
pub async fn whole(array_buffer: std::result::Result<Promise, JsValue>, max_bytes: usize) -> Result<Vec<u8>> {
    let broken = |_| Error::new(Code::MalformedRequest, "The body broke off.");
    let bytes = Settling::of(&array_buffer.map_err(broken)?).await;
    let bytes = Uint8Array::new(&bytes.map_err(broken)?);
    if bytes.length() as usize > max_bytes {
        return Err(too_large(max_bytes));
    }
    Ok(bytes.to_vec())
}

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
            return Err(too_large(max_bytes));
        }
        let at = bytes.len();
        bytes.resize(length, 0);
        if let Some(room) = bytes.get_mut(at..) {
            chunk.copy_to(room);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use wasm_bindgen_test::wasm_bindgen_test;
    use web_sys::Response;

    fn stream(text: &str) -> Option<ReadableStream> {
        Response::new_with_opt_str(Some(text)).unwrap().body()
    }

    #[wasm_bindgen_test]
    async fn a_body_is_read_up_to_its_cap_and_no_further() {
        assert_eq!(read(stream("12345"), 5).await.unwrap(), b"12345");
        assert_eq!(
            read(stream("123456"), 5).await.unwrap_err().code,
            Code::BodyTooLarge
        );
        assert_eq!(read(None, 5).await.unwrap(), b"");
    }

    #[wasm_bindgen_test]
    async fn a_body_that_is_read_already_is_a_refusal_and_not_a_trap() {
        let response = Response::new_with_opt_str(Some("x")).unwrap();
        let body = response.body();
        let _reader = ReadableStreamDefaultReader::new(body.as_ref().unwrap()).unwrap();
        assert_eq!(read(body, 5).await.unwrap_err().code, Code::MalformedRequest);
    }
}
