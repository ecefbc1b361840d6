//! Short reads on the caller's own thread: two thread wake-ups cost more than they do.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, TryLockError};
use std::time::Duration;

use haos_store_api::{Codec, ErrorKind, Result};
use rusqlite::Connection;

use crate::db::Db;
use crate::error::fault;

/// Every so many reads go to the reading thread, so that a task that does nothing but read lets its
/// executor have a turn.
const TURN: u32 = 32;
/// Rows that a near read fetches at most, about.
pub(crate) const NEAR_ROWS: usize = 128;
/// Bytes of media that a near read fetches at most.
pub(crate) const NEAR_BYTES: u64 = 64 << 10;

/// A connection that whoever comes first may read with. It waits for nobody.
pub(crate) struct NearReader {
    conn: Mutex<Connection>,
    codec: Codec,
    reads: AtomicU32,
}

impl NearReader {
    pub(crate) fn new(conn: Connection, codec: Codec) -> Result<Self> {
        conn.busy_timeout(Duration::ZERO).map_err(|e| fault("open", e))?;
        Ok(Self { conn: Mutex::new(conn), codec, reads: AtomicU32::new(0) })
    }

    /// The answer, or none if it is somebody else's turn: then the reading thread is to be asked.
    pub(crate) fn read<T>(
        &self,
        operation: &'static str,
        read: &impl Fn(Db<'_>) -> Result<T>,
    ) -> Option<Result<T>> {
        if self.reads.fetch_add(1, Ordering::Relaxed) % TURN == TURN - 1 {
            return None;
        }
        let conn = match self.conn.try_lock() {
            Ok(conn) => conn,
            // Statements and snapshots end as a panic unwinds: the connection is as good as before.
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        let answer = Db { conn: &conn, codec: &self.codec, operation }.with_keys(read);
        match answer {
            Err(e) if e.kind() == ErrorKind::Busy => None,
            answer => Some(answer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::SqliteOptions;

    #[test]
    fn it_reads_unless_it_is_not_its_turn() {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteOptions::new(folder.path().join("s.db"));
        let (_writer, _) = crate::open::open(&options).unwrap();
        let conn = crate::open::connect_reader(&options).unwrap();
        let near = NearReader::new(conn, options.codec.clone()).unwrap();
        let read = |db: Db<'_>| db.store_revision();
        let answers: Vec<bool> = (0..2 * TURN).map(|_| near.read("test", &read).is_some()).collect();
        assert_eq!(answers.iter().filter(|answered| !**answered).count(), 2);

        let inner = |_: Db<'_>| Ok(near.read("test", &read).is_none());
        assert!(near.read("test", &inner).unwrap().unwrap(), "it is in use");
        let busy = |db: Db<'_>| -> Result<()> {
            Err(haos_store_api::Error::new(ErrorKind::Busy, db.operation, "held"))
        };
        assert!(near.read("test", &busy).is_none(), "the thread may wait, the caller may not");
    }

    #[test]
    fn a_panic_leaves_it_usable() {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteOptions::new(folder.path().join("s.db"));
        let (_writer, _) = crate::open::open(&options).unwrap();
        let conn = crate::open::connect_reader(&options).unwrap();
        let near = NearReader::new(conn, options.codec.clone()).unwrap();
        let panics = |db: Db<'_>| db.snapshot(|_| -> Result<()> { panic!("as a bug would") });
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| near.read("test", &panics)));
        assert!(caught.is_err());
        assert!(near.read("test", &|db| db.snapshot(|db| db.store_revision())).unwrap().is_ok());
    }
}
