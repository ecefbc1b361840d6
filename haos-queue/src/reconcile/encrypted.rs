//! Rooms that are encrypted, or once were.

use haos_store_api::{
    EventType, Json, Result, RoomId, Scope, StateEntry, StateKey, StateQuery, StorageAdapter, WriteBatch,
    state_kind,
};

use crate::{Event, Protocol, RoomDelta};

/// The place of the note that a room is encrypted, in the account's scope.
pub(crate) fn note_of(room: &RoomId) -> Result<(EventType, StateKey)> {
    Ok((EventType::new(state_kind::ENCRYPTED)?, StateKey::new(room.as_str())?))
}

/// The rooms of which a response tells that they are encrypted.
pub(super) fn encrypted<'a>(rooms: &'a [RoomDelta], protocol: &dyn Protocol) -> Vec<&'a RoomId> {
    let tells = |room: &&RoomDelta| tells(&room.timeline, &room.state, protocol);
    rooms.iter().filter(tells).map(|room| &room.id).collect()
}

/// Tells if a room is encrypted by these events, or by this state.
pub(super) fn tells(events: &[Event], state: &[StateEntry], protocol: &dyn Protocol) -> bool {
    let Some(wanted) = protocol.encryption() else { return false };
    let is_it = |kind: &EventType, key: &StateKey| kind.as_str() == wanted && key.as_str().is_empty();
    let in_timeline = |event: &Event| event.state_key.as_ref().is_some_and(|key| is_it(&event.kind, key));
    events.iter().any(in_timeline) || state.iter().any(|entry| is_it(&entry.kind, &entry.key))
}

/// Notes for good that rooms are encrypted: no row of the outbox goes there unencrypted from then on, whatever the rooms'
/// state becomes. A commit of its own, before the one that brings the rest: no power loss may take it, and the rest may
/// be refused for its size.
pub(crate) async fn note_encrypted<S: StorageAdapter + ?Sized>(store: &S, rooms: &[&RoomId]) -> Result<()> {
    if rooms.is_empty() {
        return Ok(());
    }
    let mut entries = Vec::with_capacity(rooms.len());
    for room in rooms {
        let (kind, key) = note_of(room)?;
        entries.push(StateEntry { scope: Scope::Account, kind, key, event_id: None, value: Json::empty() });
    }
    let asked = |entry: &StateEntry| StateQuery::one(Scope::Account, entry.kind.clone(), entry.key.clone());
    let noted = store.states(entries.iter().map(asked).collect()).await?;
    let mut batch = WriteBatch::strict();
    for (entry, _) in entries.into_iter().zip(noted).filter(|(_, noted)| noted.is_empty()) {
        batch.put_state(entry);
    }
    if !batch.ops().is_empty() {
        store.apply(batch).await?;
    }
    Ok(())
}
