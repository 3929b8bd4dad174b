//! What lies on the disk tells nothing about people: all files are searched, in every encoding that we could think
//! of, and the customers' files without the vaults' open for nobody.

use crate::support::http::{Request, get, patch, post, put, request};
use crate::support::integration::admin;
use crate::support::sealed::wrapped;
use crate::support::server::{Server, namespace, new_data};
use crate::support::settings::{SERVICE_KEYS, Settings};
use crate::support::shared::{Customer, create, fresh_id};
use crate::support::token::Token;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// Everything personal that the scenario says, and no fragment of another.
const PERSONAL: &[&str] = &[
    "zelda.quux@mailbox.example",
    "Zelda Quux",
    "Quux Haberdashery",
    "ZedQ the Great",
    "vip-since-childhood",
    "auth0|zelda-quux-subject",
    "Zelda at the desk",
    "sr-Latn-RS",
    "Antarctica/Troll",
    "favourite-marmalade",
    "bergamot and whisky",
    "Zelda's kitchen robot",
    "https://kitchen.quux.example",
    "203.0.113.77",
    "QuuxBrowser/7.3",
    "complained about Zelda",
    "caller-request-of-zelda",
    "jti-of-zelda-quux",
    "zelda.married@mailbox.example",
    "zelda.third@mailbox.example",
    "medal-of-the-marmalade",
    "Quuxine the Reserved",
    "wishes to be forgotten",
];

/// Addresses of which nothing lies there, not even what guessing them would find.
const EMAILS: &[&str] = &[
    "zelda.quux@mailbox.example",
    "zelda.married@mailbox.example",
    "zelda.third@mailbox.example",
];

fn token(id: &str) -> Token {
    Token::of(id)
        .subject("auth0|zelda-quux-subject")
        .claim("email", "zelda.quux@mailbox.example")
        .claim("email_verified", true)
        .claim("jti", "jti-of-zelda-quux")
}

fn seen(request: Request) -> Request {
    request
        .header("CF-Connecting-IP", "203.0.113.77")
        .header("User-Agent", "QuuxBrowser/7.3")
        .header("X-Request-Id", "caller-request-of-zelda")
}

/// A customer of whom everything is said that can be said, also in what is refused.
fn scenario(server: &Server) -> Customer {
    let id = fresh_id("sealed");
    let body = json!({
        "customerId": id, "email": "zelda.quux@mailbox.example", "name": "Zelda Quux",
        "companyName": "Quux Haberdashery", "displayName": "ZedQ the Great", "plan": "pro",
        "metadata": {"note": "vip-since-childhood"},
    });
    create(&body).send(server).expect(201);
    let customer = Customer {
        token: token(&id).hs256(),
        id,
    };
    let as_zelda = |request: Request| seen(request).bearer(&customer.token).send(server);
    as_zelda(get("/customer/me")).expect(200);
    as_zelda(get("/session")).expect(200);
    let user =
        json!({"displayName": "Zelda at the desk", "locale": "sr-Latn-RS", "timeZone": "Antarctica/Troll"});
    as_zelda(put("/user/me", &user)).expect(200);
    let preferences = json!({
        "theme": "dark", "language": "sr-Latn-RS", "timeZone": "Antarctica/Troll",
        "custom": {"favourite-marmalade": "bergamot and whisky"},
    });
    as_zelda(put("/user/me/preferences", &preferences).header("Idempotency-Key", "\"k1\"")).expect(200);
    as_zelda(patch(
        "/customer/me",
        &json!({"metadata": {"note": "vip-since-childhood", "x": "1"}}),
    ))
    .expect(200);
    as_zelda(patch(
        "/customer/me",
        &json!({"email": "zelda.married@mailbox.example"}),
    ))
    .expect(422);
    let married = token(&customer.id).claim("email", "zelda.married@mailbox.example");
    seen(get("/user/me"))
        .bearer(&married.hs256())
        .send(server)
        .expect(200);
    let key = json!({"name": "Zelda's kitchen robot", "scopes": ["customer:read"],
                     "allowedOrigins": ["https://kitchen.quux.example"]});
    let key = post("/customer/me/api-keys", &key)
        .bearer(&token(&customer.id).claim("scope", "customer:owner").hs256());
    seen(key)
        .header("Idempotency-Key", "\"k2\"")
        .send(server)
        .expect(201);
    for path in ["suspend", "activate"] {
        let path = format!("/admin/customers/{}/{path}", customer.id);
        let reason = json!({"reason": "complained about Zelda"});
        seen(post(&path, &reason))
            .bearer(&admin())
            .send(server)
            .expect(200);
    }
    move_in_and_out(server, &customer);
    customer
}

