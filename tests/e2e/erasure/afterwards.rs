//! What was used before an erasure, and is tried again after it.

use super::{certified, erase};
use crate::support::http::{Request, get, patch, request};
use crate::support::kv::Kv;
use crate::support::server::Server;
use crate::support::settings::{SERVICE_KEYS, Settings};
use crate::support::shared::{Customer, shared};
use crate::support::shared::{create, fresh_id, new_customer};
use crate::support::token::{PERSONAL, Token};
use serde_json::{Value, json};

fn record(id: &str) -> Value {
    json!({
        "customerId": id, "email": format!("{PERSONAL}.{id}@e2e.test"), "companyName": PERSONAL, "tier": "basic",
        "status": "active", "createdAt": "2024-01-01T00:00:00Z", "updatedAt": "2024-02-01T00:00:00Z",
    })
}

/// What an import says of the record of `id`.
fn imported(server: &Server, id: &str) -> Value {
    let line = json!({"key": format!("customer:customer:{id}"), "value": record(id)});
    let import = request("POST", "/internal/import")
        .body("application/x-ndjson", line.to_string())
        .service_key(SERVICE_KEYS[0]);
    import.send(server).expect(200).json()
}

#[test]
fn repetitions_aliases_and_imports_find_it_erased() {
    let server = shared();
    let id = fresh_id("cust");
    let made = create(&new_customer(&id)).idempotency_key(&format!("make-{id}"));
    made.send(&server).expect(201);
    let token = Token::of(&id).hs256();
    let customer = Customer {
        id: id.clone(),
        token: token.clone(),
    };
    let changed = patch("/customer/me", &json!({"displayName": PERSONAL}))
        .bearer(&token)
        .idempotency_key("change");
    changed.send(&server).expect(200);
    // Another id leads here, for a token with the customer's e-mail, of somebody who was never here before, too.
    let alias = fresh_id("alias");
    let by_alias = |subject: &str| -> Request {
        let email = format!("{PERSONAL}.{id}@e2e.test").to_lowercase();
        let token = Token::of(&alias).claim("email", email).subject(subject);
        get("/customer/me").bearer(&token.hs256())
    };
    assert_eq!(by_alias("auth0|first").send(&server).ok()["customerId"], id);
    erase(&server, &customer);
    let jws = certified(&server, &customer);
    for again in [made, changed, by_alias("auth0|first"), by_alias("auth0|second")] {
        let gone = again.send(&server).problem(410, "customer_erased");
        assert!(!gone.to_string().contains(PERSONAL));
    }
    let said = imported(&server, &id);
    assert_eq!(
        (&said["outcome"], &said["detail"]),
        (&json!("skipped"), &json!("erased")),
        "{said}"
    );
    let gone = customer
        .get(&server, "/customer/me")
        .problem(410, "customer_erased");
    assert_eq!(gone["certificate"], jws.as_str());
}

#[test]
fn records_that_come_back_to_the_older_store_do_not_move_in() {
    let kv = Kv::start();
    let settings = Settings::default().with("LEGACY_KV_ADDRESS", &kv.address());
    let server = Server::start(&settings);
    let id = fresh_id("quiet");
    let key = format!("customer:customer:{id}");
    kv.put(&key, &record(&id));
    let customer = Customer {
        id: id.clone(),
        token: Token::of(&id).hs256(),
    };
    customer.get(&server, "/customer/me").expect(200);
    erase(&server, &customer);
    certified(&server, &customer);
    // Restored from a backup by somebody.
    kv.put(&key, &record(&id));
    customer
        .get(&server, "/customer/me")
        .problem(410, "customer_erased");
    create(&new_customer(&id))
        .send(&server)
        .problem(410, "customer_erased");
    assert_eq!(imported(&server, &id)["outcome"], "skipped");
    server.stop();
}
