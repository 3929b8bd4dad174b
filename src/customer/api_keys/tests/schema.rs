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
        "UPDATE api_keys SET settings = x'7b7d'",
        "UPDATE api_keys SET rotated_from = 'x'",
    ] {
        let mut world = World::new();
        world.create(&plain()).unwrap();
        world.sql.exec(statement, &[]).unwrap();
        assert_eq!(code(Keys::load(&world.sql)), "internal_error", "{statement}");
    }
}
