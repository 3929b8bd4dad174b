//! Runs what a request does, step by step, where the platform calls us. `wasm-bindgen-futures` runs every step from a
//! microtask of its own, and waits for each promise by two closures that a finalisation registry must know; on this
//! platform that was a twelfth of a request. Here a step runs at once, from the call that brings what it waited for.
//!
//! What is rarely waited for still goes by `wasm-bindgen-futures`' `JsFuture`: its wake-ups are taken up in a microtask.

use js_sys::{Function, Promise};
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::spawn_local;

#[wasm_bindgen(inline_js = r#"
    export function watch(promise, settle, id) {
        promise.then((value) => settle(id, true, value), (error) => settle(id, false, error));
    }

    export function after(milliseconds, settle, id) {
        return setTimeout(() => settle(id, true), milliseconds);
    }

    // `Promise.withResolvers`, and not `new Promise`: what V8's compiler makes of that in hot code lacks the mark by
    // which the platform goes on in the request that made the promise, whoever settles it (docs/adr/0042).
    export function told(milliseconds, settle, id) {
        const { promise, resolve } = Promise.withResolvers();
        const timer = setTimeout(resolve, milliseconds);
        promise.then(() => {
            clearTimeout(timer);
            settle(id, true);
        });
        return resolve;
    }
"#)]
extern "C" {
    fn watch(promise: &Promise, settle: &JsValue, id: u32);
    fn after(milliseconds: u32, settle: &JsValue, id: u32) -> JsValue;
    fn told(milliseconds: u32, settle: &JsValue, id: u32) -> Function;
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(timer: &JsValue);
}

type Work = Pin<Box<dyn Future<Output = JsValue>>>;
type Settled = Result<JsValue, JsValue>;

/// Something that is waited for.
enum Slot {
    /// It is not there, and nobody or somebody waits.
    Waiting(Option<Waker>),
    /// It is there.
    Done(Settled),
}

/// What is under way in this isolate.
#[derive(Default)]
struct Tasks {
    /// What is not over, but for the one whose step is running.
    work: HashMap<u32, Work>,
    /// Whom to tell at the end.
    resolvers: HashMap<u32, Function>,
    /// Whose next step can run.
    ready: VecDeque<u32>,
    /// What is waited for.
    slots: HashMap<u32, Slot>,
    /// The id that was given last; after four billion they begin again.
    last: u32,
}

impl Tasks {
    fn next_id(&mut self) -> u32 {
        self.last = self.last.wrapping_add(1);
        self.last
    }
}

thread_local! {
    static TASKS: RefCell<Tasks> = RefCell::default();
    /// Whether a step is running, after which those that became ready run.
    static IS_RUNNING: Cell<bool> = const { Cell::new(false) };
    /// What the platform calls when a promise is settled or a time is over.
    static SETTLE: JsValue =
        Closure::<dyn FnMut(u32, bool, JsValue)>::new(settle).into_js_value();
}

/// Wakes a task.
struct Waking(u32);

impl Wake for Waking {
    fn wake(self: Arc<Self>) {
        TASKS.with_borrow_mut(|tasks| tasks.ready.push_back(self.0));
        if !IS_RUNNING.get() {
            // Whoever wakes may hold what the task needs: not here and now.
            spawn_local(async { run_ready() });
        }
    }
}

/// Does the work: what it comes to, if it never waits, or a promise of that.
pub fn run(work: impl Future<Output = JsValue> + 'static) -> JsValue {
    let id = TASKS.with_borrow_mut(Tasks::next_id);
    match step(id, Box::pin(work)) {
        Some(done) => {
            run_ready();
            done
        }
        None => {
            let promise = Promise::new(&mut |resolve, _| {
                TASKS.with_borrow_mut(|tasks| tasks.resolvers.insert(id, resolve));
            });
            run_ready();
            promise.into()
        }
    }
}

