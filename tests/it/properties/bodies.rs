//! Whatever a body holds, the answer is a success, 400 or 422, and the faults point into the body.

use crate::support::people::ROUTES;
use crate::support::{World, ada, service};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use user_api::customer::request::Reply;
use user_api::edge::route::{BodyKind, Route};
use user_api::error::Error;

const FIELDS: &[&str] = &[
    "name",
    "companyName",
    "displayName",
    "metadata",
    "locale",
    "timeZone",
    "theme",
    "language",
    "emailVisibility",
    "notifications",
    "custom",
    "email",
    "product",
    "security",
    "plan",
    "status",
    "features",
    "customerId",
    "userId",
    "createdAt",
    "a/b~c",
    "ü x",
    "",
];

const TEXTS: &[&str] = &[
    "x",
    "Ada",
    "dark",
    "system",
    "public",
    "de",
    "pt-br",
    "UTC",
    "europe/berlin",
    "ada@example.com",
    "pro",
    "active",
    "user_0123456789ab",
    " x",
    "a\u{0}",
    "e\u{301}",
    "\u{202e}x",
    "\u{1f600}",
    "",
];

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => prop::sample::select(FIELDS).prop_map(str::to_owned),
        2 => "\\PC{0,45}",
        1 => "[a-z]{60,90}",
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(TEXTS).prop_map(Value::from),
        "\\PC{0,60}".prop_map(Value::from),
        "[ab]{500,502}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            3 => prop::collection::btree_map(key(), inner.clone(), 0..4)
                .prop_map(|map| Value::Object(Map::from_iter(map))),
            1 => prop::collection::vec(inner, 0..3).prop_map(Value::from),
        ]
    })
}

fn body() -> impl Strategy<Value = Value> {
    prop_oneof![
        9 => prop::collection::btree_map(key(), value(), 0..6).prop_map(|map| Value::Object(Map::from_iter(map))),
        1 => value(),
    ]
}

fn writes() -> impl Strategy<Value = Route> {
    let routes: Vec<_> = ROUTES
        .iter()
        .copied()
        .filter(|route| route.body() != BodyKind::None)
        .collect();
    prop::sample::select(routes)
}

/// The place that a fault names: a JSON Pointer as a URI fragment (RFC 6901 section 6).
fn names_a_place(error: &Error, body: &Value) -> Result<(), TestCaseError> {
    for fault in &error.faults {
        let mut place = body;
        let tokens: Vec<_> = fault
            .pointer
            .strip_prefix("#/")
            .unwrap()
            .split('/')
            .map(decoded)
            .collect();
        for (index, token) in tokens.iter().enumerate() {
            let map = place.as_object().unwrap();
            // A name longer than 64 characters is repeated only that far.
            let found = map
                .iter()
                .find(|(name, _)| name.chars().take(64).eq(token.chars()));
            match found {
                Some((_, value)) => place = value,
                None => {
                    prop_assert_eq!(index, tokens.len() - 1, "{} in {}", fault.pointer, body);
                    prop_assert_eq!(&fault.detail, "Is required.");
                }
            }
        }
    }
    Ok(())
}

fn decoded(token: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = token.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let hex = [rest.next().unwrap(), rest.next().unwrap()];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes)
        .unwrap()
        .replace("~1", "/")
        .replace("~0", "~")
}

fn answered(world: &mut World, route: Route, bytes: &[u8]) -> Result<Reply, TestCaseError> {
    let who = if route == Route::EnsureCustomer {
        service()
    } else {
        ada()
    };
    let reply = world.try_send(&who.sends(route, bytes));
    let reply = reply.map_err(|fault| TestCaseError::fail(format!("{route:?}: {fault}")))?;
    if let Reply::Refused(error) = &reply {
        prop_assert!(
            matches!(error.code.status(), 400 | 422),
            "{:?}: {:?}",
            route,
            error
        );
    }
    Ok(reply)
}

proptest! {
    #![proptest_config(super::cases(150))]

    #[test]
    fn a_json_body_is_carried_out_or_refused_with_pointers_into_it(
        bodies in prop::collection::vec((writes(), body()), 1..8)
    ) {
        let mut world = World::new();
        for (route, body) in bodies {
            let before = world.state();
            let reply = answered(&mut world, route, body.to_string().as_bytes())?;
            if let Reply::Refused(error) = reply {
                prop_assert_eq!(error.code.status() == 422, !error.faults.is_empty());
                names_a_place(&error, &body)?;
                if world.state()["customer"][0][12] == before["customer"][0][12] {
                    prop_assert_eq!(world.state(), before);
                }
            }
        }
        world.log();
    }

    #[test]
    fn bytes_that_are_no_json_are_malformed(route in writes(), bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        let mut world = World::new();
        let reply = answered(&mut world, route, &bytes)?;
        prop_assert!(matches!(reply, Reply::Refused(_)) || serde_json::from_slice::<Value>(&bytes).is_ok());
    }

    #[test]
    fn a_text_that_is_nearly_json_never_panics(
        route in writes(), body in body(), at in any::<prop::sample::Index>(), byte in any::<u8>()
    ) {
        let mut bytes = body.to_string().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        answered(&mut World::new(), route, &bytes)?;
    }

    #[test]
    fn a_number_is_kept_as_it_was_said(number in prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL) {
        let mut world = World::new();
        let patch = ada().says(Route::PatchPreferences, &json!({"custom": {"n": number}}));
        world.send(&patch);
        let read = world.send(&ada().asks(Route::GetPreferences));
        let Reply::Content { body, version, .. } = &read else { panic!("{read:?}") };
        let text = String::from_utf8(body.clone()).unwrap();
        let said = text.split("\"n\":").nth(1).unwrap().trim_end_matches('}');
        prop_assert_eq!(said.parse::<f64>().unwrap().to_bits(), number.to_bits(), "{}", said);
        let reply = world.send(&ada().sends(Route::PutPreferences, body));
        let Reply::Content { version: again, .. } = reply else { panic!() };
        prop_assert_eq!(&again, version);
    }
}
