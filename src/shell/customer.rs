//! The customer's Durable Object: decodes the envelope, reads the body, and lets the core decide in batches.

mod alarm;
mod notices;
mod parcel;
mod unlock;

use crate::caller::Caller;
use crate::customer::account::Claimed;
use crate::customer::errand::{self as tell, Answer as ErrandAnswer, Errand};
use crate::customer::idempotency::Payload;
use crate::customer::request::{Answered, Repeat, Reply, Request};
use crate::customer::{Customer, batch};
use crate::edge::envelope::{self, Envelope};
use crate::edge::parcel as edge_parcel;
use crate::edge::reply::{Answer, CODE_HEADER};
use crate::edge::route::{BodyKind, MAX_BODY_BYTES};
use crate::edge::{decode, errand, intake, log};
use crate::error::{Error, Result};
use crate::shell::body::Sent;
use crate::shell::host::{self, PlatformEntropy};
use crate::shell::http::{self, header, respond};
use crate::shell::task::{self, Settling};
use crate::shell::{Storage, body, ensure, errand as shell_errand, export};
use crate::sql::Sql;
use crate::types::{CustomerId, Timestamp};
use futures_channel::oneshot;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::worker_sys::DurableObjectState;
use worker::{Env, State};

/// Most times that one request looks whether another has fetched the key.
const MAX_UNLOCK_ROUNDS: u32 = 3;
/// Most times that one errand has the vault keep a new wrapping.
const MAX_RENEWAL_ROUNDS: u32 = 3;
/// How long after a failed alarm it is tried again, in milliseconds.
const ALARM_RETRY_MS: i64 = 60_000;

/// The object that owns one customer. Exported by hand: `worker`'s macro takes every request and response apart and
/// puts them together again.
#[wasm_bindgen]
pub struct CustomerObject(Rc<Object>);

struct Object {
    state: State,
    env: Env,
    /// The customer and its storage, from the first request on: a constructor cannot fail.
    awake: Rc<RefCell<Option<Awake>>>,
    /// Requests that have arrived and wait for the next transaction.
    queue: RefCell<Vec<Waiting>>,
    /// Requests that wait for the key that another one fetches; None while nobody does.
    unlocking: RefCell<Option<Vec<oneshot::Sender<Result<()>>>>>,
    /// Whether requests come together.
    company: Cell<batch::Company>,
    /// The moment for which the alarm is set, as far as this instance knows.
    alarm: Cell<Option<Timestamp>>,
}

/// What an object has once it is awake.
pub struct Awake {
    /// The brain.
    pub customer: Customer,
    /// What it remembers.
    pub storage: Storage,
}

struct Waiting {
    request: Request,
    reply: oneshot::Sender<Result<Answered>>,
}

#[wasm_bindgen]
impl CustomerObject {
    /// The object, asleep.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(state: DurableObjectState, env: Env) -> Self {
        Self(Rc::new(Object {
            state: State::from(state),
            env,
            awake: Rc::new(RefCell::new(None)),
            queue: RefCell::new(Vec::new()),
            unlocking: RefCell::new(None),
            company: Cell::default(),
            alarm: Cell::new(None),
        }))
    }

    /// Does what is due: a promise.
    #[must_use]
    pub fn alarm(&self) -> JsValue {
        let object = Rc::clone(&self.0);
        task::run(async move {
            object.alarm_rings().await;
            JsValue::UNDEFINED
        })
    }

    /// Answers a request that came to the front, or an errand: a response, or a promise of one.
    #[must_use]
    pub fn fetch(&self, request: web_sys::Request) -> JsValue {
        let object = Rc::clone(&self.0);
        task::run(async move { object.answer(&request).await.into() })
    }
}

/// What goes out of the object.
enum Outgoing {
    /// An answer with all that every response carries.
    Whole(Answer),
    /// An export.
    Streamed(web_sys::Response),
}

impl Object {
    async fn answer(self: &Rc<Self>, request: &web_sys::Request) -> web_sys::Response {
        let headers = request.headers();
        if let Some(letter) = header(&headers, envelope::HEADER) {
            return match self.answer_letter(&letter, Sent::Call(request)).await {
                Outgoing::Whole(answer) => respond_whole(answer),
                Outgoing::Streamed(response) => response,
            };
        }
        if let Some(version) = header(&headers, edge_parcel::HEADER) {
            return self.answer_parcel(&version, request).await;
        }
        let version = header(&headers, errand::HEADER).unwrap_or_default();
        shell_errand::respond_to("errand", &self.run_errand(&version, request).await)
    }

