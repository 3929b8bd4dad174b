//! Making, changing, rotating and revoking.
use super::*;

#[test]
fn a_new_key_works_and_shows_its_secret_once() {
    let mut world = World::new();
    let issued = world.create(&plain()).unwrap();
    assert_eq!(
        world.present(issued.secret(), None).unwrap(),
        issued.record.key_id
    );
    let body: Value = serde_json::from_slice(&issued.to_json().unwrap()).unwrap();
    assert_eq!(
        body,
        json!({
            "keyId": issued.record.key_id, "name": "CI", "prefix": "uak_live_cust_a.AAAA",
            "last4": issued.record.last4, "scopes": ["customer:read"], "createdAt": "2027-01-15T08:00:00.000Z",
            "expiresAt": null, "lastUsedAt": null, "status": "active", "allowedOrigins": [], "limit": null,
            "rotatedFrom": null, "legacy": false, "secret": issued.secret(),
        })
    );
    let secret_part = issued.secret().split_once('.').unwrap().1;
    let list = String::from_utf8(world.keys.to_json(world.now()).unwrap()).unwrap();
    let one = String::from_utf8(issued.record.to_json(world.now()).unwrap()).unwrap();
    for text in [format!("{issued:?}"), format!("{:?}", world.keys), list, one] {
        assert!(!text.contains(secret_part) && !text.contains("\"secret\""));
    }
    let rows = world.sql.exec(
        "SELECT CAST(quote(digest) || quote(settings) || prefix || last4 AS TEXT) FROM api_keys",
        &[],
    );
    assert!(!rows.unwrap()[0].text(0).unwrap().contains(secret_part));
    world.check_stored();
}

#[test]
fn a_list_is_newest_first_and_one_page() {
    let mut world = World::new();
    for _ in 0..3 {
        world.create(&plain()).unwrap();
        world.now_ms += 1;
    }
    let list: Value = serde_json::from_slice(&world.keys.to_json(world.now()).unwrap()).unwrap();
    assert_eq!(
        (&list["hasMore"], &list["nextCursor"]),
        (&json!(false), &json!(null))
    );
    let made: Vec<_> = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["createdAt"].as_str().unwrap())
        .collect();
    assert!(made.len() == 3 && made.is_sorted_by(|a, b| a > b));
}

#[test]
fn an_expiry_lies_ahead_but_not_too_far() {
    let mut world = World::new();
    let at = |ms: i64| NewKey {
        expires_at: Some(Timestamp::from_millis(START + ms)),
        ..plain()
    };
    for bad in [0, -1, MAX_LIFETIME_MS + 1] {
        assert_eq!(pointers(world.create(&at(bad))), ["#/expiresAt"]);
    }
    world.create(&at(MAX_LIFETIME_MS)).unwrap();
    let issued = world.create(&at(1)).unwrap();
    assert!(world.works(&issued));
    world.now_ms += 1;
    assert_eq!(code(world.present(issued.secret(), None)), "invalid_api_key");
    assert_eq!(issued.record.status(world.now()), KeyStatus::Expired);
    assert_eq!(world.sql.writes(), 2);
}

#[test]
fn at_most_fifty_keys_work_and_one_that_ends_makes_room() {
    let mut world = World::new();
    let brief = NewKey {
        expires_at: Some(world.in_secs(10)),
        ..plain()
    };
    world.create(&brief).unwrap();
    let second = world.create(&plain()).unwrap();
    for _ in 2..MAX_LIVE_KEYS {
        world.create(&plain()).unwrap();
    }
    world.sql.writes();
    assert_eq!(code(world.create(&plain())), "limit_reached");
    assert_eq!(code(world.rotate(&second.record.key_id, 1)), "limit_reached");
    assert_eq!(world.sql.writes(), 0);
    assert!(world.works(&second));
    let third = world.rotate(&second.record.key_id, 0).unwrap();
    world.revoke(&third.record.key_id).unwrap();
    world.create(&plain()).unwrap();
    assert_eq!(code(world.create(&plain())), "limit_reached");
    world.now_ms += 10_000;
    world.create(&plain()).unwrap();
    world.check_stored();
}

