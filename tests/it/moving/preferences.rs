//! Preferences of an older service, which wait for the owner.

use super::*;

#[test]
fn the_first_owner_gets_the_preferences_and_nobody_loses_any() {
    let mut world = World::new();
    world.told(&key(), acme());
    let preferences = json!({"emailVisibility": "public", "displayName": {"current": "Zoë", "lastChangedAt": 1_700_000_000}});
    world.told(&format!("auth:preferences:{ACME}"), preferences.clone());
    let other = Who::user("auth0|other").change(|user| user.customer = Some(id(ACME)));
    let visibility = |world: &mut World, who: &Who| {
        world.json(ACME, &who.asks(Route::GetPreferences))["emailVisibility"].clone()
    };
    assert_eq!(visibility(&mut world, &other), "private");
    assert_eq!(visibility(&mut world, &owner(ACME)), "public");
    assert_eq!(
        world.json(ACME, &owner(ACME).asks(Route::GetUser))["displayName"],
        "Zoë"
    );
    world.send(
        ACME,
        &owner(ACME).says(Route::PatchPreferences, &json!({"emailVisibility": "private"})),
    );
    world.sleep();
    assert_eq!(world.told(&format!("preferences_{ACME}"), preferences), Unchanged);
    let newer = json!({"emailVisibility": "public", "displayName": {"lastChangedAt": 1_800_000_000}});
    assert_eq!(world.told(&format!("preferences_{ACME}"), newer), Merged);
    assert_eq!(visibility(&mut world, &owner(ACME)), "private");
}

#[test]
fn damaged_preferences_that_wait_and_a_damaged_owner_trouble_no_request() {
    let damage = |world: &World, statement: &str| {
        let changed = world.objects[ACME].0.raw(|db| db.execute(statement, []));
        assert_eq!(changed.unwrap(), 1, "{statement}");
    };
    let visibility = |world: &mut World| {
        world.json(ACME, &owner(ACME).asks(Route::GetPreferences))["emailVisibility"].clone()
    };
    let waiting = "SELECT count(*) FROM legacy WHERE kind = 'preferences' AND key = ''";
    let count = |world: &World| -> i64 {
        let found = world.objects[ACME]
            .0
            .raw(|db| db.query_row(waiting, [], |row| row.get(0)));
        found.unwrap()
    };
    for place in [
        "legacy SET document = zeroblob(60) WHERE kind = 'preferences'",
        "users SET profile = zeroblob(60)",
        "users SET preferences = zeroblob(60), preferences_version = 1",
    ] {
        let mut world = World::new();
        world.told(&key(), acme());
        // Met before its preferences come.
        visibility(&mut world);
        let preferences = json!({"emailVisibility": "public", "displayName": {"current": "Zoë"}});
        world.told(&format!("auth:preferences:{ACME}"), preferences);
        damage(&world, &format!("UPDATE {place}"));
        world.sleep();
        world.json(ACME, &owner(ACME).asks(Route::GetCustomer));
        world.json(ACME, &owner(ACME).asks(Route::GetStatus));
        let customer = &mut world.objects.get_mut(ACME).unwrap().1;
        assert_eq!(
            customer.passed_over().unwrap().code,
            Code::SealedDataUnreadable,
            "{place}"
        );
        // Neither is anything written, nor are the preferences lost.
        assert_eq!(count(&world), 1, "{place}");
    }
    let mut world = World::new();
    world.told(&key(), acme());
    visibility(&mut world);
    world.told(
        &format!("auth:preferences:{ACME}"),
        json!({"emailVisibility": "public"}),
    );
    let profile: Vec<u8> = world.objects[ACME]
        .0
        .raw(|db| db.query_row("SELECT profile FROM users", [], |row| row.get(0)))
        .unwrap();
    damage(&world, "UPDATE users SET profile = zeroblob(60)");
    world.sleep();
    assert_eq!(visibility(&mut world), "private");
    // Once it is repaired, the next to come gets them.
    let repaired = world.objects[ACME]
        .0
        .raw(|db| db.execute("UPDATE users SET profile = ?1", [profile]));
    assert_eq!(repaired.unwrap(), 1);
    world.sleep();
    assert_eq!(visibility(&mut world), "public");
    assert_eq!(count(&world), 0);
}
