//! Every storage operation of every command, errand and tick fails in turn. Afterwards the state is the one before or
//! the one after, never another; the entry is there iff the change is; the chain holds, the outbox is consistent, and
//! the next request succeeds.

mod errands;
mod objects;
mod routes;
mod ticks;

use crate::support::people::sound_body;
use crate::support::{Dump, Harm, World, bob, service};
use user_api::customer::batch;
use user_api::customer::errand::What;
use user_api::customer::request::Request;
use user_api::edge::route::Route;
use user_api::entropy::Entropy;
use user_api::error::{Error, Result};
use user_api::types::Timestamp;

/// What an object does in one transaction.
type Act = Box<dyn Fn(&mut World) -> Result<()>>;

struct Scenario {
    name: String,
    prepare: Box<dyn Fn() -> (World, Act)>,
    again: Again,
}

/// What the same act does once more, after it was done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Again {
    /// It leaves as many entries as the first time.
    Same,
    /// Something else; it only must not fail.
    Other,
    /// Perhaps nothing: a fault loses the memory of what it would have written down.
    Lost,
    /// It cannot be asked for once more.
    Ended,
}

fn scenario(name: impl Into<String>, again: Again, prepare: impl Fn() -> (World, Act) + 'static) -> Scenario {
    Scenario {
        name: name.into(),
        prepare: Box::new(prepare),
        again,
    }
}

fn request(request: Request) -> Act {
    Box::new(move |world| world.try_send(&request).map(|_| ()))
}

fn entries(dump: &Dump) -> usize {
    dump.get("audit").map_or(0, Vec::len)
}

/// What must hold of an object whenever nothing is under way in it.
fn assert_sound(world: &mut World, place: &str) {
    if entries(&world.dump()) == 0 {
        return;
    }
    world.log();
    // Wakes it up, and writes nothing.
    world
        .try_errand(&What::Look {
            index: None,
            by: None,
        })
        .expect(place);
    let waiting = world
        .in_transaction(|customer, sql, _, _| customer.notices(sql, Timestamp::MAX))
        .unwrap();
    assert_eq!(waiting.len() as i64, world.count("outbox"), "{place}");
    assert!(
        waiting.is_empty() || world.customer.due().is_some(),
        "{place}: nobody wakes up for the outbox"
    );
    // What the list was told, or is about to be, is what the customer says of itself.
    let [told, own] = [
        "max(mark) FROM outbox WHERE kind = 'list'",
        "max(rev) FROM account",
    ]
    .map(|what| {
        let select = format!("SELECT {what}");
        let found = world.sql.raw(|db| db.query_row(&select, [], |row| row.get(0)));
        found.unwrap()
    });
    let (told, own): (Option<i64>, Option<i64>) = (told, own);
    assert!(told.is_none() || told == own, "{place}: {told:?} of {own:?}");
}

/// All the operations of one scenario, each in turn.
fn fail_each(scenario: &Scenario, harm: Harm) -> u64 {
    let Scenario { name, prepare, again } = scenario;
    let (mut clean, act) = prepare();
    let before = clean.dump();
    clean.sql.arm(1_000_000, harm);
    act(&mut clean).unwrap_or_else(|error| panic!("{name}: {error:?}"));
    let operations = 1_000_000 - clean.sql.left().unwrap();
    let after = clean.dump();
    for operation in 0..operations {
        let place = format!("{name}: operation {operation} of {operations}, {harm:?}");
        let (mut world, act) = prepare();
        let entropy = world.entropy.clone();
        world.sql.arm(operation, harm);
        let error = act(&mut world).expect_err(&place);
        assert!(!error.is_refusal() && !world.sql.disarm(), "{place}");
        assert_eq!(world.sql.is_dead(), harm != Harm::Error, "{place}");
        if world.sql.is_dead() {
            world.restart();
        }
        let took_effect = harm == Harm::CrashAfter && operation == operations - 1;
        let expected = if took_effect { &after } else { &before };
        assert!(world.dump() == *expected, "{place}");
        // The same again, with the same randomness, gives what an undisturbed run gives.
        if !took_effect {
            world.entropy = entropy;
            act(&mut world).expect(&place);
            assert!(
                world.dump() == after || *again == Again::Lost,
                "{place}: repeated"
            );
        }
        assert_sound(&mut world, &place);
        let so_far = entries(&world.dump());
        world.restart();
        if *again != Again::Ended {
            act(&mut world).expect(&place);
        }
        if *again == Again::Same {
            let kept = entries(&after) - entries(&before);
            assert_eq!(entries(&world.dump()), so_far + kept, "{place}: repeated");
        }
        assert_sound(&mut world, &place);
    }
    operations
}

fn scenarios() -> Vec<Scenario> {
    [routes::scenarios(), errands::scenarios(), ticks::scenarios()]
        .into_iter()
        .flatten()
        .collect()
}

#[test]
fn an_operation_that_fails_leaves_the_state_before() {
    for scenario in scenarios() {
        assert!(fail_each(&scenario, Harm::Error) >= 2, "{}", scenario.name);
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
    let creation = scenario("creation", Again::Same, move || {
        (World::absent_on_disk(), request(create.clone()))
    });
    let writing = scenario("writing", Again::Same, move || {
        (World::absent_on_disk().created(), request(write.clone()))
    });
    for harm in [Harm::Error, Harm::CrashBefore, Harm::CrashAfter] {
        fail_each(&creation, harm);
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
    for (name, prepare, asked) in routes::requests() {
        for sips in 0..4 {
            let mut world = prepare();
            let asked = asked(&mut world);
            let before = world.dump();
            let requests = std::slice::from_ref(&asked);
            let now = Timestamp::from_millis(world.now);
            let replies = batch::run(&mut world.customer, &world.sql, requests, now, &mut Drained(sips));
            if replies[0].is_ok() {
                let is_logged = entries(&world.dump()) > entries(&before);
                assert!(sips > 0 || !is_logged, "{name}: an entry without a salt");
                break;
            }
            assert!(world.dump() == before, "{name}");
            world.try_send(&asked).unwrap();
            world.log();
        }
    }
}
