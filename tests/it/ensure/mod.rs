//! Ensuring accounts, by many at once and with everything going wrong: any order of their steps, callers that die,
//! errands and answers that are lost, repeated and late, objects that are evicted, customers that are erased, and
//! e-mails that are changed, and records that move in, meanwhile.

mod callers;
mod changes;
mod imports;
mod repeats;
mod service;

use callers::{Callers, Fate};
use changes::Changed;
use imports::{Imported, Said};
use proptest::prelude::*;
use service::id;
use std::collections::HashSet;

const IDS: [&str; 3] = ["cust_a", "cust_b", "cust_c"];
const EMAILS: [&str; 3] = ["a@x.example", "b@x.example", "c@x.example"];

/// What happens next; numbers choose among what there is.
#[derive(Debug, Clone)]
enum Act {
    Step(usize, Fate),
    Crash(usize),
    ArriveLate(usize),
    Evict(usize),
    Alarm(usize, bool),
    Erase(usize),
    Wait,
}

fn act(erases: bool) -> impl Strategy<Value = Act> {
    let fate = prop_oneof![
        12 => Just(Fate::Heard),
        1 => Just(Fate::Lost),
        2 => Just(Fate::Unheard),
        2 => Just(Fate::Untold),
        4 => Just(Fate::Repeated),
    ];
    let number = any::<usize>();
    prop_oneof![
        24 => (number, fate).prop_map(|(who, fate)| Act::Step(who, fate)),
        3 => number.prop_map(Act::Crash),
        4 => number.prop_map(Act::ArriveLate),
        2 => number.prop_map(Act::Evict),
        2 => (number, any::<bool>()).prop_map(|(whose, is_heard)| Act::Alarm(whose, is_heard)),
        u32::from(erases) => number.prop_map(Act::Erase),
        1 => Just(Act::Wait),
    ]
}

fn play(callers: &mut Callers, acts: &[Act]) {
    for act in acts {
        let ids = callers.service.ids();
        let one = |number: usize| ids.get(number % ids.len().max(1));
        match *act {
            Act::Step(who, fate) => {
                callers.go_on(who % callers.count(), fate);
            }
            Act::Wait => callers.wait(),
            Act::Crash(who) => callers.crash(who % callers.count()),
            Act::ArriveLate(number) => callers.arrive_late(number),
            Act::Evict(whose) => {
                if let Some(id) = one(whose) {
                    callers.service.evict(id);
                }
            }
            Act::Alarm(whose, is_heard) => {
                if let Some(id) = one(whose) {
                    callers.alarm(id, is_heard);
                }
            }
            Act::Erase(whose) => {
                if let Some(id) = one(whose) {
                    callers.erase(id);
                }
            }
        }
    }
}

fn wishes() -> impl Strategy<Value = Vec<(Option<&'static str>, &'static str)>> {
    let named = prop_oneof![1 => Just(None), 3 => prop::sample::select(&IDS[..]).prop_map(Some)];
    prop::collection::vec((named, prop::sample::select(&EMAILS[..])), 1..7)
}

fn changes() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    prop::collection::vec(
        (prop::sample::select(&IDS[..]), prop::sample::select(&EMAILS[..])),
        0..5,
    )
}

fn imports() -> impl Strategy<Value = Vec<Said>> {
    let said = (
        prop::sample::select(&IDS[..]),
        prop::sample::select(&EMAILS[..]),
        0..4_i64,
    );
    prop::collection::vec(said, 1..5)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_goes_wrong_there_is_one_customer_of_an_e_mail_and_nobody_is_overwritten(
        wishes in wishes(),
        suspended in prop::array::uniform3(any::<bool>()),
        acts in prop::collection::vec(act(false), 0..90),
    ) {
        let mut callers = Callers::new(&wishes);
        for number in (0..3).filter(|number| suspended[*number]) {
            callers.suspended(IDS[number], EMAILS[number]);
        }
        play(&mut callers, &acts);
        callers.settle();
    }

    #[test]
    fn the_same_holds_while_e_mails_are_changed(
        wishes in wishes(),
        changes in changes(),
        suspended in prop::array::uniform3(any::<bool>()),
        acts in prop::collection::vec(act(false), 0..120),
    ) {
        let mut callers = Callers::new(&wishes).changing(&changes);
        for number in (0..3).filter(|number| suspended[*number]) {
            callers.suspended(IDS[number], EMAILS[number]);
        }
        play(&mut callers, &acts);
        callers.settle();
    }

    #[test]
    fn the_same_holds_while_customers_are_erased(
        wishes in wishes(),
        changes in changes(),
        acts in prop::collection::vec(act(true), 0..90),
    ) {
        let mut callers = Callers::new(&wishes).changing(&changes);
        play(&mut callers, &acts);
        callers.settle();
    }

    #[test]
    fn the_same_holds_while_records_move_in(
        wishes in wishes(),
        changes in changes(),
        imports in imports(),
        acts in prop::collection::vec(act(false), 0..120),
    ) {
        let mut callers = Callers::new(&wishes).changing(&changes).importing(&imports);
        play(&mut callers, &acts);
        callers.settle();
    }

    #[test]
    fn the_same_holds_while_records_move_in_and_customers_are_erased(
        wishes in wishes(),
        changes in changes(),
        imports in imports(),
        acts in prop::collection::vec(act(true), 0..90),
    ) {
        let mut callers = Callers::new(&wishes).changing(&changes).importing(&imports);
        play(&mut callers, &acts);
        callers.settle();
    }

    #[test]
    fn twenty_callers_with_one_e_mail_are_one_customer(acts in prop::collection::vec(act(false), 60..160)) {
        let mut callers = Callers::new(&[(None, EMAILS[0]); 20]);
        play(&mut callers, &acts);
        callers.settle();
        prop_assert_eq!(callers.customers(), 1);
    }
}

