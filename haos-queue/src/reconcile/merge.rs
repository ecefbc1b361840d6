//! A run of history that another store holds as one batch.

use haos_store_api::backend::{SortedMap, SortedSet};
use haos_store_api::{EventId, Message, Position, Result, RoomId, StorageAdapter, UserId, WriteBatch};

use super::PlanError;
use super::apply::Attempt;
use super::derive::{SpacesAfter, SpacesView, patched, shown, spaces_view, state_after};
use super::encrypted::{note_encrypted, tells};
use super::gather::{Brought, Confirmed, RoomView, confirmed, facts};
use super::loose::{Spot, loose, spot};
use super::place::place_at;
use super::redactions::Redactions;
use super::room::{Emptier, learned_ops, order_ops};
use super::splice::{Older, Ordered, Segment, splice};
use super::sync::confirm;
use super::timeline::{Slot, window};
use crate::{Event, Protocol};

/// Messages of a room as another store holds them: no gap is among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryRun {
    /// The room.
    pub room: RoomId,
    /// What comes right before the messages.
    pub before: Before,
    /// The messages, oldest first. Their positions are kept where these fit.
    pub messages: Vec<Message>,
}

/// What the other store holds right before a run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "a run begins with one of these")]
pub enum Before {
    /// Nothing: whether there is more, it does not know.
    Nothing,
    /// This message, of the run before.
    Message(EventId),
    /// A gap.
    Gap {
        /// The newest message before it, if there is any.
        after: Option<EventId>,
        /// Its token.
        token: Option<String>,
        /// Its place.
        position: Position,
    },
}

/// The outcome of merging a run, in messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MergedRun {
    /// Those that the store lacked.
    pub new: u64,
    /// Those that the store held, and of which it learned something: a redaction, a transaction id.
    pub learned: u64,
    /// Those that the store held as they are, or knew better.
    pub held: u64,
    /// True if the store changed.
    pub changed: bool,
}

/// Merges a run of another store's history into the stored timeline, in one commit.
///
/// What [`apply_sync`](crate::apply_sync) does with a server's answer happens here with what another store learned
/// from such answers:
///
/// - A message that is stored stays where it is, and as it is. It learns a redaction and a transaction id; no redaction
///   is undone.
/// - A message that is not stored goes beside the neighbour that it has in the run. A gap closes if the run goes on from
///   one of its sides to the other, and never else.
/// - A run of which nothing is stored goes into the gap, or to the end of the timeline, at which it belongs by the
///   server's time, and a gap stays on either side. No gap opens between messages that are neighbours.
/// - A message that another store keeps as a guess ([`Message::provisional`]) is taken as one, or not at all if the
///   store has it.
/// - A redaction of the run empties what is stored, and a stored one empties what the run brings. An outbox row of
///   which the run has the event is delivered.
///
/// Merging a run twice changes nothing. Absent if the room is not stored.
///
/// # Errors
/// Those of the store; `Invalid` for a run that breaks the contract.
pub async fn merge_run<S: StorageAdapter + ?Sized>(
    store: &S,
    run: &HistoryRun,
    own: Option<&UserId>,
    protocol: &dyn Protocol,
) -> Result<Option<MergedRun>> {
    let mut attempt = Attempt::default();
    loop {
        let Some(view) = RunView::read(store, run, (own, protocol), attempt.margin()).await? else {
            return Ok(None);
        };
        if tells(&view.events, &[], protocol) {
            note_encrypted(store, &[&run.room]).await?;
        }
        let planned = view.plan(run, own, protocol);
        let (batch, merged) = match planned {
            Ok((batch, merged)) => (Ok(batch), merged),
            Err(e) => (Err(e), MergedRun::default()),
        };
        if let Some(changed) = attempt.run(store, batch).await? {
            return Ok(Some(MergedRun { changed, ..merged }));
        }
    }
}

