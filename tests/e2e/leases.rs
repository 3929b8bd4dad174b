//! What an integration itself wants limited: `POST /customer/me/limits/consume` and `…/release`.

use crate::concurrency::at_once;
use crate::limits::retry_after;
use crate::support::http::{post, put};
use crate::support::integration::{Key, SCOPES, rate_limit_items, set_limits};
use crate::support::server::Server;
use crate::support::shared::{Customer, shared};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A customer with these policies, and a key of it.
fn with_policies(server: &Server, policies: &Value) -> (Customer, Key) {
    let customer = Customer::on(server);
    let key = Key::of(server, &customer, &["limits:consume"]);
    set_limits(server, &customer, policies);
    (customer, key)
}

fn slots(q: u64, w: u64) -> Value {
    json!([{"name": "slots", "q": q, "w": w, "unit": "concurrent-requests"}])
}

fn slot() -> Value {
    json!([{"name": "slots", "cost": 1}])
}

#[track_caller]
fn lease(answer: &Value) -> String {
    answer["lease"].as_str().expect("a lease").to_owned()
}

#[test]
fn consuming_is_all_or_nothing_and_exact_over_fifty_connections() {
    let server = shared();
    let policies = json!([{"name": "jobs", "q": 100, "w": 86_400}, {"name": "mail", "q": 250, "w": 86_400}]);
    for _ in 0..3 {
        let (_, key) = with_policies(&server, &policies);
        let asked = json!([{"name": "jobs", "cost": 1}, {"name": "mail", "cost": 3}]);
        let answers = at_once(50, |_| {
            let ask = |_| key.consume(&server, &asked);
            (0..6).map(ask).collect::<Vec<_>>()
        });
        let (passed, refused): (Vec<_>, Vec<_>) = answers
            .into_iter()
            .flatten()
            .partition(|answer| answer.status == 200);
        assert_eq!(passed.len(), 83, "250 / 3");
        let left: BTreeSet<_> = passed
            .iter()
            .map(|answer| {
                let body = answer.json();
                assert_eq!(body["allowed"], true);
                assert_eq!(body["policies"][0]["name"], "jobs");
                assert_eq!(body["policies"][1]["name"], "mail");
                body["policies"][1]["remaining"].as_u64().unwrap()
            })
            .collect();
        assert_eq!(
            left,
            (0..83).map(|n| 250 - 3 * (n + 1)).collect(),
            "each was told what it left"
        );
        for answer in refused {
            let problem = answer.problem(429, "quota_exceeded");
            assert_eq!(problem["allowed"], false);
            assert_eq!(problem["violated-policies"], json!(["mail"]));
            let told = problem["policies"].as_array().unwrap();
            let told: Vec<_> = told.iter().map(|policy| &policy["remaining"]).collect();
            assert_eq!(told[1], 1);
        }
        // Of the other policy nothing was spent by what was refused.
        let rest = key.consume(&server, &json!([{"name": "jobs", "cost": 17}])).ok();
        assert_eq!(rest["policies"][0]["remaining"], 0);
        key.consume(&server, &json!([{"name": "mail", "cost": 1}]))
            .expect(200);
        key.consume(&server, &json!([{"name": "mail", "cost": 1}]))
            .expect(429);
    }
}

#[test]
fn consuming_costs_nothing_of_the_plan() {
    let server = shared();
    let customer = Customer::on(&server);
    let key = Key::of(&server, &customer, &SCOPES);
    let policies = json!([{"name": "jobs", "q": 100, "w": 86_400}, {"name": "day", "q": 3, "w": 86_400}]);
    set_limits(&server, &customer, &policies);
    for _ in 0..20 {
        key.consume(&server, &json!([{"name": "jobs", "cost": 1}]))
            .expect(200);
    }
    key.get(&server, "/customer/me").expect(200);
}

