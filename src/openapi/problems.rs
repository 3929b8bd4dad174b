//! Which problems a route may answer, as far as that follows from the route table and the order of the checks.

use super::operation::{LIMITS, headers, reference};
use crate::customer::idempotency::is_stored;
use crate::edge::problem;
use crate::edge::route::{Audience, BodyKind, Route};
use crate::error::Code;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What every request with a credential may be refused with.
const ALWAYS: &[Code] = &[
    Code::MalformedRequest,
    Code::AuthenticationRequired,
    Code::InvalidToken,
    Code::TokenExpired,
    Code::TokenNotYetValid,
    Code::TokenRevoked,
    Code::InvalidServiceKey,
    Code::InvalidApiKey,
    Code::Forbidden,
    // Also of a body that nobody asked for.
    Code::BodyTooLarge,
    Code::TooManyRequests,
    Code::SealedDataUnreadable,
    Code::InternalError,
    Code::NotReady,
    Code::Unavailable,
    Code::IssuerUnavailable,
    Code::KeyUnavailable,
];

/// What any request of that route may be refused with.
pub(super) fn of(route: Route, is_versioned: bool, takes_key: bool, is_charged: bool) -> Vec<Code> {
    let audience = route.audience();
    if audience == Audience::Public {
        return vec![Code::InternalError];
    }
    let by_key = matches!(audience, Audience::Customer | Audience::Integration);
    let by_cookie =
        by_key && audience == Audience::Customer || audience == Audience::User || audience.is_admin();
    let is_unsafe = route.method().is_unsafe();
    let of_tenant = matches!(
        audience,
        Audience::User | Audience::Customer | Audience::Integration
    );
    let has_body = route.body() != BodyKind::None;
    let groups: &[(bool, &[Code])] = &[
        (true, ALWAYS),
        (by_cookie, &[Code::EncryptionRequired]),
        (by_cookie && is_unsafe, &[Code::CsrfFailed]),
        (by_key, &[Code::InsufficientScope, Code::OriginNotAllowed]),
        (
            by_key || (of_tenant && is_unsafe),
            &[
                Code::CustomerSuspended,
                Code::CustomerCancelled,
                Code::CustomerPending,
            ],
        ),
        (of_tenant, &[Code::CustomerNotFound, Code::CustomerErased]),
        // A customer's next user, and its next idempotency key, may be one too many.
        (
            audience == Audience::User || audience == Audience::Customer || takes_key,
            &[Code::LimitReached],
        ),
        (is_charged, &[Code::QuotaExceeded]),
        (is_versioned, &[Code::StaleVersion]),
        (takes_key, &[Code::IdempotencyKeyReused]),
        (
            has_body,
            &[
                Code::MalformedBody,
                Code::UnsupportedMediaType,
                Code::ValidationFailed,
            ],
        ),
    ];
    let wanted = groups.iter().filter(|(is_wanted, _)| *is_wanted);
    wanted.flat_map(|(_, codes)| codes.iter().copied()).collect()
}

/// The codes by their status, in the order of the documentation.
pub(super) fn by_status(codes: impl IntoIterator<Item = Code>) -> BTreeMap<u16, Vec<Code>> {
    let wanted: Vec<_> = codes.into_iter().collect();
    let mut grouped: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for &code in Code::ALL {
        if wanted.contains(&code) {
            grouped.entry(code.status()).or_default().push(code);
        }
    }
    grouped
}

/// What the refusals of an operation may carry.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    /// The headers of the limits: whatever is wrong with a request is found after it was charged, or before.
    pub(super) shows_limits: bool,
    /// Whether a refusal may be the repeated answer of an earlier request.
    pub(super) can_be_replayed: bool,
    pub(super) can_be_sealed: bool,
}

/// The responses that are refusals, shared by the operations that refuse alike.
#[derive(Default)]
pub(super) struct Responses(Map<String, Value>);

impl Responses {
    /// A reference to the response for a status and the codes that it may have.
    pub(super) fn refer(&mut self, status: u16, codes: &[Code], kind: Kind) -> Value {
        let names: Vec<_> = codes.iter().map(|code| code.as_str()).collect();
        let mut name = format!("{status}.{}", names.join("."));
        let kind = Kind {
            shows_limits: kind.shows_limits && status != 401,
            can_be_replayed: kind.can_be_replayed && is_stored(status),
            can_be_sealed: kind.can_be_sealed && status != 401,
        };
        let words = [
            (kind.shows_limits, "-charged"),
            (kind.can_be_replayed, "-replayed"),
            (status != 401 && !kind.can_be_sealed, "-open"),
        ];
        words
            .iter()
            .filter(|(is_so, _)| *is_so)
            .for_each(|(_, word)| name.push_str(word));
        self.0
            .entry(name.clone())
            .or_insert_with(|| response(status, codes, kind));
        reference("responses", &name)
    }

    /// All of them.
    pub(super) fn take(&mut self) -> Map<String, Value> {
        std::mem::take(&mut self.0)
    }
}

/// The response object for a status and the codes that it may have.
fn response(status: u16, codes: &[Code], kind: Kind) -> Value {
    let lines: Vec<_> = codes
        .iter()
        .map(|code| format!("- `{}`: {}", code.as_str(), code.title()))
        .collect();
    let mut names = vec!["X-Request-Id"];
    match status {
        401 => names.push("WWW-Authenticate"),
        403 if codes.contains(&Code::InsufficientScope) => names.push("WWW-Authenticate"),
        415 => names.push("Accept-Patch"),
        429 | 503 => names.push("Retry-After"),
        _ => {}
    }
    if kind.shows_limits {
        names.extend(LIMITS);
    }
    if kind.can_be_replayed {
        names.push("Idempotent-Replayed");
    }
    if kind.can_be_sealed {
        names.push("X-Encrypted");
    }
    json!({
        "description": lines.join("\n"),
        "headers": headers(&names),
        "content": {problem::MEDIA_TYPE: {"schema": reference("schemas", &schema_name(status))}},
        "x-codes": codes.iter().map(|code| code.as_str()).collect::<Vec<_>>(),
    })
}

fn schema_name(status: u16) -> String {
    format!("Problem{status}")
}

/// A schema for the problems of each status, told apart by `code`.
pub(super) fn schemas() -> Map<String, Value> {
    let mut schemas = Map::new();
    for (status, codes) in by_status(Code::ALL.iter().copied()) {
        let names: Vec<_> = codes.iter().map(|code| code.as_str()).collect();
        let schema = json!({
            "allOf": [reference("schemas", "Problem")],
            "type": "object",
            "required": ["code", "status"],
            "properties": {"code": {"type": "string", "enum": names}, "status": {"const": status}},
        });
        schemas.insert(schema_name(status), schema);
    }
    schemas
}
