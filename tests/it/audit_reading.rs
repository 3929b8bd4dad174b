//! Reading the audit log: pages, filters, cursors, who sees what, what it costs, and the signed head.

use crate::support::people::CUSTOMER;
use crate::support::world::HOUR;
use crate::support::{Who, World, ada, admin, bob};
use serde_json::{Value, json};
use user_api::customer::request::Reply;
use user_api::edge::route::Route;
use user_api::error::Code;
use user_api::verify::extension::Extension;
use user_api::verify::{Checkpoint, PublicKeys, chain};

fn owner() -> Who {
    Who::user("auth0|owner").email("owner@example.com")
}

fn page(world: &mut World, who: &Who, query: &str) -> Value {
    world.json(&who.queries(Route::ListAudit, query))
}

fn seqs(page: &Value) -> Vec<i64> {
    let data = page["data"].as_array().unwrap();
    data.iter().map(|entry| entry["seq"].as_i64().unwrap()).collect()
}

/// All pages from the newest entry that the first one shows.
fn all(world: &mut World, filters: &str) -> Vec<i64> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    for _ in 0..200 {
        let next = page(world, &ada(), &format!("{filters}{cursor}"));
        found.extend(seqs(&next));
        let Some(text) = next["nextCursor"].as_str() else {
            assert_eq!(next["hasMore"], false);
            return found;
        };
        assert_eq!(next["hasMore"], true);
        cursor = format!("&cursor={text}");
    }
    panic!("the pages never end");
}

#[test]
fn pages_hold_every_entry_once_newest_first_while_the_log_grows() {
    let mut world = World::new();
    for _ in 0..37 {
        world.send(&ada().asks(Route::GetCustomer));
    }
    // Each page logs itself, and yet none is shown twice or left out.
    for limit in [1, 7, 10, 11, 100] {
        let newest = world.count("audit");
        let found = all(&mut world, &format!("limit={limit}"));
        assert_eq!(found, (1..=newest).rev().collect::<Vec<_>>(), "limit {limit}");
    }
}

#[test]
fn an_entry_is_shown_as_the_log_holds_it_and_reading_is_logged() {
    let mut world = World::new();
    world.send(&ada().says(Route::PatchCustomer, &json!({"name": "New"})));
    let listed = page(&mut world, &ada(), "limit=1");
    let log = world.log();
    let entry = &log[1];
    assert_eq!(
        listed["data"][0],
        json!({
            "seq": 2, "at": entry.header["at"], "actor": entry.header["actor"], "action": "customer.update",
            "target": "customer", "outcome": "ok", "requestId": "req_1", "hash": listed["data"][0]["hash"],
            "detail": entry.detail,
        })
    );
    let one = world.json(&ada().sends_to(Route::GetAuditEntry, "2", b""));
    assert_eq!(one, listed["data"][0]);
    world.json(&ada().asks(Route::GetAuditHead));
    assert_eq!(
        world.briefs(2),
        ["audit.list ok user", "audit.read ok user", "audit.head ok user"]
    );
    for missing in ["6", "0", "01", "-1", "x", "99999999999999999999"] {
        let request = ada().sends_to(Route::GetAuditEntry, missing, b"");
        assert_eq!(world.refusal(&request), Code::AuditEntryNotFound, "{missing}");
    }
}

