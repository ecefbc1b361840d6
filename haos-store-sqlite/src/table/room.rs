use haos_store_api::backend::law::{RoomPager, RoomRows, TimelineRows};
use haos_store_api::backend::*;
use haos_store_api::*;
use rusqlite::Row;

use crate::db::{Db, NEXT, STOP, signed};
use crate::rows::SqlRows;
use crate::slot;

impl Db<'_> {
    /// Reads a room and its number.
    pub(crate) fn room(self, id: &RoomId) -> Result<Option<(i64, Room)>> {
        let sql = "SELECT nr, key, last_activity_ms, revision, payload FROM room WHERE key = ?1";
        let found = self.first(sql, [self.codec.room_key(id).as_bytes()], |row| self.read_room(row))?;
        match found {
            Some((_, room)) if room.id != *id => Err(self.corrupt("a room stands under another's key")),
            found => Ok(found),
        }
    }

    pub(crate) fn room_nr(self, id: &RoomId) -> Result<Option<i64>> {
        Ok(self.room_ref(id)?.map(|(nr, _)| nr))
    }

    /// Reads a room's number, and pairs the room with its key, for reading its rows.
    pub(crate) fn room_ref<'r>(self, id: &'r RoomId) -> Result<Option<(i64, RoomRef<'r>)>> {
        let room = self.codec.room_ref(id);
        let nr =
            self.first("SELECT nr FROM room WHERE key = ?1", [room.key.as_bytes()], |row| self.int(row, 0));
        Ok(nr?.map(|nr| (nr, room)))
    }

    pub(crate) fn room_at(self, nr: i64) -> Result<Option<Room>> {
        let sql = "SELECT nr, key, last_activity_ms, revision, payload FROM room WHERE nr = ?1";
        Ok(self.first(sql, [nr], |row| self.read_room(row))?.map(|(_, room)| room))
    }

    pub(crate) fn rooms(self, query: RoomQuery) -> Result<Vec<Room>> {
        let mut pager = RoomPager::new(query);
        let sql = "SELECT nr, key, last_activity_ms, revision, payload FROM room
                   WHERE last_activity_ms <= ?1 ORDER BY last_activity_ms DESC";
        self.each(sql, [pager.newest_ms()], |row| {
            let room = self.codec.keep(self.read_room(row))?;
            Ok(if room.is_none_or(|(_, room)| pager.push(room)) { NEXT } else { STOP })
        })?;
        Ok(pager.finish())
    }

    pub(crate) fn read_room(self, row: &Row<'_>) -> Result<(i64, Room)> {
        let (key, activity) = (self.key(row, 1)?, self.int(row, 2)?);
        let room = self.codec.room(&key, activity, self.revision(row, 3)?, self.bytes(row, 4)?)?;
        Ok((self.int(row, 0)?, room))
    }

    /// Inserts a room that has no number yet; returns the number given.
    pub(crate) fn insert_room(self, room: &Room) -> Result<i64> {
        let row = self.codec.room_row(room)?;
        let sql = "INSERT INTO room (key, last_activity_ms, revision, payload) VALUES (?1, ?2, ?3, ?4)";
        self.run(
            sql,
            (row.key.as_bytes(), room.last_activity_ms, signed(room.revision.0), self.bind(&row.payload)),
        )?;
        slot::check_room(self.conn.last_insert_rowid())
    }

    pub(crate) fn update_room(self, nr: i64, room: &Room) -> Result<()> {
        let row = self.codec.room_row(room)?;
        let sql = "UPDATE room SET last_activity_ms = ?2, revision = ?3, payload = ?4 WHERE nr = ?1";
        self.run(sql, (nr, room.last_activity_ms, signed(room.revision.0), self.bind(&row.payload)))?;
        Ok(())
    }

    /// Deletes the row and the room's state, not its timeline.
    pub(crate) fn delete_room(self, nr: i64, id: &RoomId) -> Result<()> {
        let scope = self.codec.scope_key(&Scope::Room(id.clone()));
        self.run("DELETE FROM state WHERE scope = ?1", [scope.as_bytes()])?;
        self.run("DELETE FROM room WHERE nr = ?1", [nr])?;
        Ok(())
    }
}

impl RoomRows for SqlRows<'_> {
    fn room(&mut self, id: &RoomId) -> Result<Option<Room>> {
        // A damaged row counts as absent: the sync that brings the room writes it again.
        let Some((nr, room)) = self.db.codec.keep(self.db.room(id))?.flatten() else { return Ok(None) };
        self.learn(id, nr);
        Ok(Some(room))
    }

    fn write_room(&mut self, room: &Room) -> Result<()> {
        if let Some(nr) = self.nr(&room.id)? {
            return self.db.update_room(nr, room);
        }
        let nr = self.db.insert_room(room)?;
        self.learn(&room.id, nr);
        Ok(())
    }

    fn delete_room(&mut self, id: &RoomId) -> Result<()> {
        if let Some(nr) = self.nr(id)? {
            self.delete_span(id, Position::MIN, Position::MAX)?;
            self.db.delete_room(nr, id)?;
            self.numbers.remove(id);
        }
        Ok(())
    }
}
