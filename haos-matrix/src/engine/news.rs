use std::collections::HashSet;

use haos_queue::{RoomDelta, SyncDelta};
use haos_store_api::{MessageQuery, Result, StateEntry, StorageAdapter, StorageAdapterExt as _, state_kind};

use super::amend::MEMBERS;

/// Tells if an answer has anything that the store does not hold yet. Its token does not count, nor what could
/// not be read, nor where older events were left out.
pub(super) async fn has_news(store: &dyn StorageAdapter, delta: &SyncDelta) -> Result<bool> {
    for room in &delta.rooms {
        if is_new(store, room).await? {
            return Ok(true);
        }
    }
    any_new(store, &delta.account).await
}

async fn is_new(store: &dyn StorageAdapter, delta: &RoomDelta) -> Result<bool> {
    let Some(room) = store.room(&delta.id).await? else { return Ok(true) };
    if room.membership != delta.membership || delta.unread.is_some_and(|unread| unread != room.unread) {
        return Ok(true);
    }
    let ids: HashSet<_> = delta.timeline.iter().map(|event| event.id.clone()).collect();
    let wanted = ids.iter().cloned().collect();
    let held = store.messages(MessageQuery::Ids { room: room.id, events: wanted }).await?;
    Ok(held.len() < ids.len() || any_new(store, &delta.state).await?)
}

async fn any_new(store: &dyn StorageAdapter, entries: &[StateEntry]) -> Result<bool> {
    let counts = |entry: &&StateEntry| {
        !matches!(entry.kind.as_str(), state_kind::UNREADABLE | state_kind::LEFT_OUT | MEMBERS)
    };
    // Of several entries under one key the last is stored.
    let mut seen = HashSet::new();
    for entry in entries.iter().rev().filter(counts) {
        if !seen.insert((&entry.kind, &entry.key)) {
            continue;
        }
        let stored = store.state_value(entry.scope.clone(), &entry.kind, &entry.key).await?;
        if stored.as_ref() != Some(&entry.value) {
            return Ok(true);
        }
    }
    Ok(false)
}
