//! The rows of one transaction, as the laws see them.

use std::collections::HashMap;

use haos_store_api::law::{Inserted, Rows};
use haos_store_api::*;
use rusqlite::CachedStatement;

use crate::db::Db;
use crate::slot;
use crate::table::{Put, Sums};

/// Room numbers that the writer knows. Forgotten with a rollback or a commit of somebody else.
pub(crate) type RoomNumbers = HashMap<RoomId, i64>;

/// The numbers kept; a bot may be in more rooms than that, and they are cheap to look up.
const MOST_NUMBERS: usize = 4096;

/// One batch under way.
pub(crate) struct SqlRows<'t> {
    db: Db<'t>,
    numbers: &'t mut RoomNumbers,
    sums: Sums,
    insert: Option<CachedStatement<'t>>,
    /// The revision that the batch makes.
    revision: Revision,
}

impl<'t> SqlRows<'t> {
    pub(crate) fn new(db: Db<'t>, numbers: &'t mut RoomNumbers, revision: Revision) -> Self {
        Self { db, numbers, sums: Sums::default(), insert: None, revision }
    }

    /// Lets go of the transaction; tells how the batch changed the sums of messages.
    pub(crate) fn end(self) -> Sums {
        self.sums
    }

    fn nr(&mut self, room: &RoomId) -> Result<Option<i64>> {
        if let Some(nr) = self.numbers.get(room) {
            return Ok(Some(*nr));
        }
        let nr = self.db.room_nr(room)?;
        if let Some(nr) = nr {
            self.learn(room, nr);
        }
        Ok(nr)
    }

    fn learn(&mut self, room: &RoomId, nr: i64) {
        if self.numbers.len() >= MOST_NUMBERS {
            self.numbers.clear();
        }
        self.numbers.insert(room.clone(), nr);
    }

    /// The number of a room that the laws have seen to.
    fn known(&mut self, room: &RoomId) -> Result<i64> {
        self.nr(room)?.ok_or_else(|| self.db.corrupt("a room's rows came without the room"))
    }
}

