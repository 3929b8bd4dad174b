//! Random histories: commands of several users in batches, with faults, crashes and restarts between, against
//! the model.

use super::model::{Model, Resource};
use crate::support::people::Conditional;
use crate::support::{Harm, Who, World};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use user_api::customer::request::{Reply, Request};
use user_api::edge::route::Route;
use user_api::error::Code;

const RESOURCES: &[Resource] = &[Resource::Customer, Resource::User, Resource::Preferences];

#[derive(Debug, Clone)]
enum Act {
    Read,
    Patch(Value),
    Put(Value),
    Nonsense,
}

/// Under which `If-Match`.
#[derive(Debug, Clone, Copy)]
enum Under {
    Nothing,
    /// The version at the start of the batch, which an earlier request of it may have ended.
    Known,
    Wrong,
}

#[derive(Debug, Clone)]
struct Ask {
    who: &'static str,
    resource: Resource,
    act: Act,
    under: Under,
}

#[derive(Debug, Clone)]
struct Round {
    asks: Vec<Ask>,
    harm: Option<(u64, Harm)>,
    later_ms: i64,
    restart: bool,
}

fn object(
    fields: &'static [&'static str],
    value: fn(&str, bool) -> BoxedStrategy<Value>,
    patch: bool,
) -> BoxedStrategy<Value> {
    let subset = prop::sample::subsequence(fields, 0..=fields.len().min(3));
    let with_values = subset.prop_flat_map(move |names| {
        let entries: Vec<_> = names
            .into_iter()
            .map(|name| (Just(name.to_owned()), value(name, patch)))
            .collect();
        entries.prop_map(|entries| Value::Object(Map::from_iter(entries)))
    });
    with_values.boxed()
}

fn or_null(values: &'static [&'static str]) -> BoxedStrategy<Value> {
    prop_oneof![4 => prop::sample::select(values).prop_map(Value::from), 1 => Just(Value::Null)].boxed()
}

fn flag() -> BoxedStrategy<Value> {
    prop_oneof![any::<bool>().prop_map(Value::from), Just(Value::Null)].boxed()
}

/// An entry of `metadata` or `custom`: null only where it means that the key goes.
fn entry(values: BoxedStrategy<Value>, patch: bool) -> BoxedStrategy<Value> {
    if patch {
        prop_oneof![3 => values, 1 => Just(Value::Null)].boxed()
    } else {
        values
    }
}

fn value_of(name: &str, patch: bool) -> BoxedStrategy<Value> {
    const KEYS: &[&str] = &["a", "b", "c", "~/"];
    let nested = |inner: BoxedStrategy<Value>| prop_oneof![5 => inner, 1 => Just(Value::Null)].boxed();
    match name {
        "metadata" => nested(object(
            KEYS,
            |_, patch| entry(Just(json!("x")).prop_union(Just(json!("ü"))).boxed(), patch),
            patch,
        )),
        "custom" => nested(object(
            KEYS,
            |_, patch| {
                entry(
                    prop_oneof![
                        (-3..3i64).prop_map(Value::from),
                        Just(json!(0.5)),
                        Just(json!(true))
                    ]
                    .boxed(),
                    patch,
                )
            },
            patch,
        )),
        "notifications" => nested(object(&["email", "product", "security"], |_, _| flag(), patch)),
        "theme" => or_null(&["system", "light", "dark"]),
        "emailVisibility" => or_null(&["private", "public"]),
        "language" | "locale" => or_null(&["de", "en-GB"]),
        "timeZone" => or_null(&["UTC", "Europe/Berlin"]),
        _ => or_null(&["Ada", "Zoë"]),
    }
}

fn body(resource: Resource, patch: bool) -> BoxedStrategy<Value> {
    let fields: &'static [&'static str] = match resource {
        Resource::Customer => &["name", "companyName", "displayName", "metadata"],
        Resource::User => &["displayName", "locale", "timeZone"],
        Resource::Preferences => &[
            "theme",
            "language",
            "timeZone",
            "emailVisibility",
            "notifications",
            "custom",
        ],
    };
    object(fields, value_of, patch)
}

fn ask() -> impl Strategy<Value = Ask> {
    let whos = prop::sample::select(&["auth0|ada", "user_bobbobbobbob", "eve"][..]);
    (whos, prop::sample::select(RESOURCES)).prop_flat_map(|(who, resource)| {
        let act = prop_oneof![
            2 => Just(Act::Read),
            5 => body(resource, true).prop_map(Act::Patch),
            2 => body(resource, false).prop_map(Act::Put),
            1 => Just(Act::Nonsense),
        ];
        let under = prop_oneof![5 => Just(Under::Nothing), 2 => Just(Under::Known), 1 => Just(Under::Wrong)];
        (act, under).prop_map(move |(act, under)| Ask {
            who,
            resource,
            act,
            under,
        })
    })
}

fn round() -> impl Strategy<Value = Round> {
    let harms = prop::sample::select(&[Harm::Error, Harm::Error, Harm::CrashBefore, Harm::CrashAfter][..]);
    let later = prop_oneof![3 => 0..5000i64, 1 => -5000..0i64, 1 => 0..10_000_000i64];
    (
        prop::collection::vec(ask(), 1..7),
        prop::option::of((0..24u64, harms)),
        later,
        any::<bool>(),
    )
        .prop_map(|(asks, harm, later_ms, restart)| Round {
            asks,
            harm,
            later_ms,
            restart,
        })
}

