//! Erasing a customer: asking, withdrawing, the one commit, the steps after it, and that it holds.

mod asked;
mod gone;
mod lost_key;
mod steps;

use crate::export::{begin, pull};
use crate::support::people::{Who, ada, admin, service};
use crate::support::world::{HOUR, Seeded};
use crate::support::{Harm, World};
use serde_json::{Value, json};
use user_api::caller::{Caller, Integration};
use user_api::crypto::SigningKeys;
use user_api::customer::Customer;
use user_api::customer::erasure::run::{KEPT, Legacy, WIPE_ROWS, WIPED};
use user_api::customer::errand::{Answer, Errand, Standing, What};
use user_api::customer::export::Export;
use user_api::customer::outbox::Told;
use user_api::customer::request::Reply;
use user_api::edge::route::Route;
use user_api::email::EmailIndex;
use user_api::error::{Code, Result};
use user_api::legacy::owned::{Position, Stop};
use user_api::sql::Sql;
use user_api::types::{CustomerId, KeyDigest, Timestamp};
use user_api::vault::Errand as KeyErrand;
use user_api::verify::certificate::{self, Certificate};

const DAY: i64 = 24 * HOUR;

fn owner() -> Who {
    ada().email("owner@example.com")
}

impl World {
    fn accepted(&mut self, who: &Who, route: Route, body: &Value) -> Value {
        match self.send(&who.says(route, body)) {
            Reply::Accepted(body) => serde_json::from_slice(&body).unwrap(),
            other => panic!("not accepted: {other:?}"),
        }
    }

    /// A customer with something of each kind, whose erasure is due.
    fn due() -> Self {
        let mut world = Self::new();
        world.fill();
        world.accepted(&owner(), Route::RequestErasure, &json!({"reason": "We part."}));
        world.now += 7 * DAY;
        world
    }

    fn fill(&mut self) {
        for n in 0..3 {
            let user = Who::user(&format!("auth0|{n}")).email(&format!("user{n}@example.com"));
            self.json(&user.asks(Route::GetUser));
            self.json(&user.says(Route::PatchPreferences, &json!({"theme": "dark"})));
        }
        self.json(&owner().says(
            Route::CreateKey,
            &json!({"name": "CI", "scopes": ["customer:read"]}),
        ));
        self.send(&owner().says(Route::RevokeTokens, &json!({"jti": "some-jti"})));
        self.json(&owner().says(Route::PutLimits, &json!([{"name": "own", "q": 5, "w": 60}])));
        let errand = What::AddAlias {
            alias: CustomerId::parse("cust_alias").unwrap(),
            index: World::config().index.email("owner@example.com").unwrap(),
        };
        assert_eq!(self.errand(errand), Answer::Noted);
        self.begun();
    }

    /// An export that is under way.
    fn begun(&mut self) -> Export {
        begin(self, &owner(), Route::ExportCustomer)
    }

    fn errand(&mut self, what: What) -> Answer {
        self.unlock(false).unwrap();
        let errand = Errand {
            customer: self.customer.id().clone(),
            what,
        };
        let (now, mut answer) = (Timestamp::from_millis(self.now), None);
        self.sql
            .transaction(&mut || {
                let said = self
                    .customer
                    .run_errand(&self.sql, &errand, now, &mut self.entropy)?;
                answer = Some(said);
                Ok(())
            })
            .unwrap();
        answer.unwrap()
    }

    /// What the shell does in an alarm, as far as the core is concerned.
    fn alarm(&mut self) -> Result<()> {
        let now = Timestamp::from_millis(self.now);
        let committed = self
            .sql
            .transaction(&mut || self.customer.erase_if_due(&self.sql, now, &mut self.entropy));
        if committed.is_err() {
            self.customer.forget();
        }
        committed?;
        self.unlock(false)?;
        let ticked = self
            .sql
            .transaction(&mut || self.customer.tick(&self.sql, now, &mut self.entropy));
        if ticked.is_err() {
            self.customer.forget();
        }
        ticked?;
        self.tell(false)
    }

    /// Tells what waits, in its order or the other way round.
    fn tell(&mut self, reversed: bool) -> Result<()> {
        let now = Timestamp::from_millis(self.now);
        let mut notices = self.in_turn(|customer, sql| customer.notices(sql, now))?;
        if reversed {
            notices.reverse();
        }
        for (notice, told) in notices {
            match told {
                Told::Vault => {
                    let held = self.vault.ask(KeyErrand::DeleteAll)?;
                    assert_eq!(held.wrapped, None);
                }
                Told::Legacy => self.heard(&Legacy::Deleted(2))?,
                Told::List(listing) => {
                    let erased = self.text("SELECT status FROM customer") == "erased";
                    assert_eq!(listing.shown.is_none(), erased);
                }
                Told::Release { .. } | Told::Alias(_) => {}
            }
            self.in_turn(|customer, sql| customer.noticed(sql, &notice, true, now))?;
        }
        Ok(())
    }

