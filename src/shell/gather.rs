//! Calls of one customer's object that go together ([`crate::edge::gather`] says which).
//!
//! The call is its leader's: only that request may use what the platform gives for it. The others wait until they are
//! told, each by something of its own, and go on as what they are. The entry has the platform keep a request to its
//! end although its client has gone, so a leader's is no reason for its followers to be left; each waits for its own
//! deadline all the same.

use crate::edge::gather::{Lanes, MAX_TURNS, Turn};
use crate::edge::parcel::{self, Letter, Told};
use crate::edge::route::Method;
use crate::shell::object::{self, Call, Failure};
use crate::shell::task::Settling;
use crate::shell::{body, host};
use crate::types::CustomerId;
use js_sys::Function;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::JsValue;
use worker::Env;

type Outcome = Result<Told, Failure>;

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
        lead(env, customer, call.deadline_ms).await;
    }
    if outcome.borrow().is_none() {
        let _ = told.await;
    }
    let outcome = outcome.take().unwrap_or_else(|| {
        Err(Failure::because(
            "the call that it went with did not come back in time",
        ))
    });
    outcome.map(object::Relayed::of_told)
}

/// Makes the call for all that wait, and tells them.
async fn lead(env: &Env, customer: &CustomerId, deadline_ms: u32) {
    let waiting = LANES.with_borrow_mut(|lanes| lanes.take(customer));
    let (letters, waiting): (Vec<_>, Vec<_>) = waiting
        .into_iter()
        .filter(|waiting| Rc::strong_count(&waiting.outcome) > 1)
        .map(|waiting| (waiting.letter, (waiting.outcome, waiting.tell)))
        .unzip();
    if letters.is_empty() {
        return;
    }
    let outcomes: Vec<Outcome> = match send(env, customer, &letters, deadline_ms).await {
        Ok(told) => told.into_iter().map(Ok).collect(),
        Err(failure) => letters.iter().map(|_| Err(failure.clone())).collect(),
    };
    for ((place, tell), outcome) in waiting.into_iter().zip(outcomes) {
        place.replace(Some(outcome));
        // It throws nothing; where the platform has ended who waits, nothing happens.
        let _ = tell.call0(&JsValue::UNDEFINED);
    }
}

async fn send(
    env: &Env,
    customer: &CustomerId,
    letters: &[Letter],
    deadline_ms: u32,
) -> Result<Vec<Told>, Failure> {
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
    let response = object::answered(sent).await?;
    if response.status() != 200 {
        return Err(Failure::because("the object took no parcel"));
    }
    let unreadable = |_| Failure::because("the answer to a parcel broke off or is unreadable");
    let answers = body::whole(response.array_buffer(), parcel::MAX_ANSWER_BYTES).await;
    parcel::unpack_answers(&answers.map_err(unreadable)?, letters.len()).map_err(unreadable)
}
