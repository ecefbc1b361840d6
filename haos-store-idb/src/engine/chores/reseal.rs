//! Rows under a new data key.

use haos_store_api::backend::kv::{Cut, corrupt};
use haos_store_api::backend::{Codec, Key, PendingColumns, RowRef};
use haos_store_api::{Collection, Result};

use super::super::head::Head;
use super::super::keys::{self, SegmentKey};
use super::super::kv::{HEAD, Kv, Table};
use super::super::segment::{self, Beneath, Overlay, Row};
use super::super::tables::{media_columns, pending_columns, state_columns};
use super::{Stepped, following};

/// Records in one step: of chunks and segments, some megabytes.
const STEP: u32 = 32;

pub(super) async fn reseal<K: Kv>(kv: &K, codec: &Codec, table: Table, from: Vec<u8>) -> Result<Stepped> {
    let (records, next) = following(kv, table, from, STEP).await?;
    let mut step = Stepped { next, ..Stepped::default() };
    let mut grown = Grown::default();
    for (key, value) in &records {
        let resealed = match table {
            Table::Timeline => timeline(kv, codec, &mut grown, key, value).await,
            _ => record(codec, table, key, value).and_then(|new| {
                let Some(new) = new else { return Ok(0) };
                grown.note(table, value.len(), new.len());
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
    grown.write(kv).await?;
    Ok(step)
}

/// The growth of payloads, negative if they shrank: the padding may differ from that of the first write.
#[derive(Default)]
struct Grown {
    by: Vec<(Collection, i64)>,
    /// Of rows that lie beneath an overlay.
    stale: i64,
}

impl Grown {
    fn note(&mut self, table: Table, before: usize, after: usize) {
        let of = match table {
            Table::Rooms => Collection::Rooms,
            Table::Outbox => Collection::Pending,
            Table::Media => Collection::Media,
            Table::State => Collection::State,
            Table::Timeline => Collection::Gaps,
            // An item's bytes count unpadded.
            Table::Chunks | Table::OutboxIds => return,
        };
        self.by.push((of, after as i64 - before as i64));
    }

    async fn write<K: Kv>(self, kv: &K) -> Result<()> {
        if self.stale == 0 && self.by.iter().all(|(_, by)| *by == 0) {
            return Ok(());
        }
        let Some(head) = kv.named(HEAD).await? else { return Ok(()) };
        let mut head = Head::decode("maintain", &head)?;
        for (of, by) in self.by {
            let sum = head.sums.of_mut(of);
            sum.bytes = sum.bytes.saturating_add_signed(by);
        }
        head.stale = head.stale.saturating_add_signed(self.stale);
        kv.put_named(HEAD, &head.encode())
    }
}

/// Seals the value with the present key; `None` if it is sealed with that already.
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

/// Returns the number of resealed rows.
async fn timeline<K: Kv>(kv: &K, codec: &Codec, grown: &mut Grown, key: &[u8], value: &[u8]) -> Result<u64> {
    let room = room_of(key)?;
    // `None` if it is under that key already; else its growth.
    let reseal = |row: &mut Row| -> Result<Option<i64>> {
        let place = RowRef::Message { room: &room, key: &row.event, columns: row.columns() };
        let Some(payload) = codec.resealed(&place, &row.payload)? else { return Ok(None) };
        let before = row.payload.len() as i64;
        *row = row.clone().with_payload(payload);
        Ok(Some(row.payload.len() as i64 - before))
    };
    let mut changed = 0;
    if let Some(old) = SegmentKey::decode(key) {
        let mut rows = segment::rows(value)?;
        let mut other = Vec::new();
        for row in &mut rows {
            let Some(by) = reseal(row)? else { continue };
            changed += 1;
            if by != 0 {
                other.push((row.at, by));
            }
        }
        if changed > 0 {
            let (new, ids, value) = segment::segment(old.room, &rows);
            if new != old {
                kv.delete(Table::Timeline, key)?;
            }
            kv.put_indexed(&new.encode(), &ids, &value)?;
        }
        for (at, by) in other {
            let over = keys::overlay(&room, at);
            let overlay =
                kv.get(Table::Timeline, &over).await?.map(|value| Overlay::decode(&value)).transpose()?;
            match overlay {
                Some(Overlay { beneath: Some(beneath), row, .. }) => {
                    let bytes = beneath.bytes.saturating_add_signed(by as i32);
                    let overlay = Overlay { at, beneath: Some(Beneath { bytes, ..beneath }), row };
                    kv.put_indexed(&over, &overlay.ids(), &overlay.encode())?;
                    grown.stale += by;
                }
                _ => grown.by.push((Collection::Messages, by)),
            }
        }
    } else if keys::is_overlay(key) {
        let mut overlay = Overlay::decode(value)?;
        if let Some(row) = &mut overlay.row
            && let Some(by) = reseal(row)?
        {
            changed += 1;
            grown.by.push((Collection::Messages, by));
            kv.put_indexed(key, &overlay.ids(), &overlay.encode())?;
        }
    } else if let Some(new) = record(codec, Table::Timeline, key, value)? {
        grown.note(Table::Timeline, value.len(), new.len());
        kv.put(Table::Timeline, key, &new)?;
        changed += 1;
    }
    Ok(changed)
}
