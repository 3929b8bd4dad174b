//! What a customer limits for itself, what it is told of its use, and what must not be handed out twice.

use crate::support::people::{Who, ada, admin, service};
use crate::support::world::World;
use serde_json::{Value, json};
use user_api::customer::idempotency::{IdempotencyKey, Payload};
use user_api::customer::request::{Repeat, Reply, Request};
use user_api::edge::route::Route;
use user_api::error::{Code, Error};
use user_api::types::Condition;

const TWO_POLICIES: &str = r#"{"free":[{"name":"burst","q":10,"w":60},{"name":"day","q":50,"w":86400},
    {"name":"slots","q":2,"w":60,"unit":"concurrent-requests"}]}"#;
const UNLIMITED: &str = r#"{"free":[]}"#;
const NOON: i64 = 43_200_000;

fn owner() -> Who {
    Who::user("auth0|owner").email("owner@example.com")
}

fn refused(world: &mut World, request: &Request) -> Error {
    match world.send(request) {
        Reply::Refused(error) => error,
        other => panic!("not refused: {other:?}"),
    }
}

fn pointers(error: Error) -> Vec<String> {
    error.faults.iter().map(|fault| fault.pointer.clone()).collect()
}

fn key_with(world: &mut World, body: &Value) -> (Who, String) {
    let key = world.json(&owner().says(Route::CreateKey, body));
    let text = |name: &str| key[name].as_str().unwrap().to_owned();
    (Who::key(&text("secret")), text("keyId"))
}

fn consumer(world: &mut World) -> Who {
    key_with(world, &json!({"name": "CI", "scopes": ["limits:consume"]})).0
}

fn by_admin(policies: &Value) -> Request {
    admin().sends_to(
        Route::AdminPutLimits,
        "cust_acme",
        policies.to_string().as_bytes(),
    )
}

fn consume(key: &Who, name: &str, cost: u64) -> Request {
    key.says(
        Route::ConsumeLimits,
        &json!({"policies": [{"name": name, "cost": cost}]}),
    )
}

fn names(list: &Value) -> Vec<&str> {
    let list = list.as_array().unwrap();
    list.iter()
        .map(|policy| policy["name"].as_str().unwrap())
        .collect()
}

#[test]
fn the_owner_sets_policies_within_the_plan_and_they_hold_at_once() {
    let mut world = World::limited(TWO_POLICIES);
    let key = consumer(&mut world);
    let own = json!([{"name": "mail", "q": 2, "w": 60}]);
    assert_eq!(
        pointers(refused(&mut world, &consume(&key, "mail", 1))),
        ["#/policies/0/name"]
    );
    let shown = world.json(&owner().says(Route::PutLimits, &own));
    assert_eq!(
        shown["own"],
        json!([{"name": "mail", "q": 2, "w": 60, "unit": "requests"}])
    );
    assert_eq!(names(&shown["policies"]), ["burst", "day", "slots", "mail"]);
    let entry = world.log().pop().unwrap();
    assert_eq!(
        (&entry.header["action"], &entry.header["outcome"]),
        (&json!("limits.update"), &json!("ok"))
    );
    assert_eq!(
        entry.detail.as_ref().unwrap()["changed"]["byCustomer"]["after"],
        shown["own"]
    );
    world.json(&consume(&key, "mail", 2));
    world.restart();
    assert_eq!(
        refused(&mut world, &consume(&key, "mail", 1)).retry_after_secs,
        Some(30)
    );
    assert_eq!(world.json(&owner().asks(Route::GetLimits)), shown);
    let told = world.json(&admin().sends_to(Route::AdminGetLimits, "cust_acme", b""));
    assert_eq!((&told["byCustomer"], &told["own"]), (&shown["own"], &json!([])));
    let none = world.json(&owner().says(Route::PutLimits, &json!([])));
    assert_eq!(names(&none["policies"]), ["burst", "day", "slots"]);
}

