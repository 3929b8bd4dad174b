//! The directory's shards: claims, the list, and what a shard refuses.

use crate::support::Workerd;
use crate::support::world::NEW_YEAR;
use proptest::prelude::*;
use std::collections::BTreeMap;
use user_api::customer::profile::Plan;
use user_api::customer::status::Status;
use user_api::directory::Directory;
use user_api::directory::claims::Claim;
use user_api::directory::errand::{Answer, Errand, What};
use user_api::directory::list::{self, Listing, Place, Query, Shown};
use user_api::directory::shard::Shard;
use user_api::email::EmailIndex;
use user_api::error::{Code, Result};
use user_api::sql::{Sql, is_initialised};
use user_api::types::{CustomerId, Timestamp};

struct One {
    sql: Workerd,
    directory: Directory,
}

impl One {
    fn new(shard: Shard) -> Self {
        Self {
            sql: Workerd::new(),
            directory: Directory::new(&shard.to_string()).unwrap(),
        }
    }

    fn ask_with(&mut self, shards: u32, what: What) -> Result<Answer> {
        let mut answer = None;
        let errand = Errand { shards, what };
        self.sql.transaction(&mut || {
            answer = Some(self.directory.handle(&self.sql, &errand)?);
            Ok(())
        })?;
        Ok(answer.unwrap())
    }

    fn ask(&mut self, what: What) -> Answer {
        self.ask_with(1, what).unwrap()
    }
}

fn id(text: &str) -> CustomerId {
    CustomerId::parse(text).unwrap()
}

fn index(byte: u8) -> EmailIndex {
    EmailIndex::new([byte; 32])
}

fn claims() -> One {
    One::new(Shard::of_email(&index(0), 1))
}

fn list() -> One {
    One::new(Shard::of_customer(&id("a"), 1))
}

fn claim(candidate: &str, attempt: i64) -> What {
    What::Claim {
        index: index(1),
        candidate: id(candidate),
        attempt,
    }
}

fn release(holder: &str, attempt: i64) -> What {
    What::Release {
        index: index(1),
        holder: id(holder),
        attempt,
    }
}

fn held(holder: &str, attempt: i64) -> Answer {
    Answer::Claim(Some(Claim {
        holder: id(holder),
        attempt,
    }))
}

#[test]
fn asking_an_empty_shard_writes_nothing() {
    let (mut claims, mut list) = (claims(), list());
    assert_eq!(claims.ask(What::Look { index: index(1) }), Answer::Claim(None));
    assert_eq!(
        list.ask(What::Page(everybody(10))),
        Answer::Page(list::Page::default())
    );
    assert_eq!(list.ask(What::Has { customer: id("a") }), Answer::Has(false));
    for shard in [&claims, &list] {
        assert!(!is_initialised(&shard.sql).unwrap());
        assert_eq!(shard.sql.rows_written.get(), 0);
    }
}

#[test]
fn the_first_to_claim_an_e_mail_holds_it_until_it_gives_it_back() {
    let mut claims = claims();
    assert_eq!(claims.ask(claim("a", 0)), held("a", 0));
    assert_eq!(claims.ask(claim("b", 7)), held("a", 0));
    assert_eq!(claims.ask(release("b", 9)), Answer::Done);
    assert_eq!(claims.ask(What::Look { index: index(1) }), held("a", 0));
    assert_eq!(claims.ask(release("a", 0)), Answer::Done);
    assert_eq!(claims.ask(claim("b", 7)), held("b", 7));
}

#[test]
fn a_release_that_comes_late_takes_no_newer_claim_of_the_same_holder() {
    let mut claims = claims();
    claims.ask(claim("a", 0));
    assert_eq!(claims.ask(claim("a", 2)), held("a", 2));
    assert_eq!(claims.ask(claim("a", 1)), held("a", 2));
    claims.ask(release("a", 1));
    assert_eq!(claims.ask(What::Look { index: index(1) }), held("a", 2));
    claims.ask(release("a", 2));
    assert_eq!(claims.ask(What::Look { index: index(1) }), Answer::Claim(None));
}

