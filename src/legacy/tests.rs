//! Lines as they occur, and as somebody hostile would write them.

use super::facts::{MAX_FIELD_BYTES, MAX_OTHER_FIELDS};
use super::line::{MAX_KEY_BYTES, MAX_LINE_BYTES, read};
use super::outcome::{Outcome, Word};
use super::*;
use proptest::prelude::*;
use serde_json::json;

fn line(key: &str, value: &Value) -> Parsed {
    read(json!({"key": key, "value": value}).to_string().as_bytes())
}

#[track_caller]
fn record(key: &str, value: &Value) -> (String, Record, Vec<Word>) {
    match line(key, value) {
        Parsed::Record {
            customer,
            record,
            notes,
            ..
        } => (customer.to_string(), record, notes),
        Parsed::Told(told) => panic!("{key}: {told:?}"),
    }
}

#[track_caller]
fn told(parsed: Parsed) -> (Outcome, String) {
    match parsed {
        Parsed::Told(told) => (told.outcome, told.detail.unwrap()),
        Parsed::Record { .. } => panic!("a record: {parsed:?}"),
    }
}

fn facts(value: &Value) -> (Facts, Vec<Word>) {
    match record("customer:customer:cust_0123456789ab", value) {
        (_, Record::Customer { facts }, notes) => (facts, notes),
        other => panic!("{other:?}"),
    }
}

fn whole() -> Value {
    json!({
        "customerId": "cust_0123456789ab", "email": " Ada@Example.COM ", "companyName": "Acme", "displayName": "ada",
        "plan": "free", "tier": "premium", "status": "pending", "createdAt": "2024-01-01T00:00:00Z",
        "updatedAt": 1_714_521_600, "lastLogin": "1714521600123", "subscriptions": [{"id": 1}], "flairs": ["x"],
        "config": {"a": {"b": 1}}, "features": {"beta": true, "odd": "yes", "off": false}, "name": null, "x-new": 7,
    })
}

#[test]
fn a_customer_is_read_field_by_field() {
    let (facts, notes) = facts(&whole());
    assert_eq!(notes, []);
    assert_eq!(facts.text("email"), Some("ada@example.com"));
    assert_eq!(
        (facts.text("plan"), facts.text("tier")),
        (Some("free"), Some("pro"))
    );
    assert_eq!(facts.text("status"), Some("pending_verification"));
    assert_eq!(
        facts.value("features"),
        Some(&json!({"beta": true, "off": false}))
    );
    assert_eq!(facts.created_at.unwrap().to_rfc3339(), "2024-01-01T00:00:00.000Z");
    assert_eq!(facts.updated_at.unwrap().to_rfc3339(), "2024-05-01T00:00:00.000Z");
    assert_eq!(facts.last_login.unwrap().to_rfc3339(), "2024-05-01T00:00:00.123Z");
    let other: Vec<_> = facts.other.keys().map(String::as_str).collect();
    // What was changed on the way is kept as it was, too.
    assert_eq!(
        other,
        [
            "config",
            "email",
            "features",
            "flairs",
            "status",
            "subscriptions",
            "tier",
            "x-new"
        ]
        .into_iter()
        .filter(|name| *name != "status")
        .collect::<Vec<_>>()
    );
}

#[test]
fn a_value_may_be_json_in_a_text() {
    let text = Value::String(whole().to_string());
    assert_eq!(facts(&text), facts(&whole()));
}

#[test]
fn fields_of_wrong_types_cost_themselves_and_not_the_record() {
    let (facts, notes) = facts(&json!({
        "email": 7, "companyName": ["x"], "displayName": {}, "plan": "gold", "tier": 1, "status": "banned",
        "createdAt": "yesterday", "updatedAt": {}, "lastLogin": -5, "features": [], "name": " \u{0} ",
    }));
    assert_eq!(notes, [Word::NoEmail, Word::StatusUnknown, Word::TypesOdd]);
    assert_eq!(facts.text("status"), Some("suspended"));
    assert_eq!(facts.ours.len(), 1);
    assert_eq!(
        (facts.created_at, facts.updated_at, facts.last_login),
        (None, None, None)
    );
    assert_eq!(facts.other[&"email".to_owned()].value, json!(7));
}

