//! The list of customers: whole, in order, filtered, and never behind an administrator's change.

use crate::concurrency::at_once;
use crate::support::http::{Request, Response, get, patch, post};
use crate::support::integration::admin;
use crate::support::server::{Server, namespace, new_data};
use crate::support::settings::Settings;
use crate::support::shared::{Customer, create, fresh_id, new_customer, shared};
use crate::support::token::Token;
use serde_json::{Value, json};

fn page(server: &Server, query: &str) -> Response {
    get(&format!("/admin/customers{query}"))
        .bearer(&admin())
        .send(server)
}

fn ids(page: &Value) -> Vec<String> {
    let data = page["data"].as_array().expect("a list");
    data.iter()
        .map(|item| item["customerId"].as_str().expect("an id").to_owned())
        .collect()
}

fn make(server: &Server, id: &str, plan: &str) {
    let mut body = new_customer(id);
    body["plan"] = json!(plan);
    create(&body).send(server).expect(201);
}

/// All pages one after another; `between` runs after each.
fn all(server: &Server, query: &str, mut between: impl FnMut(usize)) -> Vec<String> {
    let (mut found, mut path) = (Vec::new(), format!("/admin/customers?{query}"));
    for round in 0..100 {
        let answer = get(&path).bearer(&admin()).send(server).expect(200);
        let shown = answer.json();
        found.extend(ids(&shown));
        let next = shown["nextCursor"].as_str();
        assert_eq!(shown["hasMore"], next.is_some());
        let Some(next) = next else {
            assert!(answer.header("Link").is_none());
            return found;
        };
        let link = answer.must_header("Link");
        path = link
            .strip_prefix('<')
            .and_then(|link| link.strip_suffix(">; rel=\"next\""))
            .expect("a Link to the next page")
            .to_owned();
        assert!(path.contains(&format!("cursor={next}")), "{path}");
        between(round);
    }
    panic!("the list does not end")
}

#[test]
fn pages_hold_every_customer_once_newest_first_while_customers_are_added() {
    let server = Server::start(&Settings::default());
    let old: Vec<_> = (0..25).map(|n| format!("old-{n:02}")).collect();
    for (n, id) in old.iter().enumerate() {
        make(&server, id, if n % 3 == 0 { "pro" } else { "free" });
    }
    let wanted: Vec<_> = old.iter().rev().cloned().collect();
    let found = all(&server, "limit=4", |round| {
        make(&server, &format!("new-{round}"), "free")
    });
    assert_eq!(found, wanted, "what is added meanwhile is newer and not shown");
    let pro: Vec<_> = wanted
        .iter()
        .filter(|id| id[4..].parse::<usize>().expect("a number") % 3 == 0)
        .cloned()
        .collect();
    assert_eq!(all(&server, "plan=pro&limit=2", |_| ()), pro);
    let first = page(&server, "").expect(200).json();
    assert_eq!(ids(&first).len(), 20);
    let item = &first["data"][0];
    let members: Vec<_> = item
        .as_object()
        .expect("an item")
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        members,
        [
            "createdAt",
            "customerId",
            "displayName",
            "email",
            "plan",
            "status"
        ]
    );
    let email = item["email"].as_str().expect("an e-mail").replace('@', "%40");
    let one = page(&server, &format!("?email={email}")).ok();
    assert_eq!(ids(&one), [item["customerId"].as_str().expect("an id")]);
    assert_eq!(ids(&page(&server, "?email=nobody%40e2e.test").ok()), [""; 0]);
    let middle = get("/admin/customers/old-10").bearer(&admin()).send(&server).ok();
    let at = middle["createdAt"].as_str().expect("a time");
    let before = all(&server, &format!("createdBefore={at}"), |_| ());
    assert!(before.iter().all(|id| id.as_str() < "old-10") && before.contains(&"old-09".to_owned()));
    let after = all(&server, &format!("createdAfter={at}"), |_| ());
    assert!(after.contains(&"old-11".to_owned()) && !after.contains(&"old-10".to_owned()));
    let data = server.data().clone();
    server.stop();
    let object = crate::support::store::customer(&data, "old-10");
    let entries = crate::support::audit::verify(&object, "old-10");
    let looks = entries
        .iter()
        .filter(|entry| entry.summary() == "customer.listed ok")
        .count();
    assert!(looks >= 1, "each look is in the customer's own log");
}

