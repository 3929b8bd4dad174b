//! Requests of one customer that go to its object together: each is answered as if it had come by itself.

use crate::concurrency::at_once;
use crate::support::audit;
use crate::support::counted;
use crate::support::http::{Request, Response, get, patch, post, request};
use crate::support::raw::Raw;
use crate::support::server::{Server, new_data};
use crate::support::settings::Settings;
use crate::support::shared::{Customer, shared};
use crate::support::store;
use crate::support::wrapped;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Requests that are answered differently, with the status and the code of a problem that each must get.
fn kinds(customer: &Customer, tag: &str) -> Vec<(Request, u16, &'static str)> {
    let stale = "\"00000000000000000000000000000000.1\"";
    let change = |index: u32| patch("/customer/me", &json!({"metadata": {format!("k{index}"): "1"}}));
    let kinds = vec![
        (get("/customer/me"), 200, ""),
        (change(1), 200, ""),
        (
            request("PATCH", "/customer/me").body("application/json", "{"),
            400,
            "malformed_body",
        ),
        (change(2).header("If-Match", stale), 412, "stale_version"),
        (get("/user/me/preferences"), 200, ""),
        (
            get("/customer/me/api-keys/key_00000000000000000000000000000000"),
            404,
            "key_not_found",
        ),
        (request("HEAD", "/customer/me"), 200, ""),
        (get("/customer/me").header("If-None-Match", tag), 304, ""),
        (
            get("/customer/me").header("Origin", "https://app.e2e.test"),
            200,
            "",
        ),
        (get("/session"), 200, ""),
        (get("/customer/me").header("X-Encrypt-Response", "1"), 200, ""),
        (
            post("/customer/me/tokens/revoke", &json!({"jti": "nobodys"})),
            204,
            "",
        ),
        (
            post(
                "/customer/me/api-keys",
                &json!({"name": "one", "scopes": ["customer:read"]}),
            )
            .idempotency_key("one-and-the-same-key"),
            201,
            "",
        ),
        (
            patch("/customer/me", &json!({"email": "x"})),
            422,
            "field_not_writable",
        ),
        // This one goes alone, among the others.
        (get("/customer/me/audit?limit=1"), 200, ""),
    ];
    kinds
        .into_iter()
        .map(|(request, status, code)| (request.bearer(&customer.token), status, code))
        .collect()
}

/// The names of a response's header fields, but for those of the connection's framing.
fn names(response: &Response) -> BTreeSet<String> {
    let names = response.headers.iter().map(|(name, _)| name.clone());
    names
        .filter(|name| !matches!(name.as_str(), "transfer-encoding" | "content-length"))
        .collect()
}

#[test]
fn what_goes_together_is_answered_each_for_itself() {
    const ROUNDS: usize = 6;
    const CROWD: usize = 48;
    let own_id = |round, index| format!("request-of-my-own-{round}-{index}");
    let server = Server::start(&Settings::default());
    let customer = Customer::on(&server);
    let alone = |tag: &str| -> Vec<_> {
        let kinds = kinds(&customer, tag);
        kinds.iter().map(|(request, ..)| request.send(&server)).collect()
    };
    // Nothing is changed by who asks once more for what is there already.
    alone("");
    let (_, tag) = customer.now(&server);
    let alone = alone(&tag);
    let kinds = kinds(&customer, &tag);
    for round in 0..ROUNDS {
        at_once(CROWD, |index| {
            let at = index % kinds.len();
            let (request, status, code) = &kinds[at];
            let id = own_id(round, index);
            let response = request.clone().header("X-Request-Id", &id).send(&server);
            assert_eq!(response.status, *status, "{}", response.describe());
            assert_eq!(response.must_header("X-Request-Id"), id);
            assert_eq!(names(&response), names(&alone[at]), "{}", response.describe());
            if code.is_empty() {
                let has_body = !response.body.is_empty();
                assert_eq!(has_body, !alone[at].body.is_empty(), "{}", response.describe());
            } else {
                response.problem(*status, code);
            }
        });
    }
    // Each stands once in the log, under its own id.
    let data = Arc::clone(server.data());
    server.stop();
    let entries = audit::verify(&store::customer(&data, &customer.id), &customer.id);
    let mut seen = BTreeMap::new();
    for entry in &entries {
        if let Some(id) = entry.detail["callerRequestId"].as_str() {
            *seen.entry(id.to_owned()).or_insert(0) += 1;
        }
    }
    for round in 0..ROUNDS {
        for index in 0..CROWD {
            let id = own_id(round, index);
            // Of replays ten a minute have an entry of their own.
            let is_replay = kinds[index % kinds.len()].1 == 201;
            let count = seen.get(&id).copied();
            assert!(
                count == Some(1) || (is_replay && count.is_none()),
                "{id}: {count:?}"
            );
        }
    }
}