#[test]
fn filters_find_what_they_say_and_nothing_else() {
    let mut world = World::new();
    let start = world.now;
    for step in 0..30 {
        world.now = start + step * HOUR;
        match step % 3 {
            0 => world.send(&ada().asks(Route::GetCustomer)),
            1 => world.send(&bob().says(Route::PatchUser, &json!({"displayName": format!("B{step}")}))),
            _ => world.send(&bob().says(Route::PatchCustomer, &json!({"plan": "pro"}))),
        };
    }
    let log = world.log();
    let bob_id = log[2].header["actor"]["id"].as_str().unwrap().to_owned();
    let upto = log.len();
    let wanted = |test: &dyn Fn(&Value) -> bool| -> Vec<i64> {
        let found = log.iter().filter(|entry| test(&entry.header));
        found
            .map(|entry| entry.header["seq"].as_i64().unwrap())
            .rev()
            .collect()
    };
    let mut found = |filters: &str| -> Vec<i64> {
        let found = all(&mut world, &format!("limit=4&{filters}"));
        found.into_iter().filter(|seq| *seq <= upto as i64).collect()
    };
    assert_eq!(
        found("action=customer.read"),
        wanted(&|h| h["action"] == "customer.read")
    );
    assert_eq!(
        found(&format!("actor={bob_id}")),
        wanted(&|h| h["actor"]["id"] == *bob_id)
    );
    assert_eq!(found("actor=service"), [1]);
    assert_eq!(
        found("outcome=field_not_writable"),
        wanted(&|h| h["outcome"] == "field_not_writable")
    );
    assert_eq!(found("action=nothing.such"), [0; 0]);
    let time = |step: i64| user_api::types::Timestamp::from_millis(start + step * HOUR).to_rfc3339();
    let range = format!("from={}&to={}", time(10), time(13));
    assert_eq!(found(&range), [14, 13, 12]);
    assert_eq!(found(&format!("{range}&action=user.update")), [12]);
    assert_eq!(found(&format!("to={}", time(0))), [1]);
    assert_eq!(found("from=2099-01-01T00:00:00Z"), [0; 0]);
}

#[test]
fn a_forged_or_misplaced_cursor_and_a_wrong_query_are_refused() {
    let mut world = World::new();
    for _ in 0..9 {
        world.send(&ada().asks(Route::GetCustomer));
    }
    let cursor = page(&mut world, &ada(), "limit=2")["nextCursor"]
        .as_str()
        .unwrap()
        .to_owned();
    page(&mut world, &ada(), &format!("limit=5&cursor={cursor}"));
    for bad in [
        format!("cursor={cursor}x"),
        format!("cursor=z{}", cursor.chars().skip(1).collect::<String>()),
        "cursor=5".to_owned(),
        format!("action=customer.read&cursor={cursor}"),
    ] {
        assert_eq!(
            world.refusal(&ada().queries(Route::ListAudit, &bad)),
            Code::InvalidCursor,
            "{bad}"
        );
    }
    for bad in [
        "limit=0",
        "limit=101",
        "x=1",
        "from=monday",
        "action=a%20b",
        "limit=1&limit=1",
    ] {
        assert_eq!(
            world.refusal(&ada().queries(Route::ListAudit, bad)),
            Code::ValidationFailed,
            "{bad}"
        );
    }
    for (bad, code) in [
        ("since=99", Code::MalformedRequest),
        ("since=-1", Code::ValidationFailed),
        ("since=x", Code::ValidationFailed),
        ("limit=1", Code::ValidationFailed),
    ] {
        assert_eq!(
            world.refusal(&ada().queries(Route::GetAuditHead, bad)),
            code,
            "{bad}"
        );
    }
    assert_eq!(
        world.briefs(0).last().unwrap(),
        "audit.head validation_failed user"
    );
}

#[test]
fn an_administrator_reads_any_customers_log_and_is_seen_doing_it() {
    let mut world = World::new();
    world.send(&admin().says(
        Route::AdminPutLimits,
        &json!([{"name": "burst", "q": 5, "w": 60}]),
    ));
    let request = admin().sends_to(Route::AdminListAudit, CUSTOMER, b"");
    let listed = world.json(&request);
    assert_eq!(listed["data"][0]["detail"]["ip"], "203.0.113.9");
    let seen = page(&mut world, &owner(), "actor=admin");
    assert_eq!(seqs(&seen), [3, 2]);
    let id = seen["data"][0]["actor"]["id"].as_str().unwrap();
    assert!(id.starts_with("admin_") && seen["data"][0]["action"] == "audit.list");
    assert_eq!(seen["data"][0]["detail"], json!({}));
    assert!(seen["data"][1]["detail"]["changed"].is_object());
}