#[test]
fn a_customer_whose_key_is_lost_keeps_nobody_from_seeing_the_others() {
    const OLD: &str = "1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
    const NEW: &str = "7:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
    let with = |keys: &str| Settings::default().with("MASTER_KEYS", keys);
    let data = new_data();
    let server = Server::start_in(&with(OLD), &data);
    let customers: Vec<_> = (0..5).map(|_| Customer::on(&server)).collect();
    server.stop();
    let server = Server::start_in(&with(&format!("{NEW},{OLD}")), &data);
    for customer in customers.iter().filter(|one| one.id != customers[2].id) {
        customer.now(&server);
    }
    server.stop();
    let server = Server::start_in(&with(NEW), &data);
    customers[2]
        .get(&server, "/customer/me")
        .problem(503, "key_unavailable");
    let wanted: Vec<_> = customers.iter().rev().map(|one| one.id.clone()).collect();
    assert_eq!(all(&server, "limit=2", |_| ()), wanted);
    let shown = page(&server, "").ok();
    for item in shown["data"].as_array().expect("a list") {
        assert_eq!(
            (&item["plan"], &item["status"]),
            (&json!("pro"), &json!("active"))
        );
        if item["customerId"] == json!(customers[2].id) {
            assert_eq!(
                (&item["email"], &item["displayName"]),
                (&Value::Null, &Value::Null)
            );
            assert_eq!(item["unreadable"], json!(["email", "displayName"]));
        } else {
            assert!(
                item["email"].is_string() && item.get("unreadable").is_none(),
                "{item}"
            );
        }
    }
    let ended = server.stop();
    assert!(ended.log.contains("\"event\":\"list\""), "{}", ended.log);
}

#[test]
fn a_list_asked_right_after_an_administrator_s_change_shows_it() {
    let server = Server::start(&Settings::default());
    let customer = Customer::on(&server);
    let path = format!("/admin/customers/{}", customer.id);
    for _ in 0..5 {
        post(&format!("{path}/suspend"), &json!({"reason": "r"}))
            .bearer(&admin())
            .send(&server)
            .expect(200);
        assert_eq!(
            ids(&page(&server, "?status=suspended").ok()),
            [customer.id.as_str()]
        );
        assert_eq!(ids(&page(&server, "?status=active").ok()), [""; 0]);
        post(&format!("{path}/activate"), &json!({}))
            .bearer(&admin())
            .send(&server)
            .expect(200);
        assert_eq!(ids(&page(&server, "?status=active").ok()), [customer.id.as_str()]);
        for plan in ["starter", "enterprise"] {
            patch(&path, &json!({ "plan": plan }))
                .bearer(&admin())
                .send(&server)
                .expect(200);
            assert_eq!(
                ids(&page(&server, &format!("?plan={plan}")).ok()),
                [customer.id.as_str()]
            );
        }
    }
    server.stop();
}

#[test]
fn a_customer_whose_key_is_lost_hides_nobody_else_in_the_list() {
    let (settings, data) = (Settings::default(), new_data());
    let server = Server::start_in(&settings, &data);
    make(&server, "lost", "pro");
    assert_eq!(server.stop().code, Some(0));
    let vaults = namespace(&data, "KeyVaultObject");
    std::fs::rename(&vaults, data.path().join("aside")).unwrap();
    let server = Server::start_in(&settings, &data);
    make(&server, "sound", "free");
    let listed = page(&server, "").ok();
    let [sound, lost] = listed["data"].as_array().unwrap().as_slice() else {
        panic!("{listed}")
    };
    assert_eq!(
        (&sound["customerId"], sound.get("unreadable")),
        (&json!("sound"), None)
    );
    assert!(sound["email"].is_string());
    assert_eq!(
        (
            &lost["customerId"],
            &lost["email"],
            &lost["displayName"],
            &lost["plan"]
        ),
        (&json!("lost"), &json!(null), &json!(null), &json!("pro"))
    );
    assert_eq!(lost["unreadable"], json!(["email", "displayName"]));
    server.stop();
}

#[test]
fn filters_that_do_not_exist_are_422_and_forged_or_foreign_cursors_400() {
    let server = Server::start(&Settings::default());
    for id in ["a", "b", "c"] {
        make(&server, id, "pro");
    }
    for (query, pointer) in [
        ("?state=active", "?state"),
        ("?status=erased", "?status"),
        ("?status=Active", "?status"),
        ("?plan=gold", "?plan"),
        ("?limit=0", "?limit"),
        ("?limit=101", "?limit"),
        ("?limit=1&limit=1", "?limit"),
        ("?createdAfter=monday", "?createdAfter"),
        ("?email=nobody", "?email"),
    ] {
        assert_eq!(
            page(&server, query).pointers("validation_failed"),
            [pointer],
            "{query}"
        );
    }
    let cursor = page(&server, "?limit=1&plan=pro").ok()["nextCursor"]
        .as_str()
        .expect("a cursor")
        .to_owned();
    page(&server, &format!("?limit=2&plan=pro&cursor={cursor}")).expect(200);
    let mut forged = cursor.clone();
    forged.replace_range(3..4, if &cursor[3..4] == "A" { "B" } else { "A" });
    for query in [
        format!("?plan=pro&cursor={forged}"),
        format!("?plan=free&cursor={cursor}"),
        format!("?cursor={cursor}"),
        "?cursor=x".to_owned(),
    ] {
        page(&server, &query).problem(400, "invalid_cursor");
    }
    server.stop();
}

fn admin_creates(body: &Value) -> Request {
    post("/admin/customers", body).bearer(&admin())
}

/// The body without an id.
fn nameless() -> Value {
    let mut body = new_customer(&fresh_id("nameless"));
    body["customerId"] = Value::Null;
    body
}

