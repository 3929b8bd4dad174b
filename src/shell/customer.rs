//! The customer's Durable Object: decodes the envelope, reads the body, and lets the core decide in batches.

use crate::crypto::IndexKeys;
use crate::customer::command::Command;
use crate::customer::request::{Reply, Request};
use crate::customer::{Customer, batch};
use crate::edge::envelope::{self, Envelope};
use crate::edge::reply::{Answer, CODE_HEADER};
use crate::edge::route::{BodyKind, MAX_BODY_BYTES};
use crate::edge::{decode, intake, log};
use crate::error::{Error, Result};
use crate::shell::host::{self, PlatformEntropy};
use crate::shell::http::{header, respond};
use crate::shell::{Storage, body};
use crate::types::CustomerId;
use futures_channel::oneshot;
use std::cell::RefCell;
use std::time::Duration;
use worker::{Delay, DurableObject, Env, State, durable_object};

/// The object that owns one customer.
#[durable_object(fetch)]
pub struct CustomerObject {
    state: State,
    env: Env,
    /// The customer and its storage, from the first request on: a constructor cannot fail.
    awake: RefCell<Option<Awake>>,
    /// Requests that have arrived and wait for the next transaction.
    queue: RefCell<Vec<Waiting>>,
}

struct Awake {
    customer: Customer,
    storage: Storage,
}

struct Waiting {
    request: Request,
    reply: oneshot::Sender<Result<Reply>>,
}

impl DurableObject for CustomerObject {
    fn new(state: State, env: Env) -> Self {
        Self {
            state,
            env,
            awake: RefCell::new(None),
            queue: RefCell::new(Vec::new()),
        }
    }

    async fn fetch(&self, request: worker::Request) -> worker::Result<worker::Response> {
        let request = request.inner();
        let header = header(&request.headers(), envelope::HEADER).unwrap_or_default();
        let envelope = match Envelope::decode(&header) {
            Ok(envelope) => envelope,
            Err(error) => return Ok(respond(answer_error(&error, None, "unknown"), &[]).into()),
        };
        let own_id = envelope.origin.request_id.clone();
        let request_id = intake::shown_request_id(&envelope.origin).to_owned();
        let answer = match self.handle(envelope, request.body()).await {
            Ok(reply) => Answer::from_reply(reply, &request_id),
            Err(error) => answer_error(&error, Some(own_id.as_str()), &request_id),
        };
        let code: Vec<_> = answer
            .code
            .map(|code| (CODE_HEADER, code.as_str().to_owned()))
            .into_iter()
            .collect();
        Ok(respond(answer, &code).into())
    }
}

/// The answer to an error that is not a reply; what only an operator may know goes to the log.
fn answer_error(error: &Error, own_id: Option<&str>, shown_id: &str) -> Answer {
    if !error.is_refusal() {
        worker::console_error!("{}", log::event("object", own_id, error));
    }
    Answer::problem(error, shown_id)
}

impl CustomerObject {
    async fn handle(&self, envelope: Envelope, stream: Option<web_sys::ReadableStream>) -> Result<Reply> {
        self.wake(&envelope.customer)?;
        let command = if envelope.route.body() == BodyKind::None {
            decode::command(envelope.route, &[])?
        } else {
            let bytes = body::read(stream, MAX_BODY_BYTES).await?;
            match decode::command(envelope.route, &bytes) {
                Ok(command) => command,
                Err(error) => Command::Invalid {
                    action: decode::action(envelope.route),
                    error,
                },
            }
        };
        let Envelope {
            caller,
            condition,
            origin,
            ..
        } = envelope;
        self.enqueue(Request {
            caller,
            command,
            condition,
            origin,
        })
        .await
    }

    /// Makes the customer ready for its first request, and refuses an envelope that is meant for another one.
    fn wake(&self, meant: &CustomerId) -> Result<()> {
        let name = self.state.id().name();
        if name.as_deref() != Some(meant.as_str()) {
            return Err(Error::fault("the envelope is for another object"));
        }
        let mut awake = self.awake.borrow_mut();
        if awake.is_none() {
            let site = host::site(&self.env)?;
            let keys = IndexKeys::derive(site.settings.index_key.expose())?;
            *awake = Some(Awake {
                customer: Customer::new(meant.clone(), keys),
                storage: Storage::new(&self.state),
            });
        }
        Ok(())
    }

    /// Joins the next transaction. The first to arrive waits for a timer of no delay, during which whatever has
    /// arrived meanwhile joins it, then runs it for all. (A microtask would gather nothing.)
    async fn enqueue(&self, request: Request) -> Result<Reply> {
        let (reply, answer) = oneshot::channel();
        let is_first = {
            let mut queue = self.queue.borrow_mut();
            queue.push(Waiting { request, reply });
            queue.len() == 1
        };
        if is_first {
            Delay::from(Duration::ZERO).await;
            self.flush();
        }
        answer.await.map_err(|_| Error::fault("the batch was dropped"))?
    }

    /// Runs all that wait, in their order, without an await: nothing else happens in this object meanwhile.
    fn flush(&self) {
        let waiting = self.queue.take();
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
                return;
            }
            let replies = batch::run(customer, storage, &requests, now, &mut PlatformEntropy);
            for (sender, reply) in senders.into_iter().zip(replies) {
                // Whoever asked may be gone; what was decided stays decided.
                let _ = sender.send(reply);
            }
        }
    }
}
