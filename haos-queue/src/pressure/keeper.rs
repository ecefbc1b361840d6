use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use haos_store_api::{Collection, Commit, Error, ErrorKind, Result, StorageAdapter, Usage, WriteBatch};
use tokio::sync::watch;

use super::weight::{Weight, admit};
use super::{Level, LevelWatch, PressureOptions, PressureReport};

const FULL: &str = "the storage is full, although media that can be fetched again and old messages were given \
                    up: free space on the device, raise the quota, or send or cancel what is unsent";

/// Keeps one store within its quota: measures it, gives up what can be fetched again before it is too
/// full, and lets what the user wrote in even then.
///
/// ```
/// use std::sync::Arc;
///
/// use haos_queue::pressure::{Keeper, Level, PressureOptions};
/// use haos_store_api::{MemoryStore, WriteBatch};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> haos_store_api::Result<()> {
/// let options = PressureOptions { quota_bytes: Some(100 << 20), ..PressureOptions::default() };
/// let keeper = Keeper::new(Arc::new(MemoryStore::new()), options);
/// let now_ms = 1_700_000_000_000;
/// keeper.apply(WriteBatch::relaxed(), now_ms).await?;
/// assert_eq!(keeper.check(now_ms).await?.level, Level::Ok);
/// # Ok(()) }
/// ```
pub struct Keeper {
    pub(super) store: Arc<dyn StorageAdapter>,
    pub(super) options: PressureOptions,
    measured: Mutex<Option<Measured>>,
    level: watch::Sender<Level>,
}

/// The size of the store at the last look, and of all writes since, as if these were new.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measured {
    pub(super) used: u64,
    pub(super) media: u64,
    pub(super) quota: Option<u64>,
}

impl Measured {
    fn new(usage: &Usage, options: &PressureOptions) -> Self {
        let bytes = |wanted: Option<Collection>| {
            let sizes = usage.collections.iter().filter(|(which, _)| wanted.is_none_or(|w| w == *which));
            sizes.fold(0_u64, |sum, (_, size)| sum.saturating_add(size.bytes))
        };
        Self { used: bytes(None), media: bytes(Some(Collection::Media)), quota: options.quota(usage) }
    }
}

impl Keeper {
    /// A keeper of a store. It looks at the store when it is first asked for something.
    pub fn new(store: Arc<dyn StorageAdapter>, options: PressureOptions) -> Self {
        Self { store, options, measured: Mutex::new(None), level: watch::Sender::new(Level::Ok) }
    }

    /// The store that it keeps.
    pub fn store(&self) -> &Arc<dyn StorageAdapter> {
        &self.store
    }

    /// The level as it was last measured.
    pub fn level(&self) -> Level {
        *self.level.borrow()
    }

    /// The level, watched.
    pub fn watch(&self) -> LevelWatch {
        LevelWatch(self.level.subscribe())
    }

    /// Measures the store, evicts media that the policy no longer keeps, and from [`Level::High`] on gives
    /// up more until the level is [`Level::Ok`]: media by last access, then, at [`Level::Critical`], old
    /// messages.
    ///
    /// Cut off, it has done part of that.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn check(&self, now_ms: i64) -> Result<PressureReport> {
        self.relieve(now_ms, None).await
    }

    /// Applies a batch, if there is room for it or room can be made. What can be fetched again leaves
    /// [`PressureOptions::headroom_bytes`] to the outbox.
    ///
    /// # Errors
    /// `Full` where no room could be made; those of the store.
    pub async fn apply(&self, batch: WriteBatch, now_ms: i64) -> Result<Commit> {
        let weight = Weight::of(&batch);
        if !self.fits(&weight, self.estimate().await?) && !self.fits(&weight, self.measure().await?) {
            self.relieve(now_ms, Some(weight.bytes())).await?;
            if !self.fits(&weight, self.measure().await?) {
                return Err(Error::new(ErrorKind::Full, "apply", FULL));
            }
        }
        let commit = match self.store.apply(batch.clone()).await {
            Err(e) if e.kind() == ErrorKind::Full => {
                self.relieve(now_ms, Some(weight.bytes())).await?;
                self.store.apply(batch).await.map_err(|e| match e.kind() {
                    ErrorKind::Full => Error::new(ErrorKind::Full, "apply", FULL).with_source(e),
                    _ => e,
                })?
            }
            other => other?,
        };
        if commit.changed {
            self.wrote(weight.bytes()).await;
        }
        Ok(commit)
    }

    fn fits(&self, weight: &Weight, now: Measured) -> bool {
        admit(weight, now.used, now.quota, &self.options)
    }

    fn measured(&self) -> MutexGuard<'_, Option<Measured>> {
        self.measured.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn estimate(&self) -> Result<Measured> {
        let known = *self.measured();
        match known {
            Some(now) => Ok(now),
            None => self.measure().await,
        }
    }

    /// Reads the counters and tells the level.
    pub(super) async fn measure(&self) -> Result<Measured> {
        let now = Measured::new(&self.store.usage().await?, &self.options);
        *self.measured() = Some(now);
        self.level.send_if_modified(|level| {
            let next = now.quota.map_or(Level::Ok, |quota| level.after(now.used, quota));
            std::mem::replace(level, next) != next
        });
        Ok(now)
    }

    /// Counts a write without reading. What was there before counts twice, so a level that rises by this is
    /// measured first; should that fail, the next call measures.
    async fn wrote(&self, bytes: u64) {
        let estimate = {
            let mut measured = self.measured();
            let Some(now) = measured.as_mut() else { return };
            now.used = now.used.saturating_add(bytes);
            *now
        };
        let level = self.level();
        if estimate.quota.is_some_and(|quota| level.after(estimate.used, quota) != level)
            && self.measure().await.is_err()
        {
            *self.measured() = None;
        }
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (measured, level) = (*self.measured(), self.level());
        f.debug_struct("Keeper").field("level", &level).field("measured", &measured).finish_non_exhaustive()
    }
}
