//! `Idempotency-Key`: a request that is repeated acts once and is answered the same.

use crate::concurrency::at_once;
use crate::support::http::{Request, Response, patch, post, request};
use crate::support::integration::{Key, SCOPES, creation, service_revocation, set_limits};
use crate::support::raw::Raw;
use crate::support::server::{Server, new_data, poll};
use crate::support::settings::{SERVICE_KEYS, Settings};
use crate::support::shared::{Customer, create, fresh_id, new_customer, shared, version};
use crate::support::store;
use crate::support::token::Token;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};

const READ: [&str; 1] = ["customer:read"];

fn is_replay(response: &Response) -> bool {
    let value = response.header("Idempotent-Replayed");
    assert!(matches!(value, None | Some("true")), "{value:?}");
    value.is_some()
}

#[track_caller]
fn replayed(response: Response, first: &Response) {
    assert!(is_replay(&response), "no replay: {}", response.describe());
    assert_eq!((response.status, &response.body), (first.status, &first.body));
    for name in ["Content-Type", "ETag", "Location"] {
        assert_eq!(response.header(name), first.header(name), "{name}");
    }
}

fn keys(server: &Server, customer: &Customer) -> Vec<Value> {
    let page = customer.get(server, "/customer/me/api-keys").ok();
    page["data"].as_array().unwrap().clone()
}

#[test]
fn twenty_at_once_with_one_key_act_once_and_are_answered_the_same() {
    let server = shared();
    for round in 0..3 {
        let customer = Customer::on(&server);
        let creation = creation(&customer, &READ).idempotency_key(&format!("\"round-{round}\""));
        let answers = at_once(20, |_| creation.send(&server).expect(201));
        for answer in &answers {
            assert_eq!(answer.body, answers[0].body, "two answers differ");
        }
        let first = answers.iter().filter(|answer| !is_replay(answer)).count();
        assert_eq!(first, 1);
        assert_eq!(keys(&server, &customer).len(), 1);
        let key = Key::from(answers[0].clone());
        key.get(&server, "/customer/me").expect(200);
    }
}

#[test]
fn every_unsafe_method_is_replayed() {
    let server = shared();
    let customer = Customer::on(&server);
    let key = Key::of(&server, &customer, &READ);
    let own = |request: Request, name: &str| request.bearer(&customer.token).idempotency_key(name);
    let put = request("PUT", "/customer/me").body("application/json", r#"{"name":"Put"}"#);
    let requests = [
        own(patch("/customer/me", &json!({"name": "Patched"})), "patch"),
        own(put, "put"),
        own(
            post(&format!("{}/rotate", key.path()), &json!({"graceSeconds": 60})),
            "rotate",
        ),
        own(request("DELETE", &key.path()), "delete"),
        own(
            post("/customer/me/tokens/revoke", &json!({"jti": "jti-persondata-x"})),
            "revoke",
        ),
        own(patch("/customer/me", &json!({"plan": "free"})), "refused"),
        own(patch("/user/me", &json!({"displayName": "Zoë"})), "user"),
    ];
    let firsts: Vec<_> = requests.iter().map(|request| request.send(&server)).collect();
    let statuses: Vec<_> = firsts.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [200, 200, 201, 204, 204, 422, 200]);
    assert!(firsts.iter().all(|answer| !is_replay(answer)));
    let before = customer.now(&server);
    for (request, first) in requests.iter().zip(&firsts) {
        replayed(request.send(&server), first);
        replayed(request.send(&server), first);
    }
    assert_eq!(customer.now(&server), before);
    assert_eq!(keys(&server, &customer).len(), 2);
}

