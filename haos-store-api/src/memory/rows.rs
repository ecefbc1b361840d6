//! The tables as the laws see them, within one batch.

use super::tables::*;
use crate::law::{Inserted, Rows};
use crate::*;

/// One batch under way.
pub(super) struct Transaction<'a> {
    pub(super) tables: &'a mut Tables,
    pub(super) codec: &'a Codec,
    pub(super) journal: Vec<Undo>,
    /// The revision that the batch makes.
    pub(super) revision: Revision,
}

impl Transaction<'_> {
    /// Does one write and notes how to take it back.
    fn set(&mut self, write: impl FnOnce(&mut Tables) -> Undo) {
        self.journal.push(write(self.tables));
    }

    fn place(&self, room: &RoomId, position: Position) -> Place {
        (self.codec.room_key(room), position)
    }

    fn put_message(&mut self, message: &Message) -> Result<()> {
        let row = self.codec.message_row(message, self.revision)?;
        let record = MessageRecord {
            event: row.key,
            sender: row.sender,
            target: row.target,
            txn: row.txn,
            timestamp_ms: message.timestamp_ms,
            written: self.revision,
            payload: row.payload,
        };
        let place = self.place(&message.room, message.position);
        self.set(|tables| tables.set_message(place, Some(record)));
        Ok(())
    }

    fn drop_blob(&mut self, blob: u64) {
        let chunks: Vec<_> =
            self.tables.chunks.range((blob, 0)..=(blob, u64::MAX)).map(|(k, _)| *k).collect();
        for chunk in chunks {
            self.set(|tables| tables.set_chunk(chunk, None));
        }
    }

    fn put_media_info(&mut self, info: &MediaInfo, blob: u64) -> Result<()> {
        let row = self.codec.media_row(info, blob, self.revision)?;
        let record = MediaRecord {
            blob,
            size: info.size,
            last_access_ms: info.last_access_ms,
            pinned: info.pinned,
            written: self.revision,
            payload: row.payload,
        };
        self.set(|tables| tables.set_media(row.key, Some(record)));
        Ok(())
    }
}

