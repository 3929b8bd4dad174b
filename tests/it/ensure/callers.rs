//! Callers who ensure accounts at the same time, step by step, and what must be true when all is quiet again.

use super::changes::Changing;
use super::imports::Importing;
use super::service::{Kept, Service, id};
use crate::support::people::{Who, admin, service};
use serde_json::json;
use std::collections::BTreeMap;
use user_api::customer::errand::By;
use user_api::customer::profile::NewCustomer;
use user_api::customer::request::{Origin, Reply};
use user_api::directory::ensure::{Ask, Ensure, Ensured, Step, Wish};
use user_api::directory::errand::{Answer, What};
use user_api::edge::route::Route;
use user_api::email::EmailIndex;
use user_api::error::{Code, Error};
use user_api::types::{CustomerId, RequestId};

/// Most errands of one run.
const MAX_STEPS: usize = 64;

/// How one errand fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Heard,
    /// It never arrives; the caller may send it again.
    Lost,
    /// It is carried out, and the caller does not hear so; it may send it again.
    Unheard,
    /// It is carried out, and others are not told what they must be.
    Untold,
    /// It is carried out and heard, and arrives once more at some later time.
    Repeated,
}

#[derive(Debug)]
struct Run {
    ensure: Ensure,
    ask: Ask,
}

enum Actor {
    Wish(usize),
    Change(usize),
    Import(usize),
}

pub struct Callers {
    pub service: Service,
    wishes: Vec<Wish>,
    runs: Vec<Option<Run>>,
    /// Whose e-mails are changed meanwhile.
    pub changes: Vec<Changing>,
    /// Whose records move in meanwhile.
    pub imports: Vec<Importing>,
    /// What will arrive once more.
    pub late: Vec<Ask>,
    /// Who was answered what.
    answers: Vec<(usize, Ensured)>,
    /// Whether some customer was erased on the way.
    has_erased: bool,
    /// Whether every claim that a customer ever had or wanted is its e-mail's in the end, because none can come late.
    is_strict: bool,
}

impl Callers {
    /// Those who wish for an account, each by the id that it names and its e-mail. Every third is a service.
    pub fn new(wishes: &[(Option<&str>, &str)]) -> Self {
        let service = Service::new();
        let wishes: Vec<Wish> = wishes
            .iter()
            .enumerate()
            .map(|(number, (named, email))| wish(&service, number, *named, email))
            .collect();
        Self {
            service,
            runs: wishes.iter().map(|_| None).collect(),
            wishes,
            changes: Vec::new(),
            imports: Vec::new(),
            late: Vec::new(),
            answers: Vec::new(),
            has_erased: false,
            is_strict: false,
        }
    }

    /// The same while administrators change customers' e-mails.
    pub fn changing(mut self, changes: &[(&str, &str)]) -> Self {
        let changes = changes
            .iter()
            .map(|(customer, email)| Changing::new(customer, email));
        self.changes = changes.collect();
        self
    }

    /// The same while records of an older service move in.
    pub fn importing(mut self, records: &[super::imports::Said]) -> Self {
        self.imports = records.iter().map(Importing::new).collect();
        self
    }

    /// No claim comes late here, so none is left over.
    pub fn strictly(mut self) -> Self {
        self.is_strict = true;
        self
    }

    /// Somebody who has been a customer for long, and is suspended.
    pub fn suspended(&mut self, named: &str, email: &str) {
        let wish = wish(&self.service, 0, Some(named), email);
        self.wishes.push(wish);
        self.runs.push(None);
        let number = self.wishes.len() - 1;
        self.alone(number).unwrap();
        let suspend = admin().says(Route::AdminSuspend, &json!({"reason": "fraud"}));
        let reply = self.service.send(&id(named), &suspend);
        assert!(matches!(reply, Reply::Content { .. } | Reply::Done), "{reply:?}");
        self.wishes.pop();
        self.runs.pop();
        self.answers.clear();
    }

