//! `POST /internal/import`, and the companion that feeds it: on real workerd, killed in the middle too.

use crate::support::http::{Request, Response, get, request};
use crate::support::server::{PATIENCE, Server, new_data};
use crate::support::settings::{SERVICE_KEYS, Settings};
use crate::support::shared::{Customer, fresh_id, shared};
use crate::support::token::{PERSONAL, Token};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use user_api::edge::import::MEDIA_TYPE;
use user_api::edge::sealed_stream::Opener;

fn import(lines: &[String]) -> Request {
    request("POST", "/internal/import")
        .body("application/x-ndjson", lines.join("\n"))
        .service_key(SERVICE_KEYS[0])
}

fn results(response: &Response) -> Vec<Value> {
    let text = String::from_utf8(response.body.clone()).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[track_caller]
fn outcomes(response: Response) -> Vec<String> {
    let response = response.expect(200);
    assert_eq!(response.must_header("Content-Type"), "application/x-ndjson");
    let outcome = |told: &Value| told["outcome"].as_str().unwrap().to_owned();
    results(&response).iter().map(outcome).collect()
}

fn line(key: &str, value: &Value) -> String {
    json!({"key": key, "value": value}).to_string()
}

fn record(id: &str) -> Value {
    json!({
        "customerId": id, "email": format!("{PERSONAL}.{id}@e2e.test").to_lowercase(), "companyName": PERSONAL,
        "tier": "basic", "status": "active", "createdAt": "2024-01-01T00:00:00Z", "updatedAt": "2024-02-01T00:00:00Z",
        "flairs": [PERSONAL],
    })
}

fn customer(id: &str) -> String {
    line(&format!("customer:customer:{id}"), &record(id))
}

#[test]
fn records_move_in_and_their_users_find_everything() {
    let server = shared();
    let id = fresh_id("moved");
    let preferences = json!({"emailVisibility": "public", "displayName": {"current": PERSONAL}});
    let lines = [
        line(&format!("customer:preferences:{id}"), &preferences),
        customer(&id),
        line("session:x", &json!(1)),
        "nonsense".to_owned(),
    ];
    let told = outcomes(import(&lines).send(&server));
    assert_eq!(told, ["created", "created", "skipped", "invalid"]);
    let token = Token::of(&id).hs256();
    let shown = get("/customer/me")
        .bearer(&token)
        .send(&server)
        .expect(200)
        .json();
    for (name, value) in [
        ("plan", "starter"),
        ("status", "active"),
        ("companyName", PERSONAL),
        ("createdAt", "2024-01-01T00:00:00.000Z"),
    ] {
        assert_eq!(shown[name], value, "{name}");
    }
    let own = get("/user/me/preferences")
        .bearer(&token)
        .send(&server)
        .expect(200)
        .json();
    assert_eq!(own["emailVisibility"], "public");
    let told = outcomes(import(&lines).send(&server));
    assert_eq!(told, ["unchanged", "unchanged", "skipped", "invalid"]);
}

#[test]
fn only_services_import_and_only_ndjson() {
    let server = shared();
    let body = || customer(&fresh_id("refused"));
    let plain = || request("POST", "/internal/import").body("application/x-ndjson", body());
    plain().send(&server).problem(401, "authentication_required");
    let other = Customer::on(&server);
    plain()
        .bearer(&other.token)
        .send(&server)
        .problem(403, "forbidden");
    request("POST", "/internal/import")
        .body("application/json", body())
        .service_key(SERVICE_KEYS[0])
        .send(&server)
        .problem(415, "unsupported_media_type");
    request("GET", "/internal/import").send(&server).expect(405);
    assert_eq!(outcomes(import(&[]).send(&server)), Vec::<String>::new());
}

#[test]
fn hostile_lines_stop_nothing() {
    let server = shared();
    let (a, b) = (fresh_id("hostile"), fresh_id("hostile"));
    let mut megabyte = record(&a);
    megabyte["flairs"] = json!("x".repeat(1 << 20));
    let mut large = record(&b);
    large["flairs"] = json!("x".repeat(100_000));
    let lines = [
        line(&format!("customer:customer:{a}"), &megabyte),
        line(
            &format!("customer:customer:{a}"),
            &json!({"customerId": b, "email": "x@e2e.test"}),
        ),
        line(&format!("customer:customer:{a}"), &json!([{}])),
        line(&format!("customer:customer:{b}"), &large),
        format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000)),
        "\u{0}\u{0}".to_owned(),
        line(&format!("email_{}", "0".repeat(64)), &json!(b)),
        customer(&b),
    ];
    let response = import(&lines).send(&server).expect(200);
    let told: Vec<_> = results(&response)
        .iter()
        .map(|told| {
            format!(
                "{} {}",
                told["outcome"].as_str().unwrap(),
                told["detail"].as_str().unwrap_or("-")
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "invalid too_long",
            "conflict other_id",
            "invalid value_type",
            "created too_large",
            "invalid not_json",
            "invalid not_json",
            "conflict index_elsewhere",
            "merged -",
        ]
    );
    get(&format!("/admin/customers/{a}"))
        .bearer(&Token::of("cust_operators").claim("isSuperAdmin", true).hs256())
        .send(&server)
        .expect(404);
}

