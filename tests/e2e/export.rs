//! The log as its customer reads it, and the export, checked offline by the companion.

mod memory;

use crate::support::http::{get, patch, post};
use crate::support::integration::{Key, admin, revocation, service_revocation};
use crate::support::raw::Raw;
use crate::support::server::{Server, namespace, poll};
use crate::support::settings::Settings;
use crate::support::shared::{Customer, shared};
use crate::support::token::Token;
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;
use ureq::http;

/// What one test saves to verify it offline.
struct Desk(TempDir);

impl Desk {
    fn new(server: &Server) -> Self {
        let desk = Self(TempDir::new().unwrap());
        let keys = get("/.well-known/jwks.json").send(server).expect(200);
        desk.save("keys.json", &keys.body);
        desk
    }

    fn save(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.0.path().join(name), bytes).unwrap();
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    /// Runs the companion; its exit code and what it said.
    fn verify(&self, args: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_user-api"));
        let Output {
            status,
            stdout,
            stderr,
        } = command
            .arg("verify")
            .args(args)
            .current_dir(self.0.path())
            .output()
            .unwrap();
        let said = String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap();
        (status.code(), said)
    }

    fn is_sound(&self, args: &[&str]) -> String {
        let (code, said) = self.verify(args);
        assert_eq!(code, Some(0), "{said}");
        said
    }
}

/// Saves what a long GET answers, however long it takes.
fn download(server: &Server, path: &str, token: &str, to: &Path) -> u64 {
    let uri = format!("{}{path}", server.origin());
    let request = http::Request::builder()
        .uri(uri)
        .header("Authorization", format!("Bearer {token}"));
    let request = server.agent().configure_request(request.body(()).unwrap());
    let answer = server.agent().run(request.timeout_global(None).build()).unwrap();
    assert_eq!(answer.status(), 200);
    let mut file = std::fs::File::create(to).unwrap();
    std::io::copy(&mut answer.into_body().into_reader(), &mut file).unwrap()
}

fn page(server: &Server, customer: &Customer, query: &str) -> Value {
    customer.get(server, &format!("/customer/me/audit?{query}")).ok()
}