fn routes(resource: Resource) -> [Route; 3] {
    match resource {
        Resource::Customer => [Route::GetCustomer, Route::PatchCustomer, Route::PutCustomer],
        Resource::User => [Route::GetUser, Route::PatchUser, Route::PutUser],
        Resource::Preferences => [
            Route::GetPreferences,
            Route::PatchPreferences,
            Route::PutPreferences,
        ],
    }
}

struct History {
    world: World,
    model: Model,
    incarnation: String,
}

impl History {
    fn known(&self, ask: &Ask) -> i64 {
        let mut model = self.model.clone();
        model.meet(ask.who, 0);
        model.document(ask.who, ask.resource).version
    }

    fn request(&self, ask: &Ask) -> Request {
        let who = Who::user(ask.who);
        let [get, patch, put] = routes(ask.resource);
        let request = match &ask.act {
            Act::Read => who.asks(get),
            Act::Patch(body) => who.says(patch, body),
            Act::Put(body) => who.says(put, body),
            Act::Nonsense => who.says(patch, &json!({"nonsense": 1})),
        };
        match ask.under {
            Under::Nothing => request,
            Under::Known => request.if_match(&format!("\"{}.{}\"", self.incarnation, self.known(ask))),
            Under::Wrong => request.if_match("\"wrong\""),
        }
    }

    /// What the model does and answers.
    fn expect(&mut self, ask: &Ask, known: i64) -> Result<(Value, i64, i64), Code> {
        let now = self.world.now;
        self.model.meet(ask.who, now);
        let document = self.model.document(ask.who, ask.resource);
        if matches!(ask.act, Act::Nonsense) {
            return Err(Code::ValidationFailed);
        }
        let matches = match ask.under {
            Under::Nothing => true,
            Under::Known => document.version == known,
            Under::Wrong => false,
        };
        if !matches {
            return Err(Code::StaleVersion);
        }
        match &ask.act {
            Act::Patch(body) => document.write(body, false, now),
            Act::Put(body) => document.write(body, true, now),
            Act::Read | Act::Nonsense => {}
        }
        Ok((document.seen(), document.version, document.updated_at))
    }

    fn check(&mut self, ask: &Ask, known: i64, reply: &Reply) -> Result<(), TestCaseError> {
        match (self.expect(ask, known), reply) {
            (Err(code), Reply::Refused(error)) => prop_assert_eq!(error.code, code),
            (
                Ok((seen, number, updated_at)),
                Reply::Content {
                    body,
                    version: Some(version),
                    ..
                },
            ) => {
                let body: Value = serde_json::from_slice(body).unwrap();
                for (name, value) in seen.as_object().unwrap() {
                    prop_assert_eq!(&body[name], value, "{} of {:?}", name, ask);
                }
                prop_assert_eq!(version.number, number, "{:?}", ask);
                if ask.resource != Resource::Preferences {
                    let at = user_api::types::Timestamp::from_millis(updated_at).to_rfc3339();
                    prop_assert_eq!(&body["updatedAt"], &at);
                }
            }
            (expected, reply) => prop_assert!(false, "{:?}: {:?}, not {:?}", ask, reply, expected),
        }
        Ok(())
    }

    fn play(&mut self, round: &Round) -> Result<(), TestCaseError> {
        self.world.now += round.later_ms;
        let known: Vec<_> = round.asks.iter().map(|ask| self.known(ask)).collect();
        let requests: Vec<_> = round.asks.iter().map(|ask| self.request(ask)).collect();
        let entries = self.world.count("audit");
        if let Some((nth, harm)) = round.harm {
            self.world.sql.arm(nth, harm);
        }
        let replies = self.world.batch(&requests);
        let harmless = self.world.sql.disarm() || round.harm.is_none();
        prop_assert!(!harmless || replies.iter().all(Result::is_ok));
        if self.world.sql.is_dead() {
            prop_assert!(replies.iter().all(Result::is_err));
            self.world.restart();
            // All of them took effect, or none: the client does not know, the log does.
            if self.world.count("audit") != entries {
                for (ask, known) in round.asks.iter().zip(&known) {
                    let _ = self.expect(ask, *known);
                }
                prop_assert_eq!(self.world.count("audit"), entries + round.asks.len() as i64);
            }
        } else {
            for ((ask, known), reply) in round.asks.iter().zip(&known).zip(&replies) {
                if let Ok(reply) = reply {
                    self.check(ask, *known, reply)?;
                }
            }
            let answered = replies.iter().filter(|reply| reply.is_ok()).count();
            prop_assert_eq!(self.world.count("audit"), entries + answered as i64);
        }
        if round.restart {
            self.world.restart();
        }
        self.world.log();
        Ok(())
    }

    /// Everything that the model knows is what is read.
    fn settle(&mut self) -> Result<(), TestCaseError> {
        prop_assert_eq!(self.world.count("users"), self.model.users.len() as i64);
        let whos: Vec<_> = self.model.users.keys().copied().collect();
        for who in whos {
            for &resource in RESOURCES {
                let ask = Ask {
                    who,
                    resource,
                    act: Act::Read,
                    under: Under::Nothing,
                };
                let reply = self.world.send(&self.request(&ask));
                self.check(&ask, 0, &reply)?;
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(super::cases(150))]

    #[test]
    fn any_history_is_that_of_the_model(rounds in prop::collection::vec(round(), 1..8)) {
        let world = World::new();
        let model = Model::new("Acme", world.now - 1);
        let incarnation = world.sql.raw(|db| db.query_row("SELECT incarnation FROM customer", [], |row| row.get(0)));
        let mut history = History { world, model, incarnation: incarnation.unwrap() };
        for round in &rounds {
            history.play(round)?;
        }
        history.settle()?;
        history.world.restart();
        history.settle()?;
    }
}
