//! The floor: plain rusqlite, cached statements, one connection behind a mutex, no contract.

use std::path::Path;
use std::sync::{Mutex, MutexGuard};

use haos_contest::{Contender, Made, room_id};
use rusqlite::{Connection, Row, params};

use super::{CHUNK, Rows};

/// How messages are kept.
pub trait Layout: Send + Sync {
    /// Their table and its indexes.
    const SCHEMA: &str;

    /// Adds messages within a transaction.
    fn insert(db: &Connection, messages: &[Made]) -> rusqlite::Result<()>;

    /// Reads up to `limit` messages of a room before a position, newest first, or from it on, oldest first.
    fn page(db: &Connection, room: usize, at: u64, older: bool, limit: usize) -> rusqlite::Result<usize>;

    /// Reads a message; tells where it stands.
    fn get(db: &Connection, room: usize, id: &str) -> rusqlite::Result<Option<u64>>;

    /// Reads what relates to a message.
    fn related(db: &Connection, room: usize, id: &str) -> rusqlite::Result<usize>;
}

/// The store.
#[derive(Debug)]
pub struct Floor<L> {
    db: Mutex<Connection>,
    layout: std::marker::PhantomData<L>,
}

const PRAGMAS: &str = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-8000;
    PRAGMA wal_autocheckpoint=4000;";
