//! The key vault and the customer's object in every order of calls, losses and crashes: a key is made once, never
//! replaced, and what cannot be opened is refused and not hidden.

use crate::support::people::sound_body;
use crate::support::vault::Loss;
use crate::support::{Harm, World, ada, service};
use serde_json::json;
use user_api::customer::request::Request;
use user_api::edge::route::Route;
use user_api::error::Code;
use user_api::vault::{Errand, Held};

fn creation() -> Request {
    service().says(Route::EnsureCustomer, &sound_body(Route::EnsureCustomer))
}

fn reads() -> Request {
    ada().asks(Route::GetCustomer)
}

/// The request is refused for want of the key, and the log learns this.
fn locked(world: &mut World, request: &Request, why: &str) {
    let before = world.dump();
    let error = world.try_send(request).unwrap_err();
    assert_eq!(error.code, Code::KeyUnavailable);
    assert_eq!(error.internal.as_deref(), Some(why));
    assert!(world.dump() == before, "a refused request wrote something");
}

/// By their kind.
fn errands(world: &World) -> Vec<&'static str> {
    let kinds = world.vault.errands.iter().map(|errand| match errand {
        Errand::Look => "look",
        Errand::Create(_) => "create",
        Errand::Rewrap { .. } => "rewrap",
        Errand::DeleteAll => "delete_all",
    });
    kinds.collect()
}

#[test]
fn the_vault_is_asked_once_a_wake_up_and_never_by_a_warm_request() {
    let mut world = World::new();
    assert_eq!(errands(&world), ["create"]);
    for _ in 0..3 {
        world.send(&reads());
    }
    assert_eq!(errands(&world), ["create"]);
    world.restart();
    world.batch(&[reads(), reads()]);
    world.send(&reads());
    assert_eq!(errands(&world), ["create", "look"]);
}

#[test]
fn a_fault_of_storage_does_not_ask_the_vault_again() {
    let mut world = World::new();
    world.sql.arm(0, Harm::Error);
    world.try_send(&reads()).unwrap_err();
    world.send(&reads());
    assert_eq!(errands(&world), ["create"]);
}

#[test]
fn where_there_is_no_customer_or_an_erased_one_no_vault_is_asked_and_nothing_written() {
    let mut world = World::absent();
    let before = world.dump();
    assert_eq!(world.refusal(&reads()), Code::CustomerNotFound);
    assert!(world.dump() == before && errands(&world).is_empty());
    assert_eq!(world.vault.held(), None);

    let mut world = World::new();
    world.set_status("erased");
    world.vault.lose();
    world.vault.errands.clear();
    world.restart();
    for request in [reads(), creation()] {
        assert_eq!(world.refusal(&request), Code::CustomerErased);
    }
    assert!(errands(&world).is_empty());
}

#[test]
fn an_empty_vault_refuses_everything_and_is_never_filled_again() {
    let mut world = World::new();
    world.send(&reads());
    world.vault.lose();
    world.restart();
    for request in [reads(), ada().asks(Route::GetStatus), creation()] {
        locked(&mut world, &request, "the vault is empty");
    }
    assert_eq!(world.vault.held(), None);
    assert_eq!(errands(&world), ["create", "look", "look", "look"]);
}

#[test]
fn a_customer_whose_key_is_in_memory_goes_on_while_its_vault_is_lost() {
    let mut world = World::new();
    world.vault.lose();
    world.send(&reads());
}

#[test]
fn another_key_in_the_vault_is_refused_and_stays_there() {
    let mut world = World::new();
    let other = World::new_with_key_of(99).vault.held().unwrap();
    world.vault.lose();
    world.vault.ask(Errand::Create(other.clone())).unwrap();
    world.restart();
    let why = "the vault holds another key than the data was sealed under";
    for request in [reads(), creation()] {
        locked(&mut world, &request, why);
    }
    assert_eq!(world.vault.held(), Some(other));
}

#[test]
fn a_key_under_a_missing_master_is_refused_until_the_master_is_back() {
    let mut world = World::new();
    let held = world.vault.held();
    let masters = std::mem::replace(&mut world.masters, vec![(2, [2; 32])]);
    world.restart();
    locked(&mut world, &reads(), "MASTER_KEYS has no kid 1");
    world.masters = vec![(1, [2; 32])];
    world.restart();
    locked(&mut world, &reads(), "the wrapped key is corrupted");
    assert_eq!(world.vault.held(), held);
    world.masters = masters;
    world.restart();
    world.send(&reads());
}