#[test]
fn a_member_learns_of_others_who_and_what_but_not_from_where() {
    let mut world = World::new();
    world.send(&bob().says(Route::PatchUser, &json!({"displayName": "Bobby"})));
    let of_bob = |page: Value| page["data"].as_array().unwrap().last().unwrap()["detail"].clone();
    let for_ada = of_bob(page(&mut world, &ada(), "action=user.update"));
    assert_eq!(for_ada, json!({"jti": "jti-of-the-token"}));
    for who in [bob(), owner()] {
        let full = of_bob(page(&mut world, &who, "action=user.update"));
        assert_eq!(full["ip"], "203.0.113.9");
        assert_eq!(full["changed"]["displayName"]["after"], "Bobby");
    }
}

#[test]
fn a_suspended_customer_still_reads_its_log_and_an_erased_one_does_not() {
    let mut world = World::new();
    world.set_status("suspended");
    for route in [Route::ListAudit, Route::GetAuditHead] {
        world.json(&ada().asks(route));
    }
    world.set_status("erased");
    assert_eq!(world.refusal(&ada().asks(Route::ListAudit)), Code::CustomerErased);
}

/// Fills the log by hand, with entries of one hour each that nobody could have read one by one.
fn fill(world: &mut World, entries: i64) {
    let head: i64 = world.count("audit");
    world.sql.raw(|db| {
        db.execute_batch("BEGIN").unwrap();
        let mut insert = db
            .prepare("INSERT INTO audit (header, detail, hash) VALUES (?1, zeroblob(40), zeroblob(32))")
            .unwrap();
        for seq in head + 1..=head + entries {
            let at = user_api::types::Timestamp::from_millis(world.now + seq * 1000).to_rfc3339();
            let header = format!(
                r#"{{"action":"customer.read","actor":{{"id":"user_x","kind":"user"}},"at":"{at}","outcome":"ok","seq":{seq}}}"#
            );
            insert.execute([header]).unwrap();
        }
        drop(insert);
        db.execute_batch("COMMIT; UPDATE audit SET detail = NULL WHERE length(detail) = 40").unwrap();
    });
    world.now += (head + entries + 10) * 1000;
    world.restart();
    world.send(&ada().asks(Route::GetCustomer));
}

/// Steps of the engine's machine, and rows that came out: what a page costs.
fn cost(world: &mut World, query: &str) -> (u64, u64) {
    world.sql.forget_counts();
    page(world, &ada(), query);
    (world.sql.engine_steps.get(), world.sql.rows_read.get())
}

#[test]
fn a_page_costs_the_same_however_long_the_log_is_and_however_deep_the_page_lies() {
    let mut small = World::new();
    fill(&mut small, 200);
    let mut large = World::new();
    fill(&mut large, 120_000);
    let (few, _) = cost(&mut small, "limit=20");
    let (many, rows) = cost(&mut large, "limit=20");
    assert!(many <= few + few / 10, "{many} steps instead of {few}");
    assert!(rows <= 20, "{rows} rows");
    // Deep: a moment near the beginning, and on from there by cursor. The bisection adds its steps, 2 log n.
    let to = user_api::types::Timestamp::from_millis(crate::support::world::NEW_YEAR + 500_000).to_rfc3339();
    let query = format!("limit=20&to={to}");
    let (deep, rows) = cost(&mut large, &query);
    assert!(deep <= few * 2 && rows <= 20 + 18, "{deep} steps, {rows} rows");
    let cursor = page(&mut large, &ada(), &query)["nextCursor"]
        .as_str()
        .unwrap()
        .to_owned();
    let (next, _) = cost(&mut large, &format!("{query}&cursor={cursor}"));
    assert!(next <= few * 2, "{next} steps");
}

