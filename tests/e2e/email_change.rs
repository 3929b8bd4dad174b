//! A customer's e-mail is changed by administrators and services: one customer of an address, whoever is quicker.

use crate::concurrency::at_once;
use crate::support::http::{Response, get, patch, post, put};
use crate::support::integration::admin;
use crate::support::server::{Server, new_data, poll};
use crate::support::settings::{SERVICE_KEYS, Settings};
use crate::support::shared::{Customer, create, fresh_id, new_customer, shared};
use crate::support::token::{PERSONAL, Token};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

fn address(name: &str) -> String {
    format!("{PERSONAL}.{name}@e2e.test").to_lowercase()
}

fn change(server: &Server, customer: &str, email: &str) -> Response {
    patch(
        &format!("/admin/customers/{customer}"),
        &json!({ "email": email }),
    )
    .bearer(&admin())
    .send(server)
}

/// Whom the list shows for an address.
fn listed(server: &Server, email: &str) -> Vec<(String, String)> {
    let query = format!("/admin/customers?email={}", email.replace('@', "%40"));
    let page = get(&query).bearer(&admin()).send(server).ok();
    let items = page["data"].as_array().expect("a list").iter();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    items
        .map(|item| (text(&item["customerId"]), text(&item["email"])))
        .collect()
}

/// Who is found by a token that names no customer.
fn found_by(server: &Server, email: &str) -> Value {
    let token = Token::of("x")
        .claim("customerId", Value::Null)
        .claim("email", email)
        .subject(&format!("auth0|{email}"));
    get("/customer/me").bearer(&token.hs256()).send(server).ok()["customerId"].clone()
}

#[test]
fn a_changed_e_mail_is_shown_listed_and_logged_at_once_and_the_old_one_is_free() {
    let server = shared();
    let customer = Customer::on(&server);
    let (old, new) = (address(&customer.id), address(&fresh_id("new")));
    let (_, tag) = customer.now(&server);
    let changed = change(&server, &customer.id, &format!(" {} ", new.to_uppercase())).expect(200);
    assert_eq!(changed.json()["email"], json!(new));
    assert_ne!(changed.must_header("ETag"), tag);
    assert_eq!(listed(&server, &new), [(customer.id.clone(), new.clone())]);
    assert_eq!(listed(&server, &old), []);
    assert_eq!(found_by(&server, &new), json!(customer.id));
    let log = get(&format!("/admin/customers/{}/audit?limit=3", customer.id))
        .bearer(&admin())
        .send(&server)
        .ok();
    let entries = log["data"].as_array().expect("entries");
    let updates: Vec<_> = entries
        .iter()
        .filter(|entry| entry["action"] == "customer.update")
        .collect();
    assert_eq!(updates.len(), 1, "{log}");
    // The old address makes another customer, whose id is new; the first one keeps what it has.
    let other = found_by(&server, &old);
    assert_ne!(other, json!(customer.id));
    assert_eq!(
        listed(&server, &old),
        [(other.as_str().unwrap().to_owned(), old.clone())]
    );
    // And is not to be had any more.
    change(&server, &customer.id, &old).problem(409, "email_taken");
    assert_eq!(listed(&server, &new), [(customer.id.clone(), new)]);
}

