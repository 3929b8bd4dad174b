//! What the platform bills for every operation, as its own cursors report it: `docs/COST.md` tells it, and this test
//! holds that page. `UPDATE_DOCS=1 cargo test --test e2e billed` rewrites its tables after a change that is meant.

mod growth;
mod moments;
mod scene;

use crate::support::counted::{self, Billed};
use crate::support::server::Server;
use crate::support::settings::Settings;
use scene::{Scene, Who};
use std::path::Path;
use user_api::edge::route::Route;

/// Times that an operation is measured at most until two of them agree: an hour may begin in between.
const ROUNDS: usize = 6;

/// Dollars of a million, in thousandths: a request to the worker, one to an object, a row written, a row read.
const PRICES: [u64; 4] = [300, 150, 1_000, 1];

/// One row of a table: what is billed, and what that costs.
fn row(what: &str, billed: &Billed, requests: u64) -> String {
    let [request, object, written, read] = PRICES;
    let price =
        requests * request + billed.objects() * object + billed.written * written + billed.read * read;
    let (dollars, thousandths) = (price / 1_000, price % 1_000);
    let objects: Vec<_> = billed
        .requests
        .iter()
        .map(|(class, count)| match class.as_str() {
            "CustomerObject" => format!("{count} customer"),
            "DirectoryObject" => format!("{count} directory"),
            "OperatorObject" => format!("{count} operator"),
            "KeyVaultObject" => format!("{count} vault"),
            other => panic!("{other} has no word"),
        })
        .collect();
    let objects = if objects.is_empty() {
        "none".to_owned()
    } else {
        objects.join(", ")
    };
    format!(
        "| {what} | {objects} | {} | {} | {dollars}.{thousandths:03} |\n",
        billed.written, billed.read
    )
}

/// What is measured until two times of it agree.
fn agreed(what: &str, mut measure: impl FnMut(usize) -> Billed) -> Billed {
    let mut seen = Vec::new();
    for round in 0..ROUNDS {
        let billed = measure(round);
        if seen.contains(&billed) {
            return billed;
        }
        seen.push(billed);
    }
    panic!("{what} is never billed the same twice: {seen:#?}");
}

/// What a warm operation is billed.
fn warm(server: Option<&Server>, route: Route) -> (Who, Billed) {
    let who = scene::asked(route).0;
    let billed = agreed(&format!("{route:?}"), |round| {
        // What lists customers or reads the operators' log must find the same ones each time.
        let own = server.is_none().then(|| counted::start(&Settings::default()));
        let server = server.or(own.as_ref()).unwrap();
        let mut scene = Scene::on(server, &format!("billed-{route:?}-{round}").to_lowercase());
        scene.prepare(server, route);
        let (billed, answer) = counted::of(server, || scene.request(route).send(server));
        assert!((200..300).contains(&answer.status), "{}", answer.describe());
        billed
    });
    (who, billed)
}

/// Replaces the table of the page that follows `head` by `rows`, or compares it.
fn told(head: &str, rows: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/COST.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let head = format!(
        "| {head} | Requests to objects | Rows written | Rows read | $ a million |\n|---|---|---|---|---|\n"
    );
    let (before, after) = page.split_once(&head).expect("the head of the table");
    let end = after
        .split_inclusive('\n')
        .take_while(|line| line.starts_with('|'))
        .map(str::len)
        .sum();
    let (table, rest) = after.split_at(end);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{head}{rows}{rest}")).unwrap();
    } else {
        assert_eq!(table, rows, "docs/COST.md does not tell what is billed");
    }
}

#[test]
fn every_operation_is_billed_what_the_page_on_costs_says() {
    let shared = counted::start(&Settings::default());
    scene::wake_directory(&shared);
    let rows = Route::ALL.iter().map(|&route| {
        let of_all = matches!(
            route,
            Route::ListCustomers | Route::GetOperatorLog | Route::ImportRecords | Route::Rewrap
        );
        let (who, billed) = warm((!of_all).then_some(&shared), route);
        let what = format!(
            "{} `{}` {}",
            route.method().as_str(),
            route.pattern(),
            who.as_str()
        );
        row(what.trim_end(), &billed, 1)
    });
    let rows: String = rows.collect();
    shared.stop();
    told("Operation", &rows);
}

/// The hottest of all requests, by the numbers that it may have at most.
#[test]
fn a_warm_read_of_the_customer_asks_one_object_writes_one_row_and_reads_none() {
    let server = counted::start(&Settings::default());
    let (_, billed) = warm(Some(&server), Route::GetCustomer);
    assert_eq!(
        (billed.objects(), billed.written, billed.read),
        (1, 1, 0),
        "{billed:?}"
    );
    server.stop();
}
