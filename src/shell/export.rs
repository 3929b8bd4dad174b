//! An export as a stream: each time that the receiver has room, one turn of the customer's object makes one piece.
//! Between two pieces the object serves everybody else. What a customer revokes ends its own users' exports with the
//! next piece; an administrator's is asked about with the operators every [`CHECK_AFTER_MS`].

use crate::customer::export::{Export, Plan};
use crate::edge::log;
use crate::error::{Code, Error, Result};
use crate::shell::admin;
use crate::shell::customer::Awake;
use crate::shell::host::{self, PlatformEntropy};
use crate::shell::task::Settling;
use crate::sql::Sql;
use crate::types::Timestamp;
use js_sys::{Object, Reflect, Uint8Array};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::future_to_promise;
use web_sys::{ReadableStream, ReadableStreamDefaultController};
use worker::Env;

/// How long an administrator's export goes on before its credential is looked at again, in milliseconds.
const CHECK_AFTER_MS: i64 = 1_000;

/// What a piece is made from, shared with the object.
type Shared = Rc<RefCell<Option<Awake>>>;

/// The stream of an export's bytes. No piece is made before it is asked for.
///
/// # Errors
/// `internal_error` if the platform refuses.
pub fn stream(awake: &Shared, env: &Env, plan: Plan) -> Result<ReadableStream> {
    let checked = Rc::new(Cell::new(host::now()));
    let env = env.clone();
    let export = Rc::new(RefCell::new(Export::new(plan)));
    let source = Object::new();
    let refused = |_: JsValue| Error::fault("the platform refused a stream");
    let pull = {
        let (awake, export) = (Rc::clone(awake), Rc::clone(&export));
        Closure::<dyn FnMut(ReadableStreamDefaultController) -> js_sys::Promise>::new(move |controller| {
            let (awake, export) = (Rc::clone(&awake), Rc::clone(&export));
            let (env, checked) = (env.clone(), Rc::clone(&checked));
            future_to_promise(async move {
                // Requests that have arrived go first.
                let _ = Settling::after(0).await;
                let revoked = revoked(&env, &export, &checked).await;
                step(&awake, &export, &controller, revoked)
            })
        })
    };
    let cancel = {
        let (awake, export) = (Rc::clone(awake), Rc::clone(&export));
        Closure::<dyn FnMut()>::new(move || abandon(&awake, &export.borrow()))
    };
    // The platform drops the functions together with the stream.
    Reflect::set(&source, &"pull".into(), &pull.into_js_value()).map_err(refused)?;
    Reflect::set(&source, &"cancel".into(), &cancel.into_js_value()).map_err(refused)?;
    let strategy = Object::new();
    Reflect::set(&strategy, &"highWaterMark".into(), &0.into()).map_err(refused)?;
    ReadableStream::new_with_underlying_source_and_strategy(&source, strategy.unchecked_ref())
        .map_err(refused)
}

/// Why an administrator's export must not go on, asked now and then. Where the operators' object does not answer, it
/// is asked again at the next piece.
async fn revoked(env: &Env, export: &RefCell<Export>, checked: &Cell<Timestamp>) -> Option<Error> {
    let since_ms = host::now().as_millis().saturating_sub(checked.get().as_millis());
    let (by, customer) = {
        let export = export.borrow();
        let plan = export.plan();
        if !plan.is_for_operator || since_ms < CHECK_AFTER_MS {
            return None;
        }
        (plan.by.clone(), plan.customer_id.clone())
    };
    let site = host::site(env).ok()?;
    match admin::check(env, &site, &by, Some(&customer)).await {
        Ok(()) => {
            checked.set(host::now());
            None
        }
        Err(error) => Some(error).filter(|error| error.code == Code::TokenRevoked),
    }
}

/// Makes one piece; a failure ends the stream with an error, so that the archive arrives cut off and not whole.
fn step(
    awake: &Shared,
    export: &Rc<RefCell<Export>>,
    controller: &ReadableStreamDefaultController,
    revoked: Option<Error>,
) -> std::result::Result<JsValue, JsValue> {
    let mut export = export.borrow_mut();
    let made = match revoked {
        Some(error) => Err(error),
        None => piece(awake, &mut export),
    };
    match made {
        Ok(bytes) => {
            controller.enqueue_with_chunk(&Uint8Array::from(bytes.as_slice()))?;
            if export.is_done() {
                controller.close()?;
            }
            Ok(JsValue::UNDEFINED)
        }
        Err(error) => {
            let request_id = export.plan().request_id.to_string();
            worker::console_error!("{}", log::event("export", Some(&request_id), &error));
            if error.code == Code::TokenRevoked {
                abandon(awake, &export);
            }
            Err(js_sys::Error::new("the export broke off").into())
        }
    }
}

fn piece(awake: &Shared, export: &mut Export) -> Result<Vec<u8>> {
    let mut awake = awake.borrow_mut();
    let Some(Awake { customer, storage }) = awake.as_mut() else {
        return Err(Error::fault("the object is asleep"));
    };
    let now = host::now();
    let mut bytes = Vec::new();
    let done = storage.transaction(&mut || {
        bytes = customer.pull(storage, export, now, &mut PlatformEntropy)?;
        Ok(())
    });
    if done.is_err() {
        customer.forget();
    }
    done.map(|()| bytes)
}

/// The receiver went away.
fn abandon(awake: &Shared, export: &Export) {
    let mut awake = awake.borrow_mut();
    let Some(Awake { customer, storage }) = awake.as_mut() else {
        return;
    };
    let now = host::now();
    let done = storage.transaction(&mut || customer.abandon(storage, export, now, &mut PlatformEntropy));
    if let Err(error) = done {
        customer.forget();
        let request_id = export.plan().request_id.to_string();
        worker::console_error!("{}", log::event("export", Some(&request_id), &error));
    }
}
