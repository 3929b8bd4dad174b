//! `user-api rewrap` against a service that a test plays.

use crate::run::Place;
use crate::service::{KEY, Service};
use serde_json::{Value, json};

fn place() -> Place {
    let place = Place::new();
    place.write("key", &format!("{KEY}\n"));
    place
}

fn args(service: &Service) -> Vec<&str> {
    vec!["rewrap", "--url", &service.url, "--service-key-file", "key"]
}

fn page(wrapped: u64, failed: &[&str], next: Option<&str>) -> String {
    let failed: Vec<_> = failed
        .iter()
        .map(|id| json!({"customerId": id, "code": "key_unavailable"}))
        .collect();
    json!({"wrapped": wrapped, "gone": 1, "failed": failed, "next": next}).to_string()
}

fn bodies(service: &Service) -> Vec<Value> {
    service
        .requests
        .lock()
        .unwrap()
        .iter()
        .flatten()
        .cloned()
        .collect()
}

#[test]
fn it_walks_all_pages_and_says_how_many_keys_were_wrapped() {
    let service = Service::new(|number, _| match number {
        1 => (200, page(2, &[], Some("c1"))),
        2 => (503, "{}".to_owned()),
        _ => (200, page(1, &[], None)),
    });
    let mut args = args(&service);
    args.extend(["--page", "2"]);
    let told = place().ok(&args);
    assert_eq!(told, "3 customers are wrapped under the active master key\n");
    assert_eq!(
        bodies(&service),
        [
            json!({"limit": 2}),
            json!({"after": "c1", "limit": 2}),
            json!({"after": "c1", "limit": 2}),
        ]
    );
}

#[test]
fn a_run_that_ended_early_is_taken_up_where_it_was() {
    let place = place();
    let service = Service::new(|number, _| match number {
        1 => (200, page(2, &[], Some("c1"))),
        2 => (403, r#"{"code":"forbidden"}"#.to_owned()),
        _ => (200, page(5, &[], None)),
    });
    let mut args = args(&service);
    args.extend(["--state", "state"]);
    place.refused(&args, 1, &["403", "forbidden"]);
    assert_eq!(place.read("state"), "c1");
    place.ok(&args);
    assert!(!place.path("state").exists());
    let last = bodies(&service).pop().unwrap();
    assert_eq!(last, json!({"after": "c1", "limit": 100}));
}

#[test]
fn whoever_fails_is_named_and_never_passed_over_by_a_later_run() {
    let place = place();
    let service = Service::new(|number, _| match number {
        1 => (200, page(2, &["cust_lost"], Some("c1"))),
        _ => (200, page(1, &[], None)),
    });
    let mut args = args(&service);
    args.extend(["--state", "state"]);
    let ended = place.run(&args);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert_eq!(ended.stdout, "cust_lost key_unavailable\n");
    assert!(
        ended.stderr.contains("keep the older master key"),
        "{}",
        ended.stderr
    );
    assert_eq!(service.requests.lock().unwrap().len(), 2, "the others were done");
    assert!(!place.path("state").exists());
}

#[test]
fn a_key_goes_nowhere_in_the_clear_and_a_wrong_one_is_told() {
    let place = place();
    let far = [
        "rewrap",
        "--url",
        "http://users.example.com",
        "--service-key-file",
        "key",
    ];
    place.refused(&far, 2, &["https"]);
    place.write("key", "svc_of_somebody_else");
    let service = Service::new(|_, _| (200, page(1, &[], None)));
    place.refused(&args(&service), 1, &["401", "invalid_service_key"]);
    let service = Service::new(|_, _| (200, "[]".to_owned()));
    place.write("key", KEY);
    place.refused(&args(&service), 1, &["not that of a rewrap"]);
}
