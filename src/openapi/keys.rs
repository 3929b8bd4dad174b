//! API keys, and revoking tokens.

use super::answers::KeyList;
use super::bodies::{ApiKeyPatch, NewApiKey, Revocation, Rotation};
use super::operation::Operation;
use crate::customer::api_keys::View;
use crate::edge::route::Route;
use crate::error::Code;

pub(super) fn describe(route: Route) -> Option<Operation> {
    Some(match route {
        Route::ListKeys => {
            Operation::new("List the API keys").answers::<KeyList<'_>>(200, "All keys, newest first.")
        }
        Route::CreateKey => Operation::new("Make an API key")
            .body::<NewApiKey>()
            .answers::<View<'_>>(201, "The key, with its `secret` for the only time.")
            .problems(&[Code::FieldNotWritable]),
        Route::GetKey => Operation::new("Read an API key")
            .answers::<View<'_>>(200, "The key.")
            .problems(&[Code::KeyNotFound])
            .versioned(),
        Route::PatchKey => Operation::new("Change an API key")
            .body::<ApiKeyPatch>()
            .answers::<View<'_>>(200, "The key after the change.")
            .problems(&[Code::KeyNotFound, Code::KeyEnded, Code::FieldNotWritable])
            .versioned(),
        Route::RevokeKey => Operation::new("Revoke an API key")
            .about("At once and for ever; safe to repeat. No limit refuses it.")
            .charged(false)
            .done("It is revoked.")
            .problems(&[Code::KeyNotFound]),
        Route::RotateKey => Operation::new("Replace an API key")
            .body::<Rotation>()
            .answers::<View<'_>>(201, "The new key, with its `secret` for the only time.")
            .problems(&[Code::KeyNotFound, Code::KeyEnded]),
        Route::RevokeTokens => Operation::new("Revoke tokens")
            .about("Revoking all of them needs the owner, and no limit refuses it. Revoking one has a limit of its own.")
            .body::<Revocation>()
            .done("They are revoked.")
            .problems(&[Code::RevokeAllInstead]),
        _ => return None,
    })
}
