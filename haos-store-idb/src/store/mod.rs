//! The adapter: each call a transaction of its own.

mod ask;
mod ballast;
mod idle;
mod open;
mod work;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use async_trait::async_trait;
use haos_store_api::backend::*;
use haos_store_api::*;
use tokio::sync::RwLock;

use crate::connection::Connection;
use crate::durability::{self, Canary};
use crate::engine::chores;
use crate::engine::known::Known;
use crate::engine::kv::KEYRING;
use crate::engine::read::Reader;
use crate::feed::{Feed, Stored};
use crate::options::IdbOptions;
use crate::tx::IdbTx;
use ask::{Ask, Done, Told, Work};
use ballast::Ballast;
use idle::Idle;

/// A store in an IndexedDB database.
///
/// It serves windows, dedicated workers and service workers alike, and any number of them at a time: each opens the
/// database for itself, and hears of the others' commits. A `Relaxed` commit is handed to the browser before `apply`
/// returns, a `Strict` one to the device.
///
/// Rows of messages are kept many to a record, appended and never rewritten; a compaction in idle moments makes full
/// records of small ones, in one context at a time. The connection to the browser may end at any moment (another tab
/// upgrades, the user clears the site's data, the page goes to sleep): the next call opens it again, once, and reports
/// the outcome.
pub struct IdbStore(Rc<Inner>);

pub(crate) struct Inner {
    name: String,
    connection: Connection,
    codec: Codec,
    stage: Cell<Stage>,
    /// The number of the database's openings when it was last seen to be this store.
    opened: Cell<u32>,
    /// Absent once the store is closed: then the feed ends.
    hub: RefCell<Option<ChangeHub>>,
    feed: RefCell<Option<Feed>>,
    canary: Canary,
    info: RefCell<StoreInfo>,
    id: durability::StoreId,
    idle: Idle,
    /// The knowledge after this context's latest commit.
    known: RefCell<Option<Known>>,
    ballast: Cell<Ballast>,
    /// Held for reading by every writer, so that closing waits for accepted work.
    accepted: Arc<RwLock<()>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Open,
    Suspended,
    Closed,
}

fn closed(operation: &'static str, message: &str) -> Error {
    Error::new(ErrorKind::Closed, operation, message)
}

impl Inner {
    fn check(&self, operation: &'static str) -> Result<()> {
        match self.stage.get() {
            Stage::Open => Ok(()),
            Stage::Suspended => Err(closed(operation, "the store is suspended: resume it first")),
            Stage::Closed => Err(closed(operation, "the store is closed: open it again")),
        }
    }

    /// Joins the other contexts that have the store open, and catches up with their earlier commits.
    async fn join_feed(self: &Rc<Self>) -> Result<()> {
        let store = Rc::downgrade(self);
        let stored = move || -> Stored {
            let store = store.clone();
            Box::pin(async move {
                match store.upgrade()?.read(&Ask::Head).await {
                    Ok(Told::Head(head)) => Some(head.revision),
                    _ => None,
                }
            })
        };
        let feed = self.hub.borrow().as_ref().map(|hub| Feed::open(&self.name, self.id, hub.clone(), stored));
        if let Some(feed) = &feed {
            self.info.borrow_mut().shared = feed.is_shared();
        }
        *self.feed.borrow_mut() = feed;
        let Told::Head(head) = self.read(&Ask::Head).await? else { return Err(work::mixed_up("open")) };
        if let Some(feed) = &*self.feed.borrow() {
            feed.saw(head.revision);
        }
        Ok(())
    }
}

impl IdbStore {
    /// Opens the store, and makes it if it is absent.
    ///
    /// # Errors
    /// `Io` for an absent store if `create` is off, `Invalid` for a database of that name which is not a store,
    /// `NewerSchema` for a store of a later version, `Blocked` while another tab holds an older one, `Busy` if the
    /// browser does not answer, `Unavailable` without an IndexedDB (some private modes), `Full`; `Sealed`, `NotSealed`
    /// and `WrongKey` for the secret.
    pub async fn open(options: IdbOptions) -> Result<Self> {
        work::alone("open", open::open(options)).await.map(Self)
    }

    /// Deletes the database `name` with everything in it, also unsent messages. Other tabs that have it open lose it.
    ///
    /// # Errors
    /// `Blocked` if another context does not let go of it, `Unavailable`.
    pub async fn delete(name: &str) -> Result<()> {
        open::delete(name).await
    }

    /// Tells whether the browser may erase the store when the device is short of space, as far as known. After the
    /// first commit of user content, the browser is asked not to.
    pub fn persistence(&self) -> durability::Persistence {
        durability::persistence()
    }
}

impl fmt::Debug for IdbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdbStore").field("name", &self.0.name).finish_non_exhaustive()
    }
}

/// Asks, and takes the answer of the kind that belongs to it.
macro_rules! ask {
    ($store:ident, $ask:expr => $told:path) => {
        match work::ask(&$store.0, $ask).await? {
            $told(found) => Ok(found),
            _ => Err(work::mixed_up("read")),
        }
    };
}

#[async_trait(?Send)]
impl StorageAdapter for IdbStore {
    async fn apply(&self, batch: WriteBatch) -> Result<Commit> {
        work::apply(&self.0, batch).await
    }

