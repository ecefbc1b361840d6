//! The facts about an answer that it does not tell itself.

use std::collections::HashSet;

use haos_queue::{RoomDelta, SyncDelta};
use haos_store_api::{Json, Membership, Room, Scope, StateEntry};

use crate::parse::{known_key, known_kind};

pub(super) use haos_store_api::state_kind::MEMBERS;

/// The note that members of a room may be missing, or that they are complete as of a token.
pub(super) fn note(scope: Scope, value: Json) -> StateEntry {
    StateEntry { scope, kind: known_kind(MEMBERS), key: known_key(""), event_id: None, value }
}

/// Adds to an answer, in the same commit,
///
/// - that members may have changed unseen, where events were left out (lazy loading leaves their members out,
///   too), the token was lost, or the user is not in the room;
/// - `fresh`, a sync without a token: that the user left the rooms that it does not list. It lists all rooms
///   that the user is in or invited to, so whatever else is stored as such was left while the token was lost.
///   Their messages stay. A ban reads as a leave here: nothing tells them apart;
/// - that older events were left out of its rooms, unless they begin with the room: servers say nothing of what
///   only others have of a room (Synapse: `limited: false`), and bring it when they are asked.
pub(super) fn amend(delta: &mut SyncDelta, fresh: Option<&[Room]>) {
    if let Some(stored) = fresh {
        let listed: HashSet<_> = delta.rooms.iter().map(|room| room.id.clone()).collect();
        let takes_part = |room: &&Room| {
            matches!(room.membership, Membership::Join | Membership::Invite | Membership::Knock)
        };
        let left = stored.iter().filter(takes_part).filter(|room| !listed.contains(&room.id));
        delta.rooms.extend(left.map(|room| RoomDelta::new(room.id.clone(), Membership::Leave)));
    }
    for room in &mut delta.rooms {
        if fresh.is_some() && !room.limited && room.prev.is_some() {
            let oldest = room.timeline.first();
            room.limited = oldest.is_some_and(|event| event.kind.as_str() != "m.room.create");
        }
        if fresh.is_some() || room.limited || room.membership != Membership::Join {
            room.state.push(note(Scope::Room(room.id.clone()), Json::empty()));
        }
    }
}

#[cfg(test)]
mod tests {
    use haos_store_api::RoomId;

    use super::*;

    #[test]
    fn what_a_fresh_sync_does_not_list_was_left() {
        let id = |name: &str| RoomId::new(name).unwrap();
        let stored = [
            Room::new(id("!in"), Membership::Join),
            Room::new(id("!gone"), Membership::Join),
            Room::new(id("!banned"), Membership::Ban),
            Room::new(id("!invite"), Membership::Invite),
        ];
        let mut delta =
            SyncDelta { rooms: vec![RoomDelta::new(id("!in"), Membership::Join)], ..SyncDelta::default() };
        amend(&mut delta, Some(&stored));
        let rooms: Vec<_> = delta.rooms.iter().map(|room| (room.id.as_str(), room.membership)).collect();
        let left = Membership::Leave;
        assert_eq!(rooms, [("!in", Membership::Join), ("!gone", left), ("!invite", left)]);
        assert!(delta.rooms.iter().all(|room| room.state.len() == 1));
    }

    #[test]
    fn a_hole_may_hide_members() {
        let mut delta = SyncDelta::default();
        let mut room = RoomDelta::new(RoomId::new("!r").unwrap(), Membership::Join);
        delta.rooms.push(room.clone());
        amend(&mut delta, None);
        assert_eq!(delta.rooms[0], room, "nothing was left out");
        room.limited = true;
        delta.rooms = vec![room];
        amend(&mut delta, None);
        assert_eq!(delta.rooms[0].state[0].kind.as_str(), MEMBERS);
    }
}
