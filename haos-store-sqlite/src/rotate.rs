//! Every row under a new data key, a step at a time.

use haos_store_api::backend::kv::Resealed;
use haos_store_api::backend::*;
use haos_store_api::*;
use rusqlite::Row;

use crate::db::{Db, NEXT, STOP};
use crate::slot;
use crate::table::{CHUNK_BITS, Sums, media_columns, message_columns, state_columns};
use crate::writer::Writer;

/// Rows read in one step; other writes come in between.
const STEP_ROWS: i64 = 512;
/// Approximate bytes resealed in one step.
const STEP_BYTES: usize = 1 << 20;

/// A table with sealed rows: the columns to select, the rowid first, and the payload's place among them.
struct Sealed {
    select: &'static str,
    update: &'static str,
    /// The payload's column.
    payload: usize,
    /// True if the store keeps the sum of its bytes.
    summed: bool,
    reseal: fn(Db<'_>, &Row<'_>) -> Result<Option<Payload>>,
}

const TABLES: [Sealed; 8] = [
    Sealed {
        select: "SELECT nr, key, last_activity_ms, revision, payload FROM room
                 WHERE nr > ?1 ORDER BY nr LIMIT ?2",
        update: "UPDATE room SET payload = ?2 WHERE nr = ?1",
        payload: 4,
        summed: false,
        reseal: |db, row| {
            let (key, last_activity_ms, revision) = (&db.key(row, 1)?, db.int(row, 2)?, db.revision(row, 3)?);
            db.codec.resealed(&RowRef::Room { key, last_activity_ms, revision }, db.bytes(row, 4)?)
        },
    },
    Sealed {
        select: "SELECT m.pos, m.key, m.timestamp_ms, m.written, m.payload, m.sender, m.target, m.txn, r.key
                 FROM message AS m LEFT JOIN room AS r ON r.nr = m.pos >> 40
                 WHERE m.pos > ?1 ORDER BY m.pos LIMIT ?2",
        update: "UPDATE message SET payload = ?2 WHERE pos = ?1",
        payload: 4,
        summed: true,
        reseal: |db, row| {
            let (room, key, columns) = (&db.key(row, 8)?, &db.key(row, 1)?, message_columns(db, row)?);
            db.codec.resealed(&RowRef::Message { room, key, columns }, db.bytes(row, 4)?)
        },
    },
    Sealed {
        select: "SELECT g.pos, r.key, g.revision, g.payload FROM gap AS g
                 JOIN room AS r ON r.nr = g.pos >> 40 WHERE g.pos > ?1 ORDER BY g.pos LIMIT ?2",
        update: "UPDATE gap SET payload = ?2 WHERE pos = ?1",
        payload: 3,
        summed: false,
        reseal: |db, row| {
            let (room, revision) = (&db.key(row, 1)?, db.revision(row, 2)?);
            let position = slot::position(db.int(row, 0)?)?;
            db.codec.resealed(&RowRef::Gap { room, position, revision }, db.bytes(row, 3)?)
        },
    },
    Sealed {
        select: "SELECT seq, key, not_before_ms, revision, payload FROM pending
                 WHERE seq > ?1 ORDER BY seq LIMIT ?2",
        update: "UPDATE pending SET payload = ?2 WHERE seq = ?1",
        payload: 4,
        summed: false,
        reseal: |db, row| {
            let (seq, key) = (db.count(row, 0)?, &db.key(row, 1)?);
            let (not_before_ms, revision) = (db.int(row, 2)?, db.revision(row, 3)?);
            db.codec.resealed(&RowRef::Pending { key, seq, not_before_ms, revision }, db.bytes(row, 4)?)
        },
    },
    Sealed {
        select: "SELECT nr, key, size, last_access_ms, pinned, written, payload FROM media
                 WHERE nr > ?1 ORDER BY nr LIMIT ?2",
        update: "UPDATE media SET payload = ?2 WHERE nr = ?1",
        payload: 6,
        summed: false,
        reseal: |db, row| {
            let (key, columns) = (&db.key(row, 1)?, media_columns(db, row)?);
            db.codec.resealed(&RowRef::Media { key, columns }, db.bytes(row, 6)?)
        },
    },
    Sealed {
        select: "SELECT nr, bytes FROM media WHERE nr > ?1 AND bytes IS NOT NULL ORDER BY nr LIMIT ?2",
        update: "UPDATE media SET bytes = ?2 WHERE nr = ?1",
        payload: 1,
        summed: false,
        reseal: |db, row| {
            db.codec.resealed(&RowRef::Chunk { blob: db.count(row, 0)?, index: 0 }, db.bytes(row, 1)?)
        },
    },
    Sealed {
        select: "SELECT pos, payload FROM media_chunk WHERE pos > ?1 ORDER BY pos LIMIT ?2",
        update: "UPDATE media_chunk SET payload = ?2 WHERE pos = ?1",
        payload: 1,
        summed: false,
        reseal: |db, row| {
            let pos = db.count(row, 0)?;
            let (blob, index) = (pos >> CHUNK_BITS, pos & ((1 << CHUNK_BITS) - 1));
            db.codec.resealed(&RowRef::Chunk { blob, index }, db.bytes(row, 1)?)
        },
    },
    Sealed {
        select: "SELECT nr, key, written, payload, scope, kind FROM state
                 WHERE nr > ?1 ORDER BY nr LIMIT ?2",
        update: "UPDATE state SET payload = ?2 WHERE nr = ?1",
        payload: 3,
        summed: false,
        reseal: |db, row| {
            let columns = state_columns(db, row)?;
            db.codec.resealed(&RowRef::State { columns }, db.bytes(row, 3)?)
        },
    },
];