#[test]
fn an_administrator_s_new_customer_is_shown_listed_and_logged_at_once() {
    let server = shared();
    for body in [new_customer(&fresh_id("posted")), nameless()] {
        let made = admin_creates(&body).send(&server).expect(201);
        assert_eq!(made.must_header("Content-Type"), "application/json");
        let customer = made.json();
        for name in ["email", "name", "companyName", "plan", "features", "metadata"] {
            assert_eq!(customer[name], body[name], "{name}");
        }
        let id = customer["customerId"].as_str().expect("an id");
        assert!(body["customerId"].is_null() || body["customerId"] == id);
        assert!(made.header("Idempotent-Replayed").is_none());
        let email = body["email"].as_str().expect("an e-mail").replace('@', "%40");
        assert_eq!(ids(&page(&server, &format!("?email={email}")).ok()), [id]);
        let path = made.must_header("Location");
        assert_eq!(path, format!("/admin/customers/{id}"));
        let seen = get(path).bearer(&admin()).send(&server).expect(200);
        assert_eq!(
            (seen.json(), seen.must_header("ETag")),
            (customer.clone(), made.must_header("ETag"))
        );
        let log = get(&format!("{path}/audit")).bearer(&admin()).send(&server).ok();
        let oldest = log["data"]
            .as_array()
            .and_then(|data| data.last())
            .expect("an entry");
        let text = oldest.to_string();
        assert!(
            text.contains("customer.create") && text.contains("\"admin_"),
            "{text}"
        );
    }
}

#[test]
fn an_administrator_s_creation_changes_nobody_who_exists_and_makes_no_alias() {
    let server = shared();
    let (known, other) = (Customer::on(&server), Customer::on(&server));
    let before = (known.now(&server), other.now(&server));
    let mut taken_id = new_customer(&known.id);
    taken_id["email"] = new_customer(&fresh_id("free"))["email"].clone();
    admin_creates(&taken_id)
        .send(&server)
        .problem(409, "customer_exists");
    admin_creates(&new_customer(&known.id))
        .send(&server)
        .problem(409, "customer_exists");
    let id = fresh_id("unused");
    for named in [json!(id), json!(other.id), Value::Null] {
        let mut body = new_customer(&known.id);
        body["customerId"] = named.clone();
        let code = if named == json!(other.id) {
            "customer_exists"
        } else {
            "email_taken"
        };
        admin_creates(&body).send(&server).problem(409, code);
    }
    assert_eq!((known.now(&server), other.now(&server)), before);
    // The id that was refused is nothing still, and can be made a customer.
    get(&format!("/admin/customers/{id}"))
        .bearer(&admin())
        .send(&server)
        .problem(404, "customer_not_found");
    admin_creates(&new_customer(&id)).send(&server).expect(201);
    // An id that stands for a customer is not made one of its own.
    let alias = fresh_id("alias");
    let email = new_customer(&known.id)["email"].clone();
    let token = Token::of(&alias).claim("email", email).hs256();
    let found = get("/customer/me").bearer(&token).send(&server).ok();
    assert_eq!(found["customerId"], known.id);
    admin_creates(&new_customer(&alias))
        .send(&server)
        .problem(409, "customer_exists");
}

#[test]
fn only_administrators_create_and_what_is_wrong_with_the_body_is_told() {
    let server = shared();
    let customer = Customer::on(&server);
    let id = fresh_id("refused");
    for token in [&customer.token, &Token::of(&id).hs256()] {
        for body in [new_customer(&id), json!({})] {
            post("/admin/customers", &body)
                .bearer(token)
                .send(&server)
                .problem(403, "forbidden");
        }
    }
    let body = json!({"customerId": "_x", "plan": "gold", "nick": 1, "status": "suspended"});
    assert_eq!(
        admin_creates(&body).send(&server).pointers("validation_failed"),
        ["#/customerId", "#/email", "#/nick", "#/plan", "#/status"]
    );
    get(&format!("/admin/customers/{id}"))
        .bearer(&admin())
        .send(&server)
        .problem(404, "customer_not_found");
}

#[test]
fn an_administrator_s_creation_under_one_key_happens_once() {
    let server = shared();
    for body in [nameless(), new_customer(&fresh_id("keyed"))] {
        let key = fresh_id("creation-key");
        let request = admin_creates(&body).idempotency_key(&key);
        let first = request.send(&server).expect(201);
        for again in at_once(10, |_| request.send(&server)) {
            assert_eq!((again.status, &again.body), (201, &first.body));
            assert_eq!(again.must_header("Idempotent-Replayed"), "true");
            assert_eq!(again.header("Location"), first.header("Location"));
        }
        let mut other = body.clone();
        other["name"] = json!("Other");
        admin_creates(&other)
            .idempotency_key(&key)
            .send(&server)
            .problem(422, "idempotency_key_reused");
    }
    let body = nameless();
    let request = admin_creates(&body).idempotency_key(&fresh_id("creation-key"));
    let answers = at_once(20, |_| request.send(&server).expect(201));
    assert!(answers.iter().all(|answer| answer.body == answers[0].body));
    let firsts = answers
        .iter()
        .filter(|answer| answer.header("Idempotent-Replayed").is_none());
    assert_eq!(firsts.count(), 1);
}
