//! A Durable Object of the directory: one shard. Decodes the errand and lets the core carry it out in one transaction.

use crate::directory::Directory;
use crate::directory::errand::{Answer, Errand, What};
use crate::directory::shard::Shard;
use crate::edge::errand;
use crate::edge::log;
use crate::edge::reply::CODE_HEADER;
use crate::error::{Error, Result};
use crate::shell::http::{header, respond};
use crate::shell::{Storage, body, host, object};
use crate::sql::Sql;
use std::cell::RefCell;
use worker::{DurableObject, Env, State, durable_object};

/// The object that is one shard of the directory.
#[durable_object(fetch)]
pub struct DirectoryObject {
    state: State,
    env: Env,
    /// The shard and its storage, from the first request on: a constructor cannot fail.
    awake: RefCell<Option<(Directory, Storage)>>,
}

impl DurableObject for DirectoryObject {
    fn new(state: State, env: Env) -> Self {
        Self {
            state,
            env,
            awake: RefCell::new(None),
        }
    }

    async fn fetch(&self, request: worker::Request) -> worker::Result<worker::Response> {
        let request = request.inner();
        let version = header(&request.headers(), errand::HEADER).unwrap_or_default();
        let answer = match body::sent(request, errand::MAX_BYTES).await {
            Ok(bytes) => self.answer(errand::decode(&version, &bytes)).await,
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
        Ok(respond(answer, code).into())
    }
}

impl DirectoryObject {
    async fn answer(&self, errand: Result<Errand>) -> Result<Answer> {
        let errand = errand?;
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
