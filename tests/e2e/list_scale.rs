//! What a page of the list costs on workerd where the directory holds 100,000 customers. It measures, so it is run by
//! itself on a quiet machine: `cargo test --release --test e2e list_scale -- --ignored --nocapture`.

use crate::support::http::get;
use crate::support::integration::admin;
use crate::support::server::{Server, namespace, new_data};
use crate::support::settings::Settings;
use crate::support::shared::Customer;
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use user_api::directory::shard::Shard;
use user_api::types::{CustomerId, Timestamp};

const SHARDS: u32 = 16;
/// Real customers, so that each shard is there.
const REAL: usize = 200;
/// Listed a millisecond apart, from 2020 on.
const BORN: i64 = 1_577_836_800_000;
const LIMIT: i64 = 100;
const ROUNDS: usize = 25;

fn id(number: i64) -> CustomerId {
    CustomerId::parse(&format!("cust_{number:032x}")).unwrap()
}

/// The databases of the list, by the number of their shard.
fn shards(data: &TempDir) -> BTreeMap<u32, PathBuf> {
    let folder = namespace(data, "DirectoryObject");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let number = |path: &PathBuf| {
        let sql = Connection::open(path).ok()?;
        let select = "SELECT customer_id FROM customers LIMIT 1";
        let known: String = sql.query_row(select, [], |row| row.get(0)).ok()?;
        Some(Shard::of_customer(&CustomerId::parse(&known)?, SHARDS).number)
    };
    files
        .filter(|path| path.extension().is_some_and(|ending| ending == "sqlite"))
        .filter_map(|path| Some((number(&path)?, path)))
        .collect()
}

/// Lists customers of these numbers, as their own objects would have it done.
fn list(data: &TempDir, numbers: std::ops::Range<i64>) {
    let mut by_shard = BTreeMap::<u32, Vec<i64>>::new();
    for number in numbers {
        let shard = Shard::of_customer(&id(number), SHARDS).number;
        by_shard.entry(shard).or_default().push(number);
    }
    for (shard, path) in shards(data) {
        let mut sql = Connection::open(path).unwrap();
        let all = sql.transaction().unwrap();
        for number in by_shard.remove(&shard).unwrap_or_default() {
            let insert = "INSERT INTO customers (customer_id, rev, created_at, status, plan, email_index) \
                          VALUES (?, 1, ?, 'active', 'free', randomblob(32))";
            let mut insert = all.prepare_cached(insert).unwrap();
            insert.execute((id(number).as_str(), BORN + number)).unwrap();
        }
        all.commit().unwrap();
    }
    assert!(by_shard.is_empty(), "a shard is not there");
}

/// The least time of a page that begins before the customer of that number, and the same for the page after it.
fn time(server: &Server, number: i64, filter: &str) -> (Duration, Duration) {
    let before = Timestamp::from_millis(BORN + number).to_rfc3339();
    let first = format!("/admin/customers?limit={LIMIT}&createdBefore={before}{filter}");
    let timed = |path: &str| {
        let started = Instant::now();
        let page = get(path).bearer(&admin()).send(server).ok();
        assert_eq!(page["hasMore"], true);
        (started.elapsed(), page["nextCursor"].as_str().unwrap().to_owned())
    };
    let cursor = timed(&first).1;
    let next = format!("{first}&cursor={cursor}");
    timed(&next);
    // The least of many is what it costs; the rest is what else the machine does.
    let least = |path: &str| (0..ROUNDS).map(|_| timed(path).0).min().unwrap();
    (least(&first), least(&next))
}

#[test]
#[ignore = "it measures: run it by itself, on a quiet machine"]
fn a_page_of_100_000_customers_costs_what_one_of_1_000_does_wherever_it_lies() {
    let (settings, data) = (Settings::default(), new_data());
    let server = Server::start_in(&settings, &data);
    for _ in 0..REAL {
        Customer::on(&server);
    }
    server.stop();
    assert_eq!(shards(&data).len(), 16);
    list(&data, 0..1_000);
    let server = Server::start_in(&settings, &data);
    let (few, _) = time(&server, 1_000, "");
    println!("1,000 customers, the first page: {few:?}");
    server.stop();
    list(&data, 1_000..100_000);
    let bytes: u64 = shards(&data)
        .values()
        .map(|path| fs::metadata(path).unwrap().len())
        .sum();
    println!("100,000 customers, the shards of the list: {bytes} bytes");
    let server = Server::start_in(&settings, &data);
    for filter in ["", "&status=active&plan=free"] {
        let mut worst = Duration::ZERO;
        let (first, _) = time(&server, 100_000, filter);
        for number in [100_000, 75_000, 50_000, 25_000, 1_000] {
            let (page, next) = time(&server, number, filter);
            println!(
                "100,000 customers, {} pages deep{filter}: {page:?}, by cursor {next:?}",
                (100_000 - number) / LIMIT
            );
            worst = worst.max(page).max(next);
        }
        assert!(worst < first * 2, "the depth shows");
        assert!(worst < few * 2, "the number of customers shows");
    }
    server.stop();
}
