//! Rows: what a backend stores of each entity.

use super::body::{GapBody, MediaBody, MessageBody, PendingBody, RoomBody, StateBody};
use super::{Codec, Key, Payload};
use crate::*;

/// A room: `revision` and `last_activity_ms` stay columns.
#[derive(Debug, Clone)]
pub struct RoomRow {
    /// Its key.
    pub key: Key,
    /// The rest.
    pub payload: Payload,
}

/// A message: position and time stay columns.
#[derive(Debug, Clone)]
pub struct MessageRow {
    /// Its key within its room.
    pub key: Key,
    /// Its sender's key within the room.
    pub sender: Key,
    /// The key of the message it relates to.
    pub target: Option<Key>,
    /// The key of its transaction.
    pub txn: Option<Key>,
    /// The rest.
    pub payload: Payload,
}

/// A gap: position and revision stay columns.
#[derive(Debug, Clone)]
pub struct GapRow {
    /// Its token.
    pub payload: Payload,
}

/// An outbox row: sequence number, due time and revision stay columns.
#[derive(Debug, Clone)]
pub struct PendingRow {
    /// Its key.
    pub key: Key,
    /// Its room's key.
    pub room: Key,
    /// The rest.
    pub payload: Payload,
}

/// A media item without its bytes: size, use and pin stay columns.
#[derive(Debug, Clone)]
pub struct MediaRow {
    /// Its key.
    pub key: Key,
    /// The rest.
    pub payload: Payload,
}

/// A chunk of a media item's bytes, bound to its blob number and place.
#[derive(Debug, Clone)]
pub struct ChunkRow {
    /// The bytes.
    pub payload: Payload,
}

/// A state entry.
#[derive(Debug, Clone)]
pub struct StateRow {
    /// Its scope's key.
    pub scope: Key,
    /// Its kind's key.
    pub kind: Key,
    /// Its key.
    pub key: Key,
    /// The rest.
    pub payload: Payload,
}

impl Codec {
    /// The row of a room.
    pub fn room_row(&self, room: &Room) -> Result<RoomRow> {
        let key = self.room_key(&room.id);
        let body = RoomBody {
            room_id: room.id.clone(),
            membership: room.membership,
            name: room.name.clone(),
            topic: room.topic.clone(),
            avatar: room.avatar.clone(),
            kind: room.kind.clone(),
            spaces: room.spaces.clone(),
            unread: room.unread,
        };
        Ok(RoomRow { key, payload: self.seal(Collection::Rooms, &key, &body)? })
    }

    /// The room of a row.
    ///
    /// # Errors
    /// `Corrupt` for bytes that this codec did not write; so for every reader below.
    pub fn room(&self, key: &Key, last_activity_ms: i64, revision: Revision, payload: &[u8]) -> Result<Room> {
        let body: RoomBody = self.open(Collection::Rooms, key, payload)?;
        Ok(Room {
            id: body.room_id,
            name: body.name,
            topic: body.topic,
            avatar: body.avatar,
            kind: body.kind,
            membership: body.membership,
            spaces: body.spaces,
            last_activity_ms,
            unread: body.unread,
            revision,
        })
    }

    /// The row of a message.
    pub fn message_row(&self, message: &Message) -> Result<MessageRow> {
        let room = &message.room;
        let key = self.event_key(room, &message.id);
        let body = MessageBody {
            event_id: message.id.clone(),
            sender: message.sender.clone(),
            r#type: message.kind.clone(),
            content: message.content.clone(),
            state_key: message.state_key.clone(),
            relation: message.relation.clone(),
            txn_id: message.txn_id.clone(),
            redacted_by: message.redacted_by.clone(),
            provisional: message.provisional,
            extra: message.extra.clone(),
        };
        Ok(MessageRow {
            key,
            sender: self.sender_key(room, &message.sender),
            target: message.relation.as_ref().map(|relation| self.event_key(room, &relation.target)),
            txn: message.txn_id.as_ref().map(|txn_id| self.txn_key(txn_id)),
            payload: self.seal(Collection::Messages, &key, &body)?,
        })
    }

    /// The message of a row.
    pub fn message(
        &self,
        room: &RoomId,
        key: &Key,
        position: Position,
        timestamp_ms: i64,
        payload: &[u8],
    ) -> Result<Message> {
        let body: MessageBody = self.open(Collection::Messages, key, payload)?;
        Ok(Message {
            room: room.clone(),
            id: body.event_id,
            position,
            sender: body.sender,
            timestamp_ms,
            kind: body.r#type,
            state_key: body.state_key,
            content: body.content,
            relation: body.relation,
            txn_id: body.txn_id,
            redacted_by: body.redacted_by,
            provisional: body.provisional,
            extra: body.extra,
        })
    }

    /// The row of a gap.
    pub fn gap_row(&self, gap: &Gap) -> Result<GapRow> {
        let body = GapBody { token: gap.token.clone() };
        let payload = self.seal(Collection::Gaps, &self.room_key(&gap.room), &body)?;
        Ok(GapRow { payload })
    }

