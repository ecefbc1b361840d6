use haos_queue::RoomPatch;
use haos_store_api::{EventType, Unread};

use super::members::Members;

/// What a room row shows, gathered from state events; the last one of a type counts.
#[derive(Default)]
pub(crate) struct PatchReader {
    patch: RoomPatch,
    alias: Option<String>,
    complete: bool,
}

impl PatchReader {
    /// Reads a state event.
    pub(crate) fn state(&mut self, kind: &str, content: Option<&Members<'_>>) {
        let text = |name| {
            let text = content.and_then(|content| content.text(name)).filter(|text| !text.is_empty());
            text.map(std::borrow::Cow::into_owned)
        };
        match kind {
            "m.room.name" => self.patch.name = Some(text("name")),
            "m.room.topic" => self.patch.topic = Some(text("topic")),
            "m.room.avatar" => self.patch.avatar = Some(text("url")),
            "m.room.canonical_alias" => self.alias = text("alias"),
            "m.room.create" => {
                self.complete = true;
                self.patch.kind = Some(text("type").and_then(|kind| EventType::new(kind).ok()));
            }
            _ => {}
        }
    }

    /// Takes the unread counts.
    pub(crate) fn unread(&mut self, unread: Unread) {
        self.patch.unread = Some(unread);
    }

    /// The patch. The canonical alias names a room without a name, as the specification has it
    /// ("Calculating the display name for a room"). Whether there is a name is known only if all state
    /// is at hand: with the room's creation, or where the event that empties the name comes.
    pub(crate) fn finish(mut self) -> RoomPatch {
        match &self.patch.name {
            Some(None) => self.patch.name = Some(self.alias),
            None if self.complete && self.alias.is_some() => self.patch.name = Some(self.alias),
            _ => {}
        }
        self.patch
    }
}