/// One step; what the work comes to if it was the last one.
fn step(id: u32, mut work: Work) -> Option<JsValue> {
    let waker = Waker::from(Arc::new(Waking(id)));
    let was_running = IS_RUNNING.replace(true);
    let polled = work.as_mut().poll(&mut Context::from_waker(&waker));
    IS_RUNNING.set(was_running);
    match polled {
        Poll::Ready(done) => Some(done),
        Poll::Pending => {
            TASKS.with_borrow_mut(|tasks| tasks.work.insert(id, work));
            None
        }
    }
}

/// Runs the next step of all that can, unless this is such a step's doing: then they run after it.
fn run_ready() {
    while !IS_RUNNING.get() {
        let next = TASKS.with_borrow_mut(|tasks| {
            let id = tasks.ready.pop_front()?;
            Some((id, tasks.work.remove(&id)))
        });
        let Some((id, work)) = next else { return };
        // Woken twice, or over.
        let Some(work) = work else { continue };
        if let Some(done) = step(id, work) {
            let resolver = TASKS.with_borrow_mut(|tasks| tasks.resolvers.remove(&id));
            if let Some(resolver) = resolver {
                let _ = resolver.call1(&JsValue::UNDEFINED, &done);
            }
        }
    }
}

/// A promise was settled, or a time is over.
fn settle(id: u32, is_fulfilled: bool, value: JsValue) {
    let settled = if is_fulfilled { Ok(value) } else { Err(value) };
    let waker = TASKS.with_borrow_mut(|tasks| {
        // Nobody waits any more where there is no slot.
        let slot = tasks.slots.get_mut(&id)?;
        match std::mem::replace(slot, Slot::Done(settled)) {
            Slot::Waiting(waker) => waker,
            Slot::Done(_) => None,
        }
    });
    let was_running = IS_RUNNING.replace(true);
    if let Some(waker) = waker {
        waker.wake();
    }
    IS_RUNNING.set(was_running);
    run_ready();
}

/// What is waited for.
pub struct Settling {
    id: u32,
    /// The platform's timer, if that is what it is.
    timer: Option<JsValue>,
}

impl Settling {
    fn new(begin: impl FnOnce(&JsValue, u32) -> Option<JsValue>) -> Self {
        let id = TASKS.with_borrow_mut(|tasks| {
            let id = tasks.next_id();
            tasks.slots.insert(id, Slot::Waiting(None));
            id
        });
        let timer = SETTLE.with(|settle| begin(settle, id));
        Self { id, timer }
    }

    /// What a promise comes to.
    #[must_use]
    pub fn of(promise: &Promise) -> Self {
        Self::new(|settle, id| {
            watch(promise, settle, id);
            None
        })
    }

    /// Ready after so many milliseconds.
    #[must_use]
    pub fn after(milliseconds: u32) -> Self {
        Self::new(|settle, id| Some(after(milliseconds, settle, id)))
    }

    /// Ready when the function is called, from whatever request, or after so many milliseconds. Whoever waits goes on
    /// in the request that it belongs to, and not in the one that calls.
    #[must_use]
    pub fn told_within(milliseconds: u32) -> (Function, Self) {
        let mut tell = None;
        let settling = Self::new(|settle, id| {
            tell = Some(told(milliseconds, settle, id));
            None
        });
        (tell.unwrap_or_default(), settling)
    }
}

impl Future for Settling {
    type Output = Settled;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Settled> {
        TASKS.with_borrow_mut(|tasks| {
            match tasks.slots.remove(&self.id) {
                Some(Slot::Done(settled)) => return Poll::Ready(settled),
                Some(Slot::Waiting(_)) => {}
                // Asked again after its end, which is nobody's business.
                None => return Poll::Pending,
            }
            let waiting = Slot::Waiting(Some(context.waker().clone()));
            tasks.slots.insert(self.id, waiting);
            Poll::Pending
        })
    }
}

