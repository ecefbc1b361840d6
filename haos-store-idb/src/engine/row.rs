//! A message in its stored form, alone in a log record, many to a segment.

use std::cell::OnceCell;
use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

use haos_store_api::backend::kv::{Cut, corrupt};
use haos_store_api::backend::{Codec, Key, Links, MessageColumns, Payload, RoomRef};
use haos_store_api::{Message, Position, Result, Revision};

use super::keys::{Bucket, Segment};
use super::kv::Table;

/// The most bytes of payloads in one segment, unless one message alone has more; for the reason see `tables::CHUNK`.
const MOST_BYTES: usize = 48 << 10;

const HAS_TARGET: u8 = 1;
const HAS_TXN: u8 = 2;

/// A part of a record's bytes, shared with the record's other parts.
#[derive(Clone)]
pub(crate) struct Bytes {
    record: Rc<[u8]>,
    from: usize,
    to: usize,
}

impl Bytes {
    /// Returns the part of a record that `part` is; a copy if it is none.
    fn within(record: &Rc<[u8]>, part: &[u8]) -> Self {
        let from = (part.as_ptr() as usize).wrapping_sub(record.as_ptr() as usize);
        let to = from.wrapping_add(part.len());
        match record.get(from..to) {
            Some(same) if same == part => Self { record: Rc::clone(record), from, to },
            _ => Self::from(part.to_vec()),
        }
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self { from: 0, to: bytes.len(), record: Rc::from(bytes) }
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.record.get(self.from..self.to).unwrap_or_default()
    }
}

impl PartialEq for Bytes {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Bytes {}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.len())
    }
}

/// A message in its stored form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) at: Position,
    pub(crate) event: Key,
    pub(crate) sender: Key,
    pub(crate) target: Option<Key>,
    pub(crate) txn: Option<Key>,
    pub(crate) timestamp_ms: i64,
    pub(crate) written: Revision,
    pub(crate) payload: Bytes,
    pub(crate) decoded: Decoded,
}

/// The message of a row once it was read: what is shown is shown again and again.
#[derive(Clone, Default)]
pub(crate) struct Decoded(OnceCell<Rc<Message>>);

impl PartialEq for Decoded {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Decoded {}

impl fmt::Debug for Decoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.get().is_some() { "read" } else { "unread" })
    }
}

impl Row {
    pub(crate) fn of(codec: &Codec, room: &Key, message: &Message, written: Revision) -> Result<Self> {
        let row = codec.message_row_in(room, message, written)?;
        Ok(Self {
            at: message.position,
            event: row.key,
            sender: row.sender,
            target: row.target,
            txn: row.txn,
            timestamp_ms: message.timestamp_ms,
            written,
            payload: row.payload.into_bytes().into(),
            decoded: Decoded::default(),
        })
    }

    pub(crate) fn columns(&self) -> MessageColumns {
        let links = Links::of(&self.sender, self.target.as_ref(), self.txn.as_ref());
        MessageColumns { position: self.at, timestamp_ms: self.timestamp_ms, written: self.written, links }
    }

    pub(crate) fn message(&self, codec: &Codec, room: RoomRef<'_>) -> Result<Message> {
        if let Some(message) = self.decoded.0.get() {
            return Ok(Message::clone(message));
        }
        let message = codec.message(room, &self.event, self.columns(), &self.payload)?;
        let _ = self.decoded.0.set(Rc::new(message.clone()));
        Ok(message)
    }

    /// Returns about how many bytes it takes.
    pub(crate) fn bytes(&self) -> usize {
        const COLUMNS: usize = 160;
        const MESSAGE: usize = 512;
        let decoded = self.decoded.0.get().map_or(0, |message| MESSAGE + message.content.as_str().len());
        COLUMNS + self.payload.len() + decoded
    }

    /// Returns the row at another place.
    pub(crate) fn moved(&self, codec: &Codec, room: &Key, to: Position) -> Result<Self> {
        let payload = codec.moved_message(room, &self.event, self.columns(), to, &self.payload)?;
        let payload = payload.map_or_else(|| self.payload.clone(), |payload| payload.into_bytes().into());
        Ok(Self { at: to, payload, decoded: Decoded::default(), ..self.clone() })
    }

    pub(crate) fn with_payload(self, payload: Payload) -> Self {
        Self { payload: payload.into_bytes().into(), decoded: Decoded::default(), ..self }
    }

    pub(crate) fn encode(&self, to: &mut Vec<u8>) {
        to.extend(haos_store_api::backend::kv::keys::position(self.at));
        to.push(self.target.map_or(0, |_| HAS_TARGET) | self.txn.map_or(0, |_| HAS_TXN));
        to.extend(self.timestamp_ms.to_be_bytes());
        to.extend(self.written.0.to_be_bytes());
        for key in [Some(&self.event), Some(&self.sender), self.target.as_ref(), self.txn.as_ref()] {
            to.extend(key.into_iter().flat_map(Key::as_bytes));
        }
        to.extend(u32::try_from(self.payload.len()).unwrap_or(u32::MAX).to_be_bytes());
        to.extend_from_slice(&self.payload);
    }

    /// Decodes a row of `record`, whose bytes it shares.
    pub(crate) fn decode(record: &Rc<[u8]>, cut: &mut Cut<'_>) -> Result<Self> {
        let (at, flags) = (cut.position()?, cut.byte()?);
        if flags & !(HAS_TARGET | HAS_TXN) != 0 {
            return Err(corrupt("decode", "a message has unknown columns"));
        }
        let (timestamp_ms, written) = (cut.int()?, cut.revision()?);
        let (event, sender) = (cut.key()?, cut.key()?);
        let target = (flags & HAS_TARGET != 0).then(|| cut.key()).transpose()?;
        let txn = (flags & HAS_TXN != 0).then(|| cut.key()).transpose()?;
        let length = cut.nr()? as usize;
        let payload = Bytes::within(record, cut.bytes(length)?);
        let decoded = Decoded::default();
        Ok(Self { at, event, sender, target, txn, timestamp_ms, written, payload, decoded })
    }
}

