//! What the object has to tell others: the directory, its aliases, an older store, the key vault.

use super::Object;
use crate::customer::erasure::run::Legacy;
use crate::customer::errand::{self as tell, Answer as ErrandAnswer, Errand};
use crate::customer::outbox::{Notice, Told};
use crate::directory::errand::What;
use crate::edge::settings::Settings;
use crate::error::{Error, Result};
use crate::shell::{erasure, host, legacy, object, vault};
use crate::types::{CustomerId, Timestamp};
use crate::vault::Errand as KeyErrand;

impl Object {
    /// Tells other objects what was written for them and not tried yet.
    ///
    /// # Errors
    /// `unavailable` if one of them could not be told; the alarm tries again.
    pub(super) async fn tell_fresh(&self) -> Result<()> {
        let is_fresh = self
            .awake
            .borrow()
            .as_ref()
            .is_some_and(|awake| awake.customer.has_fresh_notices());
        if is_fresh {
            self.tell(Timestamp::MAX).await
        } else {
            Ok(())
        }
    }

    /// Tells the directory all that was written for it and not heard yet. What an erasure has to tell others is left
    /// to the alarm: an administrator's change of this customer does not depend on it.
    ///
    /// # Errors
    /// As [`Self::tell_fresh`].
    pub(super) async fn tell_directory(&self) -> Result<()> {
        let waits = self
            .awake
            .borrow()
            .as_ref()
            .is_some_and(|awake| awake.customer.has_notices());
        if !waits {
            return Ok(());
        }
        let notices = self.with_awake(|customer, storage| customer.notices(storage, Timestamp::MAX))?;
        let of_directory = notices.into_iter().filter(|(_, told)| told.is_of_directory());
        self.tell_all(of_directory.collect()).await
    }

    /// Tells other objects what is due by then. Nothing is lost where it fails, and nothing harmed where two do it
    /// at the same time: what is told can be told twice.
    pub(super) async fn tell(&self, due_until: Timestamp) -> Result<()> {
        let notices = self.with_awake(|customer, storage| customer.notices(storage, due_until))?;
        self.tell_all(notices).await
    }

    pub(super) async fn tell_all(&self, notices: Vec<(Notice, Told)>) -> Result<()> {
        let settings = &host::site(&self.env)?.settings;
        let mut outcome = Ok(());
        for (notice, told) in notices {
            let own_id = self.with_awake(|customer, _| Ok(customer.id().clone()))?;
            let heard = self.tell_one(settings, own_id, told).await;
            let now = host::now();
            self.with_awake(|customer, storage| customer.noticed(storage, &notice, heard.is_ok(), now))?;
            outcome = outcome.and(heard);
        }
        self.arm()?;
        outcome
    }

    pub(super) async fn tell_one(&self, settings: &Settings, own_id: CustomerId, told: Told) -> Result<()> {
        let what = match told {
            Told::List(listing) => What::Put(listing),
            Told::Release { index, attempt } => What::Release {
                index,
                holder: own_id,
                attempt,
            },
            Told::Alias(alias) => {
                let errand = Errand {
                    customer: alias,
                    what: tell::What::DropAlias { customer: own_id },
                };
                let said = object::ask_customer(&self.env, &errand, settings.object_deadline_ms).await?;
                return match said {
                    ErrandAnswer::Noted => Ok(()),
                    _ => Err(Error::fault("an alias answered something else")),
                };
            }
            Told::Legacy => return self.erase_legacy(&own_id).await,
            Told::Vault => {
                let held = vault::ask(&self.env, &own_id, KeyErrand::DeleteAll).await?;
                return match held.wrapped {
                    None => Ok(()),
                    Some(_) => Err(Error::fault("the vault still holds a key")),
                };
            }
        };
        object::tell_directory(&self.env, settings, what)
            .await
            .map(|_| ())
    }

    /// One round of deleting what the older service's store has of an erased customer.
    pub(super) async fn erase_legacy(&self, own_id: &CustomerId) -> Result<()> {
        let outcome = match legacy::store(&self.env) {
            None => Legacy::NotBound,
            Some(store) => {
                let held = vault::ask(&self.env, own_id, KeyErrand::Look).await?;
                let (trail, from) =
                    self.with_awake(|customer, storage| customer.legacy_trail(storage, &held))?;
                erasure::round(&store, own_id, trail, from).await?
            }
        };
        let now = host::now();
        self.with_awake(|customer, storage| customer.heard_of_legacy(storage, &outcome, now))
    }
}
