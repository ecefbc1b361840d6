//! Reads: rows gathered by index, cut by the laws.

use super::tables::*;
use crate::law::{
    RoomPager, media_matches, pending_matches, relation_matches, slice, sort_media, sort_state,
};
use crate::*;

impl Codec {
    pub(super) fn state_place(&self, scope: &Scope, kind: &EventType, key: &StateKey) -> StatePlace {
        (self.scope_key(scope), self.kind_key(scope, kind), self.state_key(scope, kind, key))
    }
}

impl Tables {
    pub(super) fn room(&self, codec: &Codec, id: &RoomId) -> Result<Option<Room>> {
        let room = self.room_at(codec, &codec.room_key(id))?;
        Ok(room.filter(|room| room.id == *id))
    }

    pub(super) fn room_at(&self, codec: &Codec, key: &Key) -> Result<Option<Room>> {
        let Some(record) = self.rooms.get(key) else { return Ok(None) };
        codec.room(key, record.last_activity_ms, record.revision, record.payload.as_bytes()).map(Some)
    }

    pub(super) fn rooms(&self, codec: &Codec, query: RoomQuery) -> Result<Vec<Room>> {
        let mut pager = RoomPager::new(query);
        let newest = std::cmp::Reverse(pager.newest_ms());
        for (activity, key) in &self.rooms_by_activity {
            if *activity < newest {
                continue;
            }
            let Some(room) = self.room_at(codec, key)? else { continue };
            if !pager.push(room) {
                break;
            }
        }
        Ok(pager.finish())
    }

    pub(super) fn message(&self, codec: &Codec, room: &RoomId, event: &EventId) -> Result<Option<Message>> {
        let Some(position) = self.by_event.get(&codec.event_key(room, event)) else { return Ok(None) };
        let message = self.message_at(codec, room, (codec.room_key(room), *position))?;
        Ok(message.filter(|message| message.id == *event))
    }

    pub(super) fn message_at(&self, codec: &Codec, room: &RoomId, place: Place) -> Result<Option<Message>> {
        let Some(record) = self.messages.get(&place) else { return Ok(None) };
        let payload = record.payload.as_bytes();
        let room = RoomRef { id: room, key: place.0 };
        codec.message(room, &record.event, record.columns(place.1), payload).map(Some)
    }

    pub(super) fn gap_at(&self, codec: &Codec, room: &RoomId, place: Place) -> Result<Option<Gap>> {
        let Some(record) = self.gaps.get(&place) else { return Ok(None) };
        let room = RoomRef { id: room, key: place.0 };
        codec.gap(room, place.1, record.revision, record.payload.as_bytes()).map(Some)
    }

    pub(super) fn gaps(&self, codec: &Codec, room: &RoomId) -> Result<Vec<Gap>> {
        let places = self.gaps.range(whole(codec.room_key(room))).map(|(place, _)| *place);
        places.filter_map(|place| self.gap_at(codec, room, place).transpose()).collect()
    }

    pub(super) fn timeline(&self, codec: &Codec, room: &RoomId, page: &Page) -> Result<Slice> {
        let key = codec.room_key(room);
        let span = match &page.start {
            Start::End => Some((Position::MIN, Position::MAX)),
            Start::Beyond(cursor) => {
                let anchor =
                    cursor.anchor().and_then(|event| self.by_event.get(&codec.event_key(room, event)));
                let at = cursor.resolve(anchor.copied());
                match page.direction {
                    Direction::Older => at.older(1).map(|newest| (Position::MIN, newest)),
                    Direction::Newer => at.newer(1).map(|oldest| (oldest, Position::MAX)),
                }
            }
        };
        let Some((oldest, newest)) = span else { return Ok(Slice::default()) };
        let span = (key, oldest)..=(key, newest);
        let wanted = page.limit.saturating_add(1);
        let cut = |places: &mut dyn DoubleEndedIterator<Item = Place>| -> Vec<Place> {
            match page.direction {
                Direction::Newer => places.take(wanted).collect(),
                Direction::Older => places.rev().take(wanted).collect(),
            }
        };
        let messages = cut(&mut self.messages.range(span.clone()).map(|(place, _)| *place));
        let gaps = cut(&mut self.gaps.range(span).map(|(place, _)| *place));
        let messages = self.messages_at(codec, room, messages)?;
        let gaps = gaps.into_iter().filter_map(|place| self.gap_at(codec, room, place).transpose());
        Ok(slice(messages, gaps.collect::<Result<_>>()?, page.direction, page.limit))
    }

