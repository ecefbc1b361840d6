//! The rows of rooms, and the spaces that they belong to: a function of the state that will be stored, never
//! of one answer's events alone.

use std::borrow::Cow;

use haos_store_api::backend::law::sort_by;
use haos_store_api::backend::{SortedMap, SortedSet};
use haos_store_api::{
    EventType, Json, Result, Room, RoomId, Scope, StateEntry, StateKey, StateQuery, StorageAdapter,
    StorageAdapterExt as _, UserId, WriteBatch, state_kind,
};

use super::PlanError;
use super::redactions::Redactions;
use super::sync::account;
use crate::{NotRead, Protocol, RoomPatch, RoomState, SpaceLink, StateAt, StateRead};

/// The stored part of the spaces that an answer speaks of.
#[derive(Debug, Clone, Default)]
pub(super) struct SpacesView {
    /// The entries that have a say and are not in the answer.
    pub(super) words: SortedMap<StateAt, Option<Json>>,
    /// The spaces of rooms, where the answer or a new room asks for them.
    pub(super) spaces: SortedMap<RoomId, Vec<RoomId>>,
    /// Rooms that are only put into a space or taken out of one.
    pub(super) children: SortedMap<RoomId, Room>,
}

/// The state that is put: of several entries under one key the last, emptied if its event is, and the `stored`
/// entries that the answer empties.
pub(super) fn state_after<'a>(
    entries: &'a [StateEntry],
    stored: &'a [StateEntry],
    redactions: &Redactions<'_>,
    protocol: &dyn Protocol,
) -> Vec<Cow<'a, StateEntry>> {
    let mut seen = SortedSet::new();
    let is_emptied = |entry: &StateEntry| {
        entry.event_id.as_ref().is_some_and(|event| redactions.of_event(event).is_some())
    };
    let stored = stored.iter().map(|entry| (entry, true));
    let brought = entries.iter().map(|entry| (entry, is_emptied(entry)));
    let mut after: Vec<_> = stored
        .chain(brought)
        .rev()
        .filter(|(entry, _)| seen.insert((&entry.scope, &entry.kind, &entry.key)))
        .map(|(entry, is_emptied)| match is_emptied {
            true => {
                let value = protocol.redacted_state(&entry.kind, &entry.value);
                Cow::Owned(StateEntry { value, ..entry.clone() })
            }
            false => Cow::Borrowed(entry),
        })
        .collect();
    after.reverse();
    after
}

