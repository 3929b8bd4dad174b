//! The status of a customer, and what each status still allows.

use crate::error::{Code, Error, Result};
use crate::types::{Timestamp, serialize_rfc3339};
use serde::{Deserialize, Serialize};

/// Where a customer is in its life (`docs/API.md`, "Status").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Status {
    PendingVerification,
    Active,
    Suspended,
    Cancelled,
    Erased,
}

impl Status {
    const ALL: [(Self, &'static str); 5] = [
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

    /// Whether a customer of this status may do `access`.
    ///
    /// # Errors
    /// The code that names the status: 403, or 410 once erased.
    pub fn allows(self, access: Access) -> Result<()> {
        let code = match (self, access) {
            (Self::Active, _)
            | (Self::PendingVerification | Self::Suspended | Self::Cancelled, Access::ReadOwn) => {
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
    /// Anything else.
    Act,
}

/// `GET /customer/me/status`.
#[derive(Debug, Serialize)]
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
    fn only_an_active_customer_acts_and_an_erased_one_does_not_even_read() {
        for (status, _) in Status::ALL {
            assert_eq!(status.allows(Access::Act).is_ok(), status == Status::Active);
            assert_eq!(status.allows(Access::ReadOwn).is_ok(), status != Status::Erased);
        }
    }
}
