//! The wired whole against a model that knows nothing of it: users, keys and administrators, with a clock that
//! stands still and goes back, evictions and restarts in between. The model lives by the time that really passes,
//! which is what the clock moves forward; it judges each answer and then believes it.

mod step;

use self::step::{Passed, Step, step};
use crate::support::people::Who;
use crate::support::world::World;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use user_api::customer::request::{Reply, Request};
use user_api::edge::route::Route;
use user_api::error::Code;
use user_api::types::{CustomerId, Timestamp};

const PLAN: &str =
    r#"{"free":[{"name":"burst","q":6,"w":10,"burst":4},{"name":"day","q":60,"w":3600,"burst":90}]}"#;
/// What an administrator may set, in turn: looser, tighter, with another window, gone.
const LISTS: [&str; 4] = [
    r#"[{"name":"mail","q":5,"w":30,"burst":8},{"name":"jobs","q":3,"w":20,"unit":"concurrent-requests"}]"#,
    r#"[{"name":"mail","q":1,"w":7,"burst":3},{"name":"jobs","q":2,"w":5,"unit":"concurrent-requests"}]"#,
    r#"[{"name":"mail","q":90,"w":600,"burst":5},{"name":"burst","q":2,"w":9}]"#,
    "[]",
];
const KEY_LIMIT: (u64, u64) = (5, 40);
/// Tokens older than this are not used any more: authentication would refuse them.
const MAX_AGE_MS: i64 = 80_000_000;

#[derive(Debug, Clone)]
struct Lease {
    id: String,
    cost: u64,
    since: i64,
}

#[derive(Debug, Clone)]
struct Token {
    jti: String,
    issued_at: i64,
    since: i64,
    is_revoked: bool,
}

#[derive(Debug, Clone)]
struct Key {
    who: Who,
    id: String,
    family: Option<usize>,
    ended: Option<Code>,
}

struct Model {
    world: World,
    /// Milliseconds that really passed.
    lived: i64,
    policies: BTreeMap<String, Passed>,
    /// How many places there are, for how long.
    jobs: Option<(u64, u64)>,
    leases: Vec<Lease>,
    leases_are_exact: bool,
    tokens: Vec<Token>,
    not_before: i64,
    keys: Vec<Key>,
    families: usize,
    made: u64,
    /// What was refused last by a limit: the request, what it asks for, how long it was told to wait.
    refused: Option<(Request, Ask, u64)>,
}

/// What a request asks of the limits: units of policies, and places.
#[derive(Debug, Clone, Default)]
struct Ask {
    units: Vec<(String, u64)>,
    places: u64,
}

fn admin() -> Who {
    Who::user("auth0|root").change(|user| {
        user.is_admin = true;
        user.customer = Some(CustomerId::parse("cust_operators").unwrap());
        user.issued_at = 0;
    })
}

fn owner() -> Who {
    Who::user("auth0|owner")
        .email("owner@example.com")
        .change(|user| {
            user.jti = Some("of-the-owner".to_owned());
            user.issued_at = 4_000_000_000;
        })
}

impl Model {
    fn new() -> Self {
        let plan: Value = serde_json::from_str(PLAN).unwrap();
        let policies = plan["free"].as_array().unwrap().iter();
        let policies =
            policies.map(|policy| (policy["name"].as_str().unwrap().to_owned(), Passed::new(policy)));
        let mut model = Self {
            world: World::limited(PLAN),
            lived: 0,
            policies: policies.collect(),
            jobs: None,
            leases: Vec::new(),
            leases_are_exact: true,
            tokens: Vec::new(),
            not_before: -1,
            keys: Vec::new(),
            families: 0,
            made: 0,
            refused: None,
        };
        for index in 0..3 {
            let token = model.fresh_token();
            model.tokens.push(token);
            model.wait(60_000);
            let key = model.fresh_key(index == 0).unwrap();
            model.keys.push(key);
        }
        model.wait(60_000);
        model
    }

    fn wait(&mut self, ms: i64) {
        self.lived += ms;
        self.world.now += ms;
    }

