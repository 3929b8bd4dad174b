//! Erasing what the older service's store has of a customer, where it is bound as `LEGACY_KV`: in rounds of so many
//! calls, each of which begins where the last one ended.

use crate::customer::erasure::run::Legacy;
use crate::error::Result;
use crate::legacy::owned::{Position, Stop, Trail, is_of};
use crate::shell::legacy::{Store, page, read, remove, value};
use crate::types::CustomerId;

/// Calls of the store after which a round ends: with those of one more page far below what the platform allows.
const MAX_CALLS: u32 = 250;

/// What one round has done.
#[derive(Default)]
struct Tally {
    calls: u32,
    deleted: i64,
}

/// Deletes the customer's records, as far as one round goes. May be repeated.
///
/// # Errors
/// `internal_error` if the store does not answer and nothing could be done.
pub async fn round(store: &Store, id: &CustomerId, mut trail: Trail, from: Position) -> Result<Legacy> {
    // What the customer's own records say there may be newer than what came here. They go last.
    for key in trail.own() {
        if let Some((owner, record)) = read(store, &key).await?
            && owner == *id
        {
            trail.record(&record);
        }
    }
    let stops = trail.stops();
    let mut at = if from.of == stops.len() {
        from
    } else {
        Position {
            of: stops.len(),
            ..Position::default()
        }
    };
    let mut tally = Tally::default();
    while let Some(stop) = stops.get(at.stop) {
        let visited = visit(store, id, stop, at.cursor.clone(), &mut tally).await;
        match visited {
            Ok(Some(cursor)) => at.cursor = Some(cursor),
            Ok(None) => {
                at.stop = at.stop.saturating_add(1);
                at.cursor = None;
            }
            // What was done is told of; the next round meets the fault again.
            Err(_) if tally.deleted > 0 => return Ok(Legacy::Partly(tally.deleted, at)),
            Err(error) => return Err(error),
        }
        if tally.calls >= MAX_CALLS && at.stop < stops.len() {
            return Ok(Legacy::Partly(tally.deleted, at));
        }
    }
    Ok(Legacy::Deleted(tally.deleted))
}

/// One stop, or a page of one: then where it goes on.
async fn visit(
    store: &Store,
    id: &CustomerId,
    stop: &Stop,
    cursor: Option<String>,
    tally: &mut Tally,
) -> Result<Option<String>> {
    tally.calls = tally.calls.saturating_add(1);
    match stop {
        Stop::Foreign(key) | Stop::Own(key) => {
            let found = value(store, key).await?;
            if found.is_some_and(|value| stop.takes(&value, id)) {
                delete(store, key, tally).await?;
            }
            Ok(None)
        }
        Stop::Prefix { prefix, id } => {
            let listed = page(store, prefix, cursor.as_deref()).await?;
            for key in listed.keys.iter().filter(|key| is_of(key, id)) {
                delete(store, key, tally).await?;
            }
            Ok(listed.cursor)
        }
    }
}

async fn delete(store: &Store, key: &str, tally: &mut Tally) -> Result<()> {
    tally.calls = tally.calls.saturating_add(1);
    remove(store, key).await?;
    tally.deleted = tally.deleted.saturating_add(1);
    Ok(())
}