#[test]
fn a_put_changes_the_e_mail_with_all_the_rest_or_nothing() {
    let server = shared();
    let (customer, other) = (Customer::on(&server), Customer::on(&server));
    let path = format!("/admin/customers/{}", customer.id);
    let before = customer.now(&server);
    let taken = json!({"email": address(&other.id), "plan": "free", "name": "Changed"});
    put(&path, &taken)
        .bearer(&admin())
        .send(&server)
        .problem(409, "email_taken");
    let stale = json!({"email": address(&fresh_id("stale")), "name": "Changed"});
    put(&path, &stale)
        .bearer(&admin())
        .header("If-Match", "\"0000000000000000.1\"")
        .send(&server)
        .problem(412, "stale_version");
    let wrong = put(&path, &json!({"email": "no address", "plan": "gold"}))
        .bearer(&admin())
        .send(&server);
    assert_eq!(wrong.pointers("validation_failed"), ["#/email", "#/plan"]);
    assert_eq!(customer.now(&server), before);
    let new = address(&fresh_id("put"));
    let done = put(
        &path,
        &json!({"email": new, "plan": "starter", "name": "Changed"}),
    )
    .bearer(&admin())
    .send(&server)
    .ok();
    assert_eq!(
        (&done["email"], &done["plan"], &done["name"]),
        (&json!(new), &json!("starter"), &json!("Changed"))
    );
    // The same once more is no change.
    let again = change(&server, &customer.id, &new).expect(200);
    assert_eq!(again.json(), done);
}

#[test]
fn of_many_changes_to_one_address_one_wins_and_the_others_are_told() {
    let server = shared();
    let customers: Vec<_> = (0..12).map(|_| Customer::on(&server)).collect();
    let wanted = address(&fresh_id("wanted"));
    let answers = at_once(customers.len(), |index| {
        change(&server, &customers[index].id, &wanted)
    });
    let mut winners = Vec::new();
    for (customer, answer) in customers.iter().zip(answers) {
        if answer.status == 200 {
            winners.push(customer);
        } else {
            answer.problem(409, "email_taken");
            assert_eq!(customer.now(&server).0["email"], json!(address(&customer.id)));
            assert_eq!(found_by(&server, &address(&customer.id)), json!(customer.id));
        }
    }
    assert_eq!(winners.len(), 1, "one wins");
    assert_eq!(
        listed(&server, &wanted),
        [(winners[0].id.clone(), wanted.clone())]
    );
    assert_eq!(found_by(&server, &wanted), json!(winners[0].id));
    // The winner's old address is free for a new customer.
    let mut body = new_customer(&fresh_id("heir"));
    body["email"] = json!(address(&winners[0].id));
    create(&body).send(&server).expect(201);
}

#[test]
fn of_many_changes_of_one_customer_the_last_one_stands_and_no_address_is_lost() {
    let server = shared();
    let customer = Customer::on(&server);
    let same = address(&fresh_id("same"));
    for answer in at_once(8, |_| change(&server, &customer.id, &same)) {
        assert_eq!(answer.expect(200).json()["email"], json!(same));
    }
    let names: Vec<_> = (0..6).map(|_| address(&fresh_id("several"))).collect();
    let answers = at_once(names.len(), |index| change(&server, &customer.id, &names[index]));
    let mut done = 0;
    for answer in answers {
        if answer.status == 200 {
            done += 1;
        } else {
            assert_eq!(answer.must_header("Retry-After"), "1");
            answer.problem(503, "unavailable");
        }
    }
    assert!(done > 0, "the last to come is not taken over from");
    let now = customer.now(&server).0["email"].as_str().unwrap().to_owned();
    assert!(names.contains(&now));
    assert_eq!(found_by(&server, &now), json!(customer.id));
    for name in names.iter().filter(|name| **name != now) {
        assert_ne!(found_by(&server, name), json!(customer.id), "the address is free");
    }
}

#[test]
fn an_id_that_stood_for_the_old_address_does_not_serve_it_any_more() {
    let server = shared();
    let customer = Customer::on(&server);
    let (old, alias) = (address(&customer.id), fresh_id("alias"));
    let by_alias = |email: &str| {
        let token = Token::of(&alias).claim("email", email).subject("auth0|alias");
        get("/customer/me").bearer(&token.hs256()).send(&server).ok()["customerId"].clone()
    };
    assert_eq!(by_alias(&old), json!(customer.id));
    let new = address(&fresh_id("moved"));
    change(&server, &customer.id, &new).expect(200);
    assert_eq!(by_alias(&new), json!(customer.id));
    let other = by_alias(&old);
    assert!(other != json!(customer.id) && other != json!(alias), "{other}");
    assert_eq!(found_by(&server, &old), other);
    // A token that names the customer itself is still the issuer's word.
    assert_eq!(customer.now(&server).0["customerId"], json!(customer.id));
}

