//! Every answer is one that the document of the interface knows: its status, the code of its problem, its own headers,
//! its media type and its body, to the last member. [`Response::check`] comes here, so the whole suite holds the worker
//! to what `docs/openapi.json` says.

use crate::support::http::Response;
use jsonschema::Validator;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use user_api::edge::route::{Route, Routed, path_of, route};
use user_api::openapi;

/// Headers of the transport, of the content and of CORS's preflight, which are no part of the description.
const OF_TRANSPORT: [&str; 5] = [
    "connection",
    "content-length",
    "content-type",
    "date",
    "transfer-encoding",
];

/// The document as the code makes it; `tests/openapi.rs` holds the committed one to it.
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let mut document = openapi::document();
    close(&mut document["components"]["schemas"]);
    document
});

/// Has every object refuse members that it does not describe: a caller may ignore them, the worker may not send them.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            let is_closed = members.contains_key("additionalProperties") || members.contains_key("allOf");
            if members.get("properties").is_some_and(Value::is_object) && !is_closed {
                members.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            members.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

/// Holds an answer against the document.
pub fn check(response: &Response) {
    let mut words = response.request.trim_start_matches("raw ").split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let path = path_of(target);
    let found = match route(method, path) {
        Routed::Found(found, _) => found,
        _ if method == "OPTIONS" => return assert_eq!(response.status, 204, "{}", response.describe()),
        Routed::NotFound => return is_refused(response, method, "route_not_found"),
        Routed::MethodNotAllowed(_) => return is_refused(response, method, "method_not_allowed"),
    };
    let method = found.method().as_str().to_lowercase();
    let operation = &DOCUMENT["paths"][found.pattern()][&method];
    let described = resolve(&operation["responses"][response.status.to_string()]);
    assert!(
        described.is_object(),
        "{found:?} answers {}, which is not described: {}",
        response.status,
        response.describe()
    );
    check_headers(response, described, found);
    if !response.request.trim_start_matches("raw ").starts_with("HEAD") {
        check_body(response, described, found);
    }
}

fn is_refused(response: &Response, method: &str, code: &str) {
    assert!(
        response.status == 404 || response.status == 405,
        "{}",
        response.describe()
    );
    if method != "HEAD" {
        assert_eq!(response.json()["code"], code, "{}", response.describe());
    }
}

/// Follows a reference.
fn resolve(value: &'static Value) -> &'static Value {
    let target = value["$ref"].as_str().and_then(|target| target.strip_prefix('#'));
    target.map_or(value, |target| DOCUMENT.pointer(target).expect("a component"))
}

/// Every header is described, and every one that is always there is there.
fn check_headers(response: &Response, described: &'static Value, found: Route) {
    let of_all = DOCUMENT["x-common-headers"].as_object().expect("common headers");
    let own = described["headers"].as_object().expect("headers");
    let known = || of_all.iter().chain(own);
    for (name, _) in &response.headers {
        let is_known = known().any(|(known, _)| known.eq_ignore_ascii_case(name));
        assert!(
            is_known || OF_TRANSPORT.contains(&name.as_str()),
            "{found:?} {}: the header {name} is not described: {}",
            response.status,
            response.describe()
        );
    }
    for (name, header) in known() {
        if resolve(header)["required"] == true {
            assert!(
                response.header(name).is_some(),
                "{found:?} {}: no {name}: {}",
                response.status,
                response.describe()
            );
        }
    }
}

fn check_body(response: &Response, described: &'static Value, found: Route) {
    let Some(content) = described["content"].as_object() else {
        return assert!(response.body.is_empty(), "{}", response.describe());
    };
    let (media_type, content) = content.iter().next().expect("one media type");
    let told = response.header("Content-Type").unwrap_or_default();
    let lines = &content["x-line-schema"];
    if response.header("X-Encrypted").is_some() {
        let wanted = if lines.is_object() {
            media_type
        } else {
            "application/json"
        };
        assert_eq!(told, wanted, "{}", response.describe());
        let sealed = json!({"$ref": "#/components/schemas/SealedResponse"});
        return documents(response, lines.is_object())
            .for_each(|document| hold(response, &sealed, &document));
    }
    assert!(
        told == media_type || media_type == "*/*",
        "{told}: {}",
        response.describe()
    );
    if lines.is_object() {
        documents(response, true).for_each(|document| hold(response, lines, &document));
    } else if told.ends_with("json") {
        let body = response.json();
        hold(response, &content["schema"], &body);
        if let Some(codes) = described["x-codes"].as_array() {
            assert!(
                codes.contains(&body["code"]),
                "{found:?} is not described to refuse with {}: {}",
                body["code"],
                response.describe()
            );
        }
    }
}

/// The body, or each line of it.
fn documents(response: &Response, is_lines: bool) -> impl Iterator<Item = Value> {
    let parts = response.body.split(move |&byte| is_lines && byte == b'\n');
    let parts = parts.filter(|part| !part.is_empty());
    parts.map(|part| {
        serde_json::from_slice(part).unwrap_or_else(|_| panic!("not JSON: {}", response.describe()))
    })
}

/// A body is what its schema says.
fn hold(response: &Response, schema: &Value, body: &Value) {
    let validator = validator(schema);
    let faults: Vec<_> = validator
        .iter_errors(body)
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect();
    assert!(
        faults.is_empty(),
        "the body is not what {schema} says:\n{}\n{}",
        faults.join("\n"),
        response.describe()
    );
}

/// The compiled schema; compiled once.
fn validator(schema: &Value) -> Arc<Validator> {
    static KNOWN: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let compile = || {
        let mut whole = schema.as_object().cloned().unwrap_or_else(Map::new);
        let schemas = json!({"schemas": DOCUMENT["components"]["schemas"]});
        whole.insert("components".to_owned(), schemas);
        let options = jsonschema::draft202012::options().should_validate_formats(true);
        Arc::new(options.build(&Value::Object(whole)).expect("a sound schema"))
    };
    Arc::clone(known.entry(schema.to_string()).or_insert_with(compile))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(request: &str, status: u16, headers: &[(&str, &str)], body: &Value) -> Response {
        let common = [
            "x-content-type-options",
            "referrer-policy",
            "strict-transport-security",
        ];
        let common =
            common
                .iter()
                .chain(&["content-security-policy", "cache-control", "vary", "x-request-id"]);
        let headers = common.map(|name| (*name, "x")).chain(headers.iter().copied());
        Response {
            status,
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            body: body.to_string().into_bytes(),
            request: request.to_owned(),
        }
    }

    fn is_held(request: &str, status: u16, headers: &[(&str, &str)], body: &Value) -> bool {
        let answer = answer(request, status, headers, body);
        std::panic::catch_unwind(|| check(&answer)).is_ok()
    }

    #[test]
    fn an_answer_that_the_document_does_not_know_is_noticed() {
        let json = ("content-type", "application/json");
        let problem = ("content-type", "application/problem+json");
        let (tag, get) = (("etag", "\"0.1\""), "GET /customer/me/status?x=1");
        let status =
            json!({"status": "active", "statusReason": null, "statusChangedAt": "2026-01-01T00:00:00.000Z"});
        let with = |name: &str, value: Value| {
            let mut body = status.clone();
            body[name] = value;
            body
        };
        assert!(is_held(get, 200, &[json, tag], &status));
        assert!(is_held(
            get,
            200,
            &[json, tag, ("ratelimit", "x"), ("date", "x")],
            &status
        ));
        assert!(!is_held(get, 201, &[json, tag], &status), "another status");
        assert!(!is_held(get, 200, &[json], &status), "a header is missing");
        assert!(
            !is_held(get, 200, &[json, tag, ("link", "x")], &status),
            "a header too many"
        );
        assert!(
            !is_held(get, 200, &[("content-type", "text/html"), tag], &status),
            "another type"
        );
        assert!(
            !is_held(get, 200, &[json, tag], &with("more", json!(1))),
            "a member too many"
        );
        assert!(
            !is_held(get, 200, &[json, tag], &with("status", json!("odd"))),
            "a value"
        );
        assert!(
            !is_held(get, 200, &[json, tag], &with("statusChangedAt", json!("now"))),
            "a format"
        );
        let refusal = |code: &str, status: u16| json!({"type": "x", "title": "x", "status": status, "detail": "x", "instance": "x", "code": code});
        assert!(is_held(get, 404, &[problem], &refusal("customer_not_found", 404)));
        assert!(
            !is_held(get, 404, &[problem], &refusal("key_not_found", 404)),
            "a code"
        );
        assert!(
            !is_held(get, 404, &[problem], &refusal("customer_not_found", 410)),
            "its status"
        );
        assert!(
            !is_held(get, 503, &[problem], &refusal("unavailable", 503)),
            "no Retry-After"
        );
        assert!(is_held(
            "GET /nowhere",
            404,
            &[problem],
            &refusal("route_not_found", 404)
        ));
        assert!(!is_held(
            "GET /nowhere",
            404,
            &[problem],
            &refusal("key_not_found", 404)
        ));
    }
}
