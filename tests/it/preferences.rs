//! GET, PUT and PATCH `/user/me/preferences`.

use crate::support::{World, ada, bob};
use serde_json::{Value, json};
use user_api::edge::route::Route;
use user_api::error::Code;

fn defaults() -> Value {
    json!({
        "theme": "system", "language": null, "timeZone": null, "emailVisibility": "private",
        "notifications": {"email": true, "product": false, "security": true}, "custom": {},
    })
}

fn with(changes: &[(&str, Value)]) -> Value {
    let mut wanted = defaults();
    for (pointer, value) in changes {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        wanted.pointer_mut(parent).unwrap()[key] = value.clone();
    }
    wanted
}

#[test]
fn nothing_set_is_the_defaults_at_version_0() {
    let mut world = World::new();
    let get = ada().asks(Route::GetPreferences);
    assert_eq!(world.json(&get), defaults());
    assert!(world.tag(&get).ends_with(".0\""));
    let same = ada().says(Route::PutPreferences, &json!({}));
    assert!(
        world.tag(&same).ends_with(".0\""),
        "putting the defaults changes nothing"
    );
}

#[test]
fn a_patch_is_rfc_7396_over_the_defaults() {
    let mut world = World::new();
    let mut patch = |body: Value| world.json(&ada().says(Route::PatchPreferences, &body));
    let dark = ("/theme", json!("dark"));
    assert_eq!(patch(json!({"theme": "dark"})), with(std::slice::from_ref(&dark)));
    let quiet = ("/notifications/email", json!(false));
    let news = ("/notifications/product", json!(true));
    assert_eq!(
        patch(json!({"notifications": {"email": false}})),
        with(&[dark.clone(), quiet.clone()]),
        "nested"
    );
    let patched = patch(json!({"notifications": {"product": true}}));
    assert_eq!(
        patched,
        with(&[dark.clone(), quiet, news.clone()]),
        "nested merges"
    );
    let patched = patch(json!({"notifications": {"email": null}}));
    assert_eq!(
        patched,
        with(&[dark.clone(), news.clone()]),
        "nested null is the default"
    );
    assert_eq!(
        patch(json!({"notifications": {}})),
        with(&[dark.clone(), news]),
        "nested empty merges nothing"
    );
    assert_eq!(
        patch(json!({"notifications": null})),
        with(&[dark]),
        "null is the defaults"
    );
    assert_eq!(patch(json!({"theme": null})), defaults());
    let custom = json!({"n": 1.5, "big": 9_007_199_254_740_991_i64, "t": "x", "b": true});
    assert_eq!(
        patch(json!({"custom": custom})),
        with(&[("/custom", custom.clone())])
    );
    let fewer = json!({"n": 2, "t": "x", "b": true});
    assert_eq!(
        patch(json!({"custom": {"big": null, "n": 2, "none": null}})),
        with(&[("/custom", fewer)])
    );
    assert_eq!(patch(json!({"custom": null})), defaults());
}

#[test]
fn a_put_sets_what_it_does_not_mention_to_its_default() {
    let mut world = World::new();
    let all = json!({
        "theme": "light", "language": "pt-br", "timeZone": "europe/berlin", "emailVisibility": "public",
        "notifications": {"email": false, "product": true, "security": false}, "custom": {"a": 1},
    });
    let stored = world.json(&ada().says(Route::PutPreferences, &all));
    assert_eq!(
        (&stored["language"], &stored["timeZone"]),
        (&json!("pt-BR"), &json!("Europe/Berlin"))
    );
    let put = world.json(&ada().says(
        Route::PutPreferences,
        &json!({"notifications": {"security": false}}),
    ));
    assert_eq!(put, with(&[("/notifications/security", json!(false))]));
    assert_eq!(
        world.json(&ada().says(Route::PutPreferences, &json!({}))),
        defaults()
    );
}

#[test]
fn what_was_read_can_be_put_back_without_a_change() {
    let mut world = World::new();
    let set = json!({"theme": "dark", "notifications": {"email": false}, "custom": {"a": 0.1, "b": -0.0, "c": 1e300}});
    world.send(&ada().says(Route::PatchPreferences, &set));
    let (read, tag) = (
        world.json(&ada().asks(Route::GetPreferences)),
        world.tag(&ada().asks(Route::GetPreferences)),
    );
    let state = world.state();
    assert_eq!(world.tag(&ada().says(Route::PutPreferences, &read)), tag);
    assert_eq!(world.tag(&ada().says(Route::PatchPreferences, &read)), tag);
    assert_eq!(world.state(), state);
}

#[test]
fn each_user_has_its_own() {
    let mut world = World::new();
    world.send(&ada().says(Route::PatchPreferences, &json!({"theme": "dark"})));
    assert_eq!(world.json(&bob().asks(Route::GetPreferences)), defaults());
    world.restart();
    assert_eq!(world.json(&ada().asks(Route::GetPreferences))["theme"], "dark");
}

#[test]
fn what_is_no_preference_is_refused_and_changes_nothing() {
    let mut world = World::new();
    world.send(&ada().asks(Route::GetPreferences));
    let state = world.state();
    let many: Value = (0..51).map(|key| (format!("k{key}"), json!(1))).collect();
    for body in [
        json!({"theme": "Dark"}),
        json!({"theme": 1}),
        json!({"language": "english"}),
        json!({"timeZone": "Mars/Base"}),
        json!({"notifications": true}),
        json!({"notifications": {"email": "yes"}}),
        json!({"notifications": {"sms": true}}),
        json!({"custom": {"a": [1]}}),
        json!({"custom": {"a": {}}}),
        json!({"custom": {"": 1}}),
        json!({"custom": {"a": "\u{0}"}}),
        json!({"custom": many}),
        json!({"userId": "user_0123456789ab"}),
    ] {
        for route in [Route::PatchPreferences, Route::PutPreferences] {
            assert_eq!(
                world.refusal(&ada().says(route, &body)),
                Code::ValidationFailed,
                "{body}"
            );
        }
    }
    assert_eq!(world.state(), state);
}

#[test]
fn setting_preferences_leaves_the_user_resource_as_it_is() {
    let mut world = World::new();
    let (before, tag) = (
        world.json(&ada().asks(Route::GetUser)),
        world.tag(&ada().asks(Route::GetUser)),
    );
    world.now += 1000;
    world.send(&ada().says(Route::PatchPreferences, &json!({"theme": "dark"})));
    assert_eq!(world.json(&ada().asks(Route::GetUser)), before);
    assert_eq!(world.tag(&ada().asks(Route::GetUser)), tag);
}