/// Records of an older service, another address, a look at it by that, a copy of everything, and the wish to go.
fn move_in_and_out(server: &Server, customer: &Customer) {
    let id = &customer.id;
    let record = json!({
        "customerId": id, "email": "zelda.quux@mailbox.example", "flairs": ["medal-of-the-marmalade"],
        "createdAt": "2024-01-01T00:00:00Z", "updatedAt": "2024-02-01T00:00:00Z",
    });
    let name = json!({"userId": id, "name": "Quuxine the Reserved", "reservedAt": "2024-01-01T00:00:00Z"});
    let index = format!(
        "idx:customer:email-to-customer:{}",
        hex(&digest("zelda.quux@mailbox.example"))
    );
    let lines = [
        json!({"key": format!("customer:customer:{id}"), "value": record}),
        json!({"key": "customer:displayname:quuxine the reserved", "value": name}),
        json!({"key": index, "value": id}),
    ];
    let lines = lines.map(|line| line.to_string()).join("\n");
    let told = seen(request("POST", "/internal/import"))
        .body("application/x-ndjson", lines)
        .service_key(SERVICE_KEYS[0])
        .send(server)
        .expect(200);
    let told = String::from_utf8(told.body).unwrap();
    assert_eq!(
        told.matches("\"merged\"").count() + told.matches("\"created\"").count(),
        2,
        "{told}"
    );
    let path = format!("/internal/customers/{id}/email");
    seen(put(&path, &json!({"email": "zelda.third@mailbox.example"})))
        .service_key(SERVICE_KEYS[0])
        .send(server)
        .expect(200);
    let listed = seen(get("/admin/customers?email=zelda.third@mailbox.example"))
        .bearer(&admin())
        .send(server)
        .ok();
    assert_eq!(listed["data"][0]["customerId"], id.as_str());
    let owner = token(id).claim("email", "zelda.third@mailbox.example").hs256();
    let archive = seen(get("/customer/me/export"))
        .bearer(&owner)
        .send(server)
        .expect(200);
    assert!(archive.body.starts_with(b"PK"));
    for method in ["POST", "DELETE"] {
        let asked = match method {
            "POST" => post(
                "/customer/me/erasure",
                &json!({"reason": "wishes to be forgotten"}),
            ),
            _ => request(method, "/customer/me/erasure"),
        };
        seen(asked)
            .header("Idempotency-Key", "\"k3\"")
            .bearer(&owner)
            .send(server)
            .expect(if method == "POST" { 202 } else { 204 });
    }
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Which of the addresses lie there as a digest that whoever guesses them can make: raw, or in hex or base64.
fn guessable(folder: &Path) -> Vec<String> {
    let files = files(folder);
    let mut found = Vec::new();
    for email in EMAILS {
        let digest = digest(email);
        let needles = [
            digest.to_vec(),
            hex(&digest).into_bytes(),
            hex(&digest).to_uppercase().into_bytes(),
            STANDARD_NO_PAD.encode(digest).into_bytes(),
            URL_SAFE_NO_PAD.encode(digest).into_bytes(),
        ];
        for needle in needles {
            let finder = memchr::memmem::Finder::new(&needle);
            let holding = files.iter().filter(|(_, bytes)| finder.find(bytes).is_some());
            found.extend(holding.map(|(name, _)| format!("SHA-256 of {email} in {name}")));
        }
    }
    found
}

/// The text in every encoding in which it might lie about.
fn encodings(text: &str) -> Vec<Vec<u8>> {
    let bytes = text.as_bytes();
    let mut all = vec![
        bytes.to_vec(),
        bytes.to_ascii_lowercase(),
        bytes.to_ascii_uppercase(),
    ];
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    all.extend([hex.to_uppercase().into_bytes(), hex.into_bytes()]);
    all.push(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
    all.push(text.encode_utf16().flat_map(u16::to_be_bytes).collect());
    let mut escaped = String::new();
    let mut url = String::new();
    let mut url_all = String::new();
    for byte in bytes {
        write!(escaped, "\\u{byte:04x}").unwrap();
        write!(url_all, "%{byte:02X}").unwrap();
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            url.push(char::from(*byte));
        } else {
            write!(url, "%{byte:02X}").unwrap();
        }
    }
    all.extend([
        escaped.into_bytes(),
        url.to_lowercase().into_bytes(),
        url.into_bytes(),
        url_all.into_bytes(),
    ]);
    all.push(text.replace('/', "\\/").into_bytes());
    // In base64 a text looks different at each of three alignments; its middle stays the same there.
    for shift in 0..3 {
        let shifted = [&b"\0\0"[..shift], bytes].concat();
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let encoded = engine.encode(&shifted);
            all.push(encoded.as_bytes()[4..encoded.len() - 4].to_vec());
        }
    }
    all.retain(|needle| needle.len() >= 8);
    all
}

/// All files below, with their content.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
    found
}

