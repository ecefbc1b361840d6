//! Values of the tree: fixed columns, then the codec's payload.

use haos_store_api::{
    Key, Links, MediaColumns, MediaInfo, MessageColumns, MessageRow, PendingColumns, Position, Result,
    Revision,
};
use sled::IVec;

use haos_store_api::native::corrupt;

/// Columns written one after the other.
#[derive(Debug, Default)]
pub(crate) struct Columns(Vec<u8>);

impl Columns {
    pub(crate) fn key(mut self, key: &Key) -> Self {
        self.0.extend_from_slice(key.as_bytes());
        self
    }

    pub(crate) fn int(mut self, value: i64) -> Self {
        self.0.extend(value.to_be_bytes());
        self
    }

    pub(crate) fn count(mut self, value: u64) -> Self {
        self.0.extend(value.to_be_bytes());
        self
    }

    pub(crate) fn nr(mut self, value: u32) -> Self {
        self.0.extend(value.to_be_bytes());
        self
    }

    pub(crate) fn byte(mut self, value: u8) -> Self {
        self.0.push(value);
        self
    }

    pub(crate) fn end(mut self, payload: &[u8]) -> IVec {
        self.0.extend_from_slice(payload);
        self.0.into()
    }
}

/// Columns read one after the other; what is left is the payload.
#[derive(Debug)]
pub(crate) struct Cut<'a>(pub(crate) &'a [u8]);

impl Cut<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (part, rest) =
            self.0.split_first_chunk::<N>().ok_or_else(|| corrupt("decode", "a stored row is cut short"))?;
        self.0 = rest;
        Ok(*part)
    }

    pub(crate) fn key(&mut self) -> Result<Key> {
        self.take().map(Key::from_bytes)
    }

    pub(crate) fn int(&mut self) -> Result<i64> {
        self.take().map(i64::from_be_bytes)
    }

    pub(crate) fn count(&mut self) -> Result<u64> {
        self.take().map(u64::from_be_bytes)
    }

    pub(crate) fn revision(&mut self) -> Result<Revision> {
        self.count().map(Revision)
    }

    pub(crate) fn nr(&mut self) -> Result<u32> {
        self.take().map(u32::from_be_bytes)
    }

    pub(crate) fn byte(&mut self) -> Result<u8> {
        let [byte] = self.take()?;
        Ok(byte)
    }
}

/// A message's row, its indexes' keys included.
#[derive(Debug)]
pub(crate) struct MessageRecord {
    pub(crate) event: Key,
    pub(crate) sender: Key,
    pub(crate) target: Option<Key>,
    pub(crate) txn: Option<Key>,
    pub(crate) timestamp_ms: i64,
    pub(crate) written: Revision,
    value: IVec,
    payload: usize,
}

const HAS_TARGET: u8 = 1;
const HAS_TXN: u8 = 2;

impl MessageRecord {
    pub(crate) fn decode(value: IVec) -> Result<Self> {
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

    /// The same row with another payload, or as it is.
    pub(crate) fn with_payload(&self, payload: Option<&[u8]>) -> IVec {
        match payload {
            Some(payload) => Columns(self.value[..self.payload].to_vec()).end(payload),
            None => self.value.clone(),
        }
    }
}

/// The value of a message's row.
pub(crate) fn message(row: &MessageRow, timestamp_ms: i64, written: Revision) -> IVec {
    let flags = row.target.map_or(0, |_| HAS_TARGET) | row.txn.map_or(0, |_| HAS_TXN);
    let columns = Columns::default().key(&row.key).key(&row.sender).int(timestamp_ms).count(written.0);
    let mut columns = columns.byte(flags);
    for key in [&row.target, &row.txn].into_iter().flatten() {
        columns = columns.key(key);
    }
    columns.end(row.payload.as_bytes())
}

/// The columns at the head of a media item's row.
pub(crate) fn media(info: &MediaInfo, blob: u64, written: Revision) -> Columns {
    Columns::default()
        .count(blob)
        .count(info.size)
        .int(info.last_access_ms)
        .byte(info.pinned.into())
        .count(written.0)
}

/// The columns of an outbox row, its transaction's key first, and what follows.
pub(crate) fn pending_columns(seq: u64, value: &[u8]) -> Result<(Key, PendingColumns, &[u8])> {
    let mut cut = Cut(value);
    let (txn, room) = (cut.key()?, Some(cut.key()?.short()));
    let (not_before_ms, revision) = (cut.int()?, cut.revision()?);
    Ok((txn, PendingColumns { seq, room, not_before_ms, revision }, cut.0))
}

/// The columns of a media item's row, and what follows.
pub(crate) fn media_columns(value: &[u8]) -> Result<(MediaColumns, &[u8])> {
    let mut cut = Cut(value);
    let (blob, size, last_access_ms) = (cut.count()?, cut.count()?, cut.int()?);
    let (pinned, written) = (cut.byte()? != 0, cut.revision()?);
    Ok((MediaColumns { blob, size, last_access_ms, pinned, written }, cut.0))
}
