//! The floor: plain rusqlite, a rowid table, integer rooms, two indexes, one connection, no contract.

use std::path::Path;

use haos_store_api::Message;
use rusqlite::{Connection, Result, params};

use crate::data::{Scale, room_id};

/// A message as the floor reads it.
#[derive(Debug)]
pub struct FloorMessage {
    /// Its order within the room.
    pub ord: i64,
    /// Its id.
    pub event_id: String,
    /// Who sent it.
    pub sender: String,
    /// Its type.
    pub kind: String,
    /// The server's time.
    pub timestamp_ms: i64,
    /// Its content.
    pub content: String,
}

/// The floor's store.
#[derive(Debug)]
pub struct Floor(Connection);

const COLUMNS: &str = "ord, event_id, sender, type, ts, content";

impl Floor {
    /// Makes it.
    pub fn open(path: &Path, scale: Scale) -> Result<Self> {
        let db = Connection::open(path)?;
        db.execute_batch(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-8000;
             PRAGMA wal_autocheckpoint=4000;
             CREATE TABLE room(nr INTEGER PRIMARY KEY, room_id TEXT NOT NULL UNIQUE, name TEXT, activity INTEGER);
             CREATE TABLE message(id INTEGER PRIMARY KEY, room INTEGER NOT NULL, ord INTEGER NOT NULL,
                event_id TEXT NOT NULL, sender TEXT NOT NULL, type TEXT NOT NULL, ts INTEGER NOT NULL,
                content TEXT NOT NULL);
             CREATE UNIQUE INDEX message_event ON message(room, event_id);
             CREATE INDEX message_order ON message(room, ord);
             CREATE TABLE kv(name TEXT PRIMARY KEY, value TEXT);",
        )?;
        for room in 0..scale.rooms {
            db.execute(
                "INSERT INTO room(nr, room_id) VALUES (?, ?)",
                params![room as i64, room_id(room).as_str()],
            )?;
        }
        Ok(Self(db))
    }

    /// Inserts messages in one transaction.
    pub fn insert(&mut self, messages: &[(usize, Message)]) -> Result<()> {
        let tx = self.0.transaction()?;
        insert(&tx, messages)?;
        tx.commit()
    }

    /// What a sync commits: messages, a room row and a token, with `synchronous=FULL`.
    pub fn sync(&mut self, messages: &[(usize, Message)], token: &str) -> Result<()> {
        self.0.execute_batch("PRAGMA synchronous=FULL")?;
        let tx = self.0.transaction()?;
        insert(&tx, messages)?;
        if let Some((room, last)) = messages.last() {
            tx.prepare_cached("UPDATE room SET name = ?2, activity = ?3 WHERE nr = ?1")?.execute(params![
                *room as i64,
                token,
                last.timestamp_ms
            ])?;
        }
        tx.prepare_cached("INSERT OR REPLACE INTO kv(name, value) VALUES ('token', ?)")?.execute([token])?;
        tx.commit()
    }

    /// The newest messages of a room, or those before an order.
    pub fn page(&self, room: usize, before: Option<i64>, limit: i64) -> Result<Vec<FloorMessage>> {
        let sql =
            format!("SELECT {COLUMNS} FROM message WHERE room = ? AND ord < ? ORDER BY ord DESC LIMIT ?");
        let mut statement = self.0.prepare_cached(&sql)?;
        let rows = statement.query_map(params![room as i64, before.unwrap_or(i64::MAX), limit], row)?;
        rows.collect()
    }

    /// A message by id.
    pub fn get(&self, room: usize, event: &str) -> Result<FloorMessage> {
        let sql = format!("SELECT {COLUMNS} FROM message WHERE room = ? AND event_id = ?");
        self.0.prepare_cached(&sql)?.query_row(params![room as i64, event], row)
    }
}

fn insert(db: &Connection, messages: &[(usize, Message)]) -> Result<()> {
    let mut statement = db.prepare_cached(
        "INSERT INTO message(room, ord, event_id, sender, type, ts, content) VALUES (?, ?, ?, ?, ?, ?, ?)",
    )?;
    for (room, message) in messages {
        statement.execute(params![
            *room as i64,
            message.position.get() as i64,
            message.id.as_str(),
            message.sender.as_str(),
            message.kind.as_str(),
            message.timestamp_ms,
            message.content.as_str(),
        ])?;
    }
    Ok(())
}

fn row(row: &rusqlite::Row<'_>) -> Result<FloorMessage> {
    Ok(FloorMessage {
        ord: row.get(0)?,
        event_id: row.get(1)?,
        sender: row.get(2)?,
        kind: row.get(3)?,
        timestamp_ms: row.get(4)?,
        content: row.get(5)?,
    })
}
