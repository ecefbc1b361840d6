//! Futures that a term waits for.

use std::future::pending;

use haos_store_api::Changes;
use tokio::sync::watch;

/// The output of what is there; nothing is there for ever.
pub(super) async fn or_never<F: Future + Unpin>(future: &mut Option<F>) -> F::Output {
    match future {
        Some(future) => future.await,
        None => pending().await,
    }
}

/// Waits for a request to end; returns its grace.
pub(super) async fn asked(stopped: &mut watch::Receiver<Option<u64>>) -> u64 {
    let asked = stopped.wait_for(Option::is_some).await.map(|asked| *asked);
    // Without anybody who could ask, this task is about to be dropped.
    match asked {
        Ok(Some(grace_ms)) => grace_ms,
        _ => pending().await,
    }
}

/// Something was written to the store, by whatever context; or false: it was closed.
pub(super) async fn changed(changes: &mut Option<Changes>) -> bool {
    let Some(changes) = changes else { return pending().await };
    let open = changes.next().await.is_some();
    while changes.try_next().is_some() {}
    open
}
