//! Bytes that must not change: what is stored and chained outlives the code that wrote it.

use crate::support::chain::hex;
use crate::support::people::sound_body;
use crate::support::{World, ada, service};
use serde_json::json;
use user_api::crypto::Column;
use user_api::edge::route::Route;

const HEADER: &str = concat!(
    r#"{"action":"customer.update","actor":{"id":"user_019b76daacd275ba8eb728dd632ceb03","kind":""#,
    r#"user"},"at":"2026-01-01T00:00:01.234Z","commitment":"bd9cf1801073b9afe58f7b40f5d7c7f543666"#,
    r#"2e14940029a705fa4052fb644b1","customerId":"cust_acme","outcome":"ok","requestId":"req_1",""#,
    r#"seq":2,"target":"customer","v":1}"#,
);
const SALT: &str = "c1dfda7a5eb236f8acb06798004bbc2f1b5051c62d0332cd582d6717a91d279d";
const DETAIL: &str = concat!(
    r#"{"callerRequestId":"caller-request-7","changed":{"metadata":{"after":{"a/b":"1"},"before":"#,
    r#"{}},"name":{"after":"Zoë \"Z\"","before":"Acme"},"user":{"after":{"email":"ada@example.com",""#,
    r#"subject":"auth0|ada","userId":"user_019b76daacd275ba8eb728dd632ceb03"},"before":null}},"#,
    r#""ip":"203.0.113.9","jti":"jti-of-the-token","userAgent":"curl/8"}"#,
);
const HASH: &str = "009afe141192170a5663ed0d65ae105f7f1c9643544833671f73e20b8bc1f65e";

#[test]
fn an_audit_entry_keeps_its_bytes() {
    let mut world = World::absent();
    world.send(&service().says(Route::EnsureCustomer, &sound_body(Route::EnsureCustomer)));
    world.now += 1234;
    world.send(&ada().says(
        Route::PatchCustomer,
        &json!({"name": "Zoë \"Z\"", "metadata": {"a/b": "1"}}),
    ));
    let (header, stored, hash) = world
        .sql
        .raw(|db| {
            let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
            db.query_row("SELECT header, detail, hash FROM audit WHERE seq = 2", [], row)
        })
        .map(|(header, stored, hash): (String, Vec<u8>, Vec<u8>)| (header, stored, hash))
        .unwrap();
    let stored = world.fields().open(Column::AuditDetail, "2", &stored).unwrap();
    let (salt, detail) = stored.split_at(32);
    assert_eq!(header, HEADER);
    assert_eq!(hex(salt), SALT);
    assert_eq!(std::str::from_utf8(detail).unwrap(), DETAIL);
    assert_eq!(hex(&hash), HASH);
}

#[test]
fn stored_documents_keep_their_bytes() {
    let mut world = World::new();
    world.send(&ada().says(
        Route::PatchUser,
        &json!({"displayName": "Ada", "locale": "en", "timeZone": "UTC"}),
    ));
    world.send(&ada().says(
        Route::PatchPreferences,
        &json!({"theme": "dark", "custom": {"n": 1, "t": "x", "b": true}}),
    ));
    world.send(&ada().says(Route::PatchCustomer, &json!({"metadata": {"k": "v"}})));
    let user: String = world
        .sql
        .raw(|db| db.query_row("SELECT user_id FROM users", [], |row| row.get(0)))
        .unwrap();
    assert_eq!(
        world.opened(Column::CustomerProfile, "1", "SELECT profile FROM customer"),
        r#"{"email":"owner@example.com","name":"Acme","companyName":null,"displayName":null,"metadata":{"k":"v"}}"#
    );
    assert_eq!(
        world.opened(Column::UserProfile, &user, "SELECT profile FROM users"),
        r#"{"subject":"auth0|ada","email":"ada@example.com","displayName":"Ada","locale":"en","timeZone":"UTC"}"#
    );
    assert_eq!(
        world.opened(Column::UserPreferences, &user, "SELECT preferences FROM users"),
        concat!(
            r#"{"theme":"dark","language":null,"timeZone":null,"emailVisibility":"private","#,
            r#""notifications":{"email":true,"product":false,"security":true},"custom":{"b":true,"n":1,"t":"x"}}"#
        )
    );
}
