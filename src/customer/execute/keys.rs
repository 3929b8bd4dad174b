//! The commands on API keys, for the customer's owner.

use super::{Done, content, unchanged_since};
use crate::customer::api_keys::Issuer;
use crate::customer::command::Command;
use crate::customer::entry::changes;
use crate::customer::memory::Memory;
use crate::customer::request::{Reply, Request};
use crate::customer::turn::Turn;
use crate::error::{Code, Error, Result};
use crate::types::KeyId;
use serde_json::{Map, Value, json};

/// Carries out a command on API keys.
///
/// # Errors
/// A refusal that has written nothing, or a fault.
pub fn execute(turn: &mut Turn<'_>, memory: &mut Memory, request: &Request) -> Result<Done> {
    let done = execute_one(turn, memory, request)?;
    if !matches!(request.command, Command::ListKeys | Command::ReadKey(_)) {
        memory.quota.adopt(&memory.keys, turn.now)?;
    }
    Ok(done)
}

fn execute_one(turn: &mut Turn<'_>, memory: &mut Memory, request: &Request) -> Result<Done> {
    let issuer = Issuer {
        customer: turn.id,
        pepper: turn.config.index.api_keys(),
        fields: turn.fields()?,
    };
    let incarnation = memory.record.version.incarnation.clone();
    match &request.command {
        Command::ListKeys => {
            let body = memory.keys.to_json(turn.now)?;
            Ok(Done::read(Reply::Content {
                body,
                version: None,
                created: false,
            }))
        }
        Command::ReadKey(id) => {
            let key = memory.keys.get(id)?;
            Done::versioned(&request.condition, &key.version(&incarnation, turn.now), || {
                key.to_json(turn.now)
            })
        }
        Command::CreateKey(new) => {
            let issued = memory
                .keys
                .create(turn.sql, issuer, new, turn.now, turn.entropy)?;
            let changed = changes(&Value::Null, &json!(issued.record.view(turn.now)?));
            Ok(Done {
                reply: Reply::Content {
                    body: issued.to_json()?,
                    version: None,
                    created: true,
                },
                changed,
            })
        }
        Command::WriteKey(id, edit) => {
            let before = view(turn, memory, id)?;
            unchanged_since(
                &request.condition,
                &memory.keys.get(id)?.version(&incarnation, turn.now),
            )?;
            let key = memory
                .keys
                .patch(turn.sql, issuer.fields, id, edit, turn.now, turn.entropy)?;
            let reply = content(key.to_json(turn.now)?, key.version(&incarnation, turn.now));
            Ok(Done {
                reply,
                changed: changes(&before, &json!(key.view(turn.now)?)),
            })
        }
        Command::RotateKey(id, rotation) => {
            let issued = memory
                .keys
                .rotate(turn.sql, issuer, id, *rotation, turn.now, turn.entropy)?;
            let changed = changes(&Value::Null, &json!(issued.record.view(turn.now)?));
            Ok(Done {
                reply: Reply::Content {
                    body: issued.to_json()?,
                    version: None,
                    created: true,
                },
                changed,
            })
        }
        Command::RevokeKey(id) => {
            memory.keys.revoke(turn.sql, id, turn.now)?;
            Ok(Done {
                reply: Reply::Done,
                changed: Map::new(),
            })
        }
        _ => Err(Error::new(Code::Forbidden, Code::Forbidden.title())),
    }
}

fn view(turn: &Turn<'_>, memory: &Memory, id: &KeyId) -> Result<Value> {
    Ok(json!(memory.keys.get(id)?.view(turn.now)?))
}
