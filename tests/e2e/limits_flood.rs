//! A flood of requests that are refused: it writes little, and others do not notice.

use crate::concurrency::at_once;
use crate::limits::with_day;
use crate::support::audit::verify;
use crate::support::http::get;
use crate::support::integration::{admin, readings, revocation};
use crate::support::server::Server;
use crate::support::settings::Settings;
use crate::support::shared::Customer;
use crate::support::store;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How many refusals the flood has.
const REFUSALS: usize = 3000;
/// What may be written in each minute of it: ten entries, one for each doubling of their number, and one for the rest.
const PER_MINUTE: u64 = 10 + (REFUSALS / 10).ilog2() as u64 + 1;

/// The rows of every table of a customer's object.
fn rows(data: &tempfile::TempDir, customer: &Customer) -> BTreeMap<String, i64> {
    let object = store::customer(data, &customer.id);
    let tables = object
        .sql
        .prepare(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\'",
        )
        .unwrap()
        .query_map([], |row| row.get::<_, String>(0))
        .unwrap()
        .collect::<Result<Vec<_>, _>>()
        .unwrap();
    tables
        .into_iter()
        .map(|table| (table.clone(), object.count(&table)))
        .collect()
}

/// Floods, and tells how long that took.
fn flood(server: &Server, token: &str, status: u16) -> Duration {
    let began = Instant::now();
    let answers = at_once(20, |_| readings(server, token, REFUSALS / 20));
    assert!(answers.iter().flatten().all(|answer| answer.status == status));
    began.elapsed()
}

fn assert_little_was_written(before: &BTreeMap<String, i64>, after: &BTreeMap<String, i64>, took: Duration) {
    let minutes = took.as_secs() / 60 + 2;
    // Beside the log: a row for each kind of count, and no row for each refusal.
    let most = i64::try_from(PER_MINUTE * minutes).unwrap();
    for (table, count) in after {
        let more = count - before.get(table).copied().unwrap_or(0);
        assert!(more <= most, "{more} rows more in {table} after {took:?}");
    }
}

/// A change and a look of a customer; how long they take.
fn serve_once(server: &Server, customer: &Customer) -> Duration {
    let began = Instant::now();
    let change = json!({"metadata": {"round": format!("{began:?}")}});
    customer.patch(server, &change).expect(200);
    customer.get(server, "/customer/me").expect(200);
    began.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

#[test]
fn a_flood_over_the_limit_writes_few_rows_and_stops_no_other_customer() {
    let server = Server::start(&Settings::default());
    let (flooder, other) = (with_day(&server, 1), Customer::on(&server));
    flooder.get(&server, "/customer/me").expect(200);
    flooder.get(&server, "/customer/me").expect(429);
    let before = rows(server.data(), &flooder);
    let (mut alone, mut beside, mut took) = (Vec::new(), Vec::new(), Duration::ZERO);
    // By turns, so that whatever else the machine does meets both.
    for _ in 0..3 {
        alone.extend((0..30).map(|_| serve_once(&server, &other)));
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let served = scope.spawn(|| {
                let mut served = Vec::new();
                while !over.load(Ordering::SeqCst) {
                    served.push(serve_once(&server, &other));
                }
                served
            });
            took += flood(&server, &flooder.token, 429);
            over.store(true, Ordering::SeqCst);
            beside.extend(served.join().unwrap());
        });
    }
    // Twenty others are at it on the same processor: what is shared evenly takes 21 times as long. Three times that.
    let (alone, beside) = (median(alone), median(beside));
    assert!(
        beside < alone * 63,
        "another customer waits {beside:?} beside a flood and {alone:?} without"
    );
    let data = server.data().clone();
    server.stop();
    assert_little_was_written(&before, &rows(&data, &flooder), took);
    verify(&store::customer(&data, &flooder.id), &flooder.id);
}

#[test]
fn a_flood_with_a_revoked_token_writes_few_rows() {
    let server = Server::start(&Settings::default());
    let customer = Customer::on(&server);
    customer.get(&server, "/customer/me").expect(200);
    let everything = revocation(&customer.token, &json!({"all": true}));
    everything.send(&server).expect(204);
    let before = rows(server.data(), &customer);
    let took = flood(&server, &customer.token, 401);
    let data = server.data().clone();
    server.stop();
    assert_little_was_written(&before, &rows(&data, &customer), took);
    verify(&store::customer(&data, &customer.id), &customer.id);
}

#[test]
fn an_object_that_is_gone_before_the_window_ends_has_told_of_most_of_a_flood() {
    let server = Server::start(&Settings::default());
    let customer = Customer::on(&server);
    customer.get(&server, "/customer/me").expect(200);
    let everything = revocation(&customer.token, &json!({"all": true}));
    everything.send(&server).expect(204);
    flood(&server, &customer.token, 401);
    // Nothing of its memory is left, as after an eviction.
    let data = Arc::clone(server.data());
    server.crash();
    let server = Server::start_in(&Settings::default(), &data);
    let told = |query: &str| {
        let path = format!("/admin/customers/{}/audit?limit=100&{query}", customer.id);
        let page = get(&path).bearer(&admin()).send(&server).ok();
        page["data"].as_array().unwrap().clone()
    };
    let single = told("outcome=token_revoked").len() as u64;
    let summed: u64 = told("action=requests.refused")
        .iter()
        .map(|entry| entry["detail"]["counts"]["token_revoked"].as_u64().unwrap())
        .sum();
    assert!(
        single >= 10 && (single + summed) * 2 >= REFUSALS as u64,
        "{single} entries and {summed} summed, of {REFUSALS}"
    );
    server.stop();
}
