//! The sync engine: it keeps a store at the server's side of things, and fetches what it left out.
//!
//! Everything that decides is pure and elsewhere: [`step`] says what follows from an answer, `amend` what is
//! added to it, reconciliation (`haos_queue::apply_sync`, `apply_page`) what becomes of a timeline. What is here
//! waits and moves. Dropping any of it at any point loses nothing: an answer is applied in one commit with its
//! token, or not at all.

mod amend;
mod ask;
mod background;
mod cycle;
mod filter;
mod flight;
mod gap;
mod list;
mod news;
#[cfg(feature = "e2ee")]
mod opening;
mod options;
mod roster;
mod scroll;
mod step;
mod turn;
mod typing;
mod upgrade;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use haos_queue::{Answer, Outbox, Running, SyncState};
use haos_store_api::{Result, StorageAdapter, UserId};
use tokio::sync::watch;

use crate::{Account, LeftOut, Server};

pub use ask::FetchError;
#[cfg(feature = "e2ee")]
pub(crate) use ask::ask;
pub use filter::SyncFilter;
pub use gap::Fill;
pub use options::{FillOptions, FirstSync, SyncOptions};
pub use roster::MemberList;
pub use scroll::{Backfill, Left};
pub use typing::Typing;

/// Syncs one account into a store, and fills what a sync leaves out. Clones are the same engine.
///
/// Store, clock, pauses and the connection's state are the outbox's. Several engines may run on one store:
/// of two answers on one token, one is applied.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    server: Arc<dyn Server>,
    outbox: Outbox,
    /// The outbox's store.
    store: Arc<dyn StorageAdapter>,
    account: Account,
    user: UserId,
    options: SyncOptions,
    flights: flight::Flights,
    /// One answer at a time is measured against what the store keeps, and applied.
    admitting: tokio::sync::Mutex<()>,
    /// Gaps that the server would not show, and what it said.
    refused: Mutex<HashMap<flight::Hole, Answer>>,
    live: watch::Sender<bool>,
    /// Counts the syncs that left something out.
    holes: watch::Sender<u64>,
    typing: watch::Sender<Typing>,
    #[cfg(feature = "e2ee")]
    encryption: Option<crate::Encryption>,
}

impl Engine {
    /// An engine that asks `server` as `user`, and writes to the outbox's store.
    pub fn new(server: Arc<dyn Server>, outbox: Outbox, user: UserId, options: SyncOptions) -> Self {
        Self { inner: Arc::new(Self::parts(server, outbox, user, options)) }
    }

    /// An engine that reads encrypted events. What comes for the device is kept for that.
    #[cfg(feature = "e2ee")]
    pub(crate) fn opening(
        server: Arc<dyn Server>,
        outbox: Outbox,
        user: UserId,
        mut options: SyncOptions,
        encryption: Option<crate::Encryption>,
    ) -> Self {
        if encryption.is_some() {
            options.keep.to_device.get_or_insert_default();
        }
        let inner = Inner { encryption, ..Self::parts(server, outbox, user, options) };
        Self { inner: Arc::new(inner) }
    }

    fn parts(server: Arc<dyn Server>, outbox: Outbox, user: UserId, options: SyncOptions) -> Inner {
        Inner {
            server,
            store: outbox.store().clone(),
            outbox,
            account: Account { user: Some(user.clone()), limits: options.limits },
            user,
            options,
            flights: flight::Flights::default(),
            admitting: tokio::sync::Mutex::default(),
            refused: Mutex::default(),
            live: watch::Sender::new(false),
            holes: watch::Sender::new(0),
            typing: watch::Sender::default(),
            #[cfg(feature = "e2ee")]
            encryption: None,
        }
    }

    /// Syncs until it is dropped, and tells [`Outbox::connection`] how that goes.
    ///
    /// # Errors
    /// `Closed` if the store must be opened again. A store that fails otherwise is tried again, slower and
    /// slower.
    pub fn run(&self) -> Running {
        let engine = self.clone();
        Box::pin(async move {
            let _ended = Ended(&engine);
            tokio::select! {
                done = engine.cycle() => done,
                never = engine.fill_holes() => match never {},
                never = engine.work_on_keys() => match never {},
            }
        })
    }

    /// How much the server sent that was not kept, since the store was made: see [`SyncOptions::keep`].
    ///
    /// # Errors
    /// Those of the store.
    pub async fn left_out(&self) -> Result<LeftOut> {
        LeftOut::load(&*self.inner.store).await
    }

    /// Keeps this device's keys in order beside the sync.
    async fn work_on_keys(&self) -> std::convert::Infallible {
        #[cfg(feature = "e2ee")]
        if let Some(encryption) = &self.inner.encryption {
            return encryption.work().await;
        }
        std::future::pending().await
    }

    fn now_ms(&self) -> i64 {
        self.inner.outbox.host().now_ms()
    }
}

/// Once nothing syncs, nothing is known of the server.
struct Ended<'a>(&'a Engine);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.inner.outbox.sync_state(SyncState::Connecting);
        self.0.nobody_types();
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { user, options, .. } = &*self.inner;
        f.debug_struct("Engine").field("user", user).field("options", options).finish_non_exhaustive()
    }
}