/// In which files which of these texts lie, in whatever encoding.
fn search(folder: &Path, texts: &[&str]) -> Vec<String> {
    let files = files(folder);
    let mut found = Vec::new();
    for text in texts {
        for needle in encodings(text) {
            let finder = memchr::memmem::Finder::new(&needle);
            let holding = files.iter().filter(|(_, bytes)| finder.find(bytes).is_some());
            found.extend(holding.map(|(name, _)| format!("{text} in {name}")));
        }
    }
    found
}

#[test]
fn nothing_personal_lies_on_the_disk_in_any_encoding() {
    let (settings, data) = (Settings::default(), new_data());
    let server = Server::start_in(&settings, &data);
    let customer = scenario(&server);
    assert_eq!(search(data.path(), PERSONAL), [""; 0]);
    assert_eq!(guessable(data.path()), [""; 0]);
    fs::write(data.path().join("planted"), hex(&digest(EMAILS[2]))).unwrap();
    assert_eq!(guessable(data.path()).len(), 1);
    fs::remove_file(data.path().join("planted")).unwrap();
    // The search finds what does lie there, in the database or its log, in each encoding.
    assert!(!search(data.path(), &[&customer.id]).is_empty());
    for needle in encodings("Zelda Quux") {
        let planted = data.path().join("planted");
        fs::write(
            &planted,
            [b"some bytes \0".as_slice(), &needle, b" more"].concat(),
        )
        .unwrap();
        assert!(!search(data.path(), &["Zelda Quux"]).is_empty());
        fs::remove_file(planted).unwrap();
    }
    assert_eq!(server.stop().code, Some(0));
    assert_eq!(search(data.path(), PERSONAL), [""; 0]);
    assert_eq!(guessable(data.path()), [""; 0]);
    // It is all still there for whoever may read it.
    let server = Server::start_in(&settings, &data);
    let shown = customer.get(&server, "/customer/me").ok();
    assert_eq!(shown["companyName"], "Quux Haberdashery");
    let preferences = customer.get(&server, "/user/me/preferences").ok();
    assert_eq!(
        preferences["custom"]["favourite-marmalade"],
        "bergamot and whisky"
    );
    assert_eq!(search(data.path(), PERSONAL), [""; 0]);
}

#[test]
fn without_the_vault_s_files_the_customer_s_files_and_the_master_key_open_nothing() {
    let (settings, data) = (Settings::default(), new_data());
    let server = Server::start_in(&settings, &data);
    let customer = scenario(&server);
    assert_eq!(server.stop().code, Some(0));
    let vaults = namespace(&data, "KeyVaultObject");
    let aside = data.path().join("aside");
    fs::rename(&vaults, &aside).unwrap();
    let server = Server::start_in(&settings, &data);
    for path in [
        "/customer/me",
        "/user/me",
        "/user/me/preferences",
        "/customer/me/audit",
        "/session",
    ] {
        customer.get(&server, path).problem(503, "key_unavailable");
    }
    customer
        .patch(&server, &json!({"name": "No"}))
        .problem(503, "key_unavailable");
    create(&json!({"customerId": customer.id, "email": "zelda.quux@mailbox.example"}))
        .send(&server)
        .problem(503, "key_unavailable");
    assert!(
        wrapped(data.path(), &customer.id).is_none(),
        "a lost key was made anew"
    );
    assert_eq!(server.stop().code, Some(0));
    // With them it opens again, and nothing was changed.
    if vaults.exists() {
        fs::remove_dir_all(&vaults).unwrap();
    }
    fs::rename(&aside, &vaults).unwrap();
    let server = Server::start_in(&settings, &data);
    assert_eq!(customer.get(&server, "/customer/me").ok()["name"], "Zelda Quux");
}

#[test]
fn a_new_master_key_is_taken_up_without_downtime_and_the_old_one_not_needed_after() {
    const OLD: &str = "1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
    const NEW: &str = "7:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
    let with = |keys: &str| Settings::default().with("MASTER_KEYS", keys);
    let data = new_data();
    let server = Server::start_in(&with(OLD), &data);
    let (touched, untouched) = (Customer::on(&server), Customer::on(&server));
    let before = touched.now(&server);
    assert_eq!(server.stop().code, Some(0));
    let old = wrapped(data.path(), &touched.id);

    let server = Server::start_in(&with(&format!("{NEW},{OLD}")), &data);
    assert_eq!(touched.now(&server), before);
    assert_eq!(server.stop().code, Some(0));
    assert_ne!(wrapped(data.path(), &touched.id), old);

    let server = Server::start_in(&with(NEW), &data);
    assert_eq!(touched.now(&server), before);
    untouched
        .get(&server, "/customer/me")
        .problem(503, "key_unavailable");
    assert_eq!(server.stop().code, Some(0));

    let server = Server::start_in(&with(&format!("{NEW},{OLD}")), &data);
    untouched.now(&server);
}
