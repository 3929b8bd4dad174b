//! `user-api import` holds no more of a large dump than of a small one.
#![cfg(target_os = "linux")]

use crate::run::Place;
use crate::service::{KEY, Service};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

/// By how much the peaks may differ, in KiB: what the allocator and the threads' timing make of the same work.
const SLACK_KIB: u64 = 4_096;

/// A dump of so many customers.
fn dump(lines: usize) -> String {
    let mut dump = String::new();
    for number in 0..lines {
        let id = format!("cust_{number:012x}");
        let value = json!({"customerId": id, "email": format!("{number}@x.example"), "companyName": "Acme", "tier": "basic"});
        let _ = writeln!(
            dump,
            "{}",
            json!({"key": format!("customer:customer:{id}"), "value": value})
        );
    }
    dump
}

/// The most memory that a process has had, in KiB; None once it is over.
fn peak(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

/// Imports so many lines, and says how much memory that took at its peak.
fn import(lines: usize) -> u64 {
    let service = Service::forgetful(|_, lines: &[Value]| {
        let answers = lines.iter().map(|line| {
            format!(
                "{}\n",
                json!({"key": line["key"], "outcome": "created", "customerId": "cust_a"})
            )
        });
        (200, answers.collect())
    });
    let place = Place::new();
    place.write("key", KEY);
    place.write("dump", &dump(lines));
    let mut child = Command::new(env!("CARGO_BIN_EXE_user-api"))
        .args([
            "import",
            "dump",
            "--url",
            &service.url,
            "--service-key-file",
            "key",
        ])
        .args(["--results", "results", "--state", "state"])
        .current_dir(place.path(""))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut most = 0;
    let ended = loop {
        most = most.max(peak(child.id()).unwrap_or(0));
        if let Some(ended) = child.try_wait().unwrap() {
            break ended;
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    assert!(ended.success());
    assert_eq!(place.read("results").lines().count(), lines);
    most
}

#[test]
fn a_hundred_thousand_records_take_no_more_memory_than_five_thousand() {
    let (few, many) = (import(5_000), import(100_000));
    assert!(few > 0 && many < few + SLACK_KIB, "{few} KiB, then {many} KiB");
}
