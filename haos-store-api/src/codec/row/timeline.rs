use super::super::body::{GapBody, MessageBody};
use super::super::{Codec, Key, Payload};
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

/// A gap: position and revision stay columns.
#[derive(Debug, Clone)]
pub struct GapRow {
    /// Its token.
    pub payload: Payload,
}

impl Codec {
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
}
