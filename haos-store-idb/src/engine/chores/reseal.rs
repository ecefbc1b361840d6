//! Rows under a new data key.

use haos_store_api::backend::kv::{Cut, corrupt};
use haos_store_api::backend::{Codec, PendingColumns, RowRef};
use haos_store_api::{Collection, Result};

use super::super::fold;
use super::super::keys::Segment;
use super::super::kv::{Kv, Table};
use super::super::record::Entry;
use super::super::row;
use super::super::tables::{gap_columns, media_columns, pending_columns, state_columns};
use super::{Stepped, following};

/// Records in one step: of chunks and segments, some megabytes.
const STEP: u32 = 32;

pub(super) async fn reseal(kv: &dyn Kv, codec: &Codec, table: Table, from: Vec<u8>) -> Result<Stepped> {
    let (records, next) = following(kv, table, from, STEP).await?;
    let mut step = Stepped { next, ..Stepped::default() };
    // The growth of payloads, negative if they shrank: the padding may differ from that of the first write.
    let mut grown = Vec::new();
    for (key, value) in &records {
        let resealed = match table {
            Table::Segments => segment(kv, codec, &mut grown, key, value),
            _ => record(codec, table, value).and_then(|new| {
                let Some(new) = new else { return Ok(0) };
                if let Some(of) = collection(table) {
                    grown.push((of, new.len() as i64 - value.len() as i64));
                }
                kv.put(table, key, &new).map(|()| 1)
            }),
        };
        match resealed {
            Ok(rows) => step.rows += rows,
            // A row that its own key does not open is noise under any key.
            Err(error) if codec.is_damage(&error) => step.findings.push(error.to_string()),
            Err(error) => return Err(error),
        }
    }
    grown.retain(|(_, by)| *by != 0);
    if !grown.is_empty() {
        fold::mark(kv, &Entry::Keys, &grown).await?;
    }
    Ok(step)
}

/// Returns the collection that a record's payload counts for.
fn collection(table: Table) -> Option<Collection> {
    match table {
        Table::Rooms => Some(Collection::Rooms),
        Table::Gaps => Some(Collection::Gaps),
        Table::Outbox => Some(Collection::Pending),
        Table::Media => Some(Collection::Media),
        Table::State => Some(Collection::State),
        // An item's bytes count unpadded.
        Table::Segments | Table::Ids | Table::Txns | Table::OutboxIds | Table::Chunks => None,
    }
}

/// Seals the value with the present key; `None` if it is sealed with that already.
fn record(codec: &Codec, table: Table, value: &[u8]) -> Result<Option<Vec<u8>>> {
    let mut cut = Cut(value);
    let payload = match table {
        Table::Rooms => {
            let (key, last_activity_ms, revision) = (&cut.key()?, cut.int()?, cut.revision()?);
            codec.resealed(&RowRef::Room { key, last_activity_ms, revision }, cut.0)?
        }
        Table::Outbox => {
            let (key, columns, payload) = pending_columns(value)?;
            cut.0 = payload;
            let PendingColumns { seq, not_before_ms, revision, .. } = columns;
            codec.resealed(&RowRef::Pending { key: &key, seq, not_before_ms, revision }, payload)?
        }
        Table::Media => {
            let (key, columns, payload) = media_columns(value)?;
            cut.0 = payload;
            codec.resealed(&RowRef::Media { key: &key, columns }, payload)?
        }
        Table::Chunks => {
            let (blob, index) = (cut.count()?, cut.count()?);
            codec.resealed(&RowRef::Chunk { blob, index }, cut.0)?
        }
        Table::State => {
            let (columns, payload) = state_columns(value)?;
            cut.0 = payload;
            codec.resealed(&RowRef::State { columns }, payload)?
        }
        Table::Gaps => {
            let room = &Cut(value).key()?;
            let (position, revision, payload) = gap_columns(value)?;
            cut.0 = payload;
            codec.resealed(&RowRef::Gap { room, position, revision }, payload)?
        }
        Table::Segments | Table::Ids | Table::Txns | Table::OutboxIds => None,
    };
    let columns = value.len() - cut.0.len();
    Ok(payload.map(|payload| [&value[..columns], payload.as_bytes()].concat()))
}

/// Returns the number of resealed messages.
fn segment(
    kv: &dyn Kv,
    codec: &Codec,
    grown: &mut Vec<(Collection, i64)>,
    key: &[u8],
    value: &[u8],
) -> Result<u64> {
    let (room, old) =
        Segment::decode(key).ok_or_else(|| corrupt("maintain", "a key of a segment is damaged"))?;
    let mut rows = row::rows(value.to_vec())?;
    let mut changed = 0;
    for row in &mut rows {
        let place = RowRef::Message { room: &room, key: &row.event, columns: row.columns() };
        if let Some(payload) = codec.resealed(&place, &row.payload)? {
            grown.push((Collection::Messages, payload.as_bytes().len() as i64 - row.payload.len() as i64));
            *row = row.clone().with_payload(payload);
            changed += 1;
        }
    }
    if changed > 0 {
        kv.delete(Table::Segments, key)?;
        for (key, value) in row::segments(&room, old.bucket, old.part, &rows) {
            kv.put(Table::Segments, &key.encode(&room), &value)?;
        }
    }
    Ok(changed)
}