    async fn room(&self, id: &RoomId) -> Result<Option<Room>> {
        ask!(self, Ask::Room(id.clone()) => Told::Room)
    }

    async fn rooms(&self, query: RoomQuery) -> Result<Vec<Room>> {
        ask!(self, Ask::Rooms(query) => Told::Rooms)
    }

    async fn message(&self, room: &RoomId, event: &EventId) -> Result<Option<Message>> {
        ask!(self, Ask::Message(room.clone(), event.clone()) => Told::Message)
    }

    async fn timeline(&self, room: &RoomId, page: Page) -> Result<Slice> {
        let small = self.0.idle.small(&self.0.codec.room_key(room));
        ask!(self, Ask::Timeline(room.clone(), page, small) => Told::Timeline)
    }

    async fn timelines(&self, pages: Vec<(RoomId, Page)>) -> Result<Vec<Slice>> {
        let small = |room: &RoomId| self.0.idle.small(&self.0.codec.room_key(room));
        let pages = pages.into_iter().map(|(room, page)| (small(&room), room, page));
        let pages = pages.map(|(small, room, page)| (room, page, small)).collect();
        ask!(self, Ask::Timelines(pages) => Told::Timelines)
    }

    async fn gaps(&self, room: &RoomId) -> Result<Vec<Gap>> {
        ask!(self, Ask::Gaps(room.clone()) => Told::Gaps)
    }

    async fn count(&self, room: &RoomId, newer_than: Option<&EventId>) -> Result<u64> {
        ask!(self, Ask::Count(room.clone(), newer_than.cloned()) => Told::Count)
    }

    async fn related(&self, query: RelationQuery) -> Result<Vec<Message>> {
        ask!(self, Ask::Related(query) => Told::Messages)
    }

    async fn messages(&self, query: MessageQuery) -> Result<Vec<Message>> {
        ask!(self, Ask::Messages(query) => Told::Messages)
    }

    async fn pending(&self, query: PendingQuery) -> Result<Vec<Pending>> {
        ask!(self, Ask::Pending(query) => Told::Pending)
    }

    async fn media(&self, key: &MediaKey, range: ByteRange) -> Result<Option<Media>> {
        ask!(self, Ask::Media(key.clone(), range) => Told::Media)
    }

    async fn media_index(&self, query: MediaQuery) -> Result<Vec<MediaInfo>> {
        ask!(self, Ask::MediaIndex(query) => Told::MediaIndex)
    }

    async fn state(&self, query: StateQuery) -> Result<Vec<StateEntry>> {
        ask!(self, Ask::State(query) => Told::State)
    }

    async fn states(&self, queries: Vec<StateQuery>) -> Result<Vec<Vec<StateEntry>>> {
        ask!(self, Ask::States(queries) => Told::States)
    }

    async fn usage(&self) -> Result<Usage> {
        let head: Result<_> = ask!(self, Ask::Head => Told::Head);
        let usage = head?.usage();
        let quota_bytes = durability::quota().await.map(|(_, quota)| quota);
        Ok(Usage { quota_bytes, ..usage })
    }

    async fn maintain(&self, task: Maintenance, progress: Progress) -> Result<Report> {
        let _accepted = self.0.accepted.read().await;
        self.0.check("maintain")?;
        let step = async |step| work::step(&self.0, step).await;
        chores::run(task, &self.0.codec, &progress, step).await
    }

    async fn change_keys(&self, change: KeyChange) -> Result<()> {
        let shreds = change == KeyChange::Shred;
        let Done::Keys(record) = work::write(&self.0, Work::Keys(change)).await? else {
            return Err(work::mixed_up("keys"));
        };
        if shreds {
            return self.close().await;
        }
        self.0.adopt(Some(&record))
    }

    fn info(&self) -> StoreInfo {
        StoreInfo { damaged: self.0.codec.damaged(), ..self.0.info.borrow().clone() }
    }

    fn changes(&self) -> Changes {
        let hub = self.0.hub.borrow().clone();
        // A hub that is dropped at once: the feed ends before it begins.
        hub.unwrap_or_else(|| ChangeHub::new(1, Revision::ZERO)).subscribe()
    }

    async fn suspend(&self) -> Result<()> {
        if self.0.stage.get() == Stage::Closed {
            return Err(closed("suspend", "the store is closed: open it again"));
        }
        self.0.stage.set(Stage::Suspended);
        drop(self.0.accepted.write().await);
        self.0.feed.take();
        self.0.connection.suspend();
        Ok(())
    }

    async fn resume(&self) -> Result<()> {
        match self.0.stage.get() {
            Stage::Open => return Ok(()),
            Stage::Suspended => {}
            Stage::Closed => return Err(closed("resume", "the store is closed: open it again")),
        }
        self.0.connection.resume().await?;
        self.0.stage.set(Stage::Open);
        let inner = Rc::clone(&self.0);
        work::alone("resume", Box::pin(async move { inner.join_feed().await })).await
    }

    async fn close(&self) -> Result<()> {
        if self.0.stage.replace(Stage::Closed) != Stage::Closed {
            drop(self.0.accepted.write().await);
            self.0.canary.flush().await;
        }
        self.0.feed.take();
        self.0.hub.take();
        self.0.connection.close();
        Ok(())
    }
}
