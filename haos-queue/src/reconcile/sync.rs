//! A sync response as one batch.

use haos_store_api::backend::{SortedMap, SortedSet};
use haos_store_api::{
    EventType, Json, Membership, Pending, Result, Scope, StateEntry, StateKey, TxnId, WriteBatch, state_kind,
};

use super::PlanError;
use super::derive::{SpacesAfter, shown, state_after};
use super::gather::{Confirmed, RoomView, SyncView};
use super::redactions::Redactions;
use super::room::segment_ops;
use super::row::row_after;
use super::splice::Older;
use super::timeline::{Slot, Stored};
use crate::machine::echo;
use crate::{Protocol, RoomDelta, Since, SyncDelta};

/// The batch that takes the store from `view` to where the response leads: rooms, timelines, gaps,
/// state, confirmed outbox rows and the token, all or nothing.
///
/// Applying the same response to the view after it gives a batch that changes nothing.
///
/// # Errors
/// [`PlanError::Narrow`] if more of a timeline must be read first.
pub(super) fn sync(
    delta: &SyncDelta,
    view: &SyncView,
    protocol: &dyn Protocol,
) -> Result<WriteBatch, PlanError> {
    let mut batch = WriteBatch::relaxed();
    let mut after = Vec::with_capacity(delta.rooms.len());
    for room in &delta.rooms {
        let stored = view.rooms.get(&room.id);
        let redactions = Redactions::of(&room.timeline, stored);
        let stored = stored.map_or(&[][..], |stored| &stored.state);
        after.push(state_after(&room.state, stored, &redactions, protocol));
    }
    let spaces = SpacesAfter::of(after.iter().flatten(), &view.spaces, protocol)?;
    for (room, state) in delta.rooms.iter().zip(&after) {
        let stored = view.rooms.get(&room.id);
        batch.expect_room(&room.id, stored.map(|stored| stored.room.revision));
        let patch = shown(state, stored.map(|stored| &stored.read), view.own.as_ref(), protocol)?;
        let mut row = row_after(delta, room, view, patch);
        if let Some(spaces) = spaces.of_room(&room.id) {
            row.spaces.clone_from(spaces);
        }
        batch.put_room(row);
        let older = if room.limited {
            Older::Token(room.prev.clone())
        } else if begins(room, protocol) == Some(Some(true)) {
            Older::First
        } else if delta.initial && !room.timeline.is_empty() {
            Older::Start
        } else if goes_on(room, stored, protocol) {
            Older::Token(room.prev.clone())
        } else {
            Older::Joined
        };
        segment_ops(&mut batch, &room.id, stored, &room.timeline, (older, None), protocol)?;
    }
    view.markers.expect(&mut batch);
    for entry in after.into_iter().flatten().filter(|entry| !view.markers.keeps(entry, protocol)) {
        batch.put_state(entry.into_owned());
    }
    confirm(&mut batch, &view.confirmed)?;
    spaces.put(&mut batch, &view.spaces)?;
    for entry in last_of_each(&delta.account) {
        batch.put_state(entry.clone());
    }
    // Another context may have synced meanwhile: of two responses on one token, one is applied. What moves
    // no token, as a list of rooms before the first sync, must not come late either.
    if delta.next.is_some() || matches!(delta.since, Since::Stored(_)) {
        let now = view.token.as_ref().map(|now| account(state_kind::SYNC_TOKEN, "", now)).transpose()?;
        let StateEntry { scope, kind, key, .. } = account(state_kind::SYNC_TOKEN, "", "")?;
        batch.expect_state(scope, kind, key, now.map(|now| now.value));
    }
    if let Some(token) = &delta.next {
        batch.put_state(account(state_kind::SYNC_TOKEN, "", token)?);
    }
    Ok(batch)
}

