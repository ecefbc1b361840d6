use haos_queue::pressure::{self, Cleared};
use serde::{Deserialize, Serialize};

use super::Chat;
use crate::error::Result;

/// The part of a chat's store to clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Clear {
    /// Files and pictures that can be fetched again.
    Media,
    /// Messages that can be fetched again: the next sync begins afresh. Rooms and drafts stay.
    Messages,
    /// Everything but unsent messages with their files, and the login. Drafts go.
    AllButUnsent,
    /// Everything, with the login: unsent messages are lost. Log out first, or the homeserver keeps the device.
    EverythingIncludingUnsent,
}

impl Chat {
    /// Clears a part of the store because the user asked for it. Cut off anywhere, the store is sound, and the same
    /// call goes on.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn clear(&self, what: Clear) -> Result<Cleared> {
        let core = &self.core;
        let _alone = core.changing.lock().await;
        let part = match what {
            Clear::Media => pressure::Clear::Media,
            Clear::Messages => pressure::Clear::Messages,
            Clear::AllButUnsent => pressure::Clear::AllButOutbox,
            Clear::EverythingIncludingUnsent => {
                #[cfg(feature = "http")]
                if let Some(super::backend::Backend::Matrix(_)) = core.backend() {
                    // Its session goes with the rest.
                    core.put(None);
                    core.quiet().await;
                }
                pressure::Clear::EverythingAndUnsent
            }
        };
        let done = pressure::clear(&*core.store, part).await?;
        if what == Clear::EverythingIncludingUnsent && core.backend().is_none() {
            core.me.send_replace(None);
        }
        core.kept.check().await?;
        core.outbox.try_now();
        Ok(done)
    }
}
