//! Rooms whose rows are lost while their messages are not.

use std::collections::HashMap;

use crate::{Codec, Key, RoomId};

/// The rooms of which a number and a key are known: an id that another row names is a room's if it has that key.
#[derive(Debug, Default)]
pub struct LostRooms {
    wanted: HashMap<Key, i64>,
    found: HashMap<i64, RoomId>,
}

impl LostRooms {
    /// Looks for the id of the room with this number.
    pub fn want(&mut self, key: Key, nr: i64) {
        self.wanted.insert(key, nr);
    }

    /// Returns the key of a room whose id is still looked for.
    pub fn key_of(&self, nr: i64) -> Option<Key> {
        self.wanted.iter().find(|(_, wanted)| **wanted == nr).map(|(key, _)| *key)
    }

    /// Tells whether ids are still looked for.
    pub fn is_open(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// Offers the id of a room that some row names.
    pub fn offer(&mut self, codec: &Codec, id: &RoomId) {
        if self.is_open()
            && let Some(nr) = self.wanted.remove(&codec.room_key(id))
        {
            self.found.insert(nr, id.clone());
        }
    }

    /// Returns the rooms found, with their numbers.
    pub fn found(self) -> HashMap<i64, RoomId> {
        self.found
    }
}
