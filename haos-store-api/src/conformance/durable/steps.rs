//! The common steps of the cases.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake};

use super::sample::{room, sample_with};
use super::{Durable, Opening, Sealing, Store};
use crate::conformance::check::{holds, same};
use crate::conformance::{Failure, Outcome};
use crate::{Error, Maintenance, PendingQuery, Progress, Result, Secret, WriteBatch};

/// A text in the plain rows of [`sample`](super::sample()).
pub(super) const PLAIN: &[u8] = b"text of a0";

/// Returns the secret of most cases.
pub(super) fn key() -> Secret {
    Secret::key([5; 32])
}

/// Returns the path of a case's store.
pub(super) fn place(harness: &Durable) -> PathBuf {
    harness.folder().join(harness.layout().name)
}

/// Opens a plain store.
pub(super) async fn open(harness: &Durable, path: &Path) -> Result<Store> {
    harness.open(Opening::at(path)).await
}

/// Opens a store that is sealed with [`key`].
pub(super) fn sealed(path: &Path) -> Opening {
    Opening::at(path).secret(key())
}

/// Returns the error that keeps a store from opening.
pub(super) async fn refusal(harness: &Durable, opening: Opening) -> Result<Error, Failure> {
    match harness.open(opening).await {
        Ok(_) => Err(Failure::new("it opens and should be refused")),
        Err(error) => Ok(error),
    }
}

/// Makes a closed store with the sample.
pub(super) async fn make(harness: &Durable, opening: Opening) -> Outcome {
    let store = harness.open(opening).await?;
    store.apply(sample_with(1000)).await?;
    Ok(store.close().await?)
}

/// Lists the numbers of the data keys that payloads are sealed under.
pub(super) fn key_ids(sealing: &dyn Sealing, path: &Path) -> BTreeSet<u16> {
    sealing.payloads(path).iter().map(|payload| u16::from_be_bytes([payload[1], payload[2]])).collect()
}

/// Removes a store, and the mirror of its outbox.
pub(super) fn clear(harness: &Durable, path: &Path) -> Outcome {
    without_mirror(harness, path)?;
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    Ok(removed?)
}

/// Makes a batch that puts a room.
pub(super) fn put(name: &str) -> WriteBatch {
    let mut batch = WriteBatch::relaxed();
    batch.put_room(room(name));
    batch
}

/// Lists the transactions of the outbox.
pub(super) async fn txns(store: &Store) -> Result<Vec<String>> {
    let rows = store.pending(PendingQuery::default()).await?;
    Ok(rows.iter().map(|row| row.txn_id.to_string()).collect())
}

/// Checks that a check finds nothing.
pub(super) async fn is_sound(store: &Store) -> Outcome {
    let report = store.maintain(Maintenance::Check, Progress::none()).await?;
    same(report.findings, Vec::<String>::new())
}

pub(super) type Steps = Arc<Mutex<Vec<(u64, u64)>>>;

/// Makes a progress, and the record of its steps.
pub(super) fn recorder() -> (Progress, Steps) {
    let steps = Steps::default();
    let own = steps.clone();
    (Progress::to(move |done, total| lock(&own).push((done, total))), steps)
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The outcomes of looks during a conversion.
#[cfg(unix)]
#[derive(Default)]
pub(super) struct Looks(Arc<Mutex<Vec<Outcome>>>);

#[cfg(unix)]
impl Looks {
    /// Makes a progress that looks at each step.
    pub(super) fn at_each_step(&self, look: impl Fn() -> Outcome + Send + Sync + 'static) -> Progress {
        let seen = self.0.clone();
        Progress::to(move |_, _| lock(&seen).push(look()))
    }

    pub(super) fn outcome(&self) -> Outcome {
        let seen = std::mem::take(&mut *lock(&self.0));
        holds(!seen.is_empty(), "a conversion tells its progress")?;
        seen.into_iter().collect()
    }
}

/// Lists the names in a folder.
pub(super) fn names(folder: &Path) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// Lists the names in the folder of a case, and in the store if that is a folder, but that of the outbox's mirror.
pub(super) fn all_names(harness: &Durable) -> Result<Vec<String>, Failure> {
    let mut all = names_but_mirror(harness)?;
    if harness.layout().is_folder {
        let mirror = harness.layout().mirror.trim_start_matches('/');
        all.extend(names(&place(harness))?.into_iter().filter(|name| name != mirror));
    }
    Ok(all)
}

/// Checks that the folder of the case has only the store, and the mirror of its outbox.
#[track_caller]
pub(super) fn stands_alone(harness: &Durable) -> Outcome {
    same(names_but_mirror(harness)?, [harness.layout().name])
}

/// Lists the names in the folder of a case but that of the outbox's mirror.
pub(super) fn names_but_mirror(harness: &Durable) -> Result<Vec<String>, Failure> {
    let mut names = names(harness.folder())?;
    let mirror =
        mirror(harness).and_then(|path| path.file_name().map(|name| name.to_string_lossy().into_owned()));
    names.retain(|name| mirror.as_ref() != Some(name));
    Ok(names)
}

/// Returns the path of the outbox's mirror, if the backend keeps one.
pub(super) fn mirror(harness: &Durable) -> Option<PathBuf> {
    let ending = harness.layout().mirror;
    (!ending.is_empty()).then(|| crate::files::beside(&place(harness), ending))
}

/// Removes the mirror of the store at a path, so that a case is about the store alone.
pub(super) fn without_mirror(harness: &Durable, path: &Path) -> Outcome {
    let ending = harness.layout().mirror;
    let mirror = crate::files::beside(path, ending);
    if !ending.is_empty() && mirror.exists() {
        fs::remove_file(mirror)?;
    }
    Ok(())
}

/// Reads every file below a folder.
///
/// # Errors
/// If one cannot be read.
pub fn files(folder: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>, Failure> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.insert(path.clone(), fs::read(&path)?);
        }
    }
    Ok(found)
}

/// Reads all files except those that come and go with readers.
pub(super) fn lasting(harness: &Durable) -> Result<BTreeMap<PathBuf, Vec<u8>>, Failure> {
    let (layout, path) = (harness.layout(), place(harness));
    let mut files = files(harness.folder())?;
    let is_passing = |file: &Path| {
        let mut passing = layout.passing.iter().map(|ending| crate::files::beside(&path, ending));
        passing.any(|place| file.starts_with(place))
    };
    files.retain(|file, bytes| !bytes.is_empty() && !is_passing(file));
    Ok(files)
}

/// Tells whether any file below a folder has these bytes. A file may vanish during the search.
pub(super) fn has_bytes(folder: &Path, bytes: &[u8]) -> bool {
    files(folder)
        .is_ok_and(|files| files.values().any(|file| file.windows(bytes.len()).any(|part| part == bytes)))
}

/// Runs a future by parking the thread: a minimal executor.
pub(super) fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(std::thread::current())).into();
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(value) => return value,
            Poll::Pending => std::thread::park(),
        }
    }
}

/// Returns the outcome of a thread.
pub(super) fn joined<T>(ended: std::thread::Result<Result<T, Failure>>) -> Result<T, Failure> {
    ended.unwrap_or_else(|_| Err(Failure::new("a thread panicked")))
}
