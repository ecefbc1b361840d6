use std::collections::HashMap;

use crate::{Position, Room, RoomId};

/// The rooms that the batch met. Messages come in runs of one room, so the latest is looked at first.
#[derive(Default)]
pub(super) struct Touched {
    pub(super) touches: Vec<Touch>,
    index: HashMap<RoomId, usize>,
    latest: usize,
}

impl Touched {
    pub(super) fn find(&mut self, id: &RoomId) -> Option<&mut Touch> {
        if self.touches.get(self.latest).is_none_or(|touch| touch.room.id != *id) {
            self.latest = *self.index.get(id)?;
        }
        self.touches.get_mut(self.latest)
    }

    pub(super) fn insert(&mut self, touch: Touch) -> &mut Touch {
        self.latest = *self.index.entry(touch.room.id.clone()).or_insert(self.touches.len());
        match self.latest < self.touches.len() {
            true => self.touches[self.latest] = touch,
            false => self.touches.push(touch),
        }
        &mut self.touches[self.latest]
    }

    pub(super) fn remove(&mut self, id: &RoomId) -> bool {
        let Some(at) = self.index.remove(id) else { return false };
        self.touches.swap_remove(at);
        if let Some(moved) = self.touches.get(at) {
            self.index.insert(moved.room.id.clone(), at);
        }
        true
    }
}

/// A room that the batch met.
pub(super) struct Touch {
    pub(super) room: Room,
    /// Its timeline changed and its row does not say so yet.
    pub(super) dirty: bool,
    /// Ascending.
    pub(super) gaps: Option<Vec<Position>>,
}
