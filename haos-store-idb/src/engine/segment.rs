//! Rows of messages, many to a record.

use haos_store_api::backend::kv::{Cut, corrupt};
use haos_store_api::backend::{Codec, Key, Links, MessageColumns, Payload, RoomRef};
use haos_store_api::{Message, Position, Result, Revision};

use super::keys::{SegmentKey, event_entry, target_entry, txn_entry};

/// The most messages in one record: enough for a page, and no more than a browser copies in a moment.
pub(crate) const MOST_ROWS: usize = 32;
/// The most bytes of payloads in one record, unless one message alone has more; for the reason see `tables::CHUNK`.
const MOST_BYTES: usize = 48 << 10;
/// The greatest distance of two neighbours in a record: messages that come between later go to the overlay.
pub(crate) const MOST_APART: u64 = 32;

/// The first byte of a value: its kind, and the version of its form.
const SEGMENT: u8 = 0x01;
const OVERLAY: u8 = 0x81;
const HAS_TARGET: u8 = 1;
const HAS_TXN: u8 = 2;
/// In the place of a length: nothing lies beneath.
const NOTHING: u32 = u32::MAX;

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
    pub(crate) payload: Vec<u8>,
}

impl Row {
    pub(crate) fn of(codec: &Codec, message: &Message, written: Revision) -> Result<Self> {
        let row = codec.message_row(message, written)?;
        Ok(Self {
            at: message.position,
            event: row.key,
            sender: row.sender,
            target: row.target,
            txn: row.txn,
            timestamp_ms: message.timestamp_ms,
            written,
            payload: row.payload.into_bytes(),
        })
    }

    pub(crate) fn columns(&self) -> MessageColumns {
        let links = Links::of(&self.sender, self.target.as_ref(), self.txn.as_ref());
        MessageColumns { position: self.at, timestamp_ms: self.timestamp_ms, written: self.written, links }
    }

    pub(crate) fn message(&self, codec: &Codec, room: RoomRef<'_>) -> Result<Message> {
        codec.message(room, &self.event, self.columns(), &self.payload)
    }

    /// Returns the row at another place.
    pub(crate) fn moved(&self, codec: &Codec, room: &Key, to: Position) -> Result<Self> {
        let payload = codec.moved_message(room, &self.event, self.columns(), to, &self.payload)?;
        let payload = payload.map_or_else(|| self.payload.clone(), Payload::into_bytes);
        Ok(Self { at: to, payload, ..self.clone() })
    }

    pub(crate) fn with_payload(self, payload: Payload) -> Self {
        Self { payload: payload.into_bytes(), ..self }
    }

    /// Lists the ids that find it.
    pub(crate) fn ids(&self) -> impl Iterator<Item = String> {
        [
            Some(event_entry(&self.event)),
            self.target.as_ref().map(target_entry),
            self.txn.as_ref().map(txn_entry),
        ]
        .into_iter()
        .flatten()
    }

    fn encode(&self, to: &mut Vec<u8>) {
        to.extend(haos_store_api::backend::kv::keys::position(self.at));
        to.push(self.target.map_or(0, |_| HAS_TARGET) | self.txn.map_or(0, |_| HAS_TXN));
        to.extend(self.timestamp_ms.to_be_bytes());
        to.extend(self.written.0.to_be_bytes());
        for key in [Some(&self.event), Some(&self.sender), self.target.as_ref(), self.txn.as_ref()] {
            to.extend(key.into_iter().flat_map(Key::as_bytes));
        }
        to.extend(length(self.payload.len()).to_be_bytes());
        to.extend_from_slice(&self.payload);
    }

    /// Passes over a row; returns its event's key.
    fn skip(cut: &mut Cut<'_>) -> Result<Key> {
        cut.position()?;
        let keys = usize::try_from(cut.byte()?.count_ones()).unwrap_or(0);
        cut.bytes(16)?;
        let event = cut.key()?;
        cut.bytes(16 + 16 * keys)?;
        let length = cut.nr()? as usize;
        cut.bytes(length)?;
        Ok(event)
    }

