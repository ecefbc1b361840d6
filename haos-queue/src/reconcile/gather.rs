//! The part of the store that a plan needs, and how it is read.

use haos_store_api::backend::{SortedMap, SortedSet};
use haos_store_api::{
    EventId, Gap, Message, MessageQuery, Pending, PendingQuery, Position, Result, Room, RoomId, StateEntry,
    StateQuery, StorageAdapter, StorageAdapterExt as _, UserId,
};

use super::derive::{SpacesView, read_shown, spaces_view, state_after};
use super::emptied::{Emptied, repeated, stored_redactions};
use super::marker::Markers;
use super::redactions::{Redactions, redacts};
use super::timeline::{Slot, Stored, Window, window};
use crate::machine::Family;
use crate::{BackfillPage, Event, Protocol, StateRead, SyncDelta};

/// The stored part of what a sync response touches.
#[derive(Debug, Clone, Default)]
pub(super) struct SyncView {
    /// The stored token.
    pub(super) token: Option<String>,
    /// Each room of the response that is stored.
    pub(super) rooms: SortedMap<RoomId, RoomView>,
    /// The outbox rows that the response confirms, and those that wait for them.
    pub(super) confirmed: Vec<Confirmed>,
    /// The spaces that the response speaks of.
    pub(super) spaces: SpacesView,
    /// How far the user has read, where the response speaks of it.
    pub(super) markers: Markers,
    /// The own user, if known.
    pub(super) own: Option<UserId>,
}

/// An outbox row whose echo has come.
#[derive(Debug, Clone)]
pub(super) struct Confirmed {
    /// The row, and what waits for it.
    pub(super) family: Family,
    /// Its event.
    pub(super) event_id: EventId,
}

/// The stored part of a room.
#[derive(Debug, Clone)]
pub(super) struct RoomView {
    /// Its row.
    pub(super) room: Room,
    /// The timeline around the segment.
    pub(super) window: Window,
    /// The stored messages that the segment holds, redacts or repeats.
    pub(super) messages: SortedMap<EventId, Message>,
    /// Stored redactions, by target, of events that the segment brings or repeats.
    pub(super) redactions: SortedMap<EventId, Vec<EventId>>,
    /// The state that the segment empties.
    pub(super) state: Vec<StateEntry>,
    /// The messages that repeat what the segment empties.
    pub(super) copies: Vec<Message>,
    /// The state that the row depends on.
    pub(super) read: StateRead,
}

/// The stored surroundings of a gap.
#[derive(Debug, Clone)]
pub(super) struct FillView {
    /// The room.
    pub(super) room: RoomView,
    /// The gap.
    pub(super) gap: Gap,
    /// The outbox rows that the response confirms, and those that wait for them.
    pub(super) confirmed: Vec<Confirmed>,
    /// The page's state that the store has nothing for, or something earlier.
    pub(super) state: Vec<StateEntry>,
    /// The spaces that the page speaks of.
    pub(super) spaces: SpacesView,
    /// The page is empty, and what follows the gap is the first event of the room: a token that goes on from
    /// there leads nowhere.
    pub(super) at_beginning: bool,
    /// The own user, if known.
    pub(super) own: Option<UserId>,
}

/// The part of an answer that is about one room.
pub(super) struct Brought<'a> {
    pub(super) room: &'a RoomId,
    pub(super) events: &'a [Event],
    pub(super) state: &'a [StateEntry],
}

/// How many items beyond the segment's neighbours a window takes: tried one after the other.
pub(super) const MARGINS: [usize; 4] = [2, 64, 4096, usize::MAX];

