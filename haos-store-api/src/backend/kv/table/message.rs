use crate::law::{Inserted, TimelineRows};
use crate::*;

use super::super::keys;
use super::super::reader::{Order, Reader};
use super::super::record::{self, MessageRecord};
use super::super::rows::Transaction;
use super::super::tree::Tree;

impl<T: Tree> Reader<'_, T> {
    /// Reads a message's position.
    pub(crate) fn message_position(
        self,
        nr: u32,
        room: &RoomId,
        event: &EventId,
    ) -> Result<Option<Position>> {
        let found = self.get(&keys::event(nr, &self.codec.event_key(room, event)))?;
        found.map(|at| self.read_position(&at)).transpose()
    }

    pub(crate) fn read_position(self, bytes: &[u8]) -> Result<Position> {
        keys::parse_position(bytes).ok_or_else(|| self.corrupt("an index of messages is damaged"))
    }

    /// Reads a message of a room whose number is known.
    pub(crate) fn message_in(self, nr: u32, room: &RoomId, event: &EventId) -> Result<Option<Message>> {
        let Some(at) = self.message_position(nr, room, event)? else { return Ok(None) };
        match self.message_at(nr, self.codec.room_ref(room), at)? {
            Some(found) if found.id == *event => Ok(Some(found)),
            _ => Err(self.corrupt("a message's index names another place")),
        }
    }

    pub(crate) fn message_at(self, nr: u32, room: RoomRef<'_>, at: Position) -> Result<Option<Message>> {
        self.get(&keys::message(nr, at))?.map(|row| self.read_message(room, at, row)).transpose()
    }

    pub(crate) fn read_message(self, room: RoomRef<'_>, at: Position, row: T::Bytes) -> Result<Message> {
        let record = MessageRecord::decode(row)?;
        self.codec.message(room, &record.event, record.columns(at), record.payload())
    }

    pub(crate) fn read_place(self, key: &[u8]) -> Result<Position> {
        let place = keys::parse_place(key).map(|(_, at)| at);
        place.ok_or_else(|| self.corrupt("a key of a timeline is damaged"))
    }
}

impl<T: Tree> Transaction<'_, T> {
    /// Stores a message at a free place, with its indexes.
    pub(crate) fn put_message(&mut self, nr: u32, message: &Message) -> Result<()> {
        let row = self.codec.message_row(message, self.revision)?;
        let value = record::message(&row, message.timestamp_ms, self.revision);
        self.place_message(nr, message.position, MessageRecord::decode(value.into())?, None)
    }

    /// Puts a row at a free place, with another payload where it needs one.
    pub(crate) fn place_message(
        &mut self,
        nr: u32,
        at: Position,
        record: MessageRecord<T::Bytes>,
        payload: Option<&[u8]>,
    ) -> Result<()> {
        self.set(keys::event(nr, &record.event), keys::position(at).to_vec());
        if let Some(target) = &record.target {
            self.set(keys::target(nr, target, at), Vec::new());
        }
        if let Some(txn) = &record.txn {
            self.set(keys::txn(txn, nr, at), Vec::new());
        }
        self.grow(Collection::Messages, payload.unwrap_or(record.payload()).len());
        self.set(keys::message(nr, at), record.with_payload(payload));
        Ok(())
    }

    /// Removes a message with its indexes, and returns it.
    pub(crate) fn take_message(&mut self, nr: u32, at: Position) -> Result<Option<MessageRecord<T::Bytes>>> {
        let key = keys::message(nr, at);
        let Some(row) = self.reader().get(&key)? else { return Ok(None) };
        let record = MessageRecord::decode(row)?;
        self.remove(keys::event(nr, &record.event));
        if let Some(target) = &record.target {
            self.remove(keys::target(nr, target, at));
        }
        if let Some(txn) = &record.txn {
            self.remove(keys::txn(txn, nr, at));
        }
        self.shrink(Collection::Messages, record.payload().len());
        self.remove(key);
        Ok(Some(record))
    }

    /// Deletes messages and gaps between two positions, both included.
    pub(crate) fn drop_span(&mut self, nr: u32, oldest: Position, newest: Position) -> Result<()> {
        for at in self.places((keys::message(nr, oldest), keys::message(nr, newest)))? {
            self.take_message(nr, at)?;
        }
        for at in self.places((keys::gap(nr, oldest), keys::gap(nr, newest)))? {
            self.drop_gap(nr, at)?;
        }
        Ok(())
    }

    /// Lists the positions between two keys of a timeline.
    pub(crate) fn places(&self, span: (Vec<u8>, Vec<u8>)) -> Result<Vec<Position>> {
        let db = self.reader();
        db.scan(span, Order::Up).map(|pair| db.read_place(&pair?.0)).collect()
    }

    /// Removes the damaged row of a message that comes again.
    fn drop_damaged(&mut self, nr: u32, message: &Message) -> Result<()> {
        if let Some(at) = self.reader().message_position(nr, &message.room, &message.id)? {
            tracing::warn!("a damaged message is replaced");
            self.take_message(nr, at)?;
        }
        Ok(())
    }
}

