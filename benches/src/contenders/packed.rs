//! Messages as haos-store-sqlite has them: room and place in the rowid, an index over hashed ids, the message as JSON.

use haos_contest::Made;
use rusqlite::{Connection, OptionalExtension, Result, Row, params};
use serde::{Deserialize, Serialize};

use super::floor::Layout;
use super::{RELATED, key};

/// Packed rowids.
#[derive(Debug)]
pub struct Packed;

/// The content of a row's text.
#[derive(Serialize, Deserialize)]
struct Payload<'a> {
    event_id: &'a str,
    sender: &'a str,
    r#type: &'a str,
    #[serde(borrow)]
    content: &'a serde_json::value::RawValue,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    target: Option<&'a str>,
}

/// A message as it is read: strings of its own, as whoever shows it needs them.
struct Read {
    position: u64,
    _timestamp_ms: i64,
    _texts: [String; 4],
    _target: Option<String>,
}

const COLUMNS: &str = "pos, timestamp_ms, payload";

fn read(row: &Row<'_>) -> Result<Read> {
    let payload: Payload<'_> = serde_json::from_str(row.get_ref(2)?.as_str()?).unwrap();
    let texts = [payload.event_id, payload.sender, payload.r#type, payload.content.get()];
    Ok(Read {
        position: row.get::<_, i64>(0)? as u64 & ((1 << 40) - 1),
        _timestamp_ms: row.get(1)?,
        _texts: texts.map(str::to_owned),
        _target: payload.target.map(str::to_owned),
    })
}

fn pack(room: usize, position: u64) -> i64 {
    (room as i64) << 40 | position as i64
}

fn short(key: [u8; 16]) -> i64 {
    i64::from_be_bytes(key[..8].try_into().unwrap())
}

impl Layout for Packed {
    const SCHEMA: &str =
        "CREATE TABLE message(pos INTEGER PRIMARY KEY, key BLOB NOT NULL, sender INTEGER NOT NULL,
            target INTEGER, txn INTEGER, timestamp_ms INTEGER NOT NULL, written INTEGER NOT NULL,
            payload ANY NOT NULL) STRICT;
        CREATE UNIQUE INDEX message_by_key ON message(pos >> 40, key);
        CREATE INDEX message_by_target ON message(pos >> 40, target) WHERE target IS NOT NULL;
        CREATE INDEX message_by_txn ON message(txn) WHERE txn IS NOT NULL;";

    fn insert(db: &Connection, messages: &[Made]) -> Result<()> {
        let mut statement = db.prepare_cached(
            "INSERT INTO message(pos, key, sender, target, txn, timestamp_ms, written, payload)
             VALUES (?, ?, ?, ?, NULL, ?, 1, ?)",
        )?;
        for made in messages {
            let payload = Payload {
                event_id: &made.id,
                sender: &made.sender,
                r#type: "m.room.message",
                content: serde_json::from_str(&made.content).unwrap(),
                target: made.target.as_deref(),
            };
            statement.execute(params![
                pack(made.room, made.position),
                key(made.room, &made.id),
                short(key(made.room, &made.sender)) >> 32,
                made.target.as_ref().map(|id| short(key(made.room, id))),
                made.timestamp_ms,
                serde_json::to_string(&payload).unwrap(),
            ])?;
        }
        Ok(())
    }

    fn page(db: &Connection, room: usize, at: u64, older: bool, limit: usize) -> Result<usize> {
        let side = if older { "pos < ?2 ORDER BY pos DESC" } else { "pos >= ?2 ORDER BY pos" };
        let end = if older { pack(room, 0) } else { pack(room, (1 << 40) - 1) };
        let within = if older { "pos >= ?1" } else { "pos <= ?1" };
        let sql = format!("SELECT {COLUMNS} FROM message WHERE {within} AND {side} LIMIT ?3");
        let mut statement = db.prepare_cached(&sql)?;
        let rows = statement.query_map(params![end, pack(room, at), limit as i64], read)?;
        Ok(rows.collect::<Result<Vec<Read>>>()?.len())
    }

    fn get(db: &Connection, room: usize, id: &str) -> Result<Option<u64>> {
        let sql = format!("SELECT {COLUMNS} FROM message WHERE pos >> 40 = ? AND key = ?");
        let mut statement = db.prepare_cached(&sql)?;
        let found = statement.query_row(params![room as i64, key(room, id)], read).optional()?;
        Ok(found.map(|found| found.position))
    }

    fn related(db: &Connection, room: usize, id: &str) -> Result<usize> {
        let sql = format!(
            "SELECT {COLUMNS} FROM message WHERE pos >> 40 = ? AND target = ? ORDER BY pos LIMIT {RELATED}"
        );
        let mut statement = db.prepare_cached(&sql)?;
        let rows = statement.query_map(params![room as i64, short(key(room, id))], read)?;
        Ok(rows.collect::<Result<Vec<Read>>>()?.len())
    }
}