#[test]
fn a_creation_that_ends_between_vault_and_row_leaves_a_key_that_the_next_one_uses() {
    for loss in [Loss::Call, Loss::Answer] {
        let mut world = World::absent();
        world.vault.loss = Some(loss);
        let before = world.dump();
        world.try_send(&creation()).unwrap_err();
        assert!(world.dump() == before);
        let held = world.vault.held();
        assert_eq!(held.is_some(), loss == Loss::Answer);
        world.restart();
        world.send(&creation());
        assert!(held.is_none() || world.vault.held() == held, "{loss:?}");
        world.restart();
        world.send(&reads());
    }
    // One under a master key that is gone since is replaced: nothing was ever sealed under it.
    let mut world = World::absent();
    world.vault.loss = Some(Loss::Answer);
    world.try_send(&creation()).unwrap_err();
    world.masters = vec![(2, [2; 32])];
    world.restart();
    world.send(&creation());
    world.restart();
    world.send(&reads());
    // And when the object dies in any operation of its own.
    for operation in 0..60 {
        let mut world = World::absent();
        world.sql.arm(operation, Harm::CrashBefore);
        if world.try_send(&creation()).is_ok() {
            assert!(operation > 20);
            return;
        }
        let held = world.vault.held();
        world.restart();
        assert_eq!(world.refusal(&reads()), Code::CustomerNotFound);
        world.send(&creation());
        assert!(held.is_none() || world.vault.held() == held);
        world.restart();
        world.send(&reads());
    }
    panic!("the creation has no end");
}

#[test]
fn a_vault_that_is_not_reached_changes_nothing_and_the_next_request_asks_again() {
    for loss in [Loss::Call, Loss::Answer] {
        let mut world = World::new();
        world.restart();
        let before = world.dump();
        world.vault.loss = Some(loss);
        world.try_send(&reads()).unwrap_err();
        assert!(world.dump() == before);
        world.send(&reads());
    }
}

#[test]
fn a_decision_that_comes_while_the_vault_is_asked_is_not_made_without_the_key() {
    let mut world = World::new();
    world.restart();
    let before = world.dump();
    let replies = world.decide(&[reads(), creation()]);
    for reply in replies {
        let error = reply.unwrap_err();
        assert_eq!(
            (error.code, error.internal.as_deref()),
            (Code::KeyUnavailable, Some("the vault was not asked"))
        );
    }
    assert!(world.dump() == before);
    world.send(&reads());
}

#[test]
fn an_answer_that_comes_late_changes_nothing() {
    // Two creations have asked; the customer is made with the first answer, then the second comes.
    let mut world = World::absent();
    let mut entropy = world.entropy.clone();
    let late = world.customer.key_errand(&world.sql, true, &mut entropy).unwrap();
    world.send(&creation());
    let (held, before) = (world.vault.held(), world.dump());
    let answer = world.vault.ask(late.unwrap()).unwrap();
    assert_eq!(answer.wrapped, held, "the second creation replaced the key");
    let next = world.customer.key_answer(&world.sql, &answer, &mut entropy);
    assert_eq!(next, Ok(None));
    // The same after a wake-up, when the late answer is the first that the object hears, and a false one.
    world.restart();
    let answer = Held { wrapped: None };
    let error = world.customer.key_answer(&world.sql, &answer, &mut entropy);
    assert_eq!(error.unwrap_err().code, Code::KeyUnavailable);
    assert!(world.dump() == before && world.vault.held() == held);
    world.send(&reads());
}

#[test]
fn a_key_is_wrapped_under_the_new_master_at_the_next_wake_up_and_then_needs_no_older_one() {
    let mut world = World::new();
    world.send(&ada().says(Route::PatchPreferences, &json!({"theme": "dark"})));
    let old = world.vault.held().unwrap();
    world.masters = vec![(2, [2; 32]), (1, [9; 32])];
    world.restart();
    world.send(&reads());
    let new = world.vault.held().unwrap();
    assert!(new != old);
    assert_eq!(errands(&world), ["create", "look", "rewrap"]);
    // Once, and no longer with the older key.
    world.masters = vec![(2, [2; 32])];
    world.restart();
    let read = world.json(&ada().asks(Route::GetPreferences));
    assert_eq!(read["theme"], "dark");
    assert_eq!(world.vault.held().unwrap(), new);
    assert_eq!(errands(&world), ["create", "look", "rewrap", "look"]);
}

