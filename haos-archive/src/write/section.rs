//! The parts of an archive on their own, so that one that changed meanwhile can be read again alone.

use std::collections::{BTreeMap, BTreeSet};

use haos_store_api::{Collection, MediaInfo, MediaKey, Room, RoomId, Scope, Touched};

/// The chunks of a part, and the numbers of its rows.
#[derive(Debug, Default)]
pub(super) struct Section {
    /// The numbers of their entries.
    pub(super) chunks: Vec<usize>,
    pub(super) counts: BTreeMap<Collection, u64>,
    pub(super) media_bytes: u64,
    pub(super) left_out: BTreeMap<Collection, u64>,
}

impl Section {
    pub(super) fn count(&mut self, of: Collection) {
        *self.counts.entry(of).or_default() += 1;
    }

    pub(super) fn leave_out(&mut self, of: Collection, rows: u64) {
        if rows > 0 {
            *self.left_out.entry(of).or_default() += rows;
        }
    }
}

/// Every part of a store.
#[derive(Debug, Default)]
pub(super) struct Sections {
    pub(super) rooms: Section,
    pub(super) room_ids: BTreeSet<RoomId>,
    pub(super) state: BTreeMap<Scope, Section>,
    pub(super) timelines: BTreeMap<RoomId, Section>,
    /// What the list of media left out.
    pub(super) media_index: Section,
    pub(super) media: BTreeMap<MediaKey, Section>,
    pub(super) pending: Section,
}

impl Sections {
    /// Returns the parts in the order of records.
    pub(super) fn in_order(&self) -> impl Iterator<Item = &Section> {
        let one = std::iter::once;
        one(&self.rooms)
            .chain(self.state.values())
            .chain(self.timelines.values())
            .chain(one(&self.media_index))
            .chain(self.media.values())
            .chain(one(&self.pending))
    }

    /// Forgets rooms that are gone.
    pub(super) fn keep_rooms(&mut self, rooms: BTreeSet<RoomId>) {
        self.timelines.retain(|room, _| rooms.contains(room));
        self.state.retain(|scope, _| match scope {
            Scope::Account => true,
            Scope::Room(room) => rooms.contains(room),
        });
        self.room_ids = rooms;
    }

    /// Forgets media that is gone.
    pub(super) fn keep_media(&mut self, infos: &[MediaInfo]) {
        let keys: BTreeSet<&MediaKey> = infos.iter().map(|info| &info.key).collect();
        self.media.retain(|key, _| keys.contains(key));
    }
}

/// What is to be read.
#[derive(Debug, Default)]
pub(super) struct Dirty {
    pub(super) everything: bool,
    pub(super) rooms: BTreeSet<RoomId>,
    pub(super) scopes: BTreeSet<Scope>,
    pub(super) media: BTreeSet<MediaKey>,
    pub(super) media_index: bool,
    pub(super) pending: bool,
}

impl Dirty {
    pub(super) fn everything() -> Self {
        Self { everything: true, ..Self::default() }
    }

    /// Notes an item that a commit touched.
    pub(super) fn note(&mut self, touched: &Touched) {
        match touched {
            Touched::Room(room) => {
                self.rooms.insert(room.clone());
                // A room that left and came again lost its state.
                self.scopes.insert(Scope::Room(room.clone()));
            }
            Touched::State(scope) => {
                self.scopes.insert(scope.clone());
                // A scope's first entry may make its room.
                self.rooms.extend(match scope {
                    Scope::Room(room) => Some(room.clone()),
                    Scope::Account => None,
                });
            }
            Touched::Media(key) => {
                self.media.insert(key.clone());
                self.media_index = true;
            }
            Touched::MediaEvicted => self.media_index = true,
            Touched::Pending(_) => self.pending = true,
            _ => self.everything = true,
        }
    }
}

/// The id of a room, for the cut of chunks.
pub(super) fn room_key(room: &Room) -> &[u8] {
    room.id.as_str().as_bytes()
}
