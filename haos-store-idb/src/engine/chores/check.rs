//! The check: reads every row and reports contradictions. Changes nothing.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use haos_store_api::backend::{Codec, Key, RoomRef};
use haos_store_api::{Collection, Result, RoomId};

use super::super::keys::{self, SegmentKey};
use super::super::kv::{Kv, Span, Table, all};
use super::super::segment::{self, Overlay, Row};
use super::super::tables::{CHUNK, media_row, read_gap, read_outbox_row, read_room_row, read_state_row};
use super::{Stepped, following};

/// Records read in one step.
const STEP: u32 = 64;

pub(super) async fn check<K: Kv>(kv: &K, codec: &Codec, table: Table, from: Vec<u8>) -> Result<Stepped> {
    let (records, next) = following(kv, table, from, STEP).await?;
    let mut step = Stepped { next, ..Stepped::default() };
    let mut rooms = HashMap::new();
    for (key, value) in &records {
        let looked = match table {
            Table::Timeline => timeline(kv, codec, &mut rooms, &mut step, key, value).await,
            _ => record(kv, codec, &mut step, table, key, value).await,
        };
        match looked {
            Ok(Some(fault)) => step.findings.push(format!("{}: {fault}", name(table))),
            Err(error) if codec.is_damage(&error) => step.findings.push(format!("{}: {error}", name(table))),
            other => drop(other?),
        }
    }
    Ok(step)
}

fn name(table: Table) -> &'static str {
    match table {
        Table::Rooms => "rooms",
        Table::Timeline => "messages",
        Table::Outbox | Table::OutboxIds => "pending",
        Table::Media | Table::Chunks => "media",
        Table::State => "state",
    }
}

impl Stepped {
    fn count(&mut self, of: Collection, rows: i64) {
        let at = Collection::ALL.iter().position(|one| *one == of).unwrap_or_default();
        self.counts[at] += rows;
        self.rows += rows.unsigned_abs();
    }
}

type Fault = Option<String>;

/// Checks a record that is an entity.
async fn record<K: Kv>(
    kv: &K,
    codec: &Codec,
    step: &mut Stepped,
    table: Table,
    key: &[u8],
    value: &[u8],
) -> Result<Fault> {
    let of = match table {
        Table::Rooms => Some(Collection::Rooms),
        Table::Outbox => Some(Collection::Pending),
        Table::Media => Some(Collection::Media),
        Table::State => Some(Collection::State),
        _ => None,
    };
    if let Some(of) = of {
        step.count(of, 1);
    }
    if !value.starts_with(key) {
        return Ok(Some("a record stands under another's key".to_owned()));
    }
    match table {
        Table::Rooms => drop(read_room_row(codec, value)?),
        Table::State => drop(read_state_row(codec, value)?),
        Table::Outbox => {
            let row = read_outbox_row(codec, value)?;
            let found = kv.get(Table::OutboxIds, codec.txn_key(&row.txn_id).as_bytes()).await?;
            if found.is_none_or(|found| !found.ends_with(key)) {
                return Ok(Some("an outbox row that its index does not find".to_owned()));
            }
        }
        Table::Media => {
            let (columns, info) = media_row(codec, value)?;
            let chunks = info.size.div_ceil(CHUNK);
            let span = Span::new(keys::chunk(columns.blob, 0), keys::chunk(columns.blob, u64::MAX));
            if kv.keys(Table::Chunks, &span, None).await?.len() as u64 != chunks {
                return Ok(Some("an item of another size than it says".to_owned()));
            }
        }
        Table::Chunks => {
            let part = |range: std::ops::Range<usize>| {
                key.get(range).and_then(|part| part.try_into().ok()).map(u64::from_be_bytes)
            };
            let (Some(blob), Some(index)) = (part(0..8), part(8..16)) else {
                return Ok(Some("a chunk's key is damaged".to_owned()));
            };
            codec.chunk(blob, index, &value[key.len()..])?;
        }
        Table::Timeline | Table::OutboxIds => {}
    }
    Ok(None)
}

/// Checks a gap, a segment or an overlay.
async fn timeline<K: Kv>(
    kv: &K,
    codec: &Codec,
    rooms: &mut HashMap<Key, Option<RoomId>>,
    step: &mut Stepped,
    key: &[u8],
    value: &[u8],
) -> Result<Fault> {
    let Some(room) = key.first_chunk().copied().map(Key::from_bytes) else {
        return Ok(Some("a key is damaged".to_owned()));
    };
    let id = match rooms.entry(room) {
        Entry::Occupied(known) => known.into_mut(),
        Entry::Vacant(place) => {
            let stored = kv.get(Table::Rooms, room.as_bytes()).await?;
            place.insert(stored.and_then(|value| read_room_row(codec, &value).ok()).map(|room| room.id))
        }
    };
    let Some(id) = id else { return Ok(Some("a row without its room".to_owned())) };
    let room = RoomRef { id, key: room };
    let decode = |row: &Row| row.message(codec, room).map(drop);
    if let Some(segment) = SegmentKey::decode(key) {
        step.count(Collection::Messages, segment.count.into());
        let rows = segment::rows(value)?;
        let ends = (rows.first().map(|row| row.at), rows.last().map(|row| row.at));
        if rows.len() != usize::from(segment.count) || ends != (Some(segment.oldest), Some(segment.newest)) {
            return Ok(Some("a segment does not hold what its key says".to_owned()));
        }
        rows.iter().try_for_each(decode)?;
        return indexed(kv, key, rows.iter().flat_map(Row::ids)).await;
    } else if keys::is_overlay(key) {
        let overlay = Overlay::decode(value)?;
        step.count(
            Collection::Messages,
            i64::from(overlay.row.is_some()) - i64::from(overlay.beneath.is_some()),
        );
        overlay.row.iter().try_for_each(decode)?;
        return indexed(kv, key, overlay.ids()).await;
    } else {
        step.count(Collection::Gaps, 1);
        read_gap(codec, room, value)?;
    }
    Ok(None)
}

/// Checks that the index finds a record by all of its ids.
async fn indexed<K: Kv>(kv: &K, key: &[u8], ids: impl IntoIterator<Item = String>) -> Result<Fault> {
    let found = all(ids.into_iter().map(|id| kv.holders(&id)).collect()).await?;
    let is_found = found.iter().all(|holders| holders.iter().any(|holder| holder == key));
    Ok((!is_found).then(|| "a message that its index does not find".to_owned()))
}