    fn decode(cut: &mut Cut<'_>) -> Result<Self> {
        let (at, flags) = (cut.position()?, cut.byte()?);
        if flags & !(HAS_TARGET | HAS_TXN) != 0 {
            return Err(corrupt("decode", "a message has unknown columns"));
        }
        let (timestamp_ms, written) = (cut.int()?, cut.revision()?);
        let (event, sender) = (cut.key()?, cut.key()?);
        let target = (flags & HAS_TARGET != 0).then(|| cut.key()).transpose()?;
        let txn = (flags & HAS_TXN != 0).then(|| cut.key()).transpose()?;
        let length = cut.nr()? as usize;
        let payload = cut.bytes(length)?.to_vec();
        Ok(Self { at, event, sender, target, txn, timestamp_ms, written, payload })
    }
}

fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(NOTHING)
}

/// Encodes rows of one room, ascending, as one record: key, ids, value. There is at least one.
pub(crate) fn segment(room: Key, rows: &[Row]) -> (SegmentKey, Vec<String>, Vec<u8>) {
    let ends = |row: Option<&Row>| row.map_or(Position::MIN, |row| row.at);
    let key = SegmentKey {
        room,
        newest: ends(rows.last()),
        oldest: ends(rows.first()),
        count: u8::try_from(rows.len()).unwrap_or(u8::MAX),
        bytes: length(rows.iter().map(|row| row.payload.len()).sum()),
    };
    let ids = rows.iter().flat_map(Row::ids).collect();
    let mut value = Vec::with_capacity(16 + rows.len() * 64 + key.bytes as usize);
    value.push(SEGMENT);
    rows.iter().for_each(|row| row.encode(&mut value));
    (key, ids, value)
}

/// Decodes the rows of a segment, ascending.
pub(crate) fn rows(value: &[u8]) -> Result<Vec<Row>> {
    let (mut cut, mut rows) = (within(value)?, Vec::new());
    while !cut.0.is_empty() {
        rows.push(Row::decode(&mut cut)?);
    }
    Ok(rows)
}

/// Finds the row of an event within a segment; passes over the others.
pub(crate) fn find(value: &[u8], event: &Key) -> Result<Option<Row>> {
    let mut cut = within(value)?;
    while !cut.0.is_empty() {
        let mut here = cut;
        if Row::skip(&mut cut)? == *event {
            return Row::decode(&mut here).map(Some);
        }
    }
    Ok(None)
}

fn within(segment: &[u8]) -> Result<Cut<'_>> {
    match segment {
        [SEGMENT, rest @ ..] => Ok(Cut(rest)),
        _ => Err(corrupt("decode", "a segment of messages has no known form")),
    }
}

/// A segment's message that an overlay hides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Beneath {
    /// The bytes of its payload.
    pub(crate) bytes: u32,
    pub(crate) event: Key,
}

impl Beneath {
    pub(crate) fn of(row: &Row) -> Self {
        Self { bytes: u32::try_from(row.payload.len()).unwrap_or(NOTHING - 1), event: row.event }
    }
}

/// The content of one position, in the place of a segment's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Overlay {
    pub(crate) at: Position,
    /// Absent if no segment has a message there.
    pub(crate) beneath: Option<Beneath>,
    /// The message; absent if it is removed.
    pub(crate) row: Option<Row>,
}

impl Overlay {
    pub(crate) fn bytes(&self) -> u64 {
        self.row.as_ref().map_or(0, |row| row.payload.len() as u64)
    }

    /// Lists the ids that find it: also the event beneath, so that a search for that finds it hidden.
    pub(crate) fn ids(&self) -> Vec<String> {
        let hidden = self.beneath.map(|beneath| beneath.event);
        let hidden = hidden.filter(|event| self.row.as_ref().is_none_or(|row| row.event != *event));
        let hidden = hidden.map(|event| event_entry(&event));
        self.row.iter().flat_map(Row::ids).chain(hidden).collect()
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut value = vec![OVERLAY];
        value.extend(haos_store_api::backend::kv::keys::position(self.at));
        value.extend(self.beneath.map_or(NOTHING, |beneath| beneath.bytes).to_be_bytes());
        value.extend(self.beneath.iter().flat_map(|beneath| *beneath.event.as_bytes()));
        if let Some(row) = &self.row {
            row.encode(&mut value);
        }
        value
    }

    /// Tells whether a value is an overlay's. If not, it is a segment's.
    pub(crate) fn is(value: &[u8]) -> bool {
        value.first() == Some(&OVERLAY)
    }

