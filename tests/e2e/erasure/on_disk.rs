//! What of an erased customer is on the disk.

use super::{certified, erase, fill_store};
use crate::support::http::{Request, get, patch, post};
use crate::support::integration::admin;
use crate::support::kv::Kv;
use crate::support::sealed::{DataKey, wrapped};
use crate::support::server::{Server, new_data};
use crate::support::settings::Settings;
use crate::support::shared::Customer;
use crate::support::store;
use crate::support::token::Token;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use user_api::crypto::{Column, Dek, FieldKeys, MasterKeys, Wrapped};
use user_api::types::CustomerId;

/// All `MASTER_KEYS` of the servers under test.
const MASTERS: [(u32, [u8; 32]); 2] = [(1, [1; 32]), (2, [7; 32])];
/// Bytes of a wrapped key.
const WRAPPED_BYTES: usize = 77;

/// All files below.
fn files(folder: &Path, found: &mut Vec<Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if let Ok(bytes) = std::fs::read(&path) {
            found.push(bytes);
        }
    }
}

/// How many places of the files hold a wrapped key of this customer that the master key opens.
fn openable(data: &TempDir, id: &str) -> usize {
    opened(data, id).len()
}

/// What the master keys open there under that id.
pub fn opened(data: &TempDir, id: &str) -> Vec<Dek> {
    let (masters, id) = (MasterKeys::new(MASTERS.to_vec()), CustomerId::parse(id).unwrap());
    let mut all = Vec::new();
    files(data.path(), &mut all);
    let mut found = Vec::new();
    for bytes in &all {
        for window in bytes.windows(WRAPPED_BYTES) {
            // Each begins with the version of the form, then the master key's number.
            if window[..4] != [1, 0, 0, 0] || !MASTERS.iter().any(|(kid, _)| *kid == u32::from(window[4])) {
                continue;
            }
            let Some(wrapped) = Wrapped::parse(window) else {
                continue;
            };
            found.extend(masters.unwrap(&id, &wrapped).map(|(dek, _)| dek));
        }
    }
    found
}

/// Everything sealed that the customer's object holds: its column, its row, and how it lies there.
fn sealed(data: &TempDir, id: &str) -> Vec<(Column, String, Vec<u8>)> {
    let object = store::customer(data, id);
    let mut all = Vec::new();
    for &column in Column::ALL {
        let query = match column {
            Column::CustomerProfile => "SELECT '1', profile FROM customer",
            Column::CustomerStatusReason => {
                "SELECT '1', status_reason FROM customer WHERE status_reason IS NOT NULL"
            }
            Column::UserProfile => "SELECT user_id, profile FROM users",
            Column::UserPreferences => "SELECT user_id, preferences FROM users WHERE preferences IS NOT NULL",
            Column::ApiKeySettings => "SELECT key_id, settings FROM api_keys",
            Column::AuditDetail => "SELECT CAST(seq AS TEXT), detail FROM audit",
            Column::IdempotencyReply => "SELECT lower(hex(scope)), reply FROM idempotency",
            Column::LegacyDocument => "SELECT kind || '/' || key, document FROM legacy",
        };
        let mut select = object.sql.prepare(query).unwrap();
        let rows = select.query_map([], |row| Ok((column, row.get(0)?, row.get(1)?)));
        let before = all.len();
        all.extend(rows.unwrap().map(Result::unwrap));
        assert!(all.len() > before, "the scenario has nothing in {column:?}");
    }
    all
}

/// How many of them open under any of these keys.
fn opens(id: &str, keys: &[Dek], sealed: &[(Column, String, Vec<u8>)]) -> usize {
    let id = CustomerId::parse(id).unwrap();
    let keys: Vec<_> = keys
        .iter()
        .map(|key| FieldKeys::derive(&id, key).unwrap())
        .collect();
    let open = |(column, row, bytes): &&(Column, String, Vec<u8>)| {
        keys.iter().any(|keys| keys.open(*column, row, bytes).is_ok())
    };
    sealed.iter().filter(open).count()
}