    /// All that matters of how far everybody is.
    pub fn fingerprint(&self) -> String {
        let Self {
            runs,
            changes,
            imports,
            answers,
            ..
        } = self;
        format!(
            "{}{runs:?}{changes:?}{imports:?}{answers:?}",
            self.service.fingerprint()
        )
    }

    /// Those who wish, then those who change, then those who import.
    pub fn count(&self) -> usize {
        self.wishes.len() + self.changes.len() + self.imports.len()
    }

    fn who(&self, number: usize) -> Actor {
        let changes = self.wishes.len();
        let imports = changes + self.changes.len();
        match number {
            _ if number >= imports => Actor::Import(number - imports),
            _ if number >= changes => Actor::Change(number - changes),
            _ => Actor::Wish(number),
        }
    }

    /// Takes the next step of whoever it is; true once that one was answered.
    pub fn go_on(&mut self, number: usize, fate: Fate) -> bool {
        match self.who(number) {
            Actor::Wish(number) => self.step(number, fate).is_some(),
            Actor::Change(number) => self.change(number, fate).is_some(),
            Actor::Import(number) => self.import(number, fate).is_some(),
        }
    }

    /// Takes the next step of a caller, who begins if it is not under way. What it is answered, once it is.
    pub fn step(&mut self, number: usize, fate: Fate) -> Option<Result<CustomerId, Error>> {
        let mut run = self.runs[number].take().unwrap_or_else(|| {
            let minted = self.service.mint(number);
            let (ensure, ask) = Ensure::start(self.wishes[number].clone(), minted);
            Run { ensure, ask }
        });
        if fate == Fate::Lost {
            self.runs[number] = Some(run);
            return None;
        }
        let heard = self.service.ask(&run.ask);
        if fate == Fate::Repeated {
            self.late.push(run.ask.clone());
        }
        // Who made a customer is answered only after the list has it.
        let mut is_heard = fate != Fate::Unheard;
        if let Ask::Customer(errand) = &run.ask
            && self.service.is_fresh(&errand.customer)
        {
            if fate == Fate::Untold {
                is_heard = false;
            } else {
                self.service.tell(&errand.customer, true);
            }
        }
        if !is_heard {
            self.runs[number] = Some(run);
            return None;
        }
        match run.ensure.step(heard) {
            Ok(Step::Ask(ask)) => {
                run.ask = ask;
                self.runs[number] = Some(run);
                None
            }
            Ok(Step::Done(ensured)) => {
                let kept = self.service.kept(&ensured.customer_id);
                assert!(
                    matches!(kept, Kept::Customer { .. }),
                    "the answer is {}, which is {kept:?}",
                    ensured.customer_id
                );
                let customer = ensured.customer_id.clone();
                self.answers.push((number, ensured));
                Some(Ok(customer))
            }
            Err(error) => Some(Err(error)),
        }
    }

    /// A caller dies where it is. It may begin anew.
    pub fn crash(&mut self, number: usize) {
        match self.who(number) {
            Actor::Wish(number) => self.runs[number] = None,
            Actor::Change(number) => self.changes[number].crash(),
            Actor::Import(number) => self.imports[number].crash(),
        }
    }

    /// An errand arrives once more.
    pub fn arrive_late(&mut self, number: usize) {
        if !self.late.is_empty() {
            let ask = self.late.swap_remove(number % self.late.len());
            self.service.ask(&ask);
        }
    }

    /// An alarm; what it tells arrives once more later.
    pub fn alarm(&mut self, customer: &CustomerId, is_heard: bool) {
        let told = self.service.tell(customer, is_heard);
        self.late.extend(told.into_iter().map(Ask::Directory));
    }

    /// A customer is erased, and nobody has released its claim yet.
    pub fn erase(&mut self, customer: &CustomerId) {
        self.has_erased = true;
        self.service.erase(customer);
    }

    /// Lets one caller finish with nobody in its way.
    fn alone(&mut self, number: usize) -> Result<CustomerId, Error> {
        (0..MAX_STEPS)
            .find_map(|_| self.step(number, Fate::Heard))
            .expect("a run that nobody disturbs comes to its end")
    }