#[test]
fn the_keys_that_ended_first_are_dropped_beyond_two_hundred() {
    let mut world = World::new();
    let keeper = world.create(&plain()).unwrap();
    let mut ended = Vec::new();
    for _ in 0..MAX_ROWS + 5 {
        world.now_ms += 1;
        let issued = world.create(&plain()).unwrap();
        world.revoke(&issued.record.key_id).unwrap();
        ended.push(issued);
    }
    assert_eq!(world.keys.records.len(), MAX_ROWS);
    assert!(world.works(&keeper));
    let (dropped, kept) = ended.split_at(6);
    assert!(
        dropped
            .iter()
            .all(|key| code(world.keys.get(&key.record.key_id)) == "key_not_found")
    );
    assert!(
        dropped
            .iter()
            .all(|key| code(world.present(key.secret(), None)) == "invalid_api_key")
    );
    assert!(
        kept.iter()
            .all(|key| code(world.present(key.secret(), None)) == "token_revoked")
    );
    world.check_stored();
}

#[test]
fn a_rotated_key_works_until_the_given_second_and_not_after() {
    let mut world = World::new();
    let old = world.create(&plain()).unwrap();
    world.now_ms += 123;
    let new = world.rotate(&old.record.key_id, 60).unwrap();
    assert_eq!(new.record.rotated_from.as_ref(), Some(&old.record.key_id));
    assert_ne!(new.record.key_id, old.record.key_id);
    let shown = world.keys.get(&old.record.key_id).unwrap();
    assert_eq!(
        (shown.status(world.now()), shown.expires_at),
        (KeyStatus::Rotated, Some(world.in_secs(60)))
    );
    world.now_ms += 59_999;
    assert!(world.works(&old) && world.works(&new));
    world.now_ms += 1;
    assert!(world.works(&new));
    assert_eq!(code(world.present(old.secret(), None)), "invalid_api_key");
    world.check_stored();
}

#[test]
fn a_rotated_key_hands_on_what_it_may_and_its_last_day() {
    let mut world = World::new();
    let new = NewKey {
        scopes: vec![Scope::AuditRead, Scope::UsageRead],
        expires_at: Some(world.in_secs(30)),
        allowed_origins: vec!["https://a.example".into()],
        limit: Some(KeyLimit { q: 1, w: 2 }),
        ..plain()
    };
    let old = world.create(&new).unwrap();
    let next = world.rotate(&old.record.key_id, 3600).unwrap().record;
    let settings = next.settings.unwrap();
    let back = NewKey {
        name: settings.name,
        scopes: next.scopes,
        expires_at: next.expires_at,
        allowed_origins: settings.allowed_origins,
        limit: next.limit,
    };
    assert_eq!(back, new);
    assert_eq!(
        world.keys.get(&old.record.key_id).unwrap().expires_at,
        new.expires_at
    );
}

#[test]
fn only_an_active_key_is_changed_or_rotated() {
    let mut world = World::new();
    let brief = NewKey {
        expires_at: Some(world.in_secs(10)),
        ..plain()
    };
    let (revoked, rotated, expired) = (
        world.create(&plain()).unwrap(),
        world.create(&plain()).unwrap(),
        world.create(&brief).unwrap(),
    );
    world.revoke(&revoked.record.key_id).unwrap();
    world.rotate(&rotated.record.key_id, 3600).unwrap();
    world.now_ms += 10_000;
    world.sql.writes();
    for key in [&revoked, &rotated, &expired] {
        let key_id = &key.record.key_id;
        assert_eq!(code(world.patch(key_id, json!({"name": "x"}))), "key_ended");
        assert_eq!(code(world.patch(key_id, json!({"expiresAt": null}))), "key_ended");
        assert_eq!(code(world.rotate(key_id, 60)), "key_ended");
    }
    assert_eq!(world.sql.writes(), 0);
}

#[test]
fn a_revoked_key_never_works_again() {
    let mut world = World::new();
    let issued = world.create(&plain()).unwrap();
    let key_id = issued.record.key_id.clone();
    assert!(world.revoke(&key_id).unwrap());
    assert_eq!(code(world.present(issued.secret(), None)), "token_revoked");
    world.sql.writes();
    assert!(!world.revoke(&key_id).unwrap());
    assert_eq!(world.sql.writes(), 0);
    world.keys = Keys::load(&world.sql, &world.fields).unwrap();
    world.now_ms += MAX_LIFETIME_MS;
    assert_eq!(code(world.present(issued.secret(), None)), "token_revoked");
}

#[test]
fn a_key_in_its_grace_can_still_be_revoked() {
    let mut world = World::new();
    let old = world.create(&plain()).unwrap();
    let new = world.rotate(&old.record.key_id, 3600).unwrap();
    assert!(world.revoke(&old.record.key_id).unwrap());
    assert_eq!(code(world.present(old.secret(), None)), "token_revoked");
    assert!(world.works(&new));
    world.check_stored();
}

