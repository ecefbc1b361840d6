use haos_store_api::{Collection, EventId, Message, Position, Result, RoomId, RoomRef};
use sled::IVec;

use crate::db::{Db, Order};
use crate::keys;
use crate::record::{self, MessageRecord};
use crate::rows::SledRows;

impl Db<'_> {
    /// Where a message stands.
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

    pub(crate) fn message(self, room: &RoomId, event: &EventId) -> Result<Option<Message>> {
        match self.room_nr(room)? {
            Some(nr) => self.message_in(nr, room, event),
            None => Ok(None),
        }
    }

    /// A message of a room whose number is known.
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

    pub(crate) fn read_message(self, room: RoomRef<'_>, at: Position, row: IVec) -> Result<Message> {
        let record = MessageRecord::decode(row)?;
        self.codec.message(room, &record.event, record.columns(at), record.payload())
    }

    pub(crate) fn read_place(self, key: &[u8]) -> Result<Position> {
        let place = keys::parse_place(key).map(|(_, at)| at);
        place.ok_or_else(|| self.corrupt("a key of a timeline is damaged"))
    }
}

impl SledRows<'_> {
    /// Stores a message at a free place, with its indexes.
    pub(crate) fn put_message(&mut self, nr: u32, message: &Message) -> Result<()> {
        let row = self.codec.message_row(message, self.revision)?;
        let value = record::message(&row, message.timestamp_ms, self.revision);
        self.place_message(nr, message.position, MessageRecord::decode(value)?, None)
    }

    /// Puts a row at a free place, with another payload where it needs one.
    pub(crate) fn place_message(
        &mut self,
        nr: u32,
        at: Position,
        record: MessageRecord,
        payload: Option<&[u8]>,
    ) -> Result<()> {
        self.set(keys::event(nr, &record.event), Some(IVec::from(&keys::position(at))));
        if let Some(target) = &record.target {
            self.set(keys::target(nr, target, at), Some(IVec::default()));
        }
        if let Some(txn) = &record.txn {
            self.set(keys::txn(txn, nr, at), Some(IVec::default()));
        }
        self.grow(Collection::Messages, payload.unwrap_or(record.payload()).len());
        self.set(keys::message(nr, at), Some(record.with_payload(payload)));
        Ok(())
    }

    /// Takes a message away with its indexes; tells what it was.
    pub(crate) fn take_message(&mut self, nr: u32, at: Position) -> Result<Option<MessageRecord>> {
        let key = keys::message(nr, at);
        let Some(row) = self.db().get(&key)? else { return Ok(None) };
        let record = MessageRecord::decode(row)?;
        self.set(keys::event(nr, &record.event), None);
        if let Some(target) = &record.target {
            self.set(keys::target(nr, target, at), None);
        }
        if let Some(txn) = &record.txn {
            self.set(keys::txn(txn, nr, at), None);
        }
        self.shrink(Collection::Messages, record.payload().len());
        self.set(key, None);
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

    /// The positions between two keys of a timeline.
    pub(crate) fn places(&self, span: (Vec<u8>, Vec<u8>)) -> Result<Vec<Position>> {
        let db = self.db();
        db.scan(span, Order::Up).map(|pair| db.read_place(&pair?.0)).collect()
    }
}
