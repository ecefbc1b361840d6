//! The floor: plain rusqlite on the schema that serves the job best, one connection, no contract.

use std::path::Path;

use haos_contest::{Contender, Made, room_id};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// The store.
pub(crate) struct Floor(Connection);

/// Messages, and what a sync brings besides.
pub(crate) struct Batch {
    messages: Vec<Made>,
    token: Option<String>,
    strict: bool,
}

const SCHEMA: &str = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-8000;
    PRAGMA wal_autocheckpoint=4000;
    CREATE TABLE IF NOT EXISTS room(nr INTEGER PRIMARY KEY, room_id TEXT NOT NULL UNIQUE, name TEXT,
        activity INTEGER NOT NULL DEFAULT 0);
    CREATE TABLE IF NOT EXISTS message(id INTEGER PRIMARY KEY, room INTEGER NOT NULL, ord INTEGER NOT NULL,
        event_id TEXT NOT NULL, sender TEXT NOT NULL, type TEXT NOT NULL, ts INTEGER NOT NULL, content TEXT NOT NULL,
        target TEXT);
    CREATE UNIQUE INDEX IF NOT EXISTS message_event ON message(room, event_id);
    CREATE INDEX IF NOT EXISTS message_order ON message(room, ord);
    CREATE INDEX IF NOT EXISTS message_target ON message(room, target, ord) WHERE target IS NOT NULL;
    CREATE TABLE IF NOT EXISTS outbox(seq INTEGER PRIMARY KEY, txn TEXT NOT NULL UNIQUE, room INTEGER NOT NULL,
        content TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS media(nr INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS kv(name TEXT PRIMARY KEY, value TEXT);";
const COLUMNS: &str = "ord, event_id, sender, type, ts, content, target";

/// A message as it is read: every column, as whoever shows it needs them.
type Read = (i64, String, String, String, i64, String, Option<String>);

fn read(row: &Row<'_>) -> rusqlite::Result<Read> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?))
}

impl Floor {
    fn synchronous(&self, strict: bool) {
        let level = if strict { "PRAGMA synchronous=FULL" } else { "PRAGMA synchronous=NORMAL" };
        self.0.execute_batch(level).unwrap();
    }

    fn page(&self, room: usize, before: i64, limit: usize) -> usize {
        let sql =
            format!("SELECT {COLUMNS} FROM message WHERE room = ? AND ord < ? ORDER BY ord DESC LIMIT ?");
        let mut statement = self.0.prepare_cached(&sql).unwrap();
        let rows = statement.query_map(params![room as i64, before, limit as i64], read).unwrap();
        rows.collect::<Result<Vec<Read>, _>>().unwrap().len()
    }
}

impl Contender for Floor {
    type Batch = Batch;

    fn open(folder: &Path) -> Self {
        let db = Connection::open(folder.join("floor.db")).unwrap();
        db.execute_batch(SCHEMA).unwrap();
        Self(db)
    }

    fn put_rooms(&mut self, rooms: usize) {
        let tx = self.0.transaction().unwrap();
        for room in 0..rooms {
            let insert = "INSERT OR IGNORE INTO room(nr, room_id) VALUES (?, ?)";
            tx.prepare_cached(insert).unwrap().execute(params![room as i64, room_id(room)]).unwrap();
        }
        tx.commit().unwrap();
    }

    fn batch(&mut self, messages: Vec<Made>, token: Option<String>, strict: bool) -> Batch {
        Batch { messages, token, strict }
    }

    fn commit(&mut self, batch: Batch) {
        self.synchronous(batch.strict);
        let tx = self.0.transaction().unwrap();
        let insert = "INSERT INTO message(room, ord, event_id, sender, type, ts, content, target) \
                      VALUES (?, ?, ?, ?, 'm.room.message', ?, ?, ?)";
        {
            let mut statement = tx.prepare_cached(insert).unwrap();
            for made in &batch.messages {
                let (room, ord) = (made.room as i64, made.position as i64);
                let row = params![room, ord, made.id, made.sender, made.timestamp_ms, made.content, made.target];
                statement.execute(row).unwrap();
            }
        }
        if let (Some(token), Some(last)) = (&batch.token, batch.messages.last()) {
            let room = params![last.room as i64, token, last.timestamp_ms];
            let update = "UPDATE room SET name = ?2, activity = ?3 WHERE nr = ?1";
            tx.prepare_cached(update).unwrap().execute(room).unwrap();
            let token_row = "INSERT OR REPLACE INTO kv(name, value) VALUES ('token', ?)";
            tx.prepare_cached(token_row).unwrap().execute([token]).unwrap();
        }
        tx.commit().unwrap();
    }

    fn newest(&mut self, room: usize, limit: usize) -> usize {
        self.page(room, i64::MAX, limit)
    }

    fn older(&mut self, room: usize, before: u64, limit: usize) -> Option<usize> {
        Some(self.page(room, before as i64, limit))
    }

    fn get(&mut self, room: usize, id: &str) -> bool {
        let sql = format!("SELECT {COLUMNS} FROM message WHERE room = ? AND event_id = ?");
        let mut statement = self.0.prepare_cached(&sql).unwrap();
        statement.query_row(params![room as i64, id], read).optional().unwrap().is_some()
    }

    fn related(&mut self, room: usize, id: &str) -> Option<usize> {
        let sql = format!("SELECT {COLUMNS} FROM message WHERE room = ? AND target = ? ORDER BY ord");
        let mut statement = self.0.prepare_cached(&sql).unwrap();
        let rows = statement.query_map(params![room as i64, id], read).unwrap();
        Some(rows.collect::<Result<Vec<Read>, _>>().unwrap().len())
    }

    fn rooms(&mut self, limit: usize) -> Option<usize> {
        let sql = "SELECT room_id, name, activity FROM room ORDER BY activity DESC, nr LIMIT ?";
        let mut statement = self.0.prepare_cached(sql).unwrap();
        let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let rows = statement.query_map([limit as i64], row).unwrap();
        Some(rows.collect::<Result<Vec<(String, Option<String>, i64)>, _>>().unwrap().len())
    }

    fn send(&mut self, made: &Made) -> Option<()> {
        self.synchronous(true);
        let insert = "INSERT INTO outbox(txn, room, content) VALUES (?, ?, ?)";
        let row = params![made.id, made.room as i64, made.content];
        self.0.prepare_cached(insert).unwrap().execute(row).unwrap();
        self.synchronous(false);
        self.0.prepare_cached("DELETE FROM outbox WHERE txn = ?").unwrap().execute([&made.id]).unwrap();
        Some(())
    }

    fn put_media(&mut self, n: usize, bytes: Vec<u8>) -> Option<()> {
        self.synchronous(false);
        let insert = "INSERT INTO media(nr, bytes) VALUES (?, ?)";
        self.0.prepare_cached(insert).unwrap().execute(params![n as i64, bytes]).unwrap();
        Some(())
    }

    fn media(&mut self, n: usize, from: u64, bytes: u64) -> Option<usize> {
        let sql = "SELECT substr(bytes, ?2 + 1, ?3) FROM media WHERE nr = ?1";
        let mut statement = self.0.prepare_cached(sql).unwrap();
        let part = params![n as i64, from as i64, bytes as i64];
        Some(statement.query_row(part, |row| row.get::<_, Vec<u8>>(0)).unwrap().len())
    }

    fn close(self) {
        self.0.close().unwrap();
    }
}
