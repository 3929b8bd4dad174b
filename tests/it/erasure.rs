//! Erasing a customer: asking, withdrawing, the one commit, the steps after it, and that it holds.

mod lost_key;

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
fn it_is_scheduled_with_the_grace_and_asking_again_changes_nothing() {
    let mut world = World::new();
    let (owner, at) = (owner(), world.now);
    let time = |ms| Timestamp::from_millis(ms).to_rfc3339();
    let view = json!({"status": "scheduled", "requestedAt": time(at), "dueAt": time(at + 7 * DAY), "requestedBy": "customer"});
    assert_eq!(world.accepted(&owner, Route::RequestErasure, &json!({})), view);
    world.now += DAY;
    assert_eq!(
        world.accepted(&owner, Route::RequestErasure, &json!({"reason": "again"})),
        view
    );
    assert_eq!(world.json(&owner.asks(Route::GetErasure)), view);
    assert_eq!(world.json(&admin().asks(Route::AdminGetErasure)), view);
    assert_eq!(world.json(&owner.asks(Route::GetStatus))["status"], "active");
    // An administrator brings it forward and never puts it off.
    let body = json!({"reason": "asked by letter", "graceDays": 30});
    let mut view = view;
    view["requestedBy"] = json!("administrator");
    assert_eq!(world.accepted(&admin(), Route::AdminRequestErasure, &body), view);
    let body = json!({"reason": "asked by letter", "graceDays": 1});
    let sooner = world.accepted(&admin(), Route::AdminRequestErasure, &body);
    assert_eq!(sooner["dueAt"], time(at + 2 * DAY));
    world.restart();
    assert_eq!(world.json(&owner.asks(Route::GetErasure)), sooner);
    let due = world.customer.due().unwrap();
    assert!(due <= Timestamp::from_millis(at + 2 * DAY), "no alarm before it");
}

#[test]
fn whoever_asked_withdraws_it_and_nothing_has_changed() {
    let mut world = World::new();
    assert_eq!(
        world.refusal(&owner().asks(Route::GetErasure)),
        Code::ErasureNotFound
    );
    assert_eq!(
        world.refusal(&owner().asks(Route::WithdrawErasure)),
        Code::ErasureNotFound
    );
    assert_eq!(
        world.refusal(&admin().asks(Route::AdminWithdrawErasure)),
        Code::ErasureNotFound
    );
    let before = world.json(&owner().asks(Route::GetCustomer));
    world.accepted(&owner(), Route::RequestErasure, &json!({}));
    assert_eq!(world.send(&owner().asks(Route::WithdrawErasure)), Reply::Done);
    world.accepted(
        &admin(),
        Route::AdminRequestErasure,
        &json!({"reason": "by letter"}),
    );
    assert_eq!(
        world.refusal(&owner().asks(Route::WithdrawErasure)),
        Code::Forbidden
    );
    assert_eq!(
        world.send(&admin().asks(Route::AdminWithdrawErasure)),
        Reply::Done
    );
    world.now += 30 * DAY;
    world.alarm().unwrap();
    let mut after = world.json(&owner().asks(Route::GetCustomer));
    after["lastSeenAt"] = before["lastSeenAt"].clone();
    assert_eq!(after, before);
}

#[test]
fn the_session_tells_every_user_when_the_customer_is_erased() {
    let mut world = World::new();
    for (who, is_owner) in [(ada(), false), (owner(), true)] {
        let session = world.json(&who.asks(Route::GetSession));
        assert_eq!(
            (&session["isOwner"], &session["erasureDueAt"]),
            (&json!(is_owner), &Value::Null)
        );
    }
    let body = json!({"reason": "by letter", "graceDays": 3});
    let asked = world.accepted(&admin(), Route::AdminRequestErasure, &body);
    for who in [ada(), owner()] {
        assert_eq!(
            world.json(&who.asks(Route::GetSession))["erasureDueAt"],
            asked["dueAt"]
        );
    }
    assert_eq!(
        world.send(&admin().asks(Route::AdminWithdrawErasure)),
        Reply::Done
    );
    assert_eq!(
        world.json(&ada().asks(Route::GetSession))["erasureDueAt"],
        Value::Null
    );
}