    fn fresh_token(&mut self) -> Token {
        self.made += 1;
        Token {
            jti: format!("jti-{}", self.made),
            issued_at: self.world.now / 1000,
            since: self.lived,
            is_revoked: false,
        }
    }

    fn fresh_key(&mut self, is_limited: bool) -> Option<Key> {
        let mut body = json!({"name": "CI", "scopes": ["customer:read", "limits:consume"]});
        if is_limited {
            body["limit"] = json!({"q": KEY_LIMIT.0, "w": KEY_LIMIT.1});
        }
        let shown = self.as_owner(&owner().says(Route::CreateKey, &body))?;
        let family = is_limited.then(|| {
            self.families += 1;
            let limit = Passed::new(&json!({"q": KEY_LIMIT.0, "w": KEY_LIMIT.1}));
            self.policies.insert(format!("family-{}", self.families), limit);
            self.families
        });
        Some(Self::key_of(&shown, family))
    }

    fn key_of(shown: &Value, family: Option<usize>) -> Key {
        Key {
            who: Who::key(shown["secret"].as_str().unwrap()),
            id: shown["keyId"].as_str().unwrap().to_owned(),
            family,
            ended: None,
        }
    }

    /// What a request that is charged spends.
    fn of_plan(&self, family: Option<usize>) -> Ask {
        let family = family.map(|family| format!("family-{family}"));
        let names = ["burst".to_owned(), "day".to_owned()].into_iter().chain(family);
        Ask {
            units: names.map(|name| (name, 1)).collect(),
            places: 0,
        }
    }

    fn has_places(&self, places: u64) -> bool {
        let Some((q, w)) = self.jobs else {
            return true;
        };
        let life = i64::try_from(w).unwrap() * 1000;
        let held = self.leases.iter().filter(|lease| self.lived - lease.since < life);
        held.map(|lease| lease.cost).sum::<u64>() + places <= q
    }

    /// Judges what the limits said, and believes it. True if they let the request pass.
    fn judge(&mut self, request: &Request, reply: &Reply, ask: &Ask) -> bool {
        let fitting = |(name, cost): &(String, u64)| self.policies[name].fits(self.lived, *cost);
        let fits = ask.units.iter().all(fitting) && (ask.places == 0 || self.has_places(ask.places));
        if let Reply::Refused(error) = reply
            && error.code == Code::QuotaExceeded
        {
            let knows = ask.units.iter().all(|(name, _)| self.policies[name].is_exact)
                && (ask.places == 0 || self.leases_are_exact);
            assert!(!knows || !fits, "refused without need at {}: {ask:?}", self.lived);
            let wait = error.retry_after_secs.expect("honest advice");
            assert!(wait >= 1);
            self.refused = Some((request.clone(), ask.clone(), wait));
            return false;
        }
        assert!(fits, "more than the promise at {}: {ask:?}", self.lived);
        for (name, cost) in &ask.units {
            let passed = self.policies.get_mut(name).unwrap();
            passed.costs.push((self.lived, *cost));
        }
        if let (Reply::Content { body, .. }, true) = (reply, ask.places > 0) {
            let shown: Value = serde_json::from_slice(body).unwrap();
            self.leases.push(Lease {
                id: shown["lease"].as_str().unwrap().to_owned(),
                cost: ask.places,
                since: self.lived,
            });
        }
        // Whatever else passes now may delay what was refused before.
        self.refused = None;
        true
    }

    /// Sends a request of the owner, which is charged like any other.
    fn as_owner(&mut self, request: &Request) -> Option<Value> {
        let reply = self.world.send(request);
        let ask = self.of_plan(None);
        let passed = self.judge(request, &reply, &ask);
        self.refused = None;
        passed.then(|| match reply {
            Reply::Content { body, .. } => serde_json::from_slice(&body).unwrap(),
            Reply::Done => Value::Null,
            other => panic!("{other:?}"),
        })
    }

