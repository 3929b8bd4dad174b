//! Bytes that must not change: what is stored and chained outlives the code that wrote it.

use crate::support::chain::hex;
use crate::support::people::sound_body;
use crate::support::{World, ada, service};
use serde_json::json;
use user_api::edge::route::Route;

const HEADER: &str = "";
const DETAIL: &str = "";
const HASH: &str = "";

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
    let (salt, detail) = stored.split_at(32);
    assert_eq!(header, HEADER);
    assert_eq!(
        format!("{}|{}", hex(salt), std::str::from_utf8(detail).unwrap()),
        DETAIL
    );
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
    let text = |query: &str| {
        let bytes: Vec<u8> = world
            .sql
            .raw(|db| db.query_row(query, [], |row| row.get(0)))
            .unwrap();
        String::from_utf8(bytes).unwrap()
    };
    assert_eq!(
        text("SELECT profile FROM customer"),
        r#"{"email":"owner@example.com","name":"Acme","companyName":null,"displayName":null,"metadata":{"k":"v"}}"#
    );
    assert_eq!(
        text("SELECT profile FROM users"),
        r#"{"subject":"auth0|ada","email":"ada@example.com","displayName":"Ada","locale":"en","timeZone":"UTC"}"#
    );
    assert_eq!(
        text("SELECT preferences FROM users"),
        concat!(
            r#"{"theme":"dark","language":null,"timeZone":null,"emailVisibility":"private","#,
            r#""notifications":{"email":true,"product":false,"security":true},"custom":{"b":true,"n":1,"t":"x"}}"#
        )
    );
}