#[test]
fn results_come_while_lines_are_still_being_sent() {
    let server = shared();
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // A window is full after 500 lines.
    let mut lines: Vec<_> = (0..20).map(|_| customer(&fresh_id("stream"))).collect();
    lines.extend((0..500).map(|number| line(&format!("session:{number}"), &json!(1))));
    let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
    let head = format!(
        "POST /internal/import HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\n\
         X-Service-Key: {}\r\nTransfer-Encoding: chunked\r\n\r\n",
        SERVICE_KEYS[0],
    );
    let begun = head + &chunk(&(lines.join("\n") + "\n"));
    stream.write_all(begun.as_bytes()).unwrap();
    let mut told = String::new();
    // The first window is answered although the request has not ended.
    read_until(&mut stream, &mut told, |told| {
        told.contains("\"outcome\":\"created\"")
    });
    assert!(told.starts_with("HTTP/1.1 200"), "{told}");
    let last = chunk(&customer(&fresh_id("stream"))) + "0\r\n\r\n";
    stream.write_all(last.as_bytes()).unwrap();
    read_until(&mut stream, &mut told, |told| told.ends_with("0\r\n\r\n"));
    assert_eq!(told.matches("\"outcome\":\"created\"").count(), 21);
}

fn read_until(stream: &mut TcpStream, told: &mut String, is_enough: impl Fn(&str) -> bool) {
    let mut buffer = [0; 65_536];
    while !is_enough(told) {
        let length = stream.read(&mut buffer).unwrap();
        assert!(length > 0, "it ended after {} bytes", told.len());
        told.push_str(&String::from_utf8_lossy(&buffer[..length]));
    }
}

/// The companion, with a dump, against that server.
fn companion(server: &Server, folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_user-api"));
    command
        .args([
            "import",
            "dump",
            "--url",
            server.origin(),
            "--service-key-file",
            "key",
            "--results",
            "results",
        ])
        .args(["--state", "state", "--batch", "20", "--concurrency", "2"])
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

#[test]
fn an_import_whose_server_and_companion_are_killed_comes_to_the_same_in_the_end() {
    let records = 400;
    let data = new_data();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("key"), SERVICE_KEYS[0]).unwrap();
    let ids: Vec<_> = (0..records).map(|number| format!("killed-{number}")).collect();
    let mut dump = String::new();
    for id in &ids {
        dump += &line(
            &format!("preferences_cust_{id}"),
            &json!({"emailVisibility": "public"}),
        );
        dump += "\n";
        // Every second one shares its e-mail with the one before it, which is older.
        let mut value = record(&format!("cust_{id}"));
        let number: u32 = id["killed-".len()..].parse().unwrap();
        value["email"] = json!(format!("{PERSONAL}.{}@e2e.test", number / 2));
        value["createdAt"] = json!(1_700_000_000 + number);
        dump += &line(&format!("auth:customer:cust_{id}"), &value);
        dump += "\n";
    }
    std::fs::write(folder.path().join("dump"), dump).unwrap();
    let mut rounds = 0;
    loop {
        let server = Server::start_in(&Settings::default(), &data);
        // The same service at another port.
        let state = folder.path().join("state");
        if let Ok(text) = std::fs::read_to_string(&state) {
            let mut value: Value = serde_json::from_str(&text).unwrap();
            value["url"] = json!(server.origin());
            std::fs::write(&state, value.to_string()).unwrap();
        }
        let mut running = companion(&server, folder.path()).spawn().unwrap();
        if rounds < 3 {
            std::thread::sleep(Duration::from_millis(400 + 250 * rounds));
            server.crash();
            running.kill().unwrap();
            running.wait().unwrap();
            rounds += 1;
            continue;
        }
        assert!(running.wait().unwrap().success());
        let told = std::fs::read_to_string(folder.path().join("results")).unwrap();
        assert_eq!(told.lines().count(), 2 * records);
        // Once more from the beginning: nothing is left to do.
        std::fs::remove_file(folder.path().join("results")).unwrap();
        assert!(companion(&server, folder.path()).status().unwrap().success());
        let told = std::fs::read_to_string(folder.path().join("results")).unwrap();
        let mut counts = BTreeMap::new();
        for told in told.lines() {
            let told: Value = serde_json::from_str(told).unwrap();
            *counts
                .entry(told["outcome"].as_str().unwrap().to_owned())
                .or_insert(0) += 1;
        }
        assert_eq!(
            counts,
            BTreeMap::from([
                ("conflict".to_owned(), records / 2),
                ("unchanged".to_owned(), records * 3 / 2)
            ])
        );
        for id in [&ids[0], &ids[1], &ids[records - 1]] {
            let token = Token::of(&format!("cust_{id}")).hs256();
            get("/customer/me").bearer(&token).send(&server).expect(200);
        }
        return;
    }
}

