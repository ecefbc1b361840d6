//! Row by row from one store to another, under the same numbers, positions and revisions.

use std::collections::HashMap;

use haos_store_api::backend::native::Stop;
use haos_store_api::backend::*;
use haos_store_api::*;
use rusqlite::Row;

use crate::db::{Db, NEXT, STOP, signed};
use crate::slot;
use crate::table::CHUNK_BITS;

/// The approximate limits of one transaction: rows and bytes.
const STEP_ROWS: u64 = 1024;
const STEP_BYTES: usize = 1 << 20;

type Rooms = HashMap<i64, (RoomId, Key)>;

/// A table, with the statement that reads its rows from a rowid on, and the function that writes them. The rowid comes
/// first.
struct Table {
    name: &'static str,
    rowid: &'static str,
    select: &'static str,
    /// Writes a row; returns its bytes.
    copy: fn(Db<'_>, Db<'_>, &Rooms, &Row<'_>) -> Result<usize>,
}

/// In the order of copying: rooms first.
const TABLES: [Table; 7] = [
    Table {
        name: "room",
        rowid: "nr",
        select: "SELECT nr, key, last_activity_ms, revision, payload FROM room WHERE nr > ?1 ORDER BY nr",
        copy: |from, to, _, row| {
            let (nr, room) = from.read_room(row)?;
            let new = to.codec.room_row(&room)?;
            let sql = "INSERT INTO room (nr, key, last_activity_ms, revision, payload)
                       VALUES (?1, ?2, ?3, ?4, ?5)";
            let columns = (nr, new.key.as_bytes(), room.last_activity_ms, signed(room.revision.0));
            to.run(sql, (columns.0, columns.1, columns.2, columns.3, to.bind(&new.payload)))
        },
    },
    Table {
        name: "message",
        rowid: "pos",
        select: "SELECT pos, key, timestamp_ms, written, payload, sender, target, txn
                 FROM message WHERE pos > ?1 ORDER BY pos",
        copy: |from, to, rooms, row| {
            let (pos, written) = (from.int(row, 0)?, from.revision(row, 3)?);
            let message = from.read_message(row, room_of(from, rooms, pos)?)?;
            let new = to.codec.message_row(&message, written)?;
            let links = new.links();
            let sql = "INSERT INTO message (pos, key, sender, target, txn, timestamp_ms, written, payload)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
            to.run(
                sql,
                (
                    pos,
                    new.key.as_bytes(),
                    links.sender,
                    links.target,
                    links.txn,
                    message.timestamp_ms,
                    signed(written.0),
                    to.bind(&new.payload),
                ),
            )?;
            Ok(new.payload.as_bytes().len())
        },
    },
    Table {
        name: "gap",
        rowid: "pos",
        select: "SELECT pos, revision, payload FROM gap WHERE pos > ?1 ORDER BY pos",
        copy: |from, to, rooms, row| {
            let pos = from.int(row, 0)?;
            let gap = from.read_gap(row, room_of(from, rooms, pos)?)?;
            to.write_gap(slot::room(pos), &gap).map(|()| 1)
        },
    },
    Table {
        name: "pending",
        rowid: "seq",
        select: "SELECT seq, key, not_before_ms, revision, payload, room FROM pending WHERE seq > ?1 ORDER BY seq",
        copy: |from, to, _, row| to.write_pending(&from.read_pending(row)?).map(|()| 1),
    },
    Table {
        name: "media",
        rowid: "nr",
        select: "SELECT nr, key, size, last_access_ms, pinned, written, payload, bytes FROM media
                 WHERE nr > ?1 ORDER BY nr",
        copy: |from, to, _, row| {
            let (nr, info) = from.read_media_info(row)?;
            let inline = from.inline(nr, row, 7)?;
            let inline = inline.map(|bytes| to.codec.chunk_row(nr as u64, 0, &bytes)).transpose()?;
            let inline = inline.as_ref().map(|chunk| chunk.payload.as_bytes());
            to.insert_media(nr, &info, from.revision(row, 5)?, inline)
        },
    },
    Table {
        name: "media_chunk",
        rowid: "pos",
        select: "SELECT pos, payload FROM media_chunk WHERE pos > ?1 ORDER BY pos",
        copy: |from, to, _, row| {
            let pos = from.int(row, 0)?;
            let (nr, index) = (pos >> CHUNK_BITS, pos & ((1 << CHUNK_BITS) - 1));
            let bytes = from.codec.chunk(nr as u64, index as u64, from.bytes(row, 1)?)?;
            to.write_chunk(nr, index as u64, &bytes).map(|()| bytes.len())
        },
    },
    Table {
        name: "state",
        rowid: "nr",
        select: "SELECT nr, key, written, payload, scope, kind FROM state WHERE nr > ?1 ORDER BY nr",
        copy: |from, to, _, row| {
            let (nr, written) = (from.int(row, 0)?, from.revision(row, 2)?);
            let new = to.codec.state_row(&from.read_state(row)?, written)?;
            let sql = "INSERT INTO state (nr, scope, kind, key, written, payload)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            let (scope, kind, key) = (new.scope.as_bytes(), new.kind.short(), new.key.as_bytes());
            to.run(sql, (nr, scope, kind, key, signed(written.0), to.bind(&new.payload)))
        },
    },
];

/// Copies the rows that the target lacks, and then the counters, with which it is a whole store.
pub(super) fn all(from: Db<'_>, to: Db<'_>, progress: &Progress, stop: &Stop) -> Result<Report> {
    let total = TABLES.iter().map(|table| count(from, table)).sum::<Result<u64>>()?;
    let mut report = Report::default();
    let mut done = TABLES.iter().map(|table| count(to, table)).sum::<Result<u64>>()?;
    let mut rooms = Rooms::new();
    let sql = "SELECT nr, key, last_activity_ms, revision, payload FROM room";
    from.each(sql, (), |row| {
        let (nr, room) = from.read_room(row)?;
        let key = from.codec.room_key(&room.id);
        rooms.insert(nr, (room.id, key));
        Ok(NEXT)
    })?;
    for table in &TABLES {
        loop {
            if stop.is_set() {
                return Ok(report);
            }
            let rows = step(from, to, &rooms, table)?;
            if rows == 0 {
                break;
            }
            (done, report.rows) = (done + rows, report.rows + rows);
            progress.step(done.min(total), total);
        }
    }
    counters(from, to)?;
    progress.step(total, total);
    Ok(report)
}

fn count(db: Db<'_>, table: &Table) -> Result<u64> {
    Ok(db.number(&format!("SELECT count(*) FROM {}", table.name), ())?.unsigned_abs())
}

/// Copies one transaction's worth; returns the number of rows.
fn step(from: Db<'_>, to: Db<'_>, rooms: &Rooms, table: &Table) -> Result<u64> {
    let last = format!("SELECT coalesce(max({}), {}) FROM {}", table.rowid, i64::MIN, table.name);
    let after = to.number(&last, ())?;
    to.run("BEGIN IMMEDIATE", ())?;
    let (mut rows, mut bytes) = (0, 0);
    let copied = from.each(table.select, [after], |row| {
        bytes += (table.copy)(from, to, rooms, row)?;
        rows += 1;
        Ok(if rows < STEP_ROWS && bytes < STEP_BYTES { NEXT } else { STOP })
    });
    let end = if copied.is_ok() { "COMMIT" } else { "ROLLBACK" };
    to.run(end, ())?;
    copied.map(|()| rows)
}

fn counters(from: Db<'_>, to: Db<'_>) -> Result<()> {
    to.run("PRAGMA synchronous = FULL", ())?;
    to.run("BEGIN IMMEDIATE", ())?;
    to.set_store_revision(from.store_revision()?)?;
    to.set_last_seq(from.last_seq()?)?;
    to.set_message_sums(to.sums_of(0, i64::MAX)?)?;
    // Numbers of media are never given twice, also those of removed items.
    let last = from.number("SELECT seq FROM sqlite_sequence WHERE name = 'media'", ())?;
    if to.run("UPDATE sqlite_sequence SET seq = ?1 WHERE name = 'media'", [last])? == 0 && last > 0 {
        to.run("INSERT INTO sqlite_sequence (name, seq) VALUES ('media', ?1)", [last])?;
    }
    to.run("DELETE FROM meta WHERE name = 'converting_from'", ())?;
    to.run("COMMIT", ())?;
    to.number("PRAGMA wal_checkpoint(TRUNCATE)", ())?;
    Ok(())
}

fn room_of<'r>(db: Db<'_>, rooms: &'r Rooms, pos: i64) -> Result<RoomRef<'r>> {
    let (id, key) = rooms.get(&slot::room(pos)).ok_or_else(|| db.corrupt("a message or gap has no room"))?;
    Ok(RoomRef { id, key: *key })
}
