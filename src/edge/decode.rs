//! From a route, a query and a body to a [`Command`]: the object's last step before it decides.

mod audit;

use crate::customer::admin_edit::AdminEdit;
use crate::customer::api_keys::{KeyEdit, NewKey, Rotation, Scope};
use crate::customer::command::Command;
use crate::customer::erasure::ErasureRequest;
use crate::customer::limits::{Consume, Release, policy};
use crate::customer::preferences::PreferencesEdit;
use crate::customer::profile::{NewCustomer, ProfileEdit};
use crate::customer::status::{StatusEdit, StatusOperation};
use crate::customer::tokens::Target;
use crate::customer::users::UserEdit;
use crate::edge::route::Route;
use crate::error::{Code, Error, Result};
use crate::types::KeyId;

/// The command that a request to a customer's object means. A query or body that is none becomes a [`Command::Invalid`],
/// which is refused only once the caller has proved to be somebody.
///
/// # Errors
/// `internal_error` for a route that no customer's object answers.
pub fn command(route: Route, variable: &str, query: &str, body: &[u8]) -> Result<Command> {
    parse(route, variable, query, body).or_else(|error| {
        if error.is_refusal() {
            Ok(Command::Invalid {
                action: action(route),
                scope: scope(route),
                owner: is_for_owner(route),
                error,
            })
        } else {
            Err(error)
        }
    })
}

/// What the front puts in the place of a variable segment, which `POST /admin/customers` has not, where it made no
/// customer because this one was there before: then only what an earlier request of the same key was answered counts.
pub const EXISTED: &str = "existed";

fn parse(route: Route, variable: &str, query: &str, body: &[u8]) -> Result<Command> {
    Ok(match route {
        Route::GetCustomer | Route::GetCustomerAlias | Route::AdminGetCustomer => Command::ReadCustomer,
        // The front had it made; what is left is to show it, and to keep the answer for its idempotency key.
        Route::CreateCustomer => {
            NewCustomer::parse(body)?;
            if variable == EXISTED {
                return Err(Error::new(Code::CustomerExists, Code::CustomerExists.title()));
            }
            Command::ReadCustomer
        }
        Route::AdminPutCustomer => Command::EditCustomer(Box::new(AdminEdit::parse(body, true)?)),
        Route::AdminPatchCustomer => Command::EditCustomer(Box::new(AdminEdit::parse(body, false)?)),
        Route::ServicePutEmail => Command::EditCustomer(Box::new(AdminEdit::parse_email(body)?)),
        Route::PutStatus | Route::AdminPutStatus => set_status(StatusOperation::Put, body)?,
        Route::AdminSuspend => set_status(StatusOperation::Suspend, body)?,
        Route::AdminActivate => set_status(StatusOperation::Activate, body)?,
        Route::PutCustomer => Command::WriteCustomer(Box::new(ProfileEdit::parse(body, true)?)),
        Route::PatchCustomer => Command::WriteCustomer(Box::new(ProfileEdit::parse(body, false)?)),
        Route::GetStatus => Command::ReadStatus,
        Route::GetSession => Command::ReadSession,
        Route::GetUser => Command::ReadUser,
        Route::PutUser => Command::WriteUser(Box::new(UserEdit::parse(body, true)?)),
        Route::PatchUser => Command::WriteUser(Box::new(UserEdit::parse(body, false)?)),
        Route::GetPreferences => Command::ReadPreferences,
        Route::PutPreferences => Command::WritePreferences(Box::new(PreferencesEdit::parse(body, true)?)),
        Route::PatchPreferences => Command::WritePreferences(Box::new(PreferencesEdit::parse(body, false)?)),
        Route::GetUsage | Route::AdminGetUsage => Command::ReadUsage,
        Route::ListAudit | Route::AdminListAudit => Command::ListAudit(Box::new(audit::list(query)?)),
        Route::ExportCustomer | Route::AdminExport => Command::Export,
        Route::GetAuditHead | Route::AdminGetAuditHead => Command::ReadAuditHead(audit::since(query)?),
        Route::GetAuditEntry => Command::ReadAudit(audit::seq(variable)?),
        Route::ConsumeLimits => Command::Consume(Consume::parse(body)?),
        Route::ReleaseLease => Command::Release(Release::parse(body)?),
        Route::ListKeys => Command::ListKeys,
        Route::CreateKey => Command::CreateKey(Box::new(NewKey::parse(body)?)),
        Route::GetKey => Command::ReadKey(key_id(variable)?),
        Route::PatchKey => Command::WriteKey(key_id(variable)?, Box::new(KeyEdit::parse(body)?)),
        Route::RevokeKey => Command::RevokeKey(key_id(variable)?),
        Route::RotateKey => Command::RotateKey(key_id(variable)?, Rotation::parse(body)?),
        Route::RevokeTokens | Route::AdminRevokeTokens => Command::RevokeTokens(Target::parse(body)?),
        Route::ServiceRevokeTokens => Command::RevokeTokens(Target::parse_internal(body)?.1),
        Route::GetLimits | Route::AdminGetLimits => Command::ReadLimits,
        Route::PutLimits => Command::WriteOwnLimits(policy::parse_list(body)?),
        Route::AdminPutLimits => Command::WriteLimits(policy::parse_list(body)?),
        Route::GetErasure | Route::AdminGetErasure => Command::ReadErasure,
        Route::RequestErasure => Command::RequestErasure(Box::new(ErasureRequest::parse(body, false)?)),
        Route::AdminRequestErasure => Command::RequestErasure(Box::new(ErasureRequest::parse(body, true)?)),
        Route::WithdrawErasure | Route::AdminWithdrawErasure => Command::WithdrawErasure,
        Route::EnsureCustomer => Command::Create(Box::new(NewCustomer::parse(body)?)),
        Route::ListCustomers
        | Route::GetOperatorLog
        | Route::ImportRecords
        | Route::Rewrap
        | Route::Health
        | Route::Ready
        | Route::Problem
        | Route::ResourceMetadata
        | Route::SigningKeys
        | Route::OpenApi
        | Route::Docs
        | Route::DocsStyle
        | Route::Dashboard
        | Route::DashboardFile => {
            return Err(Error::fault("this route has no object"));
        }
    })
}

