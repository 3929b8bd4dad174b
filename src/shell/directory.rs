//! A Durable Object of the directory: one shard. Decodes the errand and lets the core carry it out in one transaction.

use crate::directory::Directory;
use crate::directory::errand::{Answer, Errand};
use crate::edge::errand;
use crate::edge::log;
use crate::edge::reply::CODE_HEADER;
use crate::error::{Error, Result};
use crate::shell::http::{header, respond};
use crate::shell::{Storage, body};
use crate::sql::Sql;
use std::cell::RefCell;
use worker::{DurableObject, Env, State, durable_object};

/// The object that is one shard of the directory.
#[durable_object(fetch)]
pub struct DirectoryObject {
    state: State,
    /// The shard and its storage, from the first request on: a constructor cannot fail.
    awake: RefCell<Option<(Directory, Storage)>>,
}

impl DurableObject for DirectoryObject {
    fn new(state: State, _env: Env) -> Self {
        Self {
            state,
            awake: RefCell::new(None),
        }
    }

    async fn fetch(&self, request: worker::Request) -> worker::Result<worker::Response> {
        let request = request.inner();
        let version = header(&request.headers(), errand::HEADER).unwrap_or_default();
        let answer = match body::read(request.body(), errand::MAX_BYTES).await {
            Ok(bytes) => errand::decode(&version, &bytes).and_then(|errand| self.run(&errand)),
            Err(error) => Err(error),
        };
        if let Err(error) = &answer {
            worker::console_error!("{}", log::event("directory", None, error));
        }
        let answer = errand::reply(&answer);
        let code: Vec<_> = answer
            .code
            .map(|code| (CODE_HEADER, code.as_str().to_owned()))
            .into_iter()
            .collect();
        Ok(respond(answer, &code).into())
    }
}

impl DirectoryObject {
    /// One errand, one transaction, no await.
    fn run(&self, errand: &Errand) -> Result<Answer> {
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
            answer = directory.handle(storage, errand);
            answer.as_ref().map(|_| ()).map_err(Clone::clone)
        });
        if let Err(error) = committed {
            directory.forget();
            return Err(error);
        }
        answer
    }
}