#[test]
fn a_shard_refuses_another_number_of_shards_and_what_is_another_s() {
    let mut shard = One::new(Shard::parse("claims-1").unwrap());
    let mine = |shards| {
        let index = EmailIndex::new([0, 0, 0, 0, 0, 0, 0, 1].repeat(4).try_into().unwrap());
        let what = What::Claim {
            index,
            candidate: id("a"),
            attempt: 0,
        };
        assert_eq!(what.shard(shards).unwrap().to_string(), "claims-1");
        what
    };
    shard.ask_with(16, mine(16)).unwrap();
    assert_eq!(shard.ask_with(8, mine(8)).unwrap_err().code, Code::NotReady);
    shard.directory = Directory::new("claims-1").unwrap();
    assert_eq!(shard.ask_with(8, mine(8)).unwrap_err().code, Code::NotReady);
    shard.ask_with(16, mine(16)).unwrap();
    let (other, page) = (What::Look { index: index(2) }, What::Page(everybody(1)));
    assert_ne!(other.shard(16).unwrap().to_string(), "claims-1");
    for what in [other, page] {
        assert_eq!(shard.ask_with(16, what).unwrap_err().code, Code::InternalError);
    }
}

#[test]
fn a_shard_that_holds_nothing_yet_has_the_first_one_agree_to_the_number_of_shards() {
    let errand = |shards, number: u8| {
        let index = EmailIndex::new([0, 0, 0, 0, 0, 0, 0, number].repeat(4).try_into().unwrap());
        let what = What::Claim {
            index,
            candidate: id("a"),
            attempt: 0,
        };
        Errand { shards, what }
    };
    let asks = |one: &mut One, errand: &Errand| {
        let mut asks = None;
        let asked = one.sql.transaction(&mut || {
            asks = Some(one.directory.asks_first(&one.sql, errand)?);
            Ok(())
        });
        asked.map(|()| asks.unwrap())
    };
    let mut shard = One::new(Shard::parse("claims-1").unwrap());
    assert!(asks(&mut shard, &errand(16, 1)).unwrap());
    let look = Errand {
        shards: 16,
        what: What::Look {
            index: EmailIndex::new([0, 0, 0, 0, 0, 0, 0, 1].repeat(4).try_into().unwrap()),
        },
    };
    assert!(!asks(&mut shard, &look).unwrap(), "a question makes nothing");
    shard.ask_with(16, errand(16, 1).what).unwrap();
    assert!(!asks(&mut shard, &errand(16, 1)).unwrap());
    assert_eq!(asks(&mut shard, &errand(8, 1)).unwrap_err().code, Code::NotReady);
    let mut first = One::new(Shard::FIRST);
    assert!(!asks(&mut first, &errand(16, 0)).unwrap());
    for _ in 0..2 {
        assert_eq!(first.ask_with(16, What::Agree).unwrap(), Answer::Done);
    }
    first.directory = Directory::new("claims-0").unwrap();
    assert_eq!(first.ask_with(8, What::Agree).unwrap_err().code, Code::NotReady);
    assert_eq!(
        shard.ask_with(16, What::Agree).unwrap_err().code,
        Code::InternalError
    );
}

fn everybody(limit: u32) -> Query {
    Query {
        status: None,
        plan: None,
        email_index: None,
        from: Timestamp::from_millis(0),
        after: Place::start(),
        limit,
    }
}

fn listing(name: &str, rev: i64, status: Status) -> Listing {
    let shown = (status != Status::Erased).then_some(Shown {
        created_at: Timestamp::from_millis(NEW_YEAR),
        status,
        plan: Plan::Free,
        email_index: Some(index(1)),
    });
    Listing {
        customer_id: id(name),
        rev,
        shown,
    }
}