    /// The answer to one request.
    async fn answer_letter(&self, letter: &str, sent: Sent<'_>) -> Outgoing {
        let envelope = match Envelope::decode(letter) {
            Ok(envelope) => envelope,
            Err(error) => return Outgoing::Whole(refuse(&error, None, "unknown")),
        };
        let own_id = envelope.origin.request_id.clone();
        let request_id = intake::shown_request_id(&envelope.origin).to_owned();
        let mut answer = match self.handle(envelope, sent).await {
            Ok(Answered {
                reply: Reply::Archive(plan),
                quotas,
                elsewhere,
            }) => {
                let begun = Answered {
                    reply: Reply::Archive(plan.clone()),
                    quotas,
                    elsewhere,
                };
                let mut answer = Answer::from_answered(begun, &request_id);
                match export::stream(&self.awake, &self.env, *plan) {
                    Ok(stream) => {
                        answer.complete(&request_id);
                        let response = http::stream(answer.status, &answer.headers, &stream);
                        return Outgoing::Streamed(response);
                    }
                    Err(error) => answer_error(&error, Some(own_id.as_str()), &request_id),
                }
            }
            Ok(answered) => Answer::from_answered(answered, &request_id),
            Err(error) => answer_error(&error, Some(own_id.as_str()), &request_id),
        };
        answer.complete(&request_id);
        Outgoing::Whole(answer)
    }
}

/// The response of an answer that has all that goes out, so that the front can pass it on as it is, and what the front
/// alone is told.
fn respond_whole(answer: Answer) -> web_sys::Response {
    let code = answer.code.map(|code| (CODE_HEADER, code.as_str().to_owned()));
    respond(answer, code.into_iter().collect())
}

/// The whole answer to an error that is not a reply.
fn refuse(error: &Error, own_id: Option<&str>, shown_id: &str) -> Answer {
    let mut answer = answer_error(error, own_id, shown_id);
    answer.complete(shown_id);
    answer
}

/// The answer to an error that is not a reply; what only an operator may know goes to the log.
fn answer_error(error: &Error, own_id: Option<&str>, shown_id: &str) -> Answer {
    if !error.is_refusal() {
        worker::console_error!("{}", log::event("object", own_id, error));
    }
    Answer::problem(error, shown_id)
}

impl Object {
    /// An errand of the front's or another object's: one transaction of its own. One that made the customer is
    /// answered only after the list has it.
    async fn run_errand(&self, version: &str, sent: &web_sys::Request) -> Result<ErrandAnswer> {
        let bytes = body::sent(sent, errand::MAX_BYTES).await?;
        let errand: Errand = errand::decode(version, &bytes)?;
        self.wake(&errand.customer)?;
        self.unlock(errand.creates()).await?;
        if errand.what == tell::What::Rewrap {
            self.renew_wrapping().await?;
        }
        let now = host::now();
        let answer = self.with_awake(|customer, storage| {
            customer.run_errand(storage, &errand, now, &mut PlatformEntropy)
        })?;
        self.arm()?;
        self.tell_fresh().await?;
        Ok(answer)
    }

    /// Does something with the customer in a transaction, without an await.
    fn with_awake<T>(&self, work: impl FnOnce(&mut Customer, &Storage) -> Result<T>) -> Result<T> {
        let mut awake = self.awake.borrow_mut();
        let Some(Awake { customer, storage }) = awake.as_mut() else {
            return Err(Error::fault("the object is asleep"));
        };
        let (mut work, mut done) = (Some(work), Err(Error::fault("the transaction did not run")));
        let committed = storage.transaction(&mut || {
            if let Some(work) = work.take() {
                done = work(customer, storage);
            }
            done.as_ref().map(|_| ()).map_err(Clone::clone)
        });
        if let Err(error) = committed {
            customer.forget();
            return Err(error);
        }
        done
    }

