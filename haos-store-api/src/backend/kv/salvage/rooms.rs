//! Rooms, and those whose rows are lost.

use super::super::columns::Cut;
use super::super::keys;
use super::super::reader::Reader;
use super::super::tree::{Pair, Tree};
use super::Carry;
use super::sweep::{Found, sweep};
use crate::law::RoomRows;
use crate::native::LostRooms;
use crate::*;

impl<F: Tree, T: Tree> Carry<'_, F, T> {
    /// Carries rooms over, and makes rows for those that other rows name.
    pub(super) fn rooms(&mut self) -> Result<()> {
        let from = self.from;
        sweep(from, keys::ROOM, &mut |pair| {
            let Found::Pair((key, row)) = pair else { return Ok(()) };
            let read = keys::parse_last(&key).and_then(|key| from.read_room(&key, &row).ok());
            let Some((nr, room)) = read else { return self.lose(Collection::Rooms) };
            self.found.see(room.revision);
            self.rows(Revision::ZERO).write_room(&room)?;
            self.rooms.insert(nr, room.id);
            self.step(Collection::Rooms, row.len())
        })?;
        let mut lost = LostRooms::default();
        sweep(from, keys::NUMBER, &mut |pair| {
            if let Found::Pair((key, row)) = pair
                && let Some(Ok(nr)) = key.get(1..).map(|key| Cut(key).nr())
                && let Ok(key) = Cut(&row).key()
                && !self.rooms.contains_key(&nr)
            {
                lost.want(key, i64::from(nr));
            }
            Ok(())
        })?;
        if !lost.is_open() {
            return Ok(());
        }
        sweep(from, keys::GAP, &mut |pair| {
            if let Found::Pair((key, row)) = pair
                && let Some((nr, at)) = keys::parse_place(&key)
                && let Some(room) = lost.key_of(nr.into())
                && let Ok(revision) = Cut(&row).revision()
                && let Ok(gap) = from.codec.gap_in(&room, at, revision, row.get(8..).unwrap_or_default())
            {
                // The room's key opens a gap, which names its room.
                lost.offer(self.codec, &gap.room);
            }
            Ok(())
        })?;
        for tag in [keys::STATE, keys::PENDING, keys::MEDIA, keys::ROOM] {
            sweep(from, tag, &mut |pair| {
                if let Found::Pair(pair) = pair {
                    names(from, tag, &pair).iter().for_each(|id| lost.offer(self.codec, id));
                }
                Ok(())
            })?;
        }
        for (nr, id) in lost.found() {
            self.bare_room(&id)?;
            self.rooms.extend(u32::try_from(nr).ok().map(|nr| (nr, id)));
        }
        Ok(())
    }

    /// Makes a row of which the id alone is known; the next sync completes it.
    pub(super) fn bare_room(&mut self, id: &RoomId) -> Result<()> {
        tracing::warn!(room = %id, "the row of a room is lost: it is made of its id");
        let room = Room { revision: self.found.revision, ..Room::new(id.clone(), Membership::Join) };
        self.found.lost(Collection::Rooms);
        self.rows(Revision::ZERO).write_room(&room)
    }
}

/// Lists the rooms that a row names.
fn names<F: Tree>(from: Reader<'_, F>, tag: u8, (key, row): &Pair<F::Bytes>) -> Vec<RoomId> {
    match tag {
        keys::STATE => match from.read_state(key, row).map(|entry| entry.scope) {
            Ok(Scope::Room(id)) => vec![id],
            _ => Vec::new(),
        },
        keys::PENDING => {
            let read = from.read_seq(key).and_then(|seq| from.read_pending(seq, row));
            read.map_or_else(|_| Vec::new(), |row| vec![row.room])
        }
        keys::MEDIA => from.read_media(key, row).map_or_else(|_| Vec::new(), |(_, info)| info.rooms),
        _ => {
            let read = keys::parse_last(key).and_then(|key| from.read_room(&key, row).ok());
            read.map_or_else(Vec::new, |(_, room)| room.spaces)
        }
    }
}