impl Drop for Settling {
    fn drop(&mut self) {
        let slot = TASKS.with_borrow_mut(|tasks| tasks.slots.remove(&self.id));
        if let (Some(Slot::Waiting(_)), Some(timer)) = (slot, &self.timer) {
            clear_timeout(timer);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use futures_channel::oneshot;
    use wasm_bindgen::JsCast;
    use wasm_bindgen_futures::JsFuture;
    use wasm_bindgen_test::wasm_bindgen_test;

    /// What `run` gave, waited for.
    async fn came_to(given: JsValue) -> JsValue {
        let promise: Promise = given.dyn_into().unwrap();
        JsFuture::from(promise).await.unwrap()
    }

    fn nothing_is_left() -> bool {
        TASKS.with_borrow(|tasks| {
            tasks.work.is_empty()
                && tasks.resolvers.is_empty()
                && tasks.ready.is_empty()
                && tasks.slots.is_empty()
        })
    }

    #[wasm_bindgen_test]
    async fn work_that_never_waits_is_done_at_once_and_other_work_in_its_time() {
        assert_eq!(run(async { 1.into() }), 1);
        let fulfilled = run(async { Settling::of(&Promise::resolve(&JsValue::from(2))).await.unwrap() });
        assert_eq!(came_to(fulfilled).await, 2);
        let rejected = run(async { Settling::of(&Promise::reject(&3.into())).await.unwrap_err() });
        assert_eq!(came_to(rejected).await, 3);
        let late = run(async { Settling::after(1).await.map(|_| 4.into()).unwrap() });
        assert_eq!(came_to(late).await, 4);
        assert!(nothing_is_left());
    }

    #[wasm_bindgen_test]
    async fn who_waits_to_be_told_goes_on_when_it_is_told_or_in_its_time() {
        let (tell, settling) = Settling::told_within(60_000);
        let waiting = run(async move { settling.await.map(|_| 7.into()).unwrap() });
        tell.call0(&JsValue::UNDEFINED).unwrap();
        assert!(!nothing_is_left());
        assert_eq!(came_to(waiting).await, 7);
        let (tell, settling) = Settling::told_within(1);
        assert_eq!(
            came_to(run(async move { settling.await.map(|_| 8.into()).unwrap() })).await,
            8
        );
        // Told too late, and where nobody waits any more.
        tell.call0(&JsValue::UNDEFINED).unwrap();
        let (tell, settling) = Settling::told_within(1);
        drop(settling);
        tell.call0(&JsValue::UNDEFINED).unwrap();
        came_to(run(async { Settling::after(5).await.unwrap() })).await;
        assert!(nothing_is_left());
    }

    #[wasm_bindgen_test]
    async fn who_is_woken_by_another_step_runs_after_it() {
        let (sender, receiver) = oneshot::channel();
        let order = std::rc::Rc::new(RefCell::new(Vec::new()));
        let (first, second) = (std::rc::Rc::clone(&order), std::rc::Rc::clone(&order));
        let waiting = run(async move {
            let told: i32 = receiver.await.unwrap();
            first.borrow_mut().push("woken");
            told.into()
        });
        let telling = run(async move {
            let _ = Settling::after(0).await;
            // Held while it wakes the other, as an object's state is.
            let mut order = second.borrow_mut();
            sender.send(5).unwrap();
            order.push("telling");
            JsValue::UNDEFINED
        });
        assert_eq!(came_to(waiting).await, 5);
        came_to(telling).await;
        assert_eq!(*order.borrow(), ["telling", "woken"]);
        assert!(nothing_is_left());
    }

    #[wasm_bindgen_test]
    async fn who_is_woken_from_outside_of_a_step_runs_in_a_microtask() {
        let (sender, receiver) = oneshot::channel::<i32>();
        let waiting = run(async move { receiver.await.unwrap().into() });
        sender.send(6).unwrap();
        assert!(!nothing_is_left());
        assert_eq!(came_to(waiting).await, 6);
        assert!(nothing_is_left());
    }

    #[wasm_bindgen_test]
    async fn what_is_not_waited_for_any_more_leaves_nothing() {
        drop(Settling::after(1));
        drop(Settling::of(&Promise::resolve(&JsValue::NULL)));
        assert!(nothing_is_left());
        // The promise is settled all the same, and heard by nobody.
        came_to(run(async { Settling::after(5).await.unwrap() })).await;
        assert!(nothing_is_left());
    }
}
