use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use haos_store_api::*;
use tokio::sync::watch;

use super::weight::{Weight, admit};
use super::{Level, LevelWatch, PressureOptions, PressureReport};
use crate::SharedHost;

const FULL: &str = "the storage is full, although media that can be fetched again and old messages were given \
                    up: free space on the device, raise the quota, or send or cancel what is unsent";

/// A store within its quota: it measures itself, gives up what can be fetched again before it is too full, and
/// lets what the user wrote in even then.
///
/// ```
/// # #[cfg(feature = "tokio")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> haos_store_api::Result<()> {
/// use std::sync::Arc;
///
/// use haos_queue::TokioHost;
/// use haos_queue::pressure::{Kept, Level, PressureOptions};
/// use haos_store_api::{MemoryStore, StorageAdapter, WriteBatch};
///
/// let options = PressureOptions { quota_bytes: Some(100 << 20), ..PressureOptions::default() };
/// let store = Kept::new(MemoryStore::new(), Arc::new(TokioHost), options);
/// store.apply(WriteBatch::relaxed()).await?;
/// assert_eq!(store.check().await?.level, Level::Ok);
/// # Ok(()) }
/// # #[cfg(not(feature = "tokio"))]
/// # fn main() {}
/// ```
///
/// A write that does not fit evicts what can be fetched again, and is tried once more. Such writes leave
/// [`PressureOptions::headroom_bytes`] to the outbox. One without room is `Full`.
pub struct Kept<S = Arc<dyn StorageAdapter>> {
    pub(super) store: S,
    host: SharedHost,
    pub(super) options: PressureOptions,
    measured: Mutex<Option<Measured>>,
    level: watch::Sender<Level>,
    relieved: watch::Sender<PressureReport>,
    /// The time of the latest check, in milliseconds since 1970.
    checked_ms: AtomicI64,
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

impl<S: StorageAdapter> Kept<S> {
    /// Keeps a store by the clock of `host`. It is measured when something is first written.
    pub fn new(store: S, host: SharedHost, options: PressureOptions) -> Self {
        let (measured, level, relieved) =
            (Mutex::default(), watch::Sender::new(Level::Ok), watch::Sender::default());
        Self { store, host, options, measured, level, relieved, checked_ms: AtomicI64::new(i64::MIN) }
    }

    /// The store beneath, whose writes are not kept within bounds.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// The clock.
    pub fn host(&self) -> &SharedHost {
        &self.host
    }

    /// The bounds.
    pub fn options(&self) -> &PressureOptions {
        &self.options
    }

    /// The level as it was last measured.
    pub fn level(&self) -> Level {
        *self.level.borrow()
    }

    /// Watches the level.
    pub fn watch(&self) -> LevelWatch {
        LevelWatch(self.level.subscribe())
    }

    /// Watches what went for want of room since the store is kept, all looks together, with the findings of the latest
    /// one. Each look is told, whether or not anything went.
    pub fn relieved(&self) -> watch::Receiver<PressureReport> {
        self.relieved.subscribe()
    }

    /// Adds a look to those before it.
    pub(super) fn tell(&self, report: &PressureReport) {
        self.relieved.send_modify(|sum| {
            *sum = PressureReport {
                evicted_bytes: sum.evicted_bytes.saturating_add(report.evicted_bytes),
                pruned_messages: sum.pruned_messages.saturating_add(report.pruned_messages),
                ..report.clone()
            };
        });
    }

    /// Measures the store, evicts media that the policy no longer keeps, and from [`Level::High`] on gives
    /// up more until the level is [`Level::Ok`]: media by last access, then, at [`Level::Critical`], old
    /// messages.
    ///
    /// Cut off, it has done part of that.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn check(&self) -> Result<PressureReport> {
        self.checked_ms.store(self.now_ms(), Ordering::Relaxed);
        self.relieve(None).await
    }

    /// Checks the store if the latest check is [`PressureOptions::check_ms`] ago. A write of what can be fetched
    /// again does so by itself; an application that writes nothing for long may call it.
    pub async fn tick(&self) {
        let last_ms = self.checked_ms.load(Ordering::Relaxed);
        if self.now_ms().abs_diff(last_ms) >= self.options.check_ms
            && let Err(error) = self.check().await
        {
            tracing::warn!(%error, "the store could not be checked for room");
        }
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.host.now_ms()
    }

    /// Makes room for a batch that does not fit.
    async fn make_room(&self, weight: &Weight) -> Result<()> {
        if weight.settles || weight.bytes() == 0 {
            return Ok(());
        }
        match self.estimate().await {
            Ok(now) if self.fits(weight, now) => return Ok(()),
            Ok(_) => {}
            // A message of the user is written all the same: a store that is full says so itself.
            Err(error) if weight.cache == 0 => {
                tracing::warn!(%error, "the store could not be measured");
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        if !self.fits(weight, self.measure().await?) {
            self.relieve(Some(weight.bytes())).await?;
            if !self.fits(weight, self.measure().await?) {
                return Err(Error::new(ErrorKind::Full, "apply", FULL));
            }
        }
        Ok(())
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

#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
impl<S: StorageAdapter> StorageAdapter for Kept<S> {
    async fn apply(&self, batch: WriteBatch) -> Result<Commit> {
        let weight = Weight::of(&batch);
        self.make_room(&weight).await?;
        let commit = match self.store.apply(batch.clone()).await {
            Err(e) if e.kind() == ErrorKind::Full => {
                self.relieve(Some(weight.bytes())).await?;
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
        if weight.cache > 0 {
            self.tick().await;
        }
        Ok(commit)
    }

    forward_store! { self => self.store; except apply }
}

impl<S: StorageAdapter> fmt::Debug for Kept<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (measured, level) = (*self.measured(), self.level());
        f.debug_struct("Kept")
            .field("store", &self.store)
            .field("level", &level)
            .field("measured", &measured)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[cfg(all(feature = "tokio", not(target_arch = "wasm32")))]
mod tests {
    use futures_util::FutureExt as _;
    use haos_store_api::{KeyChange, Membership, MemoryStore, Room, RoomId, RoomQuery};

    use super::*;
    use crate::TokioHost;

    fn now<T>(answer: impl Future<Output = T>) -> T {
        answer.now_or_never().expect("a store in memory answers at once")
    }

    /// Only writes are weighed; what a backend would answer by default comes from beneath, too.
    #[test]
    fn all_but_writes_is_the_stores_own() {
        let pressure = PressureOptions { quota_bytes: Some(1), ..PressureOptions::default() };
        let rows = MemoryStore::new();
        let kept = Kept::new(rows.clone(), Arc::new(TokioHost), pressure);
        let mut batch = WriteBatch::relaxed();
        batch.put_room(Room::new(RoomId::new("!a").unwrap(), Membership::Join));
        assert_eq!(now(kept.apply(batch.clone())).unwrap_err().kind(), ErrorKind::Full);
        now(rows.apply(batch)).unwrap();
        assert_eq!(now(kept.rooms(RoomQuery::default())).unwrap().len(), 1);
        assert_eq!(now(kept.change_keys(KeyChange::Shred)).unwrap_err().kind(), ErrorKind::NotSealed);
        assert_eq!(kept.info(), rows.info());
        now(kept.suspend()).unwrap();
        assert_eq!(now(rows.usage()).unwrap_err().kind(), ErrorKind::Closed);
        now(kept.resume()).unwrap();
        now(kept.close()).unwrap();
        assert_eq!(now(rows.usage()).unwrap_err().kind(), ErrorKind::Closed);
    }
}
