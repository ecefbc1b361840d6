use haos_queue::{SpaceLink, StateAt};
use haos_store_api::{EventType, Json, RoomId, Scope, StateEntry, StateKey};

use crate::parse::known_kind;
use crate::parse::members::Members;

const CHILD: &str = "m.space.child";
const PARENT: &str = "m.space.parent";

/// Reads the place that a state event is about: `m.space.child` in the space, `m.space.parent` in the room. The
/// parent's word is the room's claim alone: the space's own has precedence, if there is one.
pub(crate) fn space_link(entry: &StateEntry) -> Option<SpaceLink> {
    let Scope::Room(room) = &entry.scope else { return None };
    let other = || RoomId::new(&entry.key).ok();
    let (space, child) = match entry.kind.as_str() {
        CHILD => (room.clone(), other()?),
        PARENT => (other()?, room.clone()),
        _ => return None,
    };
    let word = |room: &RoomId, kind: EventType, about: &RoomId| {
        Some(StateAt { room: room.clone(), kind, key: StateKey::new(about).ok()? })
    };
    let words = vec![word(&space, known_kind(CHILD), &child)?, word(&child, known_kind(PARENT), &space)?];
    Some(SpaceLink { space, child, words })
}

/// Without a server in `via` the room is not there (specification, "Spaces").
pub(crate) fn is_linked(event: &Json) -> bool {
    let content = event.member("content");
    let via = content.as_ref().and_then(|content| Members::of_text(content.as_str())?.list("via"));
    via.is_some_and(|servers| !servers.is_empty())
}
