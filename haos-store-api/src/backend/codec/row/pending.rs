use super::super::body::PendingBody;
use super::super::frame::{damaged, own_key};
use super::super::{Codec, Key, Payload, RowRef};
use crate::*;

/// An outbox row: sequence number, due time and revision stay columns.
#[derive(Debug, Clone)]
pub struct PendingRow {
    /// Its key.
    pub key: Key,
    /// Its room's key.
    pub room: Key,
    /// The other fields.
    pub payload: Payload,
}

/// The columns of an outbox row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PendingColumns {
    /// Its sequence number.
    pub seq: u64,
    /// The short key of its room, from a backend that keeps one.
    pub room: Option<i64>,
    /// The earliest moment of its next attempt.
    pub not_before_ms: i64,
    /// The revision of its latest change.
    pub revision: Revision,
}

impl Codec {
    /// Makes the row of an outbox entry.
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
            wire_kind: p.wire_kind,
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
            remote: p.remote,
            anchor: p.anchor,
        };
        let room = self.room_key(&pending.room);
        let Pending { seq, not_before_ms, revision, .. } = *pending;
        let payload = self.seal(&RowRef::Pending { key: &key, seq, not_before_ms, revision }, &body)?;
        Ok(PendingRow { key, room, payload })
    }

    /// Reads the outbox entry of a row.
    pub fn pending(&self, key: &Key, columns: PendingColumns, payload: &[u8]) -> Result<Pending> {
        let PendingColumns { seq, room, not_before_ms, revision } = columns;
        let row = &RowRef::Pending { key, seq, not_before_ms, revision };
        let b: PendingBody = self.open(row, payload)?;
        own_key(self, row, || self.txn_key(&b.txn_id))?;
        // Compared and not bound: not every backend has the column, and no outbox is long.
        if room.is_some_and(|room| room != self.room_key(&b.room_id).short()) {
            return Err(damaged(&row.bound(self), &"it stands under another room's key"));
        }
        Ok(Pending {
            txn_id: b.txn_id,
            seq,
            room: b.room_id,
            kind: b.r#type,
            content: b.content,
            wire: b.wire,
            wire_kind: b.wire_kind,
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
            remote: b.remote,
            anchor: b.anchor,
            revision,
        })
    }
}