/// Two who act at the same time. Goes through every order of their steps, and of one of the `victims`' dying anywhere
/// between its first step and its last, and looks each time at what came of it, knowing whether somebody died. Where
/// two orders have come to the same, only one of them is followed further.
fn exhaust(callers: &dyn Fn() -> Callers, victims: &[usize], look: &dyn Fn(&Callers, bool)) {
    let mut choices: Vec<usize> = Vec::new();
    let mut has_ever_died = false;
    let mut met = HashSet::new();
    loop {
        let mut callers = callers();
        assert_eq!(callers.count(), 2);
        let (mut is_alive, mut has_begun) = ([true; 2], [false; 2]);
        let (mut has_died, mut is_met) = (false, false);
        // How many choices there were at each step.
        let mut open = Vec::new();
        while !is_met && is_alive.contains(&true) {
            let alive = (0..2).filter(|number| is_alive[*number]);
            let mut options: Vec<_> = alive.map(|number| (number, false)).collect();
            let may_die = |number: &&usize| !has_died && is_alive[**number] && has_begun[**number];
            options.extend(victims.iter().filter(may_die).map(|number| (*number, true)));
            if choices.len() == open.len() {
                choices.push(0);
            }
            let (number, dies) = options[choices[open.len()]];
            open.push(options.len());
            if dies {
                has_died = true;
                is_alive[number] = false;
                callers.crash(number);
            } else {
                has_begun[number] = true;
                is_alive[number] = !callers.go_on(number, Fate::Heard);
            }
            is_met = choices.len() == open.len() && !met.insert((callers.fingerprint(), is_alive, has_died));
        }
        if !is_met {
            look(&callers, has_died);
            has_ever_died |= has_died;
            callers.settle();
        }
        // The next order: another choice at the last step that had one.
        while let Some(last) = choices.pop() {
            if last + 1 < open[choices.len()] {
                choices.push(last + 1);
                break;
            }
        }
        if choices.is_empty() {
            break;
        }
    }
    assert!(has_ever_died || victims.is_empty());
}

/// Two who wish for an account.
fn exhaust_wishes(wishes: [(Option<&str>, &str); 2], seeded: bool, victims: &[usize]) {
    let callers = || {
        let mut callers = Callers::new(&wishes);
        if seeded {
            callers.suspended(IDS[2], EMAILS[0]);
        }
        callers
    };
    exhaust(&callers, victims, &|_, _| {});
}

#[test]
fn two_callers_of_one_id_or_none_agree_in_every_order_of_their_steps_and_wherever_one_dies() {
    let (one, two) = (EMAILS[0], EMAILS[1]);
    exhaust_wishes([(None, one), (None, one)], false, &[0]);
    exhaust_wishes([(Some(IDS[0]), one), (Some(IDS[0]), one)], false, &[0]);
    exhaust_wishes([(Some(IDS[0]), one), (None, one)], false, &[0, 1]);
    exhaust_wishes([(Some(IDS[0]), one), (Some(IDS[0]), two)], false, &[0]);
    exhaust_wishes([(Some(IDS[0]), one), (Some(IDS[0]), two)], true, &[0, 1]);
}

#[test]
fn two_callers_of_two_ids_agree_in_every_order_of_their_steps_and_wherever_one_dies() {
    exhaust_wishes(
        [(Some(IDS[0]), EMAILS[0]), (Some(IDS[1]), EMAILS[0])],
        false,
        &[0],
    );
}

#[test]
fn two_ids_become_aliases_of_a_customer_in_every_order_of_their_callers_steps() {
    let seeded = true;
    exhaust_wishes(
        [(Some(IDS[0]), EMAILS[0]), (Some(IDS[1]), EMAILS[0])],
        seeded,
        &[],
    );
}