    /// What came of a round through the older service's store.
    fn heard(&mut self, outcome: &Legacy) -> Result<()> {
        let now = Timestamp::from_millis(self.now);
        self.in_turn(|customer, sql| customer.heard_of_legacy(sql, outcome, now))
    }

    fn in_turn<T>(&mut self, mut work: impl FnMut(&mut Customer, &dyn Sql) -> Result<T>) -> Result<T> {
        let (customer, sql) = (&mut self.customer, &self.sql);
        let mut done = None;
        let committed = sql.transaction(&mut || {
            done = Some(work(customer, sql)?);
            Ok(())
        });
        if committed.is_err() {
            self.customer.forget();
        }
        committed?;
        Ok(done.unwrap())
    }

    fn is_idle(&self) -> bool {
        self.customer.due().is_none()
    }

    /// Alarms until nothing is due.
    fn run_out(&mut self) {
        for _ in 0..100 {
            self.alarm().unwrap();
            if self.is_idle() {
                return;
            }
            self.now += 1;
        }
        panic!("it never ends");
    }

    fn certificate(&mut self) -> Option<Certificate> {
        let Reply::Refused(error) = self.send(&owner().asks(Route::GetCustomer)) else {
            panic!("not refused");
        };
        assert_eq!(error.code, Code::CustomerErased);
        let jws = error.members.get("certificate")?.as_str()?;
        let keys = SigningKeys::new([("1", &[8; 32])].into_iter()).unwrap();
        let (certificate, kid) = certificate::open(jws, keys.public()).unwrap();
        assert_eq!(kid, "1");
        Some(certificate)
    }

    /// What holds at any moment: the log verifies; a customer is as it was or gone; nothing is certified that is not so.
    fn invariants(&mut self) {
        let log = self.log();
        let status: String = self.text("SELECT status FROM customer");
        let erased = status == "erased";
        assert_eq!(
            log.iter()
                .any(|entry| entry.brief().starts_with("customer.erase ")),
            erased
        );
        let begun: i64 = self.number("SELECT count(*) FROM erasure WHERE erased_at IS NOT NULL");
        assert_eq!(begun == 1, erased);
        if erased {
            assert_eq!(self.number("SELECT length(profile) FROM customer"), 0);
            assert_eq!(self.count("aliases"), 0);
            assert_eq!(
                self.number("SELECT count(*) FROM account WHERE email_index IS NOT NULL"),
                0
            );
        } else {
            assert_eq!(
                self.number("SELECT count(*) FROM outbox WHERE kind IN ('vault', 'legacy', 'alias')"),
                0
            );
            assert!(self.vault.held().is_some());
            assert_eq!(
                self.number("SELECT count(*) FROM erasure WHERE profile IS NOT NULL"),
                0
            );
        }
        // The key stays as long as the older service's store is not done with.
        if self.number("SELECT count(*) FROM outbox WHERE kind = 'legacy'") == 1
            && self.number("SELECT count(*) FROM outbox WHERE kind = 'vault'") == 0
        {
            assert_eq!(
                self.number("SELECT count(*) FROM erasure WHERE length(profile) > 0"),
                1
            );
        }
        if self.number("SELECT count(*) FROM erasure WHERE certificate IS NOT NULL") == 1 {
            assert_eq!(self.vault.held(), None);
            assert_eq!(self.count("outbox"), 0);
            for (table, ..) in WIPED {
                assert_eq!(self.count(table), 0, "{table}");
            }
            assert_eq!(
                self.number("SELECT count(*) FROM audit WHERE detail IS NOT NULL OR limiter IS NOT NULL"),
                0
            );
        }
    }

    fn number(&self, query: &str) -> i64 {
        self.sql
            .raw(|db| db.query_row(query, [], |row| row.get(0)))
            .unwrap()
    }

    fn text(&self, query: &str) -> String {
        self.sql
            .raw(|db| db.query_row(query, [], |row| row.get(0)))
            .unwrap()
    }
}

