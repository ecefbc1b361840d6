//! An open chat: one store, one account, and what runs by itself.

mod account;
mod backend;
mod clear;
mod connection;
mod core;
mod encrypted;
mod live;
#[cfg(feature = "http")]
mod login;
mod opening;
mod outbox;
mod progress;
mod recovery;
#[cfg(feature = "http")]
mod rooms;
mod run;
mod storage;

use std::fmt;
use std::sync::Arc;

use haos_matrix::Engine;
use haos_queue::Outbox;
use haos_store_api::{RoomId, StorageAdapter};

use self::core::Core;
use self::run::{Spawner, Stop};
use crate::base::Base;
use crate::error::Result;
use crate::live::rooms::{RoomFilter, RoomList};
use crate::room::Room;

pub use account::Account;
pub(crate) use backend::Backend;
pub use clear::Clear;
pub use connection::{Connection, ConnectionSummary};
pub use live::Live;
pub(crate) use live::Source;
pub use opening::Opening;
pub use outbox::{OutboxList, OutboxRow};
pub use progress::SyncProgress;
pub use recovery::{CarriedRows, RecoveryReport};
#[cfg(feature = "http")]
pub use rooms::NewRoom;
pub use storage::{StorageLevel, StorageSummary};

/// How long what is under way may take when a chat is closed, in milliseconds.
const GRACE_MS: u64 = 2000;

/// An open chat. Clones are the same one, and cheap.
///
/// ```no_run
/// # #[cfg(feature = "http")]
/// # async fn example(password: String) -> haos::Result<()> {
/// use haos::{Chat, Credentials};
///
/// let chat = Chat::open("sqlite:chat.db").await?; // no request is made: what is stored is there
/// if !chat.account().is_some_and(|account| account.is_logged_in) {
///     chat.login("example.org", Credentials::password("ada", password)).await?;
/// }
/// println!("{:?}", chat.connection().now().await?);
/// chat.close().await?;
/// # Ok(()) }
/// ```
///
/// It sends and syncs by itself, on the tokio runtime on which it was opened, or in the browser's loop. Of several
/// processes or pages with one store one does that, and another one takes over within a second or two when it ends.
/// When the last clone is dropped, this ends at once, and nothing is lost: what was on its way is taken up by the next
/// run. [`Chat::close`] ends more gently.
#[derive(Clone)]
pub struct Chat {
    core: Arc<Core>,
    stop: Arc<Stop>,
}

impl Chat {
    /// Opens the store at `sqlite:PATH`, `sled:PATH` or `memory:`, and `idb:NAME` in a browser; it is made if it is not
    /// there. Await what is returned. No request is made for it.
    ///
    /// # Errors
    /// Those of the store: `Sealed` and `WrongKey` ask for another [`secret`](Opening::secret), `Invalid` names a url
    /// that is none, or the tokio runtime that is missing.
    pub fn open(url: &str) -> Opening {
        Opening::new(url)
    }

    fn of(core: Arc<Core>, spawner: Spawner) -> Self {
        let stop = Arc::new(Stop::start(core.clone(), spawner));
        Self { core, stop }
    }

    /// Sends and syncs from now on, where the chat was opened [held](Opening::held).
    pub fn start(&self) {
        self.core.is_held.send_replace(false);
    }

    /// Stops sending and syncing, for every clone, until the store is opened again. What is under way has two seconds;
    /// what is unsent stays. Reading and writing go on.
    pub async fn stop(&self) {
        self.stop.stop(GRACE_MS).await;
    }

    /// [Stops](Chat::stop), and closes the store, for every clone.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn close(&self) -> Result<()> {
        self.stop().await;
        Ok(self.core.store.close().await?)
    }

    /// The list of the rooms that a filter chooses: the latest 50, until it is widened.
    pub fn rooms(&self, filter: RoomFilter) -> RoomList {
        RoomList::new(self.base(), filter)
    }

    /// The handle of a room, whether or not the store knows it.
    pub fn room(&self, id: &RoomId) -> Room {
        Room::new(self.clone(), id.clone())
    }

    /// Tells what the platform says of the network. Coming online, everything is tried at once; in browsers this is
    /// done without being told.
    pub fn set_online(&self, is_online: bool) {
        if !self.core.is_offline {
            self.core.outbox.platform_online(is_online);
        }
    }

    /// Tries everything that waits at once: the application came to the foreground, or the user asks.
    pub fn try_now(&self) {
        self.core.outbox.try_now();
    }

    /// The store, within its bounds: for what this crate does not offer.
    pub fn store(&self) -> &Arc<dyn StorageAdapter> {
        &self.core.store
    }

    /// The outbox, for messages that this crate cannot make. Those of rooms go through [`Room`].
    pub fn outbox_handle(&self) -> &Outbox {
        &self.core.outbox
    }

    /// Makes a value that is watched as long as the chat lives.
    pub(crate) fn live<T: Clone + PartialEq>(&self, source: impl Source<T> + 'static) -> Live<T> {
        Live::new(source, self.core.store.changes(), self.stop.life())
    }

    /// The sync engine, while somebody is logged in on a homeserver: what a screen lacks is fetched by it.
    pub(crate) fn engine(&self) -> Option<Engine> {
        let is_logged_in = self.account().is_some_and(|account| account.is_logged_in);
        self.core.backend().filter(|_| is_logged_in)?.engine().cloned()
    }

    /// What is shared with lists that are read.
    pub(crate) fn base(&self) -> Base {
        self.core.base()
    }
}

impl fmt::Debug for Chat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chat").field("account", &self.account()).finish_non_exhaustive()
    }
}
