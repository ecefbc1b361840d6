//! Every row under a new data key, a step at a time.

use haos_store_api::native::Step;
use haos_store_api::*;
use sled::IVec;

use crate::db::{Db, Order};
use crate::draft::Draft;
use crate::keys;
use crate::record::{Cut, MessageRecord, media_columns, pending_columns};
use crate::writer::Writer;

/// Rows looked at, and bytes resealed, about, in one step; commits come in between.
const STEP_ROWS: usize = 512;
const STEP_BYTES: usize = 1 << 20;

/// A collection and a key in it.
pub(crate) type Place = (usize, Option<Vec<u8>>);

/// The collections with payloads.
const SEALED: [u8; 7] =
    [keys::ROOM, keys::MESSAGE, keys::GAP, keys::PENDING, keys::MEDIA, keys::CHUNK, keys::STATE];

impl Writer {
    /// Some rows of the collection of this number, from a key on or from its first.
    pub(crate) fn reseal_from(&mut self, nr: usize, from: Option<Vec<u8>>) -> Result<Step<Place>> {
        let tag = SEALED[nr];
        let from = from.unwrap_or(keys::whole(tag).0);
        let mut step = Step { next: None, rows: 0, resealed: 0, damaged: Vec::new() };
        let mut last = None;
        let mut draft = Draft::new(self.head());
        let mut bytes = 0;
        self.read("maintain", |db| {
            for pair in db.scan((from, keys::whole(tag).1), Order::Up).take(STEP_ROWS) {
                let (key, row) = pair?;
                let before = row.len() as u64;
                step.rows += 1;
                last = Some(key.to_vec());
                match resealed(db, tag, &key, row) {
                    Ok(None) => {}
                    Ok(Some(row)) => {
                        bytes += row.len();
                        step.resealed += 1;
                        // Padding may be another than when it was written.
                        let sum = draft.head.sum(collection(tag));
                        sum.bytes = (sum.bytes + row.len() as u64).saturating_sub(before);
                        draft.set(key.to_vec(), Some(row));
                    }
                    Err(e) if db.codec.is_damage(&e) => step.damaged.push(e.to_string()),
                    Err(e) => return Err(e),
                }
                if bytes >= STEP_BYTES {
                    break;
                }
            }
            Ok(())
        })?;
        if step.resealed > 0 {
            self.write(draft)?;
        }
        step.next = match last {
            // The least key after it.
            Some(mut last) => {
                last.push(0);
                Some((nr, Some(last)))
            }
            None => (nr + 1 < SEALED.len()).then_some((nr + 1, None)),
        };
        Ok(step)
    }
}

/// What the bytes of a row count for.
fn collection(tag: u8) -> Collection {
    match tag {
        keys::ROOM => Collection::Rooms,
        keys::MESSAGE => Collection::Messages,
        keys::GAP => Collection::Gaps,
        keys::PENDING => Collection::Pending,
        keys::MEDIA | keys::CHUNK => Collection::Media,
        _ => Collection::State,
    }
}

/// The row under the key that seals at present; none if it is.
fn resealed(db: Db<'_>, tag: u8, key: &[u8], row: IVec) -> Result<Option<IVec>> {
    let damaged = || db.corrupt("a key is damaged");
    if tag == keys::MESSAGE {
        let (nr, at) = keys::parse_place(key).ok_or_else(damaged)?;
        let room = &db.number(nr)?.ok_or_else(|| db.corrupt("a message has no room"))?;
        let record = MessageRecord::decode(row)?;
        let place = RowRef::Message { room, key: &record.event, columns: record.columns(at) };
        let payload = db.codec.resealed(&place, record.payload())?;
        return Ok(payload.map(|payload| record.with_payload(Some(payload.as_bytes()))));
    }
    let mut cut = Cut(&row);
    let own = keys::parse_last(key);
    let payload = match tag {
        keys::ROOM => {
            cut.nr()?;
            let (key, last_activity_ms, revision) = (&own.ok_or_else(damaged)?, cut.int()?, cut.revision()?);
            db.codec.resealed(&RowRef::Room { key, last_activity_ms, revision }, cut.0)?
        }
        keys::GAP => {
            let (nr, position) = keys::parse_place(key).ok_or_else(damaged)?;
            let room = &db.number(nr)?.ok_or_else(|| db.corrupt("a gap has no room"))?;
            let revision = cut.revision()?;
            db.codec.resealed(&RowRef::Gap { room, position, revision }, cut.0)?
        }
        keys::PENDING => {
            let (key, columns, payload) = pending_columns(db.read_seq(key)?, &row)?;
            cut.0 = payload;
            let PendingColumns { seq, not_before_ms, revision, .. } = columns;
            db.codec.resealed(&RowRef::Pending { key: &key, seq, not_before_ms, revision }, payload)?
        }
        keys::MEDIA => {
            let (columns, payload) = media_columns(&row)?;
            cut.0 = payload;
            db.codec.resealed(&RowRef::Media { key: &own.ok_or_else(damaged)?, columns }, payload)?
        }
        keys::CHUNK => {
            let (blob, index) = keys::parse_chunk(key).ok_or_else(damaged)?;
            db.codec.resealed(&RowRef::Chunk { blob, index }, cut.0)?
        }
        _ => {
            let (columns, payload) = db.state_columns(key, &row)?;
            cut.0 = payload;
            db.codec.resealed(&RowRef::State { columns }, payload)?
        }
    };
    let columns = row.len() - cut.0.len();
    Ok(payload.map(|payload| [&row[..columns], payload.as_bytes()].concat().into()))
}
