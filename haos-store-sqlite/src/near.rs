//! Short reads on the caller's own thread: two thread wake-ups cost more than they do.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use haos_store_api::{Codec, ErrorKind, Result};
use rusqlite::Connection;

use crate::budget::Bounded;
use crate::db::Db;
use crate::error::fault;
use crate::open::{connect_reader, only_reads};
use crate::options::SqliteOptions;

/// Reads at once, and as long as a batch waits for the writer, which is to have a processor. Beyond that they go to the
/// reading thread.
const AT_ONCE: usize = 2;
const BESIDE_WRITES: usize = 1;
/// Rows that a near read fetches at most, about.
pub(crate) const NEAR_ROWS: usize = 128;
/// Bytes of media that a near read fetches at most.
pub(crate) const NEAR_BYTES: u64 = 64 << 10;

/// Connections that whoever comes first may read with. It waits for nobody.
pub(crate) struct NearReaders {
    options: SqliteOptions,
    codec: Codec,
    /// The first is open from the start, each other from when those before it were in use.
    slots: [Mutex<Option<Bounded>>; AT_ONCE],
    writes: Arc<()>,
}

/// A batch on its way; the readers know as long as it lives.
#[derive(Default)]
pub(crate) struct Writing(#[expect(dead_code, reason = "it is counted")] Arc<()>);

impl NearReaders {
    /// The first of them is the connection that the store was opened with.
    pub(crate) fn new(first: Connection, options: &SqliteOptions, codec: Codec) -> Result<Self> {
        only_reads(&first)?;
        waits_for_nobody(&first)?;
        let mut slots = std::array::from_fn(|_| Mutex::new(None));
        slots[0] = Mutex::new(Some(Bounded::new(first, options)?));
        Ok(Self { options: options.clone(), codec, slots, writes: Arc::new(()) })
    }

    /// The connections, to be closed. Whoever closes the last one of a store moves its log into it.
    pub(crate) fn take(&mut self) -> Vec<Connection> {
        let slots = self.slots.iter_mut();
        let taken = slots.filter_map(|slot| slot.get_mut().unwrap_or_else(PoisonError::into_inner).take());
        taken.map(|bounded| bounded.conn).collect()
    }

    /// Leaves a processor to the writer.
    pub(crate) fn beside_a_write(&self) -> Writing {
        Writing(self.writes.clone())
    }

    /// The answer, or none if all are in use: then the reading thread is to be asked.
    pub(crate) fn read<T>(
        &self,
        operation: &'static str,
        read: &impl Fn(Db<'_>) -> Result<T>,
    ) -> Option<Result<T>> {
        let at_once = if Arc::strong_count(&self.writes) > 1 { BESIDE_WRITES } else { AT_ONCE };
        let mut slot = self.slots[..at_once].iter().find_map(free)?;
        let bounded = match &mut *slot {
            Some(bounded) => bounded,
            // Where it cannot be opened, the reading thread has one.
            none => none.insert(connect(&self.options).ok()?),
        };
        match bounded.read(&self.codec, operation, read) {
            Err(e) if e.kind() == ErrorKind::Busy => None,
            answer => Some(answer),
        }
    }
}

fn free<T>(slot: &Mutex<Option<T>>) -> Option<MutexGuard<'_, Option<T>>> {
    match slot.try_lock() {
        Ok(slot) => Some(slot),
        // Statements and snapshots end as a panic unwinds: the connection is as good as before.
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

fn connect(options: &SqliteOptions) -> Result<Bounded> {
    let conn = connect_reader(options, options.tuning().spare_kib)?;
    waits_for_nobody(&conn)?;
    Bounded::new(conn, options)
}

fn waits_for_nobody(conn: &Connection) -> Result<()> {
    conn.busy_timeout(Duration::ZERO).map_err(|e| fault("open", e))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, NearReaders) {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteOptions::new(folder.path().join("s.db"));
        let first = crate::open::open(&options).unwrap().conn;
        let near = NearReaders::new(first, &options, options.codec.clone()).unwrap();
        (folder, near)
    }

    #[test]
    fn it_reads_unless_all_are_in_use() {
        let (_folder, near) = store();
        let open = |near: &NearReaders| {
            near.slots.iter().filter(|slot| free(slot).is_none_or(|c| c.is_some())).count()
        };
        assert!(near.read("test", &|db| db.store_revision()).is_some());
        assert_eq!(open(&near), 1, "no more than are needed");

        fn deep(near: &NearReaders, levels: usize) -> Option<usize> {
            let inner = |_: Db<'_>| Ok(deep(near, levels + 1));
            near.read("test", &inner).map_or(Some(levels), |answer| answer.unwrap())
        }
        assert_eq!(deep(&near, 0), Some(AT_ONCE));
        assert_eq!(open(&near), AT_ONCE);
        let writing = near.beside_a_write();
        assert_eq!(deep(&near, 0), Some(BESIDE_WRITES));
        drop(writing);
        assert_eq!(deep(&near, 0), Some(AT_ONCE));
        let busy = |db: Db<'_>| -> Result<()> {
            Err(haos_store_api::Error::new(ErrorKind::Busy, db.operation, "held"))
        };
        assert!(near.read("test", &busy).is_none(), "the thread may wait, the caller may not");
    }

    #[test]
    fn a_panic_leaves_it_usable() {
        let (_folder, near) = store();
        let panics = |db: Db<'_>| db.snapshot(|_| -> Result<()> { panic!("as a bug would") });
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| near.read("test", &panics)));
        assert!(caught.is_err());
        assert!(near.read("test", &|db| db.snapshot(|db| db.store_revision())).unwrap().is_ok());
    }
}
