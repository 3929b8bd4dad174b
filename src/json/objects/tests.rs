//! What is read is what serde_json reads, but for arrays in place of structs.

use super::{Unreadable, read};
use crate::caller::{Caller, User};
use crate::customer::errand::What;
use crate::email::EmailIndex;
use crate::json::to_bytes;
use crate::types::{CustomerId, Timestamp};
use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Debug;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Leaf {
    text: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Unit;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Wrapped(Leaf);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Bare,
    Of(Box<Leaf>),
    Pair(i64, Leaf),
    Made { leaf: Leaf, next: Option<Box<Kind>> },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Tree {
    leaf: Leaf,
    maybe: Option<Leaf>,
    boxed: Box<Leaf>,
    many: Vec<Leaf>,
    named: BTreeMap<String, Kind>,
    kinds: Vec<Kind>,
    wrapped: Wrapped,
    unit: Unit,
    pair: (u8, Leaf),
    four: [u8; 4],
    number: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<Value>,
}

fn text() -> impl Strategy<Value = String> {
    any::<String>()
}

fn leaf() -> impl Strategy<Value = Leaf> {
    text().prop_map(|text| Leaf { text })
}

fn kind() -> impl Strategy<Value = Kind> {
    let flat = prop_oneof![
        Just(Kind::Bare).boxed(),
        leaf().prop_map(|leaf| Kind::Of(Box::new(leaf))).boxed(),
        (any::<i64>(), leaf())
            .prop_map(|(number, leaf)| Kind::Pair(number, leaf))
            .boxed(),
    ];
    flat.prop_recursive(3, 4, 1, |inner| {
        (leaf(), of(inner.prop_map(Box::new))).prop_map(|(leaf, next)| Kind::Made { leaf, next })
    })
}

fn value() -> impl Strategy<Value = Value> {
    let flat = prop_oneof![
        Just(Value::Null).boxed(),
        any::<bool>().prop_map(Value::from).boxed(),
        any::<i64>().prop_map(Value::from).boxed(),
        any::<u64>().prop_map(Value::from).boxed(),
        (-1e300..1e300)
            .prop_map(|number: f64| Value::from(number))
            .boxed(),
        text().prop_map(Value::from).boxed(),
    ];
    flat.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from).boxed(),
            btree_map(text(), inner, 0..3)
                .prop_map(|map| map.into_iter().collect())
                .boxed(),
        ]
    })
}

fn tree() -> impl Strategy<Value = Tree> {
    let texts = (leaf(), of(leaf()), leaf(), vec(leaf(), 0..3), leaf());
    let kinds = (btree_map(text(), kind(), 0..3), vec(kind(), 0..3));
    // serde takes a null for no value at all.
    let value = of(value().prop_filter("null", |value| !value.is_null()));
    let rest = (any::<u8>(), leaf(), any::<[u8; 4]>(), -1e300..1e300, value);
    (texts, kinds, rest).prop_map(
        |((leaf, maybe, boxed, many, wrapped), (named, kinds), (byte, second, four, number, value))| Tree {
            leaf,
            maybe,
            boxed: Box::new(boxed),
            many,
            named,
            kinds,
            wrapped: Wrapped(wrapped),
            unit: Unit,
            pair: (byte, second),
            four,
            number,
            value,
        },
    )
}

fn id() -> impl Strategy<Value = CustomerId> {
    "cust_[0-9a-f]{12}".prop_map(|id| CustomerId::parse(&id).unwrap())
}

fn caller() -> impl Strategy<Value = Caller> {
    let texts = (text(), of(text()), vec(text(), 0..3), of(text()));
    (of(id()), texts, any::<(bool, bool, i64, i64)>()).prop_map(
        |(customer, (subject, email, scopes, jti), (email_verified, is_admin, issued_at, expires_at))| {
            Caller::User(Box::new(User {
                customer,
                subject,
                email,
                email_verified,
                is_admin,
                scopes,
                jti,
                issued_at,
                expires_at,
                csrf: None,
                legacy_hashes: Vec::new(),
            }))
        },
    )
}

fn what() -> impl Strategy<Value = What> {
    let index = || any::<[u8; 32]>().prop_map(EmailIndex::new);
    prop_oneof![
        Just(What::Rewrap).boxed(),
        of(index())
            .prop_map(|index| What::Look { index, by: None })
            .boxed(),
        (index(), id(), of(id()))
            .prop_map(|(index, target, instead_of)| What::Bind {
                index,
                target,
                instead_of
            })
            .boxed(),
    ]
}

/// Reads both ways, as it is written, spread over lines, and with a sign changed, left out or added.
fn same<T: PartialEq + Debug + Serialize + DeserializeOwned>(content: &T, at: usize, sign: u8) {
    let plain = to_bytes(content).unwrap();
    assert_eq!(read::<T>(&plain).as_ref(), Ok(content));
    let spread = serde_json::to_vec_pretty(content).unwrap();
    assert_eq!(read::<T>(&spread).as_ref(), Ok(content));
    let at = at.checked_rem(plain.len()).unwrap();
    let [mut changed, mut shorter, mut longer] = [(); 3].map(|()| plain.clone());
    changed[at] = sign;
    shorter.remove(at);
    longer.insert(at, sign);
    for bytes in [&changed, &shorter, &longer, &plain[..at]] {
        let (ours, theirs) = (read::<T>(bytes), serde_json::from_slice::<T>(bytes));
        let text = String::from_utf8_lossy(bytes);
        assert_eq!(ours.ok(), theirs.ok(), "{text}");
    }
}

