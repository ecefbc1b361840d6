use super::super::body::{GapBody, MessageBody};
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
    /// The rest.
    pub payload: Payload,
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
}

/// A gap: position and revision stay columns.
#[derive(Debug, Clone)]
pub struct GapRow {
    /// Its token.
    pub payload: Payload,
}

impl Codec {
    /// The row of a message that the commit `written` writes.
    pub fn message_row(&self, message: &Message, written: Revision) -> Result<MessageRow> {
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
        let columns =
            MessageColumns { position: message.position, timestamp_ms: message.timestamp_ms, written };
        Ok(MessageRow {
            key,
            sender: self.sender_key(room, &message.sender),
            target: message.relation.as_ref().map(|relation| self.event_key(room, &relation.target)),
            txn: message.txn_id.as_ref().map(|txn_id| self.txn_key(txn_id)),
            payload: self.seal(&RowRef::Message { key: &key, columns }, &body)?,
        })
    }

    /// The message of a row.
    pub fn message(
        &self,
        room: &RoomId,
        key: &Key,
        columns: MessageColumns,
        payload: &[u8],
    ) -> Result<Message> {
        let body: MessageBody = self.open(&RowRef::Message { key, columns }, payload)?;
        Ok(Message {
            room: room.clone(),
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

    /// The payload of a message that moves, for its new place; none if it is good there as it is.
    ///
    /// # Errors
    /// As [`message`](Self::message).
    pub fn moved_message(
        &self,
        key: &Key,
        from: MessageColumns,
        to: Position,
        payload: &[u8],
    ) -> Result<Option<Payload>> {
        let columns = MessageColumns { position: to, ..from };
        self.rebind(&RowRef::Message { key, columns: from }, &RowRef::Message { key, columns }, payload)
    }

    /// The row of a gap.
    pub fn gap_row(&self, gap: &Gap) -> Result<GapRow> {
        let body = GapBody { token: gap.token.clone() };
        let room = &self.room_key(&gap.room);
        let Gap { position, revision, .. } = *gap;
        Ok(GapRow { payload: self.seal(&RowRef::Gap { room, position, revision }, &body)? })
    }

    /// The gap of a row.
    pub fn gap(&self, room: &RoomId, position: Position, revision: Revision, payload: &[u8]) -> Result<Gap> {
        let key = &self.room_key(room);
        let body: GapBody = self.open(&RowRef::Gap { room: key, position, revision }, payload)?;
        Ok(Gap { room: room.clone(), position, token: body.token, revision })
    }
}