    /// Everything under way arrives, every alarm rings, everybody tries again; then all that is promised is checked.
    pub fn settle(&mut self) {
        self.runs.fill_with(|| None);
        self.changes.iter_mut().for_each(Changing::crash);
        self.imports.iter_mut().for_each(Importing::crash);
        while !self.late.is_empty() {
            self.arrive_late(0);
        }
        self.wait();
        self.quieten();
        // What a dead run left for somebody who came later is settled by one repetition more.
        let imports = self.imports.len();
        for number in (0..2).flat_map(|_| 0..imports) {
            self.import_alone(number);
            self.quieten();
        }
        let mut last = Vec::new();
        for _ in 0..2 {
            let answers: Vec<_> = (0..self.wishes.len()).map(|number| self.alone(number)).collect();
            self.quieten();
            if !last.is_empty() {
                assert_eq!(answers, last, "the same is wished again and answered otherwise");
            }
            last = answers;
        }
        self.check(&last);
        self.probe();
    }

    /// A claim of somebody who does not want it, left over from an errand that came late, keeps nobody from the
    /// e-mail; every other claim is its holder's e-mail.
    fn probe(&mut self) {
        for (index, holder) in self.service.claims() {
            if self.is_of(&holder, &index) {
                continue;
            }
            let is_left = self.is_strict && self.service.ever_had(&holder, &index);
            assert!(
                !is_left,
                "{holder} does not have this e-mail, and still its claim"
            );
            let is_of_email = |email: &&str| self.service.index(email) == index;
            let email = super::EMAILS.iter().find(|email| is_of_email(email));
            self.wishes.push(wish(&self.service, 2, None, email.unwrap()));
            self.runs.insert(self.wishes.len() - 1, None);
            let answer = self.alone(self.wishes.len() - 1).unwrap();
            assert!(self.is_of(&answer, &index), "{answer} does not have the e-mail");
            self.quieten();
        }
        for (index, holder) in self.service.claims() {
            assert!(
                self.is_of(&holder, &index),
                "{holder} holds what it does not have"
            );
        }
    }

    /// Whether this is the customer's e-mail, and its alone.
    pub fn is_of(&self, id: &CustomerId, index: &EmailIndex) -> bool {
        let kept = self.service.kept(id);
        matches!(kept, Kept::Customer { is_erased: false, is_claimed: true, email, .. } if email == *index)
    }

    pub fn quieten(&mut self) {
        for customer in self.service.ids() {
            self.service.evict(&customer);
            self.service.tell(&customer, true);
            assert!(!self.service.waits(&customer));
        }
    }

    fn check(&mut self, last: &[Result<CustomerId, Error>]) {
        let all: BTreeMap<CustomerId, Kept> = self
            .service
            .ids()
            .into_iter()
            .map(|id| {
                let kept = self.service.kept(&id);
                (id, kept)
            })
            .collect();
        let mut holders = BTreeMap::<EmailIndex, CustomerId>::new();
        let mut without = Vec::new();
        for (id, kept) in &all {
            match kept {
                Kept::Customer {
                    is_erased: false,
                    is_claimed: false,
                    email,
                    ..
                } => without.push((id, *email)),
                Kept::Customer {
                    is_erased: false,
                    email,
                    ..
                } => {
                    let other = holders.insert(*email, id.clone());
                    assert_eq!(other, None, "an e-mail is {id}'s as well");
                    let claim = self.service.directory(What::Look { index: *email });
                    let Answer::Claim(Some(claim)) = claim else {
                        panic!("{id} has an e-mail and no claim");
                    };
                    assert_eq!(claim.holder, *id, "the claim is another's");
                    assert_eq!(
                        self.service.listed(id),
                        self.service.to_be_listed(id),
                        "{id} in the list"
                    );
                }
                Kept::Alias(bound) => {
                    for (index, target) in bound {
                        assert!(matches!(all[target], Kept::Customer { .. }), "{id} of nobody");
                        let known = self.service.aliases(target);
                        assert!(
                            known.contains(&(*index, id.clone())),
                            "{target} does not know {id}"
                        );
                    }
                    assert_eq!(self.service.listed(id), Vec::<Vec<_>>::new());
                }
                Kept::Nothing | Kept::Customer { .. } => {}
            }
        }
        for (id, email) in without {
            assert_eq!(self.service.listed(id), self.service.to_be_listed(id));
            assert!(!self.imports.is_empty(), "{id} does not hold its e-mail");
            assert!(
                holders.contains_key(&email),
                "{id} has an e-mail that nobody holds"
            );
        }
        self.check_last(last, &all, &holders);
        self.check_answers(&all, &holders);
    }

