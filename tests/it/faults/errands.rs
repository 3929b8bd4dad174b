//! Every errand to a customer's object: the compiler asks for one of each kind that is added.

use super::{Again, Scenario, scenario};
use crate::support::people::CUSTOMER;
use crate::support::{Who, World, ada, admin, service};
use serde_json::json;
use std::collections::BTreeSet;
use user_api::caller::Caller;
use user_api::customer::account::Claimed;
use user_api::customer::errand::{Answer, By, Create, What};
use user_api::customer::moving::{Import, Moved};
use user_api::customer::profile::NewCustomer;
use user_api::edge::route::Route;
use user_api::email::EmailIndex;
use user_api::legacy::Record;
use user_api::legacy::line::{self, Parsed};
use user_api::types::{CustomerId, Timestamp};

fn id(text: &str) -> CustomerId {
    CustomerId::parse(text).unwrap()
}

fn index(email: &str) -> EmailIndex {
    World::config().index.email(email).unwrap()
}

fn by(who: Who) -> By {
    By {
        origin: who.asks(Route::GetCustomer).origin,
        caller: who.0,
        fingerprint: None,
    }
}

fn record(key: &str, value: serde_json::Value) -> Record {
    let line = json!({"key": key, "value": value}).to_string();
    match line::read(line.as_bytes()) {
        Parsed::Record { record, .. } => record,
        Parsed::Told(told) => panic!("no record: {told:?}"),
    }
}

fn import(records: Vec<Record>, claimed: Option<Claimed>) -> What {
    What::Import(Box::new(Import {
        records,
        claimed,
        by: by(service()),
    }))
}

fn older_customer() -> Record {
    let value = json!({
        "customerId": CUSTOMER, "email": "owner@example.com", "companyName": "Acme", "status": "active",
        "createdAt": "2024-01-01T00:00:00Z",
    });
    record(&format!("customer:customer:{CUSTOMER}"), value)
}

fn create() -> What {
    let body = json!({"email": "owner@example.com", "customerId": CUSTOMER}).to_string();
    What::Create(Box::new(Create {
        index: Some(index("owner@example.com")),
        email_claimed: true,
        attempt: 0,
        new: NewCustomer::parse(body.as_bytes()).unwrap(),
        created_at: None,
        by: by(service()),
    }))
}

/// One that moved in with its e-mail and that nobody has touched.
fn moved_in() -> (World, What) {
    let mut world = World::absent();
    let asked = world.try_errand(&import(vec![older_customer()], None));
    let Ok(Answer::Moved(Moved::Wants { wanted, .. })) = asked else {
        panic!("no claim is wanted: {asked:?}")
    };
    let claimed = Some(Claimed { wanted, held: true });
    (world, import(vec![older_customer()], claimed))
}

fn bind() -> What {
    What::Bind {
        index: index("owner@example.com"),
        target: id("cust_other"),
        instead_of: None,
    }
}

/// An errand, and the world in which it does something.
type Case = (&'static str, fn() -> World, What);

fn case(name: &'static str, prepare: fn() -> World, what: What) -> Case {
    (name, prepare, what)
}

#[allow(clippy::too_many_lines)] // A few lines an errand.
fn errands() -> Vec<Case> {
    let Caller::User(user) = admin().0 else {
        panic!("no user")
    };
    let look = |who: Option<Who>| What::Look {
        index: Some(index("owner@example.com")),
        by: who.map(|who| Box::new(by(who))),
    };
    let preferences = record(
        &format!("auth:preferences:{CUSTOMER}"),
        json!({"emailVisibility": "public"}),
    );
    let ceded = || {
        let (mut world, claimed) = moved_in();
        world.try_errand(&claimed).unwrap();
        world
    };
    let bound = || {
        let mut world = World::absent();
        world.try_errand(&bind()).unwrap();
        world
    };
    vec![
        case("look", World::new, look(None)),
        case("look by a service", World::new, look(Some(service()))),
        case("create", World::absent, create()),
        case("create what is there", World::new, create()),
        case("bind", World::absent, bind()),
        case(
            "stand aside",
            World::absent,
            What::StandAside {
                index: index("owner@example.com"),
            },
        ),
        case("check a token", World::new, What::CheckToken { user }),
        case("rewrap", World::new, What::Rewrap),
        case(
            "show",
            World::new,
            What::Show {
                by: Box::new(by(admin())),
            },
        ),
        case("import preferences", World::new, import(vec![preferences], None)),
        case("import a customer", || moved_in().0, moved_in().1),
        case(
            "cede",
            ceded,
            What::Cede {
                index: index("owner@example.com"),
                rival: id("cust_rival"),
                created_at: Timestamp::from_millis(1),
                by: Box::new(by(service())),
            },
        ),
        case(
            "add an alias",
            World::new,
            What::AddAlias {
                alias: id("cust_alias"),
                index: index("owner@example.com"),
            },
        ),
        case(
            "drop an alias",
            bound,
            What::DropAlias {
                customer: id("cust_other"),
            },
        ),
    ]
}

const fn kind(what: &What) -> u8 {
    match what {
        What::Look { .. } => 0,
        What::Create(_) => 1,
        What::Bind { .. } => 2,
        What::CheckToken { .. } => 3,
        What::Rewrap => 4,
        What::Show { .. } => 5,
        What::Import(_) => 6,
        What::Cede { .. } => 7,
        What::AddAlias { .. } => 8,
        What::DropAlias { .. } => 9,
        What::StandAside { .. } => 10,
    }
}

pub fn scenarios() -> Vec<Scenario> {
    let kinds: BTreeSet<_> = errands().iter().map(|(_, _, what)| kind(what)).collect();
    assert_eq!(kinds, (0..11).collect(), "a kind of errand without a scenario");
    let of = |is_cold: bool| {
        errands().into_iter().map(move |(name, prepare, what)| {
            let name = format!("{name}, {}", if is_cold { "cold" } else { "warm" });
            scenario(name, Again::Other, move || {
                let mut world = prepare();
                if is_cold {
                    world.restart();
                }
                let what = what.clone();
                (world, Box::new(move |world| world.try_errand(&what).map(|_| ())))
            })
        })
    };
    of(false).chain(of(true)).collect()
}

#[test]
fn each_errand_does_what_it_is_here_for() {
    for (name, prepare, what) in errands() {
        let mut world = prepare();
        let before = world.dump();
        let answer = world.try_errand(&what).unwrap();
        let writes = !matches!(name, "look" | "check a token" | "rewrap");
        assert_eq!(world.dump() != before, writes, "{name}: {answer:?}");
    }
    let mut world = World::new();
    world.send(&ada().asks(Route::GetUser));
    world.log();
}
