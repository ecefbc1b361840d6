//! What is stored of rooms against the server (I9, I11).

use std::collections::BTreeMap;

use futures_util::FutureExt as _;
use haos_store_api::{
    EventId, Item, MemoryStore, MessageQuery, Page, PendingQuery, RoomId, Scope, StateQuery,
    StorageAdapter as _, StorageAdapterExt as _,
};

use super::server::{ENCRYPTION, ModelServer};
use super::truth::Truth;

/// Checks that the store's part of every room is the server's, in its order, with a gap wherever something is
/// missing; up to the token, nothing newer is missing; no row is left of what a sync has shown.
pub(super) fn check(rows: &MemoryStore, server: &ModelServer, truth: &mut Truth) {
    let token = rows.sync_token().now_or_never().and_then(Result::ok).flatten();
    let seen = token.and_then(|token| token.get(1..)?.parse().ok()).unwrap_or(0);
    for id in server.rooms.keys() {
        if let Err(wrong) = room(rows, server, id, seen) {
            truth.broken("I9", format!("{id}: {wrong}"));
        }
        if is_encrypted(rows, id) && !truth.encrypted.contains(id) {
            truth.broken("I11", format!("{id} is encrypted, and that is not noted for good"));
        }
    }
    let outbox = rows.pending(PendingQuery::default()).now_or_never().and_then(Result::ok);
    for row in outbox.into_iter().flatten() {
        let echo = rows.messages(MessageQuery::Txn(row.txn_id.clone())).now_or_never();
        let echo = echo.and_then(Result::ok).unwrap_or_default();
        if echo.iter().any(|message| !message.provisional && message.room == row.room) {
            truth.broken("I5", format!("{} stays after its echo", row.txn_id));
        }
    }
}

/// Tells if the room's state says so.
fn is_encrypted(rows: &MemoryStore, id: &RoomId) -> bool {
    let state = rows.state(StateQuery::all(Scope::Room(id.clone()))).now_or_never();
    state.and_then(Result::ok).into_iter().flatten().any(|entry| entry.kind.as_str() == ENCRYPTION)
}

fn items(rows: &MemoryStore, id: &RoomId) -> Vec<Item> {
    let page = rows.timeline(id, Page::oldest(usize::MAX)).now_or_never();
    page.and_then(Result::ok).map(|slice| slice.items).unwrap_or_default()
}

fn room(rows: &MemoryStore, server: &ModelServer, id: &RoomId, seen: u64) -> Result<(), String> {
    let Some(truth) = server.rooms.get(id) else { return Ok(()) };
    let truth: Vec<_> = truth.events.iter().map(|kept| (kept.stream, &kept.event.id)).collect();
    compare_timeline(&items(rows, id), &truth, seen)
}

/// The stored timeline of a room, oldest first, against the server's: each confirmed message once and in
/// the server's order; what the server has between two neighbours, or before the first, is behind one gap;
/// of what the server had at `seen`, the newest event is the newest stored. `truth` has the place in the
/// server's stream with each event.
///
/// # Errors
/// Describes the fault.
pub fn compare_timeline(items: &[Item], truth: &[(u64, &EventId)], seen: u64) -> Result<(), String> {
    let place: BTreeMap<&EventId, usize> =
        truth.iter().enumerate().map(|(at, (_, event))| (*event, at)).collect();
    let (mut last, mut hole) = (None::<usize>, false);
    for (i, item) in items.iter().enumerate() {
        match item {
            Item::Gap(_) if matches!(items.get(i + 1), Some(Item::Gap(_))) => {
                return Err(format!("two gaps in a row at {i}"));
            }
            Item::Gap(_) => hole = true,
            Item::Message(message) if message.provisional => {}
            Item::Message(message) => {
                let at = *place.get(&message.id).ok_or(format!("{} is not the server's", message.id))?;
                let expected = last.map_or(0, |last| last + 1);
                if at < expected {
                    return Err(format!("{} is misplaced", message.id));
                }
                if at > expected && !hole {
                    return Err(format!("{} follows a hole that is no gap", message.id));
                }
                (last, hole) = (Some(at), false);
            }
        }
    }
    let newest = truth.iter().rposition(|(stream, _)| *stream <= seen);
    if newest.is_some() && (last < newest || hole) {
        return Err(format!("the newest event is missing: {last:?} < {newest:?}"));
    }
    Ok(())
}

/// Checks that the store holds all of the server's events, and nothing else.
pub(super) fn complete(rows: &MemoryStore, server: &ModelServer) -> Result<(), String> {
    for (id, room) in &server.rooms {
        let stored: Vec<EventId> = items(rows, id)
            .iter()
            .filter_map(|item| item.as_message().map(|message| message.id.clone()))
            .collect();
        let gaps = items(rows, id).iter().filter(|item| matches!(item, Item::Gap(_))).count();
        let truth: Vec<EventId> = room.events.iter().map(|kept| kept.event.id.clone()).collect();
        if stored != truth || gaps > 0 {
            return Err(format!(
                "{id}: {} events stored, {gaps} gaps; the server has {}",
                stored.len(),
                truth.len()
            ));
        }
    }
    Ok(())
}