    /// The gap of a row.
    pub fn gap(&self, room: &RoomId, position: Position, revision: Revision, payload: &[u8]) -> Result<Gap> {
        let body: GapBody = self.open(Collection::Gaps, &self.room_key(room), payload)?;
        Ok(Gap { room: room.clone(), position, token: body.token, revision })
    }

    /// The row of an outbox entry.
    pub fn pending_row(&self, pending: &Pending) -> Result<PendingRow> {
        let key = self.txn_key(&pending.txn_id);
        let p = pending.clone();
        let body = PendingBody {
            txn_id: p.txn_id,
            room_id: p.room,
            r#type: p.kind,
            content: p.content,
            state: p.state,
            wire: p.wire,
            attempts: p.attempts,
            ambiguous: p.ambiguous,
            created_ms: p.created_ms,
            first_attempt_ms: p.first_attempt_ms,
            last_attempt_ms: p.last_attempt_ms,
            lease: p.lease,
            fence: p.fence,
            parent: p.parent,
            target: p.target,
            priority: p.priority,
            expires_at_ms: p.expires_at_ms,
            event_id: p.event_id,
            error: p.error,
            sync_token: p.sync_token,
            device: p.device,
            media: p.media,
        };
        let room = self.room_key(&pending.room);
        Ok(PendingRow { key, room, payload: self.seal(Collection::Pending, &key, &body)? })
    }

    /// The outbox entry of a row.
    pub fn pending(
        &self,
        key: &Key,
        seq: u64,
        not_before_ms: i64,
        revision: Revision,
        payload: &[u8],
    ) -> Result<Pending> {
        let b: PendingBody = self.open(Collection::Pending, key, payload)?;
        Ok(Pending {
            txn_id: b.txn_id,
            seq,
            room: b.room_id,
            kind: b.r#type,
            content: b.content,
            wire: b.wire,
            state: b.state,
            attempts: b.attempts,
            ambiguous: b.ambiguous,
            created_ms: b.created_ms,
            first_attempt_ms: b.first_attempt_ms,
            last_attempt_ms: b.last_attempt_ms,
            not_before_ms,
            lease: b.lease,
            fence: b.fence,
            parent: b.parent,
            target: b.target,
            priority: b.priority,
            expires_at_ms: b.expires_at_ms,
            event_id: b.event_id,
            error: b.error,
            sync_token: b.sync_token,
            device: b.device,
            media: b.media,
            revision,
        })
    }

    /// The row of a media item.
    pub fn media_row(&self, info: &MediaInfo) -> Result<MediaRow> {
        let key = self.media_key(&info.key);
        let body = MediaBody {
            key: info.key.clone(),
            mime: info.mime.clone(),
            rooms: info.rooms.clone(),
            fetched_at_ms: info.fetched_at_ms,
        };
        Ok(MediaRow { key, payload: self.seal(Collection::Media, &key, &body)? })
    }

    /// The media item of a row.
    pub fn media_info(
        &self,
        key: &Key,
        size: u64,
        last_access_ms: i64,
        pinned: bool,
        payload: &[u8],
    ) -> Result<MediaInfo> {
        let body: MediaBody = self.open(Collection::Media, key, payload)?;
        Ok(MediaInfo {
            key: body.key,
            size,
            mime: body.mime,
            rooms: body.rooms,
            last_access_ms,
            fetched_at_ms: body.fetched_at_ms,
            pinned,
        })
    }

    /// The row of chunk `index` of the blob with number `blob`. A blob keeps its number when its item
    /// is renamed, so that no bytes move.
    pub fn chunk_row(&self, blob: u64, index: u64, bytes: &[u8]) -> ChunkRow {
        ChunkRow { payload: self.seal_raw(&self.chunk_key(blob, index), bytes) }
    }

    /// The bytes of a chunk row.
    pub fn chunk(&self, blob: u64, index: u64, payload: &[u8]) -> Result<Vec<u8>> {
        self.open_raw(Collection::Media, &self.chunk_key(blob, index), payload)
    }

    /// The row of a state entry.
    pub fn state_row(&self, entry: &StateEntry) -> Result<StateRow> {
        let key = self.state_key(&entry.scope, &entry.kind, &entry.key);
        let body = StateBody {
            scope: entry.scope.clone(),
            kind: entry.kind.clone(),
            key: entry.key.clone(),
            value: entry.value.clone(),
            event_id: entry.event_id.clone(),
        };
        Ok(StateRow {
            scope: self.scope_key(&entry.scope),
            kind: self.kind_key(&entry.scope, &entry.kind),
            key,
            payload: self.seal(Collection::State, &key, &body)?,
        })
    }

    /// The state entry of a row.
    pub fn state(&self, key: &Key, payload: &[u8]) -> Result<StateEntry> {
        let body: StateBody = self.open(Collection::State, key, payload)?;
        Ok(StateEntry {
            scope: body.scope,
            kind: body.kind,
            key: body.key,
            event_id: body.event_id,
            value: body.value,
        })
    }
}
