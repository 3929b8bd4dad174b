//! The operator object: whose tokens are revoked, and the log of what concerns no single customer.

use crate::support::world::{NEW_YEAR, Seeded};
use crate::support::{Who, Workerd, World, admin, service};
use serde_json::{Map, Value, json};
use std::rc::Rc;
use user_api::caller::{Caller, Service};
use user_api::customer::errand::By;
use user_api::customer::idempotency::{IdempotencyKey, KEPT_MS, Payload, StoredReply};
use user_api::customer::request::Origin;
use user_api::customer::tokens::Target;
use user_api::customer::{self, audit::page::AuditQuery};
use user_api::error::Error;
use user_api::operator::errand::{Act, Answer, Errand, Repeat, What};
use user_api::operator::{MIGRATIONS, Operator};
use user_api::sql::{Sql, is_initialised, migrate};
use user_api::types::{Condition, RequestId, Timestamp};

struct Office {
    sql: Workerd,
    operator: Operator,
    now: i64,
    entropy: Seeded,
}

impl Office {
    fn new() -> Self {
        Self {
            sql: Workerd::new(),
            operator: Operator::new(Rc::new(World::config())).unwrap(),
            now: NEW_YEAR,
            entropy: Seeded(3),
        }
    }

    fn restart(&mut self) {
        self.operator = Operator::new(Rc::new(World::config())).unwrap();
        self.sql.reopen();
    }

    fn ask(&mut self, who: &Who, what: What) -> Answer {
        let errand = Errand { by: by(who), what };
        // As it travels.
        let errand: Errand = serde_json::from_slice(&serde_json::to_vec(&errand).unwrap()).unwrap();
        let (now, mut answer) = (Timestamp::from_millis(self.now), None);
        self.sql
            .transaction(&mut || {
                answer = Some(self.operator.handle(&self.sql, &errand, now, &mut self.entropy)?);
                Ok(())
            })
            .unwrap();
        answer.unwrap()
    }

    fn code(&mut self, who: &Who, what: What) -> &'static str {
        match self.ask(who, what) {
            Answer::Refused(refusal) => Error::from(refusal).code.as_str(),
            _ => "ok",
        }
    }

    fn check(&mut self, who: &Who) -> &'static str {
        self.code(who, What::Check)
    }

    fn log(&mut self) -> Vec<Value> {
        let query = AuditQuery {
            limit: 100,
            ..AuditQuery::default()
        };
        let Answer::Page(page) = self.ask(&fresh_admin(), What::ReadLog(query)) else {
            panic!("no page")
        };
        let page: Value = serde_json::from_str(&page).unwrap();
        page["data"].as_array().unwrap().clone()
    }
}

fn by(who: &Who) -> By {
    By {
        caller: who.0.clone(),
        origin: Origin {
            request_id: RequestId::parse("req_1").unwrap(),
            caller_request_id: None,
            ip: Some("203.0.113.9".to_owned()),
            user_agent: None,
        },
        fingerprint: None,
    }
}

fn with_jti(jti: &str) -> Who {
    admin().change(|user| user.jti = Some(jti.to_owned()))
}

/// One whose token no test revokes.
fn fresh_admin() -> Who {
    with_jti("fresh").change(|user| user.issued_at = 1_900_000_000)
}

fn service_token(jti: &str, issued_at: i64) -> Who {
    Who(Caller::Service(Service {
        id: "login".to_owned(),
        jti: Some(jti.to_owned()),
        issued_at: Some(issued_at),
    }))
}

fn revoke(jti: &str) -> What {
    What::Revoke {
        target: Target::Jti(jti.to_owned()),
    }
}

fn refused(act: Act) -> What {
    What::Note {
        act,
        refused: Some("invalid_cursor".to_owned()),
        detail: Map::new(),
    }
}

#[test]
fn a_check_where_nothing_was_ever_revoked_writes_nothing() {
    let mut office = Office::new();
    assert_eq!(office.check(&admin()), "ok");
    assert!(!is_initialised(&office.sql).unwrap());
}

#[test]
fn a_revoked_token_of_an_administrator_or_a_service_is_refused_from_then_on() {
    let mut office = Office::new();
    let token = service_token("s", 1_767_225_000);
    assert_eq!(office.code(&service(), revoke("a")), "ok");
    assert_eq!(office.code(&service(), revoke("s")), "ok");
    for restart in [false, true] {
        if restart {
            office.restart();
        }
        assert_eq!(office.check(&with_jti("a")), "token_revoked");
        assert_eq!(office.check(&token), "token_revoked");
        assert_eq!(office.code(&with_jti("a"), revoke("b")), "token_revoked");
        assert_eq!(office.check(&with_jti("b")), "ok");
        assert_eq!(office.check(&service()), "ok", "a service key is no token");
    }
}

