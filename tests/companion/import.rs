//! `user-api import` against a service that a test plays: what is sent, what is written down, what survives a kill.

use crate::run::Place;
use crate::service::{KEY, Service};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// One that takes everything.
fn willing() -> Service {
    Service::new(|_, lines| (200, answer(lines, "created")))
}

fn keys(service: &Service) -> Vec<Vec<String>> {
    let requests = service.requests.lock().unwrap();
    let key = |line: &Value| line["key"].as_str().unwrap().to_owned();
    requests
        .iter()
        .map(|lines| lines.iter().map(key).collect())
        .collect()
}

fn answer(lines: &[Value], outcome: &str) -> String {
    lines
        .iter()
        .map(|line| {
            format!(
                "{}\n",
                json!({"key": line["key"], "outcome": outcome, "customerId": "cust_a"})
            )
        })
        .collect()
}

fn place() -> Place {
    let place = Place::new();
    place.write("key", &format!("{KEY}\n"));
    place
}

fn customer(number: usize) -> String {
    let id = format!("cust_{number:012x}");
    json!({"key": format!("customer:customer:{id}"), "value": {"customerId": id, "email": format!("{number}@x.example")}})
        .to_string()
}

fn preferences(number: usize) -> String {
    json!({"key": format!("customer:preferences:cust_{number:012x}"), "value": "{}"}).to_string()
}

