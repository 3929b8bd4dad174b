//! The operator's Durable Object, one for the deployment: decodes the errand and lets the core carry it out in one
//! transaction.

use crate::edge::reply::CODE_HEADER;
use crate::edge::{errand, log};
use crate::error::{Error, Result};
use crate::operator::errand::{Answer, Errand};
use crate::operator::{NAME, Operator};
use crate::shell::host::{self, PlatformEntropy};
use crate::shell::http::{header, respond};
use crate::shell::{Storage, body};
use crate::sql::Sql;
use crate::types::Timestamp;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use worker::{DurableObject, Env, State, durable_object};

/// How long after a failed alarm it is tried again, in milliseconds.
const ALARM_RETRY_MS: i64 = 60_000;

/// The object that holds the operators' log and the revocations of their tokens.
#[durable_object(alarm)]
pub struct OperatorObject {
    state: State,
    env: Env,
    /// The brain and its storage, from the first request on: a constructor cannot fail.
    awake: RefCell<Option<(Operator, Storage)>>,
    /// The moment for which the alarm is set, as far as this instance knows.
    alarm: Cell<Option<Timestamp>>,
}

impl DurableObject for OperatorObject {
    fn new(state: State, env: Env) -> Self {
        Self {
            state,
            env,
            awake: RefCell::new(None),
            alarm: Cell::new(None),
        }
    }

    async fn alarm(&self) -> worker::Result<worker::Response> {
        let now = host::now();
        self.alarm.set(None);
        let ticked = self.with_awake(|operator, storage| operator.tick(storage, now, &mut PlatformEntropy));
        if let Err(error) = ticked {
            worker::console_error!("{}", log::event("alarm", None, &error));
            let again = Timestamp::from_millis(now.as_millis().saturating_add(ALARM_RETRY_MS));
            if Storage::new(&self.state).wake_at(again).is_ok() {
                self.alarm.set(Some(again));
            }
        }
        worker::Response::empty()
    }

    async fn fetch(&self, request: worker::Request) -> worker::Result<worker::Response> {
        let request = request.inner();
        let version = header(&request.headers(), errand::HEADER).unwrap_or_default();
        let answer = match body::sent(request, errand::MAX_BYTES).await {
            Ok(bytes) => errand::decode(&version, &bytes).and_then(|errand| self.run(&errand)),
            Err(error) => Err(error),
        };
        if let Err(error) = &answer {
            worker::console_error!("{}", log::event("operator", None, error));
        }
        let answer = errand::reply(&answer);
        let code: Vec<_> = answer
            .code
            .map(|code| (CODE_HEADER, code.as_str().to_owned()))
            .into_iter()
            .collect();
        Ok(respond(answer, code).into())
    }
}

impl OperatorObject {
    /// One errand, one transaction, no await.
    fn run(&self, errand: &Errand) -> Result<Answer> {
        let now = host::now();
        self.with_awake(|operator, storage| operator.handle(storage, errand, now, &mut PlatformEntropy))
    }

    fn with_awake<T>(&self, work: impl Fn(&mut Operator, &Storage) -> Result<T>) -> Result<T> {
        let mut awake = self.awake.borrow_mut();
        if awake.is_none() {
            if self.state.id().name().as_deref() != Some(NAME) {
                return Err(Error::fault("there is one operator object, of another name"));
            }
            let site = host::site(&self.env)?;
            *awake = Some((
                Operator::new(Rc::clone(&site.customers))?,
                Storage::new(&self.state),
            ));
        }
        let Some((operator, storage)) = awake.as_mut() else {
            return Err(Error::fault("the object is asleep"));
        };
        let mut done = Err(Error::fault("the transaction did not run"));
        let committed = storage.transaction(&mut || {
            done = work(operator, storage);
            done.as_ref().map(|_| ()).map_err(Clone::clone)
        });
        if let Err(error) = committed {
            operator.forget();
            return Err(error);
        }
        // Details are always due some day: a request that changes nothing of that writes no alarm.
        let set = self.alarm.get();
        if let Some(due) = operator.due().filter(|due| set.is_none_or(|set| *due < set)) {
            storage.wake_at(due)?;
            self.alarm.set(Some(due));
        }
        done
    }
}
