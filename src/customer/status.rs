//! The status of a customer: what each one still allows, and who may move a customer from which to which. All of
//! it stands in the tables here ([`TRANSITIONS`], [`Status::allows`]); `docs/API.md`, "Status", is held equal to them.

use crate::error::{Code, Error, Result};
use crate::json;
use crate::types::{Timestamp, serialize_rfc3339};
use crate::validate::{Edit, Fields};
use serde::{Deserialize, Serialize};

/// Longest reason of a change of status, in characters.
pub const MAX_REASON_CHARS: usize = 500;

/// Where a customer is in its life (`docs/API.md`, "Status").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Status {
    PendingVerification,
    Active,
    Suspended,
    Cancelled,
    Erased,
}

/// Who may move a customer from one status to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// A user whose token says that the customer's own e-mail is verified, by any request.
    VerifiedEmail,
    /// An administrator.
    Admin,
    /// The erasure of the customer, and nothing else.
    Erasure,
}

impl By {
    /// What the documentation calls it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::VerifiedEmail => "verified e-mail",
            Self::Admin => "admin",
            Self::Erasure => "erasure",
        }
    }
}

/// Every move that there is: from, to, and who may make it. What is not here is refused. Nothing leaves `erased`.
pub const TRANSITIONS: &[(Status, Status, &[By])] = &[
    (
        Status::PendingVerification,
        Status::Active,
        &[By::VerifiedEmail, By::Admin],
    ),
    (Status::Active, Status::Suspended, &[By::Admin]),
    (Status::Suspended, Status::Active, &[By::Admin]),
    (Status::Active, Status::Cancelled, &[By::Admin]),
    (Status::Suspended, Status::Cancelled, &[By::Admin]),
    (Status::Cancelled, Status::Active, &[By::Admin]),
    (Status::PendingVerification, Status::Erased, &[By::Erasure]),
    (Status::Active, Status::Erased, &[By::Erasure]),
    (Status::Suspended, Status::Erased, &[By::Erasure]),
    (Status::Cancelled, Status::Erased, &[By::Erasure]),
];

impl Status {
    /// Every status with its name.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::PendingVerification, "pending_verification"),
        (Self::Active, "active"),
        (Self::Suspended, "suspended"),
        (Self::Cancelled, "cancelled"),
        (Self::Erased, "erased"),
    ];

    /// The status with that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|(_, known)| *known == name)
            .map(|(status, _)| status)
    }

    /// The status's name, as stored and shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PendingVerification => "pending_verification",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Cancelled => "cancelled",
            Self::Erased => "erased",
        }
    }

    /// Checks that `by` may move a customer from this status to that one. Staying where it is is no move.
    ///
    /// # Errors
    /// `status_transition_not_allowed`.
    pub fn may_become(self, to: Self, by: By) -> Result<()> {
        let is_allowed = self == to
            || TRANSITIONS
                .iter()
                .any(|(before, after, who)| (*before, *after) == (self, to) && who.contains(&by));
        if is_allowed {
            return Ok(());
        }
        let told = format!(
            "A customer does not go from {} to {} this way.",
            self.as_str(),
            to.as_str()
        );
        Err(Error::new(Code::StatusTransitionNotAllowed, told))
    }

    /// Whether a customer of this status may do `access`.
    ///
    /// # Errors
    /// The code that names the status: 403, or 410 once erased.
    pub fn allows(self, access: Access) -> Result<()> {
        let code = match (self, access) {
            (Self::Active, _)
            | (
                Self::PendingVerification | Self::Suspended | Self::Cancelled,
                Access::ReadOwn | Access::Operate,
            ) => {
                return Ok(());
            }
            (Self::PendingVerification, Access::Act) => Code::CustomerPending,
            (Self::Suspended, Access::Act) => Code::CustomerSuspended,
            (Self::Cancelled, Access::Act) => Code::CustomerCancelled,
            (Self::Erased, _) => Code::CustomerErased,
        };
        Err(Error::new(code, code.title()))
    }
}

/// What a command does, as far as the status cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reads the customer's own data.
    ReadOwn,
    /// Anything else that the customer does itself.
    Act,
    /// What an administrator or a service does to the customer.
    Operate,
}

/// What an administrator makes of a status: the body of PUT `…/status`, `…/suspend` and `…/activate`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusEdit {
    /// The status to be.
    pub to: Status,
    /// Why.
    pub reason: Option<String>,
    /// By which operation, which decides what is shown and how the audit log calls it.
    pub operation: StatusOperation,
}

/// The operations that change a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusOperation {
    /// PUT `…/status`, answered with the status.
    Put,
    /// POST `…/suspend`, answered with the customer.
    Suspend,
    /// POST `…/activate`, answered with the customer.
    Activate,
}

