//! Rows under a new data key.

use haos_store_api::{Codec, Key, PendingColumns, Result, RowRef};

use super::super::keys::{self, SegmentKey};
use super::super::kv::{Kv, Table};
use super::super::record::{Cut, corrupt, media_columns};
use super::super::segment::{self, Overlay, Row};
use super::super::tables::{pending_columns, state_columns};
use super::{Stepped, following};

/// Records in one step: of chunks and segments, some megabytes.
const STEP: u32 = 32;

pub(super) async fn reseal<K: Kv>(kv: &K, codec: &Codec, table: Table, from: Vec<u8>) -> Result<Stepped> {
    let (records, next) = following(kv, table, from, STEP).await?;
    let mut step = Stepped { next, ..Stepped::default() };
    for (key, value) in &records {
        let resealed = match table {
            Table::Timeline => timeline(kv, codec, key, value),
            _ => record(codec, table, key, value)
                .and_then(|new| new.map_or(Ok(0), |new| kv.put(table, key, &new).map(|()| 1))),
        };
        match resealed {
            Ok(rows) => step.rows += rows,
            // What its own key does not open is noise under any key.
            Err(error) if codec.is_damage(&error) => step.findings.push(error.to_string()),
            Err(error) => return Err(error),
        }
    }
    Ok(step)
}

/// The value under the key that seals at present; none if it is.
fn record(codec: &Codec, table: Table, key: &[u8], value: &[u8]) -> Result<Option<Vec<u8>>> {
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
        Table::Timeline => {
            // A gap.
            let room = &room_of(key)?;
            let (position, revision) = (cut.position()?, cut.revision()?);
            codec.resealed(&RowRef::Gap { room, position, revision }, cut.0)?
        }
        Table::OutboxIds => None,
    };
    let columns = value.len() - cut.0.len();
    Ok(payload.map(|payload| [&value[..columns], payload.as_bytes()].concat()))
}

fn room_of(key: &[u8]) -> Result<Key> {
    let room = key.first_chunk().copied().map(Key::from_bytes);
    room.ok_or_else(|| corrupt("maintain", "a key of the timeline is damaged"))
}

/// Tells how many rows were sealed anew.
fn timeline<K: Kv>(kv: &K, codec: &Codec, key: &[u8], value: &[u8]) -> Result<u64> {
    let (room, mut changed) = (room_of(key)?, 0);
    let mut reseal = |row: &mut Row| -> Result<()> {
        let place = RowRef::Message { room: &room, key: &row.event, columns: row.columns() };
        if let Some(payload) = codec.resealed(&place, &row.payload)? {
            *row = row.clone().with_payload(payload);
            changed += 1;
        }
        Ok(())
    };
    if let Some(old) = SegmentKey::decode(key) {
        let mut rows = segment::rows(value)?;
        rows.iter_mut().try_for_each(&mut reseal)?;
        let (new, ids, value) = segment::segment(old.room, &rows);
        if changed > 0 {
            if new != old {
                kv.delete(Table::Timeline, key)?;
            }
            kv.put_indexed(&new.encode(), &ids, &value)?;
        }
    } else if keys::is_overlay(key) {
        let mut overlay = Overlay::decode(value)?;
        overlay.row.iter_mut().try_for_each(&mut reseal)?;
        if changed > 0 {
            kv.put_indexed(key, &overlay.ids(), &overlay.encode())?;
        }
    } else if let Some(new) = record(codec, Table::Timeline, key, value)? {
        kv.put(Table::Timeline, key, &new)?;
        changed += 1;
    }
    Ok(changed)
}