#[test]
fn fields_and_their_number_are_bounded() {
    let mut value = whole();
    value["flairs"] = json!("x".repeat(MAX_FIELD_BYTES));
    value["features"] = (0..500)
        .map(|n| (format!("f{n}"), true.into()))
        .collect::<Map<_, _>>()
        .into();
    for n in 0..200 {
        value[format!("other-{n:03}")] = json!(n);
    }
    let (facts, notes) = facts(&value);
    assert_eq!(notes, [Word::TooLarge]);
    assert_eq!(facts.other.len(), MAX_OTHER_FIELDS);
    assert_eq!(facts.value("features").unwrap().as_object().unwrap().len(), 100);
    assert!(!facts.other.contains_key("flairs"));
}

#[test]
fn ids_that_are_not_of_our_form_become_one_the_same_every_time() {
    for (key, id) in [
        ("customer:customer:cust_0123456789ab", "cust_0123456789ab"),
        ("customer:customer:cust_cust_0123456789ab", "cust_0123456789ab"),
        ("customer_cust_0123456789ab", "cust_0123456789ab"),
        ("auth:customer:4711", "4711"),
    ] {
        let (customer, _, notes) = record(key, &json!({"email": "a@b.example"}));
        assert_eq!((customer.as_str(), notes), (id, vec![]), "{key}");
    }
    let odd = |key: &str| {
        let (customer, _, notes) = record(key, &json!({"emailVisibility": "public"}));
        assert_eq!(notes, [Word::IdReplaced]);
        customer
    };
    let id = odd("customer:preferences:ada@example.com");
    assert_eq!(id, odd("auth:preferences:ada@example.com"));
    assert!(id.starts_with("cust_") && id.len() == 37);
    let (customer, ..) = record(
        "customer_0123456789ab",
        &json!({"customerId": "cust_0123456789ab"}),
    );
    assert_eq!(customer, "cust_0123456789ab");
    let long = format!("customer:customer:{}", "x".repeat(MAX_ID_BYTES + 1));
    assert_eq!(
        told(line(&long, &json!({}))),
        (Outcome::Invalid, "bad_id".to_owned())
    );
}

#[test]
fn a_value_that_names_another_customer_than_its_key_moves_nobody() {
    for key in [
        "customer:customer:cust_a",
        "customer_cust_a",
        "audit_cust_a_2025-01-01",
    ] {
        let parsed = line(
            key,
            &json!({"customerId": "cust_b", "email": "b@b.example", "events": []}),
        );
        assert_eq!(told(parsed), (Outcome::Conflict, "other_id".to_owned()), "{key}");
    }
}