impl Writer {
    /// Seals some rows of the table of this number, after a rowid.
    pub(crate) fn reseal_after(&mut self, nr: usize, after: i64) -> Result<Resealed<(usize, i64)>> {
        let table = &TABLES[nr];
        self.transact(|writer| {
            let db = writer.db("maintain");
            let mut step = Resealed { next: None, rows: 0, resealed: 0, damaged: Vec::new() };
            let mut last = None;
            let (mut new, mut bytes, mut grown) = (Vec::new(), 0, 0);
            db.each(table.select, (after, STEP_ROWS), |row| {
                let place = db.int(row, 0)?;
                // Pages that point at each other would bring the same rows for ever.
                if place <= last.unwrap_or(after) {
                    return Err(db.corrupt("rows of a table stand out of their order"));
                }
                step.rows += 1;
                last = Some(place);
                match (table.reseal)(db, row) {
                    Ok(None) => {}
                    Ok(Some(payload)) => {
                        bytes += payload.as_bytes().len();
                        // The padding may differ from that of the first write.
                        grown += payload.as_bytes().len() as i64 - db.bytes(row, table.payload)?.len() as i64;
                        new.push((place, payload));
                    }
                    Err(e) if db.codec.is_damage(&e) => step.damaged.push(e.to_string()),
                    Err(e) => return Err(e),
                }
                Ok(if bytes < STEP_BYTES { NEXT } else { STOP })
            })?;
            for (place, payload) in &new {
                db.run(table.update, (place, db.bind(payload)))?;
            }
            if table.summed && grown != 0 {
                db.set_message_sums(db.message_sums()? + Sums { rows: 0, bytes: grown })?;
            }
            step.resealed = new.len() as u64;
            let other = (nr + 1 < TABLES.len()).then_some((nr + 1, i64::MIN));
            step.next = last.map(|last| (nr, last)).or(other);
            Ok(step)
        })
    }
}

impl Db<'_> {
    pub(crate) fn sealed_rows(self) -> Result<u64> {
        let rows = self.usage_now()?.collections.iter().map(|(_, size)| size.rows).sum::<u64>();
        let chunks = "SELECT (SELECT count(*) FROM media_chunk) + (SELECT count(bytes) FROM media)";
        Ok(rows + self.number(chunks, ())?.unsigned_abs())
    }
}
