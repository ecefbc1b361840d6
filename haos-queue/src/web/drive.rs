use futures_util::future::{AbortHandle, abortable};
use haos_store_api::{Error, ErrorKind, Result};
use haos_web::{Trigger, Triggers, sleep};
use tokio::sync::{mpsc, oneshot, watch};

use super::DriveOptions;
use super::signal::Signal;
use super::term::{End, Term};
use crate::Driver;

/// How long a context that was told of its freezing waits at most, in time during which it runs.
const FROZEN_MS: u32 = 60_000;

/// A context's present part in sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// Another context sends, as far as is known.
    Waiting,
    /// This context holds the lock, and sends.
    Leading,
    /// This context sends beside others, kept apart by leases: there are no Web Locks, or the leader gives no
    /// sign of life.
    Sharing,
    /// The page is frozen or in the back/forward cache.
    Suspended,
    /// It has ended.
    Ended,
}

/// Sends the rows of an outbox from this context, as long as the value lives.
///
/// Made by [`drive`]. Dropping it stops at once and frees the lock: what was under way is taken up by the next
/// leader. [`Driving::stop`] ends more gently.
#[derive(Debug)]
#[must_use = "dropping it stops the sending"]
pub struct Driving {
    role: watch::Receiver<Role>,
    stop: watch::Sender<Option<u64>>,
    ended: oneshot::Receiver<Result<()>>,
    abort: AbortHandle,
}

/// Drives an outbox from this context: a page, a dedicated worker, a service worker.
///
/// It stands for leadership, sends while it leads, heeds what happens to the network and to the page, and lets
/// go of the lock before the page is frozen. Backoff is forgotten where it starts: the application has just
/// been opened. See `docs/browser.md`.
///
/// It needs neither Web Locks nor `BroadcastChannel`: without locks every context sends, kept apart by leases.
pub fn drive(driver: Driver, options: DriveOptions) -> Driving {
    let (roles, role) = watch::channel(Role::Waiting);
    let (stop, stopped) = watch::channel(None);
    let (done, ended) = oneshot::channel();
    let (run, abort) = abortable(run(driver, options, roles, stopped));
    wasm_bindgen_futures::spawn_local(async move {
        if let Ok(result) = run.await {
            // Nobody may be waiting for it.
            let _ = done.send(result);
        }
    });
    Driving { role, stop, ended, abort }
}

impl Driving {
    /// Watches the part of this context, for logs and tests.
    pub fn role(&self) -> watch::Receiver<Role> {
        self.role.clone()
    }

    /// Ends: nothing new is begun, what is under way has `grace_ms` milliseconds, then leases are given back
    /// and the lock is freed.
    ///
    /// # Errors
    /// Those of [`Driving::ended`].
    pub async fn stop(mut self, grace_ms: u64) -> Result<()> {
        self.stop.send_replace(Some(grace_ms));
        self.ended().await
    }

    /// Waits for the end: the store was closed, or [`Outbox::stop`](crate::Outbox::stop) was called where this
    /// context sends.
    ///
    /// # Errors
    /// `Closed` if the store must be opened again, and driven again; also if the end was told before.
    pub async fn ended(&mut self) -> Result<()> {
        let closed =
            |_| Error::new(ErrorKind::Closed, "drive", "it has ended already: drive the outbox again");
        (&mut self.ended).await.unwrap_or_else(|e| Err(closed(e)))
    }
}

impl Drop for Driving {
    fn drop(&mut self) {
        self.abort.abort();
    }
}

/// News from outside: of the browser, and of other contexts.
#[derive(Debug)]
pub(super) enum Heard {
    Trigger(Trigger),
    Signal(Signal),
}

/// Terms, one after the other: each ends where the page is frozen.
async fn run(
    driver: Driver,
    options: DriveOptions,
    roles: watch::Sender<Role>,
    mut stopped: watch::Receiver<Option<u64>>,
) -> Result<()> {
    let (hear, mut heard) = mpsc::unbounded_channel();
    let _triggers = Triggers::listen({
        let hear = hear.clone();
        move |trigger| drop(hear.send(Heard::Trigger(trigger)))
    });
    let ended = loop {
        match Term::begin(&driver, &options, &roles, &hear).run(&mut heard, &mut stopped).await {
            End::Over(result) => break result,
            End::Frozen => {
                roles.send_replace(Role::Suspended);
                tokio::select! {
                    () = thaw(&mut heard) => {}
                    // Time passes, so it is not frozen (any more).
                    () = sleep(FROZEN_MS) => {}
                    _ = stopped.wait_for(Option::is_some) => break Ok(()),
                }
            }
        }
    };
    roles.send_replace(Role::Ended);
    ended
}

/// Waits until the page runs again.
async fn thaw(heard: &mut mpsc::UnboundedReceiver<Heard>) {
    while let Some(heard) = heard.recv().await {
        if matches!(heard, Heard::Trigger(Trigger::Resume | Trigger::Visible | Trigger::PageShow { .. })) {
            return;
        }
    }
}
