use super::super::body::PendingBody;
use super::super::{Codec, Key, Payload, RowRef};
use crate::*;

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

impl Codec {
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
            remote: p.remote,
            anchor: p.anchor,
        };
        let room = self.room_key(&pending.room);
        let Pending { seq, not_before_ms, revision, .. } = *pending;
        let payload = self.seal(&RowRef::Pending { key: &key, seq, not_before_ms, revision }, &body)?;
        Ok(PendingRow { key, room, payload })
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
        let b: PendingBody = self.open(&RowRef::Pending { key, seq, not_before_ms, revision }, payload)?;
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
            remote: b.remote,
            anchor: b.anchor,
            revision,
        })
    }
}
