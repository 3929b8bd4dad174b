//! Which credential counts, and what a cookie may do.
use super::*;

#[test]
fn no_credential_is_told_apart_from_a_wrong_one() {
    let auth = authenticator(&[]);
    refused(decide(&auth, &Credentials::default()), "no_credential");
    let signed_out = Credentials {
        cookie: Some("a=b; auth_token="),
        ..Credentials::default()
    };
    refused(decide(&auth, &signed_out), "no_credential");
    for (header, word) in [
        ("", "wrong_scheme"),
        ("Bearer", "wrong_scheme"),
        ("Basic YTpi", "wrong_scheme"),
        ("Bearer uak_live_cust_a.x_y", "bad_api_key"),
        ("Bearer x", "malformed_token"),
    ] {
        refused(
            decide(
                &auth,
                &Credentials {
                    authorization: Some(header),
                    ..Credentials::default()
                },
            ),
            word,
        );
    }
}

#[test]
fn two_credentials_are_refused_even_if_both_are_sound() {
    let auth = authenticator(&[]);
    let token = sign(&claims());
    refused(
        bearer(&auth, &format!("{token}, Bearer {token}")),
        "several_credentials",
    );
    let header = format!("Bearer {token}");
    let both = Credentials {
        authorization: Some(&header),
        service_key: Some(SERVICE_KEY),
        ..Credentials::default()
    };
    refused(decide(&auth, &both), "several_credentials");
    let cookies = format!("auth_token={token}; x=y; auth_token={token}");
    refused(
        decide(
            &auth,
            &Credentials {
                cookie: Some(&cookies),
                ..Credentials::default()
            },
        ),
        "several_credentials",
    );
}

#[test]
fn the_header_wins_over_the_cookie_even_when_it_is_wrong() {
    let auth = authenticator(&[]);
    let cookie = format!("auth_token={}", sign(&claims()));
    let other = format!("bearer   {}", sign(&with(json!({"sub": "somebody"}))));
    let both = Credentials {
        authorization: Some(&other),
        cookie: Some(&cookie),
        unsafe_method: true,
        ..Credentials::default()
    };
    assert_eq!(user(decide(&auth, &both)).subject, "somebody");
    refused(
        decide(
            &auth,
            &Credentials {
                authorization: Some("Bearer e30.e30.x"),
                ..both
            },
        ),
        "malformed_header",
    );
    assert!(
        decide(
            &auth,
            &Credentials {
                authorization: None,
                ..both
            }
        )
        .is_err()
    );
}

#[test]
fn a_cookie_changes_nothing_without_the_csrf_token_not_even_an_admins() {
    let auth = authenticator(&[]);
    let cookie = |claims: &Value| format!("a=b; auth_token={}; c=d", sign(claims));
    for admin in [false, true] {
        let text = cookie(&with(json!({ "isSuperAdmin": admin })));
        let read = Credentials {
            cookie: Some(&text),
            ..Credentials::default()
        };
        user(decide(&auth, &read));
        let write = Credentials {
            unsafe_method: true,
            ..read
        };
        refused(decide(&auth, &write), "csrf_no_header");
        for wrong in ["", "csrf-valuf", "csrf-value ", "csrf-value, csrf-value"] {
            refused(
                decide(
                    &auth,
                    &Credentials {
                        csrf_header: Some(wrong),
                        ..write
                    },
                ),
                "csrf_mismatch",
            );
        }
        user(decide(
            &auth,
            &Credentials {
                csrf_header: Some("csrf-value"),
                ..write
            },
        ));
        for none in [
            without("csrf"),
            with(json!({"csrf": ""})),
            with(json!({"csrf": null})),
        ] {
            let text = cookie(&none);
            for header in [None, Some(""), Some("csrf-value")] {
                let write = Credentials {
                    cookie: Some(&text),
                    csrf_header: header,
                    ..write
                };
                refused(decide(&auth, &write), "csrf_no_claim");
            }
        }
    }
}

#[test]
fn a_service_key_is_known_whole_or_not_at_all() {
    let auth = authenticator(&[]);
    let by_key = |key| {
        decide(
            &auth,
            &Credentials {
                service_key: Some(key),
                ..Credentials::default()
            },
        )
    };
    let Caller::Service(service) = by_key(SERVICE_KEY).unwrap() else {
        panic!()
    };
    assert!(service.id.len() == 16 && service.id.starts_with("key_"));
    let Caller::Service(other) = by_key("another-key-0123456789-0123456789").unwrap() else {
        panic!()
    };
    assert_ne!(service.id, other.id);
    let joined = format!("{SERVICE_KEY}, {SERVICE_KEY}");
    for wrong in [
        "",
        "service",
        SERVICE_KEY.trim_start_matches('s'),
        &SERVICE_KEY.to_uppercase(),
        joined.as_str(),
    ] {
        refused(by_key(wrong), "unknown_service_key");
    }
}

#[test]
fn no_refusal_repeats_anything_of_the_credential() {
    let auth = authenticator(&[]);
    for token in [
        sign(&with(json!({"iss": "SENTINEL"}))),
        sign(&with(json!({"customerId": "SENTINEL!"}))),
    ] {
        let error = bearer(&auth, &token).unwrap_err();
        assert!(!format!("{error:?}").contains("SENTINEL"));
    }
}
