//! What a key lets through.
use super::*;

#[test]
fn an_unknown_digest_and_the_wrong_form_of_a_known_one_are_the_same_to_a_caller() {
    let mut world = World::new();
    let issued = world.create(&plain()).unwrap();
    let (_, digest) = world.index.api_keys().parse(issued.secret()).unwrap();
    let asked = |digest, legacy| {
        world
            .keys
            .authenticate(digest, legacy, None, world.now())
            .cloned()
    };
    assert!(asked(&digest, false).is_ok());
    assert_eq!(asked(&digest, true).unwrap_err(), unknown_key());
    assert_eq!(asked(&KeyDigest::new([0; 32]), false).unwrap_err(), unknown_key());
    assert_eq!(unknown_key().code.as_str(), "invalid_api_key");
}

#[test]
fn a_key_with_origins_serves_pages_of_these_only() {
    let mut world = World::new();
    let bound = NewKey {
        allowed_origins: vec!["https://a.example".into(), "https://b.example:8443".into()],
        ..plain()
    };
    let (bound, free) = (world.create(&bound).unwrap(), world.create(&plain()).unwrap());
    for origin in [None, Some("https://a.example"), Some("https://b.example:8443")] {
        assert!(world.present(bound.secret(), origin).is_ok(), "{origin:?}");
    }
    for origin in [
        "https://b.example",
        "http://a.example",
        "null",
        "",
        "https://a.example.evil",
        "https://A.example",
    ] {
        assert_eq!(
            code(world.present(bound.secret(), Some(origin))),
            "origin_not_allowed",
            "{origin}"
        );
        assert!(world.present(free.secret(), Some(origin)).is_ok());
    }
    world.revoke(&bound.record.key_id).unwrap();
    assert_eq!(code(world.present(bound.secret(), Some("null"))), "token_revoked");
}

#[test]
fn a_key_does_what_its_scopes_say() {
    let mut world = World::new();
    for &scope in Scope::ALL {
        let key = world
            .create(&NewKey {
                scopes: vec![scope],
                ..plain()
            })
            .unwrap()
            .record;
        for &other in Scope::ALL {
            assert_eq!(key.allows(other).is_ok(), other == scope);
            if other != scope {
                let error = key.allows(other).unwrap_err();
                assert_eq!(error.code, Code::InsufficientScope);
                assert!(error.public.contains(other.as_str()));
            }
        }
    }
}

#[test]
fn use_is_noted_once_an_hour() {
    let mut world = World::new();
    let key_id = world.create(&plain()).unwrap().record.key_id;
    world.sql.writes();
    let mut writes = 0;
    let version = world.keys.get(&key_id).unwrap().version;
    for minute in 0..180 {
        let now = Timestamp::from_millis(START + minute * 60_000 + 59_999);
        world.keys.touch(&world.sql, &key_id, now).unwrap();
        writes += world.sql.writes();
    }
    assert_eq!(writes, 3);
    world
        .keys
        .touch(&world.sql, &key_id, Timestamp::from_millis(START))
        .unwrap();
    assert_eq!(world.sql.writes(), 0);
    let key = world.keys.get(&key_id).unwrap();
    assert_eq!(
        (key.last_used_at, key.version),
        (Some(Timestamp::from_millis(START + 7_200_000)), version)
    );
    world.check_stored();
}
