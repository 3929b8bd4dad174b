//! Calls of one customer's object that go together ([`crate::edge::gather`] says which).
//!
//! The call is its leader's: only that request may use what the platform gives for it. The others wait until they are
//! told, each by something of its own, and go on as what they are. The entry has the platform keep a request to its
//! end although its client has gone, so a leader's is no reason for its followers to be left; each waits for its own
//! deadline all the same.

use crate::edge::gather::{Lanes, MAX_TURNS, Turn};
use crate::edge::parcel::{self, Letter, Told};
use crate::edge::reply::CODE_HEADER;
use crate::edge::route::Method;
use crate::shell::http::header;
use crate::shell::object::{self, Call, Failure};
use crate::shell::task::Settling;
use crate::shell::{body, host};
use crate::types::CustomerId;
use js_sys::Function;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::JsValue;
use worker::Env;

/// What came of it.
#[derive(Clone)]
enum Outcome {
    Told(Told),
    /// The call failed.
    Failed(Failure),
    /// The object says that it took no parcel, so nothing was done: one of another deployment.
    NotTaken,
}

/// A request that waits.
struct Waiting {
    letter: Letter,
    /// Where it finds what came of it. Nobody waits any more who does not hold it, too.
    outcome: Rc<RefCell<Option<Outcome>>>,
    tell: Function,
}

thread_local! {
    static LANES: RefCell<Lanes<Waiting>> = RefCell::default();
}

/// A call that is not back.
struct UnderWay<'a>(&'a CustomerId);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        LANES.with_borrow_mut(|lanes| lanes.back(self.0));
    }
}

/// What came of a call that went with others; what came of it by itself where it is to go alone.
pub async fn call(env: &Env, call: &Call<'_>) -> Result<object::Relayed, Failure> {
    let customer = call.customer;
    let body = call.body.unwrap_or_default();
    let bytes = parcel::letter_length(&call.header, body);
    let turn = LANES.with_borrow_mut(|lanes| lanes.turn(customer, bytes, host::now()));
    let _under_way = (turn != Turn::Follow).then(|| UnderWay(customer));
    if turn == Turn::Alone {
        return object::alone(env, call).await.map(object::Relayed::of_response);
    }
    let (tell, told) = Settling::told_within(call.deadline_ms);
    let outcome = Rc::default();
    let waiting = Waiting {
        letter: Letter {
            envelope: call.header.clone(),
            body: body.to_vec(),
        },
        outcome: Rc::clone(&outcome),
        tell,
    };
    LANES.with_borrow_mut(|lanes| lanes.wait(customer, bytes, waiting));
    if turn == Turn::Lead {
        for _ in 0..MAX_TURNS {
            let before = LANES.with_borrow(|lanes| lanes.waiting(customer));
            // What has arrived by now is taken in meanwhile.
            let _ = Settling::after(0).await;
            if LANES.with_borrow(|lanes| lanes.waiting(customer)) == before {
                break;
            }
        }
        let waiting = LANES.with_borrow_mut(|lanes| lanes.take(customer));
        match waiting.as_slice() {
            // Nobody has come: it goes as it would have gone.
            [only] if Rc::ptr_eq(&only.outcome, &outcome) => {
                let _ = only.tell.call0(&JsValue::UNDEFINED);
                return object::alone(env, call).await.map(object::Relayed::of_response);
            }
            _ => lead(env, customer, call.deadline_ms, waiting).await,
        }
    }
    if outcome.borrow().is_none() {
        let _ = told.await;
    }
    match outcome.take() {
        Some(Outcome::Told(told)) => Ok(object::Relayed::of_told(told)),
        Some(Outcome::Failed(failure)) => Err(failure),
        Some(Outcome::NotTaken) => object::alone(env, call).await.map(object::Relayed::of_response),
        None => Err(Failure::because(
            "the call that it went with did not come back in time",
        )),
    }
}

/// Makes the call for those who wait, and tells them. (More than a parcel holds are there only where whoever should
/// have led is gone.)
async fn lead(env: &Env, customer: &CustomerId, deadline_ms: u32, waiting: Vec<Waiting>) {
    let mut waiting = waiting
        .into_iter()
        .filter(|waiting| Rc::strong_count(&waiting.outcome) > 1);
    loop {
        let (letters, told): (Vec<_>, Vec<_>) = waiting
            .by_ref()
            .take(parcel::MAX_LETTERS)
            .map(|waiting| (waiting.letter, (waiting.outcome, waiting.tell)))
            .unzip();
        if letters.is_empty() {
            return;
        }
        let outcomes = match send(env, customer, &letters, deadline_ms).await {
            Ok(told) => told.into_iter().map(Outcome::Told).collect(),
            Err(outcome) => vec![outcome; letters.len()],
        };
        for ((place, tell), outcome) in told.into_iter().zip(outcomes) {
            place.replace(Some(outcome));
            // It throws nothing; where the platform has ended who waits, nothing happens.
            let _ = tell.call0(&JsValue::UNDEFINED);
        }
    }
}

async fn send(
    env: &Env,
    customer: &CustomerId,
    letters: &[Letter],
    deadline_ms: u32,
) -> Result<Vec<Told>, Outcome> {
    let fields = vec![(parcel::HEADER, parcel::VERSION.to_owned())];
    let bytes = parcel::pack(letters);
    let deadline = deadline_ms.into();
    let name = customer.as_str();
    let sent = object::send(
        env,
        object::CUSTOMERS,
        name,
        Method::Post,
        fields,
        Some(&bytes),
        &deadline,
    );
    let response = object::answered(sent).await.map_err(Outcome::Failed)?;
    if response.status() != 200 {
        // Only what was refused before anything was done has a code.
        return Err(match header(&response.headers(), CODE_HEADER) {
            Some(_) => Outcome::NotTaken,
            None => Outcome::Failed(Failure::because("the object answered no parcel")),
        });
    }
    let unreadable = |_| {
        Outcome::Failed(Failure::because(
            "the answer to a parcel broke off or is unreadable",
        ))
    };
    let answers = body::whole(response.array_buffer(), parcel::MAX_ANSWER_BYTES).await;
    parcel::unpack_answers(&answers.map_err(unreadable)?, letters.len()).map_err(unreadable)
}
