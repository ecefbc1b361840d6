use haos_store_api::backend::law::{Inserted, TimelineRows};
use haos_store_api::*;

use crate::rows::SqlRows;
use crate::slot;
use crate::table::Put;

impl TimelineRows for SqlRows<'_> {
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

    /// Moves through negative rowids, which nothing else has: a target may be a source that has not moved yet.
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

    fn gaps_beside(&mut self, room: &RoomId, at: Position) -> Result<[Option<Gap>; 2]> {
        match self.nr(room)? {
            Some(nr) => self.db.gaps_beside(slot::pack(nr, at), self.db.codec.room_ref(room)),
            None => Ok([None, None]),
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
}
