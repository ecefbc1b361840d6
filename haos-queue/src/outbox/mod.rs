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

use haos_store_api::{EventType, Result, RoomId, Scope, StateKey, StateQuery, StorageAdapter, state_kind};
use tokio::sync::{Notify, watch};

use crate::Protocol;
use crate::account::Gate;
use crate::clock::Clock;
use crate::connection::{Connection, ConnectionState, SyncState};
use crate::host::{SharedHost, new_txn_id};
use crate::machine::Context;
use crate::reconcile::encrypted::note_of;
use crate::{OutboxOptions, PauseReason};

pub use act::Acted;
pub(crate) use enqueue::Parent;
pub use enqueue::{EnqueueError, Enqueued};
pub use observe::{Observer, RowStatus, Update};
pub use time::CLOCK;

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
    /// This context's name in leases.
    pub(crate) owner: String,
    pub(crate) connection: Connection,
    pub(crate) uploads: watch::Sender<Vec<crate::UploadProgress>>,
    wishes: Mutex<Wishes>,
    pub(crate) notify: Notify,
    nudges: watch::Sender<u64>,
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
    /// An outbox over a store. Over a [`Kept`](crate::pressure::Kept) one, what the user writes evicts cached media
    /// where the store is full, and has room that nothing else gets.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use haos_queue::pressure::{Kept, PressureOptions};
    /// use haos_queue::{Outbox, OutboxOptions, Protocol, SharedHost};
    /// use haos_store_api::{MemoryStore, Result};
    ///
    /// fn open(host: SharedHost, protocol: Arc<dyn Protocol>) -> Result<Outbox> {
    ///     let quota = PressureOptions { quota_bytes: Some(100 << 20), ..PressureOptions::default() };
    ///     let store = Arc::new(Kept::new(MemoryStore::new(), host.clone(), quota));
    ///     Outbox::new(store, host, protocol, OutboxOptions::default())
    /// }
    /// ```
    ///
    /// # Errors
    /// `Invalid` if the host gives no usable randomness.
    #[cfg_attr(target_arch = "wasm32", allow(clippy::arc_with_non_send_sync, reason = "one thread"))]
    pub fn new(
        store: Arc<dyn StorageAdapter>,
        host: SharedHost,
        protocol: Arc<dyn Protocol>,
        options: OutboxOptions,
    ) -> Result<Self> {
        let owner = new_txn_id(&*host)?.to_string();
        let shared = Shared {
            store,
            host,
            clock: Mutex::default(),
            protocol,
            options,
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

    /// Watches the state of the connection, as this context's driver and sync engine see it.
    pub fn connection(&self) -> watch::Receiver<ConnectionState> {
        self.shared.connection.watch()
    }

    /// How far the uploads under way in this context are.
    pub fn uploads(&self) -> watch::Receiver<Vec<crate::UploadProgress>> {
        self.shared.uploads.subscribe()
    }

    /// The sync engine tells where it stands. If it hears of the server again while the platform says that there is no
    /// network, the platform is wrong, and everything is tried again at once.
    pub fn sync_state(&self, state: SyncState) {
        if self.shared.connection.sync(state) {
            self.try_now();
        }
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

    /// Tells if a room is encrypted, or once was: what the user writes there goes out encrypted or not at all.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn is_encrypted(&self, room: &RoomId) -> Result<bool> {
        self.shared.is_encrypted(room).await
    }

    /// Tells if a sync, or the server, told of any room that is encrypted or once was.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn has_encrypted_rooms(&self) -> Result<bool> {
        let kind = EventType::new(state_kind::ENCRYPTED)?;
        Ok(self.shared.store.count_state(&Scope::Account, &kind).await? > 0)
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
    /// By the note that a sync made, which outlives the room's state, or by that state, should the note be damaged.
    pub(crate) async fn is_encrypted(&self, room: &RoomId) -> Result<bool> {
        let Some(kind) = self.protocol.encryption() else { return Ok(false) };
        let (noted, key) = note_of(room)?;
        let asked = vec![
            StateQuery::one(Scope::Account, noted, key),
            StateQuery::one(Scope::Room(room.clone()), EventType::new(kind)?, StateKey::new("")?),
        ];
        Ok(self.store.states(asked).await?.iter().any(|found| !found.is_empty()))
    }

    /// The facts that a decision of now depends on.
    pub(crate) fn context(&self) -> Context<'_> {
        Context { now_ms: self.now_ms(), chance: self.host.random(), options: &self.options }
    }

    fn wish(&self, change: impl FnOnce(&mut Wishes)) {
        change(&mut self.wishes.lock().unwrap_or_else(PoisonError::into_inner));
        self.notify.notify_one();
    }

    pub(crate) fn nudge(&self) {
        self.nudges.send_modify(|count| *count += 1);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner).stop_ms.is_some()
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