#[test]
fn what_is_no_record_is_told_in_a_word() {
    let hash = "a".repeat(64);
    let of = |line: &str| {
        let (outcome, word) = told(read(line.as_bytes()));
        (outcome.as_str(), word)
    };
    for (text, outcome, word) in [
        ("", "invalid", "not_json"),
        ("[]", "invalid", "not_json"),
        ("\u{0}", "invalid", "not_json"),
        (r#"{"key":1,"value":{}}"#, "invalid", "not_json"),
        (r#"{"key":"customer:customer:x"}"#, "invalid", "not_json"),
        (
            r#"{"key":"customer:customer:x","value":5}"#,
            "invalid",
            "value_type",
        ),
        (
            r#"{"key":"customer:customer:x","value":"{"}"#,
            "invalid",
            "value_type",
        ),
        (r#"{"key":"customer:customer:","value":{}}"#, "invalid", "bad_id"),
        (r#"{"key":"customer_count","value":"5"}"#, "skipped", "foreign"),
        (r#"{"key":"customer_list","value":{"a":1}}"#, "skipped", "foreign"),
        (r#"{"key":"session:1","value":{}}"#, "skipped", "foreign"),
        (r#"{"key":"auth:apikey:zz","value":{}}"#, "invalid", "bad_hash"),
        (r#"{"key":"displayname_x","value":{}}"#, "invalid", "bad_id"),
        (
            r#"{"key":"idx:auth:email-to-customer:zz","value":"c"}"#,
            "invalid",
            "bad_hash",
        ),
    ] {
        assert_eq!(of(text), (outcome, word.to_owned()), "{text}");
    }
    let index = format!("email_{hash}");
    assert_eq!(
        told(line(&index, &json!(["c"]))),
        (Outcome::Invalid, "value_type".to_owned())
    );
    assert_eq!(
        told(line(&index, &json!(""))),
        (Outcome::Invalid, "bad_id".to_owned())
    );
    let key = format!("auth:apikey:{hash}");
    let other = json!({"customerId": "c", "apiKeyHash": "b".repeat(64), "status": "active"});
    assert_eq!(
        told(line(&key, &other)),
        (Outcome::Invalid, "bad_hash".to_owned())
    );
    assert_eq!(
        told(line(&key, &json!({"customerId": {}}))),
        (Outcome::Invalid, "bad_id".to_owned())
    );
    assert_eq!(
        of(&" ".repeat(MAX_LINE_BYTES + 1)),
        ("invalid", "too_long".to_owned())
    );
    let deep = format!("{}1{}", r#"{"a":"#.repeat(100_000), "}".repeat(100_000));
    assert_eq!(of(&deep).0, "invalid");
    match line(&"ü".repeat(MAX_KEY_BYTES), &json!(1)) {
        Parsed::Told(told) => assert!(told.key.len() <= MAX_KEY_BYTES),
        Parsed::Record { .. } => panic!(),
    }
}

#[test]
fn a_key_that_may_have_ended_has_ended() {
    let hash = "A".repeat(64);
    let read = |value: Value| match record(&format!("auth:apikey:{hash}"), &value).1 {
        Record::ApiKey(key) => *key,
        other => panic!("{other:?}"),
    };
    let active =
        json!({"customerId": "c", "status": "active", "name": "n", "createdAt": "2024-01-01T00:00:00Z"});
    assert!(!read(active.clone()).ended);
    assert_eq!(read(active.clone()).hash, "a".repeat(64));
    assert_eq!(read(active.clone()).scopes, None);
    for (name, value) in [
        ("status", json!("inactive")),
        ("status", json!("revoked")),
        ("status", json!("rotated")),
        ("status", json!(true)),
        ("status", Value::Null),
        ("revokedAt", json!("2024-01-01T00:00:00Z")),
        ("revokedAt", json!("some day")),
        ("replacedBy", json!("key_2")),
    ] {
        let mut other = active.clone();
        other[name] = value;
        assert!(read(other.clone()).ended, "{other}");
    }
}

#[test]
fn a_list_of_scopes_or_origins_never_opens_more_than_it_says() {
    let read = |scopes: Value, origins: Value| {
        let value = json!({"customerId": "c", "status": "active", "allowedScopes": scopes, "allowedOrigins": origins});
        match record(&format!("auth:apikey:{}", "a".repeat(64)), &value) {
            (_, Record::ApiKey(key), notes) => (key.scopes, key.origins, notes),
            other => panic!("{other:?}"),
        }
    };
    let list = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    assert_eq!(read(Value::Null, Value::Null), (None, vec![], vec![]));
    assert_eq!(
        read(
            json!(["read", "customer:read", "fly"]),
            json!(["https://a.example/", "x"])
        ),
        (
            Some(list(&["customer:read", "usage:read", "users:read"])),
            list(&["https://a.example"]),
            vec![Word::ScopesUnknown, Word::OriginsUnknown]
        )
    );
    assert_eq!(read(json!([]), json!([])), (Some(vec![]), vec![], vec![]));
    assert_eq!(
        read(json!("read"), json!("nonsense")),
        (
            Some(vec![]),
            list(&["https://none.invalid"]),
            vec![Word::ScopesUnknown, Word::OriginsUnknown]
        )
    );
    assert_eq!(read(json!(["*"]), json!(["*"])), (None, vec![], vec![]));
}

#[test]
fn tokens_of_both_forms_of_the_denylist_are_known() {
    let hash = "b".repeat(64);
    for (key, id) in [
        (
            format!("otp-auth:jwt-denylist:cust_0123456789ab_{hash}"),
            "cust_0123456789ab",
        ),
        (
            format!("cust_cust_0123456789ab_blacklist_{hash}"),
            "cust_0123456789ab",
        ),
        (format!("cust_0123456789ab_blacklist_{hash}"), "cust_0123456789ab"),
        (format!("cust_acme_blacklist_{hash}"), "acme"),
    ] {
        let value = json!({"key": key, "value": {"token": hash, "revokedAt": 1_714_521_600_000_i64}, "expiration": 1_714_600_000});
        let Parsed::Record { customer, record, .. } = read(value.to_string().as_bytes()) else {
            panic!("{key}");
        };
        assert_eq!(customer.as_str(), id);
        let Record::Denied {
            revoked_at,
            expires_at,
            ..
        } = record
        else {
            panic!()
        };
        assert_eq!(revoked_at.unwrap().as_secs(), 1_714_521_600);
        assert_eq!(expires_at.unwrap().as_secs(), 1_714_600_000);
    }
    let other = json!({"token": "c".repeat(64)});
    let parsed = line(&format!("cust_a_blacklist_{hash}"), &other);
    assert_eq!(told(parsed), (Outcome::Invalid, "bad_hash".to_owned()));
}

#[test]
fn an_index_finds_the_address_as_it_was_written_there() {
    let (facts, _) = facts(&json!({"email": " Zoë@BÜCHER.example "}));
    let raw = text::sha256_hex("zoë@bücher.example".as_bytes());
    let ours = text::sha256_hex("zoë@xn--bcher-kva.example".as_bytes());
    assert_eq!(facts.email_hashes(), [ours, raw]);
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
        prop_oneof![
            Just("active"),
            Just("suspended"),
            Just("cancelled"),
            Just("a@b.example"),
            Just("2024-01-01T00:00:00Z")
        ]
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name(), inner), 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "email",
            "status",
            "plan",
            "tier",
            "features",
            "name",
            "createdAt",
            "updatedAt",
            "lastLogin",
            "flairs"
        ])
        .prop_map(str::to_owned),
        "[a-z]{1,3}",
    ]
}

fn any_facts() -> impl Strategy<Value = Facts> {
    prop::collection::vec((name(), any_value()), 0..8).prop_map(|entries| {
        let object: Map<String, Value> = entries.into_iter().collect();
        facts(&Value::Object(object)).0
    })
}

use serde_json::Map;

proptest! {
    #[test]
    fn records_join_to_the_same_in_any_order_and_however_often(a in any_facts(), b in any_facts(), c in any_facts()) {
        let join = |x: &Facts, y: &Facts| x.clone().join(y.clone());
        prop_assert_eq!(join(&a, &a), a.clone());
        prop_assert_eq!(join(&a, &b), join(&b, &a));
        prop_assert_eq!(join(&join(&a, &b), &c), join(&a, &join(&b, &c)));
        let all = join(&join(&a, &b), &c);
        prop_assert_eq!(join(&all, &b), all.clone());
        let strict = |facts: &Facts| facts.value("status").map_or(0, super::facts::strictness);
        prop_assert!(strict(&all) >= strict(&a).max(strict(&b)).max(strict(&c)));
    }

    #[test]
    fn nothing_in_a_line_panics_and_what_is_read_survives_its_own_form(
        key in "(customer:customer:|customer_|preferences_|displayname_|auth:apikey:|audit_|email_|cust_)?\\PC{0,20}",
        value in any_value(),
    ) {
        if let Parsed::Record { record, .. } = line(&key, &value) {
            let text = serde_json::to_string(&record).unwrap();
            prop_assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), record);
        }
    }

    #[test]
    fn random_bytes_are_at_worst_invalid(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes);
    }
}