#[test]
fn whoever_was_killed_in_the_midst_of_changes_each_customer_is_found_by_its_address() {
    let (settings, data) = (Settings::default(), new_data());
    let mut server = Server::start_in(&settings, &data);
    let customers: Vec<_> = (0..6).map(|_| Customer::on(&server)).collect();
    let pool: Vec<_> = (0..9).map(|_| address(&fresh_id("pool"))).collect();
    for round in 0..3_u64 {
        // What was answered last for each customer, and what was asked for after that.
        let told = at_once(customers.len() + 1, |index| {
            let Some(customer) = customers.get(index) else {
                std::thread::sleep(std::time::Duration::from_millis(40 + 60 * round));
                let pid = Pid::from_raw(i32::try_from(server.workerd()).unwrap()).unwrap();
                kill_process(pid, Signal::KILL).unwrap();
                return None;
            };
            let path = format!("/admin/customers/{}", customer.id);
            let mut done = None;
            for step in 0.. {
                let wanted = &pool[(index * 5 + step) % pool.len()];
                let request = patch(&path, &json!({ "email": wanted })).bearer(&admin());
                let Ok(response) = request.try_send(&server) else {
                    return done.map(|done: &String| (customer, done, wanted));
                };
                match response.status {
                    200 => done = Some(wanted),
                    409 => drop(response.problem(409, "email_taken")),
                    // The service is on its way down.
                    503 => {}
                    other => panic!("{other}"),
                }
            }
            None
        });
        drop(server);
        server = Server::start_in(&settings, &data);
        for (customer, done, asked) in told.into_iter().flatten() {
            let now = customer.now(&server).0["email"].clone();
            assert!(
                now == json!(done) || now == json!(asked),
                "{now}: {done}, {asked}"
            );
        }
        let mut addresses: Vec<_> = customers
            .iter()
            .map(|customer| {
                let email = customer.now(&server).0["email"].as_str().unwrap().to_owned();
                assert_eq!(found_by(&server, &email), json!(customer.id));
                email
            })
            .collect();
        addresses.sort();
        addresses.dedup();
        assert_eq!(addresses.len(), customers.len(), "two customers have one address");
    }
    server.stop();
}

#[test]
fn while_the_directory_refuses_nothing_is_half_done() {
    let (settings, data) = (Settings::default(), new_data());
    let server = Server::start_in(&settings, &data);
    let (customer, other) = (Customer::on(&server), Customer::on(&server));
    let before = customer.now(&server);
    server.stop();
    // The directory was made with another number of shards.
    let server = Server::start_in(&Settings::default().with("DIRECTORY_SHARDS", "1"), &data);
    let refused = change(&server, &customer.id, &address(&other.id));
    assert_eq!(refused.must_header("Retry-After"), "60");
    refused.problem(503, "not_ready");
    assert_eq!(customer.now(&server), before);
    let (unborn, email) = (fresh_id("unborn"), address(&fresh_id("unborn")));
    let token = Token::of(&unborn)
        .claim("email", email.as_str())
        .subject("auth0|unborn");
    let token = token.hs256();
    for request in [
        get("/customer/me").bearer(&token),
        create(&json!({"customerId": unborn, "email": email})),
    ] {
        let refused = request.send(&server);
        assert!(refused.header("Retry-After").is_some());
        refused.problem(503, "not_ready");
    }
    get(&format!("/admin/customers/{unborn}"))
        .bearer(&admin())
        .send(&server)
        .problem(404, "customer_not_found");
    server.stop();
    let server = Server::start_in(&settings, &data);
    assert_eq!(customer.now(&server), before);
    let made = get("/customer/me").bearer(&token).send(&server).ok();
    assert_eq!(made["customerId"], json!(unborn));
    change(&server, &customer.id, &address(&other.id)).problem(409, "email_taken");
    let new = address(&fresh_id("after"));
    change(&server, &customer.id, &new).expect(200);
    assert_eq!(listed(&server, &new), [(customer.id.clone(), new)]);
    server.stop();
}

