//! What all objects that carry out errands have in common: the response to one.

use crate::edge::reply::CODE_HEADER;
use crate::edge::{errand, log};
use crate::error::Result;
use crate::shell::http::respond;
use serde::Serialize;

/// The response to an errand. What went wrong goes to the log, as an event of that kind of object; a refusal does not.
pub fn respond_to<T: Serialize>(event: &str, answer: &Result<T>) -> web_sys::Response {
    if let Err(error) = answer
        && !error.is_refusal()
    {
        worker::console_error!("{}", log::event(event, None, error));
    }
    let answer = errand::reply(answer);
    let code = answer.code.map(|code| (CODE_HEADER, code.as_str().to_owned()));
    respond(answer, code.into_iter().collect())
}
