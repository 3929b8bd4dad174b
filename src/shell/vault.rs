//! A customer's key vault: the object that holds its wrapped data key, and calling it from the customer's object.

use crate::crypto::dek::unavailable;
use crate::edge::log;
use crate::edge::reply::{Answer, CODE_HEADER};
use crate::error::{Error, Result};
use crate::shell::Storage;
use crate::shell::http::{header, respond};
use crate::shell::object::{self, Callee};
use crate::types::CustomerId;
use crate::vault::{self, Call, Decision, Errand, HEADER, Held};
use worker::{DurableObject, Env, State, durable_object};

/// The binding of the vaults.
const VAULTS: &str = "KEY_VAULT";
/// How long a vault may take, in milliseconds; asked twice at most, so that the caller hears of it before its own
/// patience ends.
const VAULT_DEADLINE_MS: u32 = 3_000;

/// The object that holds one customer's key.
#[durable_object(fetch)]
pub struct KeyVaultObject {
    state: State,
}

impl DurableObject for KeyVaultObject {
    fn new(state: State, _env: Env) -> Self {
        Self { state }
    }

    async fn fetch(&self, request: worker::Request) -> worker::Result<worker::Response> {
        let call = header(&request.inner().headers(), HEADER).unwrap_or_default();
        Ok(match self.answer(&call).await {
            Ok(held) => respond(Answer::empty(204), vec![(HEADER, held)]),
            Err(error) => {
                worker::console_error!("{}", log::event("vault", None, &error));
                let code = error.code.as_str().to_owned();
                respond(Answer::problem(&error, "vault"), vec![(CODE_HEADER, code)])
            }
        }
        .into())
    }
}

impl KeyVaultObject {
    async fn answer(&self, call: &str) -> Result<String> {
        let Call { customer, errand } = Call::decode(call)?;
        if self.state.id().name().as_deref() != Some(customer.as_str()) {
            return Err(Error::fault("the errand is for another vault"));
        }
        let held = match vault::decide(&Storage::new(&self.state), &errand)? {
            Decision::Holds(held) => held,
            Decision::DeleteAll => {
                let deleted = self.state.storage().delete_all().await;
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