#[test]
fn a_crowd_shares_calls_of_the_object_and_who_is_alone_has_one_of_its_own() {
    let server = counted::start(&Settings::default());
    let customer = Customer::on(&server);
    customer.now(&server);
    let (billed, ()) = counted::of(&server, || {
        for _ in 0..5 {
            customer.now(&server);
        }
    });
    assert_eq!(billed.objects(), 5, "{billed:?}");
    // How many arrive together is the machine's business; that none ever do is not.
    let (billed, ()) = counted::of(&server, || {
        for _ in 0..10 {
            at_once(32, |_| customer.now(&server));
        }
    });
    assert!(billed.objects() < 320, "{billed:?}");
    assert_eq!(billed.written, 320, "an entry each: {billed:?}");
    server.stop();
}

/// The largest document that goes with others, as often as a parcel holds requests.
#[test]
fn a_parcel_holds_as_many_of_the_largest_record_as_go_together() {
    let server = shared();
    let customer = Customer::on(&server);
    let metadata = |range: std::ops::Range<usize>| {
        let pairs = range.map(|number| (format!("{number:040}"), json!("\u{1f600}".repeat(500))));
        json!({"metadata": pairs.collect::<serde_json::Map<_, _>>()})
    };
    for part in [metadata(0..25), metadata(25..49)] {
        customer.patch(&server, &part).expect(200);
    }
    let (record, _) = customer.now(&server);
    assert!(record.to_string().len() > 95_000);
    for answer in at_once(64, |_| customer.now(&server)) {
        assert_eq!(answer.0, record);
    }
}

#[test]
fn whoever_leads_and_hangs_up_leaves_nobody_waiting() {
    let server = shared();
    let customer = Customer::on(&server);
    let bearer = format!("Bearer {}", customer.token);
    for _ in 0..20 {
        at_once(16, |index| {
            let mut raw = Raw::open(&server);
            raw.head("GET /customer/me", &[("Authorization", &bearer)]);
            if index % 2 == 0 {
                return;
            }
            assert_eq!(raw.response().status, 200);
        });
    }
}

/// Nothing is done by an object that takes no parcel, and whoever comes alone is served all the same.
#[test]
fn what_becomes_of_a_call_that_requests_share_becomes_of_each() {
    const CROWD: usize = 24;
    let settings = Settings::default().with("OBJECT_DEADLINE_MS", "2000");
    let server = wrapped::start(&settings, &new_data(), include_str!("support/parcels.js"));
    let customer = Customer::on(&server);
    let modes = [
        ("refuse", false),
        ("throw", true),
        ("rubbish", true),
        ("empty", true),
        ("silent", true),
        ("take", false),
    ];
    for (mode, is_failure) in modes {
        let set = server.agent().get(format!("{}/parcels/{mode}", server.origin()));
        set.call().unwrap();
        let mut failed = 0;
        for crowd in 0..3 {
            let value = format!("{mode}-{crowd}");
            let change = |index: usize| json!({"metadata": {format!("k{index}"): value}});
            let answers = at_once(CROWD, |index| customer.patch(&server, &change(index)));
            let kept = customer.now(&server).0;
            for (index, answer) in answers.into_iter().enumerate() {
                let is_kept = kept["metadata"][format!("k{index}")] == value;
                assert_eq!(answer.status == 200, is_kept, "{mode}: {}", answer.describe());
                if answer.status != 200 {
                    answer.problem(503, "unavailable");
                    failed += 1;
                }
            }
        }
        assert_eq!(failed > 0, is_failure, "{mode}: {failed} failed");
    }
    server.stop();
}

/// Long enough for V8 to compile what is hot, after which a promise that it makes itself would lack the mark by which
/// the platform knows whose it is (`docs/adr/0042-gather-calls-of-one-object.md`): seen after some 15,000 requests.
#[test]
fn a_long_crowd_is_answered_to_its_end() {
    const CONNECTIONS: usize = 16;
    const REQUESTS: usize = 2_500;
    let server = shared();
    let customer = Customer::on(&server);
    let bearer = format!("Bearer {}", customer.token);
    at_once(CONNECTIONS, |_| {
        let mut raw = Raw::open(&server);
        for number in 0..REQUESTS {
            raw.head("GET /customer/me/status", &[("Authorization", &bearer)]);
            let response = raw.response();
            assert_eq!(response.status, 200, "{number}: {}", response.describe());
        }
    });
}