/// What `GET /admin/audit` asks for, which has the same query as a customer's log.
///
/// # Errors
/// What is wrong with it.
pub fn operator_log_query(query: &str) -> Result<crate::customer::audit::page::AuditQuery> {
    audit::list(query)
}

fn set_status(operation: StatusOperation, body: &[u8]) -> Result<Command> {
    StatusEdit::parse(operation, body).map(|edit| Command::SetStatus(Box::new(edit)))
}

fn key_id(variable: &str) -> Result<KeyId> {
    KeyId::parse(variable).ok_or_else(|| Error::new(Code::KeyNotFound, "The customer has no such API key."))
}

/// The audit log's word for a request whose body is no command.
const fn action(route: Route) -> &'static str {
    match route {
        Route::EnsureCustomer | Route::CreateCustomer => "customer.create",
        Route::PutUser | Route::PatchUser => "user.update",
        Route::PutPreferences | Route::PatchPreferences => "preferences.update",
        Route::ConsumeLimits => "limits.consume",
        Route::ReleaseLease => "limits.release",
        Route::CreateKey => "api_key.create",
        Route::GetKey => "api_key.read",
        Route::PatchKey => "api_key.update",
        Route::RevokeKey => "api_key.revoke",
        Route::RotateKey => "api_key.rotate",
        Route::RevokeTokens | Route::AdminRevokeTokens | Route::ServiceRevokeTokens => "tokens.revoke",
        Route::PutLimits | Route::AdminPutLimits => "limits.update",
        Route::PutStatus | Route::AdminPutStatus => "status.update",
        Route::AdminSuspend => "customer.suspend",
        Route::AdminActivate => "customer.activate",
        Route::ListAudit | Route::AdminListAudit => "audit.list",
        Route::GetAuditHead | Route::AdminGetAuditHead => "audit.head",
        Route::GetAuditEntry => "audit.read",
        Route::RequestErasure | Route::AdminRequestErasure => "erasure.request",
        _ => "customer.update",
    }
}

/// The scope that an API key needs for a route whose body is no command.
const fn scope(route: Route) -> Option<Scope> {
    match route {
        Route::PutCustomer | Route::PatchCustomer => Some(Scope::CustomerWrite),
        Route::ConsumeLimits | Route::ReleaseLease => Some(Scope::LimitsConsume),
        Route::ListAudit | Route::GetAuditHead | Route::GetAuditEntry => Some(Scope::AuditRead),
        _ => None,
    }
}

/// Whether only the customer's owner may call a route whose body is no command.
const fn is_for_owner(route: Route) -> bool {
    matches!(
        route,
        Route::CreateKey
            | Route::GetKey
            | Route::PatchKey
            | Route::RevokeKey
            | Route::RotateKey
            | Route::PutLimits
            | Route::RequestErasure
    )
}
