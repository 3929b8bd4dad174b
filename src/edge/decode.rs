//! From a route and a body to a [`Command`]: the object's last step before it decides.

use crate::customer::command::Command;
use crate::customer::preferences::PreferencesEdit;
use crate::customer::profile::{NewCustomer, ProfileEdit};
use crate::customer::users::UserEdit;
use crate::edge::route::Route;
use crate::error::{Error, Result};

/// The audit log's word for a request whose body is no command.
#[must_use]
pub const fn action(route: Route) -> &'static str {
    match route {
        Route::EnsureCustomer => "customer.create",
        Route::PutUser | Route::PatchUser => "user.update",
        Route::PutPreferences | Route::PatchPreferences => "preferences.update",
        _ => "customer.update",
    }
}

/// The command that a request to a customer's object means.
///
/// # Errors
/// `malformed_body`, `validation_failed` or `field_not_writable`; `internal_error` for a route that no
/// customer's object answers.
pub fn command(route: Route, body: &[u8]) -> Result<Command> {
    Ok(match route {
        Route::GetCustomer | Route::GetCustomerAlias => Command::ReadCustomer,
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
        Route::EnsureCustomer => Command::Create(Box::new(NewCustomer::parse(body)?)),
        Route::Health | Route::Ready | Route::Problem | Route::ResourceMetadata => {
            return Err(Error::fault("this route has no object"));
        }
    })
}
