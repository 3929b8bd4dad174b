//! Records of an older service that move in meanwhile, step by step as the front runs it.

use super::callers::{Callers, Fate};
use super::service::id;
use crate::support::people::service;
use serde_json::json;
use user_api::customer::errand::By;
use user_api::customer::request::Origin;
use user_api::directory::ensure::{self, Ask};
use user_api::directory::moving::{Heard, Moving, Step};
use user_api::error::Code;
use user_api::legacy::Record;
use user_api::legacy::line::{self, Parsed};
use user_api::legacy::outcome::Outcome;
use user_api::types::{CustomerId, RequestId};

/// Most errands of one run.
const MAX_STEPS: usize = 64;

/// What a record says: of which customer, with which e-mail, and how many days it is younger than others. A customer
/// of a younger record was created later, and what it says was said later.
pub type Said = (&'static str, &'static str, i64);

/// A record on its way, and how far it is.
#[derive(Debug)]
pub struct Importing {
    customer: CustomerId,
    record: Record,
    run: Option<(Moving, Ask)>,
    /// What came of it last.
    pub came_to: Option<Imported>,
}

/// What is told of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Imported {
    Told(Outcome),
    /// It could not be taken now.
    Busy,
}

impl Importing {
    pub fn new((customer, email, days): &Said) -> Self {
        let value = json!({
            "email": email, "createdAt": 1_700_000_000 + days * 86_400, "updatedAt": 1_790_000_000 + days * 86_400,
        });
        let text = json!({"key": format!("customer:customer:{customer}"), "value": value}).to_string();
        let Parsed::Record {
            customer: of, record, ..
        } = line::read(text.as_bytes())
        else {
            panic!("no record");
        };
        assert_eq!(of, id(customer));
        Self {
            customer: of,
            record,
            run: None,
            came_to: None,
        }
    }

    /// Whoever carried it out dies.
    pub fn crash(&mut self) {
        self.run = None;
    }

    fn begin(&self) -> (Moving, Ask) {
        let by = By {
            caller: service().0,
            origin: Origin {
                request_id: RequestId::parse("req_1").unwrap(),
                caller_request_id: None,
                ip: None,
                user_agent: None,
            },
            fingerprint: None,
        };
        let mut moving = Moving::new(self.customer.clone(), vec![self.record.clone()], by);
        match asked(moving.step(None).unwrap()) {
            Ok(ask) => (moving, ask),
            Err(told) => panic!("told at once: {told:?}"),
        }
    }
}

/// What is to be asked, or what is told in the end.
fn asked(step: Step) -> Result<Ask, Imported> {
    match step {
        Step::Customer(errand) => Ok(Ask::Customer(Box::new(errand))),
        Step::Directory(what) => Ok(Ask::Directory(what)),
        Step::Done(told) => Err(Imported::Told(told[0].0)),
    }
}

impl Callers {
    /// Somebody who has moved in long ago.
    pub fn moved_in(&mut self, said: &Said) {
        self.imports.push(Importing::new(said));
        let told = self.import_alone(self.imports.len() - 1);
        assert_eq!(told, Imported::Told(Outcome::Created));
        self.quieten();
        self.imports.pop();
    }

    /// Lets one import finish with nobody in its way.
    pub fn import_alone(&mut self, number: usize) -> Imported {
        let told = (0..MAX_STEPS).find_map(|_| self.import(number, Fate::Heard));
        let told = told.expect("an import that nobody disturbs comes to its end");
        assert_ne!(told, Imported::Busy, "nobody is in its way");
        told
    }

    /// Takes the next step of an import, which begins if it is not under way. What is told, once it is.
    pub fn import(&mut self, number: usize, fate: Fate) -> Option<Imported> {
        let run = self.imports[number].run.take();
        let (mut moving, ask) = run.unwrap_or_else(|| self.imports[number].begin());
        if fate == Fate::Lost {
            // An errand that is not answered fails the record, which is sent again.
            return None;
        }
        let heard = self.service.ask(&ask);
        if fate == Fate::Repeated {
            self.late.push(ask.clone());
        }
        if let Ask::Customer(errand) = &ask
            && self.service.is_fresh(&errand.customer)
        {
            if fate == Fate::Untold {
                return None;
            }
            self.service.tell(&errand.customer, true);
        }
        if fate == Fate::Unheard {
            return None;
        }
        let heard = match heard {
            ensure::Heard::Customer(said) => Heard::Customer(said),
            ensure::Heard::Directory(kept) => Heard::Directory(kept),
        };
        let told = match moving.step(Some(heard)).map(asked) {
            Ok(Ok(ask)) => {
                self.imports[number].run = Some((moving, ask));
                return None;
            }
            Ok(Err(told)) => told,
            Err(error) => {
                assert_eq!(error.code, Code::Unavailable);
                Imported::Busy
            }
        };
        self.imports[number].came_to = Some(told);
        Some(told)
    }
}