#[test]
fn what_can_never_pass_is_a_fault_and_not_a_wait() {
    let server = shared();
    let (_, key) = with_policies(&server, &json!([{"name": "jobs", "q": 10, "w": 60}]));
    for (policies, pointer) in [
        (
            json!([{"name": "unknown-policy", "cost": 1}]),
            "#/policies/0/name",
        ),
        (json!([{"name": "jobs", "cost": 11}]), "#/policies/0/cost"),
        (json!([{"name": "jobs", "cost": 0}]), "#/policies/0/cost"),
        (json!([{"name": "jobs"}, {"name": "jobs"}]), "#/policies/1/name"),
        (json!([]), "#/policies"),
    ] {
        let pointers = key.consume(&server, &policies).pointers("validation_failed");
        assert_eq!(pointers, [pointer], "{policies}");
    }
    let all = key.consume(&server, &json!([{"name": "jobs", "cost": 10}])).ok();
    assert_eq!(all["policies"][0]["remaining"], 0, "{all}");
}

#[test]
fn whoever_waits_gets_what_it_wanted_to_consume() {
    let server = shared();
    let (_, key) = with_policies(&server, &json!([{"name": "jobs", "q": 4, "w": 2}]));
    for cost in [4, 1, 3, 4, 2] {
        let asked = json!([{"name": "jobs", "cost": cost}]);
        let answer = key.consume(&server, &asked);
        if answer.status == 200 {
            continue;
        }
        std::thread::sleep(retry_after(&answer));
        key.consume(&server, &asked).expect(200);
    }
}

