//! Reads of timelines.

use haos_store_api::backend::kv::corrupt;
use haos_store_api::backend::law::{relation_matches, slice, sort_by};
use haos_store_api::backend::*;
use haos_store_api::*;

use super::super::keys;
use super::super::kv::{Span, Table};
use super::super::row::Row;
use super::super::tables::{read_gaps, read_room_row};
use super::Reader;

impl Reader<'_, '_> {
    /// Reads a page of a room.
    pub(crate) fn timeline(&mut self, room: &RoomId, page: &Page) -> Result<Slice> {
        let room = self.codec.room_ref(room);
        let gaps = read_gaps(self.view, self.codec, room);
        let rows = self.page(room, page);
        // Both first: what they lack is loaded in one turn.
        let (mut gaps, rows) = (gaps?, rows?);
        let Some((oldest, newest, messages)) = rows else { return Ok(Slice::default()) };
        gaps.retain(|gap| (oldest..=newest).contains(&gap.position));
        Ok(slice(messages, gaps, page.direction, page.limit))
    }

    pub(crate) fn timelines(&mut self, pages: &[(RoomId, Page)]) -> Result<Vec<Slice>> {
        // All first: what they lack is loaded in one turn.
        let all: Vec<_> = pages.iter().map(|(room, page)| self.timeline(room, page)).collect();
        all.into_iter().collect()
    }

    /// Reads the messages of a page, and the positions that it may show.
    fn page(&mut self, room: RoomRef<'_>, page: &Page) -> Result<Option<(Position, Position, Vec<Message>)>> {
        let Some((oldest, newest)) = self.extent(room, page)? else { return Ok(None) };
        let wanted = page.limit.saturating_add(1);
        let (key, codec) = (room.key, self.codec);
        let mut extra = 0;
        loop {
            let from = match page.direction {
                Direction::Older => newest,
                Direction::Newer => oldest,
            };
            let rows = self.view.page(&key, page.direction, from, wanted.saturating_add(extra))?;
            let (mut messages, all) = (Vec::new(), rows.len());
            for row in rows {
                if messages.len() >= wanted {
                    break;
                }
                messages.extend(codec.keep(row.message(codec, room))?);
            }
            // In the place of damaged ones come others, as long as there are any.
            if messages.len() >= wanted || all < wanted.saturating_add(extra) {
                return Ok(Some((oldest, newest, messages)));
            }
            extra += wanted;
        }
    }

    /// Returns the positions that a page may show, both ends included.
    fn extent(&mut self, room: RoomRef<'_>, page: &Page) -> Result<Option<(Position, Position)>> {
        let Start::Beyond(cursor) = &page.start else { return Ok(Some((Position::MIN, Position::MAX))) };
        let anchor = match cursor.anchor().zip(cursor.anchor_then()) {
            None => None,
            Some((event, then)) => {
                let event = self.codec.event_key(room.id, event);
                // Its position is mostly unchanged, which the bucket of the page shows.
                match self.view.row(&room.key, then)?.filter(|row| row.event == event) {
                    Some(row) => Some(row.at),
                    None => self.view.find(&room.key, &event)?.map(|row| row.at),
                }
            }
        };
        let at = cursor.resolve(anchor);
        Ok(match page.direction {
            Direction::Older => at.older(1).map(|newest| (Position::MIN, newest)),
            Direction::Newer => at.newer(1).map(|oldest| (oldest, Position::MAX)),
        })
    }

    pub(crate) fn message(&mut self, room: &RoomId, event: &EventId) -> Result<Option<Message>> {
        let room = self.codec.room_ref(room);
        let Some(row) = self.view.find(&room.key, &self.codec.event_key(room.id, event))? else {
            return Ok(None);
        };
        let found = row.message(self.codec, room)?;
        if found.id != *event {
            return Err(corrupt("message", "a message stands under another's key"));
        }
        Ok(Some(found))
    }