#[test]
fn an_administrator_s_change_is_answered_only_after_the_directory_has_it() {
    let (settings, data) = (Settings::default(), new_data());
    let server = Server::start_in(&settings, &data);
    let customer = Customer::on(&server);
    server.stop();
    // The directory was made with another number of shards, and takes nothing.
    let server = Server::start_in(&Settings::default().with("DIRECTORY_SHARDS", "1"), &data);
    let path = format!("/admin/customers/{}", customer.id);
    let suspend = || post(&format!("{path}/suspend"), &json!({"reason": "r"})).bearer(&admin());
    let refused = suspend().send(&server);
    assert!(refused.header("Retry-After").is_some());
    refused.problem(503, "not_ready");
    // It was made all the same, and holds.
    let shown = get(&path).bearer(&admin()).send(&server).ok();
    assert_eq!(shown["status"], "suspended");
    assert_eq!(customer.now(&server).0["status"], "suspended");
    server.stop();
    let server = Server::start_in(&settings, &data);
    let suspended = || {
        let page = get("/admin/customers?status=suspended")
            .bearer(&admin())
            .send(&server)
            .ok();
        page["data"].as_array().expect("a list").len()
    };
    poll("the list has it", || (suspended() == 1).then_some(()));
    // A repetition is answered as soon as it may be.
    suspend().send(&server).expect(200);
    server.stop();
}

#[test]
fn a_service_changes_an_e_mail_as_an_administrator_does() {
    let server = shared();
    let (customer, other) = (Customer::on(&server), Customer::on(&server));
    let path = format!("/internal/customers/{}/email", customer.id);
    let by_service = |email: &Value| put(&path, &json!({ "email": email })).service_key(SERVICE_KEYS[0]);
    let (before, tag) = customer.now(&server);
    by_service(&json!(address(&other.id)))
        .send(&server)
        .problem(409, "email_taken");
    for (body, pointers) in [
        (json!({"email": "none"}), vec!["#/email"]),
        (json!({"plan": "pro"}), vec!["#/email", "#/plan"]),
    ] {
        let refused = put(&path, &body).service_key(SERVICE_KEYS[0]).send(&server);
        assert_eq!(refused.pointers("validation_failed"), pointers);
    }
    assert_eq!(customer.now(&server), (before.clone(), tag.clone()));
    let (new, key) = (address(&fresh_id("by-service")), fresh_id("email-key"));
    let request = by_service(&json!(new))
        .header("If-Match", &tag)
        .idempotency_key(&key);
    let changed = request.send(&server).expect(200);
    assert_eq!(changed.json()["email"], json!(new));
    assert_eq!(changed.json()["plan"], before["plan"]);
    assert_eq!(listed(&server, &new), [(customer.id.clone(), new.clone())]);
    let again = request.send(&server).expect(200);
    assert_eq!(again.must_header("Idempotent-Replayed"), "true");
    by_service(&json!(address(&fresh_id("stale"))))
        .header("If-Match", &tag)
        .send(&server)
        .problem(412, "stale_version");
    let log = get(&format!(
        "/admin/customers/{}/audit?actor=service&limit=20",
        customer.id
    ))
    .bearer(&admin())
    .send(&server)
    .ok();
    assert!(log.to_string().contains("customer.update"), "{log}");
    let nobody = format!("/internal/customers/{}/email", fresh_id("nobody"));
    put(&nobody, &json!({"email": address(&fresh_id("nobody"))}))
        .service_key(SERVICE_KEYS[0])
        .send(&server)
        .problem(404, "customer_not_found");
}
