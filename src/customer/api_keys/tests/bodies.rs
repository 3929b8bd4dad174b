//! What a body may say.
use super::*;

fn new(body: Value) -> Result<NewKey> {
    NewKey::parse(body.to_string().as_bytes())
}

fn edit(body: Value) -> Result<KeyEdit> {
    KeyEdit::parse(body.to_string().as_bytes())
}

fn rotation(body: Value) -> Result<Rotation> {
    Rotation::parse(body.to_string().as_bytes())
}

#[test]
fn a_full_body_is_read_whole_and_a_short_one_has_no_restrictions() {
    let body = json!({
        "name": "CI", "scopes": ["customer:read", "usage:read"], "expiresAt": "2027-06-01T00:00:00+02:00",
        "allowedOrigins": ["https://a.example"], "limit": {"q": 10, "w": 60},
    });
    let full = NewKey {
        name: "CI".into(),
        scopes: vec![Scope::CustomerRead, Scope::UsageRead],
        expires_at: Timestamp::parse_rfc3339("2027-05-31T22:00:00Z"),
        allowed_origins: vec!["https://a.example".into()],
        limit: Some(KeyLimit { q: 10, w: 60 }),
    };
    assert_eq!(new(body).unwrap(), full);
    assert_eq!(
        new(json!({"name": "CI", "scopes": ["customer:read"]})).unwrap(),
        plain()
    );
    let nulls = json!({"name": "CI", "scopes": ["customer:read"], "expiresAt": null, "allowedOrigins": null, "limit": null});
    assert_eq!(new(nulls).unwrap(), plain());
}

#[test]
fn all_faults_of_a_new_key_are_told_at_once() {
    assert_eq!(pointers(new(json!({}))), ["#/name", "#/scopes"]);
    assert_eq!(
        pointers(new(json!({"name": null, "scopes": null}))),
        ["#/name", "#/scopes"]
    );
    assert_eq!(pointers(new(json!({"name": "CI", "scopes": []}))), ["#/scopes"]);
    let bad = json!({
        "name": " ", "scopes": ["customer:read", "root", "customer:read"], "expiresAt": "soon",
        "allowedOrigins": ["https://a.example", "*", "https://a.example/"], "limit": {"q": 0, "x": 1},
        "colour": "red", "secret": "mine",
    });
    assert_eq!(
        pointers(new(bad)),
        [
            "#/allowedOrigins/1",
            "#/allowedOrigins/2",
            "#/colour",
            "#/expiresAt",
            "#/limit/q",
            "#/limit/w",
            "#/limit/x",
            "#/name",
            "#/scopes/1",
            "#/scopes/2",
            "#/secret",
        ]
    );
    let wrong =
        json!({"name": 1, "scopes": "customer:read", "expiresAt": 1, "allowedOrigins": {}, "limit": 1});
    let all = ["#/allowedOrigins", "#/expiresAt", "#/limit", "#/name", "#/scopes"];
    assert_eq!(pointers(new(wrong)), all);
    let only_unknown = json!({"name": "CI", "scopes": ["root"]});
    assert_eq!(pointers(new(only_unknown)), ["#/scopes/0"]);
}

#[test]
fn limits_of_a_body_are_exact() {
    let base = |over: Value| {
        let mut body = json!({"name": "CI", "scopes": ["customer:read"]});
        body.as_object_mut()
            .unwrap()
            .extend(over.as_object().unwrap().clone());
        new(body)
    };
    let origins = |count: usize| -> Vec<_> { (0..count).map(|i| format!("https://a{i}.example")).collect() };
    assert!(base(json!({"name": "x".repeat(MAX_NAME_CHARS)})).is_ok());
    assert_eq!(
        pointers(base(json!({"name": "x".repeat(MAX_NAME_CHARS + 1)}))),
        ["#/name"]
    );
    assert!(base(json!({"allowedOrigins": origins(MAX_ORIGINS)})).is_ok());
    assert_eq!(
        pointers(base(json!({"allowedOrigins": origins(MAX_ORIGINS + 1)}))),
        ["#/allowedOrigins"]
    );
    assert!(base(json!({"limit": {"q": MAX_QUOTA, "w": MAX_WINDOW_SECS}})).is_ok());
    let over = json!({"limit": {"q": MAX_QUOTA + 1, "w": MAX_WINDOW_SECS + 1}});
    assert_eq!(pointers(base(over)), ["#/limit/q", "#/limit/w"]);
}

#[test]
fn a_field_that_nobody_writes_is_named_as_such() {
    for name in [
        "keyId",
        "prefix",
        "last4",
        "createdAt",
        "lastUsedAt",
        "status",
        "rotatedFrom",
        "legacy",
    ] {
        assert_eq!(code(edit(json!({ name: "x" }))), "field_not_writable", "{name}");
    }
    let error = new(json!({"name": "CI", "scopes": ["customer:read"], "keyId": "x"})).unwrap_err();
    assert_eq!(
        (error.code, error.faults[0].pointer.as_str()),
        (Code::FieldNotWritable, "#/keyId")
    );
}

#[test]
fn a_patch_clears_only_what_a_key_can_lack() {
    assert_eq!(
        pointers(edit(json!({"name": null, "scopes": null}))),
        ["#/name", "#/scopes"]
    );
    assert_eq!(pointers(edit(json!({"scopes": []}))), ["#/scopes"]);
    assert!(edit(json!({"expiresAt": null, "allowedOrigins": null, "limit": null})).is_ok());
    assert!(edit(json!({})).is_ok());
    assert_eq!(code(KeyEdit::parse(b"[]")), "malformed_body");
    assert_eq!(code(NewKey::parse(b"{")), "malformed_body");
    assert_eq!(code(Rotation::parse(b"")), "malformed_body");
}

#[test]
fn a_rotation_says_how_long_the_old_key_works() {
    for secs in [0, 1, MAX_GRACE_SECS] {
        assert_eq!(rotation(json!({"graceSeconds": secs})).unwrap().grace_secs, secs);
    }
    for bad in [
        json!(-1),
        json!(MAX_GRACE_SECS + 1),
        json!(0.5),
        json!("60"),
        json!(null),
    ] {
        assert_eq!(
            pointers(rotation(json!({ "graceSeconds": bad }))),
            ["#/graceSeconds"]
        );
    }
    assert_eq!(pointers(rotation(json!({}))), ["#/graceSeconds"]);
    assert_eq!(pointers(rotation(json!({"graceSeconds": 0, "x": 1}))), ["#/x"]);
}
