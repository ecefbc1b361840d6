//! The relations of events, where these hang on their room's state.

use std::borrow::Cow;

use haos_store_api::{Result, RoomId, StateEntry, StorageAdapter};

use super::derive::read_part;
use crate::{BackfillPage, Event, Protocol, RoomState, StateRead, SyncDelta};

/// The response with what its events relate to.
pub(super) async fn settled_sync<'a, S: StorageAdapter + ?Sized>(
    store: &S,
    delta: &'a SyncDelta,
    protocol: &dyn Protocol,
) -> Result<Cow<'a, SyncDelta>> {
    let mut settled = Cow::Borrowed(delta);
    for (at, room) in delta.rooms.iter().enumerate() {
        if room.timeline.iter().any(|event| protocol.is_unsettled(event)) {
            let events = &mut settled.to_mut().rooms[at].timeline;
            settle(store, &room.id, events, &room.state, protocol).await?;
        }
    }
    Ok(settled)
}

/// The page with what its events relate to.
pub(super) async fn settled_page<'a, S: StorageAdapter + ?Sized>(
    store: &S,
    page: &'a BackfillPage,
    protocol: &dyn Protocol,
) -> Result<Cow<'a, BackfillPage>> {
    let mut settled = Cow::Borrowed(page);
    if page.events.iter().any(|event| protocol.is_unsettled(event)) {
        settle(store, &page.room, &mut settled.to_mut().events, &[], protocol).await?;
    }
    Ok(settled)
}

async fn settle<S: StorageAdapter + ?Sized>(
    store: &S,
    room: &RoomId,
    events: &mut [Event],
    state: &[StateEntry],
    protocol: &dyn Protocol,
) -> Result<()> {
    let changed: Vec<Cow<'_, StateEntry>> = state.iter().rev().map(Cow::Borrowed).collect();
    let mut read = StateRead::default();
    for event in events.iter_mut().filter(|event| protocol.is_unsettled(event)) {
        event.relation = loop {
            match protocol.relation(event, &RoomState::new(None, &changed, Some(&read))) {
                Ok(relation) => break relation,
                Err(part) => read_part(store, room, part, &mut read).await?,
            }
        };
    }
    Ok(())
}
