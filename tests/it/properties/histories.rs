//! Random histories: commands of several users in batches, with faults, crashes and restarts between, against
//! the model.

use super::model::{Model, Resource};
use super::rounds::{Act, Ask, RESOURCES, Round, Under, round};
use crate::support::people::Conditional;
use crate::support::{Who, World};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use user_api::customer::request::{Reply, Request};
use user_api::edge::route::Route;
use user_api::error::Code;

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
    /// First halves of users' tags, by the answers in which they came.
    of_users: BTreeMap<&'static str, String>,
}

impl History {
    /// The first half of the resource's tag, if a client can know it.
    fn incarnation(&self, ask: &Ask) -> Option<&String> {
        match ask.resource {
            Resource::Customer => Some(&self.incarnation),
            Resource::User | Resource::Preferences => self.of_users.get(ask.who),
        }
    }

    /// The number that a client knows; none of a user that was never shown to it.
    fn known(&self, ask: &Ask) -> i64 {
        if self.incarnation(ask).is_none() {
            return -1;
        }
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
            Under::Known => {
                let incarnation = self.incarnation(ask).unwrap_or(&self.incarnation);
                request.if_match(&format!("\"{incarnation}.{}\"", self.known(ask)))
            }
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
                if ask.resource != Resource::Customer {
                    self.of_users
                        .entry(ask.who)
                        .or_insert_with(|| version.incarnation.clone());
                }
                prop_assert_eq!(Some(&version.incarnation), self.incarnation(ask), "{:?}", ask);
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
        let mut history = History { world, model, incarnation: incarnation.unwrap(), of_users: BTreeMap::new() };
        for round in &rounds {
            history.play(round)?;
        }
        history.settle()?;
        history.world.restart();
        history.settle()?;
        let tags: BTreeSet<_> = history.of_users.values().chain([&history.incarnation]).collect();
        prop_assert_eq!(tags.len(), history.of_users.len() + 1, "two share a tag");
    }
}