fn rows(list: &mut One, query: Query) -> Vec<Listing> {
    match list.ask(What::Page(query)) {
        Answer::Page(page) => page.rows,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_older_word_about_a_customer_never_replaces_a_newer() {
    let mut list = list();
    let newest = listing("a", 3, Status::Suspended);
    for listing in [
        listing("a", 2, Status::Active),
        newest.clone(),
        listing("a", 3, Status::Active),
        listing("a", 1, Status::Cancelled),
    ] {
        list.ask(What::Put(listing));
    }
    assert_eq!(rows(&mut list, everybody(10)), [newest]);
}

#[test]
fn an_erased_customer_is_listed_by_no_filter_and_stays_erased() {
    let mut list = list();
    list.ask(What::Put(listing("a", 1, Status::Active)));
    list.ask(What::Put(listing("a", 2, Status::Erased)));
    list.ask(What::Put(listing("a", 1, Status::Active)));
    assert!(
        list.ask_with(1, What::Put(listing("a", 3, Status::Active)))
            .is_err()
    );
    let by = |change: fn(&mut Query)| {
        let mut query = everybody(10);
        change(&mut query);
        query
    };
    for query in [
        everybody(10),
        by(|query| query.status = Some(Status::Erased)),
        by(|query| query.status = Some(Status::Active)),
        by(|query| query.plan = Some(Plan::Free)),
        by(|query| query.email_index = Some(index(1))),
    ] {
        assert_eq!(rows(&mut list, query), []);
    }
}

fn shown() -> impl Strategy<Value = Shown> {
    let statuses = [
        Status::Active,
        Status::PendingVerification,
        Status::Suspended,
        Status::Cancelled,
    ];
    let plans = [Plan::Free, Plan::Pro];
    (0..6_i64, 0..4_usize, 0..2_usize, prop::option::of(0..3_u8)).prop_map(
        move |(at, status, plan, email)| Shown {
            created_at: Timestamp::from_millis(NEW_YEAR + at),
            status: statuses[status],
            plan: plans[plan],
            email_index: email.map(index),
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any filter, any limit: the pages one after another are what a sorted copy of everything would give.
    #[test]
    fn pages_are_what_a_sorted_and_filtered_list_of_all_is(
        all in prop::collection::btree_map("[a-d][a-d]", shown(), 0..16),
        wanted in shown(),
        filters in prop::array::uniform4(any::<bool>()),
        limit in 1..5_u32,
    ) {
        let mut list = list();
        for (name, shown) in &all {
            list.ask(What::Put(Listing { customer_id: id(name), rev: 1, shown: Some(shown.clone()) }));
        }
        let mut query = Query {
            status: filters[0].then_some(wanted.status),
            plan: filters[1].then_some(wanted.plan),
            email_index: wanted.email_index.filter(|_| filters[2]),
            from: Timestamp::from_millis(if filters[3] { NEW_YEAR + 2 } else { 0 }),
            after: Place::start(),
            limit,
        };
        let model: BTreeMap<_, _> = all.iter().filter(|(_, shown)| {
            query.status.is_none_or(|status| shown.status == status)
                && query.plan.is_none_or(|plan| shown.plan == plan)
                && query.email_index.is_none_or(|index| shown.email_index == Some(index))
                && shown.created_at >= query.from
        }).map(|(name, shown)| ((shown.created_at, name.as_str()), ())).collect();
        let expected: Vec<_> = model.keys().rev().map(|(_, name)| (*name).to_owned()).collect();
        let mut found = Vec::new();
        loop {
            let page = rows(&mut list, query.clone());
            found.extend(page.iter().map(|row| row.customer_id.to_string()));
            let Some(last) = page.last().filter(|_| page.len() == limit as usize) else { break };
            query.after = Place {
                created_at: last.shown.as_ref().unwrap().created_at,
                customer_id: Some(last.customer_id.clone()),
            };
        }
        prop_assert_eq!(found, expected);
    }
}
