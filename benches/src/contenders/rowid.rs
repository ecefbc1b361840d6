//! The schema that most would write: a rowid, integer rooms, a column for everything, three indexes.

use haos_contest::Made;
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::RELATED;
use super::floor::Layout;

/// Columns.
#[derive(Debug)]
pub struct Rowid;

/// A message as it is read: every column, as whoever shows it needs them.
type Read = (i64, String, String, String, i64, String, Option<String>);

const COLUMNS: &str = "ord, event_id, sender, type, ts, content, target";

fn read(row: &Row<'_>) -> Result<Read> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?))
}

impl Layout for Rowid {
    const SCHEMA: &str =
        "CREATE TABLE message(id INTEGER PRIMARY KEY, room INTEGER NOT NULL, ord INTEGER NOT NULL,
            event_id TEXT NOT NULL, sender TEXT NOT NULL, type TEXT NOT NULL, ts INTEGER NOT NULL,
            content TEXT NOT NULL, target TEXT);
        CREATE UNIQUE INDEX message_event ON message(room, event_id);
        CREATE INDEX message_order ON message(room, ord);
        CREATE INDEX message_target ON message(room, target, ord) WHERE target IS NOT NULL;";

    fn insert(db: &Connection, messages: &[Made]) -> Result<()> {
        let mut statement = db.prepare_cached(
            "INSERT INTO message(room, ord, event_id, sender, type, ts, content, target)
             VALUES (?, ?, ?, ?, 'm.room.message', ?, ?, ?)",
        )?;
        for made in messages {
            let (room, ord) = (made.room as i64, made.position as i64);
            let row = params![room, ord, made.id, made.sender, made.timestamp_ms, made.content, made.target];
            statement.execute(row)?;
        }
        Ok(())
    }

    fn page(db: &Connection, room: usize, at: u64, older: bool, limit: usize) -> Result<usize> {
        let side = if older { "ord < ? ORDER BY ord DESC" } else { "ord >= ? ORDER BY ord" };
        let mut statement =
            db.prepare_cached(&format!("SELECT {COLUMNS} FROM message WHERE room = ? AND {side} LIMIT ?"))?;
        let rows = statement.query_map(params![room as i64, at as i64, limit as i64], read)?;
        Ok(rows.collect::<Result<Vec<Read>>>()?.len())
    }

    fn get(db: &Connection, room: usize, id: &str) -> Result<Option<u64>> {
        let sql = format!("SELECT {COLUMNS} FROM message WHERE room = ? AND event_id = ?");
        let mut statement = db.prepare_cached(&sql)?;
        let found = statement.query_row(params![room as i64, id], read).optional()?;
        Ok(found.map(|found| found.0 as u64))
    }

    fn related(db: &Connection, room: usize, id: &str) -> Result<usize> {
        let sql = format!(
            "SELECT {COLUMNS} FROM message WHERE room = ? AND target = ? ORDER BY ord LIMIT {RELATED}"
        );
        let mut statement = db.prepare_cached(&sql)?;
        let rows = statement.query_map(params![room as i64, id], read)?;
        Ok(rows.collect::<Result<Vec<Read>>>()?.len())
    }
}
