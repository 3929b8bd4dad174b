//! The shield before authentication: a counter of requests by address that the platform binds. Plain workerd has
//! none, so these tests bind one of their own, wrapped as Cloudflare's local emulation wraps its own.

use crate::concurrency::at_once;
use crate::support::http::{Request, Response, get, post, put};
use crate::support::log;
use crate::support::server::{Server, new_data, poll};
use crate::support::settings::{SERVICE_KEYS, Settings};
use crate::support::shared::{Customer, create, new_customer};
use serde_json::json;
use std::path::Path;

/// Counts by key and lets five through; some keys meet a binding that misbehaves.
const COUNTER: &str = r#"
const counts = new Map();
class Counter {
  limit(options) {
    const { key } = options;
    if (Object.keys(options).length !== 1 || typeof key !== "string") throw new Error("bad options");
    if (key === "192.0.2.1") throw new Error("persondata in an error");
    if (key === "192.0.2.2") return Promise.reject(new Error("persondata in a rejection"));
    if (key === "192.0.2.3") return new Promise(() => {});
    if (key === "192.0.2.4") return Promise.resolve({ success: "yes" });
    counts.set(key, (counts.get(key) ?? 0) + 1);
    return Promise.resolve({ success: counts.get(key) <= 5 });
  }
}
export default () => new Counter();
"#;

/// What the counter lets through of one address.
const LET_THROUGH: usize = 5;

/// A server whose configuration is the delivered one with that binding added.
fn shielded() -> Server {
    let data = new_data();
    let delivered =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("workerd.capnp")).unwrap();
    let extension = r#"  extensions = [(modules = [(name = "e2e:counter", internal = true, esModule = embed "counter.js")])],
  services = ["#;
    let binding = r#"  bindings = [
    (name = "SHIELD", wrapped = (moduleName = "e2e:counter")),"#;
    let changed = delivered
        .replacen("  services = [", extension, 1)
        .replacen("  bindings = [", binding, 1)
        .replace("embed \"build/", "embed \"/build/");
    assert_eq!(changed.matches("e2e:counter").count(), 2);
    std::fs::write(data.path().join("counter.js"), COUNTER).unwrap();
    let config = data.path().join("shielded.capnp");
    std::fs::write(&config, changed).unwrap();
    Server::start_with(&Settings::default(), &data, &config)
}

fn from(request: Request, address: &str) -> Request {
    request.header("CF-Connecting-IP", address)
}

fn turned_away(response: Response) {
    assert_eq!(response.must_header("Retry-After"), "60");
    assert_eq!(response.header("RateLimit"), None);
    assert_eq!(response.header("WWW-Authenticate"), None);
    let problem = response.problem(429, "too_many_requests");
    assert_eq!(problem["violated-policies"], json!(["address"]));
}

#[test]
fn past_its_count_an_address_is_turned_away_before_its_credential_is_looked_at() {
    let server = shielded();
    let customer = Customer::on(&server);
    let requests = [
        get("/customer/me").bearer("nonsense"),
        get("/customer/me").bearer(&customer.token),
        put("/customer/me", &json!({"name": "x"})),
        post("/internal/customers", &json!({})).service_key(SERVICE_KEYS[0]),
        get("/admin/customers/x/usage").bearer(&customer.token),
    ];
    let address = "203.0.113.7";
    let statuses = requests
        .each_ref()
        .map(|request| from(request.clone(), address).send(&server).status);
    assert_eq!(statuses, [401, 200, 401, 422, 403]);
    for request in requests {
        turned_away(from(request, address).send(&server));
    }
    // Neither what watches the service nor another address is concerned, nor one that nobody named.
    for path in ["/health", "/ready", "/problems/too_many_requests"] {
        from(get(path), address).send(&server).expect(200);
    }
    let other = from(get("/customer/me"), "203.0.113.8").bearer(&customer.token);
    other.send(&server).expect(200);
    for _ in 0..=LET_THROUGH {
        customer.get(&server, "/customer/me").expect(200);
    }
    let ended = server.stop();
    log::check(&ended.log);
    assert!(!ended.log.contains("203.0.113"), "an address is personal data");
}

#[test]
fn a_flood_of_made_up_credentials_reaches_no_object() {
    let server = shielded();
    let customer = Customer::on(&server);
    let answers = at_once(20, |_| {
        let request = from(get("/customer/me"), "203.0.113.7").bearer(&customer.token);
        (0..20).map(|_| request.send(&server)).collect::<Vec<_>>()
    });
    let (passed, refused): (Vec<_>, Vec<_>) = answers
        .into_iter()
        .flatten()
        .partition(|answer| answer.status == 200);
    assert_eq!(passed.len(), LET_THROUGH);
    refused.into_iter().for_each(turned_away);
    let data = server.data().clone();
    server.stop();
    let object = crate::support::store::customer(&data, &customer.id);
    assert_eq!(object.count("audit"), 1 + i64::try_from(LET_THROUGH).unwrap());
}

#[test]
fn addresses_of_one_network_of_ipv6_count_as_one_and_only_the_platform_s_header_counts() {
    let server = shielded();
    let ask = |address: &str| from(get("/customer/me"), address).send(&server);
    for host in 0..LET_THROUGH {
        ask(&format!("2001:db8:0:1::{host}")).problem(401, "authentication_required");
    }
    turned_away(ask("2001:db8:0:1:ffff::1"));
    ask("2001:db8:0:2::1").problem(401, "authentication_required");
    for _ in 0..=LET_THROUGH {
        let claimed = get("/customer/me").header("X-Forwarded-For", "2001:db8:0:1::1");
        claimed.send(&server).problem(401, "authentication_required");
        ask("no address").problem(401, "authentication_required");
    }
}

#[test]
fn a_shield_that_fails_stops_nobody_and_is_logged() {
    let server = shielded();
    create(&new_customer("unshielded")).send(&server).expect(201);
    for address in ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"] {
        for _ in 0..2 {
            from(get("/customer/me"), address)
                .send(&server)
                .problem(401, "authentication_required");
        }
    }
    let ended = server.stop();
    log::check(&ended.log);
    for reason in [
        "the binding threw",
        "the binding failed",
        "no answer in time",
        "no outcome",
    ] {
        let lines = ended
            .log
            .lines()
            .filter(|line| line.contains(r#""event":"shield""#));
        assert_eq!(
            lines.filter(|line| line.contains(reason)).count(),
            2,
            "{reason}\n{}",
            ended.log
        );
    }
}

#[test]
fn without_a_shield_the_service_runs_and_says_so_at_its_start_and_once_in_an_isolate() {
    const AT_START: &str = "the configuration has no SHIELD";
    let server = Server::start(&Settings::default());
    poll("it is said", || {
        server.log().text().contains(AT_START).then_some(())
    });
    let customer = Customer::on(&server);
    for _ in 0..20 {
        from(get("/customer/me"), "203.0.113.7")
            .bearer(&customer.token)
            .send(&server)
            .expect(200);
    }
    let ended = server.stop();
    log::check(&ended.log);
    for said in [AT_START, "no binding SHIELD"] {
        assert_eq!(ended.log.matches(said).count(), 1, "{}", ended.log);
    }
}
