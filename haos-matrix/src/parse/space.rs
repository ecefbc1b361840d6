use haos_queue::SpaceLink;
use haos_store_api::{RoomId, StateKey};

use super::members::Members;

/// What a state event says about spaces: `m.space.child` in the space, `m.space.parent` in the room.
/// Without a server in `via` the room is not there (specification, "Spaces").
///
/// The parent's word is the room's claim alone; in a response the space's own word comes after it.
pub(crate) fn link(
    room: &RoomId,
    kind: &str,
    key: &StateKey,
    content: Option<&Members<'_>>,
) -> Option<SpaceLink> {
    let other = RoomId::new(key).ok()?;
    let (space, child) = match kind {
        "m.space.child" => (room.clone(), other),
        "m.space.parent" => (other, room.clone()),
        _ => return None,
    };
    let via = content.and_then(|content| content.list("via"));
    Some(SpaceLink { space, child, present: via.is_some_and(|servers| !servers.is_empty()) })
}
