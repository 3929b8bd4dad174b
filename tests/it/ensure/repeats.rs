//! A service that sends a key of idempotency with the request that makes a customer: wherever the first try dies, and
//! however many there are at once, each try is answered that the request made the customer.

use super::service::{Service, id};
use crate::support::service;
use serde_json::json;
use user_api::customer::errand::By;
use user_api::customer::idempotency::{IdempotencyKey, Payload};
use user_api::customer::profile::NewCustomer;
use user_api::customer::request::Origin;
use user_api::directory::ensure::{Ask, Ensure, Ensured, Step, Wish};
use user_api::error::{Code, Error};
use user_api::operator::errand::Repeat;
use user_api::types::{Condition, RequestId};

fn wish(service_of: &Service, key: Option<&str>, named: Option<&str>, email: &str) -> Wish {
    let body = json!({"email": email, "customerId": named}).to_string();
    let caller = service().0;
    let repeat = key.map(|key| Repeat {
        key: IdempotencyKey::parse(key).unwrap(),
        method: "POST".to_owned(),
        path: "/internal/customers".to_owned(),
        payload: Payload::new(&Condition::default(), body.as_bytes()).unwrap(),
    });
    Wish {
        named: named.map(id),
        index: service_of.index(email),
        new: NewCustomer::parse(json!({"email": email}).to_string().as_bytes()).unwrap(),
        by: By {
            fingerprint: repeat.and_then(|repeat| repeat.fingerprint(&caller)),
            caller,
            origin: Origin {
                request_id: RequestId::parse("req_1").unwrap(),
                caller_request_id: None,
                ip: None,
                user_agent: None,
            },
        },
    }
}

/// A try, which goes on errand by errand.
struct Try {
    ensure: Ensure,
    ask: Ask,
}

impl Try {
    fn new(service: &mut Service, wish: Wish) -> Self {
        let minted = service.mint(0);
        let (ensure, ask) = Ensure::start(wish, minted);
        Self { ensure, ask }
    }

    fn go_on(&mut self, service: &mut Service) -> Option<Result<Ensured, Error>> {
        match self.ensure.step(service.ask(&self.ask)) {
            Ok(Step::Ask(ask)) => {
                self.ask = ask;
                None
            }
            Ok(Step::Done(ensured)) => Some(Ok(ensured)),
            Err(error) => Some(Err(error)),
        }
    }

    fn finish(mut self, service: &mut Service) -> Result<Ensured, Error> {
        loop {
            if let Some(done) = self.go_on(service) {
                return done;
            }
        }
    }
}

fn answer(
    service: &mut Service,
    key: Option<&str>,
    named: Option<&str>,
    email: &str,
) -> Result<Ensured, Error> {
    let wish = wish(service, key, named, email);
    Try::new(service, wish).finish(service)
}

const E_MAIL: &str = "a@x.example";

#[test]
fn wherever_the_first_try_dies_the_repetition_made_the_customer() {
    for named in [None, Some("cust_a")] {
        for steps in 0..8 {
            let mut service = Service::new();
            let first = wish(&service, Some("k"), named, E_MAIL);
            let mut first = Try::new(&mut service, first);
            let died = (0..steps).all(|_| first.go_on(&mut service).is_none());
            let mut answers = Vec::new();
            for _ in 0..3 {
                for id in service.ids() {
                    service.evict(&id);
                }
                let again = answer(&mut service, Some("k"), named, E_MAIL).unwrap();
                assert!(again.created, "{named:?}, dead after {steps}: {died}");
                answers.push(again.customer_id);
            }
            answers.dedup();
            assert_eq!(answers.len(), 1);
            // Whoever has another key, or none, has not made it.
            for key in [None, Some("other")] {
                let other = answer(&mut service, key, named, E_MAIL).unwrap();
                assert_eq!((other.created, &other.customer_id), (false, &answers[0]));
            }
        }
    }
}

#[test]
fn of_many_at_once_under_one_key_each_made_the_customer() {
    for named in [None, Some("cust_a")] {
        let mut service = Service::new();
        let mut tries: Vec<_> = (0..20)
            .map(|_| {
                let wish = wish(&service, Some("k"), named, E_MAIL);
                Try::new(&mut service, wish)
            })
            .collect();
        let mut answers = Vec::new();
        while !tries.is_empty() {
            tries.retain_mut(|one| match one.go_on(&mut service) {
                None => true,
                Some(done) => {
                    answers.push(done.unwrap());
                    false
                }
            });
        }
        assert!(answers.iter().all(|one| one.created));
        let repeated = answers.iter().filter(|one| one.repeated).count();
        assert_eq!((answers.len(), repeated), (20, 19));
        answers.dedup_by_key(|one| one.customer_id.clone());
        assert_eq!(answers.len(), 1);
    }
}

#[test]
fn a_customer_that_was_there_is_told_as_such_and_another_body_is_refused() {
    let mut service = Service::new();
    let there = answer(&mut service, None, Some("cust_a"), E_MAIL).unwrap();
    assert!(there.created);
    for _ in 0..2 {
        let told = answer(&mut service, Some("k"), Some("cust_a"), E_MAIL).unwrap();
        assert!(!told.created && !told.repeated);
    }
    assert!(
        answer(&mut service, Some("new"), Some("cust_b"), "b@x.example")
            .unwrap()
            .created
    );
    let reused = answer(&mut service, Some("new"), Some("cust_b"), "c@x.example").unwrap_err();
    assert_eq!(reused.code, Code::IdempotencyKeyReused);
}

#[test]
fn what_was_kept_is_forgotten_after_a_day() {
    let mut service = Service::new();
    assert!(
        answer(&mut service, Some("k"), Some("cust_a"), E_MAIL)
            .unwrap()
            .created
    );
    service.now += 86_400_000;
    let later = answer(&mut service, Some("k"), Some("cust_a"), E_MAIL).unwrap();
    assert!(!later.created);
}
