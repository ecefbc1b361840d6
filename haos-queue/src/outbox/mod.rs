//! The handle: what every context may do with the outbox, whoever sends.

mod act;
mod decoded;
mod enqueue;
mod login;
mod observe;
mod stage;
mod time;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use haos_store_api::{Commit, Result, RoomId, StorageAdapter, StoreFuture, WriteBatch};
use tokio::sync::{Notify, watch};

use crate::Protocol;
use crate::account::Gate;
use crate::clock::Clock;
use crate::connection::{Connection, ConnectionState, SyncState};
use crate::host::{SharedHost, new_txn_id};
use crate::machine::Context;
use crate::pressure::Keeper;
use crate::{OutboxOptions, PauseReason};

pub use act::Acted;
pub(crate) use enqueue::Parent;
pub use enqueue::{EnqueueError, Enqueued};
pub use observe::{Observer, RowStatus, Update};

/// The outbox of one account, over any store.
///
/// Any context may enqueue, cancel, edit and watch: pages, workers, processes that share the store. One
/// [`Driver`](crate::Driver) sends. Clones are the same context.
#[derive(Clone)]
pub struct Outbox {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) store: Arc<dyn StorageAdapter>,
    pub(crate) host: SharedHost,
    clock: Mutex<Option<Clock>>,
    pub(crate) protocol: Arc<dyn Protocol>,
    pub(crate) options: OutboxOptions,
    /// Makes room where the store is full.
    pub(crate) keeper: Option<Arc<Keeper>>,
    commits: Commits,
    /// This context's name in leases.
    pub(crate) owner: String,
    pub(crate) connection: Connection,
    pub(crate) uploads: watch::Sender<Vec<crate::UploadProgress>>,
    wishes: Mutex<Wishes>,
    pub(crate) notify: Notify,
    nudges: watch::Sender<u64>,
}

/// How a batch is committed. It is a pointer so that a WebAssembly module whose application has no keeper has
/// none of its code either.
type Commits = for<'a> fn(&'a Shared, WriteBatch) -> StoreFuture<'a, Result<Commit>>;

fn without_keeper(shared: &Shared, batch: WriteBatch) -> StoreFuture<'_, Result<Commit>> {
    shared.store.apply(batch)
}

fn with_keeper(shared: &Shared, batch: WriteBatch) -> StoreFuture<'_, Result<Commit>> {
    match &shared.keeper {
        Some(keeper) => Box::pin(keeper.apply(batch, shared.host.now_ms())),
        None => without_keeper(shared, batch),
    }
}

/// The wishes to the driver.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wishes {
    /// Try everything again now.
    pub(crate) reset: bool,
    /// End, after this many milliseconds for what is under way.
    pub(crate) stop_ms: Option<u64>,
}

impl Outbox {
    /// An outbox over a store.
    ///
    /// # Errors
    /// `Invalid` if the host gives no usable randomness.
    pub fn new(
        store: Arc<dyn StorageAdapter>,
        host: SharedHost,
        protocol: Arc<dyn Protocol>,
        options: OutboxOptions,
    ) -> Result<Self> {
        Self::of(store, host, protocol, options, (None, without_keeper))
    }