#[test]
fn what_an_administrator_asked_for_too_the_owner_cannot_withdraw() {
    // Later, sooner, and without a grace of its own: whoever asked first.
    for grace in [json!(null), json!(0), json!(30)] {
        let mut world = World::new();
        world.accepted(&owner(), Route::RequestErasure, &json!({}));
        let mut body = json!({"reason": "by court order"});
        if !grace.is_null() {
            body["graceDays"] = grace.clone();
        }
        let before = world.log().len();
        let view = world.accepted(&admin(), Route::AdminRequestErasure, &body);
        assert_eq!(view["requestedBy"], "administrator", "{grace}");
        let entry = world.log().remove(before);
        let told = &entry.detail.as_ref().unwrap()["changed"]["requestedBy"];
        assert_eq!(told, &json!({"before": "customer", "after": "administrator"}));
        if grace == json!(0) {
            continue;
        }
        let again = world.accepted(&owner(), Route::RequestErasure, &json!({}));
        assert_eq!(again, view);
        world.restart();
        assert_eq!(
            world.refusal(&owner().asks(Route::WithdrawErasure)),
            Code::Forbidden,
            "{grace}"
        );
        assert_eq!(
            world.send(&admin().asks(Route::AdminWithdrawErasure)),
            Reply::Done
        );
        // The next one is the owner's own again.
        let own = world.accepted(&owner(), Route::RequestErasure, &json!({}));
        assert_eq!(own["requestedBy"], "customer");
        assert_eq!(world.send(&owner().asks(Route::WithdrawErasure)), Reply::Done);
    }
}

#[test]
fn only_the_owner_asks_and_says_nothing_of_the_grace() {
    let mut world = World::new();
    for route in [Route::RequestErasure, Route::WithdrawErasure, Route::GetErasure] {
        assert_eq!(world.refusal(&ada().asks(route)), Code::Forbidden, "{route:?}");
    }
    for (who, route, body, code) in [
        (
            owner(),
            Route::RequestErasure,
            json!({"graceDays": 0}),
            Code::FieldNotWritable,
        ),
        (
            owner(),
            Route::RequestErasure,
            json!({"why": "x"}),
            Code::ValidationFailed,
        ),
        (
            admin(),
            Route::AdminRequestErasure,
            json!({"graceDays": 0}),
            Code::ValidationFailed,
        ),
        (
            admin(),
            Route::AdminRequestErasure,
            json!({"reason": "x", "graceDays": 366}),
            Code::ValidationFailed,
        ),
        (
            admin(),
            Route::AdminRequestErasure,
            json!({"reason": "x", "graceDays": -1}),
            Code::ValidationFailed,
        ),
        (
            admin(),
            Route::AdminRequestErasure,
            json!({"reason": "x", "graceDays": null}),
            Code::ValidationFailed,
        ),
    ] {
        assert_eq!(world.refusal(&who.says(route, &body)), code, "{body}");
    }
    assert_eq!(world.count("erasure"), 0);
}

#[test]
fn it_works_in_every_status_and_changes_none() {
    for status in ["suspended", "cancelled", "pending_verification"] {
        let mut world = World::new();
        world.set_status(status);
        // An owner by scope, so that no verified e-mail activates the pending one.
        let owner = Who::user("auth0|x").change(|user| user.scopes = vec!["customer:owner".to_owned()]);
        world.accepted(&owner, Route::RequestErasure, &json!({}));
        assert_eq!(world.json(&owner.asks(Route::GetErasure))["status"], "scheduled");
        assert_eq!(world.json(&owner.asks(Route::GetStatus))["status"], status);
        assert_eq!(world.send(&owner.asks(Route::WithdrawErasure)), Reply::Done);
        world.accepted(
            &admin(),
            Route::AdminRequestErasure,
            &json!({"reason": "x", "graceDays": 0}),
        );
        world.run_out();
        assert!(world.certificate().is_some(), "{status}");
        world.invariants();
    }
}

