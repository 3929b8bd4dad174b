//! The list of customers: whole, in order, filtered, and never behind an administrator's change.

use crate::support::http::{Response, get, patch, post};
use crate::support::integration::admin;
use crate::support::server::Server;
use crate::support::settings::Settings;
use crate::support::shared::{Customer, create, new_customer};
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
