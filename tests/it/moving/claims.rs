//! E-mails that several records have.

use super::*;

#[test]
fn of_two_with_one_email_the_older_holds_it_in_whatever_order_they_come() {
    let young = json!({"email": "owner@acme.example", "createdAt": "2025-01-01T00:00:00Z"});
    for reversed in [false, true] {
        let mut world = World::new();
        let mut records = [
            (key(), acme()),
            ("customer:customer:cust_young".to_owned(), young.clone()),
        ];
        if reversed {
            records.reverse();
        }
        for (key, value) in &records {
            world.told(key, value.clone());
        }
        assert_eq!(
            world.holder("owner@acme.example").as_deref(),
            Some(ACME),
            "{reversed}"
        );
        assert_eq!(
            world.told(&records[usize::from(!reversed)].0, young.clone()),
            Conflict
        );
        assert_eq!(world.told(&key(), acme()), Unchanged);
        assert_eq!(customer(&mut world, "cust_young")["email"], "owner@acme.example");
    }
}

#[test]
fn a_claim_is_not_taken_from_whom_somebody_has_signed_in_to_or_who_was_made_here() {
    let young = json!({"email": "owner@acme.example", "createdAt": "2025-01-01T00:00:00Z"});
    let mut world = World::new();
    world.told("customer:customer:cust_young", young.clone());
    customer(&mut world, "cust_young");
    assert_eq!(world.told(&key(), acme()), Conflict);
    assert_eq!(world.holder("owner@acme.example").as_deref(), Some("cust_young"));

    let mut world = World::new();
    world.create("cust_young", "owner@acme.example");
    assert_eq!(world.told(&key(), acme()), Conflict);
    assert_eq!(world.holder("owner@acme.example").as_deref(), Some("cust_young"));
}

#[test]
fn an_e_mail_that_another_customer_held_is_claimed_once_it_is_free_by_setting_it_again() {
    let same = "owner@acme.example";
    let young = json!({"email": same, "createdAt": "2025-01-01T00:00:00Z"});
    let mut world = World::new();
    world.told(&key(), acme());
    assert_eq!(
        world.told("customer:customer:cust_young", young.clone()),
        Conflict
    );
    let says =
        |route: Route, body: &Value| admin().sends_to(route, "cust_young", body.to_string().as_bytes());
    let patch = says(Route::AdminPatchCustomer, &json!({ "email": same }));
    assert_eq!(code(world.change("cust_young", patch.clone())), "email_taken");
    // A replacement may only repeat what was read: it is carried out, and the e-mail stays as it is.
    let put = says(Route::AdminPutCustomer, &json!({"email": same, "name": "Young"}));
    assert!(matches!(
        world.change("cust_young", put.clone()),
        Reply::Content { .. }
    ));
    assert_eq!(customer(&mut world, "cust_young")["name"], "Young");
    assert_eq!(world.holder(same).as_deref(), Some(ACME));
    for request in [patch, put] {
        let mut world = World::new();
        world.told(&key(), acme());
        world.told("customer:customer:cust_young", young.clone());
        world.set_status(ACME, "erased");
        assert!(matches!(
            world.change("cust_young", request.clone()),
            Reply::Content { .. }
        ));
        assert_eq!(world.holder(same).as_deref(), Some("cust_young"));
        assert_eq!(
            world.told("customer:customer:cust_young", young.clone()),
            Unchanged
        );
        assert!(matches!(
            world.change("cust_young", request),
            Reply::Content { .. }
        ));
    }
}

#[test]
fn a_claim_of_one_who_does_not_want_it_is_taken() {
    let mut world = World::new();
    world.create("cust_gone", "owner@acme.example");
    world.set_status("cust_gone", "erased");
    assert_eq!(world.told(&key(), acme()), Created);
    assert_eq!(world.holder("owner@acme.example").as_deref(), Some(ACME));
}