#[test]
fn at_the_due_moment_it_is_gone_for_everybody_even_if_no_alarm_came() {
    let mut world = World::due();
    world.now -= 1;
    assert_eq!(
        world.json(&owner().asks(Route::GetErasure))["status"],
        "scheduled"
    );
    world.now += 1;
    for who in [owner(), ada(), service()] {
        let route = if matches!(who.0, user_api::caller::Caller::Service(_)) {
            Route::EnsureCustomer
        } else {
            Route::WithdrawErasure
        };
        let body = json!({"email": "owner@example.com"});
        assert_eq!(world.refusal(&who.says(route, &body)), Code::CustomerErased);
        world.invariants();
    }
    for route in [
        Route::AdminGetCustomer,
        Route::AdminWithdrawErasure,
        Route::AdminExport,
    ] {
        assert_eq!(
            world.refusal(&admin().asks(route)),
            Code::CustomerErased,
            "{route:?}"
        );
    }
    let view = world.json(&admin().asks(Route::AdminGetErasure));
    assert_eq!(
        (&view["status"], &view["certificate"]),
        (&json!("erased"), &Value::Null)
    );
    assert!(!world.customer.has_key(), "an erased customer asks no vault");
    world.unlock(true).unwrap();
    assert!(!world.customer.has_key());
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
fn an_export_under_way_ends_at_the_due_moment_even_if_no_alarm_came() {
    let mut world = World::new();
    world.fill();
    world.accepted(&owner(), Route::RequestErasure, &json!({"reason": "We part."}));
    world.now += 7 * DAY - 1;
    let mut export = world.begun();
    assert!(!pull(&mut world, &mut export).unwrap().is_empty());
    let mut export = world.begun();
    world.now += 1;
    for _ in 0..2 {
        let error = pull(&mut world, &mut export).unwrap_err();
        assert_eq!(error.code, Code::CustomerErased);
    }
    world.run_out();
    world.invariants();
    assert!(world.certificate().unwrap().destroyed["exportsUnderWay"] >= 1);
    let now = Timestamp::from_millis(world.now);
    // Its receiver goes away only now.
    let (sql, customer, entropy) = (&world.sql, &mut world.customer, &mut world.entropy);
    customer.abandon(sql, &export, now, entropy).unwrap();
    assert_eq!(
        pull(&mut world, &mut export).unwrap_err().code,
        Code::CustomerErased
    );
    assert_eq!(
        world.refusal(&owner().asks(Route::ExportCustomer)),
        Code::CustomerErased
    );
    world.invariants();
}

#[test]
fn an_administrator_reads_the_log_of_an_erased_customer_without_its_details_and_nobody_else_does() {
    let mut world = World::new();
    world.fill();
    world.accepted(&owner(), Route::RequestErasure, &json!({"reason": "We part."}));
    let before = world.json(&admin().queries(Route::AdminListAudit, "limit=100"));
    world.now += 7 * DAY;
    // A read of the log is in the log, and so is the erasure.
    let entries = before["data"].as_array().unwrap().len() + 1;
    // Before its rows are gone, and after.
    for is_over in [false, true] {
        if is_over {
            world.run_out();
        }
        let page = world.json(&admin().queries(Route::AdminListAudit, "limit=100"));
        let data = page["data"].as_array().unwrap();
        assert_eq!(data.len(), entries + if is_over { 2 } else { 1 });
        assert!(data.iter().all(|entry| entry["detail"].is_null()));
        let hash = |n: usize| data[data.len() - n]["hash"].clone();
        let old = before["data"].as_array().unwrap();
        assert_eq!(hash(1), old[old.len() - 1]["hash"]);
        let head = world.json(&admin().queries(Route::AdminGetAuditHead, "since=0"));
        assert_eq!(head["hash"], data[0]["hash"]);
        assert_eq!(head["leaves"].as_array().unwrap().len(), data.len());
        assert_eq!(
            world.refusal(&admin().queries(Route::AdminListAudit, "cursor=forged")),
            Code::InvalidCursor
        );
        for who in [owner(), ada()] {
            for route in [Route::ListAudit, Route::GetAuditHead] {
                assert_eq!(world.refusal(&who.asks(route)), Code::CustomerErased);
            }
        }
    }
    let log = world.log();
    assert!(log.last().unwrap().brief().starts_with("customer.erased "));
    let certificate = world.certificate().unwrap();
    let head = world.json(&admin().asks(Route::AdminGetAuditHead));
    assert_eq!(head["hash"], certificate.audit.after.hash.as_str());
}

#[test]
fn a_made_up_key_of_the_older_form_learns_nothing_of_an_erasure() {
    let mut world = World::due();
    world.run_out();
    let made_up = Who(Caller::Integration(Box::new(Integration {
        customer: CustomerId::parse("cust_acme").unwrap(),
        digest: KeyDigest::new([9; 32]),
        legacy: true,
        browser_origin: None,
    })));
    let Reply::Refused(error) = world.send(&made_up.asks(Route::GetCustomer)) else {
        panic!("not refused");
    };
    assert_eq!(error.code, Code::InvalidApiKey);
    assert!(error.members.is_empty(), "{:?}", error.members);
    // Word for word what a customer that was never there answers.
    let never = World::absent().send(&made_up.asks(Route::GetCustomer));
    assert_eq!(Reply::Refused(error), never);
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
    assert_eq!(certificate.destroyed["legacyRecords"], 11);
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
    assert_eq!(world.certificate().unwrap().destroyed["revocations"], 2501);
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