fn actions(page: &Value) -> Vec<String> {
    let entries = page["data"].as_array().unwrap().iter();
    entries
        .map(|entry| entry["action"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_customer_reads_who_looked_at_its_data_when_and_under_which_credential() {
    let server = shared();
    let customer = Customer::on(&server);
    let key = Key::of(&server, &customer, &["customer:read", "audit:read"]);
    key.get(&server, "/customer/me").expect(200);
    let usage = format!("/admin/customers/{}/usage", customer.id);
    get(&usage).bearer(&admin()).send(&server).expect(200);
    let newest = page(&server, &customer, "limit=3");
    assert_eq!(
        actions(&newest),
        ["usage.read", "customer.read", "api_key.create"]
    );
    let [by_admin, by_key, by_owner] = [0, 1, 2].map(|at| newest["data"][at]["actor"].clone());
    assert_eq!(by_key["kind"], "integration");
    assert!(by_key["id"].as_str().unwrap().starts_with("key_"));
    assert_eq!(
        (&by_admin["kind"], &by_owner["kind"]),
        (&json!("admin"), &json!("user"))
    );
    let cursor = newest["nextCursor"].as_str().unwrap();
    let older = page(&server, &customer, &format!("limit=3&cursor={cursor}"));
    assert_eq!(actions(&older), ["customer.create"]);
    assert_eq!(
        actions(&page(
            &server,
            &customer,
            "actor=integration&from=2020-01-01T00:00:00%2B01:00"
        )),
        ["customer.read"]
    );
    let one = customer.get(&server, "/customer/me/audit/1").ok();
    assert_eq!(one, older["data"][0]);
    key.get(&server, "/customer/me/audit?limit=1").expect(200);
    let admins = format!("/admin/customers/{}/audit?limit=1", customer.id);
    get(&admins).bearer(&admin()).send(&server).expect(200);
    get(&admins)
        .bearer(&customer.token)
        .send(&server)
        .problem(403, "forbidden");
    customer
        .get(&server, "/customer/me/audit?cursor=bm9uZQ")
        .problem(400, "invalid_cursor");
    customer
        .get(&server, "/customer/me/audit?limit=x")
        .problem(422, "validation_failed");
    customer
        .get(&server, "/customer/me/audit/999999")
        .problem(404, "audit_entry_not_found");
    let unscoped = Key::of(&server, &customer, &["customer:read"]);
    unscoped
        .get(&server, "/customer/me/audit")
        .problem(403, "insufficient_scope");
}

#[test]
fn an_export_is_verified_offline_against_an_older_checkpoint_and_what_was_changed_is_named() {
    let server = shared();
    let customer = Customer::on(&server);
    let desk = Desk::new(&server);
    customer.patch(&server, &json!({"name": "Before"})).expect(200);
    let head = customer.get(&server, "/customer/me/audit/head").ok();
    desk.save("older.note", head["checkpoint"].as_str().unwrap().as_bytes());
    customer.patch(&server, &json!({"name": "After"})).expect(200);
    customer
        .get(&server, "/customer/me/audit/head?since=2")
        .expect(200);
    let answer = customer.get(&server, "/customer/me/export").expect(200);
    assert_eq!(answer.must_header("Content-Type"), "application/zip");
    assert!(answer.must_header("Content-Disposition").contains(&customer.id));
    assert_eq!(answer.must_header("Cache-Control"), "private, no-store");
    desk.save("export.zip", &answer.body);
    let said = desk.is_sound(&["export.zip", "--jwks", "keys.json", "--head", "older.note"]);
    assert!(
        said.contains(&customer.id) && said.contains("extends the one of entry 2"),
        "{said}"
    );

    for tool in [&["unzip", "-t"][..], &["python3", "-m", "zipfile", "-t"]] {
        let tested = Command::new(tool[0])
            .args(&tool[1..])
            .arg(desk.path("export.zip"))
            .output()
            .unwrap();
        assert!(
            tested.status.success(),
            "{tool:?}: {}",
            String::from_utf8_lossy(&tested.stdout)
        );
    }
    let unpacked = Command::new("unzip")
        .args(["-q", "-o", "export.zip"])
        .current_dir(desk.0.path())
        .status();
    assert!(unpacked.unwrap().success());
    let said = desk.is_sound(&["audit.ndjson", "--jwks", "keys.json", "--head", "older.note"]);
    assert!(said.contains("holds together"), "{said}");

    let log = std::fs::read_to_string(desk.path("audit.ndjson")).unwrap();
    desk.save(
        "changed.ndjson",
        log.replacen("customer.update", "customer.delete", 1).as_bytes(),
    );
    let lines: Vec<_> = log.lines().collect();
    desk.save("short.ndjson", format!("{}\n{}\n", lines[0], lines[2]).as_bytes());
    let mut changed = answer.body.clone();
    let at = changed.windows(6).position(|bytes| bytes == b"README").unwrap();
    changed[at + 20] ^= 1;
    desk.save("changed.zip", &changed);
    for (args, word) in [
        (&["changed.ndjson"][..], "audit entry 2:"),
        (&["short.ndjson"], "audit entry 2:"),
        (&["changed.zip", "--jwks", "keys.json"], "README.txt"),
    ] {
        let (code, said) = desk.verify(args);
        assert_eq!(code, Some(3), "{args:?}: {said}");
        assert!(said.starts_with("error: ") && said.contains(word), "{said}");
    }
    assert_eq!(desk.verify(&["export.zip"]).0, Some(2), "an export needs keys");
    assert_eq!(desk.verify(&["no-such-file"]).0, Some(1));
    let logged = page(&server, &customer, "limit=2");
    assert_eq!(actions(&logged), ["export.completed", "export.read"]);
    assert_eq!(logged["data"][0]["detail"]["bytes"], answer.body.len());
}

#[test]
fn a_suspended_customer_is_exported_to_its_owner_and_to_administrators_and_to_nobody_else() {
    let server = shared();
    let customer = Customer::on(&server);
    let desk = Desk::new(&server);
    let path = format!("/admin/customers/{}", customer.id);
    let suspend = post(&format!("{path}/suspend"), &json!({"reason": "unpaid"})).bearer(&admin());
    suspend.send(&server).expect(200);
    desk.save(
        "own.zip",
        &customer.get(&server, "/customer/me/export").expect(200).body,
    );
    let export = get(&format!("{path}/export"));
    desk.save(
        "admin.zip",
        &export.clone().bearer(&admin()).send(&server).expect(200).body,
    );
    for file in ["own.zip", "admin.zip"] {
        desk.is_sound(&[file, "--jwks", "keys.json"]);
    }
    let stranger = crate::support::token::Token::of(&customer.id)
        .claim("email_verified", false)
        .hs256();
    get("/customer/me/export")
        .bearer(&stranger)
        .send(&server)
        .problem(403, "forbidden");
    export
        .bearer(&customer.token)
        .send(&server)
        .problem(403, "forbidden");
}

/// Changes that leave large entries: 50 values before and after.
fn grow(server: &Server, customer: &Customer, rounds: usize) {
    for round in 0..rounds {
        let value = |key: usize| (format!("key{key}"), json!(format!("{round}-{}", "x".repeat(480))));
        let metadata: serde_json::Map<_, _> = (0..49).map(value).collect();
        customer.patch(server, &json!({"metadata": metadata})).expect(200);
    }
}

#[test]
fn an_export_during_concurrent_writes_is_sound_and_the_writes_are_not_held_up() {
    let server = shared();
    let customer = Customer::on(&server);
    let desk = Desk::new(&server);
    grow(&server, &customer, 100);
    let is_over = AtomicBool::new(false);
    let (bytes, during) = std::thread::scope(|scope| {
        let write = |word: &'static str| {
            let (server, customer, is_over) = (&server, &customer, &is_over);
            move || {
                let mut written = 0;
                while !is_over.load(Ordering::Relaxed) {
                    let body = json!({"displayName": format!("{word}{written}")});
                    patch("/user/me", &body)
                        .bearer(&customer.token)
                        .send(server)
                        .expect(200);
                    written += 1;
                }
                written
            }
        };
        let writers: Vec<_> = ["a", "b", "c"].map(|word| scope.spawn(write(word))).into();
        let bytes = download(
            &server,
            "/customer/me/export",
            &customer.token,
            &desk.path("export.zip"),
        );
        is_over.store(true, Ordering::Relaxed);
        (
            bytes,
            writers
                .into_iter()
                .map(|writer| writer.join().unwrap())
                .sum::<usize>(),
        )
    });
    assert!(
        bytes > 5_000_000 && during > 0,
        "{bytes} bytes, {during} writes meanwhile"
    );
    desk.is_sound(&["export.zip", "--jwks", "keys.json"]);
}

#[test]
fn a_download_that_is_broken_off_is_logged() {
    let server = Server::start(&Settings::default());
    let customer = Customer::on(&server);
    grow(&server, &customer, 400);
    let mut raw = Raw::open(&server);
    let bearer = format!("Bearer {}", customer.token);
    raw.head("GET /customer/me/export", &[("Authorization", &bearer)]);
    raw.some();
    drop(raw);
    poll("the entry of an export that was broken off", || {
        let newest = page(&server, &customer, "action=export.aborted");
        (newest["data"][0]["detail"]["reason"] == "cancelled").then_some(())
    });
    let head = crate::support::http::request("HEAD", "/customer/me/export").bearer(&customer.token);
    head.send(&server).expect(200);
    poll("the entry of an export that nobody wanted", || {
        let newest = page(&server, &customer, "action=export.aborted");
        (newest["data"].as_array().unwrap().len() == 2).then_some(())
    });
    server.stop();
}

#[test]
fn a_download_ends_with_the_revocation_of_its_token() {
    let server = shared();
    let customer = Customer::on(&server);
    grow(&server, &customer, 400);
    let stolen = Token::of(&customer.id)
        .claim("jti", "jti-persondata-stolen")
        .hs256();
    let bearer = format!("Bearer {stolen}");
    let mut raw = Raw::open(&server);
    raw.head("GET /customer/me/export", &[("Authorization", &bearer)]);
    raw.some();
    let one = json!({"jti": "jti-persondata-stolen"});
    revocation(&customer.token, &one).send(&server).expect(204);
    let received = raw.rest();
    let end = b"PK\x05\x06";
    assert!(
        !received.windows(end.len()).any(|part| part == end),
        "an export went on after its token was revoked"
    );
    poll("the entry of an export whose token was revoked", || {
        let newest = page(&server, &customer, "action=export.aborted");
        (newest["data"][0]["detail"]["reason"] == "revoked").then_some(())
    });
    customer.get(&server, "/customer/me").expect(200);
}

#[test]
fn an_administrator_s_download_ends_soon_after_its_token_is_revoked_with_the_operators() {
    let server = shared();
    let customer = Customer::on(&server);
    grow(&server, &customer, 400);
    let fired = Token::of("operator")
        .claim("isSuperAdmin", true)
        .claim("jti", "jti-persondata-fired-download")
        .hs256();
    let bearer = format!("Bearer {fired}");
    let path = format!("GET /admin/customers/{}/export", customer.id);
    let mut raw = Raw::open(&server);
    raw.head(&path, &[("Authorization", &bearer)]);
    raw.some();
    let one = json!({"jti": "jti-persondata-fired-download"});
    service_revocation(&one).send(&server).expect(204);
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    let received = raw.rest();
    let end = b"PK\x05\x06";
    assert!(
        !received.windows(end.len()).any(|part| part == end),
        "an export went on after its token was revoked"
    );
}

#[test]
fn a_download_ends_with_the_erasure_of_its_customer_and_the_certificate_is_checked_offline() {
    let server = shared();
    let customer = Customer::on(&server);
    let desk = Desk::new(&server);
    grow(&server, &customer, 400);
    let bearer = format!("Bearer {}", customer.token);
    let mut raw = Raw::open(&server);
    raw.head("GET /customer/me/export", &[("Authorization", &bearer)]);
    raw.some();
    let path = format!("/admin/customers/{}/erasure", customer.id);
    let body = json!({"reason": "asked by letter", "graceDays": 0});
    post(&path, &body).bearer(&admin()).send(&server).expect(202);
    let gone = poll("the certificate is there", || {
        let answer = customer.get(&server, "/customer/me");
        (answer.status == 410 && answer.json()["certificate"].is_string()).then_some(answer)
    });
    let received = raw.rest();
    // With what every ZIP ends.
    let end = b"PK\x05\x06";
    assert!(
        !received.windows(end.len()).any(|part| part == end),
        "an export went on after its customer was erased"
    );
    customer
        .get(&server, "/customer/me/export")
        .problem(410, "customer_erased");
    desk.save("gone.json", &gone.body);
    let said = desk.is_sound(&["gone.json", "--jwks", "keys.json"]);
    assert!(
        said.contains(&customer.id) && said.contains("1 exportsUnderWay"),
        "{said}"
    );
}

/// Appends entries to the stopped object's log, as many as nobody would send one by one.
pub fn fill(data: &TempDir, customer: &str, entries: i64) {
    let deks = crate::erasure::on_disk::opened(data, customer);
    let folder = namespace(data, "CustomerObject");
    let files = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let is_object = |path: &std::path::PathBuf| {
        path.file_name()
            .is_some_and(|name| name.len() == 64 + ".sqlite".len())
    };
    let files: Vec<_> = files.filter(is_object).collect();
    let [file] = files.as_slice() else {
        panic!("not one object")
    };
    crate::support::fill::append(file, customer, deks.first().unwrap(), entries);
}