#[test]
fn in_the_end_nothing_is_left_but_what_the_certificate_says() {
    let mut world = World::due();
    let entries = world.number("SELECT count(*) FROM audit");
    let head: String = world.text("SELECT lower(hex(hash)) FROM audit ORDER BY seq DESC LIMIT 1");
    world.run_out();
    world.invariants();
    let certificate = world.certificate().unwrap();
    assert_eq!(certificate.customer_id, "cust_acme");
    assert_eq!(certificate.asked_by.kind, "user");
    let destroyed = |kind: &str| certificate.destroyed.get(kind).copied();
    for (kind, count) in [
        ("profiles", 1),
        ("dataKeys", 1),
        ("emailClaims", 1),
        ("aliasBindings", 1),
        ("users", 4),
        ("apiKeys", 1),
        ("revocations", 1),
        ("exportsUnderWay", 1),
        ("exportCopies", 4),
        ("auditDetails", entries),
        ("legacyRecords", 2),
    ] {
        assert_eq!(destroyed(kind), Some(count), "{kind}");
    }
    assert_eq!(
        (certificate.audit.before.seq, certificate.audit.before.hash),
        (entries, head)
    );
    assert_eq!(certificate.audit.after.seq, entries + 2);
    let last: String = world.text("SELECT lower(hex(hash)) FROM audit ORDER BY seq DESC LIMIT 1");
    assert_eq!(certificate.audit.after.hash, last);
    let completed = Timestamp::parse_rfc3339(&certificate.completed_at).unwrap();
    let until = Timestamp::parse_rfc3339(&certificate.key_recoverable_until).unwrap();
    assert_eq!(until.as_millis() - completed.as_millis(), 30 * DAY);
    // Nothing of it changes any more, whoever comes and however often.
    let after = world.dump();
    world.restart();
    world.now += 40 * DAY;
    for who in [owner(), ada()] {
        assert_eq!(world.refusal(&who.asks(Route::GetCustomer)), Code::CustomerErased);
    }
    world.alarm().unwrap();
    assert!(world.dump() == after && world.is_idle());
    let view = world.json(&admin().asks(Route::AdminGetErasure));
    assert!(view["certificate"].is_string());
}

#[test]
fn the_key_is_destroyed_only_after_the_older_store_and_its_rounds_are_counted_once() {
    let mut world = World::due();
    let now = Timestamp::from_millis(world.now);
    world
        .in_turn(|customer, sql| customer.erase_if_due(sql, now, &mut Seeded(5)))
        .unwrap();
    let told = |world: &World, kind: &str| {
        world.number(&format!("SELECT count(*) FROM outbox WHERE kind = '{kind}'"))
    };
    let way = Position {
        stop: 3,
        of: 9,
        cursor: Some("more".to_owned()),
    };
    for round in 1..=2 {
        world.heard(&Legacy::Partly(5, way.clone())).unwrap();
        assert_eq!((told(&world, "legacy"), told(&world, "vault")), (1, 0));
        assert_eq!(
            world.number("SELECT mark FROM outbox WHERE kind = 'legacy'"),
            round
        );
        let held = world.vault.ask(KeyErrand::Look).unwrap();
        let (trail, from) = world
            .in_turn(|customer, sql| customer.legacy_trail(sql, &held))
            .unwrap();
        assert_eq!(from, way);
        // The sealed profile still tells which e-mail the store may have an index of.
        let index = user_api::legacy::wanted::index("owner@example.com");
        let stops = trail.stops();
        assert!(index.into_iter().all(|key| stops.contains(&Stop::Foreign(key))));
    }
    world.heard(&Legacy::Deleted(1)).unwrap();
    // Told twice, it is counted once.
    world.heard(&Legacy::Deleted(1)).unwrap();
    world.heard(&Legacy::Partly(5, way)).unwrap();
    assert_eq!(told(&world, "vault"), 1);
    world.restart();
    world.run_out();
    world.invariants();
    let certificate = world.certificate().unwrap();
    assert_eq!(certificate.destroyed.get("legacyRecords"), Some(&11));
    let not_reached = |what: &str| certificate.not_reached.iter().any(|item| item.what == what);
    assert!(not_reached("legacyStoreOtherKeys") && !not_reached("legacyStoreByHash"));
}

