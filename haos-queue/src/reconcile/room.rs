//! The part of a batch that works a segment into a room's timeline.

use std::collections::{HashMap, HashSet};

use haos_store_api::law::resolve_message;
use haos_store_api::{EventId, Gap, Message, Position, Redact, Revision, RoomId, WriteBatch};

use super::gather::{RoomView, redacts};
use super::splice::{Older, Segment, splice};
use super::timeline::{Slot, Window};
use super::{PlanError, place};
use crate::{Event, Rules};

/// Adds the timeline operations of a segment to the batch.
pub(super) fn segment_ops(
    batch: &mut WriteBatch,
    room: &RoomId,
    view: Option<&RoomView>,
    events: &[Event],
    (older, gap): (Older, Option<Position>),
    rules: &dyn Rules,
) -> Result<(), PlanError> {
    let nothing = Window::default();
    let window = view.map_or(&nothing, |view| &view.window);
    let mut seen = HashSet::new();
    let events: Vec<&Event> = events.iter().filter(|event| seen.insert(&event.id)).collect();
    // An answer without events about a room without gaps to fill says nothing about the timeline.
    if events.is_empty() && gap.is_none() && !matches!(older, Older::Token(_)) {
        return Ok(());
    }
    let segment = Segment { events: events.iter().map(|event| &event.id).collect(), older, gap };
    let order = splice(window, &segment);
    let positions = place(&order, window)?;

    let stays: HashSet<Position> = order.iter().filter_map(|(was, _)| *was).collect();
    for stored in window.items.iter().filter(|stored| !stays.contains(&stored.position)) {
        match &stored.item {
            Slot::Gap(_) => drop(batch.remove_gap(room.clone(), stored.position)),
            Slot::Provisional(id) | Slot::Anchor(id) => drop(batch.remove_message(room.clone(), id.clone())),
            Slot::New(_) => {}
        }
    }
    let moves: Vec<_> = order
        .iter()
        .zip(&positions)
        .filter_map(|((was, _), now)| Some(((*was)?, *now)))
        .filter(|(was, now)| was != now)
        .collect();
    if !moves.is_empty() {
        batch.renumber(room.clone(), moves);
    }
    let mut redacted: HashMap<&EventId, &EventId> = HashMap::new();
    for event in &events {
        if let Some(target) = redacts(event) {
            redacted.entry(target).or_insert(&event.id);
        }
    }
    let tokens: HashMap<Position, &Slot> =
        window.items.iter().map(|stored| (stored.position, &stored.item)).collect();
    for ((was, slot), now) in order.iter().zip(&positions) {
        match slot {
            Slot::Gap(token) if was.and_then(|was| tokens.get(&was).copied()) != Some(slot) => {
                let (room, token) = (room.clone(), token.clone());
                batch.put_gap(Gap { room, position: *now, token, revision: Revision::ZERO });
            }
            Slot::New(index) => {
                let event = events[*index].clone();
                batch.put_message(new_message(room, view, event, *now, &redacted, rules)?);
            }
            _ => {}
        }
    }
    if let Some(view) = view {
        learned_ops(batch, view, &events);
        redaction_ops(batch, room, view, &events, rules);
    }
    Ok(())
}

/// A new event at its place: emptied if its redaction is known, merged with what a send's answer left.
fn new_message(
    room: &RoomId,
    view: Option<&RoomView>,
    event: Event,
    position: Position,
    redacted: &HashMap<&EventId, &EventId>,
    rules: &dyn Rules,
) -> Result<Message, PlanError> {
    let mut message = event.into_message(room.clone(), position);
    let here = redacted.get(&message.id).copied();
    let before = || view.and_then(|view| view.redactions.get(&message.id));
    if message.redacted_by.is_none()
        && let Some(by) = here.or_else(before).cloned()
    {
        let content = rules.redacted(&message.kind, &message.content);
        let target = message.id.clone();
        let request = Redact { room: room.clone(), target, by, content };
        message = haos_store_api::law::redact(&message, &request);
    }
    match view.and_then(|view| view.messages.get(&message.id)) {
        Some(stored) => resolve_message(stored, &message).map_err(|e| PlanError::Invalid(e.to_string())),
        None => Ok(message),
    }
}

/// What a known event's new copy adds: its transaction id, its redaction.
fn learned_ops(batch: &mut WriteBatch, view: &RoomView, events: &[&Event]) {
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
    }
}

/// Empties stored messages that the segment's redactions are about.
fn redaction_ops(
    batch: &mut WriteBatch,
    room: &RoomId,
    view: &RoomView,
    events: &[&Event],
    rules: &dyn Rules,
) {
    for (event, target) in events.iter().filter_map(|event| Some((event, redacts(event)?))) {
        if let Some(stored) = view.messages.get(target).filter(|stored| stored.redacted_by.is_none()) {
            let content = rules.redacted(&stored.kind, &stored.content);
            let (target, by) = (target.clone(), event.id.clone());
            batch.redact(Redact { room: room.clone(), target, by, content });
        }
    }
}
