//! How much memory workerd needs for an import of 100,000 records. It measures, so it is run by itself on a quiet
//! machine: `cargo test --release --test e2e import_scale -- --ignored --nocapture`.

use crate::support::http::request;
use crate::support::server::Server;
use crate::support::settings::{SERVICE_KEYS, Settings};
use crate::support::shared::fresh_id;
use serde_json::json;
use std::time::Instant;

/// Customers whose records come; few, because each one's object takes memory of its own.
const CUSTOMERS: usize = 100;
/// Lines of one request, as many as it may have.
const LINES: usize = 10_000;
/// Such requests.
const REQUESTS: usize = 10;
/// By how much the peaks may differ, in KiB: what the engine's collector leaves for later.
const SLACK_KIB: u64 = 32_768;

/// The most memory that a process has had, in KiB.
fn peak(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let text = line.unwrap().trim().strip_suffix(" kB").unwrap();
    text.trim().parse().unwrap()
}

fn import(server: &Server, lines: &[String]) {
    let answer = request("POST", "/internal/import")
        .body("application/x-ndjson", lines.join("\n"))
        .service_key(SERVICE_KEYS[0])
        .send(server)
        .expect(200);
    let text = String::from_utf8(answer.body).unwrap();
    assert_eq!(text.lines().count(), lines.len());
    assert_eq!(text.matches("\"outcome\":\"created\"").count(), lines.len());
}

#[test]
#[ignore = "it measures"]
fn a_hundred_thousand_records_take_no_more_memory_of_workerd_than_ten_thousand() {
    let server = Server::start(&Settings::default());
    let ids: Vec<_> = (0..CUSTOMERS).map(|_| fresh_id("scale")).collect();
    let customer = |id: &String| {
        let value = json!({"customerId": id, "email": format!("{id}@e2e.test")});
        json!({"key": format!("customer:customer:{id}"), "value": value}).to_string()
    };
    import(&server, &ids.iter().map(customer).collect::<Vec<_>>());
    let mut peaks = Vec::new();
    let begun = Instant::now();
    for round in 0..REQUESTS {
        let denied = |number: usize| {
            let hash = format!("{:064x}", round * LINES + number);
            let id = &ids[number % CUSTOMERS];
            json!({"key": format!("otp-auth:jwt-denylist:{id}_{hash}"), "value": {"token": hash}}).to_string()
        };
        import(&server, &(0..LINES).map(denied).collect::<Vec<_>>());
        peaks.push(peak(server.workerd()));
    }
    println!(
        "{} lines in {:?}; peaks in KiB: {peaks:?}",
        LINES * REQUESTS,
        begun.elapsed()
    );
    assert!(peaks[REQUESTS - 1] < peaks[0] + SLACK_KIB, "{peaks:?}");
    server.stop();
}
