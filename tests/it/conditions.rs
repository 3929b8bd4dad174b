//! `If-Match` and `If-None-Match` on every resource that has a version (RFC 9110 section 13).

use crate::support::people::{Conditional, sound_body};
use crate::support::{World, ada};
use serde_json::json;
use user_api::customer::request::Reply;
use user_api::edge::route::Route;
use user_api::error::Code;

/// Each resource: how it is read, patched and put.
const RESOURCES: [(Route, [Route; 2]); 3] = [
    (Route::GetCustomer, [Route::PatchCustomer, Route::PutCustomer]),
    (Route::GetUser, [Route::PatchUser, Route::PutUser]),
    (
        Route::GetPreferences,
        [Route::PatchPreferences, Route::PutPreferences],
    ),
];

#[test]
fn a_write_needs_the_version_that_if_match_names() {
    for (get, writes) in RESOURCES {
        for write in writes {
            let mut world = World::new();
            let stale = world.tag(&ada().asks(get));
            let request = || ada().says(write, &sound_body(write));
            let fresh = world.tag(&request().if_match(&stale));
            assert_ne!(fresh, stale);
            let state = world.state();
            let weak = format!("W/{fresh}");
            let foreign = r#""0000000000000000.1""#;
            for tags in [
                stale.as_str(),
                &weak,
                foreign,
                r#""""#,
                &format!("{stale}, {weak}"),
            ] {
                assert_eq!(
                    world.refusal(&request().if_match(tags)),
                    Code::StaleVersion,
                    "{write:?} {tags}"
                );
            }
            assert_eq!(world.state(), state, "{write:?}");
            for tags in [fresh.as_str(), "*", &format!("{stale}, {fresh}")] {
                assert_eq!(world.tag(&request().if_match(tags)), fresh, "{write:?} {tags}");
            }
        }
    }
}

#[test]
fn of_two_writes_from_one_version_the_second_is_refused_also_in_one_batch() {
    for (get, [patch, _]) in RESOURCES {
        let mut world = World::new();
        let tag = world.tag(&ada().asks(get));
        let request = ada().says(patch, &sound_body(patch)).if_match(&tag);
        let replies = world.batch(&[request.clone(), request]);
        assert!(matches!(replies[0], Ok(Reply::Content { .. })));
        assert!(matches!(&replies[1], Ok(Reply::Refused(error)) if error.code == Code::StaleVersion));
    }
}

#[test]
fn a_write_under_if_none_match_is_refused_where_it_matches() {
    for (get, writes) in RESOURCES {
        for write in writes {
            let mut world = World::new();
            let tag = world.tag(&ada().asks(get));
            let request = || ada().says(write, &sound_body(write));
            for tags in ["*", tag.as_str(), &format!("W/{tag}")] {
                assert_eq!(
                    world.refusal(&request().if_none_match(tags)),
                    Code::StaleVersion,
                    "{write:?} {tags}"
                );
            }
            assert_ne!(
                world.tag(&request().if_none_match(r#""other""#)),
                tag,
                "{write:?}"
            );
        }
    }
}

#[test]
fn a_read_is_spared_the_version_it_has() {
    for (get, [patch, _]) in RESOURCES {
        let mut world = World::new();
        world.send(&ada().says(patch, &sound_body(patch)));
        let tag = world.tag(&ada().asks(get));
        for tags in ["*", tag.as_str(), &format!("W/{tag}"), &format!("\"x\", {tag}")] {
            let reply = world.send(&ada().asks(get).if_none_match(tags));
            let Reply::NotModified(version) = reply else {
                panic!("{get:?} {tags}: {reply:?}")
            };
            assert_eq!(format!("\"{version}\""), tag);
        }
        assert_eq!(world.tag(&ada().asks(get).if_none_match(r#""x", W/"y""#)), tag);
        assert_eq!(world.tag(&ada().asks(get).if_match(&tag)), tag);
        assert_eq!(
            world.refusal(&ada().asks(get).if_match(&format!("W/{tag}"))),
            Code::StaleVersion
        );
        let both = ada().asks(get).if_match(r#""x""#).if_none_match(&tag);
        assert_eq!(world.refusal(&both), Code::StaleVersion, "If-Match comes first");
    }
}

#[test]
fn versions_of_a_users_two_resources_count_apart() {
    let mut world = World::new();
    let user = world.tag(&ada().asks(Route::GetUser));
    world.send(&ada().says(Route::PatchPreferences, &json!({"theme": "dark"})));
    assert_eq!(world.tag(&ada().asks(Route::GetUser)), user);
    let preferences = world.tag(&ada().asks(Route::GetPreferences));
    world.send(&ada().says(Route::PatchUser, &json!({"displayName": "A"})));
    assert_eq!(world.tag(&ada().asks(Route::GetPreferences)), preferences);
}

#[test]
fn a_body_with_faults_is_told_so_whatever_the_condition() {
    let mut world = World::new();
    let request = ada()
        .says(Route::PatchCustomer, &json!({"name": 1}))
        .if_match(r#""stale""#);
    assert_eq!(world.refusal(&request), Code::ValidationFailed);
}