impl StatusEdit {
    /// Reads the body of that operation. A suspension needs a reason; no body at all is `{}`.
    ///
    /// # Errors
    /// `malformed_body` or `validation_failed`.
    pub fn parse(operation: StatusOperation, body: &[u8]) -> Result<Self> {
        let body: &[u8] = if body.is_empty() { b"{}" } else { body };
        let mut fields = Fields::new(json::parse_object(body)?);
        let to = match operation {
            StatusOperation::Suspend => Some(Status::Suspended),
            StatusOperation::Activate => Some(Status::Active),
            StatusOperation::Put => {
                let options = "pending_verification, active, suspended, cancelled";
                let to = fields.field("status", |value| match value.as_str().and_then(Status::parse) {
                    Some(Status::Erased) => Err("Only the erasure of a customer makes it erased.".into()),
                    Some(status) => Ok(status),
                    None => Err(format!("Must be one of: {options}.").into()),
                });
                fields.required("status", to)
            }
        };
        let reason = fields.line("reason", MAX_REASON_CHARS);
        let reason = if to == Some(Status::Suspended) {
            fields.required("reason", reason)
        } else {
            match reason {
                Edit::Set(reason) => Some(reason),
                Edit::Keep | Edit::Clear => None,
            }
        };
        fields.finish(&["statusReason", "statusChangedAt"])?;
        Ok(Self {
            to: to.ok_or_else(|| Error::fault("a fault without its error"))?,
            reason,
            operation,
        })
    }
}

/// `GET /customer/me/status`.
#[derive(Debug, Serialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "CustomerStatus")
)]
#[serde(rename_all = "camelCase")]
pub struct StatusView<'a> {
    /// The status.
    pub status: Status,
    /// Why, as the operator put it.
    pub status_reason: Option<&'a str>,
    /// Since when.
    #[serde(serialize_with = "serialize_rfc3339")]
    pub status_changed_at: Timestamp,
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::arithmetic_side_effects)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_agree() {
        for (status, name) in Status::ALL {
            assert_eq!(status.as_str(), name);
            assert_eq!(Status::parse(name), Some(status));
        }
        assert_eq!(Status::parse("Active"), None);
    }

    #[test]
    fn nothing_leaves_erased_and_only_erasure_enters_it() {
        for (status, _) in Status::ALL {
            for by in [By::VerifiedEmail, By::Admin, By::Erasure] {
                let leaves = status != Status::Erased && Status::Erased.may_become(status, by).is_ok();
                assert!(!leaves, "{status:?} {by:?}");
                let enters = status != Status::Erased && status.may_become(Status::Erased, by).is_ok();
                assert_eq!(enters, status != Status::Erased && by == By::Erasure);
            }
        }
    }

    #[test]
    fn a_verified_e_mail_wakes_a_pending_customer_and_no_other() {
        for (status, _) in Status::ALL {
            let woken = status.may_become(Status::Active, By::VerifiedEmail).is_ok();
            assert_eq!(
                woken,
                matches!(status, Status::PendingVerification | Status::Active)
            );
        }
    }

    #[test]
    fn no_move_stands_in_the_table_twice() {
        for (index, (from, to, who)) in TRANSITIONS.iter().enumerate() {
            assert!(from != to && !who.is_empty());
            let later = TRANSITIONS.iter().skip(index + 1);
            assert_eq!(later.filter(|row| (row.0, row.1) == (*from, *to)).count(), 0);
        }
    }

    #[test]
    fn bodies_say_which_status_and_why() {
        let put = |body: &str| StatusEdit::parse(StatusOperation::Put, body.as_bytes());
        let edit = put(r#"{"status": "cancelled"}"#).unwrap();
        assert_eq!((edit.to, edit.reason), (Status::Cancelled, None));
        for (operation, body, pointer) in [
            (StatusOperation::Put, "{}", "#/status"),
            (StatusOperation::Put, r#"{"status": "erased"}"#, "#/status"),
            (StatusOperation::Put, r#"{"status": "Active"}"#, "#/status"),
            (StatusOperation::Put, r#"{"status": "suspended"}"#, "#/reason"),
            (StatusOperation::Suspend, "", "#/reason"),
            (StatusOperation::Suspend, r#"{"reason": null}"#, "#/reason"),
            (StatusOperation::Suspend, r#"{"reason": " "}"#, "#/reason"),
            (StatusOperation::Activate, r#"{"status": "active"}"#, "#/status"),
        ] {
            let error = StatusEdit::parse(operation, body.as_bytes()).unwrap_err();
            assert_eq!(error.code, Code::ValidationFailed, "{body}");
            let pointers: Vec<_> = error.faults.iter().map(|fault| fault.pointer.as_str()).collect();
            assert_eq!(pointers, [pointer], "{body}");
        }
        assert!(StatusEdit::parse(StatusOperation::Activate, b"").is_ok());
    }

    #[test]
    fn only_an_active_customer_acts_and_an_erased_one_does_not_even_read() {
        for (status, _) in Status::ALL {
            assert_eq!(status.allows(Access::Operate).is_ok(), status != Status::Erased);
            assert_eq!(status.allows(Access::Act).is_ok(), status == Status::Active);
            assert_eq!(status.allows(Access::ReadOwn).is_ok(), status != Status::Erased);
        }
    }
}