#[test]
fn everything_issued_until_a_second_is_revoked_at_once_and_nothing_later() {
    let mut office = Office::new();
    let until = |seconds| What::Revoke {
        target: Target::NotBefore(seconds),
    };
    assert_eq!(
        office.code(&service(), until(NEW_YEAR / 1000 + 61)),
        "validation_failed"
    );
    assert_eq!(office.code(&service(), until(NEW_YEAR / 1000)), "ok");
    assert_eq!(
        office.check(&service_token("x", NEW_YEAR / 1000)),
        "token_revoked"
    );
    assert_eq!(office.check(&service_token("x", NEW_YEAR / 1000 + 1)), "ok");
    assert_eq!(office.check(&admin()), "token_revoked");
}

#[test]
fn nobody_else_is_served() {
    let mut office = Office::new();
    let user = Who::user("auth0|ada").email("owner@example.com");
    office.ask(&admin(), refused(Act::ListCustomers));
    assert_eq!(office.check(&user), "forbidden");
    assert_eq!(office.code(&user, revoke("a")), "forbidden");
}

#[test]
fn the_log_has_the_form_of_a_customer_s_under_its_own_chain_id_and_tells_no_e_mail() {
    let mut office = Office::new();
    let mut detail = Map::new();
    detail.insert("status".to_owned(), json!("active"));
    let list = What::Note {
        act: Act::ListCustomers,
        refused: None,
        detail,
    };
    office.ask(&admin(), list);
    office.ask(&service(), revoke("a"));
    let log = office.log();
    let brief: Vec<_> = log
        .iter()
        .map(|entry| {
            format!(
                "{} {} {}",
                entry["action"], entry["outcome"], entry["actor"]["kind"]
            )
            .replace('"', "")
        })
        .collect();
    assert_eq!(brief, ["tokens.revoke ok service", "customers.list ok admin"]);
    assert_eq!(log[1]["detail"]["status"], "active");
    assert_eq!(log[1]["detail"]["ip"], "203.0.113.9");
    assert!(log[1]["actor"]["id"].as_str().unwrap().starts_with("admin_"));
    let (mut previous, mut count) = (crate::support::chain::sha256(&[b"user-api/audit/v1|operator"]), 0);
    let rows: Vec<(String, Vec<u8>)> = office.sql.raw(|db| {
        let mut select = db.prepare("SELECT header, hash FROM audit ORDER BY seq").unwrap();
        let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        rows.unwrap().map(Result::unwrap).collect()
    });
    for (header, hash) in rows {
        let leaf = crate::support::chain::sha256(&[&[0], header.as_bytes()]);
        previous = crate::support::chain::sha256(&[&[1], &previous, &leaf]);
        assert_eq!(hash, previous);
        count += 1;
    }
    assert_eq!(count, 3, "reading the log is in the log");
}

#[test]
fn a_flood_of_refusals_becomes_few_entries_and_one_sum() {
    let mut office = Office::new();
    for _ in 0..500 {
        office.ask(&admin(), refused(Act::ListCustomers));
    }
    office.now += 60_000;
    let entries = office.log();
    // 10 singly; then 10, 20, 40, 80 and 160 in sums as they came, and the rest at the window's end.
    assert_eq!(entries.len(), 16);
    let sums: Vec<_> = entries
        .iter()
        .filter(|entry| entry["action"] == "requests.refused")
        .map(|entry| entry["detail"]["counts"]["invalid_cursor"].as_u64().unwrap())
        .collect();
    assert_eq!(sums, [180, 160, 80, 40, 20, 10]);
}

#[test]
fn what_is_due_is_done_by_the_tick() {
    let mut office = Office::new();
    for _ in 0..11 {
        office.ask(&admin(), refused(Act::ListCustomers));
    }
    office.ask(&service(), revoke("a"));
    assert_eq!(office.operator.due().unwrap().as_millis(), NEW_YEAR + 5_000);
    office.now += 86_400_000 + 60_000;
    let now = Timestamp::from_millis(office.now);
    office
        .operator
        .tick(&office.sql, now, &mut office.entropy)
        .unwrap();
    let retention = World::config().audit_retention_ms;
    assert_eq!(office.operator.due().unwrap().as_millis(), NEW_YEAR + retention);
    let held: i64 = office
        .sql
        .raw(|db| db.query_row("SELECT count(*) FROM revocations", [], |row| row.get(0)))
        .unwrap();
    assert_eq!(held, 0);
}

