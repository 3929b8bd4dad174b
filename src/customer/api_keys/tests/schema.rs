//! What the schema enforces even against our own code.
use super::*;

#[test]
fn the_schema_lets_no_key_come_back_or_become_another() {
    let mut world = World::new();
    let revoked = world.create(&plain()).unwrap().record.key_id;
    world.revoke(&revoked).unwrap();
    let rotated = world.create(&plain()).unwrap().record.key_id;
    world.rotate(&rotated, 60).unwrap();
    for statement in [
        "UPDATE api_keys SET revoked_at = NULL WHERE revoked_at IS NOT NULL",
        "UPDATE api_keys SET revoked_at = revoked_at + 1 WHERE revoked_at IS NOT NULL",
        "UPDATE api_keys SET expires_at = expires_at + 1 WHERE rotated_at IS NOT NULL",
        "UPDATE api_keys SET rotated_at = NULL WHERE rotated_at IS NOT NULL",
        "UPDATE api_keys SET digest = zeroblob(32)",
        "UPDATE api_keys SET legacy = 1",
        "UPDATE api_keys SET digest = zeroblob(31)",
        "UPDATE api_keys SET limit_q = 1",
        "UPDATE api_keys SET version = 0",
        "UPDATE api_keys SET rotated_at = 1 WHERE expires_at IS NULL",
    ] {
        assert!(world.sql.exec(statement, &[]).is_err(), "{statement}");
    }
    world.check_stored();
}

#[test]
fn a_row_that_is_not_ours_is_a_fault() {
    for statement in [
        "UPDATE api_keys SET scopes = 'root'",
        "UPDATE api_keys SET rotated_from = 'x'",
    ] {
        let mut world = World::new();
        world.create(&plain()).unwrap();
        world.sql.exec(statement, &[]).unwrap();
        assert_eq!(
            code(Keys::load(&world.sql, &world.fields)),
            "internal_error",
            "{statement}"
        );
    }
}

#[test]
fn settings_that_cannot_be_read_are_refused_and_kept_while_all_else_works() {
    let mut world = World::new();
    let (one, other) = (world.create(&plain()).unwrap(), world.create(&plain()).unwrap());
    let swap =
        "UPDATE api_keys SET settings = (SELECT settings FROM api_keys WHERE key_id = ?) WHERE key_id = ?";
    let ids = [&other, &one].map(|issued| crate::sql::Value::from(issued.record.key_id.as_str()));
    world.sql.exec(swap, &ids).unwrap();
    world.keys = Keys::load(&world.sql, &world.fields).unwrap();
    let stored = |world: &World| {
        let rows = world
            .sql
            .exec("SELECT settings FROM api_keys WHERE key_id = ?", &ids[1..])
            .unwrap();
        rows[0].blob(0).unwrap().to_vec()
    };
    let before = stored(&world);
    let id = &one.record.key_id;
    let unreadable = "sealed_data_unreadable";
    assert_eq!(code(world.patch(id, json!({"name": "x"}))), unreadable);
    assert_eq!(code(world.rotate(id, 0)), unreadable);
    assert_eq!(code(world.keys.get(id).unwrap().to_json(world.now())), unreadable);
    assert_eq!(
        code(world.present(one.secret(), Some("https://a.example"))),
        unreadable
    );
    // From elsewhere than a browser its origins do not matter; the other key is as it was; it can be taken back.
    assert!(world.works(&one) && world.present(other.secret(), Some("https://a.example")).is_ok());
    world.patch(&other.record.key_id, json!({"name": "x"})).unwrap();
    assert!(world.revoke(id).unwrap() && !world.works(&one));
    assert_eq!(stored(&world), before);
}