fn results(place: &Place) -> Vec<Value> {
    place
        .read("results")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn count(summary: &str, name: &str) -> u64 {
    let line = summary
        .lines()
        .find_map(|line| line.trim().strip_prefix(name)?.strip_prefix('\t'));
    line.map_or(0, |count| count.parse().unwrap())
}

#[test]
fn customers_of_all_dumps_go_before_what_belongs_to_them_and_every_line_has_its_result() {
    let service = willing();
    let place = place();
    place.write("a", &format!("{}\n\n{}\nnonsense\n", preferences(1), customer(2)));
    place.write(
        "b",
        &format!(
            "{}\r\n{}\n{}",
            customer(1),
            json!({"key": "session:1", "value": 1}),
            customer(2)
        ),
    );
    let summary = place.ok(&[
        "import",
        "a",
        "b",
        "--url",
        &service.url,
        "--service-key-file",
        "key",
        "--results",
        "results",
        "--concurrency",
        "1",
    ]);
    assert_eq!(
        keys(&service),
        [
            vec![
                "customer:customer:cust_000000000002",
                "customer:customer:cust_000000000001",
                "customer:customer:cust_000000000002"
            ],
            vec!["customer:preferences:cust_000000000001"]
        ]
    );
    let results = results(&place);
    assert_eq!(results.len(), 6);
    assert_eq!(
        results[1],
        json!({"key": "", "outcome": "invalid", "detail": "not_json"})
    );
    assert_eq!(
        results[3],
        json!({"key": "session:1", "outcome": "skipped", "detail": "foreign"})
    );
    for (name, expected) in [
        ("records", 6),
        ("created", 4),
        ("skipped", 1),
        ("invalid", 1),
        ("skipped: foreign", 1),
    ] {
        assert_eq!(count(&summary, name), expected, "{name} in {summary}");
    }
    assert_eq!(crate::run::mode(&place.path("results")), 0o600);
}

#[test]
fn a_dry_run_judges_every_record_and_sends_none() {
    let service = willing();
    let place = place();
    place.write("a", &format!("{}\n{}\n{{}}\n", customer(1), preferences(1)));
    let summary = place.ok(&["import", "a", "--dry-run", "--results", "results"]);
    assert_eq!(
        (count(&summary, "skipped"), count(&summary, "invalid")),
        (2, 1),
        "{summary}"
    );
    assert_eq!(results(&place)[0]["customerId"], "cust_000000000001");
    assert!(keys(&service).is_empty());
}

#[test]
fn what_fails_for_now_is_sent_again_as_late_as_asked_and_what_fails_for_good_is_not() {
    let service = Service::new(|number, lines| match number {
        1 => (429, String::new()),
        2 => (200, "{\"key\":".to_owned()),
        3 => (
            200,
            lines
                .iter()
                .map(|line| {
                    format!(
                        "{}\n",
                        json!({"key": line["key"], "outcome": "skipped", "detail": "unavailable"})
                    )
                })
                .collect(),
        ),
        _ => (200, answer(lines, "merged")),
    });
    let place = place();
    place.write("a", &customer(1));
    let begun = Instant::now();
    let arguments = ["import", "a", "--url", &service.url, "--service-key-file", "key"];
    let summary = place.ok(&arguments);
    assert!(begun.elapsed() >= Duration::from_secs(1));
    assert_eq!((keys(&service).len(), count(&summary, "merged")), (4, 1));

    let closed = Service::new(|_, _| (403, r#"{"code":"forbidden"}"#.to_owned()));
    let arguments = ["import", "a", "--url", &closed.url, "--service-key-file", "key"];
    place.refused(&arguments, 1, &["403", "forbidden"]);
    assert_eq!(keys(&closed).len(), 1);
    place.write("key", "another-key-that-is-quite-wrong");
    place.refused(&arguments, 1, &["401", "invalid_service_key"]);

    let strange = Service::new(|_, _| (200, "{\"key\":\"x\",\"outcome\":\"created\"}\n".to_owned()));
    place.write("key", KEY);
    let arguments = ["import", "a", "--url", &strange.url, "--service-key-file", "key"];
    place.refused(&arguments, 1, &["not that of an import"]);
}

#[test]
fn a_killed_import_goes_on_where_it_was_and_tells_every_record_once() {
    let service = Service::new(|number, lines| {
        // Slow enough to be killed in the middle.
        std::thread::sleep(Duration::from_millis(if number < 40 { 30 } else { 0 }));
        (200, answer(lines, "created"))
    });
    let place = place();
    let records = 1_000;
    let dump: String = (0..records).map(|number| customer(number) + "\n").collect();
    place.write("dump", &dump);
    let arguments = [
        "import",
        "dump",
        "--url",
        &service.url,
        "--service-key-file",
        "key",
        "--results",
        "results",
        "--state",
        "state",
        "--batch",
        "10",
        "--concurrency",
        "3",
    ];
    let mut killed = 0;
    while killed < 3 {
        let mut child = Command::new(env!("CARGO_BIN_EXE_user-api"))
            .args(arguments)
            .current_dir(place.path(""))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(150));
        child.kill().unwrap();
        let ended = child.wait().unwrap();
        if ended.success() {
            break;
        }
        killed += 1;
    }
    assert!(killed > 0, "it was over before it could be killed");
    let summary = place.ok(&arguments);
    assert_eq!(
        (count(&summary, "records"), count(&summary, "created")),
        (records as u64, records as u64)
    );
    let told: Vec<_> = results(&place)
        .iter()
        .map(|told| told["key"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(told.len(), records);
    assert_eq!(told.iter().collect::<BTreeSet<_>>().len(), records);
    assert!(!place.path("state").exists());
    let sent: usize = keys(&service).iter().map(Vec::len).sum();
    assert!(sent < 2 * records, "{sent} records were sent");
}

#[test]
fn a_state_of_another_import_and_results_of_another_run_are_left_alone() {
    let place = place();
    place.write("a", &customer(1));
    let service = willing();
    let arguments = [
        "import",
        "a",
        "--url",
        &service.url,
        "--service-key-file",
        "key",
        "--results",
        "results",
        "--state",
        "state",
    ];
    place.write("results", "mine");
    place.refused(&arguments, 1, &["results exists already"]);
    place.write("state", "{}");
    place.refused(&arguments, 1, &["no state of an import"]);
    place.write(
        "state",
        &json!({
            "version": 1, "url": "https://other.example", "dumps": [], "at": {"pass": 0, "dump": 0, "offset": 0},
            "resultsBytes": 0, "counts": {"outcomes": {}, "details": {}},
        })
        .to_string(),
    );
    place.refused(&arguments, 1, &["state is of an import of other dumps"]);
    assert_eq!(place.read("results"), "mine");
    assert!(keys(&service).is_empty());
}

#[test]
fn long_lines_are_made_to_fit_or_told() {
    let service = willing();
    let place = place();
    let mut megabyte: Value = serde_json::from_str(&customer(1)).unwrap();
    megabyte["value"]["flairs"] = json!("x".repeat(1 << 20));
    let hopeless = json!({"key": "audit_cust_a_2025-01-01", "value": {"events": "x".repeat(1 << 20)}});
    let endless = format!(
        r#"{{"key":"customer:customer:cust_b","value":"{}"}}"#,
        "x".repeat(34 << 20)
    );
    place.write(
        "a",
        &format!("{megabyte}\n{endless}\n{hopeless}\n{}\n", customer(2)),
    );
    place.ok(&[
        "import",
        "a",
        "--url",
        &service.url,
        "--service-key-file",
        "key",
        "--results",
        "results",
    ]);
    let results = results(&place);
    assert_eq!(results.len(), 4);
    assert_eq!(results[0]["detail"], "too_large");
    assert_eq!(results[0]["outcome"], "created");
    for (at, key) in [(1, "customer:customer:cust_b"), (2, "audit_cust_a_2025-01-01")] {
        assert_eq!(
            results[at],
            json!({"key": key, "outcome": "invalid", "detail": "too_long"})
        );
    }
    assert_eq!(
        keys(&service)[0],
        [
            "customer:customer:cust_000000000001",
            "customer:customer:cust_000000000002"
        ]
    );
}

#[test]
fn wrong_calls_are_refused_before_anything_is_sent() {
    let place = place();
    place.write("a", "");
    let sound = "http://127.0.0.1:1";
    for (url, words) in [
        ("http://users.example.com", "must be https"),
        ("ftp://x", "must be https"),
        ("https://u@x.example", "must be https"),
        ("x", "absolute URL"),
    ] {
        place.refused(
            &["import", "a", "--url", url, "--service-key-file", "key"],
            2,
            &[words],
        );
    }
    place.refused(&["import", "--url", sound], 2, &["<DUMP>"]);
    place.refused(&["import", "a"], 2, &["--url"]);
    place.refused(&["import", "a", "--url", sound], 1, &["no service key"]);
    place.refused(
        &["import", "b", "--url", sound, "--service-key-file", "key"],
        1,
        &["cannot read b"],
    );
    place.refused(
        &["import", "/dev/null", "--url", sound, "--service-key-file", "key"],
        1,
        &["through a pipe"],
    );
    let summary = place.ok(&["import", "a", "--url", sound, "--service-key-file", "key"]);
    assert_eq!(count(&summary, "records"), 0);
}
