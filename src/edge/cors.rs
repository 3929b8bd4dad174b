//! Cross-origin requests (Fetch standard, "CORS protocol"): exact origins, never `*`.

use crate::edge::route::{Method, Routed, route};

/// Headers of a request that a page may send.
const ALLOW_HEADERS: &str = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, \
X-API-Key, X-CSRF-Token, X-Customer-Id, X-Encrypt-Response, X-Request-Id, traceparent";
/// Headers of a response that a page may read.
const EXPOSE_HEADERS: &str = "X-Request-Id, X-Encrypted, ETag, RateLimit, RateLimit-Policy, Retry-After, Location, \
Link, Idempotent-Replayed";
/// How long a browser may keep the answer of a preflight, in seconds.
const MAX_AGE_SECONDS: &str = "600";
const ALL_METHODS: [Method; 5] = [
    Method::Get,
    Method::Post,
    Method::Put,
    Method::Patch,
    Method::Delete,
];

/// The headers by which a page of `origin` may read a response; none unless `allowed` lists that origin.
#[must_use]
pub fn response_headers(allowed: &[String], origin: Option<&str>) -> Vec<(&'static str, String)> {
    let Some(origin) = origin.filter(|origin| allowed.iter().any(|known| known == origin)) else {
        return Vec::new();
    };
    vec![
        ("Access-Control-Allow-Origin", origin.to_owned()),
        ("Access-Control-Allow-Credentials", "true".to_owned()),
        ("Access-Control-Expose-Headers", EXPOSE_HEADERS.to_owned()),
    ]
}

/// The headers of the answer to a preflight of `path`, beside [`response_headers`]. A path that does not exist
/// gets every method, so that the page then sees the 404 and not a CORS failure.
#[must_use]
pub fn preflight_headers(path: &str) -> Vec<(&'static str, String)> {
    let methods = match route("OPTIONS", path) {
        Routed::MethodNotAllowed(methods) => methods,
        _ => ALL_METHODS.to_vec(),
    };
    let methods: Vec<_> = methods.iter().map(|method| method.as_str()).collect();
    vec![
        ("Access-Control-Allow-Methods", methods.join(", ")),
        ("Access-Control-Allow-Headers", ALLOW_HEADERS.to_owned()),
        ("Access-Control-Max-Age", MAX_AGE_SECONDS.to_owned()),
    ]
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_origins_are_let_in() {
        let allowed = vec!["https://app.example".to_owned()];
        assert_eq!(response_headers(&allowed, Some("https://app.example")).len(), 3);
        for origin in [
            None,
            Some("https://app.example.evil"),
            Some("http://app.example"),
            Some("null"),
            Some("*"),
        ] {
            assert!(response_headers(&allowed, origin).is_empty(), "{origin:?}");
        }
    }

    #[test]
    fn a_preflight_names_the_methods_of_the_path() {
        assert_eq!(preflight_headers("/customer/me")[0].1, "GET, PUT, PATCH");
        assert_eq!(
            preflight_headers("/nowhere")[0].1,
            "GET, POST, PUT, PATCH, DELETE"
        );
    }
}
