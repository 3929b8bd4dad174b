//! `/session` and `/user/me`.

use super::bodies::{PreferencesPatch, PreferencesPut, UserEdit};
use super::operation::Operation;
use crate::customer::SessionView;
use crate::customer::preferences::Preferences;
use crate::customer::users::UserView;
use crate::edge::route::Route;
use crate::error::Code;

pub(super) fn describe(route: Route) -> Option<Operation> {
    Some(match route {
        Route::GetSession => Operation::new("Read who is signed in")
            .about("For a page whose token is in an HttpOnly cookie.")
            .answers::<SessionView<'_>>(200, "The session."),
        Route::GetUser => Operation::new("Read the calling user")
            .answers::<UserView<'_>>(200, "The user.")
            .versioned(),
        Route::PutUser => Operation::new("Replace the calling user's writable fields")
            .body::<UserEdit>()
            .answers::<UserView<'_>>(200, "The user after the change.")
            .problems(&[Code::FieldNotWritable])
            .versioned(),
        Route::PatchUser => Operation::new("Change the calling user")
            .body::<UserEdit>()
            .answers::<UserView<'_>>(200, "The user after the change.")
            .problems(&[Code::FieldNotWritable])
            .versioned(),
        Route::GetPreferences => Operation::new("Read the calling user's preferences")
            .answers::<Preferences>(200, "The preferences.")
            .versioned(),
        Route::PutPreferences => Operation::new("Replace the calling user's preferences")
            .body::<PreferencesPut>()
            .answers::<Preferences>(200, "The preferences after the change.")
            .versioned(),
        Route::PatchPreferences => Operation::new("Change the calling user's preferences")
            .body::<PreferencesPatch>()
            .answers::<Preferences>(200, "The preferences after the change.")
            .versioned(),
        _ => return None,
    })
}
