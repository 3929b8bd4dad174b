//! Who comes: whether the credential still works, which user it is, and what its e-mail makes of it.

use super::Turn;
use crate::caller::{Caller, User};
use crate::customer::api_keys::KeyRecord;
use crate::customer::audit::Entry;
use crate::customer::entry::{self, changes};
use crate::customer::errand::Standing;
use crate::customer::memory::Memory;
use crate::customer::request::{Elsewhere, Request};
use crate::customer::status::{By, Status};
use crate::customer::{account, users};
use crate::email::EmailIndex;
use crate::error::Result;
use serde_json::{Value, json};

impl Turn<'_> {
    /// The key behind an integration, and whether the credential still works at all.
    pub(super) fn admit(&mut self, memory: &mut Memory, request: &Request) -> Result<Option<KeyRecord>> {
        match &request.caller {
            Caller::User(user) => self.still_works(memory, user, request.as_admin).map(|()| None),
            Caller::Service(_) => Ok(None),
            Caller::Integration(integration) => {
                let origin = integration.browser_origin.as_deref();
                let key = memory
                    .keys
                    .authenticate(&integration.digest, integration.legacy, origin, self.now)?
                    .clone();
                memory.keys.touch(self.sql, &key.key_id, self.now)?;
                Ok(Some(key))
            }
        }
    }

    /// Whether a user's token still works.
    ///
    /// # Errors
    /// `token_revoked` or a fault.
    pub fn still_works(&self, memory: &Memory, user: &User, as_admin: bool) -> Result<()> {
        // An administrator's token is revoked with the operators, which the front asks first; with the customer that
        // it acts on only where it names that one.
        if as_admin && user.customer.as_ref() != Some(self.id) {
            return Ok(());
        }
        memory.revocations.check(self.sql, user)
    }

    /// Finds or makes the user, and notes the hour of the visit. Warm: no row read, none written.
    ///
    /// # Errors
    /// `limit_reached` or faults.
    pub fn meet(&mut self, memory: &mut Memory, user: &User) -> Result<()> {
        if !memory
            .seen(user)
            .is_some_and(|seen| seen.is_current(user, self.now))
        {
            let subject_index = self.config.index.subject(&user.subject)?;
            let fields = self.fields()?;
            let (seen, changed) =
                users::meet(self.sql, fields, user, &subject_index, self.now, self.entropy)?;
            memory.brought.extend(changed);
            memory.remember(user, seen);
        }
        if memory.has_preferences_waiting && self.owns_email(memory, user)? {
            self.hand_over_preferences(memory, user)?;
        }
        memory.record.touch(self.sql, self.now)
    }

    /// A pending customer becomes active when a user comes whose token says that the customer's e-mail is verified.
    pub(super) fn verify(&mut self, memory: &mut Memory, user: &User, request: &Request) -> Result<()> {
        if memory.record.status != Status::PendingVerification || !self.owns_email(memory, user)? {
            return Ok(());
        }
        let before = memory
            .record
            .status_view()
            .map_or(Value::Null, |view| json!(view));
        let (fields, to) = (self.fields()?, (Status::Active, None));
        memory
            .record
            .move_to(self.sql, fields, to, By::VerifiedEmail, self.now, self.entropy)?;
        account::relist(self, memory)?;
        let changed = changes(&before, &json!(memory.record.status_view()?));
        let entry = Entry {
            actor: self.actor(memory, request, None)?,
            action: "customer.verify",
            target: "customer",
            outcome: "ok",
            request_id: &request.origin.request_id,
            detail: entry::detail(request, changed),
            limiter: memory.quota.store(self.sql, self.now)?,
        };
        self.append(memory, entry)
    }

    /// The blind index of a user's verified e-mail.
    pub(super) fn email_index(&self, caller: &Caller) -> Result<Option<EmailIndex>> {
        match caller {
            Caller::User(user) => match user.email.as_deref().filter(|_| user.email_verified) {
                Some(email) => self.config.index.email(email).map(Some),
                None => Ok(None),
            },
            _ => Ok(None),
        }
    }

    /// Whether a token that does not name this customer is for it all the same, because its verified e-mail is the
    /// customer's. An id that stands for it does so only together with that e-mail, so that it need not be looked up.
    pub(super) fn is_of_email(&self, memory: &Memory, user: &User) -> Result<bool> {
        let index = self.email_index(&Caller::User(Box::new(user.clone())))?;
        let Some(index) = index.filter(|_| memory.record.status != Status::Erased) else {
            return Ok(false);
        };
        Ok(memory.account.has_claimed(&index))
    }

    /// What the front may make of this id, which is no customer, for a user with a verified e-mail. Writes nothing.
    pub(super) fn elsewhere(&self, request: &Request) -> Result<Option<Elsewhere>> {
        let index = self.email_index(&request.caller)?.filter(|_| !request.as_admin);
        let Some(index) = index else {
            return Ok(None);
        };
        Ok(Some(match self.standing(Some(&index))? {
            Standing::Alias(Some(customer)) => Elsewhere::At(customer),
            _ => Elsewhere::Nowhere,
        }))
    }
}