    /// Sends the same request so many times in one batch, by a credential that works or has ended.
    fn send(&mut self, request: &Request, ask: &Ask, ended: Option<Code>, times: usize) {
        for reply in self.world.batch(&vec![request.clone(); times]) {
            let reply = reply.unwrap();
            match (&reply, ended) {
                (Reply::Refused(error), Some(code)) => assert_eq!(error.code, code),
                (Reply::Refused(error), None) if error.code != Code::QuotaExceeded => panic!("{error:?}"),
                (_, Some(code)) => panic!("passed after its end ({code:?}): {reply:?}"),
                _ => {
                    self.judge(request, &reply, ask);
                }
            }
        }
    }

    fn token(&self, index: usize) -> (Who, Option<Code>) {
        let token = &self.tokens[index];
        let who = Who::user(&format!("auth0|u{index}")).change(|user| {
            user.jti = Some(token.jti.clone());
            user.issued_at = token.issued_at;
        });
        let is_dead = token.is_revoked || token.issued_at <= self.not_before;
        (who, is_dead.then_some(Code::TokenRevoked))
    }

    fn read(&mut self, who: usize, times: usize) {
        if who < 3 {
            if self.lived - self.tokens[who].since < MAX_AGE_MS {
                let (caller, ended) = self.token(who);
                let ask = self.of_plan(None);
                self.send(&caller.asks(Route::GetCustomer), &ask, ended, times);
            }
            return;
        }
        let key = self.keys[who - 3].clone();
        let ask = self.of_plan(key.family);
        self.send(&key.who.asks(Route::GetCustomer), &ask, key.ended, times);
    }

    fn consume(&mut self, key: usize, mail: u64, jobs: u64, times: usize) {
        let key = self.keys[key].clone();
        let mut wanted = Vec::new();
        let mut ask = Ask::default();
        let bounds = [
            self.policies.get("mail").map_or(0, |mail| mail.burst),
            self.jobs.map_or(0, |jobs| jobs.0),
        ];
        if (1..=bounds[0]).contains(&mail) {
            wanted.push(json!({"name": "mail", "cost": mail}));
            ask.units.push(("mail".to_owned(), mail));
        }
        if (1..=bounds[1]).contains(&jobs) {
            wanted.push(json!({"name": "jobs", "cost": jobs}));
            ask.places = jobs;
        }
        if !wanted.is_empty() {
            let request = key.who.says(Route::ConsumeLimits, &json!({"policies": wanted}));
            self.send(&request, &ask, key.ended, times);
        }
    }

    fn release(&mut self, index: usize) {
        let Some(key) = self.keys.iter().find(|key| key.ended.is_none()).cloned() else {
            return;
        };
        if index < self.leases.len() {
            let lease = self.leases.swap_remove(index);
            let body = json!({"lease": lease.id});
            assert_eq!(
                self.world.send(&key.who.says(Route::ReleaseLease, &body)),
                Reply::Done
            );
        }
    }

    /// Whoever waits the told time gets in, however the object fared meanwhile.
    fn heed(&mut self, evicts: bool) {
        let Some((request, ask, wait)) = self.refused.take() else {
            return;
        };
        let wait = i64::try_from(wait).unwrap() * 1000;
        self.wait(wait / 3);
        if evicts {
            self.world.restart();
        }
        self.wait(wait - wait / 3);
        let reply = self.world.send(&request);
        // What was asked for may be done by a credential that has ended since, or of a policy that is gone.
        if let Reply::Refused(error) = &reply {
            assert!(
                error.code != Code::QuotaExceeded,
                "waited {wait} ms in vain: {ask:?} {error:?}"
            );
            return;
        }
        assert!(self.judge(&request, &reply, &ask));
    }

    /// What an administrator sets holds at once. The model knows what passes from then on, not what was spent.
    fn set_limits(&mut self, index: usize) {
        let list: Vec<Value> = serde_json::from_str(LISTS[index]).unwrap();
        let put = admin().sends_to(Route::AdminPutLimits, "cust_acme", LISTS[index].as_bytes());
        self.world.json(&put);
        self.refused = None;
        self.leases_are_exact = false;
        self.jobs = None;
        self.policies.remove("mail");
        let mut policies: BTreeMap<&str, &Value> = BTreeMap::new();
        let plan: Value = serde_json::from_str(PLAN).unwrap();
        policies.insert("burst", &plan["free"][0]);
        for policy in &list {
            let name = policy["name"].as_str().unwrap();
            if name == "jobs" {
                self.jobs = Some((policy["q"].as_u64().unwrap(), policy["w"].as_u64().unwrap()));
            } else {
                policies.insert(name, policy);
            }
        }
        for (name, policy) in policies {
            let mut passed = Passed::new(policy);
            passed.is_exact = false;
            self.policies.insert(name.to_owned(), passed);
        }
        // Leases of before count for their former life at most; that of the new policy begins with it.
        self.leases.clear();
    }

