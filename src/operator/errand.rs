//! What the front asks of the operator object, and what it answers. Every errand first checks the caller's own
//! credential; one that is lost or repeated does no harm, beyond an entry that stands in the log twice.

use crate::caller::Caller;
use crate::customer::audit::Actor;
use crate::customer::audit::page::AuditQuery;
use crate::customer::errand::By;
use crate::customer::idempotency::{Fingerprint, IdempotencyKey, Payload, Scope, StoredReply};
use crate::customer::tokens::Target;
use crate::error::{Code, Error, Fault};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One errand, for an administrator or a service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Errand {
    /// Who, and in which request.
    pub by: By,
    /// What is asked.
    pub what: What,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum What {
    /// Does the credential still work? Writes nothing where it does.
    Check,
    /// Take tokens of administrators and services back.
    Revoke {
        /// Which.
        target: Target,
    },
    /// Write down what concerns no single customer.
    Note {
        /// What was done.
        act: Act,
        /// The code of the refusal, if it was refused.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refused: Option<String>,
        /// Everything that may be personal.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        detail: Map<String, Value>,
    },
    /// Show a part of the log.
    ReadLog(AuditQuery),
    /// What was this request answered before, if it was?
    Recall(Repeat),
    /// Keep what it was answered. Where another one was quicker, that one's answer is kept, and told.
    Keep {
        /// Which request.
        repeat: Repeat,
        /// What it was answered.
        reply: StoredReply,
    },
}

/// A request that carries an `Idempotency-Key` and names no customer in its path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Repeat {
    pub key: IdempotencyKey,
    pub method: String,
    pub path: String,
    pub payload: Payload,
}

impl Repeat {
    /// How the request is known again where it arrives as errands; a service's alone.
    #[must_use]
    pub fn fingerprint(&self, caller: &Caller) -> Option<Fingerprint> {
        let Caller::Service(service) = caller else {
            return None;
        };
        let actor = Actor {
            id: service.id.clone(),
            kind: caller.kind(),
        };
        Some(Fingerprint {
            scope: Scope::new(&actor, &self.method, &self.path, &self.key),
            payload: self.payload,
        })
    }
}

/// What administrators and services do that concerns no single customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Act {
    ListCustomers,
    CreateCustomer,
    Import,
    /// Something on a customer that does not exist, or was erased.
    MissCustomer,
    /// A look at what is left of a customer that was erased.
    ReadErased,
    ReadLog,
    RevokeTokens,
    /// Keys were wrapped under the active master key.
    Rewrap,
    /// A request by a credential that was revoked.
    Knock,
    /// A request whose `Idempotency-Key` was refused.
    Repeat,
}

impl Act {
    /// The word by which the log knows it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ListCustomers => "customers.list",
            Self::CreateCustomer => "customer.create",
            Self::Import => "customers.import",
            Self::MissCustomer => "customer.missed",
            Self::ReadErased => "erased.read",
            Self::ReadLog => "audit.list",
            Self::RevokeTokens => "tokens.revoke",
            Self::Rewrap => "keys.rewrap",
            Self::Knock | Self::Repeat => "request",
        }
    }
}

/// What the object answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The credential works, and what was asked is done.
    Done,
    /// A part of the log, as JSON.
    Page(String),
    /// The same request was answered this.
    Replay(StoredReply),
    /// It is refused.
    Refused(Refusal),
}

/// A refusal on its way from object to front.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    code: String,
    public: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    faults: Vec<(String, String)>,
}

impl From<&Error> for Refusal {
    fn from(error: &Error) -> Self {
        let fault = |fault: &Fault| (fault.pointer.clone(), fault.detail.to_string());
        Self {
            code: error.code.as_str().to_owned(),
            public: error.public.to_string(),
            faults: error.faults.iter().map(fault).collect(),
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let Some(code) = Code::parse(&refusal.code) else {
            return Self::fault("a refusal with an unknown code");
        };
        let fault = |(pointer, detail): (String, String)| Fault {
            pointer,
            detail: detail.into(),
        };
        let mut error = Self::new(code, refusal.public);
        error.faults = refusal.faults.into_iter().map(fault).collect();
        error
    }
}
