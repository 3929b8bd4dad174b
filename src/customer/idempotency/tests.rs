//! Keys against what they promise, by cases and by a model.

use super::*;
use crate::crypto::Dek;
use crate::customer::test_sql::TestSql;
use crate::types::{CustomerId, Tags};
use proptest::prelude::*;
use std::collections::HashMap;

/// Counts up, so that every nonce is another one.
struct Counter(u8);

impl Entropy for Counter {
    fn fill(&mut self, out: &mut [u8]) -> Result<()> {
        self.0 = self.0.wrapping_add(1);
        out.fill(self.0);
        Ok(())
    }
}

struct World {
    sql: TestSql,
    keys: FieldKeys,
    held: Idempotency,
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000 + ms)
}

fn actor(id: &str) -> Actor {
    Actor {
        id: id.to_owned(),
        kind: "user",
    }
}

fn scope(key: &str) -> Scope {
    let key = IdempotencyKey::parse(key).unwrap();
    Scope::new(&actor("user_0123456789ab"), "POST", "/customer/me/api-keys", &key)
}

fn payload(body: &str) -> Payload {
    Payload::new(&Condition::default(), body.as_bytes()).unwrap()
}

fn reply(status: u16, body: &str) -> StoredReply {
    StoredReply {
        status,
        headers: vec![("ETag".into(), "\"00.1\"".into())],
        body: body.as_bytes().to_vec(),
    }
}

impl World {
    fn new() -> Self {
        let sql = TestSql::new();
        let id = CustomerId::parse("cust_1").unwrap();
        Self {
            keys: FieldKeys::derive(&id, &Dek::new([7; 32])).unwrap(),
            held: Idempotency::load(&sql).unwrap(),
            sql,
        }
    }

    fn lookup(&mut self, scope: &Scope, payload: &Payload, now: Timestamp) -> Result<Seen> {
        self.held.lookup(&self.sql, &self.keys, scope, payload, now)
    }

    fn store(&mut self, scope: &Scope, payload: &Payload, reply: &StoredReply, now: Timestamp) -> Result<()> {
        self.held
            .store(&self.sql, &self.keys, scope, payload, reply, now, &mut Counter(0))
    }

    fn rows(&self) -> i64 {
        self.sql.integer("SELECT count(*) FROM idempotency")
    }
}

