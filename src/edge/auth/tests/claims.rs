//! Each claim, wrong and right.
use super::*;

#[test]
fn a_sound_token_makes_a_user_with_normalised_claims() {
    let user = user(bearer(&authenticator(&[]), &sign(&claims())));
    assert_eq!(user.customer.unwrap().as_str(), "cust_a");
    assert_eq!(user.subject, "user_0123456789ab");
    assert_eq!(user.email.as_deref(), Some("ada@example.com"));
    assert!(user.email_verified && !user.is_admin);
    assert_eq!(user.scopes, ["a", "b"]);
    assert_eq!(
        (user.jti.as_deref(), user.csrf.as_deref()),
        (Some("j1"), Some("csrf-value"))
    );
    assert_eq!((user.issued_at, user.expires_at), (NOW - 10, NOW + 100));
}

#[test]
fn a_missing_or_mistyped_claim_is_refused() {
    let auth = authenticator(&[]);
    for (name, word) in [("exp", "bad_exp"), ("iat", "bad_iat"), ("sub", "bad_sub")] {
        refused(bearer(&auth, &sign(&without(name))), word);
        for wrong in [json!(null), json!(true), json!([1]), json!({})] {
            refused(bearer(&auth, &sign(&with(json!({ name: wrong })))), word);
        }
    }
    for wrong in [
        json!("1800000100"),
        json!(-1),
        json!(1e300),
        json!(253_402_300_800_i64),
        json!(u64::MAX),
    ] {
        refused(bearer(&auth, &sign(&with(json!({ "exp": wrong })))), "bad_exp");
    }
    for (name, wrong, word) in [
        ("nbf", json!("1"), "bad_nbf"),
        ("nbf", json!(null), "bad_nbf"),
        ("sub", json!(""), "bad_sub"),
        ("sub", json!("a\u{0}b"), "bad_sub"),
        ("sub", json!("ü".repeat(256)), "bad_sub"),
        ("jti", json!("j".repeat(256)), "bad_jti"),
        ("jti", json!(7), "bad_jti"),
        ("scope", json!(["a"]), "bad_scope"),
        ("csrf", json!(1), "bad_csrf"),
        ("customerId", json!(""), "bad_customer_id"),
        ("customerId", json!("../other"), "bad_customer_id"),
        ("customerId", json!(7), "bad_customer_id"),
    ] {
        refused(bearer(&auth, &sign(&with(json!({ name: wrong })))), word);
    }
    assert_eq!(
        user(bearer(&auth, &sign(&with(json!({"sub": "ü".repeat(255)})))))
            .subject
            .chars()
            .count(),
        255
    );
    user(bearer(
        &auth,
        &sign(&with(
            json!({"exp": NOW as f64 + 10.5, "jti": null, "scope": null}),
        )),
    ));
}

#[test]
fn a_token_lives_from_its_nbf_to_its_exp_and_no_longer() {
    let auth = authenticator(&[]);
    refused(bearer(&auth, &sign(&with(json!({"exp": NOW})))), "expired");
    user(bearer(&auth, &sign(&with(json!({"exp": NOW + 1})))));
    for (name, word) in [("nbf", "not_yet_valid"), ("iat", "issued_in_future")] {
        user(bearer(&auth, &sign(&with(json!({ name: NOW + 60 })))));
        refused(bearer(&auth, &sign(&with(json!({ name: NOW + 61 })))), word);
    }
    user(bearer(
        &auth,
        &sign(&with(json!({"iat": NOW - 10, "exp": NOW - 10 + 86_400}))),
    ));
    refused(
        bearer(
            &auth,
            &sign(&with(json!({"iat": NOW - 10, "exp": NOW - 9 + 86_400}))),
        ),
        "lifetime_too_long",
    );
    refused(
        bearer(&auth, &sign(&with(json!({"iat": NOW, "exp": NOW})))),
        "lifetime_not_positive",
    );
    refused(
        bearer(&auth, &sign(&with(json!({"iat": NOW + 9, "exp": NOW})))),
        "lifetime_not_positive",
    );
}

#[test]
fn issuer_and_audience_must_be_ours() {
    let auth = authenticator(&[]);
    for wrong in [
        json!("https://auth.idling.app"),
        json!("auth.idling.app/"),
        json!(["auth.idling.app"]),
        json!(null),
    ] {
        refused(
            bearer(&auth, &sign(&with(json!({ "iss": wrong })))),
            "wrong_issuer",
        );
    }
    refused(bearer(&auth, &sign(&without("iss"))), "wrong_issuer");
    refused(bearer(&auth, &sign(&without("aud"))), "wrong_audience");
    for wrong in [
        json!("Default"),
        json!("cust_b"),
        json!(""),
        json!([]),
        json!(["x", 1, "default"]),
        json!({}),
        json!("@customerId"),
    ] {
        refused(
            bearer(&auth, &sign(&with(json!({ "aud": wrong })))),
            "wrong_audience",
        );
    }
    for right in [json!("default"), json!("cust_a"), json!(["x", "default"])] {
        user(bearer(&auth, &sign(&with(json!({ "aud": right })))));
    }
    user(bearer(
        &auth,
        &sign(&with(json!({"aud": "key_9", "keyId": "key_9"}))),
    ));
    refused(
        bearer(&auth, &sign(&with(json!({"aud": "", "keyId": ""})))),
        "wrong_audience",
    );
    refused(
        bearer(&auth, &sign(&with(json!({"aud": "null", "customerId": null})))),
        "wrong_audience",
    );
    // A token that is both late and not ours is not called late: a new one would not help.
    refused(
        bearer(&auth, &sign(&with(json!({"aud": "x", "exp": NOW - 1})))),
        "wrong_audience",
    );
}

