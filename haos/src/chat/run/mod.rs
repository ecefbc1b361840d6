//! What runs by itself while a chat is open: sending and syncing, in one process or page of a store.

#[cfg(not(target_arch = "wasm32"))]
mod native;
#[cfg(target_arch = "wasm32")]
mod web;

use std::convert::Infallible;
use std::sync::Arc;

use haos_matrix::Typing;
use haos_store_api::{ErrorKind, Result};
use tokio::sync::watch;

#[cfg(not(target_arch = "wasm32"))]
use native as platform;
#[cfg(target_arch = "wasm32")]
use web as platform;

use super::backend::Backend;
use super::core::{Core, Role, is_of_account};
use crate::base::changed;
pub(super) use platform::{Spawner, host};

/// How long what is under way may take when a backend gives way to another one, in milliseconds.
const GRACE_MS: u64 = 2000;
/// The time between two tries of what cannot be waited for, in milliseconds.
const AGAIN_MS: u64 = 1000;

/// Asks what runs to end. Dropping it ends that at once.
pub(super) struct Stop {
    asked: watch::Sender<Option<u64>>,
    ended: watch::Receiver<bool>,
}

impl Stop {
    /// Starts to run a chat.
    pub(super) fn start(core: Arc<Core>, spawner: Spawner) -> Self {
        let (asked, stopped) = watch::channel(None);
        let (ends, ended) = watch::channel(false);
        if core.is_offline {
            ends.send_replace(true);
        } else {
            spawner.spawn(async move {
                let _ends = Ends(ends);
                run(&core, Stopped(stopped)).await;
                core.now(Role::Idle);
            });
        }
        Self { asked, ended }
    }

    /// Watches the chat's life without a part in it.
    pub(super) fn life(&self) -> Life {
        Life(self.asked.subscribe())
    }

    /// Ends it; what is under way has `grace_ms` milliseconds.
    pub(super) async fn stop(&self, grace_ms: u64) {
        self.asked.send_replace(Some(grace_ms));
        // It cannot go without having told.
        let _ = self.ended.clone().wait_for(|ended| *ended).await;
    }
}

/// The life of a chat, as those see it who must not keep it alive.
pub(super) struct Life(watch::Receiver<Option<u64>>);

impl Life {
    /// Waits until the chat's last clone is dropped.
    pub(super) async fn ended(&mut self) {
        while self.0.changed().await.is_ok() {}
    }
}

/// Tells that a run has ended, however it did.
struct Ends(watch::Sender<bool>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.send_replace(true);
    }
}

/// That a backend runs, or waits for its turn.
struct Runs<'a>(&'a Core);

impl<'a> Runs<'a> {
    fn begin(core: &'a Core) -> Self {
        core.is_running.send_replace(true);
        Self(core)
    }
}

impl Drop for Runs<'_> {
    fn drop(&mut self) {
        self.0.typing.send_replace(Typing::default());
        self.0.is_running.send_replace(false);
    }
}

/// The wish that a run ends.
struct Stopped(watch::Receiver<Option<u64>>);

impl Stopped {
    /// Waits for it; none of a chat that was dropped.
    async fn asked(&mut self) -> Option<u64> {
        self.0.wait_for(Option::is_some).await.ok().and_then(|asked| *asked)
    }
}

/// The end of the time in which one backend runs.
enum Turn {
    /// Another one takes its place.
    Over,
    /// Nothing runs any more.
    End,
}

/// Runs one backend after the other until it is stopped, or the store is closed.
async fn run(core: &Core, mut stopped: Stopped) {
    let mut backends = core.backend.subscribe();
    let mut place = platform::Place::default();
    loop {
        let backend = tokio::select! {
            _ = stopped.asked() => return,
            backend = found(core, &mut backends) => match backend {
                Some(backend) => backend,
                None => return,
            },
        };
        let runs = Runs::begin(core);
        let turn = place.run(core, &backend, &mut backends, &mut stopped).await;
        drop(runs);
        if let Turn::End = turn {
            return;
        }
    }
}

/// Waits until somebody is there to send and sync as; another process may have logged in. None once the store is
/// closed.
async fn found(core: &Core, backends: &mut watch::Receiver<Option<Backend>>) -> Option<Backend> {
    let mut changes = core.store.changes();
    loop {
        if let Some(backend) = backends.borrow_and_update().clone() {
            return Some(backend);
        }
        tokio::select! {
            // The chat has the sender.
            _ = backends.changed() => {}
            change = changes.next() => match change {
                Some(change) if is_of_account(&change) => {
                    let _alone = core.changing.lock().await;
                    if core.backend().is_none() && let Err(error) = core.resume().await {
                        tracing::warn!(%error, "the session could not be looked for");
                    }
                }
                Some(_) => {}
                None => return None,
            },
        }
    }
}

/// The turn after a run that ended like this.
fn over(ended: Result<()>) -> Turn {
    match ended {
        Err(error) if error.kind() == ErrorKind::Closed => Turn::End,
        Err(error) => {
            tracing::warn!(%error, "sending and syncing ended, and begin again");
            Turn::Over
        }
        Ok(()) => Turn::Over,
    }
}

/// The turn after a run that ended by itself, a moment later.
async fn again(core: &Core, ended: Result<()>, stopped: &mut Stopped) -> Turn {
    if let Turn::End = over(ended) {
        return Turn::End;
    }
    tokio::select! {
        _ = stopped.asked() => Turn::End,
        () = core.host.sleep(AGAIN_MS) => Turn::Over,
    }
}

/// Hands on who is typing.
async fn hand_on_typing(core: &Core, backend: &Backend) -> Infallible {
    let Some(mut typing) = backend.engine().map(|engine| engine.typing()) else {
        return std::future::pending().await;
    };
    loop {
        core.typing.send_replace(typing.borrow_and_update().clone());
        changed(&mut typing).await;
    }
}
