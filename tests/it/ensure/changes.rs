//! Administrators who change customers' e-mails meanwhile, step by step as the customer's object does it.

use super::callers::{Callers, Fate};
use super::service::{Kept, id};
use crate::support::people::admin;
use serde_json::json;
use user_api::customer::account::{Claimed, PENDING_MS, Wanted};
use user_api::customer::request::Reply;
use user_api::directory::change::{Change, Step};
use user_api::directory::ensure::Ask;
use user_api::directory::errand::{Answer, What};
use user_api::edge::route::Route;
use user_api::error::Code;
use user_api::types::CustomerId;

/// Somebody's wish that a customer have another e-mail, and how far it is.
#[derive(Debug)]
pub struct Changing {
    customer: CustomerId,
    email: String,
    run: Option<Run>,
    /// What came of it last.
    pub came_to: Option<Changed>,
}

#[derive(Debug)]
enum Run {
    Send(Option<Claimed>),
    Claim(Change, Box<Ask>, Wanted),
}

/// What an administrator was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    Done,
    Taken,
    /// There is no such customer.
    Nobody,
    /// Too many are at it.
    Busy,
}

impl Changing {
    pub fn new(customer: &str, email: &str) -> Self {
        Self {
            customer: id(customer),
            email: email.to_owned(),
            run: None,
            came_to: None,
        }
    }

    /// Whoever carried it out dies.
    pub fn crash(&mut self) {
        self.run = None;
    }
}

impl Callers {
    /// Takes the next step of a change, which begins if it is not under way. What it is answered, once it is.
    pub fn change(&mut self, number: usize, fate: Fate) -> Option<Changed> {
        let changing = &mut self.changes[number];
        let run = changing.run.take().unwrap_or(Run::Send(None));
        if fate == Fate::Lost {
            // A request is sent again; what an object asks of others on the way fails the request.
            changing.run = Some(run).filter(|run| matches!(run, Run::Send(_)));
            return None;
        }
        let came_to = match run {
            Run::Send(claimed) => self.send_change(number, claimed, fate),
            Run::Claim(change, ask, wanted) => self.claim_change(number, (change, *ask, wanted), fate),
        };
        if came_to.is_some() {
            self.changes[number].came_to = came_to;
        }
        came_to
    }

    fn send_change(&mut self, number: usize, claimed: Option<Claimed>, fate: Fate) -> Option<Changed> {
        let Changing { customer, email, .. } = &self.changes[number];
        let (customer, email) = (customer.clone(), email.clone());
        let mut request = admin().says(Route::AdminPatchCustomer, &json!({ "email": email }));
        let is_back = claimed.is_some();
        request.claimed = claimed;
        self.service.now += 1;
        let reply = self.service.send(&customer, &request);
        match reply {
            // Another one has taken over.
            Reply::Claim(_) if is_back => Some(Changed::Busy),
            Reply::Claim(wanted) => {
                if fate != Fate::Unheard {
                    let (change, ask) = Change::start(customer, wanted.clone());
                    self.changes[number].run = Some(Run::Claim(change, Box::new(ask), wanted));
                }
                None
            }
            Reply::Content { .. } => {
                self.is_changed(&customer, &email);
                if fate != Fate::Untold {
                    self.service.tell(&customer, true);
                }
                Some(Changed::Done)
            }
            Reply::Refused(error) => Some(match error.code {
                Code::EmailTaken => Changed::Taken,
                Code::CustomerNotFound | Code::CustomerErased => Changed::Nobody,
                _ => panic!("refused: {error:?}"),
            }),
            other => panic!("answered: {other:?}"),
        }
    }

    fn claim_change(
        &mut self,
        number: usize,
        (mut change, ask, wanted): (Change, Ask, Wanted),
        fate: Fate,
    ) -> Option<Changed> {
        let heard = self.service.ask(&ask);
        if fate == Fate::Repeated {
            self.late.push(ask);
        }
        if fate == Fate::Unheard {
            return None;
        }
        let run = match change.step(heard) {
            Ok(Step::Ask(ask)) => Run::Claim(change, Box::new(ask), wanted),
            Ok(Step::Done(held)) => Run::Send(Some(Claimed { wanted, held })),
            Err(error) => {
                assert_eq!(error.code, Code::Unavailable);
                return Some(Changed::Busy);
            }
        };
        self.changes[number].run = Some(run);
        None
    }

    /// A change that is answered has taken place, and nobody else can have the e-mail.
    fn is_changed(&mut self, customer: &CustomerId, email: &str) {
        let index = self.service.index(email);
        let kept = self.service.kept(customer);
        let Kept::Customer { email, .. } = kept else {
            panic!("{customer} was changed and is {kept:?}");
        };
        assert_eq!(email, index);
        let Answer::Claim(Some(claim)) = self.service.directory(What::Look { index }) else {
            panic!("{customer} has an e-mail without a claim");
        };
        assert_eq!(claim.holder, *customer, "the claim is another's");
    }

    /// Nobody comes back for what was begun before.
    pub fn wait(&mut self) {
        self.service.now += PENDING_MS;
    }
}
