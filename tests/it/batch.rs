//! Group commit: one transaction for many requests; where one fails, a savepoint for each.

use crate::support::people::sound_body;
use crate::support::{Harm, World, ada, bob, service};
use serde_json::{Value, json};
use user_api::customer::request::{Reply, Request};
use user_api::edge::route::Route;
use user_api::error::{Code, Result};

fn named(name: &str) -> Request {
    ada().says(Route::PatchCustomer, &json!({"name": name}))
}

fn keyed(key: &str) -> Request {
    ada().says(Route::PatchCustomer, &json!({"metadata": {(key): "v"}}))
}

fn keys(customer: &Value) -> Vec<String> {
    customer["metadata"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect()
}

fn body(reply: &Reply) -> Value {
    match reply {
        Reply::Content { body, .. } => serde_json::from_slice(body).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn requests_are_carried_out_and_answered_in_their_order() {
    let mut world = World::new();
    let read = ada().asks(Route::GetCustomer);
    let replies = world.batch(&[
        named("1"),
        read.clone(),
        named("2"),
        read.clone(),
        named("2"),
        read,
    ]);
    let names: Vec<_> = replies
        .iter()
        .map(|reply| body(reply.as_ref().unwrap())["name"].clone())
        .collect();
    assert_eq!(names, ["1", "1", "2", "2", "2", "2"]);
    let actions: Vec<_> = world
        .log()
        .iter()
        .skip(1)
        .map(|entry| entry.header["action"].clone())
        .collect();
    let pair = ["customer.update", "customer.read"];
    assert_eq!(actions, [pair, pair, pair].concat());
}

#[test]
fn an_empty_batch_does_nothing() {
    let mut world = World::new();
    let before = world.dump();
    assert!(world.batch(&[]).is_empty());
    assert_eq!(world.dump(), before);
}

#[test]
fn a_customer_is_created_and_used_in_one_batch() {
    let mut world = World::absent();
    let create = service().says(Route::EnsureCustomer, &sound_body(Route::EnsureCustomer));
    let replies = world.batch(&[ada().asks(Route::GetCustomer), create, named("first")]);
    assert!(matches!(&replies[0], Ok(Reply::Refused(error)) if error.code == Code::CustomerNotFound));
    assert_eq!(body(replies[2].as_ref().unwrap())["name"], "first");
    assert_eq!(
        world.briefs(0),
        ["customer.create ok service", "customer.update ok user"]
    );
}

#[test]
fn a_refused_request_commits_with_the_others() {
    let mut world = World::new();
    let refused = ada().says(Route::PatchCustomer, &json!({"plan": "pro"}));
    let replies = world.batch(&[keyed("a"), refused, keyed("b")]);
    assert!(replies.iter().all(Result::is_ok));
    assert_eq!(keys(&world.json(&ada().asks(Route::GetCustomer))), ["a", "b"]);
    assert_eq!(world.count("audit"), 5);
}

/// Three changes by two users.
fn three_changes() -> [Request; 3] {
    [
        keyed("a"),
        keyed("b"),
        bob().says(Route::PatchCustomer, &json!({"metadata": {"c": "v"}})),
    ]
}

/// A customer who was read once, awake or not.
fn read_once(is_awake: bool) -> World {
    let mut world = World::new();
    world.send(&ada().asks(Route::GetCustomer));
    if !is_awake {
        world.restart();
    }
    world
}

/// What those changes left is what was answered, awake and after a restart.
fn holds_what_it_answered(world: &mut World, replies: &[Result<Reply>], what: &str) {
    let failed = replies.iter().filter(|reply| reply.is_err()).count();
    assert_eq!(world.log().len(), 2 + 3 - failed, "{what}");
    for restart in [false, true] {
        if restart {
            world.restart();
        }
        let kept = keys(&world.json(&ada().asks(Route::GetCustomer)));
        let wanted = ["a", "b", "c"]
            .iter()
            .enumerate()
            .filter(|(index, _)| replies[*index].is_ok());
        assert!(kept.iter().eq(wanted.map(|(_, key)| *key)), "{what}: {kept:?}");
    }
    world.log();
}

/// A batch in which something fails once is undone and done once more; only where it cannot begin or end do all fail.
#[test]
fn what_fails_once_fails_nobody() {
    for is_awake in [true, false] {
        let mut done_again = 0;
        for operation in 0.. {
            let mut world = read_once(is_awake);
            let before = world.dump();
            world.sql.arm(operation, Harm::Error);
            let replies = world.batch(&three_changes());
            if world.sql.disarm() {
                break;
            }
            if replies.iter().all(Result::is_ok) {
                done_again += 1;
            } else {
                assert!(replies.iter().all(Result::is_err), "operation {operation}");
                assert_eq!(world.dump(), before, "operation {operation}");
            }
            holds_what_it_answered(&mut world, &replies, &format!("operation {operation}"));
        }
        assert!(done_again >= 9, "{done_again}");
    }
}

#[test]
fn a_request_that_fails_rolls_back_alone() {
    for is_awake in [true, false] {
        // The first run ends here; the second comes to harm, too.
        let first = (0..).find(|&operation| {
            let mut world = read_once(is_awake);
            world.sql.arm(operation, Harm::Error);
            world.batch(&three_changes()).iter().all(Result::is_ok)
        });
        let mut alone = [0; 3];
        for operation in 0.. {
            let mut world = read_once(is_awake);
            let before = world.dump();
            world.sql.arm(first.unwrap(), Harm::Error);
            world.sql.arm_next(operation, Harm::Error);
            let replies = world.batch(&three_changes());
            if world.sql.disarm() {
                break;
            }
            let failed: Vec<_> = (0..3).filter(|&index| replies[index].is_err()).collect();
            match failed.as_slice() {
                [only] => alone[*only] += 1,
                [0, 1, 2] => assert_eq!(world.dump(), before, "operation {operation}"),
                other => panic!("operation {operation} failed {other:?}"),
            }
            holds_what_it_answered(&mut world, &replies, &format!("operation {operation}"));
        }
        assert!(
            alone.iter().all(|&failures| failures >= 3),
            "each failed alone: {alone:?}"
        );
    }
}

#[test]
fn a_commit_that_fails_fails_all_and_leaves_state_and_memory_as_before() {
    let requests = [keyed("a"), bob().asks(Route::GetUser), named("x")];
    let mut counting = World::new();
    counting.send(&ada().asks(Route::GetCustomer));
    // Far enough off never to come; what is left of it tells how many operations there were.
    counting.sql.arm(1_000_000, Harm::Error);
    counting.batch(&requests);
    let operations = 1_000_000 - counting.sql.left().unwrap();
    for harm in [Harm::Error, Harm::CrashBefore] {
        let mut world = World::new();
        let version = world.tag(&ada().asks(Route::GetCustomer));
        let before = world.dump();
        world.sql.arm(operations - 1, harm);
        let replies = world.batch(&requests);
        assert!(
            replies
                .iter()
                .all(|reply| !reply.as_ref().unwrap_err().is_refusal())
        );
        assert_eq!(replies.len(), 3);
        if world.sql.is_dead() {
            world.restart();
        }
        assert_eq!(world.dump(), before);
        assert_eq!(world.tag(&ada().asks(Route::GetCustomer)), version);
        assert!(world.batch(&requests).iter().all(Result::is_ok));
        assert_eq!(world.log().len(), 2 + 1 + 3);
        assert_eq!(world.count("users"), 2);
    }
}

#[test]
fn a_creation_that_is_not_committed_leaves_nothing() {
    let create = service().says(Route::EnsureCustomer, &sound_body(Route::EnsureCustomer));
    let mut world = World::absent();
    world.sql.arm(1_000_000, Harm::Error);
    world.send(&create);
    let operations = 1_000_000 - world.sql.left().unwrap();
    for harm in [Harm::Error, Harm::CrashBefore] {
        let mut world = World::absent_on_disk();
        world.sql.arm(operations - 1, harm);
        world.try_send(&create).unwrap_err();
        if world.sql.is_dead() {
            world.restart();
        }
        assert_eq!(world.dump(), World::absent().dump());
        assert_eq!(
            world.refusal(&ada().asks(Route::GetCustomer)),
            Code::CustomerNotFound
        );
        assert!(matches!(
            world.send(&create),
            Reply::Content { created: true, .. }
        ));
    }
}