/// Tells if there may be older events, though the server left none out since the last sync: in a room that the user
/// is in, where nothing is stored that these could join, and the server names a token to page from.
fn goes_on(room: &RoomDelta, stored: Option<&RoomView>, protocol: &dyn Protocol) -> bool {
    let is_guess = |stored: &Stored| matches!(stored.item, Slot::Provisional(_));
    let is_empty =
        stored.is_none_or(|stored| stored.window.items.iter().all(is_guess) && !stored.window.older);
    let may_go_on = room.membership == Membership::Join && room.prev.is_some();
    is_empty && may_go_on && begins(room, protocol) == Some(Some(false))
}

/// Tells if the first event of an answer is the room's first; `None` without an event, `Some(None)` if unknown.
fn begins(room: &RoomDelta, protocol: &dyn Protocol) -> Option<Option<bool>> {
    room.timeline.first().map(|event| protocol.is_beginning(&event.kind))
}

pub(super) fn account<T: serde::Serialize + ?Sized>(
    kind: &str,
    key: &str,
    value: &T,
) -> Result<StateEntry, PlanError> {
    let entry = || {
        Ok::<_, haos_store_api::Error>(StateEntry {
            scope: Scope::Account,
            kind: EventType::new(kind)?,
            key: StateKey::new(key)?,
            event_id: None,
            value: Json::of(value)?,
        })
    };
    entry().map_err(|e| PlanError::Invalid(e.to_string()))
}

/// Of several entries under one key the last counts, and the others never reach the store.
fn last_of_each(entries: &[StateEntry]) -> Vec<&StateEntry> {
    let mut seen = SortedSet::new();
    let last = entries.iter().rev().filter(|entry| seen.insert((&entry.scope, &entry.kind, &entry.key)));
    let mut last: Vec<_> = last.collect();
    last.reverse();
    last
}

/// Removes the rows that are delivered, and lets go on what waited for them.
pub(super) fn confirm(batch: &mut WriteBatch, confirmed: &[Confirmed]) -> Result<(), PlanError> {
    // Of two echoes in one response, the later may be of a row that waited for the earlier: it was sent by
    // somebody else meanwhile, and goes too.
    let gone: SortedSet<&TxnId> = confirmed.iter().map(|echo| &echo.family.row.txn_id).collect();
    let mut written: SortedMap<TxnId, Pending> = SortedMap::new();
    for Confirmed { family, event_id } in confirmed {
        let mut family = family.clone();
        family.waiting.retain(|row| !gone.contains(&row.txn_id));
        for row in &mut family.waiting {
            if let Some(now) = written.get(&row.txn_id) {
                row.clone_from(now);
            }
        }
        let now = echo(batch, &family, event_id).map_err(|e| PlanError::Invalid(e.to_string()))?;
        written.extend(now.into_iter().map(|row| (row.txn_id.clone(), row)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use haos_store_api::Precondition;

    use super::*;
    use crate::PlainProtocol;

    /// The token that the batch of an answer expects, if it expects any.
    fn expected(since: Since, next: Option<&str>) -> Option<Option<String>> {
        let delta = SyncDelta { since, next: next.map(str::to_owned), ..SyncDelta::default() };
        let view = SyncView { token: Some("s1".to_owned()), ..SyncView::default() };
        let batch = sync(&delta, &view, &PlainProtocol).unwrap();
        batch.preconditions().iter().find_map(|precondition| match precondition {
            Precondition::State(_, _, _, value) => {
                Some(value.as_ref().map(|value| value.parse::<String>().unwrap()))
            }
            _ => None,
        })
    }

    #[test]
    fn whoever_names_a_token_expects_it() {
        let here = Some(Some("s1".to_owned()));
        assert_eq!(expected(Since::Stored(Some("s1".to_owned())), Some("s2")), here);
        assert_eq!(expected(Since::Stored(Some("s1".to_owned())), None), here, "though it moves none");
        assert_eq!(expected(Since::Unknown, Some("s2")), here);
        assert_eq!(expected(Since::Unknown, None), None);
    }
}
