//! Two customers never see, change or slow down each other's data.

use crate::concurrency::at_once;
use crate::support::http::{get, patch};
use crate::support::shared::{Customer, shared, version};
use crate::support::token::Token;
use serde_json::{Value, json};

#[test]
fn interleaved_writes_of_two_customers_never_mix() {
    let server = shared();
    let customers = [Customer::on(&server), Customer::on(&server)];
    at_once(8, |writer| {
        let customer = &customers[writer % 2];
        for round in 0..10 {
            let change = json!({"metadata": {format!("w{writer}-{round}"): customer.id}});
            let body = customer.patch(&server, &change).ok();
            assert_eq!(body["customerId"], customer.id);
        }
    });
    for (index, customer) in customers.iter().enumerate() {
        let (body, tag) = customer.now(&server);
        let metadata = body["metadata"].as_object().unwrap();
        assert_eq!((metadata.len(), version(&tag)), (41, 41), "{body}");
        for (key, value) in metadata.iter().filter(|(key, _)| *key != "origin") {
            let writer: usize = key[1..2].parse().unwrap();
            assert_eq!((writer % 2, value), (index, &json!(customer.id)), "{key}");
        }
    }
}

#[test]
fn one_subject_in_two_customers_is_two_users() {
    let server = shared();
    let customers = [Customer::on(&server), Customer::on(&server)];
    let token = |customer: &Customer| Token::of(&customer.id).subject("auth0|persondata-both").hs256();
    let users: Vec<Value> = customers
        .iter()
        .map(|customer| {
            let change = json!({"displayName": customer.id});
            patch("/user/me", &change)
                .bearer(&token(customer))
                .send(&server)
                .expect(200);
            patch("/user/me/preferences", &json!({"custom": {"of": customer.id}}))
                .bearer(&token(customer))
                .send(&server)
                .expect(200);
            get("/user/me").bearer(&token(customer)).send(&server).ok()
        })
        .collect();
    assert_ne!(users[0]["userId"], users[1]["userId"]);
    for (customer, user) in customers.iter().zip(&users) {
        assert_eq!(
            (&user["customerId"], &user["displayName"]),
            (&json!(customer.id), &json!(customer.id))
        );
        let preferences = get("/user/me/preferences")
            .bearer(&token(customer))
            .send(&server)
            .ok();
        assert_eq!(preferences["custom"], json!({"of": customer.id}));
    }
}

#[test]
fn an_etag_of_one_customer_means_nothing_to_another() {
    let server = shared();
    let (one, two) = (Customer::on(&server), Customer::on(&server));
    let ((_, tag_one), (_, tag_two)) = (one.now(&server), two.now(&server));
    assert_eq!(version(&tag_one), version(&tag_two));
    assert_ne!(tag_one, tag_two);
    get("/customer/me")
        .bearer(&two.token)
        .header("If-None-Match", &tag_one)
        .send(&server)
        .expect(200);
    let change = patch("/customer/me", &json!({"name": "Wrong tag"})).bearer(&two.token);
    change
        .header("If-Match", &tag_one)
        .send(&server)
        .problem(412, "stale_version");
}

#[test]
fn ids_that_differ_only_in_case_are_two_customers() {
    let server = shared();
    let (lower, upper) = (
        crate::support::shared::fresh_id("case"),
        crate::support::shared::fresh_id("CASE"),
    );
    for (id, name) in [
        (lower.clone(), "Lower"),
        (lower.to_uppercase(), "Upper"),
        (upper, "Other"),
    ] {
        let mut body = crate::support::shared::new_customer(&id);
        body["name"] = json!(name);
        // Case does not tell e-mails apart.
        body["email"] = json!(format!("{name}.{id}@e2e.test"));
        crate::support::shared::create(&body).send(&server).expect(201);
        let shown = get("/customer/me")
            .bearer(&Token::of(&id).hs256())
            .send(&server)
            .ok();
        assert_eq!((&shown["customerId"], &shown["name"]), (&json!(id), &json!(name)));
    }
}
