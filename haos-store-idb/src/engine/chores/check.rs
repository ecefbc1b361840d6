//! The check: reads every row and reports contradictions. Changes nothing.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use haos_store_api::backend::{Codec, Key, RoomRef};
use haos_store_api::{Collection, ErrorKind, Result, RoomId};

use super::super::ids::{self, Block, By, Ids};
use super::super::keys::{self, Segment};
use super::super::kv::{Kv, Span, Table};
use super::super::record::Record;
use super::super::row;
use super::super::tables::{CHUNK, media_row, read_gap, read_outbox_row, read_room_row, read_state_row};
use super::{Stepped, following};

/// Records read in one step.
const STEP: u32 = 64;

pub(super) async fn check(kv: &dyn Kv, codec: &Codec, table: Table, from: Vec<u8>) -> Result<Stepped> {
    let (records, next) = following(kv, table, from, STEP).await?;
    let mut step = Stepped { next, ..Stepped::default() };
    let mut rooms = HashMap::new();
    for (key, value) in &records {
        let looked = match table {
            Table::Gaps | Table::Segments => timeline(kv, codec, &mut rooms, &mut step, key, value).await,
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
        Table::Gaps => "gaps",
        Table::Segments | Table::Ids | Table::Txns => "messages",
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
async fn record(
    kv: &dyn Kv,
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
        Table::Gaps | Table::Segments | Table::Ids | Table::Txns | Table::OutboxIds => {}
    }
    Ok(None)
}

/// A room as its timeline's check needs it.
#[derive(Debug)]
struct Place {
    id: Option<RoomId>,
    ids: Ids,
}

/// Checks a gap or a segment.
async fn timeline(
    kv: &dyn Kv,
    codec: &Codec,
    rooms: &mut HashMap<Key, Place>,
    step: &mut Stepped,
    key: &[u8],
    value: &[u8],
) -> Result<Fault> {
    let Some(room) = key.first_chunk().copied().map(Key::from_bytes) else {
        return Ok(Some("a key is damaged".to_owned()));
    };
    let place = match rooms.entry(room) {
        Entry::Occupied(known) => known.into_mut(),
        Entry::Vacant(place) => {
            let (stored, blocks) =
                (kv.get(Table::Rooms, room.as_bytes()), kv.range(Table::Ids, &ids::blocks(&room), None));
            let stored = stored.await?.and_then(|value| read_room_row(codec, &value).ok());
            let blocks = blocks.await?;
            let blocks = blocks.iter().filter_map(|value| Some(Block::decode(&room, value).ok()?.entries));
            place.insert(Place { id: stored.map(|room| room.id), ids: Ids::of(blocks.collect()) })
        }
    };
    let is_segment = key.len() == Table::Segments.key_bytes();
    step.count(
        if is_segment { Collection::Messages } else { Collection::Gaps },
        Segment::decode(key).filter(|_| is_segment).map_or(1, |(_, key)| key.count.into()),
    );
    let Some(id) = &place.id else { return Ok(Some("a row without its room".to_owned())) };
    if !value.starts_with(key) {
        return Ok(Some("a record stands under another's key".to_owned()));
    }
    let room = RoomRef { id, key: room };
    if !is_segment {
        read_gap(codec, room, value)?;
        return Ok(None);
    }
    let rows = row::rows(value.to_vec())?;
    for row in &rows {
        row.message(codec, room)?;
        let is_found = place.ids.find(By::Event, &row.event).contains(&row.at)
            && row.target.is_none_or(|target| place.ids.find(By::Target, &target).contains(&row.at));
        if !is_found {
            return Ok(Some("a message that its ids do not find".to_owned()));
        }
    }
    Ok(None)
}

/// Checks the records of the log, whose rows are checked once they are folded.
pub(super) async fn log(kv: &dyn Kv) -> Result<Stepped> {
    let mut step = Stepped::default();
    for bytes in kv.log(0).await? {
        match Record::decode(bytes) {
            Err(error) if error.kind() == ErrorKind::Corrupt => step.findings.push(format!("log: {error}")),
            other => drop(other?),
        }
    }
    Ok(step)
}
