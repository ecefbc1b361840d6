//! The room row after a response.

use haos_store_api::{Membership, RelationKind, Room, Unread};

use super::derive::patched;
use super::gather::{RoomView, SyncView};
use crate::{Event, RoomDelta, RoomPatch, SyncDelta};

/// A clock before this, the beginning of 2020, was never set: it says nothing of when something came.
const UNSET_BEFORE_MS: i64 = 1_577_836_800_000;

/// The row of a room after the response. A change of the membership ends what was unread; of where the user is
/// not, nothing is.
pub(super) fn row_after(delta: &SyncDelta, room: &RoomDelta, view: &SyncView, patch: RoomPatch) -> Room {
    let stored = view.rooms.get(&room.id);
    let begins = stored.is_none_or(|stored| stored.room.membership != room.membership);
    let row =
        stored.map_or_else(|| Room::new(room.id.clone(), room.membership), |stored| stored.room.clone());
    let mut row = patched(row, patch);
    row.membership = room.membership;
    row.unread = match room.membership {
        Membership::Leave | Membership::Ban => Unread::default(),
        _ if begins => room.unread.unwrap_or_default(),
        _ => room.unread.unwrap_or(row.unread),
    };
    // A room on top because a clock was wrong comes down with the next change.
    let now_ms = delta.arrived_ms.filter(|now| *now >= UNSET_BEFORE_MS).unwrap_or(i64::MAX);
    let began_ms = begins.then(|| began_ms(delta, room, view)).flatten();
    let said_ms = latest(room, stored, |event| event.state_key.is_none() && says_something(event));
    let known = [Some(row.last_activity_ms), began_ms, said_ms];
    row.last_activity_ms = known.into_iter().flatten().map(|time| time.min(now_ms)).max().unwrap_or_default();
    // A room without messages is sorted by when something last happened in it.
    if row.last_activity_ms <= 0 {
        row.last_activity_ms = latest(room, stored, |_| true).unwrap_or_default().clamp(0, now_ms);
    }
    row
}

/// When the membership began, where that is news to the user: asked in, or joined after the first sync, whose
/// member events may be of yesterday's change of a name.
fn began_ms(delta: &SyncDelta, room: &RoomDelta, view: &SyncView) -> Option<i64> {
    match room.membership {
        Membership::Invite | Membership::Knock => room.since_ms.or(delta.arrived_ms),
        Membership::Join => {
            let is_first = delta.initial || view.token.is_none();
            room.since_ms.filter(|_| !is_first || view.rooms.contains_key(&room.id))
        }
        _ => None,
    }
}

/// The latest time of the events that are new and count.
fn latest(room: &RoomDelta, stored: Option<&RoomView>, counts: impl Fn(&Event) -> bool) -> Option<i64> {
    let is_new = |event: &&Event| {
        let held = stored.and_then(|stored| stored.messages.get(&event.id));
        held.is_none_or(|message| message.provisional)
    };
    room.timeline.iter().filter(is_new).filter(|event| counts(event)).map(|event| event.timestamp_ms).max()
}

/// Edits, reactions and redactions change what was said before.
fn says_something(event: &Event) -> bool {
    use RelationKind::{Edit, Ignored, Reaction, Redaction};
    let kind = event.relation.as_ref().map(|relation| &relation.kind);
    !matches!(kind, Some(Edit | Reaction | Redaction | Ignored))
}