/// Computed with Python's hashlib.
#[test]
fn hashes_are_unchanged() {
    assert_eq!(
        scope("k-1").hex(),
        "310ab55544f48247df00039c74dfe33394178512c054687e2f8d628472217eb4"
    );
    let hex = payload(r#"{"name":"x"}"#)
        .0
        .map(|byte| format!("{byte:02x}"))
        .concat();
    assert_eq!(
        hex,
        "5cfa89d12b7237cbf1172eb59790fb2c0a3735f5bfb3a7224bef990d9414e31c"
    );
}

#[test]
fn a_key_belongs_to_its_caller_method_and_path() {
    let key = IdempotencyKey::parse("k").unwrap();
    let mut other_kind = actor("a");
    other_kind.kind = "key";
    let scopes = [
        Scope::new(&actor("a"), "POST", "/x", &key),
        Scope::new(&actor("b"), "POST", "/x", &key),
        Scope::new(&other_kind, "POST", "/x", &key),
        Scope::new(&actor("a"), "PUT", "/x", &key),
        Scope::new(&actor("a"), "POST", "/y", &key),
        Scope::new(&actor("a"), "POST", "/", &IdempotencyKey::parse("xk").unwrap()),
        Scope::new(&actor("aPOST"), "", "/x", &key),
    ];
    for (index, scope) in scopes.iter().enumerate() {
        assert!(!scopes[index + 1..].contains(scope));
    }
}

#[test]
fn another_body_or_condition_is_another_payload() {
    let condition = Condition {
        must_match: Some(Tags::Any),
        must_differ: None,
    };
    assert_ne!(payload("a"), payload("b"));
    assert_ne!(payload("a"), Payload::new(&condition, b"a").unwrap());
    assert_eq!(payload("a"), payload("a"));
}

#[test]
fn keys_are_short_printable_ascii() {
    for good in ["a", "a b\"\\", &"x".repeat(255)] {
        assert_eq!(IdempotencyKey::parse(good).unwrap().as_str(), good);
    }
    for bad in ["", "\u{e9}", "a\n", "a\u{7f}", &"x".repeat(256)] {
        assert!(IdempotencyKey::parse(bad).is_none(), "{bad:?}");
    }
    assert!(serde_json::from_str::<IdempotencyKey>("\"\"").is_err());
}

#[test]
fn the_first_reply_comes_back_byte_for_byte_until_it_expires() {
    let mut world = World::new();
    let (scope, payload, first) = (scope("k"), payload("p"), reply(201, "{\"a\":1}"));
    assert_eq!(world.lookup(&scope, &payload, at(0)).unwrap(), Seen::New);
    world.store(&scope, &payload, &first, at(0)).unwrap();
    for _ in 0..2 {
        assert_eq!(
            world.lookup(&scope, &payload, at(KEPT_MS - 1)).unwrap(),
            Seen::Replay(first.clone())
        );
        world.held = Idempotency::load(&world.sql).unwrap();
    }
    assert_eq!(world.lookup(&scope, &payload, at(KEPT_MS)).unwrap(), Seen::New);
    let second = reply(200, "");
    world.store(&scope, &payload, &second, at(KEPT_MS)).unwrap();
    assert_eq!(
        world.lookup(&scope, &payload, at(KEPT_MS)).unwrap(),
        Seen::Replay(second)
    );
    assert_eq!((world.rows(), world.held.held()), (1, 1));
}

#[test]
fn another_payload_is_refused() {
    let mut world = World::new();
    world
        .store(&scope("k"), &payload("p"), &reply(200, "x"), at(0))
        .unwrap();
    assert_eq!(
        world.lookup(&scope("k"), &payload("q"), at(1)).unwrap(),
        Seen::Mismatch
    );
    assert_eq!(Seen::reused().code, Code::IdempotencyKeyReused);
    assert_eq!(Seen::reused().code.status(), 422);
}

#[test]
fn what_another_try_may_change_is_not_stored() {
    let mut world = World::new();
    for status in 100..=599 {
        let is_kept = (200..=499).contains(&status) && ![401, 403, 409, 429].contains(&status);
        assert_eq!(is_stored(status), is_kept, "{status}");
    }
    for status in [401, 403, 409, 429, 500, 503] {
        world
            .store(&scope("k"), &payload("p"), &reply(status, "x"), at(0))
            .unwrap();
        assert_eq!(
            world.lookup(&scope("k"), &payload("p"), at(0)).unwrap(),
            Seen::New
        );
    }
    assert_eq!(world.rows(), 0);
}

#[test]
fn neither_body_nor_payload_lies_in_the_open() {
    let mut world = World::new();
    let payload = payload("p");
    world
        .store(&scope("k"), &payload, &reply(200, "secret words"), at(0))
        .unwrap();
    let rows = world.sql.exec("SELECT reply FROM idempotency", &[]).unwrap();
    let stored = rows[0].blob(0).unwrap();
    assert!(!stored.windows(6).any(|window| window == b"secret"));
    assert!(!stored.windows(8).any(|window| window == &payload.0[..8]));
}

#[test]
fn a_reply_of_another_row_does_not_open() {
    let mut world = World::new();
    world
        .store(&scope("k"), &payload("p"), &reply(200, "x"), at(0))
        .unwrap();
    world
        .store(&scope("l"), &payload("p"), &reply(200, "y"), at(0))
        .unwrap();
    let swap = "UPDATE idempotency SET reply = (SELECT reply FROM idempotency WHERE seq = 1) WHERE seq = 2";
    world.sql.exec(swap, &[]).unwrap();
    let error = world.lookup(&scope("l"), &payload("p"), at(0)).unwrap_err();
    assert_eq!(error.code, Code::SealedDataUnreadable);
}

#[test]
fn a_reply_too_large_to_store_is_a_fault_and_the_largest_is_not() {
    let mut world = World::new();
    let mut large = reply(200, &"x".repeat(MAX_BODY_BYTES));
    world.store(&scope("k"), &payload("p"), &large, at(0)).unwrap();
    assert_eq!(
        world.lookup(&scope("k"), &payload("p"), at(0)).unwrap(),
        Seen::Replay(large.clone())
    );
    large.body.push(0);
    let mut headers = reply(200, "");
    headers
        .headers
        .push(("Location".into(), "x".repeat(MAX_HEADERS_BYTES)));
    for reply in [large, headers] {
        let error = world
            .store(&scope("l"), &payload("p"), &reply, at(0))
            .unwrap_err();
        assert_eq!(error.code, Code::InternalError);
    }
}

#[test]
fn a_reply_is_stored_once() {
    let mut world = World::new();
    world
        .store(&scope("k"), &payload("p"), &reply(200, "x"), at(0))
        .unwrap();
    assert!(
        world
            .store(&scope("k"), &payload("p"), &reply(200, "y"), at(0))
            .is_err()
    );
}

/// A first and a last row between which there could be `seq` rows of `bytes` in all: what the bounds look at.
fn pretend(world: &mut World, seq: i64, bytes: i64) {
    world
        .store(&scope("first"), &payload("p"), &reply(200, "x"), at(0))
        .unwrap();
    world
        .store(&scope("last"), &payload("p"), &reply(200, "x"), at(KEPT_MS - 1))
        .unwrap();
    let update = "UPDATE idempotency SET seq = ?, total_bytes = ? WHERE seq = 2";
    world.sql.exec(update, &[seq.into(), bytes.into()]).unwrap();
    world.held = Idempotency::load(&world.sql).unwrap();
}

#[test]
fn at_the_bound_a_new_key_is_refused_and_an_old_one_replayed() {
    for (seq, bytes, is_full) in [
        (MAX_KEYS, 1000, true),
        (MAX_KEYS - 1, 1000, false),
        (2, MAX_HELD_BYTES, true),
        (2, MAX_HELD_BYTES - 1, false),
    ] {
        let mut world = World::new();
        pretend(&mut world, seq, bytes);
        assert_eq!((world.held.held(), world.held.held_bytes()), (seq, bytes));
        let seen = world.lookup(&scope("new"), &payload("p"), at(0));
        if is_full {
            assert_eq!(seen.unwrap_err().code, Code::LimitReached);
            let known = world.lookup(&scope("first"), &payload("p"), at(0)).unwrap();
            assert!(matches!(known, Seen::Replay(_)));
            // What has expired makes room.
            let room = world.lookup(&scope("new"), &payload("p"), at(KEPT_MS));
            assert_eq!((room.unwrap(), world.held.held()), (Seen::New, 1));
        } else {
            assert_eq!(seen.unwrap(), Seen::New);
        }
    }
}

#[test]
fn a_sweep_is_bounded_and_the_alarm_learns_when_to_come_back() {
    let mut world = World::new();
    assert_eq!(world.held.next_sweep(), None);
    assert!(!world.held.sweep(&world.sql, at(0), 5).unwrap());
    for number in 0..12 {
        let key = number.to_string();
        world
            .store(&scope(&key), &payload("p"), &reply(200, "x"), at(number))
            .unwrap();
    }
    assert_eq!(world.held.next_sweep(), Some(at(KEPT_MS)));
    assert!(!world.held.sweep(&world.sql, at(KEPT_MS - 1), 5).unwrap());
    assert_eq!(world.rows(), 12);
    assert!(world.held.sweep(&world.sql, at(KEPT_MS + 100), 5).unwrap());
    assert_eq!(world.rows(), 7);
    assert!(!world.held.sweep(&world.sql, at(KEPT_MS + 6), 5).unwrap());
    assert_eq!(
        (world.rows(), world.held.next_sweep()),
        (5, Some(at(KEPT_MS + 7)))
    );
    assert!(!world.held.sweep(&world.sql, at(KEPT_MS + 100), 500).unwrap());
    assert_eq!(
        (world.rows(), world.held.held(), world.held.held_bytes()),
        (0, 0, 0)
    );
}

#[derive(Debug, Clone)]
enum Step {
    Request {
        key: usize,
        payload: usize,
        status: u16,
        length: usize,
    },
    Pass(i64),
    ClockBack(i64),
    Sweep(i64),
    Reload,
}

fn step() -> impl Strategy<Value = Step> {
    let status = prop::sample::select(vec![200u16, 201, 204, 404, 412, 422, 401, 409, 503]);
    prop_oneof![
        8 => (0..6usize, 0..8usize, status, 0..50usize).prop_map(|(key, payload, status, length)| Step::Request {
            key,
            payload: payload / 7,
            status,
            length,
        }),
        3 => (0..KEPT_MS / 2).prop_map(Step::Pass),
        1 => (0..KEPT_MS / 4).prop_map(Step::ClockBack),
        2 => (1..4i64).prop_map(Step::Sweep),
        1 => Just(Step::Reload),
    ]
}

proptest! {
    /// Each key is answered as a map from keys to first replies would answer, whatever was swept in between.
    #[test]
    fn a_key_is_answered_as_it_was_first(steps in prop::collection::vec(step(), 1..60)) {
        let mut world = World::new();
        let mut model: HashMap<usize, (usize, StoredReply, i64)> = HashMap::new();
        let (mut now, mut latest) = (0, 0);
        let mut last_expiry = 0;
        for step in steps {
            match step {
                Step::Request { key, payload: asked, status, length } => {
                    let (scope, payload) = (scope(&key.to_string()), payload(&asked.to_string()));
                    let seen = world.lookup(&scope, &payload, at(now)).unwrap();
                    let wanted = match model.get(&key) {
                        Some((first, reply, expires)) if *expires > now => {
                            if *first == asked { Seen::Replay(reply.clone()) } else { Seen::Mismatch }
                        }
                        _ => Seen::New,
                    };
                    prop_assert_eq!(&seen, &wanted);
                    if seen == Seen::New {
                        let reply = reply(status, &"x".repeat(length));
                        world.store(&scope, &payload, &reply, at(now)).unwrap();
                        model.remove(&key);
                        if is_stored(status) {
                            last_expiry = last_expiry.max(now + KEPT_MS);
                            model.insert(key, (asked, reply, last_expiry));
                        }
                    }
                }
                Step::Pass(ms) => {
                    now += ms;
                    latest = latest.max(now);
                }
                Step::ClockBack(ms) => {
                    // Whatever expired before stays expired in the model too.
                    model.retain(|_, (_, _, expires)| *expires > now);
                    let expired = world.held.sweep(&world.sql, at(now), 1000).unwrap();
                    prop_assert!(!expired);
                    now = (now - ms).max(latest - KEPT_MS / 2);
                }
                Step::Sweep(limit) => {
                    world.held.sweep(&world.sql, at(now), limit).unwrap();
                }
                Step::Reload => world.held = Idempotency::load(&world.sql).unwrap(),
            }
            prop_assert!(world.held.held() >= world.rows());
            let bytes = world.sql.integer("SELECT coalesce(sum(length(reply)), 0) FROM idempotency");
            prop_assert!(world.held.held_bytes() >= bytes);
            prop_assert_eq!(world.held.span.is_some(), world.rows() > 0);
        }
        while world.held.sweep(&world.sql, at(now + 10 * KEPT_MS), 2).unwrap() {}
        prop_assert_eq!((world.rows(), world.held.held(), world.held.held_bytes()), (0, 0, 0));
    }
}
