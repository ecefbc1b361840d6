use std::future::pending;
use std::sync::Arc;

use haos_queue::web::{DriveOptions, Role as Part, drive};
use haos_queue::{BrowserHost, Running, SharedHost, SyncState};
use haos_store::Scheme;
use haos_store_api::Result;
use tokio::sync::watch;

use super::{Backend, Core, GRACE_MS, Role, Stopped, Turn, again, hand_on_typing, over};

/// The browser's clock, timers and chance.
#[allow(clippy::arc_with_non_send_sync, reason = "one thread")]
pub(in crate::chat) fn host() -> SharedHost {
    Arc::new(BrowserHost)
}

/// The browser's loop, which runs a chat.
pub(in crate::chat) struct Spawner;

impl Spawner {
    pub(in crate::chat) fn find(_is_offline: bool) -> Result<Self> {
        Ok(Self)
    }

    pub(super) fn spawn(self, task: impl Future<Output = ()> + 'static) {
        wasm_bindgen_futures::spawn_local(task);
    }
}

/// The place of this page or worker among those that have the store: a Web Lock says it, backend by backend.
#[derive(Default)]
pub(super) struct Place;

impl Place {
    /// Sends and syncs over a backend whenever this page or worker leads.
    pub(super) async fn run(
        &mut self,
        core: &Core,
        backend: &Backend,
        backends: &mut watch::Receiver<Option<Backend>>,
        stopped: &mut Stopped,
    ) -> Turn {
        let mut driving = drive(backend.driver().clone(), DriveOptions::new(name(core)));
        let mut part = driving.role();
        let mut syncing: Option<Running> = None;
        let mut typing = Box::pin(hand_on_typing(core, backend));
        let ended = loop {
            let leads = matches!(*part.borrow_and_update(), Part::Leading | Part::Sharing);
            core.now(if leads { Role::Leading } else { Role::Waiting });
            match (leads, &syncing, backend.engine()) {
                (true, None, Some(engine)) => syncing = Some(engine.run()),
                (true, _, None) => core.outbox.sync_state(SyncState::Live),
                (false, Some(_), _) => syncing = None,
                _ => {}
            }
            tokio::select! {
                ended = driving.ended() => break ended,
                ended = or_never(&mut syncing) => break ended,
                Ok(()) = part.changed() => {}
                _ = backends.changed() => {
                    drop(syncing);
                    return over(driving.stop(GRACE_MS).await);
                }
                grace_ms = stopped.asked() => {
                    drop(syncing);
                    // Of a chat that was dropped, what is under way is left to the next run.
                    if let Some(grace_ms) = grace_ms {
                        let _ = driving.stop(grace_ms).await;
                    }
                    return Turn::End;
                }
                never = &mut typing => match never {},
            }
        };
        #[cfg(feature = "http")]
        if let Backend::Matrix(client) = backend {
            // Reads are uses; a store that is closed has no use for them.
            let _ = client.media().flush().await;
        }
        again(core, ended, stopped).await
    }
}

/// Waits for a run to end; without one, for ever.
async fn or_never(running: &mut Option<Running>) -> Result<()> {
    match running {
        Some(running) => running.await,
        None => pending().await,
    }
}

/// The name under which the contexts of a store stand for the lead. A store in memory is this context's alone.
fn name(core: &Core) -> String {
    match &core.scheme {
        Scheme::Idb(name) => name.clone(),
        _ => format!("memory.{}", core.outbox.owner()),
    }
}