/// Two customers who have been there for long, with the first two e-mails.
fn with_two_customers(mut callers: Callers) -> Callers {
    callers.suspended(IDS[0], EMAILS[0]);
    callers.suspended(IDS[1], EMAILS[1]);
    callers
}

#[test]
fn of_two_changes_to_one_e_mail_one_is_made_in_every_order_of_their_steps_and_wherever_one_dies() {
    let free = EMAILS[2];
    let callers =
        || with_two_customers(Callers::new(&[]).changing(&[(IDS[0], free), (IDS[1], free)])).strictly();
    exhaust(&callers, &[0], &|callers, has_died| {
        let came_to = callers.changes.iter().map(|change| change.came_to);
        let came_to: Vec<_> = came_to.flatten().collect();
        let made = came_to.iter().filter(|one| **one == Changed::Done).count();
        let taken = came_to.iter().filter(|one| **one == Changed::Taken).count();
        assert_eq!(made + taken, came_to.len());
        assert!(made <= 1 && (has_died || (made, taken) == (1, 1)), "{came_to:?}");
    });
}

#[test]
fn two_changes_of_one_customer_leave_it_with_one_of_them_in_every_order_and_wherever_one_dies() {
    for other in [EMAILS[1], EMAILS[2]] {
        let callers = || {
            let mut callers = Callers::new(&[]).changing(&[(IDS[0], EMAILS[1]), (IDS[0], other)]);
            callers.suspended(IDS[0], EMAILS[0]);
            callers
        };
        exhaust(&callers, &[0], &|_, _| {});
    }
}

#[test]
fn customers_do_not_swap_their_e_mails_in_one_go() {
    let swap = [(IDS[0], EMAILS[1]), (IDS[1], EMAILS[0])];
    let callers = || with_two_customers(Callers::new(&[]).changing(&swap)).strictly();
    exhaust(&callers, &[0], &|callers, _| {
        assert!(
            callers
                .changes
                .iter()
                .any(|change| change.came_to != Some(Changed::Done))
        );
    });
}

#[test]
fn a_change_and_a_newcomer_with_its_e_mail_agree_in_every_order_of_their_steps_and_wherever_one_dies() {
    for wish in [
        (None, EMAILS[1]),
        (Some(IDS[1]), EMAILS[1]),
        (Some(IDS[1]), EMAILS[0]),
    ] {
        let callers = || {
            let mut callers = Callers::new(&[wish]).changing(&[(IDS[0], EMAILS[1])]);
            callers.suspended(IDS[0], EMAILS[0]);
            callers.strictly()
        };
        exhaust(&callers, &[0, 1], &|_, _| {});
    }
}

/// The first customer moved in with the first e-mail, and a later record of it says the second.
const LATER: Said = (IDS[0], EMAILS[1], 1);

fn with_one_moved_in(mut callers: Callers) -> Callers {
    callers.moved_in(&(IDS[0], EMAILS[0], 0));
    callers
}

#[test]
fn an_import_and_a_sign_in_with_its_e_mail_agree_in_every_order_of_their_steps_and_wherever_one_dies() {
    for wish in [
        (None, EMAILS[1]),
        (Some(IDS[0]), EMAILS[1]),
        (Some(IDS[1]), EMAILS[1]),
    ] {
        let callers = || with_one_moved_in(Callers::new(&[wish]).importing(&[LATER]));
        exhaust(&callers, &[0, 1], &|_, _| {});
        // The same of one that is nothing yet.
        let callers = || Callers::new(&[wish]).importing(&[LATER]);
        exhaust(&callers, &[0, 1], &|_, _| {});
    }
    let callers = || Callers::new(&[(Some(IDS[0]), EMAILS[0])]).importing(&[LATER]);
    exhaust(&callers, &[0, 1], &|_, _| {});
}

#[test]
fn an_import_and_a_change_to_its_e_mail_agree_in_every_order_of_their_steps_and_wherever_one_dies() {
    for changed in [IDS[0], IDS[1]] {
        let callers = || {
            let mut callers = Callers::new(&[])
                .changing(&[(changed, EMAILS[1])])
                .importing(&[LATER]);
            callers.suspended(IDS[1], EMAILS[2]);
            with_one_moved_in(callers)
        };
        exhaust(&callers, &[0, 1], &|_, _| {});
    }
    // To another e-mail than the record's: whichever comes first, the other does not overwrite it unseen.
    let callers = || {
        let callers = Callers::new(&[])
            .changing(&[(IDS[0], EMAILS[2])])
            .importing(&[LATER]);
        with_one_moved_in(callers)
    };
    exhaust(&callers, &[0, 1], &|callers, has_died| {
        let came_to = (callers.changes[0].came_to, callers.imports[0].came_to);
        let is_busy = came_to.0 == Some(Changed::Busy) || came_to.1 == Some(Imported::Busy);
        assert!(
            has_died || is_busy || came_to.0 == Some(Changed::Done),
            "{came_to:?}"
        );
    });
}

