//! What the audit log says of a request: who, on what, and the detail that may be personal.

use crate::caller::{Caller, User};
use crate::crypto::IndexKeys;
use crate::customer::audit::Actor;
use crate::customer::command::Command;
use crate::customer::request::{Origin, Request};
use crate::error::Result;
use serde_json::{Map, Value, json};

/// To what it was done: the calling user, a key, or the customer.
#[must_use]
pub fn target(command: &Command, actor: &Actor) -> String {
    match command {
        Command::ReadUser
        | Command::WriteUser(_)
        | Command::ReadPreferences
        | Command::WritePreferences(_)
        | Command::ReadSession => actor.id.clone(),
        Command::ReadKey(id)
        | Command::WriteKey(id, _)
        | Command::RotateKey(id, _)
        | Command::RevokeKey(id) => id.to_string(),
        Command::ListAudit(_) | Command::ReadAuditHead(_) => "audit".to_owned(),
        Command::ReadAudit(seq) => format!("audit/{seq}"),
        _ => "customer".to_owned(),
    }
}

/// Where the request came from, by which credential, and what it changed.
#[must_use]
pub fn detail(request: &Request, changed: Map<String, Value>) -> Map<String, Value> {
    detail_of(&request.caller, &request.origin, changed)
}

/// The same for what is no request.
#[must_use]
pub fn detail_of(caller: &Caller, origin: &Origin, changed: Map<String, Value>) -> Map<String, Value> {
    let mut detail = Map::new();
    let mut put = |key: &str, value: Option<&str>| {
        if let Some(value) = value {
            detail.insert(key.to_owned(), Value::from(value));
        }
    };
    put("callerRequestId", origin.caller_request_id.as_deref());
    put("ip", origin.ip.as_deref());
    put("userAgent", origin.user_agent.as_deref());
    if let Caller::User(user) = caller {
        put("jti", user.jti.as_deref());
    }
    if !changed.is_empty() {
        detail.insert("changed".to_owned(), Value::Object(changed));
    }
    detail
}

/// An administrator's id in every log, the same in each: it is made of the token's `sub`, which it does not tell.
///
/// # Errors
/// `internal_error`, in practice never.
pub fn admin_id(user: &User, index: &IndexKeys) -> Result<String> {
    let index = index.subject(&user.subject)?;
    let bytes = index.iter().take(8);
    Ok(bytes.fold("admin_".to_owned(), |id, byte| format!("{id}{byte:02x}")))
}

/// The fields that differ, each with `before` and `after`.
#[must_use]
pub fn changes(before: &Value, after: &Value) -> Map<String, Value> {
    let mut changed = Map::new();
    if let Value::Object(after) = after {
        for (key, value) in after {
            let was = before.get(key).unwrap_or(&Value::Null);
            if was != value {
                changed.insert(key.clone(), json!({"before": was, "after": value}));
            }
        }
    }
    changed
}