#[test]
fn details_go_once_they_were_kept_for_long_enough_and_the_chain_stays() {
    let mut office = Office::new();
    let retention = World::config().audit_retention_ms;
    office.ask(&service(), revoke("a"));
    office.now += retention - 1;
    office.ask(&service(), revoke("b"));
    let details = |office: &Office| -> Vec<bool> {
        office.sql.raw(|db| {
            let mut select = db
                .prepare("SELECT detail IS NOT NULL FROM audit ORDER BY seq")
                .unwrap();
            let rows = select.query_map([], |row| row.get(0)).unwrap();
            rows.map(Result::unwrap).collect()
        })
    };
    let tick = |office: &mut Office| {
        let now = Timestamp::from_millis(office.now);
        office
            .operator
            .tick(&office.sql, now, &mut office.entropy)
            .unwrap();
    };
    tick(&mut office);
    assert_eq!(details(&office), [true, true]);
    office.now += 1;
    for restart in [false, true] {
        if restart {
            office.restart();
        }
        tick(&mut office);
        assert_eq!(details(&office), [false, true]);
    }
    // The revocations that the entries tell of are dropped long before.
    office.now += 86_400_000 + 60_000;
    tick(&mut office);
    assert_eq!(
        office.operator.due().unwrap().as_millis(),
        NEW_YEAR + 2 * retention - 1
    );
    let log = office.log();
    assert!(log[1]["detail"].is_null() && log[1]["hash"].is_string());
    assert_eq!(log[1].get("unreadable"), None);
}

#[test]
fn its_tables_are_those_of_a_customer_to_the_letter() {
    let objects = |steps| {
        let sql = Workerd::new();
        migrate(&sql, steps).unwrap();
        sql.raw(|db| {
            let mut select = db
                .prepare("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name")
                .unwrap();
            let rows = select.query_map([], |row| row.get::<_, String>(0)).unwrap();
            rows.map(Result::unwrap).collect::<Vec<_>>()
        })
    };
    let (own, theirs) = (objects(MIGRATIONS), objects(customer::MIGRATIONS));
    assert!(own.len() > 6);
    for object in own.iter().filter(|object| !object.contains("TABLE data_key")) {
        assert!(theirs.contains(object), "{object}");
    }
}

fn repeat(key: &str, body: &str) -> Repeat {
    Repeat {
        key: IdempotencyKey::parse(key).unwrap(),
        method: "POST".to_owned(),
        path: "/internal/customers".to_owned(),
        payload: Payload::new(&Condition::default(), body.as_bytes()).unwrap(),
    }
}

fn reply(status: u16, body: &str) -> StoredReply {
    StoredReply {
        status,
        headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
        body: body.as_bytes().to_vec(),
    }
}

#[test]
fn a_service_s_repeated_request_is_answered_as_the_first_one_for_a_day() {
    let mut office = Office::new();
    let recall = || What::Recall(repeat("k", "a"));
    let keep = |status, body| What::Keep {
        repeat: repeat("k", "a"),
        reply: reply(status, body),
    };
    assert_eq!(office.ask(&service(), recall()), Answer::Done);
    // What another try can change is not kept.
    assert_eq!(office.ask(&service(), keep(503, "busy")), Answer::Done);
    assert_eq!(office.ask(&service(), recall()), Answer::Done);
    assert_eq!(office.ask(&service(), keep(201, "first")), Answer::Done);
    let first = Answer::Replay(reply(201, "first"));
    // Of two at the same time the first to be kept counts.
    assert_eq!(office.ask(&service(), keep(200, "second")), first);
    office.restart();
    assert_eq!(office.ask(&service(), recall()), first);
    assert_eq!(
        office.code(&service(), What::Recall(repeat("k", "b"))),
        "idempotency_key_reused"
    );
    assert_eq!(
        office.ask(&service(), What::Recall(repeat("other", "b"))),
        Answer::Done
    );
    assert_eq!(
        office.ask(&admin(), recall()),
        Answer::Done,
        "another caller's key"
    );
    assert!(office.operator.due().is_some());
    office.now += KEPT_MS;
    let now = Timestamp::from_millis(office.now);
    office
        .operator
        .tick(&office.sql, now, &mut office.entropy)
        .unwrap();
    let select = "SELECT count(*) FROM idempotency";
    let held: i64 = office
        .sql
        .raw(|db| db.query_row(select, [], |row| row.get(0)))
        .unwrap();
    assert_eq!(held, 0);
    assert_eq!(office.ask(&service(), recall()), Answer::Done);
}
