//! What a super-admin may do.

use super::account::{audit_head, audit_page, export};
use super::answers::{AdminLimits, AuditPage, CustomerPage, Erasure, Usage};
use super::bodies::{
    Activation, AdminCustomerPatch, AdminCustomerPut, EnsureCustomer, ErasureByAdmin, NewPolicies,
    Revocation, StatusPut, Suspension,
};
use super::operation::Operation;
use crate::customer::profile::CustomerView;
use crate::customer::status::StatusView;
use crate::edge::route::Route;
use crate::error::Code;
use serde_json::json;

/// What a request on a customer that the path names may meet.
const NAMED: &[Code] = &[Code::CustomerNotFound, Code::CustomerErased];

#[allow(clippy::too_many_lines)] // A table: one arm an operation.
pub(super) fn describe(route: Route) -> Option<Operation> {
    Some(match route {
        Route::ListCustomers => Operation::new("List customers")
            .query("limit", "Most customers of the page.", json!({"type": "integer", "minimum": 1, "maximum": 100, "default": 20}))
            .query("cursor", "`nextCursor` of the page before, with the same filters.", json!({"type": "string"}))
            .query("status", "Only those of this status.", json!({"type": "string", "enum": ["pending_verification", "active", "suspended", "cancelled"]}))
            .query("plan", "Only those of this plan.", json!({"type": "string", "enum": ["free", "starter", "pro", "enterprise"]}))
            .query("email", "Only the one with this address.", json!({"type": "string", "format": "email"}))
            .query("createdAfter", "Only those created later.", json!({"type": "string", "format": "date-time"}))
            .query("createdBefore", "Only those created earlier.", json!({"type": "string", "format": "date-time"}))
            .answers::<CustomerPage>(200, "A page, newest first.")
            .header("Link")
            .problems(&[Code::InvalidCursor, Code::ValidationFailed]),
        Route::CreateCustomer => creation(),
        Route::GetOperatorLog => audit_page("Read what operators did that concerns no single customer")
            .answers::<AuditPage>(200, "A page, newest first."),
        Route::AdminGetCustomer => Operation::new("Read a customer")
            .answers::<CustomerView<'_>>(200, "The customer.")
            .problems(NAMED)
            .versioned(),
        Route::AdminPutCustomer => Operation::new("Replace a customer's writable fields")
            .body::<AdminCustomerPut>()
            .answers::<CustomerView<'_>>(200, "The customer after the change.")
            .problems(NAMED)
            .problems(&[Code::FieldNotWritable, Code::EmailTaken])
            .versioned(),
        Route::AdminPatchCustomer => Operation::new("Change a customer")
            .body::<AdminCustomerPatch>()
            .answers::<CustomerView<'_>>(200, "The customer after the change.")
            .problems(NAMED)
            .problems(&[Code::FieldNotWritable, Code::EmailTaken])
            .versioned(),
        Route::AdminPutStatus => moves("Move a customer to another status")
            .body::<StatusPut>()
            .answers::<StatusView<'_>>(200, "The status after the move."),
        Route::PutStatus => moves("Move the administrator's own customer to another status")
            .body::<StatusPut>()
            .answers::<StatusView<'_>>(200, "The status after the move."),
        Route::AdminSuspend => moves("Suspend a customer")
            .body::<Suspension>()
            .answers::<CustomerView<'_>>(200, "The customer after the move."),
        Route::AdminActivate => moves("Make a customer active")
            .body::<Activation>()
            .answers::<CustomerView<'_>>(200, "The customer after the move."),
        Route::AdminListAudit => audit_page("Read a customer's audit log")
            .answers::<AuditPage>(200, "A page, newest first.")
            .problems(NAMED),
        Route::AdminGetAuditHead => audit_head("Read where a customer's audit log ends").problems(NAMED),
        Route::AdminExport => export("Export a customer's data").problems(NAMED),
        Route::AdminRevokeTokens => Operation::new("Revoke a customer's tokens")
            .body::<Revocation>()
            .done("They are revoked.")
            .problems(NAMED)
            .problems(&[Code::RevokeAllInstead]),
        Route::AdminGetErasure => Operation::new("Read a customer's erasure")
            .about("The one operation that answers 200 of a customer that is erased.")
            .answers::<Erasure>(200, "How it stands.")
            .problems(&[Code::CustomerNotFound, Code::ErasureNotFound]),
        Route::AdminRequestErasure => Operation::new("Ask for a customer's erasure")
            .about("Asking again changes nothing, except that `graceDays` may bring it forward.")
            .body::<ErasureByAdmin>()
            .answers::<Erasure>(202, "It is scheduled.")
            .problems(NAMED),
        Route::AdminWithdrawErasure => Operation::new("Withdraw a customer's erasure")
            .done("It is withdrawn; nothing has changed.")
            .problems(NAMED)
            .problems(&[Code::ErasureNotFound]),
        Route::AdminGetLimits => Operation::new("Read a customer's limits")
            .answers::<AdminLimits>(200, "Its own limits, and those in force.")
            .problems(NAMED),
        Route::AdminPutLimits => Operation::new("Set a customer's own limits")
            .body::<NewPolicies>()
            .answers::<AdminLimits>(200, "Its own limits, and those in force.")
            .problems(NAMED),
        Route::AdminGetUsage => Operation::new("Read a customer's usage")
            .answers::<Usage>(200, "The limits and the last 31 days.")
            .problems(NAMED),
        _ => return None,
    })
}

fn creation() -> Operation {
    Operation::new("Make a customer")
        .about("A customer that exists is never changed by it.")
        .body::<EnsureCustomer>()
        .answers::<CustomerView<'_>>(201, "The customer, which was made.")
        .header("Location")
        .header("ETag")
        .problems(&[
            Code::CustomerExists,
            Code::EmailTaken,
            Code::CustomerErased,
            Code::FieldNotWritable,
        ])
}

/// A move to another status.
fn moves(summary: &'static str) -> Operation {
    Operation::new(summary)
        .problems(NAMED)
        .problems(&[Code::StatusTransitionNotAllowed, Code::FieldNotWritable])
        .versioned()
}
