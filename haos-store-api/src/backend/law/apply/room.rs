//! Rooms, and the record of those that a batch met.

use super::touched::{Between, Touch};
use super::{Rows, Writer, missing_room};
use crate::*;

impl<R: Rows + ?Sized> Writer<'_, R> {
    pub(super) fn put_room(&mut self, incoming: &Room) -> Result<()> {
        let (stored, without_gaps) = match self.rooms.find(&incoming.id) {
            Some(touch) => (Some(touch.room.clone()), touch.without_gaps),
            None => (self.rows.room(&incoming.id)?, None),
        };
        let stored_revision = stored.as_ref().map(|room| room.revision);
        let mut room = Room { revision: stored_revision.unwrap_or_default(), ..incoming.clone() };
        if let Some(stored) = stored.filter(|stored| *stored == room) {
            let dirty = self.rooms.find(&stored.id).is_some_and(|touch| touch.dirty);
            self.rooms.insert(Touch { room: stored, dirty, without_gaps });
            return Ok(());
        }
        room.revision = self.next;
        self.rows.write_room(&room)?;
        self.rooms.insert(Touch { room, dirty: false, without_gaps });
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
            return Ok(self.rooms.insert(Touch { room, dirty: false, without_gaps: None }));
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

    /// Tells whether a gap stands at a position of the room. Messages come in runs, so what is beside the latest place
    /// is remembered.
    pub(super) fn is_gap(&mut self, id: &RoomId, at: Position) -> Result<bool> {
        if self.touch(id)?.without_gaps.is_some_and(|between| between.holds(at)) {
            return Ok(false);
        }
        let beside = self.rows.gaps_beside(id, at)?.map(|gap| gap.map(|gap| gap.position));
        self.touch(id)?.without_gaps = Some(Between(beside[0], beside[1]));
        Ok(beside[0] == Some(at))
    }

    /// Reads the gap at a position.
    pub(super) fn gap(&mut self, id: &RoomId, at: Position) -> Result<Option<Gap>> {
        let [gap, _] = self.rows.gaps_beside(id, at)?;
        Ok(gap.filter(|gap| gap.position == at))
    }
}
