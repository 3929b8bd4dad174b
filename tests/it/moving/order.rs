//! The order of a dump, its repetitions and where an import stops do not matter.

use super::world::World;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use user_api::edge::route::Route;
use user_api::legacy::outcome::Outcome;

const IDS: [&str; 3] = ["cust_a", "cust_b", "cust_c"];

fn hash(number: u8) -> String {
    format!("{number:064x}")
}

/// Records of three customers that share e-mails, statuses and keys. Each id has one e-mail for good.
fn record() -> impl Strategy<Value = Value> {
    let customer = (
        0..3_usize,
        prop::sample::select(vec!["customer:customer:", "auth:customer:", "customer_"]),
        prop::collection::btree_map(
            prop::sample::select(vec!["companyName", "name", "displayName", "flair"]),
            prop::sample::select(vec![json!("x"), json!("y"), json!(7), Value::Null]),
            0..3,
        ),
        prop::sample::select(vec![
            Value::Null,
            json!("active"),
            json!("pending"),
            json!("suspended"),
            json!("?"),
        ]),
        prop::sample::select(vec![json!({}), json!({"plan": "pro"}), json!({"tier": "basic"})]),
        0..4_i64,
        0..4_i64,
    )
        .prop_map(|(who, prefix, mut fields, status, plan, created, updated)| {
            let email = ["one@x.example", "one@x.example", "two@x.example"][who];
            fields.insert("email", json!(email));
            fields.insert("status", status);
            fields.insert("createdAt", json!(1_700_000_000 + created * 1_000));
            fields.insert("updatedAt", json!(1_710_000_000 + updated * 1_000));
            let mut value = json!(fields);
            value
                .as_object_mut()
                .unwrap()
                .extend(plan.as_object().unwrap().clone());
            json!({"key": format!("{prefix}{}", IDS[who]), "value": value})
        });
    let preferences = (0..3_usize, 0..3_i64, any::<bool>()).prop_map(|(who, at, public)| {
        let visibility = if public { "public" } else { "private" };
        let value =
            json!({"emailVisibility": visibility, "displayName": {"lastChangedAt": 1_700_000_000 + at}});
        json!({"key": format!("customer:preferences:{}", IDS[who]), "value": value.to_string()})
    });
    let api_key = (0..3_usize, prop::sample::select(vec!["active", "revoked"]), any::<bool>()).prop_map(
        |(who, status, scoped)| {
            let scopes = if scoped { json!(["read"]) } else { Value::Null };
            // Only its end may differ between two records of one key.
            let number = who as u8 * 2 + u8::from(scoped);
            json!({"key": format!("auth:apikey:{}", hash(number)),
                "value": {"customerId": IDS[who], "status": status, "allowedScopes": scopes, "createdAt": 1_700_000_000}})
        },
    );
    let others = (0..3_usize, 0..3_u8).prop_map(|(who, number)| match number {
        0 => json!({"key": format!("otp-auth:jwt-denylist:{}_{}", IDS[who], hash(9)), "value": {}}),
        1 => json!({"key": format!("audit_{}_2025-01-0{who}", IDS[who]), "value": {"events": [who]}}),
        _ => json!({"key": "displayname_x", "value": {"userId": IDS[who], "name": "x"}}),
    });
    prop_oneof![4 => customer, 1 => preferences, 1 => api_key, 1 => others]
}

/// What can be seen of all customers, and what is kept of them.
fn state(world: &mut World) -> BTreeMap<String, Value> {
    let mut state = BTreeMap::new();
    for email in ["one@x.example", "two@x.example"] {
        state.insert(email.to_owned(), json!(world.holder(email)));
    }
    for name in IDS {
        if !world
            .objects
            .get(name)
            .is_some_and(|(sql, _)| user_api::sql::is_initialised(sql).unwrap())
        {
            continue;
        }
        let request = crate::support::people::admin().sends_to(Route::AdminGetCustomer, name, b"");
        let mut all = vec![world.json(name, &request)];
        let (sql, _) = &world.objects[name];
        for query in [
            "SELECT kind || '/' || key FROM legacy ORDER BY 1",
            "SELECT hex(digest) || scopes || (revoked_at IS NULL) FROM api_keys ORDER BY 1",
            "SELECT hex(hash) FROM revocations ORDER BY 1",
            "SELECT hex(email_index) || email_claimed FROM account",
        ] {
            let rows: Vec<String> = sql.raw(|db| {
                let mut statement = db.prepare(query).unwrap();
                let rows = statement.query_map([], |row| row.get(0)).unwrap();
                rows.collect::<Result<_, _>>().unwrap()
            });
            all.push(json!(rows));
        }
        state.insert(name.to_owned(), json!(all));
    }
    state
}

/// Two passes, as the companion makes them.
fn import(world: &mut World, records: &[Value]) {
    for is_first in [true, false] {
        for record in records {
            let key = record["key"].as_str().unwrap();
            let is_customer = key.contains("customer:cust") || key.starts_with("customer_");
            if is_customer == is_first {
                world.line(record);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_order_and_repetition_of_the_same_records_gives_the_same_state(
        (records, shuffled) in prop::collection::vec(record(), 1..14)
            .prop_flat_map(|records| (Just(records.clone()), Just(records).prop_shuffle())),
        again in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let mut once = World::new();
        import(&mut once, &records);
        let mut often = World::new();
        let mut all = shuffled.clone();
        all.extend(again.iter().map(|at| shuffled[at.index(shuffled.len())].clone()));
        import(&mut often, &all);
        prop_assert_eq!(state(&mut once), state(&mut often));
    }

    #[test]
    fn an_import_that_stops_anywhere_and_is_repeated_comes_to_the_same(
        records in prop::collection::vec(record(), 1..8),
        steps in 0..40_usize,
    ) {
        let mut once = World::new();
        import(&mut once, &records);
        let mut broken = World::new();
        broken.steps_left = steps;
        import(&mut broken, &records);
        broken.sleep();
        broken.steps_left = usize::MAX;
        import(&mut broken, &records);
        // A claim that a dead run left for somebody who came later is settled by one repetition more.
        import(&mut broken, &records);
        prop_assert_eq!(state(&mut once), state(&mut broken));
    }

    #[test]
    fn a_second_import_creates_and_merges_nothing(records in prop::collection::vec(record(), 1..14)) {
        let mut world = World::new();
        import(&mut world, &records);
        import(&mut world, &records);
        let before = state(&mut world);
        for record in &records {
            let outcome = world.line(record).unwrap();
            prop_assert!(
                matches!(outcome, Outcome::Unchanged | Outcome::Skipped | Outcome::Conflict),
                "{:?} of {}", outcome, record
            );
        }
        prop_assert_eq!(before, state(&mut world));
    }
}
