//! A Durable Object of the directory: one shard. Decodes the errand and lets the core carry it out in one transaction.

use crate::directory::Directory;
use crate::directory::errand::{Answer, Errand, What};
use crate::directory::shard::Shard;
use crate::edge::errand;
use crate::error::{Error, Result};
use crate::shell::errand::respond_to;
use crate::shell::http::header;
use crate::shell::{Storage, body, host, object, task};
use crate::sql::Sql;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::worker_sys::DurableObjectState;
use worker::{Env, State};

/// The object that is one shard of the directory.
#[wasm_bindgen]
pub struct DirectoryObject(Rc<Object>);

struct Object {
    state: State,
    env: Env,
    /// The shard and its storage, from the first request on: a constructor cannot fail.
    awake: RefCell<Option<(Directory, Storage)>>,
}

#[wasm_bindgen]
impl DirectoryObject {
    /// The object, asleep.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(state: DurableObjectState, env: Env) -> Self {
        Self(Rc::new(Object {
            state: State::from(state),
            env,
            awake: RefCell::new(None),
        }))
    }

    /// Carries an errand out: a response, or a promise of one.
    #[must_use]
    pub fn fetch(&self, request: web_sys::Request) -> JsValue {
        let object = Rc::clone(&self.0);
        task::run(async move { respond_to("directory", &object.answer(&request).await).into() })
    }
}

impl Object {
    async fn answer(&self, request: &web_sys::Request) -> Result<Answer> {
        let version = header(&request.headers(), errand::HEADER).unwrap_or_default();
        let errand: Errand = errand::decode(&version, &body::sent(request, errand::MAX_BYTES).await?)?;
        if self.with_awake(|directory, storage| directory.asks_first(storage, &errand))? {
            let deadline_ms = host::site(&self.env)?.settings.object_deadline_ms;
            let agree = Errand {
                shards: errand.shards,
                what: What::Agree,
            };
            object::ask_directory(&self.env, Shard::FIRST, &agree, deadline_ms).await?;
        }
        self.with_awake(|directory, storage| directory.handle(storage, &errand))
    }

    /// Does something in one transaction, without an await.
    fn with_awake<T>(&self, work: impl Fn(&mut Directory, &Storage) -> Result<T>) -> Result<T> {
        let mut awake = self.awake.borrow_mut();
        if awake.is_none() {
            let name = self.state.id().name().unwrap_or_default();
            *awake = Some((Directory::new(&name)?, Storage::new(&self.state)));
        }
        let Some((directory, storage)) = awake.as_mut() else {
            return Err(Error::fault("the shard is asleep"));
        };
        let mut answer = Err(Error::fault("the transaction did not run"));
        let committed = storage.transaction(&mut || {
            answer = work(directory, storage);
            answer.as_ref().map(|_| ()).map_err(Clone::clone)
        });
        if let Err(error) = committed {
            directory.forget();
            return Err(error);
        }
        answer
    }
}