impl Rows for Transaction<'_> {
    fn room(&mut self, id: &RoomId) -> Result<Option<Room>> {
        self.tables.room(self.codec, id)
    }

    fn write_room(&mut self, room: &Room) -> Result<()> {
        let row = self.codec.room_row(room)?;
        let record = RoomRecord {
            last_activity_ms: room.last_activity_ms,
            revision: room.revision,
            payload: row.payload,
        };
        self.set(|tables| tables.set_room(row.key, Some(record)));
        Ok(())
    }

    fn delete_room(&mut self, id: &RoomId) -> Result<()> {
        let key = self.codec.room_key(id);
        self.delete_span(id, Position::MIN, Position::MAX)?;
        let scope = self.codec.scope_key(&Scope::Room(id.clone()));
        for place in self.tables.state_places(scope) {
            self.set(|tables| tables.set_state(place, None));
        }
        self.set(|tables| tables.set_room(key, None));
        Ok(())
    }

    fn insert_message(&mut self, message: &Message) -> Result<Inserted> {
        if let Some(stored) = self.message(&message.room, &message.id)? {
            return Ok(Inserted::Exists(Box::new(stored)));
        }
        if self.is_taken(&message.room, message.position)? {
            return Ok(Inserted::Taken);
        }
        self.put_message(message)?;
        Ok(Inserted::Done)
    }

    fn message(&mut self, room: &RoomId, event: &EventId) -> Result<Option<Message>> {
        self.tables.message(self.codec, room, event)
    }

    fn is_taken(&mut self, room: &RoomId, position: Position) -> Result<bool> {
        Ok(self.tables.messages.contains_key(&self.place(room, position)))
    }

    fn update_message(&mut self, at: Position, message: &Message) -> Result<()> {
        self.delete_message(&message.room, at)?;
        self.put_message(message)
    }

    fn delete_message(&mut self, room: &RoomId, at: Position) -> Result<()> {
        let place = self.place(room, at);
        self.set(|tables| tables.set_message(place, None));
        Ok(())
    }

    fn positions(&mut self, room: &RoomId) -> Result<Vec<Position>> {
        let room = self.codec.room_key(room);
        Ok(self.tables.messages.range(whole(room)).map(|((_, position), _)| *position).collect())
    }

    fn delete_span(&mut self, room: &RoomId, oldest: Position, newest: Position) -> Result<()> {
        let span = self.place(room, oldest)..=self.place(room, newest);
        let messages: Vec<Place> =
            self.tables.messages.range(span.clone()).map(|(place, _)| *place).collect();
        let gaps: Vec<Place> = self.tables.gaps.range(span).map(|(place, _)| *place).collect();
        for place in messages {
            self.set(|tables| tables.set_message(place, None));
        }
        for place in gaps {
            self.set(|tables| tables.set_gap(place, None));
        }
        Ok(())
    }

    fn renumber(&mut self, room: &RoomId, moves: &[(Position, Position)], revision: Revision) -> Result<()> {
        let mut messages = Vec::new();
        let mut gaps = Vec::new();
        for (from, to) in moves {
            let place = self.place(room, *from);
            if let Some(message) = self.tables.message_at(self.codec, room, place)? {
                messages.push(Message { position: *to, ..message });
                self.set(|tables| tables.set_message(place, None));
            } else if let Some(gap) = self.tables.gap_at(self.codec, room, place)? {
                gaps.push(Gap { position: *to, revision, ..gap });
                self.set(|tables| tables.set_gap(place, None));
            }
        }
        messages.iter().try_for_each(|message| self.put_message(message))?;
        gaps.iter().try_for_each(|gap| self.write_gap(gap))
    }

    fn gaps(&mut self, room: &RoomId) -> Result<Vec<Gap>> {
        self.tables.gaps(self.codec, room)
    }

    fn write_gap(&mut self, gap: &Gap) -> Result<()> {
        let row = self.codec.gap_row(gap)?;
        let place = self.place(&gap.room, gap.position);
        let record = GapRecord { revision: gap.revision, payload: row.payload };
        self.set(|tables| tables.set_gap(place, Some(record)));
        Ok(())
    }

    fn delete_gap(&mut self, room: &RoomId, position: Position) -> Result<()> {
        let place = self.place(room, position);
        self.set(|tables| tables.set_gap(place, None));
        Ok(())
    }

    fn pending(&mut self, txn_id: &TxnId) -> Result<Option<Pending>> {
        match self.tables.pending_by_txn.get(&self.codec.txn_key(txn_id)).copied() {
            Some(seq) => self.tables.pending_at(self.codec, seq),
            None => Ok(None),
        }
    }

    fn all_pending(&mut self) -> Result<Vec<Pending>> {
        self.tables.pending_rows(self.codec, &PendingQuery::default())
    }

    fn next_seq(&mut self) -> Result<u64> {
        let seq = self.tables.last_seq + 1;
        self.set(|tables| tables.set_seq(seq));
        Ok(seq)
    }

    fn write_pending(&mut self, pending: &Pending) -> Result<()> {
        let row = self.codec.pending_row(pending)?;
        let record = PendingRecord {
            txn: row.key,
            room: row.room,
            not_before_ms: pending.not_before_ms,
            revision: pending.revision,
            payload: row.payload,
        };
        self.set(|tables| tables.set_pending(pending.seq, Some(record)));
        Ok(())
    }

    fn delete_pending(&mut self, txn_id: &TxnId) -> Result<()> {
        if let Some(seq) = self.tables.pending_by_txn.get(&self.codec.txn_key(txn_id)).copied() {
            self.set(|tables| tables.set_pending(seq, None));
        }
        Ok(())
    }

    fn media_info(&mut self, key: &MediaKey) -> Result<Option<MediaInfo>> {
        self.tables.media_info(self.codec, &self.codec.media_key(key))
    }

    fn all_media(&mut self) -> Result<Vec<MediaInfo>> {
        self.tables.media_rows(self.codec, &MediaQuery::default())
    }

    fn media_bytes(&mut self, key: &MediaKey) -> Result<Vec<u8>> {
        self.tables.media_bytes(self.codec, &self.codec.media_key(key), ByteRange::ALL)
    }

    fn write_media_info(&mut self, info: &MediaInfo) -> Result<()> {
        let stored = self.tables.media.get(&self.codec.media_key(&info.key)).map(|record| record.blob);
        let blob = match stored {
            Some(blob) => blob,
            None => {
                let blob = self.tables.last_blob + 1;
                self.set(|tables| tables.set_blob(blob));
                blob
            }
        };
        self.put_media_info(info, blob)
    }

    fn append_media(&mut self, key: &MediaKey, at: u64, bytes: &[u8]) -> Result<()> {
        let Some(blob) = self.tables.media.get(&self.codec.media_key(key)).map(|record| record.blob) else {
            return Err(Error::new(ErrorKind::Other, "apply", "bytes without a media row"));
        };
        let mut index = at / CHUNK_BYTES as u64;
        let mut chunk = match self.tables.chunks.get(&(blob, index)) {
            Some(payload) => self.codec.chunk(blob, index, payload.as_bytes())?,
            None => Vec::new(),
        };
        let mut rest = bytes;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(CHUNK_BYTES - chunk.len()));
            chunk.extend_from_slice(now);
            let payload = self.codec.chunk_row(blob, index, &chunk)?.payload;
            self.set(|tables| tables.set_chunk((blob, index), Some(payload)));
            chunk.clear();
            index += 1;
            rest = later;
        }
        Ok(())
    }

    fn rename_media(&mut self, from: &MediaKey, to: &MediaInfo) -> Result<()> {
        let from = self.codec.media_key(from);
        if let Some(blob) = self.tables.media.get(&from).map(|record| record.blob) {
            self.set(|tables| tables.set_media(from, None));
            self.put_media_info(to, blob)?;
        }
        Ok(())
    }

    fn delete_media(&mut self, key: &MediaKey) -> Result<()> {
        let key = self.codec.media_key(key);
        if let Some(blob) = self.tables.media.get(&key).map(|record| record.blob) {
            self.drop_blob(blob);
            self.set(|tables| tables.set_media(key, None));
        }
        Ok(())
    }

    fn state(&mut self, scope: &Scope, kind: &EventType, key: &StateKey) -> Result<Option<StateEntry>> {
        self.tables.state_at(self.codec, self.codec.state_place(scope, kind, key))
    }

    fn write_state(&mut self, entry: &StateEntry) -> Result<()> {
        let row = self.codec.state_row(entry, self.revision)?;
        let record = StateRecord { written: self.revision, payload: row.payload };
        self.set(|tables| tables.set_state((row.scope, row.kind, row.key), Some(record)));
        Ok(())
    }

    fn delete_state(&mut self, scope: &Scope, kind: &EventType, key: &StateKey) -> Result<()> {
        let place = self.codec.state_place(scope, kind, key);
        self.set(|tables| tables.set_state(place, None));
        Ok(())
    }
}
