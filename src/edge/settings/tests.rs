//! The configuration, right and wrong.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use crate::customer::limits::QuotaUnit;
use base64::Engine;
use std::cell::RefCell;
use std::collections::BTreeSet;

const URL: &str = "https://login.example/.well-known/jwks.json";

fn key() -> String {
    base64::engine::general_purpose::STANDARD.encode([9; 32])
}

fn parse(over: &[(&str, &str)]) -> Result<Settings, Vec<SettingFault>> {
    Settings::parse(|name| {
        if let Some((_, text)) = over.iter().find(|(known, _)| *known == name) {
            return Some((*text).to_owned());
        }
        match name {
            "JWT_SECRET" => Some("s".repeat(32)),
            "JWT_ISSUER" => Some("https://login.example".into()),
            "JWT_AUDIENCE" => Some("@customerId".into()),
            "SERVICE_API_KEYS" => Some("k".repeat(32)),
            "MASTER_KEYS" => Some(format!("1:{}", key())),
            "SIGNING_KEYS" => Some(format!("s1:{}", key())),
            "INDEX_KEY" => Some(key()),
            _ => None,
        }
    })
}

#[track_caller]
fn faulty(name: &'static str, text: &str) {
    let faults = parse(&[(name, text)]).unwrap_err();
    assert_eq!(
        faults.iter().map(|fault| fault.name).collect::<Vec<_>>(),
        [name],
        "{text:?}"
    );
    let told = faults.iter().map(ToString::to_string).collect::<String>();
    assert!(text.len() < 12 || !told.contains(text), "{told} tells the value");
}

#[test]
fn absent_settings_have_their_documented_defaults() {
    let settings = parse(&[]).unwrap();
    assert_eq!(settings.environment, Environment::Production);
    assert_eq!(
        settings.tokens.admin_claim,
        AdminClaim {
            name: "isSuperAdmin".into(),
            value: None
        }
    );
    assert_eq!(settings.response_encryption, ResponseEncryption::OnRequest);
    let numbers = [
        settings.tokens.max_ttl_secs,
        settings.erasure_grace_days,
        settings.audit_retention_days,
        settings.directory_shards,
        settings.object_deadline_ms,
    ];
    assert_eq!(numbers, [86_400, 7, 730, 16, 10_000]);
    let names = [
        "JWT_MAX_TTL_SECONDS",
        "ERASURE_GRACE_DAYS",
        "AUDIT_RETENTION_DAYS",
        "DIRECTORY_SHARDS",
        "OBJECT_DEADLINE_MS",
    ];
    for (name, number) in names.iter().zip(numbers) {
        let doc = SETTINGS.iter().find(|doc| doc.name == *name).unwrap();
        assert_eq!(doc.default, Some(number.to_string().as_str()));
    }
    assert_eq!(
        settings
            .rate_limits
            .pro
            .first()
            .map(|policy| (policy.q(), policy.w())),
        Some((1200, 60))
    );
    assert!(settings.allowed_origins.is_empty() && settings.jwks.is_empty());
}

#[test]
fn exactly_the_documented_names_are_read() {
    let read = RefCell::new(BTreeSet::new());
    let _ = Settings::parse(|name| {
        read.borrow_mut().insert(name.to_owned());
        None
    });
    let documented: BTreeSet<String> = SETTINGS.iter().map(|doc| doc.name.to_owned()).collect();
    assert_eq!(*read.borrow(), documented);
    assert_eq!(documented.len(), SETTINGS.len());
}

#[test]
fn all_faults_are_told_at_once() {
    let names = |faults: Vec<SettingFault>| faults.into_iter().map(|fault| fault.name).collect::<Vec<_>>();
    assert_eq!(
        names(Settings::parse(|_| None).unwrap_err()),
        [
            "JWT_SECRET",
            "JWT_ISSUER",
            "JWT_AUDIENCE",
            "SERVICE_API_KEYS",
            "MASTER_KEYS",
            "INDEX_KEY",
            "SIGNING_KEYS"
        ]
    );
    let development = |name: &str| (name == "ENVIRONMENT").then(|| "development".to_owned());
    assert!(!names(Settings::parse(development).unwrap_err()).contains(&"JWT_ISSUER"));
    assert_eq!(
        names(parse(&[("INDEX_KEY", "x"), ("DIRECTORY_SHARDS", "0")]).unwrap_err()).len(),
        2
    );
}

