//! Rooms, and the record of those that a batch met.

use super::touched::Touch;
use super::{Rows, Writer, missing_room};
use crate::*;

impl<R: Rows + ?Sized> Writer<'_, R> {
    pub(super) fn put_room(&mut self, incoming: &Room) -> Result<()> {
        let (stored, gaps) = match self.rooms.find(&incoming.id) {
            Some(touch) => (Some(touch.room.clone()), touch.gaps.take()),
            None => (self.rows.room(&incoming.id)?, None),
        };
        let stored_revision = stored.as_ref().map(|room| room.revision);
        let mut room = Room { revision: stored_revision.unwrap_or_default(), ..incoming.clone() };
        if let Some(stored) = stored.filter(|stored| *stored == room) {
            let dirty = self.rooms.find(&stored.id).is_some_and(|touch| touch.dirty);
            self.rooms.insert(Touch { room: stored, dirty, gaps });
            return Ok(());
        }
        room.revision = self.next;
        self.rows.write_room(&room)?;
        self.rooms.insert(Touch { room, dirty: false, gaps });
        self.done.changed = true;
        Ok(())
    }

    pub(super) fn remove_room(&mut self, id: &RoomId) -> Result<()> {
        if self.rooms.remove(id) || self.rows.room(id)?.is_some() {
            self.rows.delete_room(id)?;
            self.done.changed = true;
        }
        Ok(())
    }

    /// Notes the room of a timeline op.
    pub(super) fn touch(&mut self, id: &RoomId) -> Result<&mut Touch> {
        // Found twice, since the compiler holds a borrow that is returned on one path on all of them.
        if self.rooms.find(id).is_none() {
            let room = self.rows.room(id)?.ok_or_else(|| missing_room(id))?;
            return Ok(self.rooms.insert(Touch { room, dirty: false, gaps: None }));
        }
        self.rooms.find(id).ok_or_else(|| missing_room(id))
    }

    /// Notes a change of the room's timeline.
    pub(super) fn dirty(&mut self, id: &RoomId) -> Result<()> {
        let next = self.next;
        let touch = self.touch(id)?;
        touch.dirty |= touch.room.revision != next;
        self.done.changed = true;
        Ok(())
    }

    /// Returns the positions of the room's gaps, ascending, read once a batch.
    pub(super) fn gaps(&mut self, id: &RoomId) -> Result<&mut Vec<Position>> {
        let gaps = match self.touch(id)?.gaps.take() {
            Some(gaps) => gaps,
            None => self.rows.gaps(id)?.into_iter().map(|gap| gap.position).collect(),
        };
        Ok(self.touch(id)?.gaps.insert(gaps))
    }
}
