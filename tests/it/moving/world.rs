//! All objects of a small service, in which records move in as the front runs them.

use crate::support::Workerd;
use crate::support::people::{admin, service};
use crate::support::world::{NEW_YEAR, Seeded};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::rc::Rc;
use user_api::caller::Caller;
use user_api::crypto::{IndexKeys, MasterKeys, SigningKeys, Wrapped};
use user_api::customer::account::Claimed;
use user_api::customer::config::Config;
use user_api::customer::errand::{self, By, Create, Errand};
use user_api::customer::export::Export;
use user_api::customer::limits::RateLimits;
use user_api::customer::profile::NewCustomer;
use user_api::customer::request::{Origin, Reply, Request};
use user_api::customer::{Customer, batch};
use user_api::directory::Directory;
use user_api::directory::change::{self, Change};
use user_api::directory::ensure;
use user_api::directory::errand::{Answer, Errand as Asked, What};
use user_api::directory::moving::{Heard, Moving, Step};
use user_api::edge::reply;
use user_api::edge::route::Route;
use user_api::email::EmailIndex;
use user_api::legacy::line::{self, Parsed};
use user_api::legacy::outcome::Outcome;
use user_api::sql::Sql;
use user_api::types::{CustomerId, RequestId, Timestamp};
use user_api::vault::Held;

pub struct World {
    pub objects: BTreeMap<String, (Workerd, Customer)>,
    /// What the vaults hold.
    keys: BTreeMap<String, Wrapped>,
    claims: (Workerd, Directory),
    config: Rc<Config>,
    pub now: i64,
    entropy: Seeded,
    /// Steps that are left before whoever runs the errands dies.
    pub steps_left: usize,
}

pub fn id(text: &str) -> CustomerId {
    CustomerId::parse(text).unwrap()
}

pub fn by() -> By {
    let Caller::Service(service) = service().0 else {
        panic!("no service")
    };
    By {
        caller: Caller::Service(service),
        origin: Origin {
            request_id: RequestId::parse("req_1").unwrap(),
            caller_request_id: None,
            ip: None,
            user_agent: None,
        },
        fingerprint: None,
    }
}

impl World {
    pub fn new() -> Self {
        let config = Config {
            audit_retention_ms: 730 * 24 * 3_600_000,
            index: IndexKeys::derive(&[7; 32]).unwrap(),
            limits: RateLimits::parse("{}").unwrap(),
            max_ttl_secs: 86_400,
            erasure_grace_days: 7,
            master_keys: MasterKeys::new(vec![(1, [9; 32])]),
            signing: SigningKeys::new([("1", &[8; 32])].into_iter()).unwrap(),
            render: reply::stored,
        };
        Self {
            objects: BTreeMap::new(),
            keys: BTreeMap::new(),
            claims: (Workerd::new(), Directory::new("claims-0").unwrap()),
            config: Rc::new(config),
            now: NEW_YEAR,
            entropy: Seeded(7),
            steps_left: usize::MAX,
        }
    }

    pub fn index(&self, email: &str) -> EmailIndex {
        self.config.index.email(email).unwrap()
    }

    fn object(&mut self, id: &CustomerId) -> &mut (Workerd, Customer) {
        let config = Rc::clone(&self.config);
        self.objects
            .entry(id.to_string())
            .or_insert_with(|| (Workerd::new(), Customer::new(id.clone(), config)))
    }

    /// Asks the vault of an id for what its object needs before it decides.
    fn unlock(&mut self, id: &CustomerId, creates: bool) {
        let mut entropy = self.entropy.clone();
        let (sql, customer) = self.object(id);
        let mut next = customer.key_errand(sql, creates, &mut entropy).unwrap();
        while let Some(errand) = next {
            if let user_api::vault::Errand::Create(made) = errand {
                self.keys.entry(id.to_string()).or_insert(made);
            }
            let held = Held {
                wrapped: self.keys.get(id.as_str()).cloned(),
            };
            let (sql, customer) = self.object(id);
            next = customer.key_answer(sql, &held, &mut entropy).unwrap();
        }
        self.entropy = entropy;
    }

    pub fn errand(&mut self, errand: &Errand) -> errand::Answer {
        // As it travels.
        let errand: Errand = serde_json::from_slice(&serde_json::to_vec(errand).unwrap()).unwrap();
        self.unlock(&errand.customer, errand.creates());
        let (now, mut entropy) = (Timestamp::from_millis(self.now), self.entropy.clone());
        let (sql, customer) = self.object(&errand.customer.clone());
        let mut answer = None;
        sql.transaction(&mut || {
            answer = Some(customer.run_errand(sql, &errand, now, &mut entropy)?);
            Ok(())
        })
        .unwrap();
        self.entropy = entropy;
        answer.unwrap()
    }

    pub fn directory(&mut self, what: What) -> Answer {
        let (sql, directory) = &mut self.claims;
        let mut answer = None;
        let errand = Asked { shards: 1, what };
        sql.transaction(&mut || {
            answer = Some(directory.handle(sql, &errand)?);
            Ok(())
        })
        .unwrap();
        answer.unwrap()
    }

    /// Moves the records of one customer in; `None` if whoever did it died on the way.
    fn move_in(&mut self, mut moving: Moving) -> Option<Vec<Outcome>> {
        let mut heard = None;
        loop {
            let step = moving.step(heard).unwrap();
            if self.steps_left == 0 {
                return None;
            }
            self.steps_left -= 1;
            heard = Some(match step {
                Step::Done(results) => {
                    return Some(results.into_iter().map(|(outcome, _)| outcome).collect());
                }
                Step::Customer(errand) => Heard::Customer(self.errand(&errand)),
                Step::Directory(what) => Heard::Directory(self.directory(what)),
            });
        }
    }

