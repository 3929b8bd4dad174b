//! What a customer's object can be asked to do. A [`Command`] is parsed once, with every limit enforced.

use crate::customer::admin_edit::AdminEdit;
use crate::customer::api_keys::{KeyEdit, NewKey, Rotation, Scope};
use crate::customer::audit::page::AuditQuery;
use crate::customer::erasure::ErasureRequest;
use crate::customer::limits::{Consume, Policy, Release, Reserve};
use crate::customer::preferences::PreferencesEdit;
use crate::customer::profile::{NewCustomer, ProfileEdit};
use crate::customer::status::{Access, StatusEdit, StatusOperation};
use crate::customer::tokens::Target;
use crate::customer::users::UserEdit;
use crate::error::Error;
use crate::types::KeyId;

/// One thing to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Makes the customer unless it exists.
    Create(Box<NewCustomer>),
    /// Reads the customer.
    ReadCustomer,
    /// Changes the customer.
    WriteCustomer(Box<ProfileEdit>),
    /// Changes the customer as an administrator.
    EditCustomer(Box<AdminEdit>),
    /// Moves the customer to another status.
    SetStatus(Box<StatusEdit>),
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
    /// Reads how much the customer was used, and what its limits leave.
    ReadUsage,
    /// Spends of named policies.
    Consume(Consume),
    /// Gives a lease back.
    Release(Release),
    /// Lists the API keys.
    ListKeys,
    /// Reads one API key.
    ReadKey(KeyId),
    /// Makes an API key.
    CreateKey(Box<NewKey>),
    /// Changes an API key.
    WriteKey(KeyId, Box<KeyEdit>),
    /// Replaces an API key by a new one.
    RotateKey(KeyId, Rotation),
    /// Takes an API key back.
    RevokeKey(KeyId),
    /// Takes tokens back.
    RevokeTokens(Target),
    /// Reads the policies of the customer.
    ReadLimits,
    /// Sets the policies that differ from the plan's.
    WriteLimits(Vec<Policy>),
    /// Sets the policies that the customer has for itself.
    WriteOwnLimits(Vec<Policy>),
    /// Reads a page of the audit log.
    ListAudit(Box<AuditQuery>),
    /// Reads one entry of the audit log.
    ReadAudit(i64),
    /// Reads where the audit log ends, and the leaf hashes after an entry.
    ReadAuditHead(Option<i64>),
    /// Asks for the customer's erasure.
    RequestErasure(Box<ErasureRequest>),
    /// Takes that back.
    WithdrawErasure,
    /// Reads whether it is asked for, or was carried out.
    ReadErasure,
    /// Begins an export of everything.
    Export,
    /// A body that is no command. It is refused only after the caller has proved to be somebody, and logged.
    Invalid {
        /// The action that it would have been.
        action: &'static str,
        /// The scope that an API key would have needed.
        scope: Option<Scope>,
        /// Whether a user would have had to be the owner.
        owner: bool,
        /// What is wrong with it.
        error: Error,
    },
}

impl Command {
    /// Whether it may want the claim of an e-mail before it is carried out.
    #[must_use]
    pub fn may_claim(&self) -> bool {
        matches!(self, Self::EditCustomer(edit) if edit.email.is_some())
    }