    async fn handle(&self, envelope: Envelope, sent: Sent<'_>) -> Result<Answered> {
        let is_with_others = matches!(sent, Sent::Parcel(_));
        self.wake(&envelope.customer)?;
        let route = envelope.route;
        let body = if route.body() == BodyKind::None {
            Vec::new()
        } else {
            sent.read(MAX_BODY_BYTES).await?
        };
        let command = decode::command(route, &envelope.variable, &envelope.query, &body)?;
        let Envelope {
            caller,
            condition,
            origin,
            idempotency_key,
            variable,
            ..
        } = envelope;
        let repeat = match idempotency_key {
            Some(key) => Some(Repeat {
                key,
                method: route.method().as_str(),
                path: route.path(&variable),
                payload: Payload::new(&condition, &body)?,
            }),
            None => None,
        };
        let as_admin = route.audience().is_admin();
        let request = Request {
            caller,
            command,
            operation: route.operation(),
            condition,
            origin,
            as_admin,
            repeat,
            claimed: None,
        };
        let unlocked = self.unlock(request.creates()).await;
        unlocked.or_else(|error| self.needs_no_key(&request).then_some(()).ok_or(error))?;
        let by_operator = as_admin || matches!(request.caller, Caller::Service(_));
        let is_change = by_operator && route.method().is_unsafe();
        let answered = self.decide(request).await?;
        // An operator's change is answered only when the directory has it, so it tells what waits even if another
        // request is telling it already. A user's is told again by the alarm, and who only reads waits for nothing.
        if is_change {
            self.tell_directory().await?;
        } else if !is_with_others {
            let _ = self.tell_fresh().await;
        }
        Ok(answered)
    }

    /// Has a request decided; once more where it first wants an e-mail's claim, with what came of that.
    async fn decide(&self, request: Request) -> Result<Answered> {
        if !request.command.may_claim() {
            return self.enqueue(request).await;
        }
        let answered = self.enqueue(request.clone()).await?;
        let Reply::Claim(wanted) = answered.reply else {
            return Ok(answered);
        };
        let site = host::site(&self.env)?;
        let held = ensure::claim(&self.env, &site, &self.id()?, &wanted).await?;
        let claimed = Some(Claimed { wanted, held });
        self.enqueue(Request { claimed, ..request }).await
    }

    /// Makes the customer ready for its first request, and refuses an envelope that is meant for another one.
    fn wake(&self, meant: &CustomerId) -> Result<()> {
        let mut awake = self.awake.borrow_mut();
        // Once awake it knows whose it is; the platform is asked the first time.
        let is_meant = match awake.as_ref() {
            Some(awake) => awake.customer.id() == meant,
            None => self.state.id().name().as_deref() == Some(meant.as_str()),
        };
        if !is_meant {
            return Err(Error::fault("the envelope is for another object"));
        }
        if awake.is_none() {
            let site = host::site(&self.env)?;
            *awake = Some(Awake {
                customer: Customer::new(meant.clone(), Rc::clone(&site.customers)),
                storage: Storage::new(&self.state),
            });
        }
        Ok(())
    }

    /// Whose object this is.
    fn id(&self) -> Result<CustomerId> {
        let name: Option<String> = self.state.id().name();
        name.and_then(|name| CustomerId::parse(&name))
            .ok_or_else(|| Error::fault("an object without a name"))
    }

    /// Joins the next transaction. The first to arrive waits for a timer of no delay, during which whatever has
    /// arrived meanwhile joins it, then runs it for all. (A microtask would gather nothing.) Where nobody has joined
    /// for long it runs at once.
    async fn enqueue(&self, request: Request) -> Result<Answered> {
        let (reply, answer) = oneshot::channel();
        let is_first = {
            let mut queue = self.queue.borrow_mut();
            queue.push(Waiting { request, reply });
            queue.len() == 1
        };
        if is_first {
            if self.company.get().is_expected() {
                let _ = Settling::after(0).await;
            }
            self.flush();
        }
        answer.await.map_err(|_| Error::fault("the batch was dropped"))?
    }

    /// Runs all that wait, in their order, without an await: nothing else happens in this object meanwhile.
    fn flush(&self) {
        let waiting = self.queue.take();
        let mut company = self.company.get();
        company.met(waiting.len());
        self.company.set(company);
        let mut awake = self.awake.borrow_mut();
        let Some(Awake { customer, storage }) = awake.as_mut() else {
            return;
        };
        let now = host::now();
        let mut waiting = waiting.into_iter();
        loop {
            let (requests, senders): (Vec<_>, Vec<_>) = waiting
                .by_ref()
                .take(batch::MAX_REQUESTS)
                .map(|one| (one.request, one.reply))
                .unzip();
            if requests.is_empty() {
                break;
            }
            let replies = batch::run(customer, storage, &requests, now, &mut PlatformEntropy);
            for (sender, reply) in senders.into_iter().zip(replies) {
                // Whoever asked may be gone; what was decided stays decided.
                let _ = sender.send(reply);
            }
            if let Some(error) = customer.passed_over() {
                worker::console_error!("{}", log::event("unreadable", None, &error));
            }
        }
        self.set_alarm(customer, storage);
    }
}
