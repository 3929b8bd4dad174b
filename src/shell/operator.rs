//! The operator's Durable Object, one for the deployment: decodes the errand and lets the core carry it out in one
//! transaction.

use crate::edge::{errand, log};
use crate::error::{Error, Result};
use crate::operator::errand::{Answer, Errand};
use crate::operator::{NAME, Operator};
use crate::shell::errand::respond_to;
use crate::shell::host::{self, PlatformEntropy};
use crate::shell::http::header;
use crate::shell::{Storage, body, task};
use crate::sql::Sql;
use crate::types::Timestamp;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::worker_sys::DurableObjectState;
use worker::{Env, State};

/// How long after a failed alarm it is tried again, in milliseconds.
const ALARM_RETRY_MS: i64 = 60_000;

/// The object that holds the operators' log and the revocations of their tokens.
#[wasm_bindgen]
pub struct OperatorObject(Rc<Object>);

struct Object {
    state: State,
    env: Env,
    /// The brain and its storage, from the first request on: a constructor cannot fail.
    awake: RefCell<Option<(Operator, Storage)>>,
    /// The moment for which the alarm is set, as far as this instance knows.
    alarm: Cell<Option<Timestamp>>,
}

#[wasm_bindgen]
impl OperatorObject {
    /// The object, asleep.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(state: DurableObjectState, env: Env) -> Self {
        Self(Rc::new(Object {
            state: State::from(state),
            env,
            awake: RefCell::new(None),
            alarm: Cell::new(None),
        }))
    }

    /// Does what is due.
    pub fn alarm(&self) {
        self.0.alarm_rings();
    }

    /// Carries an errand out: a response, or a promise of one.
    #[must_use]
    pub fn fetch(&self, request: web_sys::Request) -> JsValue {
        let object = Rc::clone(&self.0);
        task::run(async move { respond_to("operator", &object.answer(&request).await).into() })
    }
}

impl Object {
    fn alarm_rings(&self) {
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
    }

    async fn answer(&self, request: &web_sys::Request) -> Result<Answer> {
        let version = header(&request.headers(), errand::HEADER).unwrap_or_default();
        let errand = errand::decode(&version, &body::sent(request, errand::MAX_BYTES).await?)?;
        self.run(&errand)
    }

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