    pub(crate) fn gaps(&mut self, room: &RoomId) -> Result<Vec<Gap>> {
        read_gaps(self.view, self.codec, self.codec.room_ref(room))
    }

    /// Counts without reading messages, except the buckets that changed and the one of the first.
    #[inline(never)]
    pub(crate) fn count(&mut self, room: &RoomId, newer_than: Option<&EventId>) -> Result<u64> {
        let room = self.codec.room_ref(room);
        let oldest = match newer_than {
            None => Some(Position::MIN),
            Some(event) => {
                let event = self.codec.event_key(room.id, event);
                self.view.find(&room.key, &event)?.and_then(|row| row.at.newer(1))
            }
        };
        oldest.map_or(Ok(0), |oldest| self.view.count(&room.key, oldest))
    }

    #[inline(never)]
    pub(crate) fn related(&mut self, query: &RelationQuery) -> Result<Vec<Message>> {
        let room = self.codec.room_ref(&query.room);
        let targets = query.targets.iter();
        let rows: Vec<_> = targets
            .map(|target| self.view.relating(&room.key, &self.codec.event_key(room.id, target)))
            .collect();
        let mut found = Vec::new();
        for (target, rows) in query.targets.iter().zip(rows) {
            let mut taken = 0;
            for row in rows? {
                if taken >= query.limit {
                    break;
                }
                if let Some(message) = self.codec.keep(row.message(self.codec, room))?
                    && relation_matches(query, target, &message)
                {
                    taken += 1;
                    found.push(message);
                }
            }
        }
        sort_by(&mut found, |a, b| a.position.cmp(&b.position));
        found.dedup_by_key(|message| message.position);
        found.truncate(query.limit);
        Ok(found)
    }

    /// Reads messages by their ids, ascending.
    pub(super) fn messages_by_id(&mut self, room: &RoomId, events: &[EventId]) -> Result<Vec<Message>> {
        let key = self.codec.room_key(room);
        let rows = events.iter().map(|event| self.view.find(&key, &self.codec.event_key(room, event)));
        let rows: Vec<_> = rows.collect();
        let mut rows =
            rows.into_iter().collect::<Result<Vec<_>>>()?.into_iter().flatten().collect::<Vec<_>>();
        sort_by(&mut rows, |a, b| a.at.cmp(&b.at));
        rows.dedup_by_key(|row| row.at);
        self.decode(room, rows.iter())
    }

    pub(super) fn messages_of_txn(&mut self, txn_id: &TxnId) -> Result<Vec<Message>> {
        let txn = self.codec.txn_key(txn_id);
        let places = self.view.scan(Table::Txns, Span::prefix(txn.as_bytes()))?;
        let places = places.iter().filter_map(|(key, _)| keys::parse_txn(key));
        let look = |(room, at): (Key, Position)| -> Result<_> {
            let row = self.view.row(&room, at);
            let stored = self.view.get(Table::Rooms, room.as_bytes());
            Ok((row?.filter(|row| row.txn == Some(txn)), stored?))
        };
        let looked: Vec<_> = places.map(look).collect();
        let mut found = Vec::new();
        for looked in looked {
            let (Some(row), Some(stored)) = looked? else { continue };
            if let Some(stored) = self.codec.keep(read_room_row(self.codec, &stored))? {
                found.extend(self.decode(&stored.id, [&row])?);
            }
        }
        found.retain(|message| message.txn_id.as_ref() == Some(txn_id));
        sort_by(&mut found, |a, b| (&a.room, a.position).cmp(&(&b.room, b.position)));
        found.dedup_by(|a, b| (&a.room, a.position) == (&b.room, b.position));
        Ok(found)
    }

    pub(super) fn decode<'r>(
        &self,
        room: &RoomId,
        rows: impl IntoIterator<Item = &'r Row>,
    ) -> Result<Vec<Message>> {
        let room = self.codec.room_ref(room);
        let mut found = Vec::new();
        for row in rows {
            found.extend(self.codec.keep(row.message(self.codec, room))?);
        }
        Ok(found)
    }
}