#[test]
fn never_more_leases_are_held_than_the_policy_has() {
    const MOST: usize = 5;
    let server = shared();
    let (_, key) = with_policies(&server, &slots(5, 3600));
    let (held, peak, got) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    at_once(50, |_| {
        for _ in 0..6 {
            let answer = key.consume(&server, &slot());
            if answer.status == 429 {
                answer.problem(429, "quota_exceeded");
                continue;
            }
            let lease = lease(&answer.ok());
            peak.fetch_max(held.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            got.fetch_add(1, Ordering::SeqCst);
            // Held for a while, so that another that was given out would be seen.
            std::thread::sleep(Duration::from_millis(20));
            held.fetch_sub(1, Ordering::SeqCst);
            key.release(&server, &lease).expect(204);
        }
    });
    let (peak, got) = (peak.into_inner(), got.into_inner());
    assert_eq!(peak, MOST, "at once");
    assert!(got >= MOST, "{got} in all");
    // All were given back.
    let answers = at_once(50, |_| key.consume(&server, &slot()));
    let passed = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(passed, MOST);
}

#[test]
fn a_lease_that_was_given_back_can_be_had_again_and_no_other() {
    let server = shared();
    let (_, key) = with_policies(&server, &slots(2, 3600));
    let leases = [(); 2].map(|()| lease(&key.consume(&server, &slot()).ok()));
    assert_ne!(leases[0], leases[1]);
    let refused = key.consume(&server, &slot());
    assert_eq!(
        refused.problem(429, "quota_exceeded")["violated-policies"],
        json!(["slots"])
    );
    let (_, stranger) = with_policies(&server, &slots(2, 3600));
    stranger.release(&server, &leases[0]);
    key.consume(&server, &slot()).expect(429);
    key.release(&server, &leases[0]).expect(204);
    // A second return of one lease makes no second place.
    key.release(&server, &leases[0]);
    let again = lease(&key.consume(&server, &slot()).ok());
    assert!(!leases.contains(&again));
    key.consume(&server, &slot()).expect(429);
}

#[test]
fn a_lease_lapses_by_itself_after_its_window_and_not_before() {
    let server = shared();
    let (_, key) = with_policies(&server, &slots(1, 2));
    for _ in 0..3 {
        let began = std::time::Instant::now();
        key.consume(&server, &slot()).expect(200);
        let refused = key.consume(&server, &slot());
        if refused.status == 200 {
            assert!(began.elapsed().as_secs() >= 2, "{:?}", began.elapsed());
            continue;
        }
        let wait = retry_after(&refused);
        assert!(wait.as_secs() <= 2, "{wait:?}");
        std::thread::sleep(wait);
        let next = lease(&key.consume(&server, &slot()).ok());
        key.release(&server, &next).expect(204);
    }
}

#[test]
fn a_request_that_one_policy_refuses_gets_no_lease_of_another() {
    let server = shared();
    let policies = json!([
        {"name": "jobs", "q": 1, "w": 86_400},
        {"name": "slots", "q": 1, "w": 3600, "unit": "concurrent-requests"},
    ]);
    let (_, key) = with_policies(&server, &policies);
    let job = json!([{"name": "jobs", "cost": 1}]);
    let both = json!([{"name": "jobs", "cost": 1}, {"name": "slots", "cost": 1}]);
    key.consume(&server, &job).expect(200);
    let refused = key.consume(&server, &both).problem(429, "quota_exceeded");
    assert_eq!(refused["violated-policies"], json!(["jobs"]));
    key.consume(&server, &slot()).expect(200);
}

#[test]
fn users_consume_nothing() {
    let server = shared();
    let (customer, key) = with_policies(&server, &slots(1, 3600));
    let body = json!({"policies": slot()});
    let path = "/customer/me/limits/consume";
    let by_user = post(path, &body).bearer(&customer.token).send(&server);
    by_user.problem(403, "forbidden");
    post(path, &body)
        .send(&server)
        .problem(401, "authentication_required");
    post(path, &body).api_key(&key.secret).send(&server).expect(200);
}

#[test]
fn the_header_fields_tell_of_what_was_named_whether_it_passed_or_not() {
    let server = shared();
    let (_, key) = with_policies(
        &server,
        &json!([{"name": "jobs", "q": 3, "w": 86_400}, {"name": "mail", "q": 9, "w": 86_400}]),
    );
    let asked = json!([{"name": "mail", "cost": 2}, {"name": "jobs", "cost": 2}]);
    for (status, left) in [(200, [7, 1]), (429, [7, 1])] {
        let answer = key.consume(&server, &asked).expect(status);
        let policies = rate_limit_items(&answer, "RateLimit-Policy");
        let figures = |q| vec![("q".to_owned(), q), ("w".to_owned(), 86_400)];
        assert_eq!(
            policies,
            [("mail".to_owned(), figures(9)), ("jobs".to_owned(), figures(3))]
        );
        let limits = rate_limit_items(&answer, "RateLimit");
        let told: Vec<_> = limits
            .iter()
            .map(|(name, params)| (name.as_str(), params[0].1))
            .collect();
        assert_eq!(told, [("mail", left[0]), ("jobs", left[1])]);
        assert_eq!(answer.header("Retry-After").is_some(), status == 429);
    }
}

#[test]
fn the_owner_s_own_policies_are_consumed_and_stay_within_the_plan() {
    let server = shared();
    let customer = Customer::on(&server);
    let key = Key::of(&server, &customer, &["limits:consume"]);
    set_limits(&server, &customer, &json!([{"name": "burst", "q": 100, "w": 60}]));
    let set = |policies: &Value| {
        put("/customer/me/limits", policies)
            .bearer(&customer.token)
            .send(&server)
    };
    let own = set(&json!([{"name": "mail", "q": 4, "w": 86_400}]))
        .expect(200)
        .json();
    assert_eq!(
        own["own"],
        json!([{"name": "mail", "q": 4, "w": 86_400, "unit": "requests"}])
    );
    let mail = json!([{"name": "mail", "cost": 2}]);
    for left in [2, 0] {
        assert_eq!(key.consume(&server, &mail).ok()["policies"][0]["remaining"], left);
    }
    let refused = key.consume(&server, &mail).problem(429, "quota_exceeded");
    assert_eq!(refused["violated-policies"], json!(["mail"]));
    // More at once, or in the long run, than each policy of the plan lets through.
    for beyond in [
        json!([{"name": "mail", "q": 1_000_000_001_u64, "w": 1}]),
        json!([{"name": "mail", "q": 1_000_000, "w": 1, "burst": 1}]),
        json!([{"name": "burst", "q": 1, "w": 60}]),
    ] {
        assert_ne!(set(&beyond).pointers("validation_failed"), [""; 0], "{beyond}");
    }
    // What was refused changed nothing.
    let refused = key.consume(&server, &mail).problem(429, "quota_exceeded");
    assert_eq!(refused["violated-policies"], json!(["mail"]));
}
