//! Every storage operation of every command fails in turn. Afterwards the state is the one before or the one
//! after, never another; the entry is there iff the change is; and the next request succeeds.

use crate::support::people::{Conditional, ROUTES, sound_body};
use crate::support::world::HOUR;
use crate::support::{Dump, Harm, World, ada, bob, service};
use serde_json::json;
use user_api::customer::batch;
use user_api::customer::request::Request;
use user_api::edge::route::Route;
use user_api::entropy::Entropy;
use user_api::error::{Error, Result};
use user_api::types::Timestamp;

struct Scenario {
    name: String,
    prepare: Box<dyn Fn() -> World>,
    request: Request,
}

fn scenario(name: impl Into<String>, request: Request, prepare: impl Fn(&mut World) + 'static) -> Scenario {
    Scenario {
        name: name.into(),
        request,
        prepare: Box::new(move || {
            let mut world = World::new();
            world.send(&ada().asks(Route::GetUser));
            prepare(&mut world);
            world
        }),
    }
}

fn scenarios() -> Vec<Scenario> {
    let mut all = Vec::new();
    for &route in ROUTES {
        let who = if route == Route::EnsureCustomer {
            service()
        } else {
            ada()
        };
        let request = who.says(route, &sound_body(route));
        all.push(scenario(format!("{route:?} warm"), request.clone(), |_| {}));
        all.push(scenario(
            format!("{route:?} cold"),
            request.clone(),
            World::restart,
        ));
        all.push(scenario(format!("{route:?} an hour later"), request, |world| {
            world.now += HOUR
        }));
        let first = bob().says(route, &sound_body(route));
        all.push(scenario(format!("{route:?} by a new user"), first, |_| {}));
    }
    let stale = ada()
        .says(Route::PatchUser, &json!({"displayName": "x"}))
        .if_match("\"x\"");
    all.push(scenario("stale", stale, |_| {}));
    all.push(scenario("invalid", bob().sends(Route::PutCustomer, b"{"), |_| {}));
    let moved = ada().email("new@example.com");
    all.push(scenario(
        "new e-mail",
        moved.says(Route::PatchUser, &json!({"locale": "de"})),
        |_| {},
    ));
    let suspended = bob().says(Route::PatchCustomer, &json!({"name": "x"}));
    all.push(scenario("suspended", suspended, |world| {
        world.set_status("suspended")
    }));
    all.push(scenario("erased", ada().asks(Route::GetUser), |world| {
        world.set_status("erased")
    }));
    let create = service().says(Route::EnsureCustomer, &sound_body(Route::EnsureCustomer));
    all.push(Scenario {
        name: "creation".to_owned(),
        request: create,
        prepare: Box::new(World::absent),
    });
    all
}

fn entries(dump: &Dump) -> usize {
    dump.get("audit").map_or(0, Vec::len)
}

/// All the operations of one scenario, each in turn.
fn fail_each(scenario: &Scenario, harm: Harm) -> u64 {
    let Scenario {
        name,
        prepare,
        request,
    } = scenario;
    let mut clean = prepare();
    let before = clean.dump();
    clean.sql.arm(1_000_000, harm);
    clean.send(request);
    let operations = 1_000_000 - clean.sql.left().unwrap();
    let after = clean.dump();
    for operation in 0..operations {
        let place = format!("{name}: operation {operation} of {operations}, {harm:?}");
        let mut world = prepare();
        let entropy = world.entropy.clone();
        world.sql.arm(operation, harm);
        let error = world.try_send(request).expect_err(&place);
        assert!(!error.is_refusal() && !world.sql.disarm(), "{place}");
        assert_eq!(world.sql.is_dead(), harm != Harm::Error, "{place}");
        if world.sql.is_dead() {
            world.restart();
        }
        let took_effect = harm == Harm::CrashAfter && operation == operations - 1;
        assert!(
            world.dump()
                == if took_effect {
                    after.clone()
                } else {
                    before.clone()
                },
            "{place}"
        );
        // The same again, with the same randomness, gives what an undisturbed run gives.
        if !took_effect {
            world.entropy = entropy;
            world.try_send(request).expect(&place);
            assert!(world.dump() == after, "{place}: repeated");
        }
        if entries(&after) > 0 {
            world.log();
        }
        world.restart();
        world.try_send(request).expect(&place);
        let kept = entries(&after) - entries(&before);
        let again = if name == "creation" { 1 } else { kept };
        assert_eq!(
            entries(&world.dump()),
            entries(&after) + again,
            "{place}: repeated"
        );
    }
    operations
}

#[test]
fn an_operation_that_fails_leaves_the_state_before() {
    for scenario in scenarios() {
        assert!(fail_each(&scenario, Harm::Error) >= 4, "{}", scenario.name);
    }
}

#[test]
fn a_crash_before_any_operation_leaves_the_state_before() {
    for scenario in scenarios() {
        fail_each(&scenario, Harm::CrashBefore);
    }
}

#[test]
fn a_crash_after_any_operation_leaves_the_state_before_or_after() {
    for scenario in scenarios() {
        fail_each(&scenario, Harm::CrashAfter);
    }
}

#[test]
fn the_same_holds_on_a_disk() {
    let create = service().says(Route::EnsureCustomer, &sound_body(Route::EnsureCustomer));
    let write = bob().says(Route::PatchPreferences, &sound_body(Route::PatchPreferences));
    for harm in [Harm::Error, Harm::CrashBefore, Harm::CrashAfter] {
        let creation = Scenario {
            name: "creation".to_owned(),
            request: create.clone(),
            prepare: Box::new(World::absent_on_disk),
        };
        fail_each(&creation, harm);
        let writing = Scenario {
            name: "writing".to_owned(),
            request: write.clone(),
            prepare: Box::new(|| World::absent_on_disk().created()),
        };
        fail_each(&writing, harm);
    }
}

/// Gives so many bytes-requests and fails then.
struct Drained(usize);

impl Entropy for Drained {
    fn fill(&mut self, out: &mut [u8]) -> Result<()> {
        self.0 = self.0.checked_sub(1).ok_or_else(|| Error::fault("no entropy"))?;
        out.fill(7);
        Ok(())
    }
}

#[test]
fn without_entropy_nothing_is_made() {
    for scenario in scenarios().iter().filter(|scenario| scenario.name != "erased") {
        for sips in 0..4 {
            let mut world = (scenario.prepare)();
            let before = world.dump();
            let requests = std::slice::from_ref(&scenario.request);
            let now = Timestamp::from_millis(world.now);
            let replies = batch::run(&mut world.customer, &world.sql, requests, now, &mut Drained(sips));
            if replies[0].is_ok() {
                assert!(sips > 0, "{}: an entry without a salt", scenario.name);
                break;
            }
            assert!(world.dump() == before, "{}", scenario.name);
            world.try_send(&scenario.request).unwrap();
            world.log();
        }
    }
}
