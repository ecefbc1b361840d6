//! Where the ends of pages stood that were read before: a page that goes on from one needs no search for it.

use std::collections::HashMap;

use haos_store_api::{Codec, Key, Position, Revision, RoomId, Slice};

/// Pages whose ends are kept.
const MOST: usize = 256;

/// Places of events, as of one revision: no message moves without a commit.
#[derive(Debug, Default)]
pub(crate) struct Anchors {
    revision: Revision,
    places: HashMap<Key, Position>,
}

impl Anchors {
    pub(crate) fn revision(&self) -> Revision {
        self.revision
    }

    pub(crate) fn place(&self, event: &Key) -> Option<Position> {
        self.places.get(event).copied()
    }

    /// Notes the ends of a page.
    pub(crate) fn note(&mut self, codec: &Codec, room: &RoomId, slice: &Slice, revision: Revision) {
        if self.revision != revision || self.places.len() >= MOST {
            self.places.clear();
            self.revision = revision;
        }
        for message in slice.messages().next().into_iter().chain(slice.messages().next_back()) {
            self.places.insert(codec.event_key(room, &message.id), message.position);
        }
    }
}
