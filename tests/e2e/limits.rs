//! Rate limits: exact from however many connections, and honest about when to come back.

use crate::concurrency::at_once;
use crate::support::http::{Response, get, put};
use crate::support::integration::{Key, SCOPES, admin, rate_limit_items, readings, set_limits};
use crate::support::server::Server;
use crate::support::shared::{Customer, create, fresh_id, new_customer, shared};
use crate::support::token::Token;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// What may have been restored of `q` in `w` seconds since `began`, in units.
fn restored(began: Instant, q: u64, w: u64) -> usize {
    usize::try_from(began.elapsed().as_secs() * q / w).unwrap()
}

/// A customer whose day has so many requests.
pub fn with_day(server: &Server, quota: u64) -> Customer {
    let customer = Customer::on(server);
    set_limits(
        server,
        &customer,
        &json!([{"name": "day", "q": quota, "w": 86_400}]),
    );
    customer
}

/// The seconds after which a refused request may be repeated.
#[track_caller]
pub fn retry_after(response: &Response) -> Duration {
    let seconds = response
        .must_header("Retry-After")
        .parse()
        .expect("whole seconds");
    assert!(seconds >= 1, "{}", response.describe());
    Duration::from_secs(seconds)
}

#[test]
fn of_a_burst_over_fifty_connections_exactly_the_limit_passes() {
    let server = shared();
    for _ in 0..3 {
        let customer = with_day(&server, 1000);
        let began = Instant::now();
        let answers = at_once(50, |_| readings(&server, &customer.token, 24));
        let answers: Vec<_> = answers.into_iter().flatten().collect();
        assert_eq!(answers.len(), 1200);
        assert_eq!(restored(began, 1000, 86_400), 0, "too slow a machine to tell");
        let passed = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(passed, 1000);
        for answer in answers.into_iter().filter(|answer| answer.status != 200) {
            let problem = answer.problem(429, "quota_exceeded");
            assert_eq!(problem["violated-policies"], json!(["day"]));
        }
    }
}

#[test]
fn users_and_keys_of_a_customer_spend_of_one_limit() {
    let server = shared();
    let customer = Customer::on(&server);
    let key = Key::of(&server, &customer, &SCOPES);
    let other = Token::of(&customer.id).subject("auth0|persondata-other").hs256();
    set_limits(
        &server,
        &customer,
        &json!([{"name": "day", "q": 90, "w": 86_400}]),
    );
    let credentials = [&customer.token, &key.secret, &other];
    let answers = at_once(9, |index| readings(&server, credentials[index % 3], 20));
    let answers: Vec<_> = answers.into_iter().flatten().collect();
    // What was spent before the limit was set may count.
    let passed = answers.iter().filter(|answer| answer.status == 200).count();
    assert!((88..=90).contains(&passed), "{passed} passed");
}

#[test]
fn the_header_fields_tell_of_every_policy_of_the_plan() {
    let server = shared();
    let id = fresh_id("free");
    let mut body = new_customer(&id);
    body["plan"] = json!("free");
    create(&body).send(&server).expect(201);
    let token = Token::of(&id).hs256();
    for spent in 1..=3 {
        let answer = get("/customer/me").bearer(&token).send(&server).expect(200);
        assert_eq!(
            answer.must_header("RateLimit-Policy"),
            r#""burst";q=60;w=60,"day";q=5000;w=86400"#
        );
        let limits = rate_limit_items(&answer, "RateLimit");
        let names: Vec<_> = limits.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["burst", "day"]);
        for ((_, params), (quota, seconds)) in limits.iter().zip([(60, 1), (5000, 18)]) {
            let [(r, remaining), (t, wait)] = params.as_slice() else {
                panic!("{params:?}")
            };
            assert_eq!((r.as_str(), t.as_str()), ("r", "t"));
            // One unit comes back each second: a slow machine may have got some.
            assert!((quota - spent..quota).contains(remaining), "{limits:?}");
            assert!((0..=seconds).contains(wait), "{limits:?}");
        }
    }
}

#[test]
fn the_free_plan_passes_sixty_at_once_and_no_more_than_time_restores() {
    let server = shared();
    let id = fresh_id("free");
    let mut body = new_customer(&id);
    body["plan"] = json!("free");
    create(&body).send(&server).expect(201);
    let token = Token::of(&id).hs256();
    let began = Instant::now();
    let answers = at_once(10, |_| readings(&server, &token, 20));
    let most = 60 + restored(began, 60, 60) + 1;
    let answers: Vec<_> = answers.into_iter().flatten().collect();
    let passed = answers.iter().filter(|answer| answer.status == 200).count();
    assert!((60..=most).contains(&passed), "{passed} of at most {most}");
    let refused = answers.into_iter().find(|answer| answer.status == 429).unwrap();
    assert_eq!(rate_limit_items(&refused, "RateLimit")[0].0, "burst");
    assert_eq!(
        refused.problem(429, "quota_exceeded")["violated-policies"],
        json!(["burst"])
    );
}