    fn messages_at(
        &self,
        codec: &Codec,
        room: &RoomId,
        places: impl IntoIterator<Item = Place>,
    ) -> Result<Vec<Message>> {
        places.into_iter().filter_map(|place| self.message_at(codec, room, place).transpose()).collect()
    }

    pub(super) fn count(&self, codec: &Codec, room: &RoomId, newer_than: Option<&EventId>) -> u64 {
        let key = codec.room_key(room);
        let oldest = match newer_than {
            None => Some(Position::MIN),
            Some(event) => {
                self.by_event.get(&codec.event_key(room, event)).and_then(|position| position.newer(1))
            }
        };
        let Some(oldest) = oldest else { return 0 };
        self.messages.range((key, oldest)..=(key, Position::MAX)).count() as u64
    }

    pub(super) fn related(&self, codec: &Codec, query: &RelationQuery) -> Result<Vec<Message>> {
        let room = codec.room_key(&query.room);
        let mut places = std::collections::BTreeMap::new();
        for target in &query.targets {
            let key = codec.event_key(&query.room, target);
            let span = (key, Position::MIN)..=(key, Position::MAX);
            places.extend(self.by_target.range(span).map(|(_, position)| ((room, *position), target)));
        }
        let mut found = Vec::new();
        for (place, target) in places {
            if found.len() >= query.limit {
                break;
            }
            let message = self.message_at(codec, &query.room, place)?;
            found.extend(message.filter(|message| relation_matches(query, target, message)));
        }
        Ok(found)
    }

    pub(super) fn messages(&self, codec: &Codec, query: &MessageQuery) -> Result<Vec<Message>> {
        match query {
            MessageQuery::Ids { room, events } => {
                let keys = events.iter().map(|event| codec.event_key(room, event));
                let positions: std::collections::BTreeSet<_> =
                    keys.filter_map(|key| self.by_event.get(&key).copied()).collect();
                let key = codec.room_key(room);
                self.messages_at(codec, room, positions.into_iter().map(|position| (key, position)))
            }
            MessageQuery::Txn(txn_id) => self.by_txn(codec, txn_id),
            MessageQuery::Sender { room, sender, limit } => {
                let (key, sender) = (codec.room_key(room), codec.sender_key(room, sender));
                let span = (sender, Position::MIN)..=(sender, Position::MAX);
                let places = self.by_sender.range(span).rev().take(*limit);
                self.messages_at(codec, room, places.map(|(_, position)| (key, *position)))
            }
            MessageQuery::Time { room, from_ms, until_ms, limit } => {
                if from_ms >= until_ms {
                    return Ok(Vec::new());
                }
                let key = codec.room_key(room);
                let span = (key, *from_ms, Position::MIN)..(key, *until_ms, Position::MIN);
                let places = self.by_time.range(span).take(*limit);
                self.messages_at(codec, room, places.map(|(_, _, position)| (key, *position)))
            }
        }
    }

    fn by_txn(&self, codec: &Codec, txn_id: &TxnId) -> Result<Vec<Message>> {
        let txn = codec.txn_key(txn_id);
        let mut found = Vec::new();
        for (_, place) in
            self.by_txn.range((txn, (Key::MIN, Position::MIN))..).take_while(|(key, _)| *key == txn)
        {
            if let Some(room) = self.room_at(codec, &place.0)? {
                found.extend(self.message_at(codec, &room.id, *place)?);
            }
        }
        found.sort_by(|a, b| (&a.room, a.position).cmp(&(&b.room, b.position)));
        Ok(found)
    }

    pub(super) fn pending_at(&self, codec: &Codec, seq: u64) -> Result<Option<Pending>> {
        let Some(record) = self.pending.get(&seq) else { return Ok(None) };
        let payload = record.payload.as_bytes();
        codec.pending(&record.txn, record.columns(seq), payload).map(Some)
    }

