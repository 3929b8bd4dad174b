//! What the list of customers shows of one: ids, status, plan, times and a blind index, no other personal data.

use crate::customer::profile::Plan;
use crate::customer::status::Status;
use crate::email::EmailIndex;
use crate::types::{CustomerId, Timestamp};
use serde::{Deserialize, Serialize};

/// What the list keeps of a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Listing {
    /// Whom.
    pub customer_id: CustomerId,
    /// The customer's own count of what the list shows of it.
    pub rev: i64,
    /// Everything else; None once it is erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<Shown>,
}

/// What a list can be filtered and ordered by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Shown {
    pub created_at: Timestamp,
    pub status: Status,
    pub plan: Plan,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_index: Option<EmailIndex>,
}