#[test]
fn two_imports_agree_in_every_order_of_their_steps_and_wherever_one_dies() {
    for other in [
        LATER,
        (IDS[0], EMAILS[2], 2),
        (IDS[1], EMAILS[1], 2),
        (IDS[1], EMAILS[1], 0),
    ] {
        let callers = || with_one_moved_in(Callers::new(&[]).importing(&[LATER, other]));
        exhaust(&callers, &[0], &|_, _| {});
        let callers = || Callers::new(&[]).importing(&[LATER, other]);
        exhaust(&callers, &[0], &|_, _| {});
    }
}

#[test]
fn a_claim_whose_holder_is_nothing_yet_is_completed_by_whoever_comes_next() {
    let mut callers = Callers::new(&[(Some(IDS[0]), EMAILS[0]), (Some(IDS[1]), EMAILS[0])]);
    for _ in 0..2 {
        assert_eq!(callers.step(0, Fate::Heard), None);
    }
    callers.crash(0);
    let answer = std::iter::repeat_with(|| callers.step(1, Fate::Heard))
        .flatten()
        .next();
    assert_eq!(answer.unwrap().unwrap(), id(IDS[0]));
    callers.settle();
    assert_eq!(callers.customers(), 1);
}

/// Somebody began to make a customer of the second id with the second e-mail, and has its claim.
fn with_one_begun(mut callers: Callers) -> Callers {
    for _ in 0..2 {
        assert_eq!(callers.step(0, Fate::Heard), None);
    }
    with_one_moved_in(callers)
}

fn finish(callers: &mut Callers, number: usize) -> user_api::types::CustomerId {
    let answers = std::iter::repeat_with(|| callers.step(number, Fate::Heard));
    answers.flatten().next().unwrap().unwrap()
}

#[test]
fn a_creation_that_was_begun_and_not_finished_keeps_no_customer_from_the_e_mail() {
    let begun = || Callers::new(&[(Some(IDS[1]), EMAILS[1])]);
    let mut changed = with_one_begun(begun().changing(&[(IDS[0], EMAILS[1])]));
    let came_to = std::iter::repeat_with(|| changed.change(0, Fate::Heard));
    assert_eq!(came_to.flatten().next(), Some(Changed::Done));
    let mut moved_in = with_one_begun(begun().importing(&[LATER]));
    let told = moved_in.import_alone(0);
    assert_eq!(told, Imported::Told(user_api::legacy::outcome::Outcome::Merged));
    for mut callers in [changed, moved_in] {
        let index = callers.service.index(EMAILS[1]);
        assert!(callers.is_of(&id(IDS[0]), &index));
        // Whoever began goes on at last, and is told whose the e-mail is.
        assert_eq!(finish(&mut callers, 0), id(IDS[0]));
        callers.settle();
        assert_eq!(callers.customers(), 1);
    }
}

#[test]
fn an_id_that_stood_aside_still_moves_in() {
    let callers = Callers::new(&[(Some(IDS[1]), EMAILS[1])]).importing(&[LATER, (IDS[1], EMAILS[2], 0)]);
    let mut callers = with_one_begun(callers);
    for number in 0..2 {
        callers.import_alone(number);
    }
    assert_eq!(finish(&mut callers, 0), id(IDS[1]));
    callers.settle();
    assert_eq!(callers.customers(), 2);
}

#[test]
fn who_made_a_customer_that_was_erased_since_is_not_told_that_it_made_another_s() {
    let mut callers = Callers::new(&[
        (None, EMAILS[2]),
        (Some(IDS[1]), EMAILS[2]),
        (Some(IDS[1]), EMAILS[2]),
    ]);
    let finish = |callers: &mut Callers, number| {
        let answers = std::iter::repeat_with(|| callers.step(number, Fate::Heard));
        answers.flatten().next().unwrap().unwrap()
    };
    // The first dies with a claim, the second makes the customer for it, which is erased before its id is bound.
    callers.step(0, Fate::Heard);
    callers.crash(0);
    for _ in 0..3 {
        assert_eq!(callers.step(1, Fate::Heard), None);
    }
    let ids = callers.service.ids();
    let made = ids.iter().find(|made| **made != id(IDS[1])).unwrap();
    callers.erase(made);
    assert_eq!(finish(&mut callers, 2), id(IDS[1]));
    assert_eq!(finish(&mut callers, 1), id(IDS[1]));
    callers.settle();
}