#[test]
fn one_source_of_token_keys_is_enough() {
    assert!(
        parse(&[("JWT_SECRET", ""), ("JWKS_URL", URL)])
            .unwrap()
            .jwks_url
            .is_some()
    );
    let jwks = &include_str!("../../../tests/data/tokens-jose.json");
    let jwks: serde_json::Value = serde_json::from_str(jwks).unwrap();
    let settings = parse(&[("JWT_SECRET", " "), ("JWKS", &jwks["jwks"].to_string())]).unwrap();
    assert_eq!(settings.jwks.len(), 5);
    faulty("JWKS", r#"{"keys":[]}"#);
    faulty("JWKS", "not JSON at all");
}

#[test]
fn jwt_secret_is_one_secret_or_a_list_and_never_half_of_either() {
    let (a, b) = ("a".repeat(32), "b".repeat(32));
    let kids = |text: &str| {
        let secrets = parse(&[("JWT_SECRET", text)]).unwrap().jwt_secrets;
        secrets
            .into_iter()
            .map(|key| (key.kid, key.secret.expose().len()))
            .collect::<Vec<_>>()
    };
    assert_eq!(kids(&a), [(None, 32)]);
    assert_eq!(kids(&format!("with, comma and colon : {a}")), [(None, 56)]);
    assert_eq!(kids(&format!("k1:{a}")), [(Some("k1".into()), 32)]);
    assert_eq!(
        kids(&format!("k1:{a}, k.2:{b}:x")),
        [(Some("k1".into()), 32), (Some("k.2".into()), 34)]
    );
    for bad in [
        "short".to_owned(),
        format!("k1:{a},{b}"),
        format!("k1:{a},k1:{b}"),
        format!("k1:{a},k2:short"),
        format!("{a},k:{b}"),
        (0..5)
            .map(|kid| format!("{kid}:{a}"))
            .collect::<Vec<_>>()
            .join(","),
        "x".repeat(513),
        format!("k1:{a},"),
    ] {
        faulty("JWT_SECRET", &bad);
    }
}

#[test]
fn key_lists_hold_32_bytes_under_an_id_of_their_own() {
    let key = key();
    for name in ["MASTER_KEYS", "SIGNING_KEYS"] {
        assert!(parse(&[(name, &format!("2:{key}, 1:{key}"))]).is_ok());
        for bad in [
            key.clone(),
            format!("1:{key},1:{key}"),
            "1:AAAA".into(),
            format!(":{key}"),
            format!("1:{key}x"),
        ] {
            faulty(name, &bad);
        }
    }
    for bad in ["0", "01", "+1", "-1", "a", "4294967296"] {
        faulty("MASTER_KEYS", &format!("{bad}:{key}"));
    }
    faulty("SIGNING_KEYS", &format!("a b:{key}"));
    faulty("INDEX_KEY", "AAAA");
    let service = "k".repeat(32);
    for bad in [
        "short",
        &format!("{service},{service}"),
        &format!("{service},"),
        &format!("{service} {service}"),
    ] {
        faulty("SERVICE_API_KEYS", bad);
    }
}

#[test]
fn keys_are_fetched_over_https_or_from_this_machine() {
    for good in [
        URL,
        "http://localhost:9000/jwks",
        "http://127.0.0.1/jwks",
        "http://[::1]:1/jwks",
    ] {
        assert!(parse(&[("JWKS_URL", good)]).is_ok(), "{good}");
    }
    for bad in [
        "http://login.example/jwks",
        "http://127.0.0.1.evil.example/",
        "http://localhost.evil.example/",
        "ftp://login.example/",
        "https://user@login.example/",
        "https://user:pass@login.example/",
        "https://login.example/#x",
        "login.example/jwks",
        "file:///etc/passwd",
        "https://",
    ] {
        faulty("JWKS_URL", bad);
    }
}

#[test]
fn an_origin_is_exact_as_a_browser_writes_it() {
    let good =
        "https://app.example, http://localhost:5173,https://xn--bcher-kva.example:8443,http://[::1]:3000";
    assert_eq!(
        parse(&[("ALLOWED_ORIGINS", good)]).unwrap().allowed_origins.len(),
        4
    );
    for bad in [
        "*",
        "null",
        "https://*.example",
        "https://app.example/",
        "https://app.example/x",
        "HTTPS://app.example",
        "https://App.example",
        "https://app.example:443",
        "http://app.example:80",
        "app.example",
        "https://a@app.example",
        "capacitor://localhost",
        "file://",
        "https://bücher.example",
        "https://app.example,",
    ] {
        faulty("ALLOWED_ORIGINS", bad);
    }
}

#[test]
fn rate_limits_keep_the_default_of_a_plan_that_they_do_not_name() {
    let text = r#"{"free":[{"name":"jobs","q":3,"w":60,"unit":"concurrent-requests"}]}"#;
    let limits = parse(&[("RATE_LIMITS", text)]).unwrap().rate_limits;
    assert_eq!(
        limits.free.first().map(|policy| policy.unit()),
        Some(QuotaUnit::ConcurrentRequests)
    );
    assert_eq!(limits.enterprise.len(), 2);
    for bad in [
        "{",
        "[]",
        r#"{"gold":[]}"#,
        r#"{"free":[{"name":"a","q":1}]}"#,
        r#"{"free":[{"name":"a","q":0,"w":1}]}"#,
        r#"{"free":[{"name":"a","q":1,"w":1,"x":1}]}"#,
        r#"{"free":[{"name":"A","q":1,"w":1}]}"#,
        r#"{"free":[{"name":"a","q":1,"w":1},{"name":"a","q":2,"w":2}]}"#,
        r#"{"free":[{"name":"a","q":-1,"w":1}]}"#,
        r#"{"free":[{"name":"a","q":1,"w":1,"burst":0}]}"#,
        r#"{"free":[{"name":"a","q":1,"w":1,"unit":"content-bytes"}]}"#,
    ] {
        faulty("RATE_LIMITS", bad);
    }
}

#[test]
fn a_value_out_of_its_form_is_a_fault_of_its_setting() {
    for (name, bad) in [
        ("ENVIRONMENT", "staging"),
        ("RESPONSE_ENCRYPTION", "on"),
        ("JWT_MAX_TTL_SECONDS", "59"),
        ("JWT_MAX_TTL_SECONDS", "604801"),
        ("AUDIT_RETENTION_DAYS", "29"),
        ("DIRECTORY_SHARDS", "1025"),
        ("OBJECT_DEADLINE_MS", "99"),
        ("OBJECT_DEADLINE_MS", "1e3"),
        ("ERASURE_GRACE_DAYS", "-1"),
        ("JWT_AUDIENCE", "@customerid"),
        ("JWT_AUDIENCE", "a,,b"),
        ("JWT_ISSUER", "a,a"),
        ("ADMIN_CLAIM", "=x"),
        ("SUPER_ADMIN_EMAILS", "nobody"),
        ("SUPER_ADMIN_EMAILS", "a@b.org,A@B.org"),
    ] {
        faulty(name, bad);
    }
}

#[test]
fn no_secret_shows_in_debug_output() {
    let secret = format!("SENTINEL{}", "s".repeat(32));
    let settings = parse(&[("JWT_SECRET", &secret), ("SERVICE_API_KEYS", &secret)]).unwrap();
    let shown = format!("{settings:?}");
    assert!(
        !shown.contains("SENTINEL") && !shown.contains(&key()) && !shown.contains("9, 9, 9"),
        "{shown}"
    );
    assert!(!shown.contains("83, 69, 78"), "the bytes of a secret show");
}