/// The stored part of what a run touches.
struct RunView {
    room: RoomView,
    /// The run's events, without the guesses of which the store knows.
    events: Vec<Event>,
    /// The guesses among them.
    guesses: SortedSet<EventId>,
    /// Guesses of the other store that are stored.
    known: Vec<Event>,
    /// The place of a run of which nothing is stored.
    spot: Option<Spot>,
    confirmed: Vec<Confirmed>,
    spaces: SpacesView,
}

impl RunView {
    async fn read<S: StorageAdapter + ?Sized>(
        store: &S,
        run: &HistoryRun,
        (own, protocol): (Option<&UserId>, &dyn Protocol),
        margin: usize,
    ) -> Result<Option<Self>> {
        let Some(room) = store.room(&run.room).await? else { return Ok(None) };
        let mut seen = SortedSet::new();
        let distinct = || run.messages.iter().filter(|message| message.room == run.room);
        let all: Vec<Event> =
            distinct().filter(|message| seen.insert(&message.id)).cloned().map(Event::from).collect();
        let guesses: SortedSet<EventId> =
            distinct().filter(|message| message.provisional).map(|message| message.id.clone()).collect();
        let confirmed = confirmed(store, &run.room, &all, own).await?;
        let brought = Brought { room: &run.room, events: &all, state: &[] };
        let mut room = facts(store, room, &brought, (own, protocol)).await?;
        let is_known = |event: &Event| guesses.contains(&event.id) && room.messages.contains_key(&event.id);
        let (known, events): (Vec<Event>, Vec<Event>) = all.into_iter().partition(is_known);

        let mut anchors = room.anchors(&events);
        let before = match &run.before {
            Before::Message(id) | Before::Gap { after: Some(id), .. } => store.message(&run.room, id).await?,
            Before::Nothing | Before::Gap { after: None, .. } => None,
        };
        let before = before.filter(|message| !message.provisional).map(|message| message.position);
        if matches!(run.before, Before::Message(_)) {
            anchors.extend(before);
        }
        let spot = match (anchors.is_empty(), events.first()) {
            (true, Some(first)) => Some(spot(store, &run.room, before, first.timestamp_ms).await?),
            _ => None,
        };
        anchors.extend(spot.and_then(Spot::position));
        room.window = window(store, &run.room, anchors, None, margin).await?;
        let redactions = Redactions::of(&events, Some(&room));
        let after = state_after(&[], &room.state, &redactions, protocol);
        let spaces = spaces_view(store, &after, Vec::new(), |child| *child == run.room, protocol).await?;
        drop(after);
        Ok(Some(Self { room, events, guesses, known, spot, confirmed, spaces }))
    }

    fn plan(
        &self,
        run: &HistoryRun,
        own: Option<&UserId>,
        protocol: &dyn Protocol,
    ) -> Result<(WriteBatch, MergedRun), PlanError> {
        let mut batch = WriteBatch::relaxed();
        batch.expect_room(&run.room, Some(self.room.room.revision));
        let order = self.order(run);
        let positions = place_at(&order, &wishes(&order, run, &self.events), &self.room.window)?;
        let redactions = Redactions::of(&self.events, Some(&self.room));
        let emptier = Emptier { room: &run.room, view: Some(&self.room), redactions, protocol };
        let message = |index: usize, position| {
            let event = self.events[index].clone();
            let provisional = self.guesses.contains(&event.id);
            Ok(Message { provisional, ..emptier.new_message(event, position)? })
        };
        order_ops(&mut batch, &self.room.window, (&order, &positions), message, &run.room)?;
        let all: Vec<&Event> = self.events.iter().chain(&self.known).collect();
        let learned = learned_ops(&mut batch, &self.room, &all);
        emptier.stored_ops(&mut batch, &self.room, &all);
        confirm(&mut batch, &self.confirmed)?;

        let after = state_after(&[], &self.room.state, &emptier.redactions, protocol);
        let patch = shown(&after, Some(&self.room.read), own, protocol)?;
        let spaces = SpacesAfter::of(&after, &self.spaces, protocol)?;
        let mut row = patched(self.room.room.clone(), patch);
        if let Some(spaces) = spaces.of_room(&run.room) {
            row.spaces.clone_from(spaces);
        }
        if row != self.room.room {
            batch.put_room(row);
        }
        spaces.put(&mut batch, &self.spaces)?;
        for entry in after {
            batch.put_state(entry.into_owned());
        }
        let new = order.iter().filter(|(_, slot)| matches!(slot, Slot::New(_))).count() as u64;
        let held = (all.len() as u64).saturating_sub(new + learned);
        Ok((batch, MergedRun { new, learned, held, changed: false }))
    }

