//! Keys of the older login service.
use super::*;
use crate::crypto::api_key::legacy_digest;

fn text(number: usize) -> String {
    format!("otp_live_sk_{number:043}")
}

fn legacy(number: usize) -> LegacyKey {
    LegacyKey {
        digest: legacy_digest(&text(number)).unwrap(),
        name: "Old".into(),
        scopes: vec![Scope::CustomerRead],
        allowed_origins: vec![],
        created_at: Timestamp::from_millis(1),
        last_used_at: Some(Timestamp::from_millis(3_600_001)),
        ended_at: None,
    }
}

impl World {
    fn import(&mut self, key: LegacyKey) -> Result<Imported> {
        let now = self.now();
        self.keys
            .import(&self.sql, &self.fields, key, now, &mut self.entropy)
    }

    fn present_legacy(&self, number: usize) -> Result<KeyRecord> {
        let digest = legacy_digest(&text(number)).unwrap();
        self.keys.authenticate(&digest, true, None, self.now()).cloned()
    }
}

#[test]
fn a_legacy_key_works_and_is_marked() {
    let mut world = World::new();
    assert_eq!(world.import(legacy(1)).unwrap(), Imported::Created);
    let key = world.present_legacy(1).unwrap();
    assert_eq!(
        (key.legacy, key.last4.as_deref(), key.prefix.as_str()),
        (true, None, "otp_live_sk_")
    );
    assert_eq!(key.last_used_at, Some(Timestamp::from_millis(3_600_000)));
    let digest = legacy_digest(&text(1)).unwrap();
    assert_eq!(
        code(world.keys.authenticate(&digest, false, None, world.now())),
        "invalid_api_key"
    );
    assert_eq!(code(world.present_legacy(2)), "invalid_api_key");
    world.check_stored();
}

#[test]
fn a_legacy_key_is_rotated_into_the_new_form() {
    let mut world = World::new();
    world.import(legacy(1)).unwrap();
    let key_id = world.present_legacy(1).unwrap().key_id;
    let new = world.rotate(&key_id, 60).unwrap();
    assert!(!new.record.legacy && new.secret().starts_with("uak_live_cust_a."));
    assert!(world.works(&new) && world.present_legacy(1).is_ok());
    world.now_ms += 60_000;
    assert!(world.works(&new));
    assert_eq!(code(world.present_legacy(1)), "invalid_api_key");
    assert_eq!(world.import(legacy(1)).unwrap(), Imported::Unchanged);
    assert_eq!(code(world.present_legacy(1)), "invalid_api_key");
}

#[test]
fn an_import_can_be_repeated_and_brings_nothing_back() {
    let mut world = World::new();
    world.import(legacy(1)).unwrap();
    assert_eq!(world.import(legacy(1)).unwrap(), Imported::Unchanged);
    let ended = LegacyKey {
        ended_at: Some(world.now()),
        ..legacy(1)
    };
    assert_eq!(world.import(ended.clone()).unwrap(), Imported::Merged);
    assert_eq!(world.import(ended).unwrap(), Imported::Unchanged);
    assert_eq!(world.import(legacy(1)).unwrap(), Imported::Unchanged);
    assert_eq!(code(world.present_legacy(1)), "token_revoked");
    for _ in 0..MAX_ROWS + 5 {
        let key_id = world.create(&plain()).unwrap().record.key_id;
        world.revoke(&key_id).unwrap();
    }
    assert_eq!(world.keys.records.len(), MAX_ROWS);
    assert_eq!(world.import(legacy(1)).unwrap(), Imported::Unchanged);
    assert_eq!(code(world.present_legacy(1)), "token_revoked");
    world.check_stored();
}

#[test]
fn imports_are_bounded_and_working_ones_count() {
    let mut world = World::new();
    let ended = |number| LegacyKey {
        ended_at: Some(Timestamp::from_millis(5)),
        ..legacy(number)
    };
    for number in 0..MAX_LIVE_KEYS {
        world.import(legacy(number)).unwrap();
    }
    assert_eq!(code(world.import(legacy(MAX_LIVE_KEYS))), "limit_reached");
    assert_eq!(code(world.create(&plain())), "limit_reached");
    for number in MAX_LIVE_KEYS..MAX_LEGACY_KEYS {
        world.import(ended(number)).unwrap();
    }
    assert_eq!(code(world.import(ended(MAX_LEGACY_KEYS))), "limit_reached");
    assert_eq!(code(world.present_legacy(MAX_LIVE_KEYS)), "token_revoked");
    world.check_stored();
}

#[test]
fn a_dumps_clock_does_not_move_ours() {
    let mut world = World::new();
    let future = Some(Timestamp::MAX);
    let odd = LegacyKey {
        created_at: Timestamp::MAX,
        last_used_at: future,
        ended_at: future,
        ..legacy(1)
    };
    world.import(odd).unwrap();
    world.keys = Keys::load(&world.sql, &world.fields).unwrap();
    assert_eq!(world.keys.at(world.now()), world.now());
    let name = LegacyKey {
        name: "x".repeat(1000),
        ..legacy(2)
    };
    world.import(name).unwrap();
    assert_eq!(
        world.present_legacy(2).unwrap().settings.unwrap().name.len(),
        MAX_NAME_CHARS
    );
}
