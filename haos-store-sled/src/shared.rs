//! The shared part of an open store's threads: the tree, and the lock that lets a read see whole commits.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, TryLockError, mpsc};
use std::time::Duration;

use haos_store_api::backend::native::{Reader, Readers, closed};
use haos_store_api::backend::{Codec, Form, Reads};
use haos_store_api::{Error, ErrorKind, Result};

use crate::db::{Db, Layer, Tree, batch};
use crate::error::{fault, guarded};
use crate::pinned::{Pinned, Pins};

/// The wait for sled to let go of its files. Its own threads do not survive every damage, and it waits for them.
const RELEASE: Duration = Duration::from_secs(20);

/// sled's handles. The files are free once the last of them is dropped.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    pub(crate) db: sled::Db,
    pub(crate) tree: Tree,
}

impl Files {
    /// Drops the handles, which flushes; waits for that, but not for ever.
    pub(crate) fn release(self) {
        let (tell, told) = mpsc::channel();
        let drop_them = move || {
            let _ = guarded("close", || {
                drop(self);
                Ok(())
            });
            let _ = tell.send(());
        };
        // Without a thread, the closure and the handles are dropped here.
        if std::thread::Builder::new().name("haos-sled-close".to_owned()).spawn(drop_them).is_ok()
            && told.recv_timeout(RELEASE).is_err()
        {
            tracing::error!("sled does not let go of its files: they stay locked until the process ends");
        }
    }
}

/// The tree of an open store.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Held for writing while a commit goes into the tree; absent once the store has ended.
    files: RwLock<Option<Files>>,
    codec: Codec,
    pins: Pins,
    /// True if sled panicked, or a commit's outcome is unknown: nothing is read or written any more.
    poisoned: AtomicBool,
}

impl Shared {
    pub(crate) fn new(files: Files, codec: Codec) -> Self {
        Self {
            files: RwLock::new(Some(files)),
            // The stored keyring is this process's own.
            codec: codec.lenient(),
            pins: Pins::default(),
            poisoned: AtomicBool::new(false),
        }
    }

