//! What the operations refer to: headers, parameters, credentials, schemas.

use super::operation::{Schemas, reference};
use super::{answers, problems};
use crate::edge::auth::COOKIE_NAME;
use crate::error::Code;
use serde_json::{Map, Value, json};

/// Every component. Takes the schemas that the operations have named, so it comes last.
pub(super) fn all(schemas: &mut Schemas) -> Value {
    schemas.add::<answers::SealedResponse>();
    let mut named = schemas.take();
    named.insert("Problem".to_owned(), problem());
    named.extend(problems::schemas());
    json!({
        "schemas": named,
        "responses": schemas.refusals.take(),
        "headers": headers(),
        "parameters": parameters(),
        "securitySchemes": credentials(),
    })
}

/// RFC 9457, with our members.
fn problem() -> Value {
    let names: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
    json!({
        "type": "object",
        "description": "A refusal or a failure (RFC 9457).",
        "required": ["type", "title", "status", "detail", "instance", "code"],
        "properties": {
            "type": {"type": "string", "format": "uri-reference",
                "description": "`/problems/{code}`, or a type that IANA registered."},
            "title": {"type": "string"},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {"type": "string"},
            "instance": {"type": "string", "description": "`urn:request:` and the id of `X-Request-Id`."},
            "code": {"type": "string", "enum": names},
            "errors": {
                "type": "array",
                "description": "The faults of the body, with `validation_failed` and `field_not_writable`.",
                "items": {
                    "type": "object",
                    "required": ["pointer", "detail"],
                    "properties": {
                        "pointer": {"type": "string", "description": "JSON Pointer (RFC 6901), fragment form."},
                        "detail": {"type": "string"},
                    },
                },
            },
            "certificate": {"type": "string",
                "description": "With `customer_erased`, once the destruction is complete: a compact JWS."},
            "violated-policies": {"type": "array", "items": {"type": "string"},
                "description": "The limits that refused, with `quota_exceeded`."},
            "allowed": {"type": "boolean", "description": "False, where limits of one's own were asked."},
            "policies": {"type": "array", "items": reference("schemas", "PolicyRemaining"),
                "description": "What is left, where limits of one's own were asked."},
        },
    })
}

/// The headers that are there wherever they are described. (`ETag`: none but versioned operations describe it.)
const ALWAYS: &[&str] = &[
    "X-Request-Id",
    "ETag",
    "Retry-After",
    "Accept-Patch",
    "Location",
    "Content-Disposition",
];

fn headers() -> Map<String, Value> {
    let texts = [
        (
            "X-Request-Id",
            "The id of the request: the caller's own, or ours.",
        ),
        (
            "ETag",
            "The version of the resource, `\"<incarnation>.<number>\"`.",
        ),
        (
            "RateLimit-Policy",
            "The limits that the request was charged to (draft-ietf-httpapi-ratelimit-headers-11).",
        ),
        (
            "RateLimit",
            "What is left of them (draft-ietf-httpapi-ratelimit-headers-11).",
        ),
        ("Retry-After", "Seconds after which the same request may pass."),
        (
            "WWW-Authenticate",
            "How to authenticate (RFC 6750 section 3, RFC 9728 section 5.1).",
        ),
        (
            "Accept-Patch",
            "The media types that PATCH takes (RFC 5789 section 2.2).",
        ),
        (
            "Idempotent-Replayed",
            "`true` where this is the answer of an earlier request with the same key.",
        ),
        ("X-Encrypted", "`true` where the body is a `SealedResponse`."),
        ("Link", "The next page, `rel=\"next\"` (RFC 8288)."),
        ("Location", "Where the new resource is."),
        (
            "Content-Disposition",
            "The name under which to keep the file (RFC 6266).",
        ),
    ];
    texts
        .into_iter()
        .map(|(name, text)| {
            let mut header = json!({"description": text, "schema": {"type": "string"}});
            if let (true, Value::Object(members)) = (ALWAYS.contains(&name), &mut header) {
                members.insert("required".to_owned(), Value::Bool(true));
            }
            (name.to_owned(), header)
        })
        .collect()
}

