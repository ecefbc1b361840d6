//! Reads of timelines.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;
use haos_store_api::backend::kv::corrupt;
use haos_store_api::backend::law::{relation_matches, slice, sort_by};
use haos_store_api::backend::*;
use haos_store_api::*;

use super::super::keys::{self, SegmentKey};
use super::super::known::Known;
use super::super::kv::{Kv, Table, all};
use super::super::load;
use super::super::segment::{MOST_ROWS, Overlay, Row, find, rows};
use super::super::tables::{gap_or_unknown, read_room_row};
use super::records::Reader;
use super::walk::{Anchor, Older, Walked, newer};

/// Segments that are read together in a walk through a room.
const STRIDE: usize = 32;

impl<K: Kv> Reader<'_, K> {
    /// Reads a page of a room; up to `small` of its newest segments may be small.
    pub(crate) async fn timeline(&self, room: &RoomId, page: &Page, small: usize) -> Result<Slice> {
        let room = self.codec.room_ref(room);
        let anchor = match &page.start {
            Start::Beyond(cursor) => cursor.anchor().zip(cursor.anchor_then()),
            Start::End => None,
        };
        let Some((event, then)) = anchor else {
            let slice = self.page(room, page, Anchor::Nowhere, small).await?;
            return Ok(slice.unwrap_or_default());
        };
        let event = self.codec.event_key(room.id, event);
        // Its position is mostly unchanged, which the page itself shows.
        if page.direction == Direction::Older
            && let Some(slice) = self.page(room, page, Anchor::Assumed(event, then), 0).await?
        {
            return Ok(slice);
        }
        let now = self.find(&event).await?.map_or(Anchor::Nowhere, |row| Anchor::At(row.at));
        Ok(self.page(room, page, now, 0).await?.unwrap_or_default())
    }

    /// Reads pages of several rooms, each with the number of small segments.
    pub(crate) async fn timelines(&self, pages: &[(RoomId, Page, usize)]) -> Result<Vec<Slice>> {
        // Requests that wait side by side: the transaction answers all of them in one turn.
        try_join_all(pages.iter().map(|(room, page, small)| self.timeline(room, page, *small))).await
    }

    /// Reads a page; `None` if its anchor is assumed at a position, and not found there.
    async fn page(
        &self,
        room: RoomRef<'_>,
        page: &Page,
        anchor: Anchor,
        small: usize,
    ) -> Result<Option<Slice>> {
        let Some((oldest, newest)) = span(page, anchor.position()) else { return Ok(Some(Slice::default())) };
        let (key, wanted) = (room.key, page.limit.saturating_add(1));
        let most = u32::try_from(wanted).unwrap_or(u32::MAX);
        let (messages, gaps) = match page.direction {
            Direction::Older => {
                let gaps = self.kv.range(Table::Timeline, &keys::gaps(&key, oldest, newest), Some(most));
                let walk = Older::new(self.kv, self.codec, key, newest, anchor);
                let Some(messages) = self.older(room, walk, wanted, small).await? else { return Ok(None) };
                (messages, gaps.await?)
            }
            Direction::Newer => {
                let gaps = self.kv.range(Table::Timeline, &keys::gaps(&key, oldest, newest), None);
                let rows = newer(self.kv, self.codec, &key, oldest, wanted).await?;
                let mut messages = Vec::new();
                for row in rows {
                    messages.extend(self.codec.keep(row.message(self.codec, room))?);
                }
                // Newest first, while the page takes the oldest.
                let mut gaps = gaps.await?;
                gaps.drain(..gaps.len().saturating_sub(wanted));
                (messages, gaps)
            }
        };
        let gaps = gaps.iter().map(|value| gap_or_unknown(self.codec, room, value)).collect::<Result<_>>()?;
        Ok(Some(slice(messages, gaps, page.direction, page.limit)))
    }

    /// Reads up to `wanted` messages, newest first; `None` if its anchor is assumed, and not found there.
    async fn older(
        &self,
        room: RoomRef<'_>,
        mut walk: Older<'_, K>,
        wanted: usize,
        small: usize,
    ) -> Result<Option<Vec<Message>>> {
        let mut found = Vec::new();
        // The newest segment is seldom full.
        let mut segments = (wanted / MOST_ROWS + 2 + small).min(STRIDE);
        loop {
            let rows = match walk.step(segments).await? {
                Walked::Rows(rows) => rows,
                Walked::End => break,
                Walked::Elsewhere => return Ok(None),
            };
            let average = (rows.len() / segments).max(1);
            for row in rows {
                if found.len() >= wanted {
                    return Ok(Some(found));
                }
                found.extend(self.codec.keep(row.message(self.codec, room))?);
            }
            if found.len() >= wanted {
                break;
            }
            segments = ((wanted - found.len()) / average).saturating_add(1).min(2 * STRIDE);
        }
        Ok(Some(found))
    }

    async fn position_of(&self, room: &RoomId, event: &EventId) -> Result<Option<Position>> {
        let event = self.codec.event_key(room, event);
        Ok(self.find(&event).await?.map(|row| row.at))
    }

    /// Reads the row of an event.
    async fn find(&self, event: &Key) -> Result<Option<Row>> {
        let values = self.kv.held(&keys::event_entry(event)).await?;
        let (mut found, mut hidden) = (Vec::new(), Vec::new());
        for value in &values {
            let elsewhere = || corrupt("message", "an index names a message that is not");
            if !Overlay::is(value) {
                found.push(find(value, event)?.ok_or_else(elsewhere)?);
                continue;
            }
            // The overlay of a position counts, also over a segment's message there.
            let overlay = Overlay::decode(value)?;
            match overlay.row.filter(|row| row.event == *event) {
                Some(row) => return Ok(Some(row)),
                None if overlay.beneath.is_some_and(|beneath| beneath.event == *event) => {
                    hidden.push(overlay.at);
                }
                None => return Err(elsewhere()),
            }
        }
        Ok(found.into_iter().find(|row| !hidden.contains(&row.at)))
    }

    pub(crate) async fn message(&self, room: &RoomId, event: &EventId) -> Result<Option<Message>> {
        let Some(row) = self.find(&self.codec.event_key(room, event)).await? else { return Ok(None) };
        let found = row.message(self.codec, self.codec.room_ref(room))?;
        if found.id != *event {
            return Err(corrupt("message", "a message stands under another's key"));
        }
        Ok(Some(found))
    }

    pub(crate) async fn gaps(&self, room: &RoomId) -> Result<Vec<Gap>> {
        let room = self.codec.room_ref(room);
        let span = keys::gaps(&room.key, Position::MIN, Position::MAX);
        let values = self.kv.range(Table::Timeline, &span, None).await?;
        values.iter().rev().map(|value| gap_or_unknown(self.codec, room, value)).collect()
    }

    /// Counts without reading messages, except the segment of the first one.
    pub(crate) async fn count(&self, room: &RoomId, newer_than: Option<&EventId>) -> Result<u64> {
        let key = self.codec.room_key(room);
        let oldest = match newer_than {
            None => Some(Position::MIN),
            Some(event) => self.position_of(room, event).await?.and_then(|at| at.newer(1)),
        };
        let Some(oldest) = oldest else { return Ok(0) };
        let segments = self.kv.keys(Table::Timeline, &keys::segments(&key, oldest, Position::MAX), None);
        let overlays = self.kv.range(Table::Timeline, &keys::overlays(&key, oldest, Position::MAX), None);
        let mut count = 0_i64;
        for segment in segments.await? {
            let segment =
                SegmentKey::decode(&segment).ok_or_else(|| corrupt("count", "a segment's key is damaged"))?;
            count += if segment.oldest >= oldest {
                i64::from(segment.count)
            } else if segment.is_dense() {
                (segment.newest.get() - oldest.get() + 1) as i64
            } else {
                let value = self.kv.get(Table::Timeline, &segment.encode()).await?.unwrap_or_default();
                rows(&value)?.iter().filter(|row| row.at >= oldest).count() as i64
            };
        }
        for value in overlays.await? {
            let overlay = Overlay::decode(&value)?;
            count += i64::from(overlay.row.is_some()) - i64::from(overlay.beneath.is_some());
        }
        Ok(u64::try_from(count).unwrap_or(0))
    }

    pub(crate) async fn related(&self, query: &RelationQuery) -> Result<Vec<Message>> {
        let room = self.codec.room_ref(&query.room);
        let keys: Vec<Key> =
            query.targets.iter().map(|target| self.codec.event_key(room.id, target)).collect();
        let mut found = Vec::new();
        let holding = self.holding(&keys, keys::target_entry).await?;
        for ((target, key), rows) in query.targets.iter().zip(&keys).zip(holding) {
            let mut taken = 0;
            for row in rows.iter().filter(|row| row.target.as_ref() == Some(key)) {
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

    /// Reads, for each key, the rows of the records that name it, ascending. Of several rooms, by room.
    async fn holding(&self, keys: &[Key], entry: fn(&Key) -> String) -> Result<Vec<Vec<Row>>> {
        let holders = all(keys.iter().map(|key| self.kv.holders(&entry(key))).collect()).await?;
        let mut known = Known::unread();
        for key in holders.iter().flatten() {
            let room = room_of(key)?;
            load::holder(self.kv, &mut known, &room, key).await?;
        }
        let rows = |keys: &Vec<Vec<u8>>| -> Result<Vec<Row>> {
            let mut rows = Vec::new();
            for key in keys {
                rows.extend(known.rows_in(&room_of(key)?, key));
            }
            sort_by(&mut rows, |a, b| a.at.cmp(&b.at));
            rows.dedup_by_key(|row| row.event);
            Ok(rows)
        };
        holders.iter().map(rows).collect()
    }

    pub(crate) async fn messages(&self, query: &MessageQuery) -> Result<Vec<Message>> {
        match query {
            MessageQuery::Ids { room, events } => {
                let wanted: Vec<Key> = events.iter().map(|event| self.codec.event_key(room, event)).collect();
                let mut found = BTreeMap::new();
                for (event, rows) in wanted.iter().zip(self.holding(&wanted, keys::event_entry).await?) {
                    found.extend(rows.into_iter().filter(|row| row.event == *event).map(|row| (row.at, row)));
                }
                self.decode(room, found.values())
            }
            MessageQuery::Txn(txn_id) => self.messages_of_txn(txn_id).await,
            MessageQuery::Sender { room, sender, limit } => {
                let (room, wanted) = (self.codec.room_ref(room), self.codec.sender_key(room, sender));
                let mut walk = Older::all(self.kv, self.codec, room.key);
                let mut found = Vec::new();
                while found.len() < *limit
                    && let Walked::Rows(rows) = walk.step(STRIDE).await?
                {
                    for row in rows.iter().filter(|row| row.sender == wanted) {
                        found.extend(self.codec.keep(row.message(self.codec, room))?);
                    }
                }
                found.truncate(*limit);
                Ok(found)
            }
            MessageQuery::Time { room, from_ms, until_ms, limit } => {
                let mut walk = Older::all(self.kv, self.codec, self.codec.room_key(room));
                let mut found = Vec::new();
                while let Walked::Rows(rows) = walk.step(STRIDE).await? {
                    found.extend(
                        rows.into_iter().filter(|row| (*from_ms..*until_ms).contains(&row.timestamp_ms)),
                    );
                }
                sort_by(&mut found, |a, b| (a.timestamp_ms, a.at).cmp(&(b.timestamp_ms, b.at)));
                found.truncate(*limit);
                self.decode(room, &found)
            }
            _ => Err(Error::new(
                ErrorKind::Unsupported,
                "messages",
                "this version of the IndexedDB backend does not know this query: update it",
            )),
        }
    }

    fn decode<'r>(&self, room: &RoomId, rows: impl IntoIterator<Item = &'r Row>) -> Result<Vec<Message>> {
        let room = self.codec.room_ref(room);
        let mut found = Vec::new();
        for row in rows {
            found.extend(self.codec.keep(row.message(self.codec, room))?);
        }
        Ok(found)
    }

    async fn messages_of_txn(&self, txn_id: &TxnId) -> Result<Vec<Message>> {
        let txn = self.codec.txn_key(txn_id);
        let holders = self.kv.holders(&keys::txn_entry(&txn)).await?;
        let mut known = Known::unread();
        let mut found = Vec::new();
        for key in &holders {
            let room = room_of(key)?;
            load::holder(self.kv, &mut known, &room, key).await?;
            let Some(value) = self.kv.get(Table::Rooms, room.as_bytes()).await? else { continue };
            let Some(stored) = self.codec.keep(read_room_row(self.codec, &value))? else { continue };
            let rows = known.rows_in(&room, key);
            found.extend(self.decode(&stored.id, rows.iter().filter(|row| row.txn == Some(txn)))?);
        }
        found.retain(|message| message.txn_id.as_ref() == Some(txn_id));
        sort_by(&mut found, |a, b| (&a.room, a.position).cmp(&(&b.room, b.position)));
        found.dedup_by(|a, b| (&a.room, a.position) == (&b.room, b.position));
        Ok(found)
    }
}

/// Returns the positions that a page may show, both ends included.
fn span(page: &Page, anchor: Option<Position>) -> Option<(Position, Position)> {
    let Start::Beyond(cursor) = &page.start else { return Some((Position::MIN, Position::MAX)) };
    let at = cursor.resolve(anchor);
    match page.direction {
        Direction::Older => at.older(1).map(|newest| (Position::MIN, newest)),
        Direction::Newer => at.newer(1).map(|oldest| (oldest, Position::MAX)),
    }
}

/// Returns the room of a record of the timeline.
fn room_of(key: &[u8]) -> Result<Key> {
    let room = key.first_chunk().copied().map(Key::from_bytes);
    room.ok_or_else(|| corrupt("messages", "a key of the timeline is damaged"))
}
