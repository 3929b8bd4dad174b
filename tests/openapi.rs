//! The description of the interface is complete, fresh, and what the code reads.
#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::string_slice
)]

use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use user_api::crypto::IndexKeys;
use user_api::edge::route::{BodyKind, Route};
use user_api::edge::{decode, rewrap};
use user_api::error::Code;
use user_api::openapi;

const FILE: &str = "docs/openapi.json";

fn operation(document: &Value, route: Route) -> &Value {
    &document["paths"][route.pattern()][route.method().as_str().to_lowercase()]
}

/// Follows a reference.
fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(target) => document.pointer(target.strip_prefix('#').unwrap()).unwrap(),
        None => value,
    }
}

#[test]
fn every_route_is_described() {
    let missing: Vec<_> = openapi::undescribed()
        .iter()
        .map(|route| format!("  {route:?}  {} {}", route.method().as_str(), route.pattern()))
        .collect();
    assert!(
        missing.is_empty(),
        "these routes have no description; add an arm for each in src/openapi/<area>.rs (see the header of \
         src/openapi/mod.rs), then run `make openapi`:\n{}",
        missing.join("\n")
    );
}

#[test]
fn the_committed_document_is_what_the_code_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    let new = openapi::text();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &new).unwrap();
    }
    let old = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        old == new,
        "{FILE} is stale: run `make openapi` and commit what it wrote"
    );
}

#[test]
fn every_operation_is_a_route_and_has_a_success_and_its_problems() {
    let document = openapi::document();
    let mut described = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            described += 1;
            let is_route =
                |route: &Route| route.pattern() == path && route.method().as_str().to_lowercase() == *method;
            assert!(Route::ALL.iter().any(is_route), "{method} {path} is no route");
        }
    }
    assert_eq!(described + openapi::undescribed().len(), Route::ALL.len());
    let mut ids = BTreeSet::new();
    for &route in Route::ALL {
        let operation = operation(&document, route);
        let Some(responses) = operation["responses"].as_object() else {
            continue;
        };
        assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()));
        assert!(
            responses.keys().any(|status| status.starts_with('2')),
            "{route:?}"
        );
        for (status, response) in responses {
            let response = resolve(&document, response);
            assert!(
                !response["description"].as_str().unwrap().is_empty(),
                "{route:?} {status}"
            );
            assert!(
                response["headers"]["X-Request-Id"].is_object(),
                "{route:?} {status}"
            );
            for header in response["headers"].as_object().unwrap().values() {
                assert!(resolve(&document, header)["description"].is_string(), "{header}");
            }
        }
        let has_body = operation["requestBody"].is_object();
        assert_eq!(has_body, route.body() != BodyKind::None, "{route:?}");
    }
}

/// The codes that no operation answers, because no operation was found.
const OF_NO_OPERATION: [Code; 1] = [Code::MethodNotAllowed];

#[test]
fn every_problem_is_an_answer_of_some_operation() {
    let document = openapi::document();
    let mut told = BTreeSet::new();
    for &route in Route::ALL {
        let responses = operation(&document, route)["responses"].as_object();
        for (status, response) in responses.into_iter().flatten() {
            for code in resolve(&document, response)["x-codes"]
                .as_array()
                .into_iter()
                .flatten()
            {
                let code = Code::parse(code.as_str().unwrap()).unwrap();
                assert_eq!(code.status().to_string(), *status, "{route:?} {code:?}");
                told.insert(code.as_str());
            }
        }
    }
    for &code in Code::ALL {
        let of_none = OF_NO_OPERATION.contains(&code);
        assert_ne!(
            told.contains(code.as_str()),
            of_none,
            "{code:?}: see src/openapi/problems.rs"
        );
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn walk(document: &Value, value: &Value) {
        match value {
            Value::Object(members) => {
                let _ = resolve(document, value);
                members.values().for_each(|value| walk(document, value));
            }
            Value::Array(items) => items.iter().for_each(|value| walk(document, value)),
            _ => {}
        }
    }
    let document = openapi::document();
    walk(&document, &document);
}

/// The object schemas that a body may have: itself, or one of several.
fn shapes<'a>(document: &'a Value, schema: &'a Value) -> Vec<&'a Value> {
    let schema = resolve(document, schema);
    match schema["anyOf"].as_array() {
        Some(several) => several.iter().map(|one| resolve(document, one)).collect(),
        None => vec![schema],
    }
}

/// The pointers that a body is refused with, and what is said of each.
fn faults(route: Route, body: &Value) -> Vec<(String, String)> {
    use user_api::customer::command::Command;
    let told = |error: user_api::error::Error| {
        let faults = error.faults.iter().cloned();
        faults
            .map(|fault| (fault.pointer, fault.detail.into_owned()))
            .collect()
    };
    if route == Route::Rewrap {
        let keys = IndexKeys::derive(&[7; 32]).unwrap();
        let asked = rewrap::parse(body.to_string().as_bytes(), &keys);
        return asked.err().map(told).unwrap_or_default();
    }
    let command = decode::command(
        route,
        "key_00000000000000000000000000000000",
        "",
        body.to_string().as_bytes(),
    );
    match command.unwrap() {
        Command::Invalid { error, .. } => told(error),
        _ => Vec::new(),
    }
}

/// What the reader says of a field that it does not know.
fn unknown_field(route: Route) -> String {
    let faults = faults(route, &json!({"surelyNoFieldOfOurs": 1}));
    let fault = faults
        .iter()
        .find(|(pointer, _)| pointer.ends_with("surelyNoFieldOfOurs"));
    fault
        .unwrap_or_else(|| panic!("{route:?} takes any field"))
        .1
        .clone()
}

/// A value that no field takes.
fn odd() -> Value {
    json!([[[]]])
}

#[test]
fn the_reader_knows_every_described_field_and_refuses_what_the_description_refuses() {
    let document = openapi::document();
    let mut seen = 0;
    for &route in Route::ALL {
        let content = &operation(&document, route)["requestBody"]["content"];
        let Some((media_type, content)) = content.as_object().and_then(|content| content.iter().next())
        else {
            continue;
        };
        let schema = &content["schema"];
        let is_list = resolve(&document, schema)["type"] == "array";
        if !media_type.ends_with("json") || media_type.ends_with("ndjson") || is_list {
            continue;
        }
        let unknown = unknown_field(route);
        for shape in shapes(&document, schema) {
            assert_eq!(shape["additionalProperties"], false, "{route:?}");
            let properties = shape["properties"].as_object().unwrap();
            for name in properties.keys() {
                let told = faults(route, &json!({name: odd()}));
                let of_it: Vec<_> = told
                    .iter()
                    .filter(|(pointer, _)| pointer.starts_with(&format!("#/{name}")))
                    .collect();
                assert!(!of_it.is_empty(), "{route:?}: {name} takes anything");
                assert!(
                    of_it.iter().all(|(_, detail)| *detail != unknown),
                    "{route:?}: {name} is unknown"
                );
            }
            for name in shape["required"].as_array().into_iter().flatten() {
                let without: Map<_, _> = properties
                    .keys()
                    .filter(|known| *known != name)
                    .map(|known| (known.clone(), odd()))
                    .collect();
                assert!(
                    !faults(route, &Value::Object(without)).is_empty(),
                    "{route:?}: {name}"
                );
            }
            seen += 1;
        }
    }
    assert!(seen >= 14, "only {seen} bodies were looked at");
}