    /// The word by which the audit log knows it.
    #[must_use]
    pub const fn action(&self) -> &'static str {
        match self {
            Self::Create(_) => "customer.create",
            Self::ReadCustomer => "customer.read",
            Self::WriteCustomer(_) | Self::EditCustomer(_) => "customer.update",
            Self::SetStatus(edit) => match edit.operation {
                StatusOperation::Put => "status.update",
                StatusOperation::Suspend => "customer.suspend",
                StatusOperation::Activate => "customer.activate",
            },
            Self::ReadStatus => "status.read",
            Self::ReadSession => "session.read",
            Self::ReadUser => "user.read",
            Self::WriteUser(_) => "user.update",
            Self::ReadPreferences => "preferences.read",
            Self::WritePreferences(_) => "preferences.update",
            Self::ReadUsage => "usage.read",
            Self::Consume(_) => "limits.consume",
            Self::Release(_) => "limits.release",
            Self::ListKeys => "api_keys.list",
            Self::ReadKey(_) => "api_key.read",
            Self::CreateKey(_) => "api_key.create",
            Self::WriteKey(..) => "api_key.update",
            Self::RotateKey(..) => "api_key.rotate",
            Self::RevokeKey(_) => "api_key.revoke",
            Self::RevokeTokens(_) => "tokens.revoke",
            Self::ReadLimits => "limits.read",
            Self::WriteLimits(_) | Self::WriteOwnLimits(_) => "limits.update",
            Self::Export => "export.read",
            Self::ListAudit(_) => "audit.list",
            Self::ReadAudit(_) => "audit.read",
            Self::ReadAuditHead(_) => "audit.head",
            Self::RequestErasure(_) => "erasure.request",
            Self::WithdrawErasure => "erasure.withdraw",
            Self::ReadErasure => "erasure.read",
            Self::Invalid { action, .. } => action,
        }
    }

    /// What it needs the customer's status to allow when the customer itself gives it.
    #[must_use]
    pub const fn access(&self) -> Access {
        match self {
            Self::ReadCustomer
            | Self::ReadStatus
            | Self::ReadSession
            | Self::ReadUser
            | Self::ReadPreferences
            | Self::ReadUsage
            | Self::ListKeys
            | Self::ReadKey(_)
            | Self::ReadLimits
            | Self::WriteLimits(_)
            | Self::RevokeTokens(_)
            | Self::ListAudit(_)
            | Self::ReadAudit(_)
            | Self::ReadAuditHead(_)
            | Self::RequestErasure(_)
            | Self::WithdrawErasure
            | Self::ReadErasure
            | Self::Export
            | Self::Create(_) => Access::ReadOwn,
            Self::WriteCustomer(_)
            | Self::EditCustomer(_)
            | Self::SetStatus(_)
            | Self::WriteUser(_)
            | Self::WritePreferences(_)
            | Self::Consume(_)
            | Self::Release(_)
            | Self::WriteOwnLimits(_)
            | Self::CreateKey(_)
            | Self::WriteKey(..)
            | Self::RotateKey(..)
            | Self::RevokeKey(_)
            | Self::Invalid { .. } => Access::Act,
        }
    }

    /// What an API key needs to give it; `None` if no key may.
    #[must_use]
    pub const fn scope(&self) -> Option<Scope> {
        match self {
            Self::ReadCustomer | Self::ReadStatus => Some(Scope::CustomerRead),
            Self::WriteCustomer(_) => Some(Scope::CustomerWrite),
            Self::ReadUsage => Some(Scope::UsageRead),
            Self::Consume(_) | Self::Release(_) => Some(Scope::LimitsConsume),
            Self::ListAudit(_) | Self::ReadAudit(_) | Self::ReadAuditHead(_) => Some(Scope::AuditRead),
            Self::Invalid { scope, .. } => *scope,
            _ => None,
        }
    }

    /// Whether a user must be the customer's owner to give it.
    #[must_use]
    pub const fn needs_owner(&self) -> bool {
        matches!(
            self,
            Self::ListKeys
                | Self::ReadKey(_)
                | Self::CreateKey(_)
                | Self::WriteKey(..)
                | Self::RotateKey(..)
                | Self::RevokeKey(_)
                | Self::RevokeTokens(Target::All)
                | Self::Export
                | Self::ReadLimits
                | Self::WriteOwnLimits(_)
                | Self::RequestErasure(_)
                | Self::WithdrawErasure
                | Self::ReadErasure
                | Self::Invalid { owner: true, .. }
        )
    }

    /// Whether a service may give it. A body that is no command is refused for what it is.
    #[must_use]
    pub const fn is_for_services(&self) -> bool {
        matches!(
            self,
            Self::Create(_) | Self::EditCustomer(_) | Self::RevokeTokens(_) | Self::Invalid { .. }
        )
    }

    /// Whether an administrator may give it as such, to whichever customer.
    #[must_use]
    pub const fn is_for_admins(&self) -> bool {
        matches!(
            self,
            Self::ReadCustomer
                | Self::EditCustomer(_)
                | Self::SetStatus(_)
                | Self::ReadLimits
                | Self::WriteLimits(_)
                | Self::ReadUsage
                | Self::RevokeTokens(_)
                | Self::ListAudit(_)
                | Self::ReadAuditHead(_)
                | Self::RequestErasure(_)
                | Self::WithdrawErasure
                | Self::ReadErasure
                | Self::Export
                | Self::Invalid { .. }
        )
    }

    /// Whether a user of the customer may give it, as far as its being the owner does not decide.
    #[must_use]
    pub const fn is_for_users(&self) -> bool {
        !matches!(
            self,
            Self::Create(_)
                | Self::EditCustomer(_)
                | Self::SetStatus(_)
                | Self::WriteLimits(_)
                | Self::Consume(_)
                | Self::Release(_)
        )
    }

    /// What its requests are charged to. Consume names what it spends itself, and giving back must be possible to
    /// whoever has nothing left. So must taking a credential back, or whoever holds a leaked one could keep the owner
    /// from ending it: a key can be revoked once, and revoking all tokens ends the one that asks, so neither can be
    /// had without end; what else is needed for it has a reserve.
    #[must_use]
    pub const fn charging(&self) -> Charging {
        match self {
            Self::Consume(_)
            | Self::Release(_)
            | Self::RevokeKey(_)
            | Self::RevokeTokens(Target::All | Target::NotBefore(_)) => Charging::Nothing,
            Self::RevokeTokens(Target::Jti(_)) => Charging::Reserve(Reserve::Tokens),
            Self::ListKeys | Self::ReadKey(_) => Charging::Reserve(Reserve::Keys),
            _ => Charging::Plan,
        }
    }
}

/// What the requests of a user or an integration are charged to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charging {
    /// The policies of the plan, and the key's own.
    Plan,
    /// A reserve, and nothing else.
    Reserve(Reserve),
    /// Nothing.
    Nothing,
}
