//! The part of a batch that works a segment into a room's timeline.

use haos_store_api::backend::law::resolve_message;
use haos_store_api::backend::{SortedMap, SortedSet};
use haos_store_api::{EventId, Gap, Message, Position, Redact, Revision, RoomId, WriteBatch};

use super::PlanError;
use super::emptied::repeated;
use super::gather::RoomView;
use super::place::place;
use super::redactions::{Redactions, redacts};
use super::splice::{Older, Ordered, Segment, splice};
use super::timeline::{Slot, Window};
use crate::{Event, Protocol};

/// Adds the timeline operations of a segment to the batch.
pub(super) fn segment_ops(
    batch: &mut WriteBatch,
    room: &RoomId,
    view: Option<&RoomView>,
    events: &[Event],
    (older, gap): (Older, Option<Position>),
    protocol: &dyn Protocol,
) -> Result<(), PlanError> {
    let nothing = Window::default();
    let window = view.map_or(&nothing, |view| &view.window);
    let mut seen = SortedSet::new();
    let distinct: Vec<&Event> = events.iter().filter(|event| seen.insert(&event.id)).collect();
    let segment = Segment { events: distinct.iter().map(|event| &event.id).collect(), older, gap };
    let order = splice(window, &segment);
    let positions = place(&order, window)?;
    let emptier = Emptier { room, view, redactions: Redactions::of(events, view), protocol };
    order_ops(
        batch,
        window,
        (&order, &positions),
        |index, position| emptier.new_message(distinct[index].clone(), position),
        room,
    )?;
    if let Some(view) = view {
        learned_ops(batch, view, &distinct);
        emptier.stored_ops(batch, view, &distinct);
    }
    Ok(())
}

/// Adds what leads from a window to a new order at these positions. `message`: a new one, by its index in the segment.
pub(super) fn order_ops(
    batch: &mut WriteBatch,
    window: &Window,
    (order, positions): (&[Ordered], &[Position]),
    message: impl Fn(usize, Position) -> Result<Message, PlanError>,
    room: &RoomId,
) -> Result<(), PlanError> {
    let stays: SortedSet<Position> = order.iter().filter_map(|(was, _)| *was).collect();
    for stored in window.items.iter().filter(|stored| !stays.contains(&stored.position)) {
        match &stored.item {
            Slot::Gap(_) => drop(batch.remove_gap(room.clone(), stored.position)),
            Slot::Provisional(id) | Slot::Anchor(id) => drop(batch.remove_message(room.clone(), id.clone())),
            Slot::New(_) => {}
        }
    }
    let moves: Vec<_> = order
        .iter()
        .zip(positions)
        .filter_map(|((was, _), now)| Some(((*was)?, *now)))
        .filter(|(was, now)| was != now)
        .collect();
    if !moves.is_empty() {
        batch.renumber(room.clone(), moves);
    }
    let tokens: SortedMap<Position, &Slot> =
        window.items.iter().map(|stored| (stored.position, &stored.item)).collect();
    for ((was, slot), now) in order.iter().zip(positions) {
        match slot {
            Slot::Gap(token) if was.and_then(|was| tokens.get(&was).copied()) != Some(slot) => {
                let (room, token) = (room.clone(), token.clone());
                batch.put_gap(Gap { room, position: *now, token, revision: Revision::ZERO });
            }
            Slot::New(index) => drop(batch.put_message(message(*index, *now)?)),
            _ => {}
        }
    }
    Ok(())
}

/// Empties what a segment's redactions are about, and what repeats it.
pub(super) struct Emptier<'a> {
    pub(super) room: &'a RoomId,
    pub(super) view: Option<&'a RoomView>,
    pub(super) redactions: Redactions<'a>,
    pub(super) protocol: &'a dyn Protocol,
}

impl Emptier<'_> {
    /// A new event at its place: emptied if its redaction is known, without the content of another one if that
    /// is emptied, merged with what a send's answer left.
    pub(super) fn new_message(&self, event: Event, position: Position) -> Result<Message, PlanError> {
        let is_copy = repeated(&event, self.protocol).is_some_and(|original| self.is_emptied(original));
        let mut message = event.into_message(self.room.clone(), position);
        if is_copy {
            message = self.without_copy(message);
        }
        if message.redacted_by.is_none()
            && let Some(by) = self.redactions.of_event(&message.id)
        {
            message = haos_store_api::backend::law::redact(&message, &self.request(&message, by));
        }
        match self.view.and_then(|view| view.messages.get(&message.id)) {
            Some(stored) => resolve_message(stored, &message).map_err(|e| PlanError::Invalid(e.to_string())),
            None => Ok(message),
        }
    }

    /// Tells if an event's content is known to be gone, also if the event itself is not stored.
    fn is_emptied(&self, event: &EventId) -> bool {
        let stored = |view: &RoomView| {
            view.redactions.contains_key(event)
                || view.messages.get(event).is_some_and(|stored| stored.redacted_by.is_some())
        };
        self.redactions.of_event(event).is_some() || self.view.is_some_and(stored)
    }

    fn without_copy(&self, mut message: Message) -> Message {
        message.extra = message.extra.and_then(|extra| self.protocol.without_repeated(&extra));
        message
    }

    fn request(&self, message: &Message, by: &EventId) -> Redact {
        let content = self.protocol.redacted(&message.kind, &message.content);
        Redact { room: self.room.clone(), target: message.id.clone(), by: by.clone(), content }
    }

    /// Empties stored messages, and takes their content out of those that repeat it.
    pub(super) fn stored_ops(&self, batch: &mut WriteBatch, view: &RoomView, events: &[&Event]) {
        for (event, target) in events.iter().filter_map(|event| Some((event, redacts(event)?))) {
            let stored = view.messages.get(target).filter(|stored| stored.redacted_by.is_none());
            if let Some(stored) = stored.filter(|_| self.redactions.of_event(target) == Some(&event.id)) {
                batch.redact(self.request(stored, &event.id));
            }
        }
        for copy in &view.copies {
            batch.put_message(self.without_copy(copy.clone()));
        }
    }
}

/// Stores the news of a known event's copy: its transaction id, its redaction. Gives the number of those with news.
pub(super) fn learned_ops(batch: &mut WriteBatch, view: &RoomView, events: &[&Event]) -> u64 {
    let mut learned = 0;
    for event in events {
        let Some(stored) = view.messages.get(&event.id).filter(|stored| !stored.provisional) else {
            continue;
        };
        let learns_txn = stored.txn_id.is_none() && event.txn_id.is_some();
        let learns_redaction = stored.redacted_by.is_none() && event.redacted_by.is_some();
        if learns_redaction {
            batch.put_message((*event).clone().into_message(stored.room.clone(), stored.position));
        } else if learns_txn {
            batch.put_message(Message { txn_id: event.txn_id.clone(), ..stored.clone() });
        }
        learned += u64::from(learns_redaction || learns_txn);
    }
    learned
}
