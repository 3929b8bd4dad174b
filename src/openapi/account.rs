//! Reading the audit log, the export, the erasure.

use super::answers::{Archive, AuditEntry, AuditHead, AuditPage, Erasure};
use super::bodies::OwnErasure;
use super::operation::Operation;
use crate::edge::route::Route;
use crate::error::Code;
use serde_json::json;

/// Where a log ends.
pub(super) fn audit_head(summary: &'static str) -> Operation {
    Operation::new(summary)
        .query(
            "since",
            "Adds the leaf hashes of the entries after this one.",
            json!({"type": "integer", "minimum": 0}),
        )
        .answers::<AuditHead>(200, "The head, signed.")
        .problems(&[Code::ValidationFailed])
}

pub(super) fn describe(route: Route) -> Option<Operation> {
    Some(match route {
        Route::ListAudit => {
            audit_page("Read the audit log").answers::<AuditPage>(200, "A page, newest first.")
        }
        Route::GetAuditEntry => Operation::new("Read one entry of the audit log")
            .answers::<AuditEntry>(200, "The entry.")
            .problems(&[Code::AuditEntryNotFound]),
        Route::GetAuditHead => audit_head("Read where the audit log ends"),
        Route::GetErasure => Operation::new("Read the erasure")
            .answers::<Erasure>(200, "How it stands.")
            .problems(&[Code::ErasureNotFound]),
        Route::RequestErasure => Operation::new("Ask for the erasure of the customer")
            .about("The owner, in any status. Asking again changes nothing.")
            .body::<OwnErasure>()
            .answers::<Erasure>(202, "It is scheduled.")
            .problems(&[Code::FieldNotWritable]),
        Route::WithdrawErasure => Operation::new("Withdraw the erasure")
            .about("Until it is due. What an administrator asked for only an administrator withdraws.")
            .done("It is withdrawn; nothing has changed.")
            .problems(&[Code::ErasureNotFound]),
        Route::ExportCustomer => export("Export the customer's data").about(
            "For the owner, also while the customer is not active. Made while it is sent: an answer that ends early \
             lacks the archive's end. HEAD begins and breaks off an export.",
        ),
        _ => return None,
    })
}

/// An archive as a stream.
pub(super) fn export(summary: &'static str) -> Operation {
    Operation::new(summary)
        .answers_as::<Archive>(200, "The archive, a ZIP that proves itself.", "application/zip")
        .header("Content-Disposition")
        .problems(&[Code::LimitReached])
        .never_sealed()
}

/// A list of audit entries, with its filters.
pub(super) fn audit_page(summary: &'static str) -> Operation {
    let text = || json!({"type": "string"});
    let time = || json!({"type": "string", "format": "date-time"});
    Operation::new(summary)
        .query(
            "limit",
            "Most entries of the page; 20 if left out.",
            json!({"type": "integer", "minimum": 1, "maximum": 100}),
        )
        .query(
            "cursor",
            "`nextCursor` of the page before, with the same filters.",
            text(),
        )
        .query("action", "Only entries of this action.", text())
        .query("outcome", "Only entries of this outcome.", text())
        .query("actor", "Only entries of this actor, by id or by kind.", text())
        .query("from", "Only entries at or after this moment.", time())
        .query("to", "Only entries before this moment.", time())
        .problems(&[Code::InvalidCursor, Code::ValidationFailed])
}