    /// An outbox over the keeper's store. What the user writes may take the keeper's headroom, and evicts cached
    /// media where the store is full.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use haos_queue::pressure::{Keeper, PressureOptions};
    /// use haos_queue::{Outbox, OutboxOptions, Protocol, TokioHost};
    /// use haos_store_api::{MemoryStore, Result};
    ///
    /// fn open(protocol: Arc<dyn Protocol>) -> Result<Outbox> {
    ///     let quota = PressureOptions { quota_bytes: Some(100 << 20), ..PressureOptions::default() };
    ///     let keeper = Arc::new(Keeper::new(Arc::new(MemoryStore::new()), quota));
    ///     Outbox::with_keeper(keeper, Arc::new(TokioHost), protocol, OutboxOptions::default())
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`Outbox::new`].
    pub fn with_keeper(
        keeper: Arc<Keeper>,
        host: SharedHost,
        protocol: Arc<dyn Protocol>,
        options: OutboxOptions,
    ) -> Result<Self> {
        Self::of(keeper.store().clone(), host, protocol, options, (Some(keeper), with_keeper))
    }

    #[cfg_attr(target_arch = "wasm32", allow(clippy::arc_with_non_send_sync, reason = "one thread"))]
    fn of(
        store: Arc<dyn StorageAdapter>,
        host: SharedHost,
        protocol: Arc<dyn Protocol>,
        options: OutboxOptions,
        (keeper, commits): (Option<Arc<Keeper>>, Commits),
    ) -> Result<Self> {
        let owner = new_txn_id(&*host)?.to_string();
        let shared = Shared {
            store,
            host,
            clock: Mutex::default(),
            protocol,
            options,
            keeper,
            commits,
            owner,
            connection: Connection::default(),
            uploads: watch::Sender::new(Vec::new()),
            wishes: Mutex::default(),
            notify: Notify::new(),
            nudges: watch::Sender::new(0),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The name that this context's leases bear, another one in each run.
    pub fn owner(&self) -> &str {
        &self.shared.owner
    }

    /// The store beneath.
    pub fn store(&self) -> &Arc<dyn StorageAdapter> {
        &self.shared.store
    }

    /// Its clock, timer and chance.
    pub fn host(&self) -> &SharedHost {
        &self.shared.host
    }

    /// The keeper that makes room when the store is full, if there is one.
    pub fn keeper(&self) -> Option<&Arc<Keeper>> {
        self.shared.keeper.as_ref()
    }

    /// Watches the state of the connection, as this context's driver and sync engine see it.
    pub fn connection(&self) -> watch::Receiver<ConnectionState> {
        self.shared.connection.watch()
    }

    /// How far the uploads under way in this context are.
    pub fn uploads(&self) -> watch::Receiver<Vec<crate::UploadProgress>> {
        self.shared.uploads.subscribe()
    }

    /// The sync engine tells where it stands.
    pub fn sync_state(&self, state: SyncState) {
        self.shared.connection.sync(state);
    }

    /// The platform's online flag changed. Coming online, everything is tried again at once.
    pub fn platform_online(&self, online: bool) {
        self.shared.connection.platform(online);
        if online {
            self.try_now();
        }
    }

    /// Forgets all backoff: the application came to the foreground, or the user asks.
    pub fn try_now(&self) {
        self.shared.wish(|wishes| wishes.reset = true);
        self.shared.nudge();
    }

    /// Counts the occasions on which whoever else waits to try again, as a sync engine does, should try at
    /// once: [`Outbox::try_now`] was called, or something was heard of the server after a silence.
    pub fn nudges(&self) -> watch::Receiver<u64> {
        self.shared.nudges.subscribe()
    }

    /// Ends [`Driver::run`](crate::Driver::run): nothing new is begun, what is under way has `grace_ms`
    /// milliseconds, then leases are given back, so that another context, or the next start, need not
    /// wait for them.
    pub fn stop(&self, grace_ms: u64) {
        self.shared.wish(|wishes| wishes.stop_ms = Some(grace_ms));
    }

    /// Pauses the account (`room`: none) or a room. Survives restarts, and holds in every context.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn pause(&self, room: Option<&RoomId>, reason: PauseReason) -> Result<()> {
        let paused = Some(reason);
        Gate::update(&*self.shared.store, room, |held| Gate { paused: paused.clone(), ..held }).await
    }

    /// Ends a pause: after a login, or at the user's wish. It also forgets what quiet the server wanted.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn resume(&self, room: Option<&RoomId>) -> Result<()> {
        Gate::update(&*self.shared.store, room, Gate::opened).await?;
        self.try_now();
        Ok(())
    }

    /// How often the account was resumed. Whoever makes requests beside the driver asks before each, and
    /// hands it to [`Outbox::refused`].
    ///
    /// # Errors
    /// Those of the store.
    pub async fn resumed(&self) -> Result<u64> {
        Ok(Gate::read(&*self.shared.store, None).await?.resumed)
    }

    /// A request that began when the account had been resumed `resumed` times was refused for the account's
    /// sake: the account pauses, unless it was resumed since. What the user paused stays so.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn refused(&self, reason: PauseReason, resumed: u64) -> Result<()> {
        Gate::update(&*self.shared.store, None, |held| match held.resumed == resumed {
            true => held.refused(&reason),
            false => held,
        })
        .await
    }

    /// The reason why the account, or a room, is paused. The account's, once read, shows in
    /// [`Outbox::connection`], as it does where a driver reads it.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn paused(&self, room: Option<&RoomId>) -> Result<Option<PauseReason>> {
        let paused = Gate::read(&*self.shared.store, room).await?.paused;
        if room.is_none() {
            self.shared.connection.paused(paused.clone());
        }
        Ok(paused)
    }
}

impl Shared {
    /// The facts that a decision of now depends on.
    pub(crate) fn context(&self) -> Context<'_> {
        Context { now_ms: self.now_ms(), chance: self.host.random(), options: &self.options }
    }

    /// Commits what the user wrote.
    async fn commit(&self, batch: WriteBatch) -> Result<Commit> {
        (self.commits)(self, batch).await
    }

    fn wish(&self, change: impl FnOnce(&mut Wishes)) {
        change(&mut self.wishes.lock().unwrap_or_else(PoisonError::into_inner));
        self.notify.notify_one();
    }

    pub(crate) fn nudge(&self) {
        self.nudges.send_modify(|count| *count += 1);
    }

    pub(crate) fn take_wishes(&self) -> Wishes {
        std::mem::take(&mut self.wishes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").field("owner", &self.shared.owner).finish_non_exhaustive()
    }
}