#[test]
fn a_filtered_page_looks_at_ten_thousand_entries_and_no_more() {
    let mut world = World::new();
    fill(&mut world, 25_000);
    let query = "limit=20&action=customer.create";
    let (ten_thousand, _) = cost(&mut world, query);
    let first = page(&mut world, &ada(), query);
    assert_eq!(seqs(&first), [0; 0]);
    assert_eq!(first["hasMore"], true);
    assert!(ten_thousand < 10_000 * 40, "{ten_thousand} steps");
    assert_eq!(all(&mut world, query), [1]);
    let mut larger = World::new();
    fill(&mut larger, 60_000);
    let (steps, _) = cost(&mut larger, query);
    assert!(
        steps <= ten_thousand + ten_thousand / 10,
        "{steps} instead of {ten_thousand}"
    );
}

fn keys() -> PublicKeys {
    let seeds = [("1", &[8; 32])];
    user_api::crypto::SigningKeys::new(seeds.into_iter())
        .unwrap()
        .public()
        .clone()
}

#[test]
fn an_older_head_is_extended_by_leaves_to_the_signed_one() {
    let mut world = World::new();
    world.send(&ada().asks(Route::GetCustomer));
    let open = |head: &Value| {
        Checkpoint::open(head["checkpoint"].as_str().unwrap(), &keys())
            .unwrap()
            .0
    };
    let old = open(&world.json(&ada().asks(Route::GetAuditHead)));
    assert_eq!((old.seq, old.customer_id.as_str()), (2, CUSTOMER));
    for _ in 0..5 {
        world.send(&ada().asks(Route::GetUser));
    }
    let head = world.json(&ada().queries(Route::GetAuditHead, "since=2"));
    let new = open(&head);
    assert_eq!(
        (new.seq, head["seq"].as_u64(), head.get("nextSince")),
        (8, Some(8), None)
    );
    let mut hash = old.hash;
    for leaf in head["leaves"].as_array().unwrap() {
        hash = chain::link(&hash, &chain::unhex(leaf.as_str().unwrap()).unwrap());
    }
    assert_eq!(hash, new.hash);
    assert_eq!(head["hash"], chain::hex(&hash));
    let keys = keys();
    let mut extension = Extension::new(&old, &keys);
    extension.feed(head.to_string().as_bytes()).unwrap();
    assert_eq!(extension.finish().unwrap(), (new, "1".to_owned()));
    let log = world.log();
    assert_eq!(head["at"], log[7].header["at"]);
}

#[test]
fn the_leaves_of_a_long_stretch_come_in_several_answers() {
    let mut world = World::new();
    fill(&mut world, 25_000);
    let (mut since, mut leaves) = (0, 0);
    loop {
        let head = world.json(&ada().queries(Route::GetAuditHead, &format!("since={since}")));
        let some = head["leaves"].as_array().unwrap().len();
        assert!(some <= 10_000);
        leaves += some as i64;
        match head["nextSince"].as_i64() {
            Some(next) => since = next,
            None => break assert_eq!(leaves, head["seq"].as_i64().unwrap()),
        }
    }
}

#[test]
fn a_page_of_large_entries_ends_early_and_goes_on() {
    let mut world = World::new();
    let value = "x".repeat(490);
    let metadata = |round: usize| -> Value {
        (0..50)
            .map(|n| (format!("key{n}"), json!(format!("{round}{}", value))))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    for round in 0..60 {
        let body = json!({"metadata": metadata(round)});
        assert!(matches!(
            world.send(&owner().says(Route::PatchCustomer, &body)),
            Reply::Content { .. }
        ));
    }
    let Reply::Content { body, .. } = world.send(&owner().queries(Route::ListAudit, "limit=100")) else {
        panic!("no content")
    };
    let listed: Value = serde_json::from_slice(&body).unwrap();
    assert!(body.len() < 2 << 20 && listed["hasMore"] == true && seqs(&listed).len() < 60);
    assert_eq!(
        all(&mut world, "limit=100").len() as i64,
        world.count("audit") - 3
    );
}