#[test]
fn a_clock_that_goes_back_brings_no_key_back() {
    let mut world = World::new();
    let old = world.create(&plain()).unwrap();
    world.now_ms += 5000;
    let new = world.rotate(&old.record.key_id, 0).unwrap();
    for reload in [false, true] {
        if reload {
            world.keys = Keys::load(&world.sql, &world.fields).unwrap();
        }
        world.now_ms = START;
        assert_eq!(code(world.present(old.secret(), None)), "invalid_api_key");
        assert!(world.works(&new));
    }
}

#[test]
fn a_patch_changes_what_it_names_and_a_version_counts_changes() {
    let mut world = World::new();
    let key = world
        .create(&NewKey {
            limit: Some(KeyLimit { q: 1, w: 2 }),
            ..plain()
        })
        .unwrap()
        .record;
    let tag = |key: &KeyRecord, world: &World| key.version("0", world.now()).to_string();
    let first = tag(&key, &world);
    world.sql.writes();
    let same = world
        .patch(&key.key_id, json!({"name": "CI", "limit": {"q": 1}}))
        .unwrap();
    assert_eq!((tag(&same, &world), world.sql.writes()), (first.clone(), 0));
    let body = json!({
        "name": "CD", "scopes": ["usage:read"], "allowedOrigins": ["https://a.example"],
        "expiresAt": "2027-02-01T00:00:00Z", "limit": {"w": 60},
    });
    let after = world.patch(&key.key_id, body).unwrap();
    assert_eq!(
        (after.settings().unwrap().name.as_str(), after.scopes.as_slice()),
        ("CD", [Scope::UsageRead].as_slice())
    );
    assert_eq!(after.settings().unwrap().allowed_origins, ["https://a.example"]);
    assert_eq!(after.expires_at, Timestamp::parse_rfc3339("2027-02-01T00:00:00Z"));
    assert_eq!(after.limit, Some(KeyLimit { q: 1, w: 60 }));
    assert_ne!(tag(&after, &world), first);
    world.check_stored();
    let body = json!({"allowedOrigins": null, "expiresAt": null, "limit": null});
    let cleared = world.patch(&key.key_id, body).unwrap();
    assert_eq!(
        (
            cleared.settings().unwrap().allowed_origins.len(),
            cleared.expires_at,
            cleared.limit
        ),
        (0, None, None)
    );
    assert_eq!(cleared.settings().unwrap().name, "CD");
    world.check_stored();
}

#[test]
fn a_patch_that_would_leave_nonsense_is_refused_whole() {
    let mut world = World::new();
    let key_id = world.create(&plain()).unwrap().record.key_id;
    world.sql.writes();
    let past = json!({"name": "x", "expiresAt": "2027-01-15T08:00:00Z", "limit": {"q": 1}});
    assert_eq!(pointers(world.patch(&key_id, past)), ["#/expiresAt", "#/limit/w"]);
    assert_eq!(
        pointers(world.patch(&key_id, json!({"limit": {"q": null, "w": 1}}))),
        ["#/limit/q"]
    );
    assert_eq!(
        pointers(world.patch(&key_id, json!({"expiresAt": "2032-01-17T00:00:00Z"}))),
        ["#/expiresAt"]
    );
    assert_eq!(world.keys.get(&key_id).unwrap().settings().unwrap().name, "CI");
    assert_eq!(world.sql.writes(), 0);
}

#[test]
fn an_expiry_changes_the_version_without_a_write() {
    let mut world = World::new();
    let key = world
        .create(&NewKey {
            expires_at: Some(world.in_secs(1)),
            ..plain()
        })
        .unwrap()
        .record;
    let before = key.version("0", world.now());
    world.now_ms += 1000;
    assert_ne!(key.version("0", world.now()), before);
}

#[test]
fn an_unknown_key_id_is_not_found() {
    let mut world = World::new();
    let none = KeyId::mint(world.now(), [9; 10]);
    assert_eq!(code(world.keys.get(&none)), "key_not_found");
    assert_eq!(code(world.revoke(&none)), "key_not_found");
    assert_eq!(code(world.rotate(&none, 0)), "key_not_found");
    assert_eq!(code(world.patch(&none, json!({}))), "key_not_found");
    let now = world.now();
    assert_eq!(code(world.keys.touch(&world.sql, &none, now)), "key_not_found");
    assert_eq!(world.sql.writes(), 0);
}
