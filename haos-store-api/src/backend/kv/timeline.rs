//! Reads of timelines.

use std::collections::BTreeMap;

use crate::law::{relation_matches, slice};
use crate::*;

use super::keys;
use super::reader::{Order, Reader};
use super::record::MessageRecord;
use super::tree::Tree;

impl<T: Tree> Reader<'_, T> {
    pub(crate) fn page(self, room: &RoomId, page: &Page) -> Result<Slice> {
        let Some((nr, room)) = self.room_ref(room)? else { return Ok(Slice::default()) };
        let Some((oldest, newest)) = self.span(nr, room.id, page)? else { return Ok(Slice::default()) };
        let order = match page.direction {
            Direction::Older => Order::Down,
            Direction::Newer => Order::Up,
        };
        let wanted = page.limit.saturating_add(1);
        let mut messages = Vec::new();
        let span = (keys::message(nr, oldest), keys::message(nr, newest));
        for pair in self.scan(span, order) {
            if messages.len() >= wanted {
                break;
            }
            let (key, row) = pair?;
            let at = self.read_place(&key)?;
            messages.extend(self.codec.keep(self.read_message(room, at, row))?);
        }
        let mut gaps = Vec::new();
        for pair in self.scan((keys::gap(nr, oldest), keys::gap(nr, newest)), order).take(wanted) {
            let (key, row) = pair?;
            gaps.push(self.gap_or_unknown(room, self.read_place(&key)?, &row)?);
        }
        Ok(slice(messages, gaps, page.direction, page.limit))
    }

    /// Returns the positions that a page may show, both ends included.
    fn span(self, nr: u32, room: &RoomId, page: &Page) -> Result<Option<(Position, Position)>> {
        let Start::Beyond(cursor) = &page.start else { return Ok(Some((Position::MIN, Position::MAX))) };
        let anchor = match cursor.anchor() {
            Some(event) => self.message_position(nr, room, event)?,
            None => None,
        };
        let at = cursor.resolve(anchor);
        Ok(match page.direction {
            Direction::Older => at.older(1).map(|newest| (Position::MIN, newest)),
            Direction::Newer => at.newer(1).map(|oldest| (oldest, Position::MAX)),
        })
    }

    pub(crate) fn count_messages(self, room: &RoomId, newer_than: Option<&EventId>) -> Result<u64> {
        let Some(nr) = self.room_nr(room)? else { return Ok(0) };
        let oldest = match newer_than {
            None => Some(Position::MIN),
            Some(event) => self.message_position(nr, room, event)?.and_then(|at| at.newer(1)),
        };
        let Some(oldest) = oldest else { return Ok(0) };
        let mut count = 0;
        for pair in self.scan((keys::message(nr, oldest), keys::message(nr, Position::MAX)), Order::Up) {
            pair?;
            count += 1;
        }
        Ok(count)
    }

    pub(crate) fn messages_related(self, query: &RelationQuery) -> Result<Vec<Message>> {
        let room = &query.room;
        let mut found = BTreeMap::new();
        let Some((nr, room)) = self.room_ref(room)? else { return Ok(Vec::new()) };
        for target in &query.targets {
            let key = self.codec.event_key(room.id, target);
            let span = (keys::target(nr, &key, Position::MIN), keys::target(nr, &key, Position::MAX));
            let mut taken = 0;
            for pair in self.scan(span, Order::Up) {
                if taken >= query.limit {
                    break;
                }
                let place = keys::parse_target(&pair?.0);
                let (_, _, at) = place.ok_or_else(|| self.corrupt("an index of messages is damaged"))?;
                let read = self.indexed(nr, room, at, |message| {
                    message.relation.as_ref().is_some_and(|relation| relation.target == *target)
                });
                if let Some(message) = self.codec.keep(read)?
                    && relation_matches(query, target, &message)
                {
                    taken += 1;
                    found.insert(at, message);
                }
            }
        }
        Ok(found.into_values().take(query.limit).collect())
    }

    /// Reads the message that an index names, if the index is right about it.
    fn indexed(
        self,
        nr: u32,
        room: RoomRef<'_>,
        at: Position,
        fits: impl FnOnce(&Message) -> bool,
    ) -> Result<Message> {
        match self.message_at(nr, room, at)? {
            Some(found) if fits(&found) => Ok(found),
            Some(_) => Err(self.corrupt("an index names another message")),
            None => Err(self.corrupt("an index names a message that is not")),
        }
    }

    fn all_indexed(
        self,
        nr: u32,
        room: RoomRef<'_>,
        places: impl IntoIterator<Item = Position>,
    ) -> Result<Vec<Message>> {
        let mut found = Vec::new();
        for at in places {
            found.extend(self.codec.keep(self.indexed(nr, room, at, |_| true))?);
        }
        Ok(found)
    }

    pub(crate) fn messages_of_ids(self, room: &RoomId, events: &[EventId]) -> Result<Vec<Message>> {
        let Some((nr, room)) = self.room_ref(room)? else { return Ok(Vec::new()) };
        let mut found = BTreeMap::new();
        for event in events {
            let Some(at) = self.message_position(nr, room.id, event)? else { continue };
            let read = self.indexed(nr, room, at, |message| message.id == *event);
            found.extend(self.codec.keep(read)?.map(|message| (at, message)));
        }
        Ok(found.into_values().collect())
    }

    pub(crate) fn messages_of_txn(self, txn_id: &TxnId) -> Result<Vec<Message>> {
        let txn = self.codec.txn_key(txn_id);
        let span = (keys::txn(&txn, 0, Position::MIN), keys::txn(&txn, u32::MAX, Position::MAX));
        let mut found = Vec::new();
        for pair in self.scan(span, Order::Up) {
            let place = keys::parse_txn(&pair?.0);
            let (_, nr, at) = place.ok_or_else(|| self.corrupt("an index of messages is damaged"))?;
            let read = self.room_at(nr).and_then(|room| {
                let (key, room) = room.ok_or_else(|| self.corrupt("a message has no room"))?;
                let room = RoomRef { id: &room.id, key };
                self.indexed(nr, room, at, |message| message.txn_id.as_ref() == Some(txn_id))
            });
            found.extend(self.codec.keep(read)?);
        }
        found.sort_by(|a, b| (&a.room, a.position).cmp(&(&b.room, b.position)));
        Ok(found)
    }

    /// Walks the room's times (not its payloads), then reads the matches: an index by time would cost every insert
    /// another key, for a question that is asked rarely.
    pub(crate) fn messages_of_time(
        self,
        room: &RoomId,
        from_ms: i64,
        until_ms: i64,
        limit: usize,
    ) -> Result<Vec<Message>> {
        let Some((nr, room)) = self.room_ref(room)? else { return Ok(Vec::new()) };
        let mut places = Vec::new();
        for pair in self.scan(timeline_of(nr), Order::Up) {
            let (key, row) = pair?;
            let record = MessageRecord::decode(row)?;
            if (from_ms..until_ms).contains(&record.timestamp_ms) {
                places.push((record.timestamp_ms, self.read_place(&key)?));
            }
        }
        places.sort_unstable();
        places.truncate(limit);
        self.all_indexed(nr, room, places.into_iter().map(|(_, at)| at))
    }

    /// Walks the room from its newest message, for the same reason.
    pub(crate) fn messages_of_sender(
        self,
        room: &RoomId,
        sender: &UserId,
        limit: usize,
    ) -> Result<Vec<Message>> {
        let mut found = Vec::new();
        let Some((nr, room)) = self.room_ref(room)? else { return Ok(found) };
        let wanted = self.codec.sender_key(room.id, sender);
        for pair in self.scan(timeline_of(nr), Order::Down) {
            if found.len() >= limit {
                break;
            }
            let (key, row) = pair?;
            if MessageRecord::decode(row.clone())?.sender == wanted {
                let at = self.read_place(&key)?;
                found.extend(self.codec.keep(self.read_message(room, at, row))?);
            }
        }
        Ok(found)
    }
}

/// Returns both ends of a room's messages.
fn timeline_of(nr: u32) -> (Vec<u8>, Vec<u8>) {
    (keys::message(nr, Position::MIN), keys::message(nr, Position::MAX))
}
