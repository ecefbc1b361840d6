use crate::law::{RoomPager, RoomRows};
use crate::*;

use super::super::columns::{Columns, Cut};
use super::super::keys;
use super::super::reader::{Order, Reader};
use super::super::rows::Transaction;
use super::super::tree::Tree;

/// Number, activity and revision stand before the payload.
const COLUMNS: usize = 4 + 8 + 8;

impl<T: Tree> Reader<'_, T> {
    /// Reads a room and its number.
    pub(crate) fn numbered_room(self, id: &RoomId) -> Result<Option<(u32, Room)>> {
        match self.room_by_key(&self.codec.room_key(id))? {
            Some((_, room)) if room.id != *id => Err(self.corrupt("a room stands under another's key")),
            found => Ok(found),
        }
    }

    pub(crate) fn room_nr(self, id: &RoomId) -> Result<Option<u32>> {
        Ok(self.room_ref(id)?.map(|(nr, _)| nr))
    }

    /// Reads a room's number, and pairs the room with its key, for reading its rows.
    pub(crate) fn room_ref<'r>(self, id: &'r RoomId) -> Result<Option<(u32, RoomRef<'r>)>> {
        let room = self.codec.room_ref(id);
        let row = self.get(&keys::room(&room.key))?;
        row.map(|row| Ok((Cut(&row).nr()?, room))).transpose()
    }

    /// Reads the key of the room with a number.
    pub(crate) fn number(self, nr: u32) -> Result<Option<Key>> {
        self.get(&keys::number(nr))?.map(|key| Cut(&key).key()).transpose()
    }

    /// Reads the room with a number.
    pub(crate) fn room_at(self, nr: u32) -> Result<Option<(Key, Room)>> {
        let Some(key) = self.number(nr)? else { return Ok(None) };
        Ok(self.room_by_key(&key)?.map(|(_, room)| (key, room)))
    }

    fn room_by_key(self, key: &Key) -> Result<Option<(u32, Room)>> {
        self.get(&keys::room(key))?.map(|row| self.read_room(key, &row)).transpose()
    }

    pub(crate) fn read_room(self, key: &Key, row: &[u8]) -> Result<(u32, Room)> {
        let mut cut = Cut(row);
        let (nr, activity, revision) = (cut.nr()?, cut.int()?, cut.revision()?);
        Ok((nr, self.codec.room(key, activity, revision, cut.0)?))
    }

    pub(crate) fn rooms_by_activity(self, query: RoomQuery) -> Result<Vec<Room>> {
        let mut pager = RoomPager::new(query);
        let (_, to) = keys::whole(keys::ACTIVITY);
        for pair in self.scan((keys::activity_from(pager.newest_ms()), to), Order::Up) {
            let Some(room) = self.codec.keep(self.indexed_room(&pair?.0))? else { continue };
            if !pager.push(room) {
                break;
            }
        }
        Ok(pager.finish())
    }

    /// Reads the room that an entry of the order of activity names.
    fn indexed_room(self, entry: &[u8]) -> Result<Room> {
        let key = keys::parse_last(entry).ok_or_else(|| self.corrupt("an index of rooms is damaged"))?;
        match self.room_by_key(&key)? {
            Some((_, room)) if keys::activity(room.last_activity_ms, &key) == entry => Ok(room),
            Some(_) => Err(self.corrupt("an index of rooms names another activity")),
            None => Err(self.corrupt("an index of rooms names one that is not")),
        }
    }
}

impl<T: Tree> Transaction<'_, T> {
    pub(crate) fn put_room(&mut self, room: &Room) -> Result<u32> {
        let row = self.codec.room_row(room)?;
        let payload = row.payload.as_bytes();
        let key = keys::room(&row.key);
        let nr = match self.reader().get(&key)? {
            Some(old) => {
                let mut cut = Cut(&old);
                let (nr, activity) = (cut.nr()?, cut.int()?);
                if activity != room.last_activity_ms {
                    self.remove(keys::activity(activity, &row.key));
                }
                self.shrink(Collection::Rooms, old.len().saturating_sub(COLUMNS));
                nr
            }
            None => {
                let nr = self.next_room()?;
                self.set(keys::number(nr), Columns::default().key(&row.key).end(&[]));
                nr
            }
        };
        let columns = Columns::default().nr(nr).int(room.last_activity_ms).count(room.revision.0);
        self.set(keys::activity(room.last_activity_ms, &row.key), Vec::new());
        self.set(key, columns.end(payload));
        self.grow(Collection::Rooms, payload.len());
        Ok(nr)
    }

    fn next_room(&mut self) -> Result<u32> {
        let next = self.layer.head.last_room + 1;
        let nr = u32::try_from(next).map_err(|_| {
            Error::new(
                ErrorKind::Unsupported,
                "apply",
                "the store has numbered four billion rooms and holds no more: start a new one",
            )
        })?;
        self.layer.head.last_room = next;
        Ok(nr)
    }

    /// Removes the row, the room's timeline and its state.
    pub(crate) fn drop_room(&mut self, id: &RoomId) -> Result<()> {
        let Some((nr, room)) = self.reader().numbered_room(id)? else { return Ok(()) };
        self.drop_span(nr, Position::MIN, Position::MAX)?;
        self.drop_states(&Scope::Room(id.clone()))?;
        let key = self.codec.room_key(id);
        let row = self.reader().get(&keys::room(&key))?;
        self.shrink(Collection::Rooms, row.map_or(0, |row| row.len().saturating_sub(COLUMNS)));
        self.remove(keys::activity(room.last_activity_ms, &key));
        self.remove(keys::number(nr));
        self.remove(keys::room(&key));
        Ok(())
    }
}

impl<T: Tree> RoomRows for Transaction<'_, T> {
    fn room(&mut self, id: &RoomId) -> Result<Option<Room>> {
        // A damaged row counts as absent: the sync that brings the room writes it again.
        Ok(self.codec.keep(self.reader().numbered_room(id))?.flatten().map(|(_, room)| room))
    }

    fn write_room(&mut self, room: &Room) -> Result<()> {
        let nr = self.put_room(room)?;
        self.latest = Some((room.id.clone(), nr));
        Ok(())
    }

    fn delete_room(&mut self, id: &RoomId) -> Result<()> {
        self.latest = None;
        self.drop_room(id)
    }
}