    /// The timeline's order with the run in it.
    fn order(&self, run: &HistoryRun) -> Vec<Ordered> {
        let window = &self.room.window;
        let token = match &run.before {
            Before::Gap { token, .. } => Some(token.clone()),
            Before::Nothing | Before::Message(_) => None,
        };
        if let Some(spot) = self.spot {
            return loose(window, self.events.len(), token, spot);
        }
        if self.events.is_empty() {
            return self.last_gap(run, token);
        }
        // The message before is an anchor alone: it is counted as the first event, and taken out again.
        let before = match &run.before {
            Before::Message(id) if self.events.iter().all(|event| event.id != *id) => Some(id),
            _ => None,
        };
        let ids = before.into_iter().chain(self.events.iter().map(|event| &event.id));
        let older = token.clone().map_or(Older::Joined, Older::Token);
        let segment = Segment { events: ids.collect(), older, gap: None };
        let mut order = splice(window, &segment);
        if before.is_some() {
            order.retain(|(_, slot)| *slot != Slot::New(0));
            for (_, slot) in &mut order {
                if let Slot::New(index) = slot {
                    *index -= 1;
                }
            }
        }
        if let Some(Some(token)) = token {
            self.tell_token(&mut order, token);
        }
        order
    }

    /// A gap without a token right before the run's first message gets the one that the other store has.
    fn tell_token(&self, order: &mut [Ordered], token: String) {
        let Some(first) = self.events.first() else { return };
        let is_first = |(_, slot): &Ordered| matches!(slot, Slot::Anchor(id) if *id == first.id);
        let gap = order.iter().position(is_first).and_then(|at| at.checked_sub(1));
        if let Some((_, slot)) = gap.and_then(|gap| order.get_mut(gap))
            && *slot == Slot::Gap(None)
        {
            *slot = Slot::Gap(Some(token));
        }
    }

    /// A gap that nothing follows is taken if what it follows is the newest here, too.
    fn last_gap(&self, run: &HistoryRun, token: Option<Option<String>>) -> Vec<Ordered> {
        let window = &self.room.window;
        let mut order: Vec<Ordered> =
            window.items.iter().map(|stored| (Some(stored.position), stored.item.clone())).collect();
        let newest = window.items.iter().rev().find(|stored| !matches!(stored.item, Slot::Provisional(_)));
        let Before::Gap { after, .. } = &run.before else { return order };
        let follows = match (after, newest.map(|stored| &stored.item)) {
            (Some(after), Some(Slot::Anchor(id))) => id == after,
            (None, None) => !window.older,
            _ => false,
        };
        if let (true, false, Some(token)) = (follows, window.newer, token) {
            order.push((None, Slot::Gap(token)));
        }
        order
    }
}

/// The places that the other store gave to what is new.
fn wishes(order: &[Ordered], run: &HistoryRun, events: &[Event]) -> Vec<Option<Position>> {
    let places: SortedMap<&EventId, Position> =
        run.messages.iter().map(|message| (&message.id, message.position)).collect();
    let wish = |(was, slot): &Ordered| match (was, slot, &run.before) {
        (Some(_), _, _) => None,
        (None, Slot::New(index), _) => places.get(&events[*index].id).copied(),
        (None, Slot::Gap(_), Before::Gap { position, .. }) => Some(*position),
        _ => None,
    };
    order.iter().map(wish).collect()
}
