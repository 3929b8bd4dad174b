//! Reading the audit log.

use super::Done;
use crate::caller::Caller;
use crate::customer::audit::checkpoint;
use crate::customer::audit::page::Reader;
use crate::customer::audit::view::Viewer;
use crate::customer::command::Command;
use crate::customer::memory::Memory;
use crate::customer::request::{Reply, Request};
use crate::customer::status::Status;
use crate::customer::turn::Turn;
use crate::error::{Code, Error, Result};

/// Carries out a command that reads the log. Of an erased customer there are no details, whether they are gone yet or
/// not.
///
/// # Errors
/// `invalid_cursor`, `audit_entry_not_found`, `malformed_request`, or a fault.
pub fn execute(turn: &Turn<'_>, memory: &Memory, request: &Request) -> Result<Done> {
    let viewer = match &request.caller {
        _ if request.as_admin => Viewer::Operator,
        Caller::User(user) if turn.is_owner(memory, user)? => Viewer::Owner,
        Caller::User(user) => Viewer::Member(memory.user_id(user)?.as_str()),
        // A key has the scope that the owner gave it.
        Caller::Integration(_) => Viewer::Owner,
        Caller::Service(_) => return Err(Error::new(Code::Forbidden, Code::Forbidden.title())),
    };
    let reader = Reader {
        sql: turn.sql,
        customer_id: turn.id,
        fields: match memory.record.status {
            Status::Erased => None,
            _ => Some(turn.fields()?),
        },
        head: &memory.head,
    };
    let body = match &request.command {
        Command::ListAudit(query) => reader.page(query, &viewer, turn.config.index.cursors())?,
        Command::ReadAudit(seq) => reader.one(*seq, &viewer)?,
        Command::ReadAuditHead(since) => {
            let (head, keys) = (&memory.head, &turn.config.signing);
            checkpoint::view(turn.sql, head, turn.id, keys, *since, turn.now)?
        }
        _ => return Err(Error::fault("no command that reads the log")),
    };
    Ok(Done::read(Reply::Content {
        body,
        version: None,
        created: false,
    }))
}
