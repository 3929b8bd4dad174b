//! What memory an export takes of workerd.

use super::{Desk, download, fill};
use crate::support::server::Server;
use crate::support::settings::Settings;
use crate::support::shared::Customer;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

/// MiB of memory of a process: its own (anonymous), of files that it has mapped (its own code first of all), and both
/// together at the highest so far.
#[derive(Debug, Clone, Copy, Default)]
struct Memory {
    own: u64,
    mapped: u64,
    peak: u64,
}

impl Memory {
    fn of(process: u32) -> Self {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
        let of = |name: &str| -> u64 {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
            kilobytes / 1024
        };
        Self {
            own: of("RssAnon:"),
            mapped: of("RssFile:"),
            peak: of("VmHWM:"),
        }
    }

    /// The most of each while `work` runs.
    fn during<T>(process: u32, work: impl FnOnce() -> T) -> (Self, T) {
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let sampler = scope.spawn(|| {
                let mut most = Self::default();
                while !is_over.load(Ordering::Relaxed) {
                    let now = Self::of(process);
                    most = Self {
                        own: most.own.max(now.own),
                        mapped: most.mapped.max(now.mapped),
                        peak: most.peak.max(now.peak),
                    };
                    std::thread::sleep(std::time::Duration::from_millis(10));
                }
                most
            });
            let done = work();
            is_over.store(true, Ordering::Relaxed);
            (sampler.join().unwrap(), done)
        })
    }
}

/// An export of a log of so many entries from a server that has just started.
struct Measured {
    server: Server,
    desk: Desk,
    before: Memory,
    most: Memory,
    bytes: u64,
}

impl Measured {
    fn of(entries: i64) -> Self {
        let settings = Settings::default();
        let server = Server::start(&settings);
        let customer = Customer::on(&server);
        let data = server.data().clone();
        server.stop();
        fill(&data, &customer.id, entries);
        let server = Server::start_in(&settings, &data);
        let desk = Desk::new(&server);
        customer.get(&server, "/customer/me").expect(200);
        let before = Memory::of(server.workerd());
        let (most, bytes) = Memory::during(server.workerd(), || {
            download(
                &server,
                "/customer/me/export",
                &customer.token,
                &desk.path("export.zip"),
            )
        });
        println!("{entries} entries, {bytes} bytes; workerd before {before:?}, at most {most:?} MiB");
        Self {
            server,
            desk,
            before,
            most,
            bytes,
        }
    }

    fn growth(&self) -> u64 {
        self.most.own.saturating_sub(self.before.own)
    }
}

#[test]
fn an_export_of_a_longer_log_needs_no_more_memory() {
    /// What two runs of the same may differ by, in MiB.
    const NOISE: u64 = 12;
    let [short, long] = [20_000, 100_000].map(|entries| {
        let measured = Measured::of(entries);
        measured.desk.is_sound(&["export.zip", "--jwks", "keys.json"]);
        let (growth, bytes) = (measured.growth(), measured.bytes);
        measured.server.stop();
        (growth, bytes)
    });
    assert!(long.1 > 4 * short.1);
    assert!(
        long.0 <= short.0 + NOISE,
        "{} MiB more for 100,000 entries, {} MiB for 20,000",
        long.0,
        short.0
    );
}

/// Run it with `cargo test --release --test e2e a_million -- --ignored --nocapture`.
#[test]
#[ignore = "takes minutes"]
fn a_million_entries_are_exported_in_little_memory() {
    /// MiB that workerd may hold at the highest, its own code included.
    const MOST: u64 = 128;
    let Measured {
        server, desk, most, ..
    } = Measured::of(1_000_000);
    println!("{}", desk.is_sound(&["export.zip", "--jwks", "keys.json"]));
    for tool in [&["unzip", "-tq"][..], &["python3", "-m", "zipfile", "-t"]] {
        let tested = Command::new(tool[0])
            .args(&tool[1..])
            .arg(desk.path("export.zip"))
            .status();
        assert!(tested.unwrap().success(), "{tool:?}");
    }
    assert!(most.peak < MOST, "at most {most:?} MiB");
    server.stop();
}
