//! A server's log, judged: what each line must hold, and what none may.

use crate::support::settings::{JWT_SECRETS, SERVICE_KEYS};
use crate::support::token::PERSONAL;
use serde_json::Value;

/// The members of a request's line (`src/edge/log.rs`).
const MEMBERS: [&str; 12] = [
    "id",
    "callerId",
    "method",
    "route",
    "status",
    "ms",
    "caller",
    "customer",
    "code",
    "security",
    "reason",
    "traceparent",
];

/// The lines about requests.
pub fn requests(log: &str) -> Vec<Value> {
    let lines = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line.get("route").is_some()).collect()
}

/// Nothing personal, no secret, no panic; and every request's line has the form that it should have.
pub fn check(log: &str) {
    let forbidden = [
        PERSONAL,
        "secretdata",
        "eyJ",
        "uak_",
        "lease_",
        "@",
        "panicked",
        "RuntimeError",
    ];
    let secrets = JWT_SECRETS.iter().map(|(_, secret)| secret).chain(&SERVICE_KEYS);
    for word in forbidden.iter().chain(secrets) {
        let found = log.lines().find(|line| line.contains(word));
        assert!(found.is_none(), "the log holds {word:?}: {found:?}");
    }
    // workerd tells in a line of its own that a stream ended in an error; the words about the error are ours.
    let is_broken_stream =
        |line: &str| line.starts_with("workerd/") && line.ends_with(": the export broke off");
    for line in log
        .lines()
        .filter(|line| !line.starts_with("user-api listens on ") && !is_broken_stream(line))
    {
        assert!(
            serde_json::from_str::<Value>(line).is_ok(),
            "a line that is no JSON: {line}\n{log}"
        );
    }
    for line in requests(log) {
        check_request(&line);
    }
}

fn check_request(line: &Value) {
    for (member, _) in line.as_object().expect("an object") {
        assert!(MEMBERS.contains(&member.as_str()), "{member} in {line}");
    }
    let text = |name: &str| line[name].as_str().unwrap_or_else(|| panic!("no {name}: {line}"));
    assert!(text("id").starts_with("req_"), "{line}");
    assert!(
        ["none", "user", "integration", "admin", "service"].contains(&text("caller")),
        "{line}"
    );
    assert!(text("route") == "-" || text("route").starts_with('/'), "{line}");
    let status = line["status"]
        .as_u64()
        .unwrap_or_else(|| panic!("no status: {line}"));
    assert!(line["ms"].as_i64().is_some_and(|ms| ms >= 0), "{line}");
    let refused = matches!(status, 401 | 403);
    assert_eq!(refused, line.get("security").is_some(), "{line}");
    assert_eq!(status >= 400, line.get("code").is_some(), "{line}");
    assert_ne!(status, 500, "{line}");
}
