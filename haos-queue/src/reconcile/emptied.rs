//! The stored part of the events that an answer empties, and of what came of them.

use haos_store_api::backend::{SortedMap, SortedSet};
use haos_store_api::{
    EventId, EventType, Message, RelationKind, RelationQuery, Result, RoomId, Scope, StateEntry, StateKey,
    StateQuery, StorageAdapter,
};

use super::redactions::{Redactions, Stored};
use crate::{Event, Protocol};

/// The event that another one repeats.
pub(super) fn repeated<'a>(event: &'a Event, protocol: &dyn Protocol) -> Option<&'a EventId> {
    let relation =
        event.relation.as_ref().filter(|relation| protocol.repeats().as_ref() == Some(&relation.kind))?;
    Some(&relation.target)
}

/// The stored redactions of events that are not stored themselves.
pub(super) async fn stored_redactions<S: StorageAdapter + ?Sized>(
    store: &S,
    room: &RoomId,
    events: SortedSet<&EventId>,
    messages: &SortedMap<EventId, Message>,
) -> Result<Stored> {
    let targets: Vec<EventId> =
        events.into_iter().filter(|id| !messages.contains_key(*id)).cloned().collect();
    let mut stored = Stored::new();
    if targets.is_empty() {
        return Ok(stored);
    }
    let kind = Some(RelationKind::Redaction);
    let found = store.related(RelationQuery { room: room.clone(), targets, kind, limit: usize::MAX }).await?;
    for by in found.into_iter().filter(|by| by.redacted_by.is_none()) {
        if let Some(relation) = by.relation {
            stored.or_default(relation.target).push(by.id);
        }
    }
    Ok(stored)
}

/// The events that an answer empties, with the kind and the key of those that are at hand.
pub(super) struct Emptied<'a> {
    room: &'a RoomId,
    events: Vec<(&'a EventId, Option<Place<'a>>)>,
}

/// A kind, and the key if it is one of state.
type Place<'a> = (&'a EventType, Option<&'a StateKey>);

impl<'a> Emptied<'a> {
    pub(super) fn new(
        room: &'a RoomId,
        redactions: &Redactions<'a>,
        events: &'a [Event],
        messages: &'a SortedMap<EventId, Message>,
    ) -> Self {
        let stored = messages.iter().map(|(id, message)| (id, (&message.kind, message.state_key.as_ref())));
        let brought = events.iter().map(|event| (&event.id, (&event.kind, event.state_key.as_ref())));
        let places: SortedMap<&EventId, Place<'a>> = stored.chain(brought).collect();
        let events = redactions.events().into_iter().map(|event| (event, places.get(event).copied()));
        Self { room, events: events.collect() }
    }

    /// The stored state that goes with them: what they set, and what repeats it.
    pub(super) async fn state<S: StorageAdapter + ?Sized>(
        &self,
        store: &S,
        protocol: &dyn Protocol,
    ) -> Result<Vec<StateEntry>> {
        let scope = Scope::Room(self.room.clone());
        let one =
            |kind: &EventType, key: &StateKey| StateQuery::one(scope.clone(), kind.clone(), key.clone());
        let places: Option<SortedSet<Place<'_>>> = self.events.iter().map(|(_, place)| *place).collect();
        let mut entries = Vec::new();
        match &places {
            Some(places) => {
                for (kind, key) in places.iter() {
                    let Some(key) = key else { continue };
                    entries.extend(store.state(one(kind, key)).await?);
                }
            }
            // State may be older than the stored timeline: then all of it is looked through.
            None => entries = store.state(StateQuery::all(scope.clone())).await?,
        }
        let ids: SortedSet<&EventId> = self.events.iter().map(|(event, _)| *event).collect();
        entries.retain(|entry| entry.event_id.as_ref().is_some_and(|event| ids.contains(event)));
        let known = self.events.iter().filter_map(|(_, place)| place.filter(|(_, key)| key.is_some()));
        let kinds: SortedSet<EventType> =
            known.map(|(kind, _)| kind).chain(entries.iter().map(|entry| &entry.kind)).cloned().collect();
        for kind in kinds {
            if let Some((kind, key)) = protocol.repeated_in(&kind) {
                entries.extend(store.state(one(&kind, &key)).await?);
            }
        }
        Ok(entries)
    }

    /// The stored events that repeat their content.
    pub(super) async fn copies<S: StorageAdapter + ?Sized>(
        &self,
        store: &S,
        protocol: &dyn Protocol,
    ) -> Result<Vec<Message>> {
        let is_repeated = |place: &Option<Place<'_>>| place.is_none_or(|(_, key)| key.is_some());
        let targets = self.events.iter().filter(|(_, place)| is_repeated(place));
        let targets: Vec<EventId> = targets.map(|(event, _)| (*event).clone()).collect();
        let kind = protocol.repeats();
        if targets.is_empty() || kind.is_none() {
            return Ok(Vec::new());
        }
        let room = self.room.clone();
        let mut copies = store.related(RelationQuery { room, targets, kind, limit: usize::MAX }).await?;
        copies.retain(|copy| copy.redacted_by.is_none());
        Ok(copies)
    }
}