pub(super) async fn sync_view<S: StorageAdapter + ?Sized>(
    store: &S,
    delta: &SyncDelta,
    (own, protocol): (Option<&UserId>, &dyn Protocol),
    margin: usize,
) -> Result<SyncView> {
    let token = store.sync_token().await?;
    let mut view = SyncView { token, own: own.cloned(), ..SyncView::default() };
    let mut unknown = Vec::new();
    for room in &delta.rooms {
        view.confirmed.extend(confirmed(store, &room.id, &room.timeline, own).await?);
        // A room without news in its timeline needs its row alone.
        let margin = if room.limited || !room.timeline.is_empty() { margin } else { 0 };
        let brought = Brought { room: &room.id, events: &room.timeline, state: &room.state };
        match room_view(store, &brought, (own, protocol), None, margin).await? {
            Some(stored) => drop(view.rooms.insert(room.id.clone(), stored)),
            None => unknown.push(&room.id),
        }
    }
    let mut after = Vec::new();
    for room in &delta.rooms {
        let stored = view.rooms.get(&room.id);
        let redactions = Redactions::of(&room.timeline, stored);
        let stored = stored.map_or(&[][..], |stored| &stored.state);
        after.extend(state_after(&room.state, stored, &redactions, protocol));
    }
    let is_known = |room: &RoomId| view.rooms.contains_key(room);
    view.spaces = spaces_view(store, &after, unknown, is_known, protocol).await?;
    view.markers = Markers::read(store, delta, is_known, protocol).await?;
    Ok(view)
}

/// The page's state that the store has nothing for, where the last word counts, or something earlier.
async fn page_state<S: StorageAdapter + ?Sized>(
    store: &S,
    page: &BackfillPage,
    protocol: &dyn Protocol,
) -> Result<Vec<StateEntry>> {
    let query =
        |entry: &StateEntry| StateQuery::one(entry.scope.clone(), entry.kind.clone(), entry.key.clone());
    let stored = store.states(page.state.iter().map(query).collect()).await?;
    let mut state: Vec<StateEntry> = Vec::new();
    for (entry, stored) in page.state.iter().zip(stored) {
        let is_same = |other: &&StateEntry| (&other.kind, &other.key) == (&entry.kind, &entry.key);
        let stored = stored.into_iter().next();
        let held = state.iter().rev().find(is_same).or(stored.as_ref());
        let counts = stored.is_none() || held.is_some_and(|held| protocol.is_later(entry, held));
        if counts {
            state.push(entry.clone());
        }
    }
    Ok(state)
}

pub(super) async fn fill_view<S: StorageAdapter + ?Sized>(
    store: &S,
    gap: &Gap,
    page: &BackfillPage,
    (own, protocol): (Option<&UserId>, &dyn Protocol),
    margin: usize,
) -> Result<Option<FillView>> {
    let gaps = store.gaps(&page.room).await?;
    let Some(gap) = gaps.into_iter().find(|stored| stored.position == gap.position) else {
        return Ok(None);
    };
    let state = page_state(store, page, protocol).await?;
    let brought = Brought { room: &page.room, events: &page.events, state: &state };
    let room = room_view(store, &brought, (own, protocol), Some(gap.position), margin).await?;
    let Some(room) = room else { return Ok(None) };
    let confirmed = confirmed(store, &page.room, &page.events, own).await?;
    let redactions = Redactions::of(&page.events, Some(&room));
    let after = state_after(&state, &room.state, &redactions, protocol);
    let spaces = spaces_view(store, &after, Vec::new(), |child| *child == page.room, protocol).await?;
    drop(after);
    let at_beginning =
        page.events.is_empty() && follows_beginning(store, &room, gap.position, protocol).await?;
    Ok(Some(FillView { room, gap, confirmed, state, spaces, at_beginning, own: own.cloned() }))
}

/// Tells if the first event of the room is what follows a gap.
async fn follows_beginning<S: StorageAdapter + ?Sized>(
    store: &S,
    view: &RoomView,
    gap: Position,
    protocol: &dyn Protocol,
) -> Result<bool> {
    let above = view.window.items.iter().find(|stored| stored.position > gap);
    let Some(Stored { item: Slot::Anchor(id), .. }) = above else { return Ok(false) };
    let first = store.message(&view.room.id, id).await?;
    Ok(first.is_some_and(|message| protocol.is_beginning(&message.kind) == Some(true)))
}

