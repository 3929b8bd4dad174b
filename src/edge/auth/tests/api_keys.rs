//! What the front makes of an API key.
use super::*;
use crate::caller::Integration;
use crate::crypto::IndexKeys;
use crate::crypto::api_key::legacy_digest;
use crate::types::CustomerId;

const LEGACY: &str = "otp_live_sk_0123456789012345678901234567890123456789-_a";

fn customer() -> CustomerId {
    CustomerId::parse("cust_a").unwrap()
}

fn key() -> String {
    let keys = IndexKeys::derive(&[7; 32]).unwrap();
    keys.api_keys().mint(&customer(), &[3; 24]).expose().to_owned()
}

fn integration(decided: Result<Caller>) -> Integration {
    match decided.unwrap() {
        Caller::Integration(integration) => *integration,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_key_is_taken_from_either_header_and_names_its_customer() {
    let auth = authenticator(&[]);
    let key = key();
    let keys = IndexKeys::derive(&[7; 32]).unwrap();
    let expected = Integration {
        customer: customer(),
        digest: keys.api_keys().parse(&key).unwrap().1,
        legacy: false,
        browser_origin: None,
    };
    let by_header = Credentials {
        api_key: Some(&key),
        // A browser adds its cookies by itself, and a key needs no CSRF token.
        cookie: Some("auth_token=x"),
        unsafe_method: true,
        ..Credentials::default()
    };
    assert_eq!(integration(decide(&auth, &by_header)), expected);
    assert_eq!(integration(bearer(&auth, &key)), expected);
    let named = Credentials {
        customer_id: Some("cust_a"),
        ..by_header
    };
    assert_eq!(integration(decide(&auth, &named)), expected);
}

#[test]
fn a_made_up_key_fails_in_the_front() {
    let auth = authenticator(&[("LEGACY_API_KEYS", "on")]);
    let key = key();
    let mistyped = key.replace("AwMD", "AwME");
    let elsewhere = key.replace("cust_a", "cust_b");
    let other = IndexKeys::derive(&[8; 32]).unwrap();
    let foreign = other.api_keys().mint(&customer(), &[3; 24]).expose().to_owned();
    for wrong in [
        "",
        "uak_",
        "uak_live_cust_a.x_y",
        "x",
        "otp_live_sk_x",
        &mistyped,
        &elsewhere,
        &foreign,
    ] {
        let credentials = Credentials {
            api_key: Some(wrong),
            customer_id: Some("cust_a"),
            ..Credentials::default()
        };
        refused(decide(&auth, &credentials), "bad_api_key");
    }
    for wrong in [mistyped.as_str(), "uak_test", "otp_live_sk_x"] {
        let decided = bearer(&auth, wrong);
        assert_eq!(decided.as_ref().unwrap_err().code.as_str(), "invalid_api_key");
        refused(decided, "bad_api_key");
    }
    let token = sign(&claims());
    let credentials = Credentials {
        api_key: Some(&token),
        ..Credentials::default()
    };
    refused(decide(&auth, &credentials), "bad_api_key");
}

#[test]
fn a_key_beside_another_credential_is_refused_even_if_both_are_sound() {
    let auth = authenticator(&[]);
    let (key, header) = (key(), format!("Bearer {}", sign(&claims())));
    let by_bearer = format!("Bearer {key}");
    let twice = format!("{key}, {key}");
    let base = Credentials {
        api_key: Some(&key),
        ..Credentials::default()
    };
    for both in [
        Credentials {
            authorization: Some(&header),
            ..base
        },
        Credentials {
            authorization: Some(&by_bearer),
            ..base
        },
        Credentials {
            service_key: Some(SERVICE_KEY),
            ..base
        },
        Credentials {
            authorization: Some(&header),
            service_key: Some(SERVICE_KEY),
            ..base
        },
        Credentials {
            authorization: Some(&by_bearer),
            service_key: Some(SERVICE_KEY),
            api_key: None,
            ..base
        },
        Credentials {
            api_key: Some(&twice),
            ..base
        },
    ] {
        refused(decide(&auth, &both), "several_credentials");
    }
}

#[test]
fn a_key_is_not_used_on_a_customer_that_it_does_not_name() {
    let auth = authenticator(&[]);
    let key = key();
    for other in ["cust_b", "", "cust_a, cust_a", "../x"] {
        let credentials = Credentials {
            api_key: Some(&key),
            customer_id: Some(other),
            ..Credentials::default()
        };
        refused(decide(&auth, &credentials), "api_key_of_another_customer");
    }
}

#[test]
fn a_legacy_key_is_refused_unless_they_are_switched_on() {
    for over in [&[][..], &[("LEGACY_API_KEYS", "off")]] {
        let by_key = Credentials {
            api_key: Some(LEGACY),
            customer_id: Some("cust_a"),
            ..Credentials::default()
        };
        refused(decide(&authenticator(over), &by_key), "legacy_keys_off");
    }
}

#[test]
fn a_legacy_key_needs_the_name_of_its_customer() {
    let auth = authenticator(&[("LEGACY_API_KEYS", "on")]);
    let header = format!("Bearer {LEGACY}");
    let with = |customer_id| {
        let by_key = Credentials {
            api_key: Some(LEGACY),
            customer_id,
            ..Credentials::default()
        };
        let by_bearer = Credentials {
            authorization: Some(&header),
            customer_id,
            ..Credentials::default()
        };
        [decide(&auth, &by_key), decide(&auth, &by_bearer)]
    };
    for decided in with(Some("cust_a")) {
        let expected = Integration {
            customer: customer(),
            digest: legacy_digest(LEGACY).unwrap(),
            legacy: true,
            browser_origin: None,
        };
        assert_eq!(integration(decided), expected);
    }
    for wrong in [None, Some(""), Some("a b"), Some("cust_a, cust_b")] {
        for decided in with(wrong) {
            assert_eq!(decided.as_ref().unwrap_err().code.status(), 401);
            refused(decided, "legacy_key_without_customer");
        }
    }
}

#[test]
fn an_origin_that_none_can_allow_is_opaque_and_never_dropped() {
    let auth = authenticator(&[]);
    let key = key();
    let long = format!("https://{}.example", "a".repeat(300));
    for (sent, passed_on) in [
        (None, None),
        (Some("https://a.example"), Some("https://a.example")),
        (Some("null"), Some("null")),
        (Some(""), Some("")),
        (Some("https://a.example https://b.example"), Some("null")),
        (Some("https://b\u{fc}cher.example"), Some("null")),
        (Some(long.as_str()), Some("null")),
    ] {
        let credentials = Credentials {
            api_key: Some(&key),
            origin: sent,
            ..Credentials::default()
        };
        let caller = integration(decide(&auth, &credentials));
        assert_eq!(caller.browser_origin.as_deref(), passed_on);
    }
}

#[test]
fn no_refusal_repeats_a_key() {
    let auth = authenticator(&[]);
    let error = bearer(&auth, "uak_live_SENTINEL.x").unwrap_err();
    assert!(!format!("{error:?}").contains("SENTINEL"));
}
