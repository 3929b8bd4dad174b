//! Bytes at random.
use super::*;
use proptest::prelude::*;

fn pinned_keys() -> &'static Authenticator {
    thread_local! {
        static KEYS: &'static Authenticator = Box::leak(Box::new(pinned::with_static_keys()));
    }
    KEYS.with(|keys| *keys)
}

#[test]
fn no_token_with_one_byte_changed_authenticates() {
    for alg in ["HS256", "ES256", "EdDSA"] {
        let token = pinned::token("pyjwt", alg);
        for index in 0..token.len() {
            for flip in [1_u8, 2, 4, 8, 16, 32, 64] {
                let mut bytes = token.clone().into_bytes();
                bytes[index] ^= flip;
                let Ok(changed) = String::from_utf8(bytes) else {
                    continue;
                };
                assert!(
                    bearer(pinned_keys(), &changed).is_err(),
                    "{alg} at {index} by {flip}"
                );
            }
        }
    }
}

fn is_the_same_token(original: &str, changed: &str) -> bool {
    // The older issuer's spelling of `_` in an HS256 signature.
    let (head, signature) = changed.rsplit_once('.').unwrap_or_default();
    format!("{head}.{}", signature.replace('/', "_")) == original
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_mutation_of_a_sound_token_authenticates(
        alg in prop::sample::select(vec!["HS256", "RS256", "ES256", "EdDSA"]),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..3, 0x20_u8..0x7f), 1..4),
    ) {
        let original = pinned::token("pyjwt", alg);
        let mut bytes = original.clone().into_bytes();
        for (at, kind, byte) in edits {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => { bytes.remove(at); }
            }
        }
        let changed = String::from_utf8(bytes).unwrap();
        // Blanks around a token belong to the header, not to the token.
        prop_assume!(!is_the_same_token(&original, changed.trim_matches(' ')));
        prop_assert!(bearer(pinned_keys(), &changed).is_err(), "{}", changed);
    }

    #[test]
    fn random_text_never_panics_and_never_authenticates(
        texts in prop::collection::vec(prop::option::of("\\PC{0,80}|Bearer [A-Za-z0-9_.,=-]{0,80}|auth_token=[ -~]{0,80}|uak_live_[a-z0-9._-]{0,80}"), 7),
        unsafe_method in any::<bool>(),
    ) {
        let credentials = Credentials {
            authorization: texts[0].as_deref(),
            cookie: texts[1].as_deref(),
            csrf_header: texts[2].as_deref(),
            service_key: texts[3].as_deref(),
            api_key: texts[4].as_deref(),
            customer_id: texts[5].as_deref(),
            origin: texts[6].as_deref(),
            unsafe_method,
        };
        prop_assert!(decide(pinned_keys(), &credentials).is_err());
    }

    #[test]
    fn random_headers_and_payloads_never_panic(
        header in "\\{(\"(alg|typ|kid|crit)\":(\"HS256\"|\"RS256\"|1|null|\\[\\])(,)?){0,4}\\}",
        payload in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let token = format!("{}.{}.{}", URL_SAFE_NO_PAD.encode(&header), URL_SAFE_NO_PAD.encode(&payload), "AAAA");
        prop_assert!(bearer(pinned_keys(), &token).is_err());
    }

    #[test]
    fn random_bytes_as_a_key_set_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        let _ = KeySet::parse(&bytes);
    }

    #[test]
    fn random_rsa_keys_never_panic(n in prop::collection::vec(any::<u8>(), 250..520), e in prop::collection::vec(any::<u8>(), 0..9), signature in prop::collection::vec(any::<u8>(), 256)) {
        if let Some(key) = VerifyingKey::rs256(&n, &e) {
            prop_assert!(!key.verify(b"x", &signature));
        }
    }
}

/// `cargo test --release -- --ignored --nocapture times` tells what a verification costs.
#[test]
#[ignore = "a measurement, not a guarantee"]
fn times_of_a_verification() {
    for (library, name) in [
        ("pyjwt", "HS256"),
        ("pyjwt", "RS256"),
        ("jose", "RS256 of 4096 bits"),
        ("pyjwt", "ES256"),
        ("pyjwt", "EdDSA"),
    ] {
        let token = pinned::token(library, name);
        // The fastest of many, because the machine has other work.
        let fastest = (0..500).map(|_| {
            let start = std::time::Instant::now();
            bearer(pinned_keys(), &token).unwrap();
            start.elapsed()
        });
        let fastest = fastest.min().unwrap();
        println!("{name}: {fastest:?}");
    }
}
