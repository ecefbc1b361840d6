//! The part of a room's state that its row shows.

use haos_queue::{NotRead, RoomPatch, RoomState};
use haos_store_api::{EventType, Json};

use crate::display_name::display_name;

/// State by which a room without a name and an alias is named.
const NAMING: [&str; 4] = ["m.room.name", "m.room.canonical_alias", "m.room.member", "haos.summary"];

pub(crate) fn is_shown(kind: &str) -> bool {
    NAMING.contains(&kind) || matches!(kind, "m.room.topic" | "m.room.avatar" | "m.room.create")
}

pub(crate) fn shown(state: &RoomState<'_>) -> Result<RoomPatch, NotRead> {
    let mut patch = RoomPatch::default();
    if NAMING.iter().any(|kind| state.changes(kind)) {
        patch.name = Some(display_name(state)?);
    }
    if state.changes("m.room.topic") {
        patch.topic = Some(text(state, "m.room.topic", "topic")?);
    }
    if state.changes("m.room.avatar") {
        patch.avatar = Some(text(state, "m.room.avatar", "url")?);
    }
    if state.changes("m.room.create") {
        let kind = text(state, "m.room.create", "type")?;
        patch.kind = Some(kind.and_then(|kind| EventType::new(kind).ok()));
    }
    Ok(patch)
}

/// A text of the content of the event under a kind and the empty key; a blank one counts as absent.
pub(crate) fn text(state: &RoomState<'_>, kind: &str, name: &str) -> Result<Option<String>, NotRead> {
    Ok(state.entry(kind, "")?.and_then(|event| content_text(event, name)))
}

/// A text of an event's content; a blank one counts as absent.
pub(crate) fn content_text(event: &Json, name: &str) -> Option<String> {
    event.member("content")?.text(name).filter(|text| !text.trim().is_empty())
}