    /// Reads, after waiting for a commit in progress.
    pub(crate) fn read<T>(
        &self,
        operation: &'static str,
        read: impl FnOnce(Db<'_>) -> Result<T>,
    ) -> Result<T> {
        let files = self.files.read().unwrap_or_else(PoisonError::into_inner);
        self.read_in(files.as_ref(), operation, read)
    }

    fn read_in<T>(
        &self,
        files: Option<&Files>,
        operation: &'static str,
        read: impl FnOnce(Db<'_>) -> Result<T>,
    ) -> Result<T> {
        let files = files.ok_or_else(|| closed(operation, "the store is closed: open it again"))?;
        self.run(operation, || read(Db::new(&files.tree, &self.codec, operation)))
    }

    /// Runs a call into sled, unless the store is poisoned; a panic poisons it.
    pub(crate) fn run<T>(&self, operation: &'static str, run: impl FnOnce() -> Result<T>) -> Result<T> {
        if self.poisoned.load(Ordering::Acquire) {
            return Err(poisoned(operation));
        }
        let mut ended = false;
        let result = guarded(operation, || {
            let result = run();
            ended = true;
            result
        });
        // sled keeps a failure of the file system for good, and gives it to every call that follows.
        let is_lasting = result.as_ref().is_err_and(is_lasting);
        if !ended || is_lasting {
            tracing::error!(operation, "sled failed: the store takes no more calls");
            self.poison();
        }
        result
    }

    /// Refuses every later call.
    pub(crate) fn poison(&self) {
        self.poisoned.store(true, Ordering::Release);
    }

    /// Puts a commit into the tree. Readers see it whole or not at all, and pinned ones not at all.
    pub(crate) fn commit(&self, layer: Layer) -> Result<()> {
        let files = self.files.write().unwrap_or_else(PoisonError::into_inner);
        let files = files.as_ref().ok_or_else(|| closed("apply", "the store is closed: open it again"))?;
        self.run("apply", || {
            self.pins.keep(&files.tree, &layer)?;
            files.tree.0.apply_batch(batch(layer)).map_err(|e| fault("apply", e))
        })
    }

    /// Reads an earlier commit, through what later ones replaced.
    pub(crate) fn read_pinned<T>(
        &self,
        pinned: &Pinned,
        operation: &'static str,
        read: impl FnOnce(Db<'_>) -> Result<T>,
    ) -> Result<T> {
        let files = self.files.read().unwrap_or_else(PoisonError::into_inner);
        let files = files.as_ref().ok_or_else(|| closed(operation, "the store is closed: open it again"))?;
        pinned.through(|codec, before| {
            self.run(operation, || read(Db::new(&files.tree, codec, operation).through(before)))
        })
    }

    /// Ends the store for its readers; returns the handles.
    pub(crate) fn end(&self) -> Option<Files> {
        self.files.write().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(crate) fn codec(&self) -> &Codec {
        &self.codec
    }
}

impl Readers for Shared {
    type Reader = Arc<Self>;
    type Pinned = Pinned;

    /// Returns `None` while a commit is in progress.
    fn glance<T>(
        &self,
        _: bool,
        operation: &'static str,
        read: &impl Fn(&dyn Reads) -> Result<T>,
    ) -> Option<Result<T>> {
        let files = match self.files.try_read() {
            Ok(files) => files,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        Some(self.read_in(files.as_ref(), operation, |db| read(&db)))
    }

    fn connect(self: &Arc<Self>) -> Result<Arc<Self>> {
        Ok(self.clone())
    }

    fn pin(self: &Arc<Self>, codec: Codec) -> Result<Pinned> {
        // No commit goes into the tree meanwhile.
        let _files = self.files.read().unwrap_or_else(PoisonError::into_inner);
        Ok(self.pins.pin(self.clone(), codec.in_form(Form::Binary).lenient()))
    }
}

impl Reader for Shared {
    fn read<T>(&self, operation: &'static str, read: &impl Fn(&dyn Reads) -> Result<T>) -> Result<T> {
        Shared::read(self, operation, |db| read(&db))
    }
}

/// Tells whether an error of sled's lasts until it is opened again.
pub(crate) fn is_lasting(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Io | ErrorKind::Full)
}

fn poisoned(operation: &'static str) -> Error {
    closed(operation, "sled failed, and its content is uncertain: close the store and open it again")
}

#[cfg(test)]
mod tests {
    use haos_store_api::RoomId;

    use super::*;

    fn shared() -> Arc<Shared> {
        let db = sled::Config::new().temporary(true).flush_every_ms(None).open().unwrap();
        let tree = Tree(db.open_tree("t").unwrap());
        Arc::new(Shared::new(Files { db, tree }, Codec::plain()))
    }

    #[test]
    fn it_reads_unless_a_commit_is_going_on() {
        let shared = shared();
        let read = |db: &dyn Reads| db.gaps(&RoomId::new("!r")?);
        let held = shared.files.write().unwrap();
        assert!(
            shared.glance(false, "test", &read).is_none(),
            "a commit is going on: the caller does not wait"
        );
        drop(held);
        assert!(shared.glance(false, "test", &read).unwrap().unwrap().is_empty());
    }

    #[test]
    fn a_panic_closes_it_for_reads_and_commits() {
        let shared = shared();
        let panics = |_: &dyn Reads| -> Result<()> { panic!("as sled does") };
        assert_eq!(shared.glance(false, "test", &panics).unwrap().unwrap_err().kind(), ErrorKind::Corrupt);
        let after = Shared::read(&shared, "test", |db| db.get(b"k")).unwrap_err();
        assert_eq!(after.kind(), ErrorKind::Closed);
        assert!(after.to_string().contains("open it again"), "{after}");
        assert_eq!(shared.commit(Layer::new(Default::default())).unwrap_err().kind(), ErrorKind::Closed);
        shared.end().unwrap().release();
        assert_eq!(Shared::read(&shared, "test", |_| Ok(())).unwrap_err().kind(), ErrorKind::Closed);
    }
}