/// The outbox rows whose echo is among the events: by transaction id and own sender, else by event id.
/// The same text is never a match.
pub(super) async fn confirmed<S: StorageAdapter + ?Sized>(
    store: &S,
    room: &RoomId,
    events: &[Event],
    own: Option<&UserId>,
) -> Result<Vec<Confirmed>> {
    let (mut confirmed, mut seen) = (Vec::new(), SortedSet::new());
    let none = PendingQuery { skip_damaged: true, ..PendingQuery::default() };
    // Rows that the server accepted, for echoes that do not tell their transaction id: read once.
    let mut accepted: Option<SortedMap<EventId, Pending>> = None;
    for event in events.iter().filter(|event| own.is_none_or(|own| event.sender == *own)) {
        let row = match &event.txn_id {
            Some(txn_id) => {
                let query = PendingQuery { txn_id: Some(txn_id.clone()), ..none.clone() };
                store.pending(query).await?.into_iter().next().filter(|row| row.room == *room)
            }
            None => {
                if accepted.is_none() {
                    let rows =
                        store.pending(PendingQuery { room: Some(room.clone()), ..none.clone() }).await?;
                    let with_id = |row: Pending| Some((row.event_id.clone()?, row));
                    accepted = Some(rows.into_iter().filter_map(with_id).collect());
                }
                accepted.as_ref().and_then(|rows| rows.get(&event.id)).cloned()
            }
        };
        if let Some(row) = row
            && seen.insert(row.txn_id.clone())
        {
            let family = Family::read(store, row).await?;
            confirmed.push(Confirmed { family, event_id: event.id.clone() });
        }
    }
    Ok(confirmed)
}

async fn room_view<S: StorageAdapter + ?Sized>(
    store: &S,
    brought: &Brought<'_>,
    (own, protocol): (Option<&UserId>, &dyn Protocol),
    gap: Option<Position>,
    margin: usize,
) -> Result<Option<RoomView>> {
    let Brought { room: id, events, state: entries } = *brought;
    let Some(room) = store.room(id).await? else {
        return Ok(None);
    };
    if events.is_empty() && margin == 0 {
        let (messages, redactions) = (SortedMap::new(), SortedMap::new());
        let after = state_after(entries, &[], &Redactions::default(), protocol);
        let read = read_shown(store, id, &after, own, protocol).await?;
        return Ok(Some(RoomView {
            room,
            window: Window::default(),
            messages,
            redactions,
            state: Vec::new(),
            copies: Vec::new(),
            read,
        }));
    }
    let mut view = facts(store, room, brought, (own, protocol)).await?;
    let anchors = view.anchors(events);
    let high = if gap.is_some() { None } else { Some(Position::MAX) };
    view.window = window(store, id, anchors.into_iter().chain(gap).collect(), high, margin).await?;
    Ok(Some(view))
}

/// The stored part of a room without its timeline's window.
pub(super) async fn facts<S: StorageAdapter + ?Sized>(
    store: &S,
    room: Room,
    brought: &Brought<'_>,
    (own, protocol): (Option<&UserId>, &dyn Protocol),
) -> Result<RoomView> {
    let Brought { room: id, events, state: entries } = *brought;
    let repeated = events.iter().filter_map(|event| repeated(event, protocol));
    let brought: SortedSet<&EventId> = events.iter().map(|event| &event.id).chain(repeated).collect();
    let mut wanted = brought.clone();
    wanted.extend(events.iter().filter_map(redacts));
    let wanted = wanted.into_iter().cloned().collect();
    let stored = store.messages(MessageQuery::Ids { room: id.clone(), events: wanted }).await?;
    let messages: SortedMap<EventId, Message> =
        stored.into_iter().map(|message| (message.id.clone(), message)).collect();
    let redactions = stored_redactions(store, id, brought, &messages).await?;
    let is_spent = |id: &EventId| messages.get(id).is_some_and(|stored| stored.redacted_by.is_some());
    let judged = Redactions::judge(events, Some(&redactions), &is_spent);
    let emptied = Emptied::new(id, &judged, events, &messages);
    let (state, copies) = (emptied.state(store, protocol).await?, emptied.copies(store, protocol).await?);
    let read = read_shown(store, id, &state_after(entries, &state, &judged, protocol), own, protocol).await?;
    Ok(RoomView { room, window: Window::default(), messages, redactions, state, copies, read })
}

impl RoomView {
    /// Where the events stand that are stored for good.
    pub(super) fn anchors(&self, events: &[Event]) -> Vec<Position> {
        let stored = events.iter().filter_map(|event| self.messages.get(&event.id));
        stored.filter(|message| !message.provisional).map(|message| message.position).collect()
    }
}