impl<T: Tree> TimelineRows for Transaction<'_, T> {
    fn insert_message(&mut self, message: &Message) -> Result<Inserted> {
        let nr = self.known(&message.room)?;
        match self.codec.keep(self.reader().message_in(nr, &message.room, &message.id))? {
            Some(Some(stored)) => return Ok(Inserted::Exists(Box::new(stored))),
            Some(None) => {}
            None => self.drop_damaged(nr, message)?,
        }
        let room = self.codec.room_ref(&message.room);
        let there = self.reader().message_at(nr, room, message.position);
        match self.codec.keep(there)? {
            Some(Some(_)) => return Ok(Inserted::Taken),
            Some(None) => {}
            None => drop(self.take_message(nr, message.position)?),
        }
        self.put_message(nr, message)?;
        Ok(Inserted::Done)
    }

    fn message(&mut self, room: &RoomId, event: &EventId) -> Result<Option<Message>> {
        match self.nr(room)? {
            Some(nr) => Ok(self.codec.keep(self.reader().message_in(nr, room, event))?.flatten()),
            None => Ok(None),
        }
    }

    fn is_taken(&mut self, room: &RoomId, position: Position) -> Result<bool> {
        match self.nr(room)? {
            Some(nr) => self.reader().has(&keys::message(nr, position)),
            None => Ok(false),
        }
    }

    fn update_message(&mut self, at: Position, message: &Message) -> Result<()> {
        let nr = self.known(&message.room)?;
        self.take_message(nr, at)?;
        self.put_message(nr, message)
    }

    fn delete_message(&mut self, room: &RoomId, at: Position) -> Result<()> {
        if let Some(nr) = self.nr(room)? {
            self.take_message(nr, at)?;
        }
        Ok(())
    }

    fn positions(&mut self, room: &RoomId) -> Result<Vec<Position>> {
        match self.nr(room)? {
            Some(nr) => self.places((keys::message(nr, Position::MIN), keys::message(nr, Position::MAX))),
            None => Ok(Vec::new()),
        }
    }

    fn delete_span(&mut self, room: &RoomId, oldest: Position, newest: Position) -> Result<()> {
        match self.nr(room)? {
            Some(nr) => self.drop_span(nr, oldest, newest),
            None => Ok(()),
        }
    }

    fn renumber(&mut self, room: &RoomId, moves: &[(Position, Position)], revision: Revision) -> Result<()> {
        let (nr, home) = (self.known(room)?, self.codec.room_ref(room));
        let (mut messages, mut gaps) = (Vec::new(), Vec::new());
        // All are lifted before the first is set down: a target may be a source.
        for (from, to) in moves {
            if let Some(record) = self.take_message(nr, *from)? {
                let columns = record.columns(*from);
                let payload =
                    self.codec.moved_message(&home.key, &record.event, columns, *to, record.payload())?;
                messages.push((*to, record, payload));
            } else if let Some(gap) = self.reader().gap_at(nr, home, *from)? {
                self.drop_gap(nr, *from)?;
                gaps.push(Gap { position: *to, revision, ..gap });
            }
        }
        for (to, record, payload) in messages {
            self.place_message(nr, to, record, payload.as_ref().map(Payload::as_bytes))?;
        }
        gaps.iter().try_for_each(|gap| self.put_gap(nr, gap))
    }

    fn gaps(&mut self, room: &RoomId) -> Result<Vec<Gap>> {
        match self.nr(room)? {
            Some(nr) => self.reader().gaps_in(nr, self.codec.room_ref(room)),
            None => Ok(Vec::new()),
        }
    }

    fn gaps_beside(&mut self, room: &RoomId, at: Position) -> Result<[Option<Gap>; 2]> {
        match self.nr(room)? {
            Some(nr) => self.reader().gaps_beside(nr, self.codec.room_ref(room), at),
            None => Ok([None, None]),
        }
    }

    fn write_gap(&mut self, gap: &Gap) -> Result<()> {
        let nr = self.known(&gap.room)?;
        self.put_gap(nr, gap)
    }

    fn delete_gap(&mut self, room: &RoomId, position: Position) -> Result<()> {
        match self.nr(room)? {
            Some(nr) => self.drop_gap(nr, position),
            None => Ok(()),
        }
    }
}
