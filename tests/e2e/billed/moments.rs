//! What is billed at moments that are not every request's: waking up, the first of an hour or of a minute, alarms.

use super::scene::{Scene, THEIR_ALARMS, wake_directory};
use super::{agreed, row, told};
use crate::support::counted::{self, Billed};
use crate::support::http::{get, patch, post, put};
use crate::support::server::{Server, namespace, new_data, poll};
use crate::support::settings::{SERVICE_KEYS, Settings};
use crate::support::shared::new_customer;
use crate::support::token::Token;
use rusqlite::Connection;
use serde_json::json;
use std::fmt::Write as _;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const HOUR_MS: i64 = 3_600_000;
/// Counts of usage are written a minute after the first of them; an alarm may come a little late.
const ALARM_WITHIN: Duration = Duration::from_secs(100);
/// Requests of a flood that is refused.
const FLOOD: u64 = 100;

/// Makes everything in that customer's object older by an hour.
fn age(data: &TempDir, id: &str) {
    let folder = namespace(data, "CustomerObject");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_object = path
            .file_name()
            .is_some_and(|name| name.len() == 64 + ".sqlite".len());
        if !is_object {
            continue;
        }
        let sql = Connection::open(path).unwrap();
        let owner: Result<String, _> =
            sql.query_row("SELECT customer_id FROM customer", [], |row| row.get(0));
        if owner.is_ok_and(|owner| owner == id) {
            for table in ["customer", "users"] {
                let older = format!("UPDATE {table} SET last_seen_at = last_seen_at - ?");
                assert_eq!(sql.execute(&older, [HOUR_MS]).unwrap(), 1);
            }
        }
    }
}

/// A user's request that wakes its customer's object; `aged`, the last one was an hour ago.
fn woken(round: usize, aged: bool) -> Billed {
    let (settings, data) = (Settings::default(), new_data());
    let server = counted::start_in(&settings, &data);
    let scene = Scene::on(&server, &format!("woken-{round}"));
    scene.customer.get(&server, "/customer/me").expect(200);
    // One that is overdue would wake the object before the request does.
    std::thread::sleep(THEIR_ALARMS);
    server.stop();
    if aged {
        age(&data, &scene.customer.id);
    }
    let server = counted::start_in(&settings, &data);
    let (billed, _) = counted::of(&server, || {
        scene.customer.get(&server, "/customer/me").expect(200)
    });
    server.stop();
    billed
}

/// What is billed beyond another.
fn beyond(more: &Billed, less: &Billed) -> Billed {
    let mut beyond = more.since(&Billed::default());
    beyond.requests.clear();
    beyond.read -= less.read;
    beyond.written -= less.written;
    beyond
}

/// The alarm that writes the counts of usage, and the first request after it.
fn minute() -> (Billed, Billed) {
    let server = counted::start(&Settings::default());
    let made = post("/internal/customers", &new_customer("minute")).service_key(SERVICE_KEYS[0]);
    made.send(&server).expect(201);
    let token = Token::of("minute").hs256();
    let read = || get("/customer/me").bearer(&token).send(&server).expect(200);
    read();
    // Its making has an alarm of its own.
    std::thread::sleep(THEIR_ALARMS);
    let began = Instant::now();
    let mut before = counted::billed(&server);
    let after = loop {
        let now = counted::billed(&server);
        if now.alarms > before.alarms {
            break now;
        }
        assert!(began.elapsed() < ALARM_WITHIN, "no alarm came");
        before = now;
        std::thread::sleep(Duration::from_millis(500));
    };
    let alarm = after.since(&before);
    let (first, _) = counted::of(&server, read);
    server.stop();
    (alarm, first)
}

#[test]
fn every_moment_is_billed_what_the_page_on_costs_says() {
    let mut rows = String::new();
    let wake = agreed("waking up", |round| woken(round, false));
    let aged = agreed("the first of an hour", |round| woken(round, true));
    rows += &row("GET `/customer/me` by a user, which wakes the object", &wake, 1);
    rows += &row(
        "the same, what is more where it is the first of its hour",
        &beyond(&aged, &wake),
        0,
    );
    let (alarm, first) = minute();
    rows += &row(
        "the alarm that writes the counts of usage a minute later",
        &alarm,
        0,
    );
    rows += &row("GET `/customer/me` by a user, the first after that", &first, 1);
    let server = counted::start(&Settings::default());
    wake_directory(&server);
    for (number, (what, measure)) in MOMENTS.iter().enumerate() {
        let billed = agreed(what, |round| {
            measure(&server, &format!("moment-{number}-{round}"))
        });
        rows += &row(what, &billed, 1);
    }
    let refused = flood(&server);
    let _ = write!(
        rows,
        "{}",
        row("the same, 100 of them within a second", &refused, FLOOD)
    );
    server.stop();
    told("Moment", &rows);
}

type Moment = (&'static str, fn(&Server, &str) -> Billed);

/// Requests of a kind, each on a customer of its own.
const MOMENTS: &[Moment] = &[
    ("GET `/customer/me` by an API key", |server, id| {
        let scene = Scene::on(server, id);
        scene.key.get(server, "/customer/me").expect(200);
        counted::of(server, || scene.key.get(server, "/customer/me").expect(200)).0
    }),
    (
        "GET `/customer/me` by a user who has no account yet",
        |server, id| {
            let token = Token::of(id).hs256();
            counted::of(server, || {
                get("/customer/me").bearer(&token).send(server).expect(200)
            })
            .0
        },
    ),
    (
        "POST `/internal/customers` by a service's key, for a customer that is not there yet",
        |server, id| {
            let made = post("/internal/customers", &new_customer(id)).service_key(SERVICE_KEYS[0]);
            counted::of(server, || made.send(server).expect(201)).0
        },
    ),
    (
        "PATCH `/customer/me` by a user, with an `Idempotency-Key`",
        |server, id| {
            let scene = Scene::on(server, id);
            scene.customer.get(server, "/customer/me").expect(200);
            let change = patch("/customer/me", &json!({"name": "Ada"})).bearer(&scene.customer.token);
            let change = change.idempotency_key("idempotency-key-1");
            counted::of(server, || change.send(server).expect(200)).0
        },
    ),
    (
        "GET `/customer/me` by a user, refused by a limit (429)",
        |server, id| {
            let scene = tight(server, id);
            counted::of(server, || scene.customer.get(server, "/customer/me").expect(429)).0
        },
    ),
];

/// A customer that meets its limit with every request.
fn tight(server: &Server, id: &str) -> Scene {
    let scene = Scene::on(server, id);
    let path = format!("/admin/customers/{id}/limits");
    let limits = put(&path, &json!([{"name": "burst", "q": 1, "w": 86_400}]));
    limits.bearer(&scene.admin).send(server).expect(200);
    poll("the limit is met", || {
        (scene.customer.get(server, "/customer/me").status == 429).then_some(())
    });
    scene
}

fn flood(server: &Server) -> Billed {
    agreed("a flood", |round| {
        let scene = tight(server, &format!("flood-{round}"));
        let refused =
            || (0..FLOOD).for_each(|_| drop(scene.customer.get(server, "/customer/me").expect(429)));
        counted::of(server, refused).0
    })
}
