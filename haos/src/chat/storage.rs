use std::sync::Arc;

use async_trait::async_trait;
use haos_queue::pressure::{Kept, Level, PressureReport};
use haos_store_api::{Collection, StorageAdapter as _};
use serde::Serialize;
use tokio::sync::watch;

use super::{Chat, Live, Source};
use crate::base::changed;
use crate::error::Result;

/// How full the store is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StorageLevel {
    /// There is room.
    #[default]
    Ok,
    /// It is getting full.
    Warn,
    /// Media that can be fetched again goes.
    High,
    /// Old messages that can be fetched again go, too.
    Critical,
}

/// The size of the store, and what went for want of room.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct StorageSummary {
    /// How full it is.
    pub level: StorageLevel,
    /// Bytes of content, without indexes and free pages.
    pub used_bytes: u64,
    /// Those of media.
    pub media_bytes: u64,
    /// Bytes that it takes in all.
    pub total_bytes: u64,
    /// Bytes of content that it may take, if there is a bound.
    pub quota_bytes: Option<u64>,
    /// Bytes of media that went since the chat was opened; they are fetched again when they are asked for.
    pub evicted_bytes: u64,
    /// Messages that went since the chat was opened; they are fetched again when they are asked for.
    pub pruned_messages: u64,
    /// True if all that may go went, and it is not enough: the user must free space, or send or cancel what is unsent.
    pub is_exhausted: bool,
}

impl Chat {
    /// The size of the store. It is told again after each look for room, which follows writes at most every ten
    /// minutes, and when the store is cleared.
    pub fn storage(&self) -> Live<StorageSummary> {
        let core = &self.core;
        let source = Storage { kept: core.kept.clone(), relieved: core.kept.relieved() };
        self.live(source)
    }
}

struct Storage {
    kept: Arc<Kept>,
    relieved: watch::Receiver<PressureReport>,
}

#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
impl Source<StorageSummary> for Storage {
    async fn read(&mut self) -> Result<StorageSummary> {
        let usage = self.kept.usage().await?;
        let bytes = |which: Collection| usage.collections.iter().filter(move |(found, _)| *found == which);
        let media_bytes = bytes(Collection::Media).map(|(_, size)| size.bytes).sum();
        let went = self.relieved.borrow_and_update();
        Ok(StorageSummary {
            level: match self.kept.level() {
                Level::Ok => StorageLevel::Ok,
                Level::Warn => StorageLevel::Warn,
                Level::High => StorageLevel::High,
                _ => StorageLevel::Critical,
            },
            used_bytes: usage.collections.iter().map(|(_, size)| size.bytes).sum(),
            media_bytes,
            total_bytes: usage.total_bytes,
            quota_bytes: self.kept.options().quota_bytes.or(usage.quota_bytes),
            evicted_bytes: went.evicted_bytes,
            pruned_messages: went.pruned_messages,
            is_exhausted: went.exhausted,
        })
    }

    async fn stirred(&mut self) {
        changed(&mut self.relieved).await
    }
}