const REST: &str = "
    CREATE TABLE IF NOT EXISTS room(nr INTEGER PRIMARY KEY, room_id TEXT NOT NULL UNIQUE, name TEXT,
        activity INTEGER NOT NULL DEFAULT 0);
    CREATE INDEX IF NOT EXISTS room_activity ON room(activity);
    CREATE TABLE IF NOT EXISTS outbox(seq INTEGER PRIMARY KEY, txn TEXT NOT NULL UNIQUE, room INTEGER NOT NULL,
        content TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS media(nr INTEGER PRIMARY KEY, size INTEGER NOT NULL, accessed INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS media_chunk(pos INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS kv(name TEXT PRIMARY KEY, value TEXT);";

/// The last position of all.
const LAST: u64 = (1 << 40) - 1;

fn synchronous(db: &Connection, strict: bool) {
    let level = if strict { "PRAGMA synchronous=FULL" } else { "PRAGMA synchronous=NORMAL" };
    db.execute_batch(level).unwrap();
}

impl<L> Floor<L> {
    fn db(&self) -> MutexGuard<'_, Connection> {
        self.db.lock().unwrap()
    }
}

impl<L: Layout> Contender for Floor<L> {
    type Batch = Rows;

    fn open(folder: &Path) -> Self {
        let db = Connection::open(folder.join("floor.db")).unwrap();
        db.execute_batch(PRAGMAS).unwrap();
        let made = db.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get::<_, i64>(0));
        if made.unwrap() == 0 {
            db.execute_batch(&format!("BEGIN; {} {REST} COMMIT", L::SCHEMA)).unwrap();
        }
        Self { db: Mutex::new(db), layout: std::marker::PhantomData }
    }

    fn put_rooms(&self, rooms: usize) {
        let mut db = self.db();
        let tx = db.transaction().unwrap();
        for room in 0..rooms {
            let insert = "INSERT OR IGNORE INTO room(nr, room_id, activity) VALUES (?1, ?2, ?1)";
            tx.prepare_cached(insert).unwrap().execute(params![room as i64, room_id(room)]).unwrap();
        }
        tx.commit().unwrap();
    }

    fn batch(&self, messages: Vec<Made>, token: Option<String>, strict: bool) -> Rows {
        Rows { messages, token, strict }
    }

    fn commit(&self, batch: Rows) {
        let mut db = self.db();
        synchronous(&db, batch.strict);
        let tx = db.transaction().unwrap();
        L::insert(&tx, &batch.messages).unwrap();
        if let (Some(token), Some(last)) = (&batch.token, batch.messages.last()) {
            let room = params![last.room as i64, token, last.timestamp_ms];
            let update = "UPDATE room SET name = ?2, activity = ?3 WHERE nr = ?1";
            tx.prepare_cached(update).unwrap().execute(room).unwrap();
            let token_row = "INSERT OR REPLACE INTO kv(name, value) VALUES ('token', ?)";
            tx.prepare_cached(token_row).unwrap().execute([token]).unwrap();
        }
        tx.commit().unwrap();
    }

    fn newest(&self, room: usize, limit: usize) -> usize {
        L::page(&self.db(), room, LAST, true, limit).unwrap()
    }

    fn older(&self, room: usize, before: u64, limit: usize) -> Option<usize> {
        Some(L::page(&self.db(), room, before, true, limit).unwrap())
    }

    fn around(&self, room: usize, id: &str, each_side: usize) -> Option<usize> {
        let db = self.db();
        let at = L::get(&db, room, id).unwrap()?;
        let older = L::page(&db, room, at, true, each_side).unwrap();
        Some(older + 1 + L::page(&db, room, at + 1, false, each_side).unwrap())
    }

    fn get(&self, room: usize, id: &str) -> bool {
        L::get(&self.db(), room, id).unwrap().is_some()
    }

    fn related(&self, room: usize, id: &str) -> Option<usize> {
        Some(L::related(&self.db(), room, id).unwrap())
    }

    fn rooms(&self, limit: usize) -> Option<usize> {
        let sql = "SELECT room_id, name, activity FROM room ORDER BY activity DESC LIMIT ?";
        let db = self.db();
        let mut statement = db.prepare_cached(sql).unwrap();
        let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let rows = statement.query_map([limit as i64], row).unwrap();
        Some(rows.collect::<Result<Vec<(String, Option<String>, i64)>, _>>().unwrap().len())
    }

    fn send(&self, made: &Made) -> Option<()> {
        let db = self.db();
        synchronous(&db, true);
        let insert = "INSERT INTO outbox(txn, room, content) VALUES (?, ?, ?)";
        let row = params![made.id, made.room as i64, made.content];
        db.prepare_cached(insert).unwrap().execute(row).unwrap();
        synchronous(&db, false);
        db.prepare_cached("DELETE FROM outbox WHERE txn = ?").unwrap().execute([&made.id]).unwrap();
        Some(())
    }

    fn put_media(&self, n: usize, bytes: Vec<u8>) -> Option<()> {
        let mut db = self.db();
        synchronous(&db, false);
        let tx = db.transaction().unwrap();
        let insert = "INSERT INTO media(nr, size, accessed) VALUES (?, ?, ?)";
        tx.prepare_cached(insert).unwrap().execute(params![n as i64, bytes.len() as i64, n as i64]).unwrap();
        for (index, chunk) in bytes.chunks(CHUNK).enumerate() {
            let insert = "INSERT INTO media_chunk(pos, bytes) VALUES (?, ?)";
            tx.prepare_cached(insert).unwrap().execute(params![chunk_pos(n, index), chunk]).unwrap();
        }
        tx.commit().unwrap();
        Some(())
    }

    fn media(&self, n: usize, from: u64, bytes: u64) -> Option<usize> {
        let db = self.db();
        let (first, end) = (from as usize / CHUNK, (from + bytes) as usize);
        let sql = "SELECT bytes FROM media_chunk WHERE pos BETWEEN ? AND ? ORDER BY pos";
        let mut statement = db.prepare_cached(sql).unwrap();
        let of = params![chunk_pos(n, first), chunk_pos(n, (end - 1) / CHUNK)];
        let mut rows = statement.query(of).unwrap();
        let (mut read, mut at) = (Vec::with_capacity(bytes as usize), first * CHUNK);
        while let Some(row) = rows.next().unwrap() {
            let chunk = row.get_ref(0).unwrap().as_blob().unwrap();
            let part = (from as usize).saturating_sub(at)..chunk.len().min(end - at);
            read.extend_from_slice(&chunk[part]);
            at += chunk.len();
        }
        Some(read.len())
    }

    fn close(self) {
        self.db.into_inner().unwrap().close().unwrap();
    }
}

fn chunk_pos(n: usize, index: usize) -> i64 {
    (n as i64) << 24 | index as i64
}