#[test]
fn another_payload_under_the_same_key_is_refused_and_changes_nothing() {
    let server = shared();
    let customer = Customer::on(&server);
    let change = |body: &Value| {
        patch("/customer/me", body)
            .bearer(&customer.token)
            .idempotency_key("once")
    };
    let first = change(&json!({"name": "First"})).send(&server).expect(200);
    for other in [
        change(&json!({"name": "Second"})),
        change(&json!({"name": "First"})).header("If-Match", first.must_header("ETag")),
    ] {
        let refused = other.send(&server);
        assert!(!is_replay(&refused));
        refused.problem(422, "idempotency_key_reused");
    }
    replayed(change(&json!({"name": "First"})).send(&server), &first);
    let (body, tag) = customer.now(&server);
    assert_eq!((&body["name"], version(&tag)), (&json!("First"), 2));
}

#[test]
fn a_key_is_one_caller_s_for_one_method_and_path() {
    let server = shared();
    let (own, other) = (Customer::on(&server), Customer::on(&server));
    let member = Token::of(&own.id).subject("auth0|persondata-second").hs256();
    let key = Key::of(&server, &own, &SCOPES);
    let name = json!({"displayName": "Same"});
    for credential in [&own.token, &member, &key.secret, &other.token] {
        let change = patch("/customer/me", &name)
            .bearer(credential)
            .idempotency_key("same");
        let first = change.send(&server).expect(200);
        assert!(!is_replay(&first));
        replayed(change.send(&server), &first);
    }
    let put = request("PUT", "/customer/me").body("application/json", name.to_string());
    for request in [put, patch("/user/me", &name)] {
        let request = request.bearer(&own.token).idempotency_key("same");
        assert!(!is_replay(&request.send(&server).expect(200)));
    }
}

#[test]
fn quoted_or_bare_it_is_the_same_key_and_nonsense_is_none() {
    let server = shared();
    let customer = Customer::on(&server);
    let change = |key: &str| {
        patch("/customer/me", &json!({"name": "Quoted"}))
            .bearer(&customer.token)
            .idempotency_key(key)
            .send(&server)
    };
    let first = change("8e03978e-40d5-43e8-bc93-6894a57f9324").expect(200);
    replayed(change("\"8e03978e-40d5-43e8-bc93-6894a57f9324\""), &first);
    change(&"k".repeat(255)).expect(200);
    for wrong in ["\"open", "a,b", "a;b", &"k".repeat(256)] {
        change(wrong).problem(400, "malformed_request");
    }
}

#[test]
fn what_another_try_may_change_is_not_stored() {
    let server = shared();
    let customer = Customer::on(&server);
    let key = Key::of(&server, &customer, &READ);
    set_limits(&server, &customer, &json!([{"name": "burst", "q": 1, "w": 1}]));
    let change = patch("/customer/me", &json!({"displayName": "Later"})).idempotency_key("later");
    let by_user = change.clone().bearer(&customer.token);
    let refused = loop {
        let other = patch("/customer/me", &json!({}))
            .bearer(&customer.token)
            .send(&server);
        if other.status == 429 {
            break by_user.send(&server);
        }
    };
    if refused.status == 429 {
        std::thread::sleep(crate::limits::retry_after(&refused));
        assert!(!is_replay(&by_user.send(&server).expect(200)));
    }
    set_limits(&server, &customer, &json!([]));
    let by_key = change.bearer(&key.secret);
    by_key.send(&server).problem(403, "insufficient_scope");
    let wider = json!({"scopes": SCOPES});
    let wider = patch(&key.path(), &wider).bearer(&customer.token);
    wider.send(&server).expect(200);
    assert!(!is_replay(&by_key.send(&server).expect(200)));
}

#[test]
fn consuming_again_under_the_same_key_spends_once() {
    let server = shared();
    let customer = Customer::on(&server);
    let key = Key::of(&server, &customer, &["limits:consume"]);
    set_limits(
        &server,
        &customer,
        &json!([{"name": "jobs", "q": 5, "w": 86_400}]),
    );
    let body = json!({"policies": [{"name": "jobs", "cost": 3}]});
    let consume = post("/customer/me/limits/consume", &body)
        .bearer(&key.secret)
        .idempotency_key("jobs-1");
    let answers = at_once(20, |_| consume.send(&server).expect(200));
    assert!(answers.iter().all(|answer| answer.body == answers[0].body));
    key.consume(&server, &json!([{"name": "jobs", "cost": 2}]))
        .expect(200);
    key.consume(&server, &json!([{"name": "jobs", "cost": 1}]))
        .expect(429);
}