#[test]
fn the_certificate_says_what_of_an_older_store_was_not_reached() {
    // Whether it is bound, whether anything came from it, and whether the key to that was there.
    for (is_bound, moved_in, is_lost) in [
        (false, false, false),
        (false, true, false),
        (true, true, false),
        (true, true, true),
    ] {
        let mut world = World::due();
        if moved_in {
            let row = "INSERT INTO legacy VALUES ('api_key', 'abc', x'00')";
            world.sql.raw(|db| db.execute(row, [])).unwrap();
        }
        let now = Timestamp::from_millis(world.now);
        world
            .in_turn(|customer, sql| customer.erase_if_due(sql, now, &mut Seeded(5)))
            .unwrap();
        if is_lost {
            world.vault.lose();
        }
        if is_bound {
            let held = world.vault.ask(KeyErrand::Look).unwrap();
            let (trail, _) = world
                .in_turn(|customer, sql| customer.legacy_trail(sql, &held))
                .unwrap();
            let known = Stop::Foreign("auth:apikey:abc".to_owned());
            assert_eq!(trail.stops().contains(&known), !is_lost);
        }
        let outcome = if is_bound {
            Legacy::Deleted(0)
        } else {
            Legacy::NotBound
        };
        world.heard(&outcome).unwrap();
        world.run_out();
        let certificate = world.certificate().unwrap();
        let told: Vec<_> = certificate
            .not_reached
            .iter()
            .map(|item| item.what.as_str())
            .filter(|what| what.starts_with("legacy"))
            .collect();
        let wanted: &[&str] = match (is_bound, moved_in) {
            (false, false) => &[],
            (false, true) => &["legacyStore"],
            // The document that was written here is none that anything opens.
            (true, _) => &["legacyStoreOtherKeys", "legacyStoreByHash"],
        };
        assert_eq!(told, wanted, "{is_bound} {moved_in} {is_lost}");
        assert_eq!(
            certificate.destroyed.get("movedInDocuments"),
            Some(&i64::from(moved_in))
        );
    }
}

#[test]
fn no_errand_brings_it_back_or_binds_anything_to_it() {
    let mut world = World::due();
    world.run_out();
    let index = EmailIndex::new([5; 32]);
    let after = world.dump();
    let bind = What::Bind {
        index,
        target: CustomerId::parse("cust_other").unwrap(),
        instead_of: None,
    };
    let alias = What::AddAlias {
        alias: CustomerId::parse("cust_alias").unwrap(),
        index,
    };
    for what in [
        What::Look {
            index: Some(index),
            by: None,
        },
        bind,
        alias,
    ] {
        assert_eq!(world.errand(what), Answer::Is(Standing::Erased));
    }
    let create = service().says(Route::EnsureCustomer, &json!({"email": "owner@example.com"}));
    assert_eq!(world.refusal(&create), Code::CustomerErased);
    assert!(world.dump() == after);
    let revive = "UPDATE customer SET status = 'active'";
    assert!(world.sql.raw(|db| db.execute(revive, [])).is_err());
    for forget in [
        "DELETE FROM customer",
        "DELETE FROM erasure",
        "UPDATE erasure SET certificate = 'x'",
    ] {
        assert!(world.sql.raw(|db| db.execute(forget, [])).is_err(), "{forget}");
    }
}

#[test]
fn an_alias_of_an_erased_customer_serves_its_other_bindings_alone() {
    let mut world = World::absent();
    let (mine, theirs) = (EmailIndex::new([5; 32]), EmailIndex::new([6; 32]));
    let erased = CustomerId::parse("cust_erased").unwrap();
    let other = CustomerId::parse("cust_other").unwrap();
    let bind = |index, target: &CustomerId| What::Bind {
        index,
        target: target.clone(),
        instead_of: None,
    };
    let look = |index| What::Look {
        index: Some(index),
        by: None,
    };
    assert_eq!(world.errand(bind(mine, &erased)), Answer::Bound(erased.clone()));
    assert_eq!(world.errand(bind(theirs, &other)), Answer::Bound(other.clone()));
    for _ in 0..2 {
        let drop = What::DropAlias {
            customer: erased.clone(),
        };
        assert_eq!(world.errand(drop), Answer::Noted);
        assert_eq!(world.errand(look(mine)), Answer::Is(Standing::Erased));
        assert_eq!(
            world.errand(look(theirs)),
            Answer::Is(Standing::Alias(Some(other.clone())))
        );
    }
    // A binding that comes late does not come back, and the id becomes nobody.
    assert_eq!(world.errand(bind(mine, &erased)), Answer::Full);
    assert_eq!(
        world.number("SELECT count(*) FROM alias_of WHERE customer_id = 'cust_erased'"),
        0
    );
    world.errand(What::DropAlias { customer: other });
    assert_eq!(world.errand(look(theirs)), Answer::Is(Standing::Erased));
}