    pub(crate) fn decode(value: &[u8]) -> Result<Self> {
        let [OVERLAY, rest @ ..] = value else {
            return Err(corrupt("decode", "a changed message has no known form"));
        };
        let mut cut = Cut(rest);
        let (at, bytes) = (cut.position()?, cut.nr()?);
        let beneath = (bytes != NOTHING).then(|| Ok(Beneath { bytes, event: cut.key()? })).transpose()?;
        let row = if cut.0.is_empty() { None } else { Some(Row::decode(&mut cut)?) };
        Ok(Self { at, beneath, row })
    }
}

/// Cuts ascending rows into runs of one record each; `together` tells whether two may share one.
pub(crate) fn runs(rows: Vec<Row>, together: impl Fn(&Row, &Row) -> bool) -> Vec<Vec<Row>> {
    let mut runs: Vec<Vec<Row>> = Vec::new();
    for row in rows {
        match runs.last_mut() {
            Some(run)
                if run.len() < MOST_ROWS
                    && run.iter().map(|row| row.payload.len()).sum::<usize>() + row.payload.len()
                        <= MOST_BYTES
                    && run.last().is_some_and(|last| {
                        row.at.get() - last.at.get() <= MOST_APART && together(last, &row)
                    }) =>
            {
                run.push(row);
            }
            _ => runs.push(vec![row]),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(n: u64) -> Row {
        let key = |byte: u8| Key::from_bytes([byte; 16]);
        Row {
            at: Position::new(n).unwrap(),
            event: key(n as u8),
            sender: key(1),
            target: n.is_multiple_of(2).then(|| key(2)),
            txn: n.is_multiple_of(3).then(|| key(3)),
            timestamp_ms: -5,
            written: Revision(n),
            payload: vec![9; n as usize],
        }
    }

    #[test]
    fn rows_come_back_and_cuts_are_noticed() {
        let all: Vec<Row> = (1..=6).map(row).collect();
        let (key, ids, value) = segment(Key::from_bytes([7; 16]), &all);
        assert_eq!((key.count, key.bytes, key.is_dense()), (6, 21, true));
        assert_eq!(ids.len(), 6 + 3 + 2);
        assert_eq!(rows(&value).unwrap(), all);
        for row in &all {
            assert_eq!(find(&value, &row.event).unwrap().as_ref(), Some(row));
        }
        assert_eq!(find(&value, &Key::from_bytes([99; 16])).unwrap(), None);
        // A cut at the end of a row is a shorter segment, which the key's count would tell.
        let whole = (0..=6).map(|n| segment(key.room, &all[..n]).2.len()).collect::<Vec<_>>();
        for cut in (0..value.len()).filter(|cut| !whole.contains(cut)) {
            assert!(rows(&value[..cut]).is_err(), "{cut}");
        }
    }

    #[test]
    fn overlays_come_back() {
        for overlay in [
            Overlay { at: Position::FIRST, beneath: None, row: Some(row(6)) },
            Overlay { at: Position::FIRST, beneath: Some(Beneath::of(&row(7))), row: Some(row(7)) },
            Overlay { at: Position::MAX, beneath: Some(Beneath::of(&row(5))), row: None },
        ] {
            assert!(Overlay::is(&overlay.encode()));
            assert_eq!(Overlay::decode(&overlay.encode()).unwrap(), overlay);
            let event = overlay.beneath.map(|beneath| event_entry(&beneath.event));
            assert_eq!(
                overlay.ids().iter().filter(|id| Some(*id) == event.as_ref()).count(),
                event.iter().len()
            );
        }
    }

    #[test]
    fn runs_end_where_a_hole_begins_and_when_they_are_full() {
        let numbers = (1..=40).chain([80, 81, 200]);
        let lengths: Vec<usize> =
            runs(numbers.map(row).collect(), |a, _| a.at.get() != 80).iter().map(Vec::len).collect();
        assert_eq!(lengths, [32, 8, 1, 1, 1]);
        let large = (1..=5).map(|n| Row { payload: vec![0; 20 << 10], ..row(n) });
        let lengths: Vec<usize> = runs(large.collect(), |_, _| true).iter().map(Vec::len).collect();
        assert_eq!(lengths, [2, 2, 1]);
    }
}
