//! Whether a caller may give a command at all, whatever the customer's status.

use crate::caller::{Caller, User};
use crate::customer::api_keys::KeyRecord;
use crate::customer::memory::Memory;
use crate::customer::request::Request;
use crate::customer::turn::Turn;
use crate::error::{Code, Error, Result};

/// The scope of a token that makes its user an owner, whatever its e-mail.
const OWNER_SCOPE: &str = "customer:owner";

impl Turn<'_> {
    /// Whether the token says that the customer's own e-mail is its holder's. Where the e-mail itself cannot be read,
    /// its blind index tells: an owner stays one.
    ///
    /// # Errors
    /// `internal_error`, in practice never.
    pub fn owns_email(&self, memory: &Memory, user: &User) -> Result<bool> {
        if !user.email_verified || user.email.is_none() {
            return Ok(false);
        }
        if let Ok(profile) = &memory.record.profile {
            return Ok(user.email == profile.email);
        }
        let index = match &user.email {
            Some(email) => Some(self.config.index.email(email)?),
            None => None,
        };
        Ok(index.is_some() && index == memory.account.email_index)
    }

    /// Whether this user owns the customer.
    ///
    /// # Errors
    /// As [`Self::owns_email`].
    pub fn is_owner(&self, memory: &Memory, user: &User) -> Result<bool> {
        let has_scope = user.scopes.iter().any(|scope| scope == OWNER_SCOPE);
        Ok(has_scope || self.owns_email(memory, user)?)
    }

    /// Whether this caller may give this command.
    ///
    /// # Errors
    /// `forbidden` or `insufficient_scope`.
    pub fn permit(&self, memory: &Memory, request: &Request, key: Option<&KeyRecord>) -> Result<()> {
        let command = &request.command;
        let is_allowed = match (&request.caller, key) {
            (Caller::Integration(_), Some(key)) => match command.scope() {
                Some(scope) => return key.allows(scope),
                None => false,
            },
            (Caller::Integration(_), None) => false,
            (Caller::Service(_), _) => command.is_for_services(),
            (Caller::User(_), _) if request.as_admin => command.is_for_admins(),
            (Caller::User(user), _) if command.needs_owner() => {
                if !self.is_owner(memory, user)? {
                    return Err(Error::new(
                        Code::Forbidden,
                        "Only the owner of the customer may do this.",
                    ));
                }
                true
            }
            (Caller::User(_), _) => command.is_for_users(),
        };
        if is_allowed {
            Ok(())
        } else {
            Err(Error::new(Code::Forbidden, Code::Forbidden.title()))
        }
    }
}
