//! The answers that need no customer: health, readiness, and what this resource tells OAuth clients.

use crate::edge::reply::{Answer, Caching};
use crate::json;
use crate::verify::PublicKeys;
use serde_json::json;

/// `GET /health`: the worker runs.
#[must_use]
pub fn health() -> Answer {
    Answer::document(
        200,
        "application/json",
        br#"{"status":"ok"}"#.to_vec(),
        Caching::Never,
    )
}

/// `GET /ready`, when every setting is right.
#[must_use]
pub fn ready() -> Answer {
    Answer::document(
        200,
        "application/json",
        br#"{"status":"ready"}"#.to_vec(),
        Caching::Never,
    )
}

/// The path of [`resource_metadata`].
pub const RESOURCE_METADATA_PATH: &str = "/.well-known/oauth-protected-resource";

/// The protected resource's metadata (RFC 9728 section 2). Issuers that are no https URL are left out: the
/// standard knows only those.
#[must_use]
pub fn resource_metadata(origin: &str, issuers: &[String]) -> Answer {
    let servers: Vec<_> = issuers
        .iter()
        .filter(|issuer| issuer.starts_with("https://"))
        .collect();
    let document = json!({
        "resource": origin,
        "authorization_servers": servers,
        "bearer_methods_supported": ["header"],
        "resource_name": "user-api",
    });
    Answer::document(
        200,
        "application/json",
        json::to_bytes(&document).unwrap_or_default(),
        Caching::Public,
    )
}

/// `GET /.well-known/jwks.json`: the public halves of the signing keys (RFC 7517, RFC 8037), by which checkpoints and
/// exports are verified.
#[must_use]
pub fn signing_keys(keys: &PublicKeys) -> Answer {
    let body = json::to_bytes(&keys.to_jwks()).unwrap_or_default();
    Answer::document(200, "application/jwk-set+json", body, Caching::Public)
}