    /// Who wishes when all is quiet gets what is right.
    fn check_last(
        &self,
        last: &[Result<CustomerId, Error>],
        all: &BTreeMap<CustomerId, Kept>,
        holders: &BTreeMap<EmailIndex, CustomerId>,
    ) {
        for (wish, answer) in self.wishes.iter().zip(last) {
            let named = wish.named.as_ref().map(|named| (named, &all[named]));
            let holder = holders.get(&wish.index);
            let is_erased = match named {
                Some((_, Kept::Customer { is_erased, .. })) => *is_erased,
                Some((_, Kept::Alias(bound))) => bound.iter().any(|(index, target)| {
                    *index == wish.index && matches!(all[target], Kept::Customer { is_erased: true, .. })
                }),
                _ => false,
            };
            match (named, answer) {
                (_, Err(error)) if is_erased => assert_eq!(error.code, Code::CustomerErased),
                (Some((named, Kept::Customer { .. })), Ok(answer)) => assert_eq!(answer, named),
                (_, Ok(answer)) => assert_eq!(Some(answer), holder),
                (_, Err(error)) => panic!("refused: {error:?}"),
            }
        }
    }

    /// All that was answered on the way was right, and is right still.
    fn check_answers(&self, all: &BTreeMap<CustomerId, Kept>, holders: &BTreeMap<EmailIndex, CustomerId>) {
        let mut made = BTreeMap::<&CustomerId, usize>::new();
        for (number, answer) in &self.answers {
            let Ensured {
                customer_id, created, ..
            } = answer;
            let wish = &self.wishes[*number];
            if *created {
                let times = made.entry(customer_id).or_default();
                *times += 1;
                assert_eq!(*times, 1, "{customer_id} was made twice");
            }
            assert!(matches!(all[customer_id], Kept::Customer { .. }));
            let is_named = wish.named.as_ref() == Some(customer_id);
            let holds = holders.get(&wish.index) == Some(customer_id) || self.has_erased;
            let are_changed = !self.changes.is_empty() || !self.imports.is_empty();
            let held = are_changed && self.service.ever_had(customer_id, &wish.index);
            assert!(is_named || holds || held, "{customer_id} was the wrong answer");
        }
    }

    /// How many customers there are.
    pub fn customers(&self) -> usize {
        let ids = self.service.ids();
        ids.iter()
            .filter(|id| matches!(self.service.kept(id), Kept::Customer { .. }))
            .count()
    }
}

fn wish(service_of: &Service, number: usize, named: Option<&str>, email: &str) -> Wish {
    let named = named.map(id);
    let caller = if number % 3 == 2 {
        service()
    } else {
        Who::user(&format!("auth0|{number}"))
            .email(email)
            .change(|user| user.customer.clone_from(&named))
    };
    // Whoever comes first decides what the customer is, so they differ.
    let body = json!({"email": email, "metadata": {"by": number.to_string()}});
    Wish {
        named,
        index: service_of.index(email),
        new: NewCustomer::parse(body.to_string().as_bytes()).unwrap(),
        by: By {
            caller: caller.0,
            origin: Origin {
                request_id: RequestId::parse("req_1").unwrap(),
                caller_request_id: None,
                ip: None,
                user_agent: None,
            },
            fingerprint: None,
        },
    }
}