/// Returns the changes of the row, once `after` is put.
pub(super) fn shown(
    after: &[Cow<'_, StateEntry>],
    stored: Option<&StateRead>,
    own: Option<&UserId>,
    protocol: &dyn Protocol,
) -> std::result::Result<RoomPatch, NotRead> {
    match after.iter().any(|entry| protocol.is_shown(&entry.kind)) {
        true => protocol.shown(&RoomState::new(own, after, stored)),
        false => Ok(RoomPatch::default()),
    }
}

/// A row that shows it.
pub(super) fn patched(mut room: Room, patch: RoomPatch) -> Room {
    let RoomPatch { name, topic, avatar, kind } = patch;
    room.name = name.unwrap_or(room.name);
    room.topic = topic.unwrap_or(room.topic);
    room.avatar = avatar.unwrap_or(room.avatar);
    room.kind = kind.unwrap_or(room.kind);
    room
}

/// Reads the state that [`shown`] needs of a stored room.
pub(super) async fn read_shown<S: StorageAdapter + ?Sized>(
    store: &S,
    room: &RoomId,
    after: &[Cow<'_, StateEntry>],
    own: Option<&UserId>,
    protocol: &dyn Protocol,
) -> Result<StateRead> {
    let mut read = StateRead::default();
    while let Err(part) = shown(after, Some(&read), own, protocol) {
        read_part(store, room, part, &mut read).await?;
    }
    Ok(read)
}

/// Reads a part of a room's state.
pub(super) async fn read_part<S: StorageAdapter + ?Sized>(
    store: &S,
    room: &RoomId,
    part: NotRead,
    read: &mut StateRead,
) -> Result<()> {
    let (scope, kind) = (Scope::Room(room.clone()), part.kind.clone());
    let query = match &part.key {
        Some(key) => StateQuery::one(scope, kind, key.clone()),
        None => StateQuery::kind(scope, kind),
    };
    read.insert(part, store.state(query).await?);
    Ok(())
}

/// The places in spaces that changed entries have a say in, and what those entries say.
struct Links<'a> {
    links: SortedMap<(RoomId, RoomId), SpaceLink>,
    words: SortedMap<StateAt, &'a Json>,
}

impl<'a> Links<'a> {
    fn of(changed: impl IntoIterator<Item = &'a Cow<'a, StateEntry>>, protocol: &dyn Protocol) -> Self {
        let (mut links, mut words) = (SortedMap::new(), SortedMap::new());
        for entry in changed {
            let (Scope::Room(room), Some(link)) = (&entry.scope, protocol.space_link(entry)) else {
                continue;
            };
            let at = StateAt { room: room.clone(), kind: entry.kind.clone(), key: entry.key.clone() };
            words.insert(at, &entry.value);
            links.insert((link.space.clone(), link.child.clone()), link);
        }
        Self { links, words }
    }

    /// Tells if the child belongs to the space, or which part must be read first.
    fn is_linked(
        &self,
        link: &SpaceLink,
        view: &SpacesView,
        protocol: &dyn Protocol,
    ) -> std::result::Result<bool, StateAt> {
        for at in &link.words {
            let value = match self.words.get(at) {
                Some(value) => Some(*value),
                None => view.words.get(at).ok_or_else(|| at.clone())?.as_ref(),
            };
            if let Some(value) = value {
                return Ok(protocol.is_linked(value));
            }
        }
        Ok(false)
    }
}

/// Reads what the store holds of the spaces that changed entries speak of, and of those of `unknown` rooms.
pub(super) async fn spaces_view<'a, S: StorageAdapter + ?Sized>(
    store: &S,
    changed: impl IntoIterator<Item = &'a Cow<'a, StateEntry>>,
    unknown: Vec<&RoomId>,
    is_known: impl Fn(&RoomId) -> bool,
    protocol: &dyn Protocol,
) -> Result<SpacesView> {
    let (links, mut view) = (Links::of(changed, protocol), SpacesView::default());
    for link in links.links.values() {
        while let Err(at) = links.is_linked(link, &view, protocol) {
            let value = store.state_value(Scope::Room(at.room.clone()), &at.kind, &at.key).await?;
            view.words.insert(at, value);
        }
    }
    let mut children: Vec<&RoomId> = links.links.values().map(|link| &link.child).chain(unknown).collect();
    sort_by(&mut children, |a, b| a.cmp(b));
    children.dedup();
    for child in children {
        let (kind, key) = (EventType::new(state_kind::SPACES)?, StateKey::new(child)?);
        let value = store.state_value(Scope::Account, &kind, &key).await?;
        let spaces = value.map_or_else(|| Ok(Vec::new()), |spaces| spaces.parse())?;
        view.spaces.insert(child.clone(), spaces);
        if !is_known(child)
            && let Some(room) = store.room(child).await?
        {
            view.children.insert(child.clone(), room);
        }
    }
    Ok(view)
}

/// The spaces of rooms after an answer.
pub(super) struct SpacesAfter {
    /// By child.
    spaces: Vec<(RoomId, Vec<RoomId>)>,
    /// The children that the answer puts into spaces or takes out.
    told: SortedSet<RoomId>,
}

impl SpacesAfter {
    pub(super) fn of<'a>(
        changed: impl IntoIterator<Item = &'a Cow<'a, StateEntry>>,
        view: &SpacesView,
        protocol: &dyn Protocol,
    ) -> std::result::Result<Self, PlanError> {
        let links = Links::of(changed, protocol);
        let mut spaces: SortedMap<&RoomId, SortedSet<&RoomId>> =
            view.spaces.iter().map(|(child, of)| (child, of.iter().collect())).collect();
        let mut told = SortedSet::new();
        for link in links.links.values() {
            let unread = |at: StateAt| PlanError::NotRead(NotRead { kind: at.kind, key: Some(at.key) });
            let present = links.is_linked(link, view, protocol).map_err(unread)?;
            let Some(of) = spaces.get_mut(&link.child) else { continue };
            match present {
                true => of.insert(&link.space),
                false => of.remove(&link.space),
            };
            told.insert(link.child.clone());
        }
        let owned =
            |(child, of): (&RoomId, SortedSet<&RoomId>)| (child.clone(), of.into_iter().cloned().collect());
        Ok(Self { spaces: spaces.into_iter().map(owned).collect(), told })
    }

    /// The spaces of a room, if they were read.
    pub(super) fn of_room(&self, room: &RoomId) -> Option<&Vec<RoomId>> {
        let place = self.spaces.binary_search_by(|(child, _)| child.cmp(room)).ok()?;
        Some(&self.spaces[place].1)
    }

    /// Writes them down: in the rows of rooms that the answer does not bring, and beside, for rooms to come.
    pub(super) fn put(
        &self,
        batch: &mut WriteBatch,
        view: &SpacesView,
    ) -> std::result::Result<(), PlanError> {
        for (child, spaces) in &self.spaces {
            if let Some(room) = view.children.get(child) {
                batch.expect_room(child, Some(room.revision));
                batch.put_room(Room { spaces: spaces.clone(), ..room.clone() });
            }
            if self.told.contains(child) {
                batch.put_state(account(state_kind::SPACES, child.as_str(), spaces)?);
            }
        }
        Ok(())
    }
}
