//! Beginning an export: the moment of which it tells is this turn.

use super::Done;
use crate::customer::errand::By;
use crate::customer::export::{Plan, documents};
use crate::customer::memory::Memory;
use crate::customer::request::{Reply, Request};
use crate::customer::turn::Turn;
use crate::entropy::random;
use crate::error::Result;
use crate::json;
use crate::verify::chain::hex;
use serde_json::json;

/// Carries out the command that begins an export.
///
/// # Errors
/// `limit_reached` or a fault.
pub fn execute(turn: &mut Turn<'_>, memory: &mut Memory, request: &Request) -> Result<Done> {
    let id = format!("export_{}", hex(&random::<16>(turn.entropy)?));
    let request_id = request.origin.request_id.clone();
    memory
        .exports
        .begin(turn.sql, &id, request_id.as_str(), turn.now)?;
    let quota = &memory.quota;
    let limits =
        json!({"policies": quota.effective(), "own": quota.own(), "byCustomer": quota.by_customer()});
    let (customer, lost) = documents::customer(&memory.record, turn.id)?;
    let (keys, lost_of_keys) = documents::keys(&memory.keys, turn.now)?;
    let plan = Plan {
        id,
        customer_id: turn.id.clone(),
        actor: turn.actor_of(memory, &request.caller, request.as_admin, None)?,
        request_id,
        by: By {
            caller: request.caller.clone(),
            origin: request.origin.clone(),
            fingerprint: None,
        },
        is_for_operator: request.as_admin,
        head: memory.head.clone(),
        made_at: turn.now.max(memory.head.at),
        documents: [customer, keys, json::to_bytes(&limits)?],
        unreadable: lost.saturating_add(lost_of_keys),
    };
    Ok(Done::read(Reply::Archive(Box::new(plan))))
}
