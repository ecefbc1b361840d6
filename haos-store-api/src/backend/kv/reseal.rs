//! Rows under a new data key.

use super::columns::Cut;
use super::keys;
use super::layer::Layer;
use super::reader::{Order, Reader};
use super::record::{MessageRecord, media_columns, pending_columns};
use super::tree::Tree;
use crate::{Collection, PendingColumns, Result, RowRef};

/// The approximate limits of one step: rows read, and bytes resealed.
const STEP_ROWS: usize = 512;
const STEP_BYTES: usize = 1 << 20;

/// A step of the way through all rows.
#[derive(Debug, Default)]
pub struct Resealed<P = Vec<u8>> {
    /// The place that the next step begins with; absent after the last step.
    pub next: Option<P>,
    /// Rows read.
    pub rows: u64,
    /// Rows sealed with the present key.
    pub resealed: u64,
    /// The rows that their own key does not open.
    pub damaged: Vec<String>,
}

/// Seals a few hundred rows, from a key on, with the present key, in a layer. The first step begins with the empty key.
///
/// # Errors
/// Those of the tree. A damaged row is no error.
pub fn reseal<T: Tree>(
    reader: Reader<'_, T>,
    layer: &mut Layer<T::Bytes>,
    from: Vec<u8>,
) -> Result<Resealed> {
    let mut step = Resealed::default();
    let mut bytes = 0;
    let mut last = None;
    for pair in reader.scan((from, keys::whole(keys::STATE).1), Order::Up) {
        let (key, row) = pair?;
        last = Some(key.to_vec());
        let Some((tag, of)) = key.first().and_then(|tag| Some((*tag, collection(*tag)?))) else {
            // An index: its rows are not sealed, skip to the next collection.
            last = key.first().map(|tag| keys::whole(*tag).1);
            break;
        };
        let before = row.len() as u64;
        step.rows += 1;
        match resealed(reader, tag, &key, row) {
            Ok(None) => {}
            Ok(Some(row)) => {
                bytes += row.len();
                step.resealed += 1;
                // The padding may differ from that of the first write.
                let sum = layer.head.sums.of_mut(of);
                sum.bytes = (sum.bytes + row.len() as u64).saturating_sub(before);
                layer.set(key.to_vec(), Some(row));
            }
            Err(error) if reader.codec.is_damage(&error) => step.damaged.push(error.to_string()),
            Err(error) => return Err(error),
        }
        if bytes >= STEP_BYTES || step.rows >= STEP_ROWS as u64 {
            break;
        }
    }
    // The least key after it.
    step.next = last.map(|last| [last.as_slice(), &[0]].concat());
    Ok(step)
}

/// Returns the collection that counts a row's bytes; `None` for an index.
fn collection(tag: u8) -> Option<Collection> {
    Some(match tag {
        keys::ROOM => Collection::Rooms,
        keys::MESSAGE => Collection::Messages,
        keys::GAP => Collection::Gaps,
        keys::PENDING => Collection::Pending,
        keys::MEDIA | keys::CHUNK => Collection::Media,
        keys::STATE => Collection::State,
        _ => return None,
    })
}

/// Seals a row with the present key; `None` if it is sealed with that already.
fn resealed<T: Tree>(reader: Reader<'_, T>, tag: u8, key: &[u8], row: T::Bytes) -> Result<Option<T::Bytes>> {
    let damaged = || reader.corrupt("a key is damaged");
    if tag == keys::MESSAGE {
        let (nr, at) = keys::parse_place(key).ok_or_else(damaged)?;
        let room = &reader.number(nr)?.ok_or_else(|| reader.corrupt("a message has no room"))?;
        let record = MessageRecord::decode(row)?;
        let place = RowRef::Message { room, key: &record.event, columns: record.columns(at) };
        let payload = reader.codec.resealed(&place, record.payload())?;
        return Ok(payload.map(|payload| record.with_payload(Some(payload.as_bytes()))));
    }
    let mut cut = Cut(&row);
    let own = keys::parse_last(key);
    let payload = match tag {
        keys::ROOM => {
            cut.nr()?;
            let (key, last_activity_ms, revision) = (&own.ok_or_else(damaged)?, cut.int()?, cut.revision()?);
            reader.codec.resealed(&RowRef::Room { key, last_activity_ms, revision }, cut.0)?
        }
        keys::GAP => {
            let (nr, position) = keys::parse_place(key).ok_or_else(damaged)?;
            let room = &reader.number(nr)?.ok_or_else(|| reader.corrupt("a gap has no room"))?;
            let revision = cut.revision()?;
            reader.codec.resealed(&RowRef::Gap { room, position, revision }, cut.0)?
        }
        keys::PENDING => {
            let (key, columns, payload) = pending_columns(reader.read_seq(key)?, &row)?;
            cut.0 = payload;
            let PendingColumns { seq, not_before_ms, revision, .. } = columns;
            reader.codec.resealed(&RowRef::Pending { key: &key, seq, not_before_ms, revision }, payload)?
        }
        keys::MEDIA => {
            let (columns, payload) = media_columns(&row)?;
            cut.0 = payload;
            reader.codec.resealed(&RowRef::Media { key: &own.ok_or_else(damaged)?, columns }, payload)?
        }
        keys::CHUNK => {
            let (blob, index) = keys::parse_chunk(key).ok_or_else(damaged)?;
            reader.codec.resealed(&RowRef::Chunk { blob, index }, cut.0)?
        }
        _ => {
            let (columns, payload) = reader.state_columns(key, &row)?;
            cut.0 = payload;
            reader.codec.resealed(&RowRef::State { columns }, payload)?
        }
    };
    let columns = row.len() - cut.0.len();
    Ok(payload.map(|payload| [&row[..columns], payload.as_bytes()].concat().into()))
}
