//! What a customer's object can be asked to do. A [`Command`] is parsed once, with every limit enforced.

use crate::customer::preferences::PreferencesEdit;
use crate::customer::profile::{NewCustomer, ProfileEdit};
use crate::customer::status::Access;
use crate::customer::users::UserEdit;
use crate::error::Error;

/// One thing to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Makes the customer unless it exists.
    Create(Box<NewCustomer>),
    /// Reads the customer.
    ReadCustomer,
    /// Changes the customer.
    WriteCustomer(Box<ProfileEdit>),
    /// Reads the status.
    ReadStatus,
    /// Tells a user who it is.
    ReadSession,
    /// Reads the calling user.
    ReadUser,
    /// Changes the calling user.
    WriteUser(Box<UserEdit>),
    /// Reads the calling user's preferences.
    ReadPreferences,
    /// Changes the calling user's preferences.
    WritePreferences(Box<PreferencesEdit>),
    /// A body that is no command. It is refused only after the caller has proved to be somebody, and logged.
    Invalid {
        /// The action that it would have been.
        action: &'static str,
        /// What is wrong with it.
        error: Error,
    },
}

impl Command {
    /// The word by which the audit log knows it.
    #[must_use]
    pub const fn action(&self) -> &'static str {
        match self {
            Self::Create(_) => "customer.create",
            Self::ReadCustomer => "customer.read",
            Self::WriteCustomer(_) => "customer.update",
            Self::ReadStatus => "status.read",
            Self::ReadSession => "session.read",
            Self::ReadUser => "user.read",
            Self::WriteUser(_) => "user.update",
            Self::ReadPreferences => "preferences.read",
            Self::WritePreferences(_) => "preferences.update",
            Self::Invalid { action, .. } => action,
        }
    }

    /// What it needs the customer's status to allow.
    #[must_use]
    pub const fn access(&self) -> Access {
        match self {
            Self::ReadCustomer
            | Self::ReadStatus
            | Self::ReadSession
            | Self::ReadUser
            | Self::ReadPreferences
            | Self::Create(_) => Access::ReadOwn,
            Self::WriteCustomer(_)
            | Self::WriteUser(_)
            | Self::WritePreferences(_)
            | Self::Invalid { .. } => Access::Act,
        }
    }
}