#[test]
fn development_may_leave_issuer_and_audience_open() {
    let auth = authenticator(&[
        ("ENVIRONMENT", "development"),
        ("JWT_ISSUER", ""),
        ("JWT_AUDIENCE", ""),
    ]);
    user(bearer(&auth, &sign(&with(json!({"iss": "x", "aud": 1})))));
}

#[test]
fn id_tokens_are_refused() {
    let auth = authenticator(&[]);
    for name in ["nonce", "at_hash", "c_hash", "s_hash"] {
        refused(bearer(&auth, &sign(&with(json!({ name: "x" })))), "id_token");
    }
    refused(
        bearer(&auth, &sign(&with(json!({"token_use": "id"})))),
        "id_token",
    );
    refused(bearer(&auth, &sign(&with(json!({"typ": "ID"})))), "id_token");
    refused(
        bearer(
            &auth,
            &sign_raw(r#"{"alg":"HS256","typ":"id+jwt"}"#, &claims().to_string(), SECRET),
        ),
        "id_token",
    );
}

#[test]
fn the_customer_is_the_claim_or_else_a_sub_that_is_no_users() {
    let auth = authenticator(&[]);
    let customer = |claims: Value| user(bearer(&auth, &sign(&claims))).customer.map(String::from);
    assert_eq!(customer(with(json!({"customerId": null, "sub": "cust_b"}))), None);
    let mut absent = without("customerId");
    assert_eq!(customer(absent.clone()), None);
    absent["sub"] = json!("cust_b");
    assert_eq!(customer(absent.clone()).as_deref(), Some("cust_b"));
    absent["aud"] = json!("cust_b");
    assert_eq!(customer(absent.clone()).as_deref(), Some("cust_b"));
    absent["sub"] = json!("auth0|123");
    absent["aud"] = json!("default");
    assert_eq!(customer(absent), None);
}

#[test]
fn only_a_true_claim_or_a_verified_address_makes_a_super_admin() {
    let auth = authenticator(&[]);
    let admin = |auth: &Authenticator, over: Value| user(bearer(auth, &sign(&with(over)))).is_admin;
    assert!(admin(&auth, json!({"isSuperAdmin": true})));
    for almost in [json!("true"), json!(1), json!(null), json!([true]), json!(false)] {
        assert!(!admin(&auth, json!({ "isSuperAdmin": almost })));
    }
    assert!(admin(
        &auth,
        json!({"email": "ROOT@example.com", "email_verified": true})
    ));
    for almost in [json!("true"), json!(1), json!(null), json!(false)] {
        assert!(!admin(
            &auth,
            json!({"email": "root@example.com", "email_verified": almost})
        ));
    }
    let by_role = authenticator(&[("ADMIN_CLAIM", "roles = operator")]);
    assert!(
        admin(&by_role, json!({"roles": ["x", "operator"]})) && admin(&by_role, json!({"roles": "operator"}))
    );
    assert!(!admin(&by_role, json!({"roles": true})) && !admin(&by_role, json!({"roles": "operators"})));
    assert!(!admin(&by_role, json!({"isSuperAdmin": true})));
}

#[test]
fn an_address_that_is_none_is_not_verified() {
    let auth = authenticator(&[]);
    for email in [json!("nobody"), json!(null), json!(7)] {
        let user = user(bearer(&auth, &sign(&with(json!({ "email": email })))));
        assert_eq!((user.email, user.email_verified), (None, false));
    }
}

#[test]
fn the_scope_service_makes_a_service_whose_id_is_fit_for_a_log() {
    let auth = authenticator(&[]);
    let id = |sub: &str| match bearer(&auth, &sign(&with(json!({"sub": sub, "scope": "x service"})))).unwrap()
    {
        Caller::Service(service) => service.id,
        other => panic!("{other:?}"),
    };
    assert_eq!(id("login-service"), "login-service");
    for sub in [
        "ada@example.com",
        "key_0123456789ab",
        "sub_x",
        &"a".repeat(65),
        "a b",
    ] {
        let id = id(sub);
        assert!(id.len() == 16 && id.starts_with("sub_") && id != sub, "{id}");
    }
    assert!(
        !user(bearer(
            &auth,
            &sign(&with(json!({"scope": "services service:x"})))
        ))
        .is_admin
    );
}

#[test]
fn a_service_says_which_token_it_holds_and_a_service_key_is_none() {
    let auth = authenticator(&[]);
    let service = |decided: Result<Caller>| match decided.unwrap() {
        Caller::Service(service) => service,
        other @ (Caller::User(_) | Caller::Integration(_)) => panic!("{other:?}"),
    };
    let by_token = service(bearer(&auth, &sign(&with(json!({"scope": "service"})))));
    assert_eq!(
        (by_token.jti.as_deref(), by_token.issued_at),
        (Some("j1"), Some(NOW - 10))
    );
    let key = Credentials {
        service_key: Some(SERVICE_KEY),
        ..Credentials::default()
    };
    let by_key = service(decide(&auth, &key));
    assert_eq!((by_key.jti, by_key.issued_at), (None, None));
}
