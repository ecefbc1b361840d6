//! The store, as the cache uses it.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use haos_queue::SharedHost;
use haos_queue::pressure::Kept;
use haos_store_api::{
    ByteRange, ErrorKind, Media, MediaInfo, MediaKey, MediaPolicy, MediaQuery, PendingQuery, Result, RoomId,
    StorageAdapter, WriteBatch,
};

use super::MediaError;
use super::partial::{Litter, is_abandoned};
use super::touches::Touches;

/// The time after which the policy is carried out again, if there is something new.
const EVICT_EVERY_MS: u64 = 3600 * 1000;
/// And whenever a part of the policy's total as large as one by this number is new.
const EVICT_PART: u64 = 64;

pub(super) struct Shelf {
    store: Arc<Kept>,
    pub(super) host: SharedHost,
    pub(super) policy: MediaPolicy,
    pub(super) litter: Arc<Litter>,
    touches: Touches,
    added: Mutex<Added>,
}

/// The news since the policy was last carried out.
#[derive(Debug, Default)]
struct Added {
    bytes: u64,
    evicted_at_ms: Option<i64>,
}

impl Shelf {
    pub(super) fn new(store: Arc<Kept>) -> Self {
        let (host, policy) = (store.host().clone(), store.options().media);
        let (litter, touches, added) = Default::default();
        Self { store, host, policy, litter, touches, added }
    }

    /// The most bytes of one item that stay.
    pub(super) fn limit(&self) -> u64 {
        self.policy.max_item.min(self.policy.max_total)
    }

    pub(super) async fn info(&self, key: &MediaKey) -> Result<Option<MediaInfo>> {
        let query = MediaQuery { key: Some(key.clone()), limit: 1, ..MediaQuery::default() };
        Ok(self.store.media_index(query).await?.pop())
    }

    /// Part of an item, and its use noted. Damaged, it is removed: it can be fetched again.
    pub(super) async fn read(&self, key: &MediaKey, range: ByteRange) -> Result<Option<Media>> {
        let media = match self.store.media(key, range).await {
            Err(e) if e.kind() == ErrorKind::Corrupt => {
                tracing::warn!("a cached media item is damaged and is fetched again");
                let mut batch = WriteBatch::relaxed();
                batch.remove_media(key.clone());
                self.store.apply(batch).await?;
                None
            }
            other => other?,
        };
        if let Some(media) = &media
            && let Some(batch) = self.touches.note(&media.info, self.host.now_ms())
        {
            self.try_apply(batch).await;
        }
        Ok(media)
    }

    /// Writes what can be fetched again, and makes room for it.
    pub(super) async fn commit(&self, batch: WriteBatch) -> Result<(), MediaError> {
        match self.store.apply(batch).await {
            Ok(_) => Ok(()),
            // The bytes before these are gone: they were given up for these, or media was cleared.
            Err(e) if e.kind() == ErrorKind::Conflict => Err(MediaError::Full),
            Err(e) => Err(e.into()),
        }
    }

    /// Writes the uses that are only noted.
    pub(super) async fn flush(&self) -> Result<()> {
        match self.touches.take(self.host.now_ms()) {
            Some(batch) => self.store.apply(batch).await.map(drop),
            None => Ok(()),
        }
    }

    /// Carries out the policy after `bytes` more, if it is time. The total is exceeded by a 64th at most.
    pub(super) async fn evict_after(&self, bytes: u64) {
        let now_ms = self.host.now_ms();
        let is_time = {
            let mut added = self.added.lock().unwrap_or_else(PoisonError::into_inner);
            added.bytes = added.bytes.saturating_add(bytes);
            let is_late = added.evicted_at_ms.is_none_or(|at| at.abs_diff(now_ms) >= EVICT_EVERY_MS);
            let is_time = is_late || added.bytes > self.policy.max_total / EVICT_PART;
            if is_time {
                *added = Added { bytes: 0, evicted_at_ms: Some(now_ms) };
            }
            is_time
        };
        if is_time {
            self.try_flush().await;
            // The item is there: whoever waits for it need not know.
            if let Err(e) = self.store.check().await {
                tracing::warn!("media could not be evicted: {e}");
            }
        }
    }

    /// Removes what ended early in this context.
    pub(super) async fn tidy(&self) {
        let keys = self.litter.take();
        if keys.is_empty() {
            return;
        }
        let mut batch = WriteBatch::relaxed();
        for key in &keys {
            batch.remove_media(key.clone());
        }
        if let Err(e) = self.store.apply(batch).await {
            tracing::debug!("an unfinished download could not be removed: {e}");
            self.litter.throw(keys);
        }
    }

    /// Removes what any context began and nobody will finish; says how many bytes.
    pub(super) async fn sweep(&self) -> Result<u64> {
        let now_ms = self.host.now_ms();
        let mut items = self.store.media_index(MediaQuery::default()).await?;
        items.retain(|info| is_abandoned(info, now_ms));
        self.remove(items).await
    }

    /// Removes what only this room refers to; says how many bytes.
    pub(super) async fn remove_room(&self, room: &RoomId) -> Result<u64> {
        let rows = self.store.pending(PendingQuery::default()).await?;
        let sent: HashSet<MediaKey> = rows.into_iter().flat_map(|row| row.media).collect();
        let query = MediaQuery { room: Some(room.clone()), ..MediaQuery::default() };
        let mut items = self.store.media_index(query).await?;
        items.retain(|info| !info.pinned && info.rooms.len() == 1 && !sent.contains(&info.key));
        self.remove(items).await
    }

    async fn remove(&self, items: Vec<MediaInfo>) -> Result<u64> {
        if items.is_empty() {
            return Ok(0);
        }
        let mut batch = WriteBatch::relaxed();
        let mut bytes = 0;
        for info in items {
            bytes += info.size;
            batch.remove_media(info.key);
        }
        self.store.apply(batch).await?;
        Ok(bytes)
    }

    pub(super) async fn try_flush(&self) {
        if let Some(batch) = self.touches.take(self.host.now_ms()) {
            self.try_apply(batch).await;
        }
    }

    /// A use that is not noted costs a download at worst.
    async fn try_apply(&self, batch: WriteBatch) {
        if let Err(e) = self.store.apply(batch).await {
            tracing::debug!("uses of media could not be noted: {e}");
        }
    }
}

impl fmt::Debug for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shelf")
            .field("store", &self.store)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
