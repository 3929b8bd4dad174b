//! Random rounds of a history: who asks what of which resource, and what goes wrong meanwhile.

use super::model::Resource;
use crate::support::Harm;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

pub const RESOURCES: &[Resource] = &[Resource::Customer, Resource::User, Resource::Preferences];

#[derive(Debug, Clone)]
pub enum Act {
    Read,
    Patch(Value),
    Put(Value),
    Nonsense,
}

/// Under which `If-Match`.
#[derive(Debug, Clone, Copy)]
pub enum Under {
    Nothing,
    /// The version at the start of the batch, which an earlier request of it may have ended.
    Known,
    Wrong,
}

#[derive(Debug, Clone)]
pub struct Ask {
    pub who: &'static str,
    pub resource: Resource,
    pub act: Act,
    pub under: Under,
}

#[derive(Debug, Clone)]
pub struct Round {
    pub asks: Vec<Ask>,
    pub harm: Option<(u64, Harm)>,
    pub later_ms: i64,
    pub restart: bool,
}

fn object(
    fields: &'static [&'static str],
    value: fn(&str, bool) -> BoxedStrategy<Value>,
    patch: bool,
) -> BoxedStrategy<Value> {
    let subset = prop::sample::subsequence(fields, 0..=fields.len().min(3));
    let with_values = subset.prop_flat_map(move |names| {
        let entries: Vec<_> = names
            .into_iter()
            .map(|name| (Just(name.to_owned()), value(name, patch)))
            .collect();
        entries.prop_map(|entries| Value::Object(Map::from_iter(entries)))
    });
    with_values.boxed()
}

fn or_null(values: &'static [&'static str]) -> BoxedStrategy<Value> {
    prop_oneof![4 => prop::sample::select(values).prop_map(Value::from), 1 => Just(Value::Null)].boxed()
}

fn flag() -> BoxedStrategy<Value> {
    prop_oneof![any::<bool>().prop_map(Value::from), Just(Value::Null)].boxed()
}

/// An entry of `metadata` or `custom`: null only where it means that the key goes.
fn entry(values: BoxedStrategy<Value>, patch: bool) -> BoxedStrategy<Value> {
    if patch {
        prop_oneof![3 => values, 1 => Just(Value::Null)].boxed()
    } else {
        values
    }
}

fn value_of(name: &str, patch: bool) -> BoxedStrategy<Value> {
    const KEYS: &[&str] = &["a", "b", "c", "~/"];
    let nested = |inner: BoxedStrategy<Value>| prop_oneof![5 => inner, 1 => Just(Value::Null)].boxed();
    match name {
        "metadata" => nested(object(
            KEYS,
            |_, patch| entry(Just(json!("x")).prop_union(Just(json!("ü"))).boxed(), patch),
            patch,
        )),
        "custom" => nested(object(
            KEYS,
            |_, patch| {
                entry(
                    prop_oneof![
                        (-3..3i64).prop_map(Value::from),
                        Just(json!(0.5)),
                        Just(json!(true))
                    ]
                    .boxed(),
                    patch,
                )
            },
            patch,
        )),
        "notifications" => nested(object(&["email", "product", "security"], |_, _| flag(), patch)),
        "theme" => or_null(&["system", "light", "dark"]),
        "emailVisibility" => or_null(&["private", "public"]),
        "language" | "locale" => or_null(&["de", "en-GB"]),
        "timeZone" => or_null(&["UTC", "Europe/Berlin"]),
        _ => or_null(&["Ada", "Zoë"]),
    }
}

fn body(resource: Resource, patch: bool) -> BoxedStrategy<Value> {
    let fields: &'static [&'static str] = match resource {
        Resource::Customer => &["name", "companyName", "displayName", "metadata"],
        Resource::User => &["displayName", "locale", "timeZone"],
        Resource::Preferences => &[
            "theme",
            "language",
            "timeZone",
            "emailVisibility",
            "notifications",
            "custom",
        ],
    };
    object(fields, value_of, patch)
}

fn ask() -> impl Strategy<Value = Ask> {
    let whos = prop::sample::select(&["auth0|ada", "user_bobbobbobbob", "eve"][..]);
    (whos, prop::sample::select(RESOURCES)).prop_flat_map(|(who, resource)| {
        let act = prop_oneof![
            2 => Just(Act::Read),
            5 => body(resource, true).prop_map(Act::Patch),
            2 => body(resource, false).prop_map(Act::Put),
            1 => Just(Act::Nonsense),
        ];
        let under = prop_oneof![5 => Just(Under::Nothing), 2 => Just(Under::Known), 1 => Just(Under::Wrong)];
        (act, under).prop_map(move |(act, under)| Ask {
            who,
            resource,
            act,
            under,
        })
    })
}

pub fn round() -> impl Strategy<Value = Round> {
    let harms = prop::sample::select(&[Harm::Error, Harm::Error, Harm::CrashBefore, Harm::CrashAfter][..]);
    let later = prop_oneof![3 => 0..5000i64, 1 => -5000..0i64, 1 => 0..10_000_000i64];
    (
        prop::collection::vec(ask(), 1..7),
        prop::option::of((0..24u64, harms)),
        later,
        any::<bool>(),
    )
        .prop_map(|(asks, harm, later_ms, restart)| Round {
            asks,
            harm,
            later_ms,
            restart,
        })
}