#[test]
fn a_wrapping_that_is_not_kept_refuses_nobody_and_is_made_again() {
    for loss in [Loss::Call, Loss::Answer] {
        let mut world = World::new();
        let old = world.vault.held();
        world.masters = vec![(2, [2; 32]), (1, [9; 32])];
        world.restart();
        world.vault.lose_after(1, loss);
        world.send(&reads());
        assert_eq!(world.vault.held() == old, loss == Loss::Call);
        world.restart();
        world.send(&reads());
        assert!(world.vault.held() != old);
    }
}

#[test]
fn a_key_is_wrapped_anew_on_demand_and_that_is_believed_only_once_the_vault_keeps_it() {
    let mut world = World::new();
    let old = world.vault.held();
    world.masters = vec![(2, [2; 32]), (1, [9; 32])];
    world.restart();
    // Awake with its key, whose new wrapping the vault has never heard of.
    world.vault.lose_after(1, Loss::Call);
    world.send(&reads());
    assert_eq!(world.vault.held(), old);
    let held = world.vault.ask(Errand::Look).unwrap();
    let World {
        customer,
        sql,
        entropy,
        vault,
        ..
    } = &mut world;
    let errand = customer.renewal(sql, &held, entropy).unwrap().unwrap();
    let held = vault.ask(errand).unwrap();
    assert_eq!(customer.renewal(sql, &held, entropy).unwrap(), None);
    assert!(vault.held() != old);
    let empty = Held { wrapped: None };
    let foreign = Held {
        wrapped: World::new_with_key_of(5).vault.held(),
    };
    for wrong in [empty, foreign] {
        let error = customer.renewal(sql, &wrong, entropy).unwrap_err();
        assert_eq!(error.code, Code::KeyUnavailable);
    }
    let mut nobody = World::absent();
    let empty = Held { wrapped: None };
    let renewal = nobody.customer.renewal(&nobody.sql, &empty, &mut nobody.entropy);
    assert_eq!(renewal.unwrap(), None);
    world.masters = vec![(2, [2; 32])];
    world.restart();
    world.send(&reads());
}

#[test]
fn a_late_rewrapping_brings_back_no_key_that_was_destroyed_or_replaced() {
    let mut world = World::new();
    let old = world.vault.held().unwrap();
    let rewrap = Errand::Rewrap {
        from: old.clone(),
        to: World::new_with_key_of(5).vault.held().unwrap(),
    };
    world.vault.ask(Errand::DeleteAll).unwrap();
    assert_eq!(world.vault.ask(rewrap.clone()).unwrap().wrapped, None);
    assert_eq!(world.vault.held(), None);
    let other = World::new_with_key_of(6).vault.held().unwrap();
    world.vault.ask(Errand::Create(other.clone())).unwrap();
    assert_eq!(world.vault.ask(rewrap).unwrap().wrapped, Some(other));
}

#[test]
fn a_vault_that_fails_in_any_operation_holds_what_it_held_or_the_new_key() {
    let new = || World::new_with_key_of(5).vault.held().unwrap();
    for harm in [Harm::Error, Harm::CrashBefore, Harm::CrashAfter] {
        for operation in 0..40 {
            let mut world = World::absent();
            world.vault.sql.arm(operation, harm);
            let failed = world.vault.ask(Errand::Create(new())).is_err();
            let left = world.vault.sql.left().is_some();
            world.vault.sql.reopen();
            let held = world.vault.held();
            assert!(held.is_none() || held == Some(new()), "{operation} {harm:?}");
            let from = world.vault.ask(Errand::Create(new())).unwrap().wrapped.unwrap();
            let to = World::new_with_key_of(6).vault.held().unwrap();
            world.vault.sql.arm(operation, harm);
            let _ = world.vault.ask(Errand::Rewrap {
                from: from.clone(),
                to: to.clone(),
            });
            world.vault.sql.reopen();
            let held = world.vault.held().unwrap();
            assert!(held == from || held == to, "{operation} {harm:?}");
            assert!(failed || left, "{operation} {harm:?}");
        }
    }
}

#[test]
fn looking_into_a_vault_that_was_never_used_writes_nothing() {
    let mut world = World::absent();
    assert_eq!(world.vault.ask(Errand::Look).unwrap().wrapped, None);
    let rewrap = Errand::Rewrap {
        from: World::new_with_key_of(5).vault.held().unwrap(),
        to: World::new_with_key_of(6).vault.held().unwrap(),
    };
    assert_eq!(world.vault.ask(rewrap).unwrap().wrapped, None);
    let tables: i64 = world
        .vault
        .sql
        .raw(|db| db.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0)))
        .unwrap();
    assert_eq!(tables, 0);
}