fn signs() -> impl Strategy<Value = u8> {
    prop::sample::select(b" \n{}[],:\"\\0n-.et\xff".to_vec())
}

proptest! {
    #[test]
    fn all_forms_are_read_as_serde_json_does(tree in tree(), at: usize, sign in signs()) {
        same(&tree, at, sign);
    }

    #[test]
    fn real_documents_are_read_as_serde_json_does(caller in caller(), what in what(), at: usize, sign in signs()) {
        same(&caller, at, sign);
        same(&what, at, sign);
    }

    #[test]
    fn no_text_is_read_that_serde_json_refuses(text in r#"[ \t\n{}\[\],:"\\01n.eE+-]{0,12}|(true|null|[\[{}\],1:"]){0,6}"#) {
        let theirs = serde_json::from_str::<Value>(&text).ok();
        prop_assert_eq!(read::<Value>(text.as_bytes()).ok(), theirs.clone());
        prop_assert_eq!(read::<IgnoredAny>(text.as_bytes()).is_ok(), serde_json::from_str::<IgnoredAny>(&text).is_ok());
        let ours = read::<Vec<Value>>(text.as_bytes()).ok();
        prop_assert_eq!(ours, serde_json::from_str(&text).ok());
        let ours = read::<BTreeMap<String, Value>>(text.as_bytes()).ok();
        prop_assert_eq!(ours, serde_json::from_str(&text).ok());
    }
}

#[test]
fn an_array_is_no_struct_where_serde_json_takes_it_for_one() {
    fn refused<T: DeserializeOwned + Debug>(text: &str) {
        assert!(serde_json::from_str::<T>(text).is_ok(), "{text}");
        assert_eq!(read::<T>(text.as_bytes()).unwrap_err(), Unreadable, "{text}");
    }
    refused::<Leaf>(r#"["a"]"#);
    refused::<Wrapped>(r#"["a"]"#);
    refused::<Option<Leaf>>(r#"["a"]"#);
    refused::<Vec<Leaf>>(r#"[{"text":"a"},["a"]]"#);
    refused::<BTreeMap<String, Leaf>>(r#"{"a":["a"]}"#);
    refused::<(u8, Leaf)>(r#"[1,["a"]]"#);
    refused::<Kind>(r#"{"of":["a"]}"#);
    refused::<Kind>(r#"{"pair":[1,["a"]]}"#);
    refused::<Kind>(r#"{"made":[{"text":"a"},null]}"#);
    refused::<Kind>(r#"{"made":{"leaf":["a"],"next":null}}"#);
}

#[test]
fn only_the_whole_document_counts() {
    let leaf = |text: &str| read::<Leaf>(text.as_bytes());
    assert!(leaf("\t\r\n {\"text\" : \"a\\n\\ud83d\\ude00\"} \n").is_ok());
    assert_eq!(leaf(r#"{"te\u0078t":"a","unknown":[{}]}"#).unwrap().text, "a");
    for bad in [
        "",
        " ",
        "null",
        "{}",
        "{",
        r#"{"text":"a"} x"#,
        r#"{"text":"a"}{}"#,
        r#"{"text":"a"},"#,
        r#"{"text":"a",}"#,
        r#"{,"text":"a"}"#,
        r#"{"text":"a" "b":1}"#,
        r#"{"text" "a"}"#,
        r#"{text:"a"}"#,
        r#"{"text":"a","text":"a"}"#,
        r#"{"text":1}"#,
        "\u{feff}{\"text\":\"a\"}",
        "{\"text\":\"a\"}\u{a0}",
    ] {
        assert_eq!(leaf(bad), Err(Unreadable), "{bad}");
    }
    for bad in [
        r#""of""#,
        r#""none""#,
        r#"{"bare":1}"#,
        r#"{"bare":null,"of":1}"#,
        "{}",
        "0",
    ] {
        assert_eq!(read::<Kind>(bad.as_bytes()), Err(Unreadable), "{bad}");
    }
    assert_eq!(read::<Kind>(br#"{"bare":null}"#), Ok(Kind::Bare));
}

#[test]
fn nesting_is_bounded_as_serde_json_bounds_it() {
    let nested = |levels: usize| {
        let (open, close) = (r#"{"made":{"leaf":{"text":""},"next":"#, "}}");
        format!("{}\"bare\"{}", open.repeat(levels), close.repeat(levels))
    };
    // One level below two each.
    let odd = |levels: usize| {
        let (open, close) = (r#"{"made":{"leaf":{"text":""},"next":"#, "}}");
        format!(
            r#"{}{{"of":{{"text":""}}}}{}"#,
            open.repeat(levels),
            close.repeat(levels)
        )
    };
    for levels in 60..66 {
        let text = odd(levels);
        let theirs = serde_json::from_str::<Kind>(&text);
        assert_eq!(read::<Kind>(text.as_bytes()).is_ok(), theirs.is_ok(), "{levels}");
    }
    // Two levels each.
    for levels in [1, 63, 64, 65, 50_000] {
        let text = nested(levels);
        let theirs = serde_json::from_str::<Kind>(&text);
        assert_eq!(read::<Kind>(text.as_bytes()).is_ok(), theirs.is_ok(), "{levels}");
    }
    assert!(read::<Value>("[".repeat(100_000).as_bytes()).is_err());
    assert!(read::<Vec<Timestamp>>(b"[1, 2]").is_ok());
}
