//! What a key with which scopes may do, and when it may do it no more.

use crate::support::http::{Request, get, patch, post, put, request};
use crate::support::integration::{Key, SCOPES, set_limits};
use crate::support::server::Server;
use crate::support::shared::{Customer, shared};
use serde_json::json;
use user_api::edge::route::{Audience, BodyKind, Route};

/// Every operation of integrations and the scope that it needs.
fn operations() -> Vec<(Request, &'static str)> {
    let jobs = json!({"policies": [{"name": "jobs", "cost": 1}]});
    vec![
        (get("/customer/me"), "customer:read"),
        (get("/customer/me/status"), "customer:read"),
        (
            patch("/customer/me", &json!({"displayName": "by key"})),
            "customer:write",
        ),
        (
            put("/customer/me", &json!({"displayName": "by key"})),
            "customer:write",
        ),
        (get("/customer/me/usage"), "usage:read"),
        (post("/customer/me/limits/consume", &jobs), "limits:consume"),
        (
            post(
                "/customer/me/limits/release",
                &json!({"lease": format!("lease_{}", "0".repeat(32))}),
            ),
            "limits:consume",
        ),
        (get("/customer/me/audit"), "audit:read"),
        (get("/customer/me/audit/1"), "audit:read"),
        (get("/customer/me/audit/head"), "audit:read"),
    ]
}

fn customer(server: &Server) -> Customer {
    let customer = Customer::on(server);
    set_limits(server, &customer, &json!([{"name": "jobs", "q": 1000, "w": 60}]));
    customer
}

#[test]
fn each_operation_needs_its_scope_and_no_other() {
    let server = shared();
    let customer = customer(&server);
    for (operation, needed) in operations() {
        let others: Vec<_> = SCOPES.into_iter().filter(|scope| *scope != needed).collect();
        let lacking = Key::of(&server, &customer, &others);
        let answer = operation.clone().bearer(&lacking.secret).send(&server);
        answer.problem(403, "insufficient_scope");
        let having = Key::of(&server, &customer, &[needed]);
        let answer = operation.clone().bearer(&having.secret).send(&server);
        assert!(
            matches!(answer.status, 200 | 204 | 404),
            "{needed}: {}",
            answer.describe()
        );
        for key in [&lacking, &having] {
            let revocation = request("DELETE", &key.path()).bearer(&customer.token);
            revocation.send(&server).expect(204);
        }
    }
}

#[test]
fn what_is_not_for_integrations_is_forbidden_whatever_the_scopes() {
    let server = shared();
    let customer = customer(&server);
    let key = Key::of(&server, &customer, &SCOPES);
    let mut asked = 0;
    for route in Route::ALL {
        if !matches!(
            route.audience(),
            Audience::User | Audience::Admin | Audience::OwnAdmin | Audience::Operator | Audience::Service
        ) {
            continue;
        }
        let path = route
            .pattern()
            .replace("{keyId}", &key.id)
            .replace("{customerId}", &customer.id);
        let request = request(route.method().as_str(), &path);
        let request = match route.body() {
            BodyKind::None => request,
            BodyKind::Ndjson => request.body("application/x-ndjson", "{}"),
            _ => request.body("application/json", "{}"),
        };
        for request in [request.clone().bearer(&key.secret), request.api_key(&key.secret)] {
            request.send(&server).problem(403, "forbidden");
            asked += 1;
        }
    }
    assert!(asked >= 30, "{asked}");
    key.get(&server, "/customer/me").expect(200);
}

#[test]
fn a_change_of_scopes_holds_for_the_next_request() {
    let server = shared();
    let customer = customer(&server);
    let key = Key::of(&server, &customer, &["customer:read"]);
    for round in 0..10 {
        key.get(&server, "/customer/me").expect(200);
        let to = |scopes: &[&str]| {
            let change = patch(&key.path(), &json!({ "scopes": scopes })).bearer(&customer.token);
            change.send(&server).expect(200);
        };
        to(&["usage:read"]);
        key.get(&server, "/customer/me")
            .problem(403, "insufficient_scope");
        key.get(&server, "/customer/me/usage").expect(200);
        to(&["customer:read"]);
        let refused = key.get(&server, "/customer/me/usage");
        assert_eq!(refused.status, 403, "round {round}: {}", refused.describe());
    }
}

#[test]
fn a_key_may_be_bound_to_origins() {
    let server = shared();
    let customer = customer(&server);
    let body =
        json!({"name": "Page", "scopes": ["customer:read"], "allowedOrigins": ["https://app.e2e.test"]});
    let made = post("/customer/me/api-keys", &body)
        .bearer(&customer.token)
        .send(&server);
    let key = Key::from(made);
    let from = |origin: &str| {
        get("/customer/me")
            .bearer(&key.secret)
            .header("Origin", origin)
            .send(&server)
    };
    from("https://app.e2e.test").expect(200);
    key.get(&server, "/customer/me").expect(200);
    for origin in ["http://localhost:5173", "https://evil.e2e.test", "null"] {
        from(origin).problem(403, "origin_not_allowed");
    }
}

#[test]
fn a_key_may_have_a_limit_of_its_own() {
    let server = shared();
    let customer = customer(&server);
    let body = json!({"name": "Slow", "scopes": ["customer:read"], "limit": {"q": 3, "w": 3600}});
    let made = post("/customer/me/api-keys", &body)
        .bearer(&customer.token)
        .send(&server);
    let (slow, free) = (Key::from(made), Key::of(&server, &customer, &["customer:read"]));
    for _ in 0..3 {
        slow.get(&server, "/customer/me").expect(200);
    }
    slow.get(&server, "/customer/me").problem(429, "quota_exceeded");
    free.get(&server, "/customer/me").expect(200);
    customer.get(&server, "/customer/me").expect(200);
}

#[test]
fn an_expired_key_is_no_key() {
    let server = shared();
    let customer = customer(&server);
    let at = |seconds: u64| {
        let at = time_of(crate::support::token::now_secs() + i64::try_from(seconds).unwrap());
        let body = json!({"name": "Brief", "scopes": ["customer:read"], "expiresAt": at});
        post("/customer/me/api-keys", &body)
            .bearer(&customer.token)
            .send(&server)
    };
    let key = Key::from(at(3));
    key.get(&server, "/customer/me").expect(200);
    std::thread::sleep(std::time::Duration::from_secs(3));
    key.get(&server, "/customer/me").problem(401, "invalid_api_key");
    assert_eq!(customer.get(&server, &key.path()).ok()["status"], "expired");
    assert_eq!(at(0).pointers("validation_failed"), ["#/expiresAt"]);
}

/// RFC 3339 of Unix seconds (days to a date as in Howard Hinnant's `civil_from_days`).
fn time_of(seconds: i64) -> String {
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.000Z")
}
