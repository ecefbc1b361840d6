use async_trait::async_trait;
use haos_queue::ConnectionState;
use serde::Serialize;
use tokio::sync::watch;

use super::{Chat, Live, Source};
use crate::base::changed;
use crate::error::Result;

/// How far the server's news are brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct SyncProgress {
    /// Done, in rooms.
    pub done: u64,
    /// In all, where it is known.
    pub total: Option<u64>,
}

impl Chat {
    /// The progress of a first sync, or of one that was missed for long; `None` while nothing is caught up with.
    pub fn sync_progress(&self) -> Live<Option<SyncProgress>> {
        self.live(CatchUp(self.core.outbox.connection()))
    }
}

struct CatchUp(watch::Receiver<ConnectionState>);

#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
impl Source<Option<SyncProgress>> for CatchUp {
    async fn read(&mut self) -> Result<Option<SyncProgress>> {
        Ok(match &*self.0.borrow_and_update() {
            ConnectionState::CatchingUp(progress) => {
                Some(SyncProgress { done: progress.done, total: progress.total })
            }
            _ => None,
        })
    }

    async fn stirred(&mut self) {
        changed(&mut self.0).await
    }
}