#[test]
fn policies_beyond_the_plan_are_refused_each_by_name_and_nothing_is_set() {
    let mut world = World::limited(TWO_POLICIES);
    world.json(&by_admin(&json!([{"name": "sms", "q": 1000, "w": 1}])));
    let wanted = json!([
        {"name": "burst", "q": 1, "w": 60}, {"name": "sms", "q": 1, "w": 60}, {"name": "fast", "q": 11, "w": 60},
        {"name": "bursty", "q": 1, "w": 60, "burst": 51}, {"name": "key-0123456789ab", "q": 1, "w": 60},
    ]);
    let put = owner().says(Route::PutLimits, &wanted);
    assert_eq!(pointers(refused(&mut world, &put)), ["#/4/name"]);
    let mut sound = wanted.as_array().unwrap().clone();
    sound.pop();
    let before = world.state()["limits"].clone();
    let put = owner().says(Route::PutLimits, &Value::Array(sound));
    assert_eq!(
        pointers(refused(&mut world, &put)),
        ["#/0/name", "#/1/name", "#/2", "#/3"]
    );
    assert_eq!(world.state()["limits"], before);
}

#[test]
fn only_the_owner_sets_them_and_only_while_the_customer_is_active() {
    let mut world = World::limited(TWO_POLICIES);
    let own = json!([{"name": "mail", "q": 2, "w": 60}]);
    for who in [ada(), owner().change(|user| user.email_verified = false)] {
        assert_eq!(world.refusal(&who.says(Route::PutLimits, &own)), Code::Forbidden);
        assert_eq!(
            world.refusal(&who.says(Route::PutLimits, &json!({}))),
            Code::Forbidden
        );
        assert_eq!(world.refusal(&who.asks(Route::GetLimits)), Code::Forbidden);
    }
    let key = consumer(&mut world);
    assert_eq!(world.refusal(&key.says(Route::PutLimits, &own)), Code::Forbidden);
    assert_eq!(world.refusal(&key.asks(Route::GetLimits)), Code::Forbidden);
    world.set_status("suspended");
    assert_eq!(
        world.refusal(&owner().says(Route::PutLimits, &own)),
        Code::CustomerSuspended
    );
    assert_eq!(world.json(&owner().asks(Route::GetLimits))["own"], json!([]));
}

#[test]
fn what_goes_beyond_a_smaller_grant_rests_until_it_fits_again() {
    let mut world = World::limited(TWO_POLICIES);
    let key = consumer(&mut world);
    world.json(&owner().says(Route::PutLimits, &json!([{"name": "mail", "q": 50, "w": 86_400}])));
    world.json(&consume(&key, "mail", 5));
    world.json(&by_admin(&json!([{"name": "day", "q": 20, "w": 86_400}])));
    let shown = world.json(&owner().asks(Route::GetLimits));
    assert_eq!(
        (names(&shown["own"]), names(&shown["policies"]).contains(&"mail")),
        (vec!["mail"], false)
    );
    assert_eq!(world.refusal(&consume(&key, "mail", 1)), Code::ValidationFailed);
    world.json(&by_admin(&json!([])));
    world.json(&consume(&key, "mail", 1));
    // An administrator's policy of the same name comes before it; what was spent stays spent.
    world.json(&by_admin(&json!([{"name": "mail", "q": 7, "w": 60}])));
    assert_eq!(
        world.json(&consume(&key, "mail", 6))["policies"][0]["remaining"],
        0
    );
}

#[test]
fn leases_of_the_plan_itself_can_be_had() {
    let mut world = World::limited(TWO_POLICIES);
    let key = consumer(&mut world);
    for _ in 0..2 {
        assert!(world.json(&consume(&key, "slots", 1))["lease"].is_string());
    }
    assert_eq!(
        refused(&mut world, &consume(&key, "slots", 1)).retry_after_secs,
        Some(60)
    );
}

