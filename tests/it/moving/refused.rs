//! Records that are not taken.

use super::*;

#[test]
fn hostile_records_are_told_and_do_nothing_else() {
    let mut world = World::new();
    world.told(&key(), acme());
    let before = customer(&mut world, ACME);
    let hash = "f".repeat(64);
    let cases: Vec<(String, Value, Outcome)> = vec![
        (key(), json!([1, 2]), Invalid),
        (key(), json!("{\"email\":"), Invalid),
        (
            key(),
            json!({"customerId": "cust_other", "email": "a@b.example"}),
            Conflict,
        ),
        (format!("customer:preferences:{ACME}"), json!(7), Invalid),
        (
            format!("auth:apikey:{hash}"),
            json!({"customerId": ACME, "apiKeyHash": "0"}),
            Invalid,
        ),
        (
            format!("cust_{ACME}_blacklist_{hash}"),
            json!({"token": "0".repeat(64)}),
            Invalid,
        ),
        (
            format!("audit_{ACME}_2025-01-01"),
            json!({"customerId": "cust_other"}),
            Conflict,
        ),
        ("customer_template".to_owned(), json!({"html": "x"}), Skipped),
    ];
    for (key, value, outcome) in cases {
        assert_eq!(world.told(&key, value), outcome, "{key}");
    }
    assert_eq!(customer(&mut world, ACME), before);
}

#[test]
fn records_that_point_at_each_other_in_a_circle_are_told_and_followed_nowhere() {
    let hash = |email: &str| {
        use sha2::{Digest, Sha256};
        let digest = Sha256::digest(email.as_bytes());
        digest
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let mut world = World::new();
    for (own, other) in [("cust_a", "cust_b"), ("cust_b", "cust_a")] {
        let record = json!({
            "customerId": own, "email": format!("{own}@x.example"), "replacedBy": other, "aliasOf": other,
            "createdAt": "2024-01-01T00:00:00Z",
        });
        assert_eq!(world.told(&format!("customer:customer:{own}"), record), Created);
    }
    for (own, other) in [("cust_a", "cust_b"), ("cust_b", "cust_a")] {
        let email = format!("{own}@x.example");
        for form in [
            "idx:customer:email-to-customer:",
            "idx:auth:email-to-customer:",
            "email_",
        ] {
            let index = format!("{form}{}", hash(&email));
            assert_eq!(world.told(&index, json!(other)), Conflict, "{index}");
            // An index of an index, and one that names itself.
            assert_ne!(world.told(&index, json!(index)), Created);
        }
        // A record that is nothing but another's name.
        assert_eq!(world.told(&format!("customer_{own}"), json!(other)), Invalid);
        assert_eq!(world.holder(&email).as_deref(), Some(own));
        let own_user = Who::user("auth0|own")
            .email(&email)
            .change(|user| user.customer = Some(id(own)));
        let shown = world.json(own, &own_user.asks(Route::GetCustomer));
        assert_eq!(
            (&shown["customerId"], &shown["email"]),
            (&json!(own), &json!(email))
        );
    }
}

#[test]
fn neither_an_alias_nor_an_erased_id_becomes_a_customer() {
    let mut world = World::new();
    let index = world.index("x@acme.example");
    world.errand(&Errand {
        customer: id(ACME),
        what: errand::What::Bind {
            index,
            target: id("cust_target"),
            instead_of: None,
        },
    });
    assert_eq!(world.told(&key(), acme()), Conflict);
    assert_eq!(world.holder("owner@acme.example"), None);

    let mut world = World::new();
    world.told(&key(), acme());
    world.set_status(ACME, "erased");
    let mut newer = acme();
    newer["updatedAt"] = json!("2025-12-01T00:00:00Z");
    newer["email"] = json!("new@acme.example");
    assert_eq!(world.told(&key(), newer), Skipped);
    assert_eq!(
        world.told(
            &format!("preferences_{ACME}"),
            json!({"emailVisibility": "public"})
        ),
        Skipped
    );
    assert_eq!(world.holder("new@acme.example"), None);
}

#[test]
fn an_index_that_points_elsewhere_is_reported_and_followed_nowhere() {
    let mut world = World::new();
    world.told(&key(), acme());
    let hash = |email: &str| {
        use sha2::{Digest, Sha256};
        let digest = Sha256::digest(email.as_bytes());
        digest
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let index = format!("idx:customer:email-to-customer:{}", hash("owner@acme.example"));
    assert_eq!(world.told(&index, json!(ACME)), Unchanged);
    assert_eq!(world.told(&index, json!("cust_other")), Skipped);
    let wrong = format!("email_{}", hash("somebody@else.example"));
    assert_eq!(world.told(&wrong, json!(ACME)), Conflict);
    assert_eq!(world.holder("somebody@else.example"), None);
}
