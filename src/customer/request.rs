//! What the customer's brain is asked, and what it answers.

use crate::caller::Caller;
use crate::customer::command::Command;
use crate::error::Error;
use crate::types::{Condition, RequestId, Version};
use serde::{Deserialize, Serialize};

/// One request, decoded and bounded.
#[derive(Debug, Clone)]
pub struct Request {
    /// Who asks.
    pub caller: Caller,
    /// What is asked.
    pub command: Command,
    /// Under which condition on the resource's version.
    pub condition: Condition,
    /// Where the request came from, for the audit log.
    pub origin: Origin,
}

/// Where a request came from. Only `request_id` may leave the audit entry's detail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Origin {
    /// The id of this request, ours.
    pub request_id: RequestId,
    /// The id that the caller gave it (personal data, perhaps).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_request_id: Option<String>,
    /// The caller's address (personal data).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// The `User-Agent` header, shortened (personal data).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
}

/// What is answered. A refusal is an answer too: its audit entry is committed with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// A resource, as JSON.
    Content {
        /// The resource itself, never a wrapper.
        body: Vec<u8>,
        /// Its version, where it has one.
        version: Option<Version>,
        /// True if this request created it.
        created: bool,
    },
    /// The caller has this version already.
    NotModified(Version),
    /// The request is refused and changed nothing.
    Refused(Error),
}