/// Encodes the rows of a bucket, ascending, as segments from the part `first` on: keys and values.
pub(crate) fn segments(room: &Key, bucket: Bucket, first: u8, rows: &[Row]) -> Vec<(Segment, Vec<u8>)> {
    let mut segments: Vec<(Segment, Vec<u8>)> = Vec::new();
    let mut rest = rows;
    while let Some(one) = rest.first() {
        let mut bytes = one.payload.len();
        let fit = rest.iter().skip(1).take_while(|row| {
            bytes += row.payload.len();
            bytes <= MOST_BYTES
        });
        let (now, later) = rest.split_at(1 + fit.count());
        let bytes: usize = now.iter().map(|row| row.payload.len()).sum();
        let key = Segment {
            bucket,
            part: first.saturating_add(segments.len() as u8),
            count: now.len() as u8,
            bytes: u32::try_from(bytes).unwrap_or(u32::MAX),
        };
        let mut value = key.encode(room);
        value.reserve(now.len() * 64 + bytes);
        now.iter().for_each(|row| row.encode(&mut value));
        segments.push((key, value));
        rest = later;
    }
    segments
}

/// Decodes the rows of a segment's value, ascending, after its key.
pub(crate) fn rows(value: Vec<u8>) -> Result<Vec<Row>> {
    let record: Rc<[u8]> = Rc::from(value);
    let damaged = || corrupt("decode", "a segment of messages does not hold what its key says");
    let (_, key) = Segment::decode(&record).ok_or_else(damaged)?;
    let mut cut = Cut(record.get(Table::Segments.key_bytes()..).unwrap_or_default());
    let mut rows: Vec<Row> = Vec::with_capacity(key.count.into());
    while !cut.0.is_empty() {
        let row = Row::decode(&record, &mut cut)?;
        if Bucket::of(row.at) != key.bucket || rows.last().is_some_and(|before| before.at >= row.at) {
            return Err(damaged());
        }
        rows.push(row);
    }
    if rows.len() == usize::from(key.count) { Ok(rows) } else { Err(damaged()) }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn row(n: u64) -> Row {
        let key = |byte: u8| Key::from_bytes([byte; 16]);
        Row {
            at: Position::new(n).unwrap(),
            event: key(n as u8),
            sender: key(1),
            target: n.is_multiple_of(2).then(|| key(2)),
            txn: n.is_multiple_of(3).then(|| key(3)),
            timestamp_ms: -5,
            written: Revision(n),
            payload: vec![9; n as usize].into(),
            decoded: Decoded::default(),
        }
    }

    #[test]
    fn rows_come_back_and_cuts_are_noticed() {
        let room = Key::from_bytes([7; 16]);
        let all: Vec<Row> = (1..=6).map(row).collect();
        let [(key, value)] = &segments(&room, Bucket::of(all[0].at), 0, &all)[..] else { panic!() };
        assert_eq!((key.count, key.bytes), (6, 21));
        assert_eq!(rows(value.clone()).unwrap(), all);
        for cut in 0..value.len() {
            assert!(rows(value[..cut].to_vec()).is_err(), "{cut}");
        }
    }

    #[test]
    fn large_messages_are_segments_of_their_own() {
        let room = Key::from_bytes([7; 16]);
        let large = |n, kib: usize| Row { payload: vec![0; kib << 10].into(), ..row(n) };
        let all: Vec<Row> = [(1, 20), (2, 20), (3, 20), (4, 60), (5, 1)].map(|(n, kib)| large(n, kib)).into();
        let parts = segments(&room, Bucket::of(all[0].at), 0, &all);
        let counts: Vec<u8> = parts.iter().map(|(key, _)| key.count).collect();
        assert_eq!(counts, [2, 1, 1, 1]);
        let read: Vec<Row> = parts.into_iter().flat_map(|(_, value)| rows(value).unwrap()).collect();
        assert_eq!(read, all);
    }

    #[test]
    fn rows_out_of_place_are_refused() {
        let room = Key::from_bytes([7; 16]);
        let encoded = |bucket: Bucket, numbers: &[u64]| {
            let all: Vec<Row> = numbers.iter().map(|n| row(*n)).collect();
            segments(&room, bucket, 0, &all).swap_remove(0).1
        };
        let bucket = Bucket::of(row(1).at);
        assert!(rows(encoded(bucket, &[1, 2, 31])).is_ok());
        for (bucket, numbers) in [
            (bucket, &[2, 1][..]),
            (bucket, &[1, 1]),
            (bucket, &[1, 32]),
            (bucket, &[32]),
            (bucket.newer().unwrap(), &[1]),
            (bucket.newer().unwrap(), &[33, 32]),
        ] {
            assert!(rows(encoded(bucket, numbers)).is_err(), "{numbers:?}");
        }
    }

    #[test]
    fn payloads_share_the_bytes_of_their_segment() {
        let room = Key::from_bytes([7; 16]);
        let all: Vec<Row> = (1..=6).map(row).collect();
        let read = rows(segments(&room, Bucket::of(all[0].at), 0, &all).swap_remove(0).1).unwrap();
        assert!(read.iter().all(|row| Rc::ptr_eq(&row.payload.record, &read[0].payload.record)));
        let record: Rc<[u8]> = Rc::from(vec![1, 2, 3]);
        let other = Bytes::within(&record, &[2, 3]);
        assert!(!Rc::ptr_eq(&other.record, &record));
        assert_eq!(*other, [2, 3]);
    }
}
