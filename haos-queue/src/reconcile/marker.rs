//! How far the user has read, from the answer to a receipt to the sync that repeats it.
//!
//! The answer moves the marker at once. A response that the server made before it took the receipt may still be on its
//! way, with the earlier place of another device. It goes on from the token that was stored when the answer came, so
//! the marker bears that token: a response on it moves the marker no further back, and a later one counts.

use std::collections::{BTreeMap, HashSet};

use haos_store_api::{
    EventId, EventType, Json, MessageQuery, Pending, Position, Result, RoomId, Scope, StateEntry, StateKey,
    StateQuery, StorageAdapter, StorageAdapterExt as _, WriteBatch, state_kind,
};
use serde_json::value::RawValue;

use crate::{Protocol, RoomDelta, Since, SyncDelta};

/// The member of a marker's value that holds the token.
const TOLD_ON: &str = "haos.told_on";

/// The markers of the rooms in which a response says how far the user has read.
#[derive(Debug, Clone, Default)]
pub(super) struct Markers {
    /// The entries, each with the stored value.
    held: Vec<(StateEntry, Option<Json>)>,
    /// The rooms in which the stored marker stays.
    ahead: HashSet<RoomId>,
}

impl Markers {
    /// Reads the markers of those rooms that are stored.
    pub(super) async fn read<S: StorageAdapter + ?Sized>(
        store: &S,
        delta: &SyncDelta,
        is_stored: impl Fn(&RoomId) -> bool,
        protocol: &dyn Protocol,
    ) -> Result<Self> {
        let said = delta.rooms.iter().filter(|room| is_stored(&room.id));
        let said: Vec<_> = said.filter_map(|room| Some((room, last_said(room, protocol)?))).collect();
        let mut markers = Self::default();
        if said.is_empty() {
            return Ok(markers);
        }
        let stored = store.states(said.iter().map(|(_, (entry, _))| query(entry)).collect()).await?;
        for ((room, (entry, event)), stored) in said.into_iter().zip(stored) {
            let stored = stored.into_iter().next();
            if let Some(held) = stored.as_ref().filter(|held| is_told_on(&held.value, &delta.since))
                && let Some(read) = protocol.read_upto(held)
                && stands_before(store, &room.id, &event, &read).await?
            {
                markers.ahead.insert(room.id.clone());
            }
            markers.held.push((entry.clone(), stored.map(|held| held.value)));
        }
        Ok(markers)
    }

    /// Expects the markers as they were read.
    pub(super) fn expect(&self, batch: &mut WriteBatch) {
        for (entry, held) in &self.held {
            batch.expect_state(entry.scope.clone(), entry.kind.clone(), entry.key.clone(), held.clone());
        }
    }

    /// Tells if an entry of the response would move a marker back that is ahead of the response.
    pub(super) fn keeps(&self, entry: &StateEntry, protocol: &dyn Protocol) -> bool {
        let is_ahead = matches!(&entry.scope, Scope::Room(room) if self.ahead.contains(room));
        is_ahead && protocol.read_upto(entry).is_some()
    }
}

/// Adds the marker that the server has moved by accepting a row, unless the stored one stands further, or the room is
/// gone.
///
/// # Errors
/// Those of the store.
pub(crate) async fn accepted<S: StorageAdapter + ?Sized>(
    store: &S,
    batch: &mut WriteBatch,
    row: &Pending,
    protocol: &dyn Protocol,
) -> Result<()> {
    let Some(mut entry) = protocol.read_marker(row) else { return Ok(()) };
    let Some(event) = protocol.read_upto(&entry) else { return Ok(()) };
    if store.room(&row.room).await?.is_none() {
        return Ok(());
    }
    let held = store.states(vec![query(&entry)]).await?.into_iter().flatten().next();
    if let Some(read) = held.as_ref().and_then(|held| protocol.read_upto(held))
        && (read == event || stands_before(store, &row.room, &event, &read).await?)
    {
        return Ok(());
    }
    // A sync that is applied meanwhile leads to another token, and to another try.
    let kind = EventType::new(state_kind::SYNC_TOKEN)?;
    let key = StateKey::new("")?;
    let token = store.state_value(Scope::Account, &kind, &key).await?;
    entry.value = told_on(&entry.value, token.as_ref())?;
    batch.expect_state(Scope::Account, kind, key, token);
    let held = held.map(|held| held.value);
    batch.expect_state(entry.scope.clone(), entry.kind.clone(), entry.key.clone(), held).put_state(entry);
    Ok(())
}

fn query(entry: &StateEntry) -> StateQuery {
    StateQuery::one(entry.scope.clone(), entry.kind.clone(), entry.key.clone())
}

/// The last word of a room's part about how far the user has read.
fn last_said<'a>(room: &'a RoomDelta, protocol: &dyn Protocol) -> Option<(&'a StateEntry, EventId)> {
    room.state.iter().rev().find_map(|entry| Some((entry, protocol.read_upto(entry)?)))
}

/// A marker's value with the token that is stored, or `null`.
fn told_on(value: &Json, token: Option<&Json>) -> Result<Json> {
    let mut members: BTreeMap<String, Box<RawValue>> = value.parse()?;
    members.insert(TOLD_ON.to_owned(), token.cloned().map_or_else(|| Json::of(&()), Ok)?.parse()?);
    Json::of(&members)
}

/// Tells if a response may have been made before the server accepted what the marker's value stands for.
fn is_told_on(value: &Json, since: &Since) -> bool {
    let Since::Stored(since) = since else { return false };
    value
        .member(TOLD_ON)
        .is_some_and(|token| token.parse::<Option<String>>().is_ok_and(|token| token == *since))
}

/// Tells if both events are stored, and the first stands before the second.
async fn stands_before<S: StorageAdapter + ?Sized>(
    store: &S,
    room: &RoomId,
    first: &EventId,
    second: &EventId,
) -> Result<bool> {
    let events = vec![first.clone(), second.clone()];
    let found = store.messages(MessageQuery::Ids { room: room.clone(), events }).await?;
    let place = |event: &EventId| -> Option<Position> {
        found.iter().find(|message| message.id == *event).map(|message| message.position)
    };
    Ok(place(first).zip(place(second)).is_some_and(|(first, second)| first < second))
}
