//! Short reads on the caller's own thread: two thread wake-ups cost more than they do.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use haos_store_api::backend::native::{Reader, Readers};
use haos_store_api::backend::{Codec, Reads};
use haos_store_api::{ErrorKind, Result};
use rusqlite::Connection;

use crate::budget::{Bounded, Pinned};
use crate::error::fault;
use crate::open::{Place, only_reads};

/// The most reads at once; further ones go to the reading thread.
const AT_ONCE: usize = 2;
/// The same while a batch waits for the writer, which is to have a processor.
const BESIDE_WRITES: usize = 1;

/// Connections for reads on the callers' threads, first come, first served. It waits for nobody.
#[derive(Debug)]
pub(crate) struct NearReaders {
    pub(crate) place: Place,
    /// The first is open from the start, each other once those before it were all in use.
    slots: [Mutex<Option<Bounded>>; AT_ONCE],
}

impl NearReaders {
    /// Takes the connection that the store was opened with as the first of them.
    pub(crate) fn new(first: Connection, place: Place) -> Result<Self> {
        only_reads(&first)?;
        let mut slots = std::array::from_fn(|_| Mutex::new(None));
        slots[0] = Mutex::new(Some(waits_for_nobody(first, &place)?));
        Ok(Self { place, slots })
    }
}

impl Readers for NearReaders {
    type Reader = Bounded;
    type Pinned = Pinned;

    fn glance<T>(
        &self,
        beside_a_write: bool,
        operation: &'static str,
        read: &impl Fn(&dyn Reads) -> Result<T>,
    ) -> Option<Result<T>> {
        let at_once = if beside_a_write { BESIDE_WRITES } else { AT_ONCE };
        let mut slot = self.slots[..at_once].iter().find_map(free)?;
        let bounded = match &mut *slot {
            Some(bounded) => bounded,
            // If it cannot be opened, the reading thread has one.
            none => none.insert(waits_for_nobody(self.place.reader().ok()?, &self.place).ok()?),
        };
        match bounded.read(operation, read) {
            Err(e) if e.kind() == ErrorKind::Busy => None,
            answer => Some(answer),
        }
    }

    fn connect(self: &Arc<Self>) -> Result<Bounded> {
        Bounded::new(self.place.reader()?, &self.place.options)
    }

    fn pin(self: &Arc<Self>, codec: Codec) -> Result<Pinned> {
        Pinned::new(Bounded::new(self.place.reader()?, &self.place.options.clone().unlocked(codec))?)
    }

    /// Closing the last connection of a store moves its log into it.
    fn close(&self) {
        for slot in &self.slots {
            slot.lock().unwrap_or_else(PoisonError::into_inner).take();
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

fn waits_for_nobody(conn: Connection, place: &Place) -> Result<Bounded> {
    conn.busy_timeout(Duration::ZERO).map_err(|e| fault("open", e))?;
    Bounded::new(conn, &place.options)
}

#[cfg(test)]
mod tests {
    use haos_store_api::Error;

    use super::*;
    use crate::backend::Sqlite;
    use crate::open::{Opened, open};
    use crate::options::SqliteOptions;

    fn store() -> (tempfile::TempDir, NearReaders) {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteOptions::new(folder.path().join("s.db")).resolved::<Sqlite>().unwrap();
        let Opened { conn, access, .. } = open(&options).unwrap();
        (folder, NearReaders::new(conn, Place { options, access }).unwrap())
    }

    #[test]
    fn it_reads_unless_all_are_in_use() {
        let (_folder, near) = store();
        let open = |near: &NearReaders| {
            near.slots.iter().filter(|slot| free(slot).is_none_or(|c| c.is_some())).count()
        };
        assert!(near.glance(false, "test", &|db| db.usage()).is_some());
        assert_eq!(open(&near), 1, "no more than are needed");

        fn deep(near: &NearReaders, beside: bool, levels: usize) -> Option<usize> {
            let inner = |_: &dyn Reads| Ok(deep(near, beside, levels + 1));
            near.glance(beside, "test", &inner).map_or(Some(levels), |answer| answer.unwrap())
        }
        assert_eq!(deep(&near, false, 0), Some(AT_ONCE));
        assert_eq!(open(&near), AT_ONCE);
        assert_eq!(deep(&near, true, 0), Some(BESIDE_WRITES));
        assert_eq!(deep(&near, false, 0), Some(AT_ONCE));
        let busy = |_: &dyn Reads| -> Result<()> { Err(Error::new(ErrorKind::Busy, "test", "held")) };
        assert!(near.glance(false, "test", &busy).is_none(), "the thread may wait, the caller may not");
        near.close();
        assert_eq!(open(&near), 0);
    }

    #[test]
    fn a_panic_leaves_it_usable() {
        let (_folder, near) = store();
        let bounded = || near.slots[0].lock().unwrap_or_else(PoisonError::into_inner);
        let panics = || {
            let bounded = bounded();
            let db = bounded.as_ref().unwrap().db("test");
            db.snapshot(|_| -> Result<()> { panic!("as a bug would") })
        };
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics)).is_err());
        assert!(near.glance(false, "test", &|db| db.usage()).unwrap().is_ok());
    }
}