/// A customer with something of everything: moved in from an older store, with an alias, repeated requests and an
/// export, under a key that was wrapped under an older master key before.
fn lived(kv: &Kv, data: &Arc<TempDir>, id: &str, alias: &str) -> (Server, Customer, Vec<u8>) {
    let email = "person.lived@e2e.test";
    let with = |keys: &[(u32, [u8; 32])]| {
        let keys = keys
            .iter()
            .map(|(kid, key)| format!("{kid}:{}", STANDARD.encode(key)));
        Settings::default()
            .with("LEGACY_KV_ADDRESS", &kv.address())
            .with("MASTER_KEYS", &keys.collect::<Vec<_>>().join(","))
    };
    fill_store(kv, id, email, "otp_live_sk_of_nobody");
    let server = Server::start_in(&with(&MASTERS[..1]), data);
    let token = |id: &str| {
        let token = Token::of(id).claim("email", json!(email));
        token.claim("email_verified", json!(true)).hs256()
    };
    let customer = Customer {
        id: id.to_owned(),
        token: token(id),
    };
    customer.get(&server, "/customer/me").expect(200);
    let patched = json!({"custom": {"favourite": "marmalade"}});
    let ask = |request: Request| request.bearer(&customer.token).send(&server);
    ask(patch("/user/me/preferences", &patched).idempotency_key("k1")).expect(200);
    let key = json!({"name": "CI", "scopes": ["customer:read"]});
    ask(post("/customer/me/api-keys", &key).idempotency_key("k2")).expect(201);
    let by_alias = get("/customer/me").bearer(&token(alias)).send(&server).ok();
    assert_eq!(by_alias["customerId"], id);
    ask(get("/customer/me/export")).expect(200);
    let raw = DataKey::of(data.path(), id).bytes().to_vec();
    let old = wrapped(data.path(), id);
    server.stop();
    let server = Server::start_in(&with(&[MASTERS[1], MASTERS[0]]), data);
    customer.patch(&server, &json!({"name": "Somebody"})).expect(200);
    assert_ne!(wrapped(data.path(), id), old, "the key was not wrapped anew");
    post(
        &format!("/admin/customers/{id}/suspend"),
        &json!({"reason": "unpaid invoice"}),
    )
    .bearer(&admin())
    .send(&server)
    .expect(200);
    (server, customer, raw)
}

#[test]
fn nothing_left_on_disk_opens_under_any_master_key_there_ever_was() {
    let (kv, data) = (Kv::start(), new_data());
    let (id, alias) = ("cust_11fed11fed11", "cust_a11a5a11a5a1");
    let (server, customer, raw) = lived(&kv, &data, id, alias);
    let other = Customer::on(&server);
    other.patch(&server, &json!({"name": "Another"})).expect(200);
    let saved = sealed(&data, id);
    let finder = memchr::memmem::Finder::new(&raw);
    let raw_places = || {
        let mut all = Vec::new();
        files(data.path(), &mut all);
        all.iter().filter(|bytes| finder.find(bytes).is_some()).count()
    };
    let ids = [id, alias, &other.id, "operator"];
    let all_keys = || ids.iter().flat_map(|id| opened(&data, id)).collect::<Vec<_>>();
    // The search finds what is there: the key under both master keys, and everything under it.
    assert!(
        openable(&data, id) >= 2,
        "under the older master key, in the vault's log, as well"
    );
    assert_eq!(opens(id, &all_keys(), &saved), saved.len());
    assert_eq!(raw_places(), 0);
    erase(&server, &customer);
    certified(&server, &customer);
    let nothing = |when: &str| {
        let others = all_keys();
        assert_eq!(openable(&data, id), 0, "{when}");
        assert_eq!(openable(&data, alias), 0, "{when}");
        assert!(openable(&data, &other.id) > 0, "{when}: the search still works");
        assert!(openable(&data, "operator") > 0, "{when}: the search still works");
        assert_eq!(opens(id, &others, &saved), 0, "{when}");
        assert_eq!(raw_places(), 0, "{when}");
    };
    nothing("right after");
    server.crash();
    nothing("after a crash");
    let keys = MASTERS
        .iter()
        .map(|(kid, key)| format!("{kid}:{}", STANDARD.encode(key)));
    let settings = Settings::default().with("MASTER_KEYS", &keys.collect::<Vec<_>>().join(","));
    let server = Server::start_in(&settings, &data);
    customer
        .get(&server, "/customer/me")
        .problem(410, "customer_erased");
    server.stop();
    nothing("after a restart");
    let object = store::customer(&data, id);
    for table in ["users", "api_keys", "idempotency", "legacy", "outbox", "aliases"] {
        assert_eq!(object.count(table), 0, "{table}");
    }
}
