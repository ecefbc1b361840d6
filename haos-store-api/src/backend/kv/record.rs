//! Values of the tree: fixed columns, then the codec's payload.

use std::ops::Deref;

use super::columns::{Columns, Cut};
use super::corrupt;
use crate::{
    Key, Links, MediaColumns, MediaInfo, MessageColumns, MessageRow, PendingColumns, Position, Result,
    Revision,
};

/// A message's row, its indexes' keys included.
#[derive(Debug)]
pub(crate) struct MessageRecord<B> {
    pub(crate) event: Key,
    pub(crate) sender: Key,
    pub(crate) target: Option<Key>,
    pub(crate) txn: Option<Key>,
    pub(crate) timestamp_ms: i64,
    pub(crate) written: Revision,
    value: B,
    payload: usize,
}

const HAS_TARGET: u8 = 1;
const HAS_TXN: u8 = 2;

impl<B: Deref<Target = [u8]> + Clone + From<Vec<u8>>> MessageRecord<B> {
    pub(crate) fn decode(value: B) -> Result<Self> {
        let mut cut = Cut(&value);
        let (event, sender) = (cut.key()?, cut.key()?);
        let (timestamp_ms, written, flags) = (cut.int()?, cut.revision()?, cut.byte()?);
        if flags & !(HAS_TARGET | HAS_TXN) != 0 {
            return Err(corrupt("decode", "a message has unknown columns"));
        }
        let target = (flags & HAS_TARGET != 0).then(|| cut.key()).transpose()?;
        let txn = (flags & HAS_TXN != 0).then(|| cut.key()).transpose()?;
        let payload = value.len() - cut.0.len();
        Ok(Self { event, sender, target, txn, timestamp_ms, written, value, payload })
    }

    pub(crate) fn payload(&self) -> &[u8] {
        &self.value[self.payload..]
    }

    pub(crate) fn columns(&self, position: Position) -> MessageColumns {
        let links = Links::of(&self.sender, self.target.as_ref(), self.txn.as_ref());
        MessageColumns { position, timestamp_ms: self.timestamp_ms, written: self.written, links }
    }

    /// Returns the row with another payload, or unchanged.
    pub(crate) fn with_payload(&self, payload: Option<&[u8]>) -> B {
        match payload {
            Some(payload) => Columns::of(&self.value[..self.payload]).end(payload).into(),
            None => self.value.clone(),
        }
    }
}

/// Encodes a message's row.
pub(crate) fn message(row: &MessageRow, timestamp_ms: i64, written: Revision) -> Vec<u8> {
    let flags = row.target.map_or(0, |_| HAS_TARGET) | row.txn.map_or(0, |_| HAS_TXN);
    let columns = Columns::default().key(&row.key).key(&row.sender).int(timestamp_ms).count(written.0);
    let mut columns = columns.byte(flags);
    for key in [&row.target, &row.txn].into_iter().flatten() {
        columns = columns.key(key);
    }
    columns.end(row.payload.as_bytes())
}

/// Encodes the columns at the head of a media item's row.
pub(crate) fn media(info: &MediaInfo, blob: u64, written: Revision) -> Columns {
    Columns::default()
        .count(blob)
        .count(info.size)
        .int(info.last_access_ms)
        .byte(info.pinned.into())
        .count(written.0)
}

/// Splits an outbox row into its transaction's key, its other columns and the rest.
pub(crate) fn pending_columns(seq: u64, value: &[u8]) -> Result<(Key, PendingColumns, &[u8])> {
    let mut cut = Cut(value);
    let (txn, room) = (cut.key()?, Some(cut.key()?.short()));
    let (not_before_ms, revision) = (cut.int()?, cut.revision()?);
    Ok((txn, PendingColumns { seq, room, not_before_ms, revision }, cut.0))
}

/// Reads the columns of a media item's row; gives the payload as well.
///
/// # Errors
/// `Corrupt` for a row that is too short.
pub fn media_columns(value: &[u8]) -> Result<(MediaColumns, &[u8])> {
    let mut cut = Cut(value);
    let (blob, size, last_access_ms) = (cut.count()?, cut.count()?, cut.int()?);
    let (pinned, written) = (cut.byte()? != 0, cut.revision()?);
    Ok((MediaColumns { blob, size, last_access_ms, pinned, written }, cut.0))
}