/// The lines of a sealed answer, opened.
fn opened(response: &Response, key: &str) -> Option<String> {
    assert_eq!(response.must_header("X-Encrypted"), "true");
    assert_eq!(response.must_header("Content-Type"), MEDIA_TYPE);
    let mut opener = Opener::new(key, MEDIA_TYPE, response.must_header("X-Request-Id"));
    let mut lines = Vec::new();
    for line in response.body.split_inclusive(|&byte| byte == b'\n') {
        lines.extend(opener.line(line)?);
    }
    opener.is_whole().then(|| String::from_utf8(lines).unwrap())
}

#[test]
fn the_results_are_sealed_where_the_caller_or_the_operator_wants_it() {
    let server = shared();
    // More than a window, and so several parts.
    let lines: Vec<_> = (0..600)
        .map(|number| line(&format!("{PERSONAL}:{number}"), &json!(1)))
        .collect();
    let open = import(&lines).send(&server).expect(200);
    assert_eq!(open.header("X-Encrypted"), None);
    let sealed = import(&lines)
        .header("X-Encrypt-Response", "1")
        .send(&server)
        .expect(200);
    assert!(!String::from_utf8_lossy(&sealed.body).contains(PERSONAL));
    assert_eq!(sealed.body.iter().filter(|&&byte| byte == b'\n').count(), 3);
    assert_eq!(
        opened(&sealed, SERVICE_KEYS[0]).unwrap().as_bytes(),
        open.body.as_slice()
    );
    assert_eq!(opened(&sealed, SERVICE_KEYS[1]), None);

    let server = Server::start(&Settings::default().with("RESPONSE_ENCRYPTION", "required"));
    let answer = import(&[customer(&fresh_id("closed"))]).header("X-Encrypt-Response", "0");
    let told = opened(&answer.send(&server).expect(200), SERVICE_KEYS[0]).unwrap();
    assert!(told.contains(r#""outcome":"created""#), "{told}");
    assert_eq!(opened(&import(&[]).send(&server), SERVICE_KEYS[0]).unwrap(), "");
}

#[test]
fn the_companion_opens_what_is_sealed_to_its_key() {
    let server = Server::start(&Settings::default().with("RESPONSE_ENCRYPTION", "required"));
    let folder = tempfile::tempdir().unwrap();
    let ids: Vec<_> = (0..30).map(|_| fresh_id("closed")).collect();
    let lines: Vec<_> = ids.iter().map(|id| customer(id)).collect();
    std::fs::write(folder.path().join("dump"), lines.join("\n")).unwrap();
    std::fs::write(folder.path().join("key"), SERVICE_KEYS[0]).unwrap();
    assert!(companion(&server, folder.path()).status().unwrap().success());
    let results = std::fs::read_to_string(folder.path().join("results")).unwrap();
    assert_eq!(results.matches(r#""outcome":"created""#).count(), 30, "{results}");
    let ran = Command::new(env!("CARGO_BIN_EXE_user-api"))
        .args(["rewrap", "--url", server.origin(), "--service-key-file", "key"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let told = String::from_utf8(ran.stdout).unwrap();
    assert_eq!(told, "30 customers are wrapped under the active master key\n");
    std::fs::write(
        folder.path().join("key"),
        "no-such-key-0123456789-0123456789-0123",
    )
    .unwrap();
    let refused = Command::new(env!("CARGO_BIN_EXE_user-api"))
        .args(["rewrap", "--url", server.origin(), "--service-key-file", "key"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(told.contains("401 (invalid_service_key)"), "{told}");
}

#[test]
fn an_import_stands_in_the_operators_log() {
    let server = shared();
    let caller = fresh_id("import-request");
    outcomes(
        import(&[customer(&fresh_id("noted"))])
            .header("X-Request-Id", &caller)
            .send(&server),
    );
    let admin = Token::of("operator").claim("isSuperAdmin", true).hs256();
    let log = get("/admin/audit?action=customers.import&limit=100")
        .bearer(&admin)
        .send(&server)
        .ok();
    assert!(log.to_string().contains(&caller), "{log}");
}