    fn end_key(&mut self, index: usize, rotates: bool) {
        let key = self.keys[index].clone();
        if key.ended.is_some() {
            return;
        }
        self.refused = None;
        if rotates {
            let request = owner().sends_to(Route::RotateKey, &key.id, br#"{"graceSeconds": 0}"#);
            if let Some(shown) = self.as_owner(&request) {
                // The old one is tried once more, and never passes again.
                let ask = self.of_plan(key.family);
                self.send(
                    &key.who.asks(Route::GetCustomer),
                    &ask,
                    Some(Code::InvalidApiKey),
                    2,
                );
                self.keys[index] = Self::key_of(&shown, key.family);
            }
        } else {
            // No limit keeps the owner from it, and it spends nothing.
            let request = owner().sends_to(Route::RevokeKey, &key.id, b"");
            assert_eq!(self.world.send(&request), Reply::Done);
            self.refused = None;
            self.keys[index].ended = Some(Code::TokenRevoked);
        }
    }

    fn revoke_all(&mut self) {
        let body = br#"{"all": true}"#;
        let request = admin().sends_to(Route::AdminRevokeTokens, "cust_acme", body);
        assert_eq!(self.world.send(&request), Reply::Done);
        self.not_before = self.not_before.max(self.world.now / 1000);
    }

    fn revoke_token(&mut self, index: usize) {
        let body = json!({"jti": self.tokens[index].jti}).to_string();
        let request = admin().sends_to(Route::AdminRevokeTokens, "cust_acme", body.as_bytes());
        assert_eq!(self.world.send(&request), Reply::Done);
        self.tokens[index].is_revoked = true;
    }

    fn tick(&mut self) {
        self.world.unlock(false).unwrap();
        let now = Timestamp::from_millis(self.world.now);
        let World {
            customer,
            sql,
            entropy,
            ..
        } = &mut self.world;
        customer.tick(sql, now, entropy).unwrap();
    }

    fn go_back(&mut self, ms: i64) {
        self.world.now -= ms;
        self.refused = None;
        self.leases_are_exact = false;
        for passed in self.policies.values_mut() {
            passed.is_exact = false;
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Read { who, times } => self.read(who, times),
            Step::Consume {
                key,
                mail,
                jobs,
                times,
            } => self.consume(key, mail, jobs, times),
            Step::Release(index) => self.release(index),
            Step::Heed(evicts) => self.heed(evicts),
            Step::SetLimits(index) => self.set_limits(index),
            Step::RevokeToken(index) => self.revoke_token(index),
            Step::RevokeAll => self.revoke_all(),
            Step::NewToken(index) => {
                // The object has seen the moment at which it is issued.
                self.world
                    .json(&admin().sends_to(Route::AdminGetLimits, "cust_acme", b""));
                self.tokens[index] = self.fresh_token();
            }
            Step::RevokeKey(index) => self.end_key(index, false),
            Step::RotateKey(index) => self.end_key(index, true),
            Step::NewKey(index) => {
                if let Some(key) = self.fresh_key(index == 0) {
                    self.keys[index] = key;
                }
            }
            Step::Wait(ms) => {
                self.refused = None;
                self.wait(ms);
            }
            Step::Back(ms) => self.go_back(ms),
            Step::Evict => self.world.restart(),
            Step::Forget => self.world.customer.forget(),
            Step::Tick => self.tick(),
        }
    }
}

proptest! {
    #![proptest_config(crate::properties::cases(256))]

    #[test]
    fn no_history_passes_more_than_was_promised_or_less_than_was_told(steps in prop::collection::vec(step(), 1..90)) {
        let mut model = Model::new();
        for step in steps {
            model.take(step);
        }
    }
}
