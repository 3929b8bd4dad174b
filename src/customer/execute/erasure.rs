//! Asking for an erasure, withdrawing it, and reading how it stands.

use super::Done;
use crate::customer::command::Command;
use crate::customer::erasure;
use crate::customer::memory::Memory;
use crate::customer::request::{Reply, Request};
use crate::customer::turn::Turn;
use crate::error::{Error, Result};
use crate::json;

/// Carries out a command about the erasure of a customer that is not erased.
///
/// # Errors
/// `erasure_not_found`, `forbidden`, or a fault.
pub fn execute(turn: &mut Turn<'_>, memory: &mut Memory, request: &Request) -> Result<Done> {
    let (reply, changed) = match &request.command {
        Command::RequestErasure(wanted) => {
            let actor = turn.actor(memory, request, None)?;
            let by = (&actor, request.as_admin);
            let changed = erasure::request(turn.sql, memory, wanted, by, turn.config, turn.now)?;
            (Reply::Accepted(view(memory)?), changed)
        }
        Command::WithdrawErasure => (
            Reply::Done,
            erasure::withdraw(turn.sql, memory, request.as_admin)?,
        ),
        Command::ReadErasure => {
            let body = view(memory)?;
            return Ok(Done::read(Reply::Content {
                body,
                version: None,
                created: false,
            }));
        }
        _ => return Err(Error::fault("no command about an erasure")),
    };
    Ok(Done { reply, changed })
}

fn view(memory: &Memory) -> Result<Vec<u8>> {
    let erasure = memory.erasure.as_ref().ok_or_else(erasure::not_found)?;
    json::to_bytes(&erasure.view())
}
