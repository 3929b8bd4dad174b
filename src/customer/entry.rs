//! What the audit log says of a request: who, on what, and the detail that may be personal.

use crate::caller::Caller;
use crate::customer::audit::Actor;
use crate::customer::command::Command;
use crate::customer::request::Request;
use crate::customer::users::Seen;
use serde_json::{Map, Value, json};

/// Who did it, under an id of ours.
#[must_use]
pub fn actor(caller: &Caller, seen: Option<&Seen>) -> Actor {
    let id = match caller {
        // Only a user that could not be made, because the customer has too many, has no id.
        Caller::User(_) => seen.map_or_else(|| "user_unknown".to_owned(), |seen| seen.user_id.to_string()),
        Caller::Service(service) => service.id.clone(),
    };
    Actor {
        id,
        kind: caller.kind(),
    }
}

/// To what it was done: the calling user, or the customer.
#[must_use]
pub fn target(command: &Command, actor: &Actor) -> String {
    match command {
        Command::ReadUser
        | Command::WriteUser(_)
        | Command::ReadPreferences
        | Command::WritePreferences(_)
        | Command::ReadSession => actor.id.clone(),
        _ => "customer".to_owned(),
    }
}

/// Where the request came from, by which credential, and what it changed.
#[must_use]
pub fn detail(request: &Request, changed: Map<String, Value>) -> Map<String, Value> {
    let mut detail = Map::new();
    let mut put = |key: &str, value: Option<&str>| {
        if let Some(value) = value {
            detail.insert(key.to_owned(), Value::from(value));
        }
    };
    put("callerRequestId", request.origin.caller_request_id.as_deref());
    put("ip", request.origin.ip.as_deref());
    put("userAgent", request.origin.user_agent.as_deref());
    if let Caller::User(user) = &request.caller {
        put("jti", user.jti.as_deref());
    }
    if !changed.is_empty() {
        detail.insert("changed".to_owned(), Value::Object(changed));
    }
    detail
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