    pub(super) fn pending_rows(&self, codec: &Codec, query: &PendingQuery) -> Result<Vec<Pending>> {
        let Some(first) = query.after_seq.checked_add(1) else { return Ok(Vec::new()) };
        let seqs: Box<dyn Iterator<Item = u64>> = match (&query.txn_id, &query.room) {
            (Some(txn_id), _) => {
                Box::new(self.pending_by_txn.get(&codec.txn_key(txn_id)).copied().into_iter())
            }
            (None, Some(room)) => {
                let room = codec.room_key(room);
                Box::new(self.pending_by_room.range((room, first)..=(room, u64::MAX)).map(|(_, seq)| *seq))
            }
            (None, None) => Box::new(self.pending.range(first..).map(|(seq, _)| *seq)),
        };
        let mut found = Vec::new();
        for seq in seqs {
            if found.len() >= query.limit {
                break;
            }
            let row = self.pending_at(codec, seq);
            let row = if query.skip_damaged { codec.keep(row)?.flatten() } else { row? };
            found.extend(row.filter(|row| pending_matches(query, row)));
        }
        Ok(found)
    }

    pub(super) fn media_info(&self, codec: &Codec, key: &Key) -> Result<Option<MediaInfo>> {
        let Some(record) = self.media.get(key) else { return Ok(None) };
        let payload = record.payload.as_bytes();
        codec.media_info(key, record.columns(), payload).map(Some)
    }

    pub(super) fn media_bytes(&self, codec: &Codec, key: &Key, range: ByteRange) -> Result<Vec<u8>> {
        let Some(record) = self.media.get(key) else { return Ok(Vec::new()) };
        let span = range.within(record.size);
        let mut bytes = Vec::new();
        if span.is_empty() {
            return Ok(bytes);
        }
        let chunk = CHUNK_BYTES as u64;
        for index in span.start / chunk..=(span.end - 1) / chunk {
            let payload = self.chunks.get(&(record.blob, index)).ok_or_else(|| {
                Error::corrupt("media", "a media item lacks some of its bytes: remove it and fetch it again")
            })?;
            let stored = codec.chunk(record.blob, index, payload.as_bytes())?;
            let first = index * chunk;
            let part = ByteRange { start: span.start.saturating_sub(first), end: span.end - first };
            let part = part.within(stored.len() as u64);
            // A part lies within a chunk, so it fits a usize.
            bytes.extend_from_slice(&stored[part.start as usize..part.end as usize]);
        }
        Ok(bytes)
    }

    pub(super) fn media_rows(&self, codec: &Codec, query: &MediaQuery) -> Result<Vec<MediaInfo>> {
        let mut found = Vec::new();
        if let Some(key) = &query.key {
            found.extend(self.media_info(codec, &codec.media_key(key))?);
        } else {
            for key in self.media.keys() {
                found.extend(self.media_info(codec, key)?);
            }
        }
        found.retain(|info| media_matches(query, info));
        sort_media(&mut found, query.limit);
        Ok(found)
    }

    pub(super) fn state_at(&self, codec: &Codec, place: StatePlace) -> Result<Option<StateEntry>> {
        let read = |record: &StateRecord| codec.state(record.columns(place), record.payload.as_bytes());
        self.state.get(&place).map(read).transpose()
    }

    pub(super) fn state_places(&self, scope: Key) -> Vec<StatePlace> {
        let from = (scope, Key::MIN, Key::MIN);
        self.state.range(from..).map(|(place, _)| *place).take_while(|place| place.0 == scope).collect()
    }

    pub(super) fn state_rows(&self, codec: &Codec, query: &StateQuery) -> Result<Vec<StateEntry>> {
        let mut entries = Vec::new();
        if let (Some(kind), Some(key)) = (&query.kind, &query.key) {
            entries.extend(self.state_at(codec, codec.state_place(&query.scope, kind, key))?);
            return Ok(entries);
        }
        let scope = codec.scope_key(&query.scope);
        let kind = query.kind.as_ref().map(|kind| codec.kind_key(&query.scope, kind));
        let from = (scope, kind.unwrap_or(Key::MIN), Key::MIN);
        let rows = self.state.range(from..);
        for (place, record) in
            rows.take_while(|(place, _)| place.0 == scope && kind.is_none_or(|k| place.1 == k))
        {
            entries.push(codec.state(record.columns(*place), record.payload.as_bytes())?);
        }
        entries.retain(|entry| query.key.as_ref().is_none_or(|key| entry.key == *key));
        sort_state(&mut entries);
        Ok(entries)
    }
}