#[test]
fn a_rotated_key_and_its_successor_have_one_limit() {
    let mut world = World::limited(UNLIMITED);
    let limited = json!({"name": "CI", "scopes": ["customer:read"], "limit": {"q": 4, "w": 3600}});
    let (old, id) = key_with(&mut world, &limited);
    for _ in 0..3 {
        world.json(&old.asks(Route::GetCustomer));
    }
    let rotate = owner().sends_to(Route::RotateKey, &id, br#"{"graceSeconds": 600}"#);
    let rotated = world.json(&rotate);
    let new = Who::key(rotated["secret"].as_str().unwrap());
    world.json(&new.asks(Route::GetCustomer));
    for restart in [false, true] {
        if restart {
            world.restart();
        }
        for key in [&old, &new] {
            let error = refused(&mut world, &key.asks(Route::GetCustomer));
            assert_eq!(
                (error.code, error.retry_after_secs),
                (Code::QuotaExceeded, Some(900))
            );
        }
    }
    // The newest says how much the family may.
    let id = rotated["keyId"].as_str().unwrap().to_owned();
    world.json(&owner().sends_to(Route::PatchKey, &id, br#"{"limit": {"q": 6, "w": 3600}}"#));
    for key in [&old, &new] {
        world.json(&key.asks(Route::GetCustomer));
        world.restart();
    }
    assert_eq!(world.refusal(&old.asks(Route::GetCustomer)), Code::QuotaExceeded);
}

#[test]
fn giving_back_costs_nothing_and_a_flood_of_it_leaves_few_rows() {
    let mut world = World::limited(TWO_POLICIES);
    let key = consumer(&mut world);
    let lease = world.json(&consume(&key, "slots", 1))["lease"].clone();
    while matches!(
        world.send(&owner().asks(Route::GetCustomer)),
        Reply::Content { .. }
    ) {}
    assert_eq!(
        world.send(&key.says(Route::ReleaseLease, &json!({"lease": lease}))),
        Reply::Done
    );
    let before = world.log().len();
    let again = key.says(Route::ReleaseLease, &json!({"lease": lease}));
    let replies = world.batch(&vec![again; 300]);
    assert!(replies.iter().all(|reply| *reply == Ok(Reply::Done)));
    // Ten at most singly, and one for each doubling of them.
    assert!(
        world.log().len() <= before + 10 + 300_usize.div_ceil(10).ilog2() as usize,
        "{} entries",
        world.log().len() - before
    );
}

#[test]
fn refusals_that_no_limit_bounds_store_no_reply() {
    let mut world = World::limited(TWO_POLICIES);
    let key = consumer(&mut world);
    let requests: Vec<_> = (0..300)
        .map(|index| {
            let mut request = consume(&key, "nope", 1);
            request.repeat = Some(Repeat {
                key: IdempotencyKey::parse(&format!("k-{index}")).unwrap(),
                method: "POST",
                path: "/customer/me/limits/consume".to_owned(),
                payload: Payload::new(&Condition::default(), b"x").unwrap(),
            });
            request
        })
        .collect();
    for reply in world.batch(&requests) {
        assert!(matches!(reply, Ok(Reply::Refused(error)) if error.code == Code::ValidationFailed));
    }
    assert_eq!(world.count("idempotency"), 0);
}

#[test]
fn usage_tells_limit_used_and_reset_of_each_policy_and_counts_by_route_and_outcome() {
    let mut world = World::limited(TWO_POLICIES);
    world.now += NOON;
    let key = consumer(&mut world);
    world.json(&consume(&key, "slots", 1));
    for _ in 0..3 {
        world.json(&ada().asks(Route::GetCustomer));
    }
    let usage = world.json(&owner().asks(Route::GetUsage));
    // The first request moved the clock by a millisecond, in which no unit is restored.
    assert_eq!(
        usage["policies"],
        json!([
            {"name": "burst", "unit": "requests", "q": 10, "w": 60, "limit": 10, "used": 5, "remaining": 5,
             "resetsAt": "2026-01-01T12:00:30.001Z"},
            {"name": "day", "unit": "requests", "q": 50, "w": 86_400, "limit": 50, "used": 5, "remaining": 45,
             "resetsAt": "2026-01-01T14:24:00.001Z"},
            {"name": "slots", "unit": "concurrent-requests", "q": 2, "w": 60, "limit": 2, "used": 1, "remaining": 1,
             "resetsAt": "2026-01-01T12:01:00.001Z"},
        ])
    );
    let today = json!([
        {"route": "GET /customer/me", "outcome": "ok", "count": 3},
        {"route": "POST /customer/me/api-keys", "outcome": "ok", "count": 1},
        {"route": "POST /customer/me/limits/consume", "outcome": "ok", "count": 1},
        {"route": "POST /internal/customers", "outcome": "ok", "count": 1},
    ]);
    assert_eq!((&usage["today"], &usage["last30Days"]), (&today, &today));
    assert_eq!(usage.as_object().unwrap().len(), 3);
}

#[test]
fn usage_is_of_today_and_of_thirty_days_and_its_rows_do_not_grow_with_traffic() {
    const DAY: i64 = 86_400_000;
    let mut world = World::limited(UNLIMITED);
    let counted = |world: &mut World, list: &str| {
        let usage = world.json(&admin().sends_to(Route::AdminGetUsage, "cust_acme", b""));
        let of_route = |counts: &Value| {
            let found = counts
                .as_array()
                .unwrap()
                .iter()
                .find(|count| count["route"] == "GET /customer/me");
            found.map_or(0, |count| count["count"].as_i64().unwrap())
        };
        of_route(&usage[list])
    };
    for round in 1..=40_i64 {
        for _ in 0..7 {
            world.batch(&vec![ada().asks(Route::GetCustomer); 20]);
        }
        assert_eq!(counted(&mut world, "today"), 140, "day {round}");
        assert_eq!(
            counted(&mut world, "last30Days"),
            140 * round.min(30),
            "day {round}"
        );
        world.now += DAY;
    }
    // Of each day: reading the customer and reading the usage, and once the creation.
    assert!(
        world.count("usage") <= 31 * 2 + 1,
        "{} rows",
        world.count("usage")
    );
}

#[test]
fn usage_is_written_within_a_minute_whatever_the_clock_does() {
    let mut world = World::limited(UNLIMITED);
    world.json(&ada().asks(Route::GetCustomer));
    assert_eq!(world.count("usage"), 0);
    for step in [4_999; 11].into_iter().chain([4_999, 10]) {
        world.now += step;
        world.json(&ada().asks(Route::GetCustomer));
        assert_eq!(world.count("usage"), 0);
    }
    world.now += 1;
    world.json(&ada().asks(Route::GetCustomer));
    assert_eq!(world.count("usage"), 2, "the creation and the reading");
    world.now -= 3_600_000;
    world.json(&ada().asks(Route::GetCustomer));
    world.restart();
    let usage = world.json(&owner().asks(Route::GetUsage));
    assert!(
        usage["today"]
            .as_array()
            .unwrap()
            .iter()
            .all(|count| count["count"] != 0)
    );
    world.json(&service().says(Route::EnsureCustomer, &json!({"email": "o@x.example"})));
}

#[test]
fn advice_that_was_given_while_the_clock_was_back_holds_over_a_restart() {
    let mut world = World::limited(r#"{"free":[{"name":"burst","q":1,"w":60}]}"#);
    world.json(&ada().asks(Route::GetCustomer));
    for _ in 0..20 {
        world.refusal(&ada().asks(Route::GetCustomer));
    }
    world.now -= 30_000;
    let told = refused(&mut world, &ada().asks(Route::GetCustomer)).retry_after_secs;
    assert_eq!(told, Some(60));
    world.restart();
    world.now += 59_999;
    assert_eq!(
        world.refusal(&ada().asks(Route::GetCustomer)),
        Code::QuotaExceeded
    );
    world.restart();
    world.now += 1;
    world.json(&ada().asks(Route::GetCustomer));
}

#[test]
fn the_last_use_of_a_key_is_exact_to_the_hour_without_a_write_for_each_request() {
    const HOUR: i64 = 3_600_000;
    let mut world = World::limited(UNLIMITED);
    let (key, id) = key_with(&mut world, &json!({"name": "CI", "scopes": ["customer:read"]}));
    for hour in 0..3 {
        for request in 0..20 {
            world.sql.forget_counts();
            world.json(&key.asks(Route::GetCustomer));
            let writes = world
                .sql
                .statements
                .borrow()
                .iter()
                .filter(|sql| sql.contains("api_keys"))
                .count();
            assert_eq!(
                writes,
                usize::from(request == 0),
                "request {request} of hour {hour}"
            );
        }
        let shown = world.json(&owner().sends_to(Route::GetKey, &id, b""));
        assert_eq!(shown["lastUsedAt"], format!("2026-01-01T{hour:02}:00:00.000Z"));
        world.now += HOUR;
    }
}