/// What every response of every path has, in the extension `x-common-headers`: nobody reads it at each of them.
pub(super) fn common() -> Value {
    let always = [
        ("X-Content-Type-Options", "`nosniff`."),
        ("Referrer-Policy", "`no-referrer`."),
        ("Strict-Transport-Security", "Two years, with subdomains."),
        (
            "Content-Security-Policy",
            "Nothing is loaded from an answer; pages have a policy of their own.",
        ),
        (
            "Cache-Control",
            "`private, no-store`, or public where all get the same.",
        ),
        ("Vary", "The request headers on which the answer depends."),
    ];
    let to_pages = [
        (
            "Access-Control-Allow-Origin",
            "The page's own origin, where it is an allowed one.",
        ),
        ("Access-Control-Allow-Credentials", "`true`, with it."),
        ("Access-Control-Expose-Headers", "What such a page may read."),
    ];
    let header = |is_always: bool| {
        move |(name, text): (&str, &str)| {
            let header = json!({"description": text, "required": is_always, "schema": {"type": "string"}});
            (name.to_owned(), header)
        }
    };
    let all = always
        .into_iter()
        .map(header(true))
        .chain(to_pages.into_iter().map(header(false)));
    Value::Object(all.collect())
}

fn parameters() -> Map<String, Value> {
    let text = || json!({"type": "string"});
    let in_path = [
        (
            "customerId",
            "A customer's id.",
            reference("schemas", "CustomerId"),
        ),
        ("keyId", "An API key's id.", reference("schemas", "KeyId")),
        ("code", "The code of a problem.", text()),
        ("file", "The name of a file that the page names.", text()),
        (
            "seq",
            "The number of an audit entry.",
            json!({"type": "integer", "minimum": 1}),
        ),
    ];
    let of_path = in_path.into_iter().map(|(name, about, schema)| {
        let parameter =
            json!({"name": name, "in": "path", "required": true, "description": about, "schema": schema});
        (name.to_owned(), parameter)
    });
    of_path.chain(header_parameters()).collect()
}

/// Each with the name of its component.
fn header_parameters() -> impl Iterator<Item = (String, Value)> {
    let text = || json!({"type": "string"});
    let key = json!({"type": "string", "minLength": 1, "maxLength": 255});
    let id = json!({"type": "string", "pattern": "^[A-Za-z0-9_-]{16,64}$"});
    let all = [
        (
            "IfMatch",
            "If-Match",
            "Only if the version is one of these (RFC 9110 section 13.1.1).",
            text(),
        ),
        (
            "IfNoneMatch",
            "If-None-Match",
            "Only if the version is none of these (RFC 9110 section 13.1.2).",
            text(),
        ),
        (
            "IdempotencyKey",
            "Idempotency-Key",
            "Makes the request safe to repeat for 24 hours.",
            key,
        ),
        (
            "CsrfToken",
            "X-CSRF-Token",
            "The token's `csrf` claim; needed with the cookie.",
            text(),
        ),
        (
            "EncryptResponse",
            "X-Encrypt-Response",
            "`1` asks for a `SealedResponse`.",
            json!({"type": "string", "enum": ["1"]}),
        ),
        ("RequestId", "X-Request-Id", "An id of the caller's own.", id),
        ("TraceParent", "traceparent", "W3C Trace Context.", text()),
    ];
    all.into_iter().map(|(component, name, about, schema)| {
        let parameter = json!({"name": name, "in": "header", "description": about, "schema": schema});
        (component.to_owned(), parameter)
    })
}

fn credentials() -> Value {
    json!({
        "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT",
            "description": "The token of a user, an administrator or a service; or an API key."},
        "cookie": {"type": "apiKey", "in": "cookie", "name": COOKIE_NAME,
            "description": "The same token. Unsafe methods then need `X-CSRF-Token`."},
        "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        "serviceKey": {"type": "apiKey", "in": "header", "name": "X-Service-Key"},
    })
}