#[test]
fn whoever_waits_as_long_as_retry_after_says_gets_in() {
    let server = shared();
    for (q, w) in [(1, 1), (3, 2), (2, 5), (7, 3)] {
        let customer = Customer::on(&server);
        set_limits(&server, &customer, &json!([{"name": "burst", "q": q, "w": w}]));
        for _ in 0..3 {
            let refused = loop {
                let answer = customer.get(&server, "/customer/me");
                if answer.status != 200 {
                    break answer;
                }
            };
            let wait = retry_after(&refused);
            assert!(wait.as_secs() <= w, "{wait:?} for one of {q} in {w} s");
            let told = rate_limit_items(&refused, "RateLimit");
            let burst = &told.iter().find(|(name, _)| name == "burst").unwrap().1;
            assert_eq!(burst[0], ("r".to_owned(), 0));
            assert!(u64::try_from(burst[1].1).unwrap() <= wait.as_secs());
            refused.problem(429, "quota_exceeded");
            std::thread::sleep(wait);
            customer.get(&server, "/customer/me").expect(200);
        }
    }
}

#[test]
fn a_refused_request_spends_and_changes_nothing() {
    let server = shared();
    let customer = Customer::on(&server);
    let limits = json!([{"name": "day", "q": 2, "w": 86_400}, {"name": "burst", "q": 1, "w": 2}]);
    set_limits(&server, &customer, &limits);
    customer.get(&server, "/customer/me").expect(200);
    // Were these charged to the day, the last would find it spent.
    for _ in 0..5 {
        let change = json!({"name": "Refused"});
        let refused = customer.patch(&server, &change);
        assert_eq!(
            refused.problem(429, "quota_exceeded")["violated-policies"],
            json!(["burst"])
        );
    }
    std::thread::sleep(Duration::from_secs(2));
    let shown = customer.get(&server, "/customer/me").ok();
    assert_ne!(shown["name"], "Refused");
    let refused = customer.get(&server, "/customer/me");
    let problem = refused.problem(429, "quota_exceeded");
    assert!(
        problem["violated-policies"]
            .as_array()
            .unwrap()
            .contains(&json!("day"))
    );
}

#[test]
fn what_admins_and_services_do_costs_the_customer_nothing() {
    let server = shared();
    let customer = with_day(&server, 2);
    let admin = admin();
    for _ in 0..5 {
        for what in ["limits", "usage"] {
            let path = format!("/admin/customers/{}/{what}", customer.id);
            let answer = get(&path).bearer(&admin).send(&server).expect(200);
            assert_eq!(answer.header("RateLimit"), None);
        }
        create(&new_customer(&customer.id)).send(&server).expect(200);
    }
    customer.get(&server, "/customer/me").expect(200);
    customer.get(&server, "/customer/me").expect(200);
    customer.get(&server, "/customer/me").expect(429);
}

#[test]
fn an_admin_reads_back_the_limits_that_it_set_and_nobody_else_may_set_them() {
    let server = shared();
    let customer = Customer::on(&server);
    let key = Key::of(&server, &customer, &SCOPES);
    let path = format!("/admin/customers/{}/limits", customer.id);
    let limits = json!([
        {"name": "jobs", "q": 10, "w": 60, "burst": 20},
        {"name": "slots", "q": 3, "w": 30, "unit": "concurrent-requests"},
    ]);
    set_limits(&server, &customer, &limits);
    let told = get(&path).bearer(&admin()).send(&server).ok();
    let told = told["policies"].as_array().unwrap();
    for policy in limits.as_array().unwrap() {
        let found = told.iter().find(|told| told["name"] == policy["name"]);
        let found = found.unwrap_or_else(|| panic!("{policy} not in {told:?}"));
        for (member, value) in policy.as_object().unwrap() {
            assert_eq!(&found[member], value);
        }
    }
    for request in [get(&path), put(&path, &json!([]))] {
        let by_user = request.clone().bearer(&customer.token).send(&server);
        by_user.problem(403, "forbidden");
        let by_key = request.clone().bearer(&key.secret).send(&server);
        by_key.problem(403, "forbidden");
        request.send(&server).problem(401, "authentication_required");
    }
    for faulty in [
        json!([{"name": "x", "q": 0, "w": 1}]),
        json!([{"name": "X", "q": 1, "w": 1}]),
        json!([{"name": "x", "q": 1, "w": 1}, {"name": "x", "q": 2, "w": 1}]),
        json!([{"name": "x", "q": 1}]),
    ] {
        let refused = put(&path, &faulty).bearer(&admin()).send(&server);
        let pointers = refused.pointers("validation_failed");
        assert_eq!(pointers.len(), 1, "{pointers:?}");
    }
    let after: Value = get(&path).bearer(&admin()).send(&server).ok();
    assert_eq!(after["policies"].as_array().unwrap(), told);
}
