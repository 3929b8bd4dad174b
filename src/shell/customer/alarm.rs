//! What the object does when its time has come.

use super::{ALARM_RETRY_MS, Awake, Object};
use crate::customer::Customer;
use crate::edge::log;
use crate::error::Result;
use crate::shell::Storage;
use crate::shell::host::{self, PlatformEntropy};
use crate::sql::Sql;
use crate::types::Timestamp;

impl Object {
    pub(super) async fn alarm_rings(&self) {
        let ticked = self.wake_and_tick().await;
        let told = match &ticked {
            Ok(()) => self.tell(host::now()).await,
            Err(_) => Ok(()),
        };
        for error in [ticked.err(), told.err()].into_iter().flatten() {
            worker::console_error!("{}", log::event("alarm", None, &error));
        }
    }

    pub(super) fn arm(&self) -> Result<()> {
        self.with_awake(|customer, storage| {
            self.set_alarm(customer, storage);
            Ok(())
        })
    }

    /// Has the object woken when something in it is due, unless an earlier alarm is set already.
    pub(super) fn set_alarm(&self, customer: &Customer, storage: &Storage) {
        let Some(due) = customer
            .due()
            .filter(|due| self.alarm.get().is_none_or(|set| *due < set))
        else {
            return;
        };
        match storage.wake_at(due) {
            Ok(()) => self.alarm.set(Some(due)),
            Err(error) => worker::console_error!("{}", log::event("alarm", None, &error)),
        }
    }

    /// Does what is due. A fault is logged and met again at the next alarm: after six alarms that throw the platform
    /// would stop trying.
    pub(super) async fn wake_and_tick(&self) -> Result<()> {
        self.wake(&self.id()?)?;
        // Without the key, which may be lost for good.
        let erased = self.with_awake(|customer, storage| {
            customer.erase_if_due(storage, host::now(), &mut PlatformEntropy)
        });
        if let Err(error) = erased {
            self.alarm.set(None);
            self.tick_again()?;
            return Err(error);
        }
        let unlocked = self.unlock(false).await;
        self.alarm.set(None);
        match unlocked {
            Ok(()) => self.tick(),
            Err(error) => {
                self.tick_again()?;
                Err(error)
            }
        }
    }

    /// Has the alarm that failed repeated.
    pub(super) fn tick_again(&self) -> Result<()> {
        let awake = self.awake.borrow();
        let Some(Awake { storage, .. }) = awake.as_ref() else {
            return Ok(());
        };
        let again = Timestamp::from_millis(host::now().as_millis().saturating_add(ALARM_RETRY_MS));
        storage.wake_at(again)?;
        self.alarm.set(Some(again));
        Ok(())
    }

    pub(super) fn tick(&self) -> Result<()> {
        let mut awake = self.awake.borrow_mut();
        let Some(Awake { customer, storage }) = awake.as_mut() else {
            return Ok(());
        };
        let now = host::now();
        let done = storage.transaction(&mut || customer.tick(storage, now, &mut PlatformEntropy));
        if done.is_err() {
            customer.forget();
            drop(awake);
            self.tick_again()?;
        } else {
            self.set_alarm(customer, storage);
        }
        done
    }
}
