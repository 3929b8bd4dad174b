//! The key of what is sealed: fetched from the vault once for all that wait for it, and wrapped anew.

use super::{Awake, MAX_RENEWAL_ROUNDS, MAX_UNLOCK_ROUNDS, Object};
use crate::crypto::dek::unavailable;
use crate::customer::request::Request;
use crate::edge::log;
use crate::error::{Error, Result};
use crate::shell::host::PlatformEntropy;
use crate::shell::vault;
use crate::vault::Errand as KeyErrand;
use futures_channel::oneshot;

impl Object {
    /// Has the key fetched that the next decision needs, once for all that wait for it. Other requests may arrive and
    /// be decided meanwhile: the core decides nothing that needs the key without it.
    pub(super) async fn unlock(&self, creates: bool) -> Result<()> {
        for _ in 0..MAX_UNLOCK_ROUNDS {
            let Some(errand) = self.key_errand(creates)? else {
                return Ok(());
            };
            let fetched_by_another = self.unlocking.borrow_mut().as_mut().map(|waiting| {
                let (sender, fetched) = oneshot::channel();
                waiting.push(sender);
                fetched
            });
            if let Some(fetched) = fetched_by_another {
                fetched
                    .await
                    .map_err(|_| Error::fault("fetching the key was dropped"))??;
                continue;
            }
            self.unlocking.replace(Some(Vec::new()));
            let outcome = self.fetch_key(errand).await;
            for sender in self.unlocking.take().unwrap_or_default() {
                let _ = sender.send(outcome.clone());
            }
            return outcome;
        }
        Err(unavailable("the key was fetched and is not there"))
    }

    pub(super) fn needs_no_key(&self, request: &Request) -> bool {
        let awake = self.awake.borrow();
        awake
            .as_ref()
            .is_some_and(|awake| awake.customer.decides_without_key(request))
    }

    pub(super) fn key_errand(&self, creates: bool) -> Result<Option<KeyErrand>> {
        match self.awake.borrow().as_ref() {
            Some(Awake { customer, storage }) => customer.key_errand(storage, creates, &mut PlatformEntropy),
            None => Ok(None),
        }
    }

    /// Carries errands between the core and the vault until the core wants nothing more.
    pub(super) async fn fetch_key(&self, first: KeyErrand) -> Result<()> {
        let mut next = Some(first);
        while let Some(errand) = next {
            let id = self.id()?;
            let held = vault::ask(&self.env, &id, errand).await;
            let mut awake = self.awake.borrow_mut();
            let Some(Awake { customer, storage }) = awake.as_mut() else {
                return Ok(());
            };
            next = match held {
                Ok(held) => customer.key_answer(storage, &held, &mut PlatformEntropy)?,
                // The key is there; only its new wrapping is not kept, and the next wake-up tries again.
                Err(error) if customer.has_key() => {
                    worker::console_error!("{}", log::event("rewrap", None, &error));
                    None
                }
                Err(error) => return Err(error),
            };
        }
        Ok(())
    }

    /// Has the vault keep the key under the active master key, and sees that it does.
    pub(super) async fn renew_wrapping(&self) -> Result<()> {
        let id = self.id()?;
        let mut held = vault::ask(&self.env, &id, KeyErrand::Look).await?;
        for _ in 0..MAX_RENEWAL_ROUNDS {
            let renewal =
                self.with_awake(|customer, storage| customer.renewal(storage, &held, &mut PlatformEntropy))?;
            let Some(errand) = renewal else {
                return Ok(());
            };
            held = vault::ask(&self.env, &id, errand).await?;
        }
        Err(unavailable("the vault does not keep the new wrapping"))
    }
}
