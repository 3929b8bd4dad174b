//! The one error type. It carries two messages: `public`, which a caller may read, and `internal`, which
//! only the log may hold. Neither holds personal data. What a code means, its status and its explanation
//! stand in one table, [`Code`], from which the problem documents and `/problems/{code}` are made.

use crate::order;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt;
use std::ops::{Deref, DerefMut};

/// Result with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! codes {
    ($($variant:ident $code:literal $status:literal $title:literal $help:literal;)*) => {
        /// Every way a request can be refused or fail, with its stable name (the `code` of a problem document).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[allow(missing_docs)]
        pub enum Code { $($variant,)* }

        impl Code {
            /// All codes, in the order in which the documentation lists them.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// The stable name, as in `/problems/{code}`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $code,)* }
            }

            /// The HTTP status (RFC 9110 section 15) with which this code is answered.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Code::$variant => $status,)* }
            }

            /// The short human-readable summary, the same at every occurrence (RFC 9457 section 3.1.3).
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Code::$variant => $title,)* }
            }

            /// What happened and what to do about it, for the page at `/problems/{code}`.
            #[must_use]
            pub const fn help(self) -> &'static str {
                match self { $(Code::$variant => $help,)* }
            }
        }
    };
}

codes! {
    MalformedRequest "malformed_request" 400 "The request is malformed"
        "A header, a query parameter or the path is not what HTTP or this interface allows. `detail` names it. Nothing was changed.";
    MalformedBody "malformed_body" 400 "The body is not valid JSON"
        "The body must be one JSON object (RFC 8259), or an array where the operation says so, in UTF-8, with no key twice in one object, no number outside what a double holds, and at most 32 levels deep. `detail` says what is wrong with it. Nothing was changed.";
    InvalidCursor "invalid_cursor" 400 "The cursor is not valid"
        "The query parameter `cursor` is none that this list gave for the same filters. Take it unchanged from `nextCursor`, send the same filters with it, or leave it out and begin anew.";
    AuthenticationRequired "authentication_required" 401 "Authentication is required"
        "The request carries no credential. Send `Authorization: Bearer <token or API key>`, `X-API-Key`, the `auth_token` cookie, or for services `X-Service-Key`.";
    InvalidToken "invalid_token" 401 "The token is not valid"
        "The token is malformed, signed by a key that is not ours, for another audience or issuer, or lacks a claim that we require. Get a new one from your login service. An operator finds the exact reason in the log line of this request id.";
    TokenExpired "token_expired" 401 "The token has expired"
        "The `exp` claim of the token lies in the past. Get a new token from your login service and repeat the request.";
    TokenNotYetValid "token_not_yet_valid" 401 "The token is not valid yet"
        "The `nbf` or `iat` claim of the token lies more than 60 seconds in the future. Check the clock of the issuer.";
    InvalidServiceKey "invalid_service_key" 401 "The service key is not valid"
        "The `X-Service-Key` header holds none of the keys that this service is configured with (`SERVICE_API_KEYS`).";
    InvalidApiKey "invalid_api_key" 401 "The API key is not valid"
        "The API key is mistyped, expired, was replaced by rotation and its grace is over, or was never ours. A key of the older form (`otp_live_sk_…`) also needs `X-Customer-Id`. The owner of the customer sees its keys under `/customer/me/api-keys`.";
    TokenRevoked "token_revoked" 401 "The credential was revoked"
        "Somebody who may do so has revoked this credential, alone or together with all that were issued until then. Sign in again or use another key; repeating the request does not help.";
    CsrfFailed "csrf_failed" 403 "The CSRF token is missing or wrong"
        "A request that authenticates by cookie and changes something must send `X-CSRF-Token` with the value of the token's `csrf` claim. `GET /session` tells it.";
    Forbidden "forbidden" 403 "This credential may not do this"
        "The credential is valid, but its kind may not call this operation. The operations and who may call them are in the API documentation.";
    InsufficientScope "insufficient_scope" 403 "The API key lacks a scope"
        "The API key is valid, but the operation needs a scope that it was not given; `detail` names it. The owner of the customer can add it (`PATCH /customer/me/api-keys/{keyId}`).";
    OriginNotAllowed "origin_not_allowed" 403 "The API key may not be used from this origin"
        "The API key has a list of allowed origins, and the `Origin` that the browser sent is not on it. The owner of the customer can change the list (`PATCH /customer/me/api-keys/{keyId}`).";
    EncryptionRequired "encryption_required" 403 "Answers are sealed, and a cookie's holder cannot open them"
        "This service answers sealed only (`RESPONSE_ENCRYPTION`), for the holder of the credential. A page cannot read its HttpOnly cookie and so could open no answer: send the token in `Authorization`. Nothing was done.";
    CustomerSuspended "customer_suspended" 403 "The customer is suspended"
        "While a customer is suspended it can read its own data and nothing else. Only an administrator can lift the suspension.";
    CustomerCancelled "customer_cancelled" 403 "The customer is cancelled"
        "While a customer is cancelled it can read its own data and nothing else. Only an administrator can make it active again.";
    CustomerPending "customer_pending_verification" 403 "The customer's e-mail is not verified yet"
        "Until the e-mail is verified the customer can read its own data and nothing else.";
    RouteNotFound "route_not_found" 404 "There is nothing at this path"
        "No operation of this service has this path. Paths are matched exactly: no trailing slash, lower case.";
    CustomerNotFound "customer_not_found" 404 "There is no such customer"
        "The credential names no customer that this service holds. Have the login service create it (`POST /internal/customers`) and try again.";
    KeyNotFound "key_not_found" 404 "There is no such API key"
        "The customer has no API key of this id. Keys that ended long ago are dropped from the list.";
    AuditEntryNotFound "audit_entry_not_found" 404 "There is no such audit entry"
        "The customer's audit log has no entry of this number. Entries are numbered from 1 without gaps; `GET /customer/me/audit/head` tells the last one.";
    ErasureNotFound "erasure_not_found" 404 "Nobody asked for the erasure"
        "The erasure of this customer was not asked for, or was withdrawn. Nothing was changed.";
    ProblemNotFound "problem_not_found" 404 "There is no such problem type"
        "This service documents its problem types under `/problems/{code}`; this is none of its codes.";
    MethodNotAllowed "method_not_allowed" 405 "The method is not allowed here"
        "The path exists, but not for this method. The `Allow` header lists the methods that it has.";
    KeyEnded "key_ended" 409 "The API key is no longer active"
        "The API key was revoked, was replaced by rotation, or has expired; it can be neither changed nor rotated. Create a new one. A key within its grace after a rotation can still be revoked. Nothing was changed.";
    StatusTransitionNotAllowed "status_transition_not_allowed" 409 "The customer does not go from its status to that one"
        "Which status leads to which, and who may make the move, stands in the API documentation under Status. Read the status, then decide anew. Nothing was changed.";
    LimitReached "limit_reached" 409 "A limit of the customer is reached"
        "The customer holds as many of these as it may. `detail` names the limit. Remove one or ask the operator.";
    CustomerExists "customer_exists" 409 "There is such a customer already"
        "The id that the request names is, or stands for, a customer. It was left as it is. Read it (`GET /admin/customers/{customerId}`), or leave the id out to have a new one made.";
    EmailTaken "email_taken" 409 "Another customer has this e-mail"
        "An e-mail belongs to one customer. Another one has it, or is taking it at this moment. Nothing was changed.";
    RevokeAllInstead "revoke_all_instead" 409 "Too many tokens are revoked one by one"
        "A customer holds at most 10,000 revocations of single tokens, each until its token has expired by itself. Revoke everything issued until now with `{\"all\": true}`, or as a service with `notBefore`: that is one time stamp, and soon makes room.";
    CustomerErased "customer_erased" 410 "The customer was erased"
        "The personal data of this customer was erased, for ever. Neither tokens nor retries nor imports bring it back. Once the destruction is complete, the member `certificate` is a signed document that says what was destroyed and what was kept.";
    StaleVersion "stale_version" 412 "The resource is not in the state that the request demands"
        "The resource has none of the versions that `If-Match` names, since somebody else changed it, or a change came with an `If-None-Match` that names the version it has (`*` names every one). Read it again, apply your change to what is there now, and repeat. Nothing was changed.";
    BodyTooLarge "body_too_large" 413 "The body is too large"
        "The body is larger than this operation accepts. `detail` names the limit in bytes. No more of it than that was read, and nothing was changed.";
    UnsupportedMediaType "unsupported_media_type" 415 "The media type is not supported"
        "Send `Content-Type: application/json`, or for PATCH `application/merge-patch+json` (RFC 7396). Content codings are not accepted in requests.";
    ValidationFailed "validation_failed" 422 "The body has faults"
        "`errors` lists the faults, at most the first 100, each with a JSON Pointer (RFC 6901, in URI fragment form) to the place and a sentence about it. Nothing was changed.";
    FieldNotWritable "field_not_writable" 422 "A field may not be changed by this caller"
        "The body names fields that this caller may not change; `errors` points at each of them. Leave them out. Nothing was changed.";
    QuotaExceeded "quota_exceeded" 429 "A rate limit is exceeded"
        "The request would exceed a rate limit of this customer or key; `violated-policies` names it. Nothing was spent and nothing was changed. `Retry-After` says from when on the same request would pass.";
    TooManyRequests "too_many_requests" 429 "Too many requests from one address"
        "More requests came from your address within a minute than the service looks at, whoever sent them and with whatever credential. Nothing was done. Wait as long as `Retry-After` says, and spread the requests.";
    IdempotencyKeyReused "idempotency_key_reused" 422 "The idempotency key was used for another request"
        "Within 24 hours the same `Idempotency-Key` came with another body or another `If-Match` or `If-None-Match`. A key names one request: repeat exactly that one, or use a new key. Nothing was changed.";
    SealedDataUnreadable "sealed_data_unreadable" 500 "Stored data cannot be opened"
        "A stored field cannot be opened: its bytes are damaged, or it was moved here from another place. The operation changed nothing and overwrote nothing; operations that do not need the field work. The request id in `instance` lets an operator find which field it is.";
    InternalError "internal_error" 500 "Something went wrong on our side"
        "The operation failed and changed nothing. The request id in `instance` lets an operator find the reason.";
    NotReady "not_ready" 503 "The service is not ready"
        "The service is missing a setting or has a wrong one, and serves nothing until that is mended. Its log names the setting.";
    Unavailable "unavailable" 503 "Temporarily unavailable"
        "The part of the service that holds this customer did not answer in time, failed, or is being replaced by a deployment under way. Whether a change took effect is not known: read before you repeat it, or repeat it with `If-Match`. `Retry-After` says when to try again.";
    KeyUnavailable "key_unavailable" 503 "The key to the customer's data cannot be had"
        "The key under which this customer's data is sealed could not be fetched, is not there, is another one, or is wrapped under a master key that the service no longer has (`MASTER_KEYS`). Nothing was changed, and no new key is made in its place. Try again after `Retry-After`; where that does not help, the request id in `instance` lets an operator find the reason.";
    IssuerUnavailable "issuer_unavailable" 503 "The token's issuer cannot be reached"
        "The keys that verify this token could not be fetched from the login service and none are cached. Nothing is wrong with the token as far as we know. Try again after `Retry-After`.";
}

