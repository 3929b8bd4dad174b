//! The service that a subcommand works on: its address, the key to it, and what its refusals say.

use super::failure::{Failure, Result};
use super::settings::Settings;
use std::path::Path;
use std::time::Duration;
use ureq::http::Response;
use ureq::{Agent, Body};
use url::{Host, Url};
use user_api::edge::problem;
use user_api::edge::sealed::{Frame, SEALED_HEADER, open};

/// How long one request may take, in seconds.
const REQUEST_DEADLINE_SECS: u64 = 300;
/// Largest problem document that is read, in bytes.
const MAX_PROBLEM_BYTES: u64 = 8_192;

/// Whatever sends the requests: no redirect is followed, because the key would go with it.
pub fn agent() -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(Duration::from_secs(REQUEST_DEADLINE_SECS)))
        .user_agent(concat!("user-api/", env!("CARGO_PKG_VERSION")));
    config.build().new_agent()
}

/// A service key: from a file that holds it, or the first of `SERVICE_API_KEYS`.
///
/// # Errors
/// There is none, or the file cannot be read.
pub fn key(file: Option<&Path>, env_file: Option<&Path>) -> Result<String> {
    let text = match file {
        Some(path) => std::fs::read_to_string(path)
            .map_err(|error| Failure::failed(format!("cannot read {}: {error}", path.display())))?,
        None => {
            let keys = Settings::load(env_file)?.get("SERVICE_API_KEYS")?;
            let keys = keys.ok_or_else(|| {
                Failure::failed(
                    "there is no service key: name a file with --service-key-file, or set SERVICE_API_KEYS",
                )
            })?;
            keys.split(',').next().unwrap_or_default().to_owned()
        }
    };
    let key = text.trim();
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Failure::failed(
            "the service key must be one line of visible characters",
        ));
    }
    Ok(key.to_owned())
}

/// The address of a service. The key travels with every request, so it travels encrypted, or not further than this
/// machine.
///
/// # Errors
/// What is wrong with it.
pub fn base_url(text: &str) -> std::result::Result<String, String> {
    let url = Url::parse(text).map_err(|_| "must be an absolute URL".to_owned())?;
    let is_local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let is_sound = url.scheme() == "https" || url.scheme() == "http" && is_local;
    if !is_sound || url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return Err("must be https (http only on this machine), without user, query and fragment".to_owned());
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// Whether the service seals its answers to the caller's key.
pub fn is_sealed(response: &Response<Body>) -> bool {
    response
        .headers()
        .get(SEALED_HEADER)
        .is_some_and(|value| value == "true")
}

/// `X-Request-Id` of the response, to which what is sealed is bound.
pub fn request_id(response: &Response<Body>) -> String {
    let id = response.headers().get("X-Request-Id");
    id.and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned()
}

/// The body of at most `limit` bytes, opened with the key where it is sealed; None where it cannot be had.
pub fn body(key: &str, content_type: &str, limit: u64, mut response: Response<Body>) -> Option<Vec<u8>> {
    let (status, request_id) = (response.status().as_u16(), request_id(&response));
    let is_sealed = is_sealed(&response);
    // Base64 and what stands around it.
    let room = if is_sealed { limit.saturating_mul(2) } else { limit };
    let bytes = response.body_mut().with_config().limit(room).read_to_vec().ok()?;
    if !is_sealed {
        return Some(bytes);
    }
    let frame = Frame {
        status,
        content_type,
        request_id: &request_id,
    };
    open(key, frame, &bytes)
}

/// The code of the problem, which is ours and no secret.
pub fn refusal(key: &str, response: Response<Body>) -> String {
    let status = response.status().as_u16();
    let code = body(key, problem::MEDIA_TYPE, MAX_PROBLEM_BYTES, response)
        .and_then(|body| serde_json::from_slice::<serde_json::Value>(&body).ok())
        .and_then(|problem| Some(problem.get("code")?.as_str()?.to_owned()))
        .filter(|code| code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
    match code {
        Some(code) => format!("the service answers {status} ({code})"),
        None => format!("the service answers {status}"),
    }
}
