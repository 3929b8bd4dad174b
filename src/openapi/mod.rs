//! The description of the interface, OpenAPI 3.1: made from the route table, the problem codes and the types that
//! are answered. Not part of the worker, which serves the result as a file (`docs/openapi.json`).
//!
//! **Describing a new route.** One arm in the file of its area (`customer.rs`, `admin.rs`, …), then `make openapi`.
//! What follows from the route table (credentials, the usual problems, headers, the idempotency key, conditions)
//! is added by itself. The types of answers derive `schemars::JsonSchema`, natively only; those of bodies, which
//! the worker reads by hand, stand in `bodies.rs`, where a test holds them against the reader. Whatever the worker
//! answers to any test, `tests/e2e/support/described.rs` holds against the document.

mod account;
mod admin;
mod answers;
pub mod bodies;
mod components;
mod customer;
mod forms;
mod keys;
mod limits;
mod operation;
mod problems;
mod public;
mod service;
mod user;

pub use operation::Operation;

use crate::edge::route::{Audience, Route};
use operation::Schemas;
use serde_json::{Map, Value, json};

/// A group of operations: its tag, what it is about, and the descriptions of its routes.
struct Area {
    tag: &'static str,
    about: &'static str,
    describe: fn(Route) -> Option<Operation>,
}

/// All areas, in the order in which the documentation shows them.
const AREAS: &[Area] = &[
    Area {
        tag: "Customer",
        about: "The customer that the credential names.",
        describe: customer::describe,
    },
    Area {
        tag: "Users",
        about: "Who is signed in, and its own settings.",
        describe: user::describe,
    },
    Area {
        tag: "Audit, export and erasure",
        about: "Who looked at the customer's data, a copy of it, and its end.",
        describe: account::describe,
    },
    Area {
        tag: "API keys",
        about: "Keys and tokens, for the owner of the customer.",
        describe: keys::describe,
    },
    Area {
        tag: "Limits",
        about: "What is left, and limits of one's own.",
        describe: limits::describe,
    },
    Area {
        tag: "Administration",
        about: "What a super-admin may do to any customer.",
        describe: admin::describe,
    },
    Area {
        tag: "Services",
        about: "What the login service calls.",
        describe: service::describe,
    },
    Area {
        tag: "Public",
        about: "What anybody may read.",
        describe: public::describe,
    },
];

/// What the document says of itself.
const ABOUT: &str = "Customer data, one strongly consistent object a customer. A success body is the resource itself, \
lists are `{data, hasMore, nextCursor}`, times RFC 3339 in UTC. HEAD is answered as GET without the body, OPTIONS for \
every path. A path without an operation is 404 `route_not_found`, a path without that method 405 \
`method_not_allowed` with `Allow`. Errors are problem documents (RFC 9457). With `X-Encrypt-Response: 1` an answer \
is a `SealedResponse` for the caller's credential, with `X-Encrypted: true`. The headers that every answer has stand in \
`x-common-headers`.";

/// The routes that no area describes.
#[must_use]
pub fn undescribed() -> Vec<Route> {
    let is_described = |route: Route| AREAS.iter().any(|area| (area.describe)(route).is_some());
    Route::ALL
        .iter()
        .copied()
        .filter(|route| !is_described(*route))
        .collect()
}

/// The whole document.
#[must_use]
pub fn document() -> Value {
    let mut schemas = Schemas::default();
    let mut paths: Map<String, Value> = Map::new();
    for &route in Route::ALL {
        let found = AREAS
            .iter()
            .find_map(|area| Some((area.tag, (area.describe)(route)?)));
        let Some((tag, operation)) = found else { continue };
        let item = paths
            .entry(route.pattern())
            .or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(methods) = item {
            let method = route.method().as_str().to_lowercase();
            methods.insert(method, operation.render(route, tag, &mut schemas));
        }
    }
    let tags: Vec<_> = AREAS
        .iter()
        .map(|area| json!({"name": area.tag, "description": area.about}))
        .collect();
    let components = components::all(&mut schemas);
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "user-api",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": env!("CARGO_PKG_DESCRIPTION"),
            "description": ABOUT,
            "license": {"name": env!("CARGO_PKG_LICENSE"), "identifier": env!("CARGO_PKG_LICENSE")},
        },
        "servers": [{"url": "/", "description": "Where this document was read."}],
        "tags": tags,
        "paths": paths,
        "x-common-headers": components::common(),
        "components": components,
    })
}

/// The document as it is committed and served.
#[must_use]
pub fn text() -> String {
    let mut text = serde_json::to_string_pretty(&document()).unwrap_or_default();
    text.push('\n');
    text
}

/// Whether callers of this kind are charged to limits.
const fn is_charged(audience: Audience) -> bool {
    matches!(
        audience,
        Audience::User | Audience::Customer | Audience::Integration
    )
}
