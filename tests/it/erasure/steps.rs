//! The steps after the one commit, cut off anywhere.

use super::*;

#[test]
fn every_table_is_emptied_or_kept_for_a_reason() {
    let world = World::new();
    let mut tables: Vec<String> = world.dump().into_keys().collect();
    tables.push("usage".to_owned());
    for table in tables.iter().filter(|table| *table != "sqlite_master") {
        let wiped = WIPED.iter().any(|(name, ..)| name == table);
        assert!(wiped != KEPT.contains(&table.as_str()), "{table}");
    }
}

#[test]
fn what_is_large_goes_in_bounded_steps() {
    let mut world = World::due();
    world.sql.raw(|db| {
        for n in 0..2500 {
            db.execute("INSERT INTO revocations VALUES (randomblob(32), ?1)", [n])
                .unwrap();
        }
    });
    world.alarm().unwrap();
    let left = world.count("revocations");
    assert!(left > 2501 - WIPE_ROWS, "{left}");
    world.run_out();
    assert_eq!(
        world.certificate().unwrap().destroyed.get("revocations"),
        Some(&2501)
    );
    world.invariants();
}

#[test]
fn no_fault_and_no_crash_at_any_operation_leaves_anything_between() {
    for harm in [Harm::Error, Harm::CrashBefore, Harm::CrashAfter] {
        for operation in 0.. {
            let mut world = World::due();
            world.sql.arm(operation, harm);
            let mut harmed = false;
            for _ in 0..20 {
                if world.alarm().is_err() {
                    harmed = true;
                    break;
                }
                if world.is_idle() {
                    break;
                }
                world.now += 1;
            }
            let unspent = world.sql.disarm();
            if world.sql.is_dead() {
                world.restart();
            }
            assert!(harmed || unspent, "{harm:?} {operation}: the harm went unnoticed");
            world.invariants();
            world.run_out();
            world.invariants();
            assert!(world.certificate().is_some(), "{harm:?} {operation}");
            if !harmed {
                assert!(operation > 30, "{operation}");
                break;
            }
        }
    }
}

#[test]
fn a_restart_between_any_two_steps_and_any_order_of_telling_end_the_same() {
    for reversed in [false, true] {
        let mut world = World::due();
        for _ in 0..30 {
            let now = Timestamp::from_millis(world.now);
            world
                .sql
                .transaction(&mut || world.customer.erase_if_due(&world.sql, now, &mut world.entropy))
                .unwrap();
            world.restart();
            world.invariants();
            world
                .sql
                .transaction(&mut || world.customer.tick(&world.sql, now, &mut world.entropy))
                .unwrap();
            world.invariants();
            world.tell(reversed).unwrap();
            world.restart();
            world.invariants();
            world.now += 1;
        }
        assert!(world.certificate().is_some());
    }
}

#[test]
fn a_vault_that_does_not_answer_holds_the_certificate_back_and_nothing_else() {
    use crate::support::vault::Loss;
    for loss in [Loss::Call, Loss::Answer] {
        let mut world = World::due();
        world.vault.lose_after(0, loss);
        world.customer.forget_key();
        world.vault.loss = Some(loss);
        // The vault is told last.
        let fails = (0..100).any(|_| {
            world.now += 1;
            world.alarm().is_err()
        });
        assert!(fails);
        assert_eq!(world.certificate(), None);
        world.invariants();
        world.run_out();
        assert!(world.certificate().is_some());
        world.invariants();
    }
}
