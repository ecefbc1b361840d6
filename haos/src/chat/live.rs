use std::fmt;

use async_trait::async_trait;
use futures_util::Stream;
use haos_store_api::{Change, Changes, MaybeSend};

use super::run::Life;
use crate::error::Result;

/// A value that is watched. Nothing is queued: whoever looks rarely sees the latest value, and none of those between.
///
/// It ends when the chat is closed, or its last clone is dropped.
pub struct Live<T> {
    source: Box<dyn Source<T>>,
    changes: Changes,
    /// Ends with the chat's last clone.
    life: Life,
    /// The value as it was told last.
    told: Option<T>,
    /// True if something happened since the latest reading, or there was none.
    is_stale: bool,
}

/// The place that a watched value is read from.
#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
pub(crate) trait Source<T>: MaybeSend {
    /// Reads the value.
    async fn read(&mut self) -> Result<T>;

    /// Notes a change of the store. Returns true if the value may be another one.
    fn note(&mut self, _change: &Change) -> bool {
        false
    }

    /// Waits until something else than the store may have changed the value. Dropping the call loses nothing.
    async fn stirred(&mut self) {
        std::future::pending().await
    }
}

impl<T: Clone + PartialEq> Live<T> {
    /// `changes` were subscribed to before anything was read.
    pub(super) fn new(source: impl Source<T> + 'static, changes: Changes, life: Life) -> Self {
        Self { source: Box::new(source), changes, life, told: None, is_stale: true }
    }

    /// Reads the value as it is now.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn now(&mut self) -> Result<T> {
        while let Some(change) = self.changes.try_next() {
            self.is_stale |= self.source.note(&change);
        }
        self.source.read().await
    }

    /// Gives the value at first, and then waits for another one each time; none once the chat is closed or dropped.
    /// Dropping the call loses nothing.
    ///
    /// # Errors
    /// Those of the store; the next call goes on.
    pub async fn next(&mut self) -> Result<Option<T>> {
        loop {
            while !self.is_stale {
                tokio::select! {
                    change = self.changes.next() => match change {
                        Some(change) => self.is_stale = self.source.note(&change),
                        None => return Ok(None),
                    },
                    () = self.source.stirred() => self.is_stale = true,
                    () = self.life.ended() => return Ok(None),
                }
            }
            // All that is queued is answered by one reading.
            while let Some(change) = self.changes.try_next() {
                self.source.note(&change);
            }
            let value = self.source.read().await?;
            self.is_stale = false;
            if self.told.as_ref() != Some(&value) {
                self.told = Some(value.clone());
                return Ok(Some(value));
            }
        }
    }

    /// Turns it into a stream, which begins with the value now and ends with the first error.
    pub fn into_stream(self) -> impl Stream<Item = Result<T>> {
        futures_util::stream::unfold(Some(self), |live| async {
            let mut live = live?;
            match live.next().await {
                Ok(value) => Some((Ok(value?), Some(live))),
                Err(error) => Some((Err(error), None)),
            }
        })
    }
}

impl<T> fmt::Debug for Live<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").finish_non_exhaustive()
    }
}
