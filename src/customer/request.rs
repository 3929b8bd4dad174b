//! What the customer's brain is asked, and what it answers.

use crate::caller::Caller;
use crate::customer::account::{Claimed, Wanted};
use crate::customer::command::Command;
use crate::customer::idempotency::{IdempotencyKey, Payload, StoredReply};
use crate::customer::limits::Outcome;
use crate::error::Error;
use crate::types::{Condition, CustomerId, RequestId, Version};
use serde::{Deserialize, Serialize};

/// What the statistics call an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Operation {
    /// The method's token.
    pub method: &'static str,
    /// The path with `{name}` for a variable segment.
    pub pattern: &'static str,
}

/// One request, decoded and bounded.
#[derive(Debug, Clone)]
pub struct Request {
    /// Who asks.
    pub caller: Caller,
    /// What is asked.
    pub command: Command,
    /// By which operation, for the statistics.
    pub operation: Operation,
    /// Under which condition on the resource's version.
    pub condition: Condition,
    /// Where the request came from, for the audit log.
    pub origin: Origin,
    /// True if the caller acts as an administrator on a customer that need not be its own.
    pub as_admin: bool,
    /// How the request is known again when it is repeated, if its caller wants that.
    pub repeat: Option<Repeat>,
    /// What came of the claim that it wanted when it was asked before ([`Reply::Claim`]).
    pub claimed: Option<Claimed>,
}

impl Request {
    /// Whether it may make the customer.
    #[must_use]
    pub const fn creates(&self) -> bool {
        matches!(
            (&self.command, &self.caller),
            (Command::Create(_), Caller::Service(_))
        )
    }
}

/// What an `Idempotency-Key` holds together.
#[derive(Debug, Clone)]
pub struct Repeat {
    /// The key as the caller chose it.
    pub key: IdempotencyKey,
    /// The method's token.
    pub method: &'static str,
    /// The path, variable segments filled in.
    pub path: String,
    /// The fingerprint of what was sent.
    pub payload: Payload,
}

/// A reply, and what the limits say after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The reply.
    pub reply: Reply,
    /// The policies that the request was charged to, where it was.
    pub quotas: Option<Outcome>,
    /// Why nobody was found for a user with a verified e-mail, for whom the front may find an account elsewhere.
    pub elsewhere: Option<Elsewhere>,
}

/// What the id whose object was asked is, where it is not the customer of the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Elsewhere {
    /// Nothing, or an alias that is not bound to the token's e-mail.
    Nowhere,
    /// An alias of this customer for the token's e-mail.
    At(CustomerId),
    /// Another customer than the token's.
    Foreign,
    /// The customer that is meant, of which an administrator reads what is left since it was erased. The front notes
    /// that, because the customer's own log is closed.
    Erased,
}

impl Elsewhere {
    /// As a header.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self {
            Self::Nowhere => "nowhere".to_owned(),
            Self::At(customer) => format!("at {customer}"),
            Self::Foreign => "foreign".to_owned(),
            Self::Erased => "erased".to_owned(),
        }
    }

    /// The one of that header.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(' ') {
            Some(("at", customer)) => CustomerId::parse(customer).map(Self::At),
            _ if text == "nowhere" => Some(Self::Nowhere),
            _ if text == "foreign" => Some(Self::Foreign),
            _ if text == "erased" => Some(Self::Erased),
            _ => None,
        }
    }
}

impl From<Reply> for Answered {
    fn from(reply: Reply) -> Self {
        Self {
            reply,
            quotas: None,
            elsewhere: None,
        }
    }
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
    /// It will be done; what is known of that so far, as JSON.
    Accepted(Vec<u8>),
    /// An export that begins; its bytes come piece by piece.
    Archive(Box<crate::customer::export::Plan>),
    /// It is done, and there is nothing to show.
    Done,
    /// The reply to the same request when it was carried out.
    Replayed(StoredReply),
    /// The caller has this version already.
    NotModified(Version),
    /// Nothing was decided yet: this claim is wanted, and then the same request once more.
    Claim(Wanted),
    /// The request is refused and changed nothing.
    Refused(Error),
}
