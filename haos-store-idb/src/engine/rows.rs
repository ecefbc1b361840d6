//! The rows of one batch, as the laws see them: messages and gaps. The other collections are in `tables`.

use haos_store_api::backend::kv::corrupt;
use haos_store_api::backend::law::{Inserted, TimelineRows};
use haos_store_api::backend::*;
use haos_store_api::*;

use super::keys::RoomKeys;
use super::row::Row;
use super::view::View;

/// One batch under way.
#[derive(Debug)]
pub(crate) struct EngineRows<'a> {
    pub(crate) view: View<'a>,
    pub(crate) codec: &'a Codec,
    /// The revision that the batch makes.
    pub(crate) revision: Revision,
    rooms: RoomKeys<'a>,
}

impl<'a> EngineRows<'a> {
    pub(crate) fn new(view: View<'a>, codec: &'a Codec, revision: Revision) -> Self {
        Self { view, codec, revision, rooms: RoomKeys::new(codec) }
    }

    pub(crate) fn room_key(&mut self, room: &RoomId) -> Key {
        self.rooms.of(room)
    }

    fn message_in(&mut self, room: &RoomId, event: &EventId, key: &Key) -> Result<Option<Message>> {
        let room_key = self.room_key(room);
        let Some(row) = self.view.find(&room_key, key)? else { return Ok(None) };
        let found = row.message(self.codec, RoomRef { id: room, key: room_key })?;
        if found.id != *event {
            return Err(corrupt("apply", "a message stands under another's key"));
        }
        Ok(Some(found))
    }
}

impl TimelineRows for EngineRows<'_> {
    fn insert_message(&mut self, message: &Message) -> Result<Inserted> {
        let room = self.room_key(&message.room);
        let row = Row::of(self.codec, &room, message, self.revision)?;
        let stored = self.message_in(&message.room, &message.id, &row.event);
        match self.codec.keep(stored)? {
            Some(Some(stored)) => return Ok(Inserted::Exists(Box::new(stored))),
            Some(None) => {}
            None => {
                tracing::warn!("a damaged message is replaced");
                if let Some(damaged) = self.view.find(&room, &row.event)? {
                    self.view.take_row(&room, damaged.at)?;
                }
            }
        }
        if let Some(other) = self.view.row(&room, message.position)? {
            let other = other.message(self.codec, RoomRef { id: &message.room, key: room });
            if self.codec.keep(other)?.is_some() {
                return Ok(Inserted::Taken);
            }
            self.view.take_row(&room, message.position)?;
        }
        self.view.put_row(&room, row);
        Ok(Inserted::Done)
    }

    fn message(&mut self, room: &RoomId, event: &EventId) -> Result<Option<Message>> {
        let key = self.codec.event_key(room, event);
        let found = self.message_in(room, event, &key);
        Ok(self.codec.keep(found)?.flatten())
    }

    fn is_taken(&mut self, room: &RoomId, position: Position) -> Result<bool> {
        let room = self.room_key(room);
        Ok(self.view.row(&room, position)?.is_some())
    }

    fn update_message(&mut self, at: Position, message: &Message) -> Result<()> {
        let room = self.room_key(&message.room);
        self.view.take_row(&room, at)?;
        self.view.put_row(&room, Row::of(self.codec, &room, message, self.revision)?);
        Ok(())
    }

    fn delete_message(&mut self, room: &RoomId, at: Position) -> Result<()> {
        let room = self.room_key(room);
        self.view.take_row(&room, at).map(drop)
    }

    fn positions(&mut self, room: &RoomId) -> Result<Vec<Position>> {
        let room = self.room_key(room);
        self.view.positions(&room)
    }

    fn delete_span(&mut self, room: &RoomId, oldest: Position, newest: Position) -> Result<()> {
        let room = self.room_key(room);
        self.view.drop_run(&room, oldest, newest)?;
        self.drop_gaps(&room, oldest, newest)
    }

    fn renumber(&mut self, room: &RoomId, moves: &[(Position, Position)], revision: Revision) -> Result<()> {
        let key = self.room_key(room);
        let (mut messages, mut gaps) = (Vec::new(), Vec::new());
        // All are lifted before the first is set down: a target may be a source.
        for (from, to) in moves {
            if let Some(row) = self.view.take_row(&key, *from)? {
                messages.push(row.moved(self.codec, &key, *to)?);
            } else if let Some(gap) = self.gap_at(RoomRef { id: room, key }, *from)? {
                self.drop_gap(&key, *from)?;
                gaps.push(Gap { position: *to, revision, ..gap });
            }
        }
        for row in messages {
            self.view.put_row(&key, row);
        }
        gaps.iter().try_for_each(|gap| self.put_gap(gap))
    }

    fn gaps(&mut self, room: &RoomId) -> Result<Vec<Gap>> {
        self.room_gaps(room)
    }

    fn gaps_beside(&mut self, room: &RoomId, at: Position) -> Result<[Option<Gap>; 2]> {
        self.room_gaps_beside(room, at)
    }

    fn write_gap(&mut self, gap: &Gap) -> Result<()> {
        self.put_gap(gap)
    }

    fn delete_gap(&mut self, room: &RoomId, position: Position) -> Result<()> {
        let room = self.room_key(room);
        self.drop_gap(&room, position)
    }
}
