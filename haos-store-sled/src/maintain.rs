//! Chores and sizes.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use haos_store_api::*;
use tokio::sync::oneshot;

use crate::db::Db;
use crate::store::{SledStore, ended};

/// Tells the chore's thread that nobody waits any more.
pub(crate) struct StopOnDrop(pub(crate) Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl SledStore {
    /// sled cleans its log by itself and cannot be asked to: this flushes and frees nothing.
    pub(crate) async fn compact(&self, progress: &Progress) -> Result<Report> {
        self.call("maintain", |writer| writer.flush(true)).await?;
        progress.step(1, 1);
        Ok(Report::default())
    }

    /// Checks a few rows at a time, so that reads and writes go on meanwhile.
    pub(crate) async fn check(&self, progress: Progress) -> Result<Report> {
        let stop = StopOnDrop(Arc::default());
        let (reply, answer) = oneshot::channel();
        let stopped = stop.0.clone();
        self.with_engine("maintain", |engine| {
            let (reads, shared) = (engine.reads.clone(), engine.shared.clone());
            engine.chore(move || {
                let is_over = || stopped.load(Ordering::Relaxed) || reads.is_closed();
                let read = |look: &mut dyn FnMut(Db<'_>) -> Result<()>| {
                    if is_over() { Err(ended("maintain")) } else { shared.read("maintain", look) }
                };
                let _ = reply.send(kv::check(&read, &progress));
            })
        })??;
        answer.await.map_err(|_| ended("maintain"))?
    }
}

/// The sums of the counters, and the bytes on disk. sled does not tell how many of them are free.
pub(crate) fn usage(db: Db<'_>, folder: &Path) -> Result<Usage> {
    Ok(Usage { total_bytes: bytes_in(folder), ..db.usage()? })
}

/// A file that goes meanwhile counts nothing.
fn bytes_in(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => bytes_in(&entry.path()),
        Ok(meta) => meta.len(),
        Err(_) => 0,
    };
    entries.flatten().map(size).sum()
}
