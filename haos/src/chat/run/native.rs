use std::sync::Arc;

use haos_queue::{FileLeader, Lead, Running, SharedHost, SyncState, TokioHost};
use haos_store_api::{Error, ErrorKind, Result};
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::{AGAIN_MS, Backend, Core, GRACE_MS, Role, Stopped, Turn, again, hand_on_typing};

/// The machine's clock, timer and chance.
pub(in crate::chat) fn host() -> SharedHost {
    Arc::new(TokioHost)
}

/// The runtime that runs a chat.
pub(in crate::chat) struct Spawner(Option<Handle>);

impl Spawner {
    /// Finds the caller's runtime, which a chat needs unless it is offline.
    pub(in crate::chat) fn find(is_offline: bool) -> Result<Self> {
        let message = "a chat sends and syncs on a tokio runtime: open it within one, or offline";
        match Handle::try_current() {
            Ok(runtime) => Ok(Self(Some(runtime))),
            Err(_) if is_offline => Ok(Self(None)),
            Err(e) => Err(Error::new(ErrorKind::Invalid, "open", message).with_source(e)),
        }
    }

    pub(super) fn spawn(self, task: impl Future<Output = ()> + Send + 'static) {
        if let Some(runtime) = self.0 {
            drop(runtime.spawn(task));
        }
    }
}

/// The place of this process among those that have the store: the lock is kept from backend to backend.
#[derive(Default)]
pub(super) struct Place(Option<Leading>);

/// That this process is the one that runs.
struct Leading {
    _lock: Option<FileLeader>,
}

impl Place {
    /// Runs a backend, once no other process runs.
    pub(super) async fn run(
        &mut self,
        core: &Core,
        backend: &Backend,
        backends: &mut watch::Receiver<Option<Backend>>,
        stopped: &mut Stopped,
    ) -> Turn {
        if self.0.is_none() {
            core.now(Role::Waiting);
            tokio::select! {
                _ = stopped.asked() => return Turn::End,
                _ = backends.changed() => return Turn::Over,
                () = closed(core) => return Turn::End,
                leading = lead(core) => self.0 = Some(leading),
            }
        }
        core.now(Role::Leading);
        let mut running = backend.run(Lead::Alone);
        if backend.engine().is_none() {
            // Nothing syncs that would tell.
            core.outbox.sync_state(SyncState::Live);
        }
        let ended = tokio::select! {
            ended = &mut running => ended,
            _ = backends.changed() => {
                wind_up(core, running, GRACE_MS).await;
                return Turn::Over;
            }
            grace_ms = stopped.asked() => {
                // Of a chat that was dropped, what is under way is left to the next run.
                if let Some(grace_ms) = grace_ms {
                    wind_up(core, running, grace_ms).await;
                }
                return Turn::End;
            }
            never = hand_on_typing(core, backend) => match never {},
        };
        again(core, ended, stopped).await
    }
}

/// Ends a run in time.
async fn wind_up(core: &Core, running: Running, grace_ms: u64) {
    core.outbox.stop(grace_ms);
    tokio::select! {
        _ = running => {}
        // A store that hangs holds nobody up.
        () = core.host.sleep(grace_ms.saturating_add(AGAIN_MS)) => {}
    }
}

/// Takes the lead, asking again while another process has it.
async fn lead(core: &Core) -> Leading {
    let mut is_told = false;
    loop {
        match try_lead(core) {
            Ok(Some(leading)) => return leading,
            Err(error) if !std::mem::replace(&mut is_told, true) => {
                tracing::warn!(%error, "nothing is sent, and it is tried again each second");
            }
            Ok(None) | Err(_) => {}
        }
        core.host.sleep(AGAIN_MS).await;
    }
}

fn try_lead(core: &Core) -> Result<Option<Leading>> {
    // A store in memory is this process's anyway.
    let Some(path) = core.scheme.leader()? else { return Ok(Some(Leading { _lock: None })) };
    let failed = |e: std::io::Error| {
        let message = format!("{}: the lock of who sends cannot be made", path.display());
        Error::new(ErrorKind::Io, "lead", message).with_source(e)
    };
    let lock = FileLeader::try_acquire(&path).map_err(failed)?;
    Ok(lock.map(|lock| Leading { _lock: Some(lock) }))
}

/// Waits until the store is closed.
async fn closed(core: &Core) {
    let mut changes = core.store.changes();
    while changes.next().await.is_some() {}
}
