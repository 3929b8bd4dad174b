//! The commands on API keys, for the customer's owner.

use super::{Done, content, unchanged_since};
use crate::customer::api_keys::{Issued, Issuer};
use crate::customer::command::Command;
use crate::customer::entry::changes;
use crate::customer::memory::Memory;
use crate::customer::request::{Reply, Request};
use crate::customer::turn::Turn;
use crate::error::{Code, Error, Result};
use crate::types::{KeyId, Timestamp};
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
            let (keys, entropy) = (&mut memory.keys, &mut *turn.entropy);
            issued(&keys.create(turn.sql, issuer, new, turn.now, entropy)?, turn.now)
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
            let (keys, entropy) = (&mut memory.keys, &mut *turn.entropy);
            let next = keys.rotate(turn.sql, issuer, id, *rotation, turn.now, entropy)?;
            issued(&next, turn.now)
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

/// The one answer that shows a new key's secret.
fn issued(issued: &Issued, now: Timestamp) -> Result<Done> {
    Ok(Done {
        reply: Reply::Content {
            body: issued.to_json()?,
            version: None,
            created: true,
        },
        changed: changes(&Value::Null, &json!(issued.record.view(now)?)),
    })
}

fn view(turn: &Turn<'_>, memory: &Memory, id: &KeyId) -> Result<Value> {
    Ok(json!(memory.keys.get(id)?.view(turn.now)?))
}