    /// One line of a dump; what it came to, `None` as above.
    pub fn line(&mut self, line: &Value) -> Option<Outcome> {
        match line::read(line.to_string().as_bytes()) {
            Parsed::Told(told) => Some(told.outcome),
            Parsed::Record { customer, record, .. } => {
                let told = self.move_in(Moving::new(customer, vec![record], by()));
                self.deliver();
                told.map(|told| told[0])
            }
        }
    }

    #[track_caller]
    pub fn told(&mut self, key: &str, value: Value) -> Outcome {
        self.line(&json!({"key": key, "value": value})).unwrap()
    }

    /// What the alarms would do: every release is delivered.
    pub fn deliver(&mut self) {
        let ids: Vec<String> = self.objects.keys().cloned().collect();
        for name in ids {
            self.unlock(&id(&name), false);
            let mut notices = Vec::new();
            let (sql, customer) = self.objects.get_mut(&name).unwrap();
            sql.transaction(&mut || {
                notices = customer.notices(sql, Timestamp::MAX)?;
                Ok(())
            })
            .unwrap();
            for (notice, told) in notices {
                if let user_api::customer::outbox::Told::Release { index, attempt } = told {
                    self.directory(What::Release {
                        index,
                        holder: id(&name),
                        attempt,
                    });
                }
                let now = Timestamp::from_millis(self.now);
                let (sql, customer) = self.objects.get_mut(&name).unwrap();
                sql.transaction(&mut || customer.noticed(sql, &notice, true, now))
                    .unwrap();
            }
        }
    }

    /// Who holds the e-mail.
    pub fn holder(&mut self, email: &str) -> Option<String> {
        let index = self.index(email);
        match self.directory(What::Look { index }) {
            Answer::Claim(claim) => claim.map(|claim| claim.holder.to_string()),
            other => panic!("{other:?}"),
        }
    }

    /// A customer that a service made here.
    pub fn create(&mut self, name: &str, email: &str) {
        let index = self.index(email);
        self.directory(What::Claim {
            index,
            candidate: id(name),
            attempt: 0,
        });
        let body = json!({"email": email, "customerId": name}).to_string();
        let create = Create {
            index: Some(index),
            email_claimed: true,
            attempt: 0,
            new: NewCustomer::parse(body.as_bytes()).unwrap(),
            created_at: None,
            by: by(),
        };
        let answer = self.errand(&Errand {
            customer: id(name),
            what: errand::What::Create(Box::new(create)),
        });
        assert_eq!(answer, errand::Answer::Created);
    }

    pub fn send(&mut self, name: &str, request: &Request) -> Reply {
        self.unlock(&id(name), false);
        let (now, mut entropy) = (Timestamp::from_millis(self.now), self.entropy.clone());
        let (sql, customer) = self.object(&id(name));
        let reply = batch::run(customer, sql, std::slice::from_ref(request), now, &mut entropy)
            .remove(0)
            .unwrap();
        self.entropy = entropy;
        reply.reply
    }

    /// An administrator's change, with the claim that it may want, as the object's shell carries it out.
    pub fn change(&mut self, name: &str, mut request: Request) -> Reply {
        let reply = self.send(name, &request);
        let Reply::Claim(wanted) = reply else {
            return reply;
        };
        let (mut change, mut ask) = Change::start(id(name), wanted.clone());
        loop {
            let heard = match &ask {
                ensure::Ask::Customer(errand) => ensure::Heard::Customer(self.errand(errand)),
                ensure::Ask::Directory(what) => ensure::Heard::Directory(self.directory(what.clone())),
            };
            match change.step(heard).unwrap() {
                change::Step::Ask(next) => ask = next,
                change::Step::Done(held) => {
                    request.claimed = Some(Claimed { wanted, held });
                    let reply = self.send(name, &request);
                    self.deliver();
                    return reply;
                }
            }
        }
    }

    #[track_caller]
    pub fn json(&mut self, name: &str, request: &Request) -> Value {
        match self.send(name, request) {
            Reply::Content { body, .. } => serde_json::from_slice(&body).unwrap(),
            other => panic!("no content: {other:?}"),
        }
    }

    /// An export that begins.
    pub fn begin_export(&mut self, name: &str) -> Export {
        match self.send(name, &admin().sends_to(Route::AdminExport, name, b"")) {
            Reply::Archive(plan) => Export::new(*plan),
            other => panic!("no export: {other:?}"),
        }
    }

    /// All of it.
    pub fn take(&mut self, name: &str, export: &mut Export) -> Vec<u8> {
        let (now, mut entropy) = (Timestamp::from_millis(self.now), self.entropy.clone());
        let mut bytes = Vec::new();
        let (sql, customer) = self.objects.get_mut(name).unwrap();
        while !export.is_done() {
            sql.transaction(&mut || {
                bytes.extend(customer.pull(sql, export, now, &mut entropy)?);
                Ok(())
            })
            .unwrap();
        }
        self.entropy = entropy;
        bytes
    }

    pub fn rows(&self, name: &str, table: &str) -> i64 {
        let count = format!("SELECT count(*) FROM {table}");
        self.objects[name]
            .0
            .raw(|db| db.query_row(&count, [], |row| row.get(0)))
            .unwrap()
    }

    pub fn set_status(&mut self, name: &str, status: &str) {
        let (sql, customer) = self.objects.get_mut(name).unwrap();
        sql.raw(|db| db.execute("UPDATE customer SET status = ?1", [status]))
            .unwrap();
        customer.forget();
    }

    /// As after an eviction of all.
    pub fn sleep(&mut self) {
        for (_, customer) in self.objects.values_mut() {
            customer.forget_key();
        }
    }
}
