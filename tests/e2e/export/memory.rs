//! What memory an export takes of workerd.

use super::{Desk, download};
use crate::support::server::{Server, namespace};
use crate::support::settings::Settings;
use crate::support::shared::Customer;
use serde_json::{Value, json};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;

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
    /// MiB of its own that workerd may hold.
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
    assert!(most.own < MOST, "at most {most:?} MiB");
    server.stop();
}

/// Appends entries to the stopped object's log, as many as nobody would send one by one.
fn fill(data: &TempDir, customer: &str, entries: i64) {
    use user_api::crypto::{Column, FieldKeys};
    use user_api::verify::chain;
    let deks = crate::erasure::opened(data, customer);
    let id = user_api::types::CustomerId::parse(customer).unwrap();
    let fields = FieldKeys::derive(&id, deks.first().unwrap()).unwrap();
    let folder = namespace(data, "CustomerObject");
    let files = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let is_object = |path: &std::path::PathBuf| {
        path.file_name()
            .is_some_and(|name| name.len() == 64 + ".sqlite".len())
    };
    let files: Vec<_> = files.filter(is_object).collect();
    let [file] = files.as_slice() else {
        panic!("not one object")
    };
    let mut db = rusqlite::Connection::open(file).unwrap();
    let all = db.transaction().unwrap();
    let select = "SELECT seq, hash, header, detail FROM audit ORDER BY seq DESC LIMIT 1";
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
    let (seq, hash, header, _): (i64, Vec<u8>, String, Vec<u8>) = all.query_row(select, [], read).unwrap();
    let mut hash: [u8; 32] = hash.try_into().unwrap();
    let header: Value = serde_json::from_str(&header).unwrap();
    let detail = json!({"ip": "203.0.113.9", "jti": "0123456789abcdef0123456789abcdef", "userAgent":
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"});
    let detail = detail.to_string().into_bytes();
    {
        let mut insert = all
            .prepare("INSERT INTO audit (seq, header, detail, hash) VALUES (?1, ?2, ?3, ?4)")
            .unwrap();
        for seq in seq + 1..=seq + entries {
            let mut salt = [0; 32];
            salt[..8].copy_from_slice(&seq.to_be_bytes());
            let header = format!(
                "{{\"action\":\"customer.read\",\"actor\":{{\"id\":\"user_0123456789abcdef0123456789abcdef\",\"kind\":\"user\"}},\
                 \"at\":{},\"commitment\":\"{}\",\"customerId\":\"{customer}\",\"outcome\":\"ok\",\
                 \"requestId\":\"req_01a20a03084c7293bfe923cbffb88e3d\",\"seq\":{seq},\"target\":\"customer\",\"v\":1}}",
                header["at"],
                chain::hex(&chain::commitment(&salt, &detail))
            );
            hash = chain::link(&hash, &chain::leaf(header.as_bytes()));
            let stored = [&salt[..], &detail].concat();
            let mut nonce = [0; 24];
            nonce[..8].copy_from_slice(&seq.to_be_bytes());
            let stored = fields
                .seal_with(Column::AuditDetail, &seq.to_string(), &stored, nonce)
                .unwrap();
            insert.execute((seq, header, stored, &hash[..])).unwrap();
        }
    }
    all.commit().unwrap();
}