#[test]
fn a_reply_that_was_given_is_replayed_after_a_kill() {
    let (settings, data) = (Settings::default(), new_data());
    let mut server = Server::start_in(&settings, &data);
    let customer = Customer::on(&server);
    let mut given = Vec::new();
    for round in 0..5 {
        let creation = creation(&customer, &READ).idempotency_key(&format!("kill-{round}"));
        let first = creation.send(&server).expect(201);
        server.crash();
        server = Server::start_in(&settings, &data);
        given.push((creation, first));
        for (creation, first) in &given {
            replayed(creation.send(&server), first);
        }
        assert_eq!(keys(&server, &customer).len(), given.len());
    }
}

#[test]
fn a_reply_that_was_kept_and_read_by_nobody_is_the_reply_after_a_kill() {
    let (settings, data) = (Settings::default(), new_data());
    let server = Server::start_in(&settings, &data);
    let customer = Customer::on(&server);
    let body = json!({"name": "Integration", "scopes": READ}).to_string();
    let bearer = format!("Bearer {}", customer.token);
    let length = body.len().to_string();
    let mut raw = Raw::open(&server);
    raw.head(
        "POST /customer/me/api-keys",
        &[
            ("Authorization", &bearer),
            ("Idempotency-Key", "unread"),
            ("Content-Type", "application/json"),
            ("Content-Length", &length),
        ],
    );
    raw.bytes(body.as_bytes()).unwrap();
    // The change is on the disk, and with it the reply.
    let kept = |table: &str| {
        let object = store::customer(&data, &customer.id);
        let count = format!("SELECT count(*) FROM {table}");
        object
            .sql
            .query_row(&count, [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    poll("the key is made", || (kept("api_keys") == 1).then_some(()));
    assert_eq!(kept("idempotency"), 1);
    server.crash();
    drop(raw);
    let server = Server::start_in(&settings, &data);
    let again = creation(&customer, &READ)
        .idempotency_key("unread")
        .send(&server)
        .expect(201);
    assert!(is_replay(&again), "it was done anew");
    replayed(
        creation(&customer, &READ).idempotency_key("unread").send(&server),
        &again,
    );
    assert_eq!(keys(&server, &customer).len(), 1);
    Key::from(again).get(&server, "/customer/me").expect(200);
}

#[test]
fn requests_that_a_kill_left_without_answer_act_once_when_repeated() {
    const WRITERS: usize = 8;
    let (settings, data) = (Settings::default(), new_data());
    for kill_after in [1, 5, 12, 20] {
        let server = Server::start_in(&settings, &data);
        let customer = Customer::on(&server);
        let workerd = i32::try_from(server.workerd()).ok().and_then(Pid::from_raw);
        let answered = AtomicUsize::new(0);
        // Each makes up to four keys, one after the other, until the server is gone.
        let request = |writer: usize, index: usize| {
            creation(&customer, &READ).idempotency_key(&format!("w{writer}-{index}"))
        };
        let asked: Vec<Vec<Option<Response>>> = std::thread::scope(|scope| {
            let write = |writer| {
                let (server, answered, request) = (&server, &answered, &request);
                scope.spawn(move || {
                    let mut asked = Vec::new();
                    for index in 0..4 {
                        let answer = request(writer, index).try_send(server).ok();
                        let gone = answer.is_none();
                        asked.push(answer);
                        answered.fetch_add(1, Ordering::SeqCst);
                        if gone {
                            break;
                        }
                    }
                    asked
                })
            };
            let writers: Vec<_> = (0..WRITERS).map(write).collect();
            poll("some are answered", || {
                (answered.load(Ordering::SeqCst) >= kill_after).then_some(())
            });
            kill_process(workerd.unwrap(), Signal::KILL).unwrap();
            writers.into_iter().map(|writer| writer.join().unwrap()).collect()
        });
        drop(server);
        let server = Server::start_in(&settings, &data);
        let mut made = 0;
        for (writer, answers) in asked.iter().enumerate() {
            for (index, first) in answers.iter().enumerate() {
                let again = request(writer, index).send(&server).expect(201);
                if let Some(first) = first {
                    replayed(again, first);
                } else {
                    // Kept before the kill or made now: from here on it is this reply, byte for byte.
                    replayed(request(writer, index).send(&server), &again);
                    Key::from(again).get(&server, "/customer/me").expect(200);
                }
                made += 1;
            }
        }
        assert_eq!(keys(&server, &customer).len(), made);
    }
}

#[test]
fn of_twenty_at_once_that_make_a_customer_under_one_key_all_made_it() {
    let server = shared();
    for named in [true, false] {
        for _ in 0..3 {
            let mut body = new_customer(&fresh_id("keyed"));
            if !named {
                body.as_object_mut().unwrap().remove("customerId");
            }
            let key = fresh_id("make");
            let keyed = create(&body).idempotency_key(&key);
            let answers = at_once(20, |_| keyed.send(&server).expect(201));
            assert_eq!(answers[0].json()["created"], true);
            assert!(answers.iter().all(|answer| answer.body == answers[0].body));
            for answer in &answers[..3] {
                replayed(keyed.send(&server), answer);
            }
            // Under another key it was there already, and another body under this key is another request.
            let other = create(&body).idempotency_key(&fresh_id("make"));
            assert_eq!(other.send(&server).expect(200).json()["created"], false);
            body["name"] = json!("Another");
            let reused = create(&body).idempotency_key(&key).send(&server);
            reused.problem(422, "idempotency_key_reused");
        }
    }
}

#[test]
fn a_kill_while_customers_are_made_leaves_each_key_its_customer() {
    const WRITERS: usize = 8;
    let (settings, data) = (Settings::default(), new_data());
    for kill_after in [1, 6, 14] {
        let server = Server::start_in(&settings, &data);
        let workerd = i32::try_from(server.workerd()).ok().and_then(Pid::from_raw);
        let bodies: Vec<_> = (0..WRITERS * 4)
            .map(|_| new_customer(&fresh_id("killed")))
            .collect();
        let request = |index: usize| {
            let body = &bodies[index];
            create(body).idempotency_key(body["customerId"].as_str().unwrap())
        };
        let answered = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for writer in 0..WRITERS {
                let (server, answered, request) = (&server, &answered, &request);
                scope.spawn(move || {
                    for index in 0..4 {
                        let answer = request(writer * 4 + index).try_send(server);
                        answered.fetch_add(1, Ordering::SeqCst);
                        if answer.is_err() {
                            break;
                        }
                    }
                });
            }
            poll("some are answered", || {
                (answered.load(Ordering::SeqCst) >= kill_after).then_some(())
            });
            kill_process(workerd.unwrap(), Signal::KILL).unwrap();
        });
        drop(server);
        let server = Server::start_in(&settings, &data);
        for index in 0..bodies.len() {
            // Made before the kill, without an answer or with one, or now: the request has made it.
            let first = request(index).send(&server).expect(201);
            replayed(request(index).send(&server), &first);
        }
    }
}

#[test]
fn a_service_s_requests_that_name_no_customer_take_a_key_too() {
    let server = shared();
    let body = json!({"jti": format!("jti-persondata-{}", fresh_id("nobody"))});
    let revoke = service_revocation(&body).idempotency_key(&fresh_id("revoke"));
    let first = revoke.send(&server).expect(204);
    assert!(!is_replay(&first));
    replayed(revoke.send(&server), &first);
    let key = fresh_id("rewrap");
    let rewrap = |body: &Value| {
        post("/internal/rewrap", body)
            .service_key(SERVICE_KEYS[0])
            .idempotency_key(&key)
            .send(&server)
    };
    let first = rewrap(&json!({})).expect(200);
    replayed(rewrap(&json!({})), &first);
    rewrap(&json!({"limit": 7})).problem(422, "idempotency_key_reused");
}
