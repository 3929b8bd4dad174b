//! A customer's key vault: the object that holds its wrapped data key, and calling it from the customer's object.

use crate::crypto::dek::unavailable;
use crate::edge::log;
use crate::edge::reply::{Answer, CODE_HEADER};
use crate::error::{Error, Result};
use crate::shell::http::{header, respond};
use crate::shell::object::{self, Callee};
use crate::shell::{Storage, task};
use crate::types::CustomerId;
use crate::vault::{self, Call, Decision, Errand, HEADER, Held};
use std::rc::Rc;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::worker_sys::DurableObjectState;
use worker::{Env, State};

/// The binding of the vaults.
const VAULTS: &str = "KEY_VAULT";
/// How long a vault may take, in milliseconds; asked twice at most, so that the caller hears of it before its own
/// patience ends.
const VAULT_DEADLINE_MS: u32 = 3_000;

/// The object that holds one customer's key.
#[wasm_bindgen]
pub struct KeyVaultObject(Rc<State>);

#[wasm_bindgen]
impl KeyVaultObject {
    /// The object.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(state: DurableObjectState, _env: Env) -> Self {
        Self(Rc::new(State::from(state)))
    }

    /// Answers a call: a response, or a promise of one.
    #[must_use]
    pub fn fetch(&self, request: web_sys::Request) -> JsValue {
        let vault = Vault(Rc::clone(&self.0));
        task::run(async move { vault.respond(&request).await.into() })
    }
}

struct Vault(Rc<State>);

impl Vault {
    async fn respond(&self, request: &web_sys::Request) -> web_sys::Response {
        let call = header(&request.headers(), HEADER).unwrap_or_default();
        match self.answer(&call).await {
            Ok(held) => respond(Answer::empty(204), vec![(HEADER, held)]),
            Err(error) => {
                worker::console_error!("{}", log::event("vault", None, &error));
                let code = error.code.as_str().to_owned();
                respond(Answer::problem(&error, "vault"), vec![(CODE_HEADER, code)])
            }
        }
    }

    async fn answer(&self, call: &str) -> Result<String> {
        let Call { customer, errand } = Call::decode(call)?;
        if self.0.id().name().as_deref() != Some(customer.as_str()) {
            return Err(Error::fault("the errand is for another vault"));
        }
        let held = match vault::decide(&Storage::new(&self.0), &errand)? {
            Decision::Holds(held) => held,
            Decision::DeleteAll => {
                let deleted = self.0.storage().delete_all().await;
                deleted.map_err(|_| Error::fault("the vault could not be emptied"))?;
                Held { wrapped: None }
            }
        };
        held.encode()
    }
}

/// Asks the vault of a customer.
///
/// # Errors
/// `key_unavailable` if it does not answer in time, or fails, twice.
pub async fn ask(env: &Env, customer: &CustomerId, errand: Errand) -> Result<Held> {
    let call = Call {
        customer: customer.clone(),
        errand,
    };
    let callee = Callee {
        binding: VAULTS,
        name: customer.as_str(),
        deadline_ms: VAULT_DEADLINE_MS,
    };
    // Every errand may be repeated: it comes to the same.
    let response = object::ask(env, &callee, HEADER, &call.encode()?)
        .await
        .map_err(|reason| unavailable(format!("the vault did not answer: {reason}")))?;
    let held = header(&response.headers(), HEADER)
        .ok_or_else(|| unavailable(format!("the vault answered {}", response.status())))?;
    Held::decode(&held).map_err(|_| unavailable("the vault's answer is malformed"))
}