impl Code {
    /// The code with that stable name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == name)
    }
}

/// The most faults of one body that are told; a caller with more of them learns nothing from the rest.
pub const MAX_FAULTS: usize = 100;

/// One fault of a body: where, and what.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// JSON Pointer (RFC 6901) in URI fragment form, such as `#/metadata/plan`.
    pub pointer: String,
    /// A sentence that does not repeat the value.
    pub detail: Cow<'static, str>,
}

/// A refusal or a failure. See the module's header for who may read which part.
///
/// In a box: it is handed on at every `?`, and code that moves six fields each time is large.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(Box<Details>);

/// What an [`Error`] says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Details {
    /// What happened, and so status and title.
    pub code: Code,
    /// What the caller is told beyond the title; no internals, no personal data.
    pub public: Cow<'static, str>,
    /// What the log is told beyond that; no personal data and no secret.
    pub internal: Option<Cow<'static, str>>,
    /// The faults of the body; empty unless the code is about validation.
    pub faults: Vec<Fault>,
    /// Members that the problem document has beyond the usual (RFC 9457 section 3.2).
    pub members: Map<String, Value>,
    /// Seconds after which the same request may pass; never too early.
    pub retry_after_secs: Option<u64>,
}

impl Error {
    /// An error whose caller is told `public`.
    pub fn new(code: Code, public: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Details {
            code,
            public: public.into(),
            internal: None,
            faults: Vec::new(),
            members: Map::new(),
            retry_after_secs: None,
        }))
    }

    /// A failure on our side: the caller learns nothing but the request id, the log learns `internal`.
    pub fn fault(internal: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::InternalError, "The operation failed and changed nothing.").because(internal)
    }

    /// Adds what only the log may say.
    #[must_use]
    pub fn because(mut self, internal: impl Into<Cow<'static, str>>) -> Self {
        self.internal = Some(internal.into());
        self
    }

    /// The faults of one body at once, in a stable order, at most [`MAX_FAULTS`] of them. The code is `field_not_writable` when
    /// every fault is of that kind, else `validation_failed`.
    #[must_use]
    pub fn validation(mut faults: Vec<Fault>) -> Self {
        order::sort_distinct(&mut faults);
        let only_unwritable = faults.iter().all(|fault| fault.detail == NOT_WRITABLE);
        let code = if only_unwritable {
            Code::FieldNotWritable
        } else {
            Code::ValidationFailed
        };
        let public = match faults.len() {
            1 => Cow::Borrowed("The body has one fault."),
            ..=MAX_FAULTS => Cow::Borrowed("The body has several faults."),
            _ => format!("The body has several faults; the first {MAX_FAULTS} are listed.").into(),
        };
        faults.truncate(MAX_FAULTS);
        let mut error = Self::new(code, public);
        error.faults = faults;
        error
    }

    /// True for what the caller did or met; false for what failed on our side, which rolls back.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        self.code.status() < 500
    }

    /// Whether what is stored is there and cannot be opened: it or its key is damaged, or the key lost.
    #[must_use]
    pub fn is_unreadable(&self) -> bool {
        matches!(self.code, Code::SealedDataUnreadable | Code::KeyUnavailable)
    }
}

impl Deref for Error {
    type Target = Details;

    fn deref(&self) -> &Details {
        &self.0
    }
}

impl DerefMut for Error {
    fn deref_mut(&mut self) -> &mut Details {
        &mut self.0
    }
}

/// The sentence by which a [`Fault`] says that its field is not the caller's to change.
pub const NOT_WRITABLE: &str = "This field may not be changed by this caller.";

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.as_str())?;
        if let Some(internal) = &self.internal {
            write!(f, ": {internal}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}