impl Rows for SqlRows<'_> {
    fn room(&mut self, id: &RoomId) -> Result<Option<Room>> {
        // A damaged row counts as none: the sync that brings the room writes it anew.
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

    fn insert_message(&mut self, message: &Message) -> Result<Inserted> {
        let nr = self.known(&message.room)?;
        let insert = match &mut self.insert {
            Some(insert) => insert,
            none => none.insert(self.db.prepare_insert()?),
        };
        match self.db.insert_message(insert, nr, message, self.revision)? {
            Put::Stored(sums) => {
                self.sums += sums;
                Ok(Inserted::Done)
            }
            Put::There => match self.db.clear_damaged(nr, message)? {
                Some(sums) => {
                    self.sums += sums;
                    self.insert_message(message)
                }
                None => Ok(match self.db.message_in(nr, &message.room, &message.id)? {
                    Some(stored) => Inserted::Exists(Box::new(stored)),
                    None => Inserted::Taken,
                }),
            },
        }
    }

    fn message(&mut self, room: &RoomId, event: &EventId) -> Result<Option<Message>> {
        match self.nr(room)? {
            Some(nr) => Ok(self.db.codec.keep(self.db.message_in(nr, room, event))?.flatten()),
            None => Ok(None),
        }
    }

    fn is_taken(&mut self, room: &RoomId, position: Position) -> Result<bool> {
        match self.nr(room)? {
            Some(nr) => self.db.is_message(slot::pack(nr, position)),
            None => Ok(false),
        }
    }

    fn update_message(&mut self, at: Position, message: &Message) -> Result<()> {
        let nr = self.known(&message.room)?;
        self.sums += self.db.update_message(slot::pack(nr, at), nr, message, self.revision)?;
        Ok(())
    }

    fn delete_message(&mut self, room: &RoomId, at: Position) -> Result<()> {
        if let Some(nr) = self.nr(room)? {
            let pos = slot::pack(nr, at);
            self.sums += self.db.delete_messages(pos, pos)?;
        }
        Ok(())
    }

    fn positions(&mut self, room: &RoomId) -> Result<Vec<Position>> {
        let Some(nr) = self.nr(room)? else { return Ok(Vec::new()) };
        let sql = "SELECT pos FROM message WHERE pos BETWEEN ?1 AND ?2 ORDER BY pos";
        self.db.all(sql, slot::whole(nr), |row| slot::position(self.db.int(row, 0)?))
    }

    fn delete_span(&mut self, room: &RoomId, oldest: Position, newest: Position) -> Result<()> {
        if let Some(nr) = self.nr(room)? {
            let (oldest, newest) = (slot::pack(nr, oldest), slot::pack(nr, newest));
            self.sums += self.db.delete_messages(oldest, newest)?;
            self.db.delete_gaps(oldest, newest)?;
        }
        Ok(())
    }

    /// Through negative rowids, which are nobody's: a target may be a source that has not moved yet.
    fn renumber(&mut self, room: &RoomId, moves: &[(Position, Position)], revision: Revision) -> Result<()> {
        let (nr, home) = (self.known(room)?, self.db.codec.room_ref(room));
        let places = || moves.iter().map(|(from, to)| (slot::pack(nr, *from), slot::pack(nr, *to)));
        for (from, to) in places() {
            if !self.db.move_message(&home.key, from, to)? {
                self.db.move_gap(from, to, home, revision)?;
            }
        }
        for (_, to) in places() {
            if self.db.run("UPDATE message SET pos = ?1 WHERE pos = -?1", [to])? == 0 {
                self.db.run("UPDATE gap SET pos = ?1 WHERE pos = -?1", [to])?;
            }
        }
        Ok(())
    }

    fn gaps(&mut self, room: &RoomId) -> Result<Vec<Gap>> {
        match self.nr(room)? {
            Some(nr) => self.db.gaps(nr, self.db.codec.room_ref(room)),
            None => Ok(Vec::new()),
        }
    }

    fn write_gap(&mut self, gap: &Gap) -> Result<()> {
        let nr = self.known(&gap.room)?;
        self.db.write_gap(nr, gap)
    }

    fn delete_gap(&mut self, room: &RoomId, position: Position) -> Result<()> {
        match self.nr(room)?.map(|nr| slot::pack(nr, position)) {
            Some(pos) => self.db.delete_gaps(pos, pos),
            None => Ok(()),
        }
    }

    fn pending(&mut self, txn_id: &TxnId) -> Result<Option<Pending>> {
        self.db.pending(txn_id)
    }

    fn all_pending(&mut self) -> Result<Vec<Pending>> {
        self.db.pending_rows(&PendingQuery::default())
    }

    fn next_seq(&mut self) -> Result<u64> {
        self.db.next_seq()
    }

    fn write_pending(&mut self, pending: &Pending) -> Result<()> {
        self.db.write_pending(pending)
    }

    fn delete_pending(&mut self, txn_id: &TxnId) -> Result<()> {
        self.db.delete_pending(txn_id)
    }

    fn media_info(&mut self, key: &MediaKey) -> Result<Option<MediaInfo>> {
        Ok(self.db.codec.keep(self.db.media_info(key))?.flatten().map(|(_, info)| info))
    }

    fn all_media(&mut self) -> Result<Vec<MediaInfo>> {
        self.db.media_index(&MediaQuery::default())
    }

    fn media_bytes(&mut self, key: &MediaKey) -> Result<Vec<u8>> {
        Ok(self.db.media(key, ByteRange::ALL)?.map_or_else(Vec::new, |media| media.bytes))
    }

    fn write_media_info(&mut self, info: &MediaInfo) -> Result<()> {
        self.db.write_media_info(info, self.revision)
    }

    fn append_media(&mut self, key: &MediaKey, at: u64, bytes: &[u8]) -> Result<()> {
        self.db.append_media(key, at, bytes)
    }

    fn rename_media(&mut self, from: &MediaKey, to: &MediaInfo) -> Result<()> {
        self.db.update_media(from, to, self.revision).map(drop)
    }

    fn delete_media(&mut self, key: &MediaKey) -> Result<()> {
        self.db.delete_media(key)
    }

    fn state(&mut self, scope: &Scope, kind: &EventType, key: &StateKey) -> Result<Option<StateEntry>> {
        Ok(self.db.codec.keep(self.db.state(scope, kind, key))?.flatten())
    }

    fn write_state(&mut self, entry: &StateEntry) -> Result<()> {
        self.db.write_state(entry, self.revision)
    }

    fn delete_state(&mut self, scope: &Scope, kind: &EventType, key: &StateKey) -> Result<()> {
        self.db.delete_state(scope, kind, key)
    }
}
