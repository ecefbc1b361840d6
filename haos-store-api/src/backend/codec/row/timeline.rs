use super::super::body::{GapBody, MessageBody};
use super::super::frame::{damaged, own_key};
use super::super::{Codec, Key, Payload, RowRef};
use crate::*;

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
    /// The other fields.
    pub payload: Payload,
}

/// A room and its key, which is computed once for all of its rows.
#[derive(Debug, Clone, Copy)]
pub struct RoomRef<'a> {
    /// The room.
    pub id: &'a RoomId,
    /// Its key.
    pub key: Key,
}

/// The short keys that find a message besides its own: the columns of an index.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Links {
    /// Four bytes of its sender's key: enough to tell the senders of a room apart; ids resolve collisions.
    pub sender: i64,
    /// The short key of the message it relates to.
    pub target: Option<i64>,
    /// The short key of its transaction.
    pub txn: Option<i64>,
}

impl Links {
    /// Shortens whole keys.
    pub fn of(sender: &Key, target: Option<&Key>, txn: Option<&Key>) -> Self {
        Self { sender: Self::short_sender(sender), target: target.map(Key::short), txn: txn.map(Key::short) }
    }

    /// Returns the short key of a sender.
    pub fn short_sender(key: &Key) -> i64 {
        key.short() >> 32
    }

    /// Returns each as a column, and which of them are present.
    pub(in crate::backend::codec) fn columns(&self) -> [i64; 4] {
        let which = i64::from(self.target.is_some()) | i64::from(self.txn.is_some()) << 1;
        [self.sender, self.target.unwrap_or_default(), self.txn.unwrap_or_default(), which]
    }
}

impl MessageRow {
    /// Returns the short keys that find the message.
    pub fn links(&self) -> Links {
        Links::of(&self.sender, self.target.as_ref(), self.txn.as_ref())
    }
}

/// The columns of a message that its payload is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageColumns {
    /// Its place in the timeline.
    pub position: Position,
    /// The server's time.
    pub timestamp_ms: i64,
    /// The commit that wrote the payload.
    pub written: Revision,
    /// Its short keys. Ignored where [`Codec::binds`] is false.
    pub links: Links,
}

/// A gap: position and revision stay columns.
#[derive(Debug, Clone)]
pub struct GapRow {
    /// Its token.
    pub payload: Payload,
}

impl Codec {
    /// Pairs a room with its key, for reading its rows.
    pub fn room_ref<'a>(&self, id: &'a RoomId) -> RoomRef<'a> {
        RoomRef { id, key: self.room_key(id) }
    }

    /// Makes the row of a message that the commit `written` writes.
    pub fn message_row(&self, message: &Message, written: Revision) -> Result<MessageRow> {
        // Ignored for a payload that is not bound.
        let room = if self.binds() { self.room_key(&message.room) } else { Key::from_bytes([0; Key::BYTES]) };
        self.message_row_in(&room, message, written)
    }

    /// Makes the row of a message in a room whose key is known: computed once for all of its messages.
    pub fn message_row_in(&self, room_key: &Key, message: &Message, written: Revision) -> Result<MessageRow> {
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
        let sender = self.sender_key(room, &message.sender);
        let target = message.relation.as_ref().map(|relation| self.event_key(room, &relation.target));
        let txn = message.txn_id.as_ref().map(|txn_id| self.txn_key(txn_id));
        let columns = MessageColumns {
            position: message.position,
            timestamp_ms: message.timestamp_ms,
            written,
            links: Links::of(&sender, target.as_ref(), txn.as_ref()),
        };
        let payload = self.seal(&RowRef::Message { room: room_key, key: &key, columns }, &body)?;
        Ok(MessageRow { key, sender, target, txn, payload })
    }

    /// Reads the message of a row.
    pub fn message(
        &self,
        room: RoomRef<'_>,
        key: &Key,
        columns: MessageColumns,
        payload: &[u8],
    ) -> Result<Message> {
        let row = &RowRef::Message { room: &room.key, key, columns };
        let body: MessageBody = self.open(row, payload)?;
        own_key(self, row, || self.event_key(room.id, &body.event_id))?;
        Ok(Message {
            room: room.id.clone(),
            id: body.event_id,
            position: columns.position,
            sender: body.sender,
            timestamp_ms: columns.timestamp_ms,
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

    /// Binds the payload of a message that moves to its new place; `None` if it fits there as it is.
    ///
    /// # Errors
    /// As [`message`](Self::message).
    pub fn moved_message(
        &self,
        room: &Key,
        key: &Key,
        from: MessageColumns,
        to: Position,
        payload: &[u8],
    ) -> Result<Option<Payload>> {
        let at = |columns| RowRef::Message { room, key, columns };
        self.rebind(&at(from), &at(MessageColumns { position: to, ..from }), payload)
    }

    /// Makes the row of a gap.
    pub fn gap_row(&self, gap: &Gap) -> Result<GapRow> {
        let body = GapBody { room_id: gap.room.clone(), token: gap.token.clone() };
        let room = &self.room_key(&gap.room);
        let Gap { position, revision, .. } = *gap;
        Ok(GapRow { payload: self.seal(&RowRef::Gap { room, position, revision }, &body)? })
    }

    /// Reads the gap of a row.
    pub fn gap(
        &self,
        room: RoomRef<'_>,
        position: Position,
        revision: Revision,
        payload: &[u8],
    ) -> Result<Gap> {
        let gap = self.gap_in(&room.key, position, revision, payload)?;
        if gap.room != *room.id {
            let row = RowRef::Gap { room: &room.key, position, revision };
            return Err(damaged(&row.bound(self), &"it is of another room"));
        }
        Ok(gap)
    }

    /// Reads the gap of a row of a room of which the key alone is known.
    ///
    /// # Errors
    /// As [`gap`](Self::gap); a plain row of `Form::Text` may be another room's.
    pub fn gap_in(&self, room: &Key, position: Position, revision: Revision, payload: &[u8]) -> Result<Gap> {
        let body: GapBody = self.open(&RowRef::Gap { room, position, revision }, payload)?;
        Ok(Gap { room: body.room_id, position, token: body.token, revision })
    }
}
