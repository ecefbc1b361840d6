use haos_queue::{Answer, Outbox, PauseReason, Verdict};
use haos_store_api::Error;
use thiserror::Error as ThisError;

use super::Engine;
use crate::{ParseError, Reply};

/// The reason why something could not be fetched.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum FetchError {
    /// The account is paused: nothing was asked.
    #[error("the account is paused ({0}): log in, or resume it")]
    Paused(PauseReason),
    /// The server did not give it, or did not answer.
    #[error("the server did not give it ({0}): try again when it can be reached")]
    Answer(Answer),
    /// It answered with something else, as captive portals do.
    #[error(transparent)]
    Unreadable(#[from] ParseError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
}

/// A request beside the sync, with an end: one that hangs counts as not answered. The account pauses where the server
/// says so.
pub(crate) async fn ask<T>(
    outbox: &Outbox,
    request_ms: u64,
    request: impl Future<Output = Reply<T>>,
) -> Result<T, FetchError> {
    let resumed = outbox.resumed().await?;
    if let Some(reason) = outbox.paused(None).await? {
        return Err(FetchError::Paused(reason));
    }
    match within(outbox, request_ms, request).await {
        Ok(reply) => Ok(reply),
        Err(answer) => {
            if let Verdict::Pause(reason) = answer.verdict(false) {
                outbox.refused(reason, resumed).await?;
            }
            Err(FetchError::Answer(answer))
        }
    }
}

async fn within<T>(outbox: &Outbox, ms: u64, request: impl Future<Output = Reply<T>>) -> Reply<T> {
    let over = outbox.host().sleep(ms);
    tokio::select! {
        biased;
        reply = request => reply,
        () = over => Err(Answer::NoAnswer),
    }
}

impl Engine {
    /// A request with an end: one that hangs counts as not answered.
    pub(super) async fn within<T>(&self, ms: u64, request: impl Future<Output = Reply<T>>) -> Reply<T> {
        within(&self.inner.outbox, ms, request).await
    }

    /// A request beside the sync. The account pauses where the server says so.
    pub(super) async fn ask<T>(&self, request: impl Future<Output = Reply<T>>) -> Result<T, FetchError> {
        ask(&self.inner.outbox, self.inner.options.request_ms, request).await
    }
}
