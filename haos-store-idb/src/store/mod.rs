//! The adapter: each call a transaction of its own.

mod ask;
mod ballast;
mod early;
mod idle;
mod open;
mod work;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use async_trait::async_trait;
use haos_store_api::backend::*;
use haos_store_api::*;
use tokio::sync::{Mutex, RwLock};

use crate::connection::Connection;
use crate::durability::{self, Canary};
use crate::engine::chores;
use crate::engine::memory::Memory;
use crate::feed::{Feed, Stored};
use crate::options::IdbOptions;
use crate::tx::IdbTx;
use ask::{Ask, Told};
use ballast::Ballast;
use idle::Idle;

/// A store in an IndexedDB database.
///
/// It serves windows, dedicated workers and service workers alike, and any number of them at a time: each opens the
/// database for itself, and hears of the others' commits. A `Relaxed` commit is handed to the browser before `apply`
/// returns, a `Strict` one to the device.
///
/// A commit is one record of a log. In idle moments one context at a time folds the log into tables, in which messages are
/// kept many to a record. What was read or written lately is answered from memory: messages, pages, gaps, counts and
/// relations show every commit of this context, and those of others that it has heard of. Everything else shows every
/// commit.
///
/// The connection to the browser may end at any moment (another tab upgrades, the user clears the site's data, the page
/// goes to sleep): the next call opens it again, once, and reports the outcome.
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
    memory: RefCell<Memory>,
    /// The bytes of the tables in memory from which on some are forgotten.
    memory_bytes: usize,
    /// True if another context may have committed what is not in memory.
    stale: Cell<bool>,
    /// The readings from memory since the latest load.
    readings: Cell<u32>,
    /// The load that is about to begin.
    flight: RefCell<Option<work::Flight>>,
    /// The loads into memory.
    loads: Cell<u32>,
    /// Held by the commit under way: they follow one another.
    turn: Mutex<()>,
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

    /// Joins the other contexts that have the store open. What they committed before is caught up with by the next
    /// reading.
    fn join_feed(self: &Rc<Self>) {
        let (store, hearing) = (Rc::downgrade(self), Rc::downgrade(self));
        let heard = Rc::new(move || {
            if let Some(inner) = hearing.upgrade() {
                inner.stale.set(true);
            }
        });
        let stored = move || -> Stored {
            let store = store.clone();
            Box::pin(async move {
                let inner = store.upgrade()?;
                inner.load(Vec::new()).await.ok()?;
                let revision = inner.memory.borrow().head.revision;
                Some(revision)
            })
        };
        let hub = self.hub.borrow();
        let feed = hub.as_ref().map(|hub| Feed::open(&self.name, self.id, hub.clone(), heard, stored));
        if let Some(feed) = &feed {
            self.info.borrow_mut().shared = feed.is_shared();
            feed.saw(self.memory.borrow().head.revision);
        }
        *self.feed.borrow_mut() = feed;
        self.stale.set(true);
        OPEN.with_borrow_mut(|all| {
            all.retain(|other| other.strong_count() > 0);
            if !all.iter().any(|other| std::ptr::eq(other.as_ptr(), Rc::as_ptr(self))) {
                all.push(Rc::downgrade(self));
            }
        });
    }

    /// Lets the other stores over this database in this very context know of a commit, before any channel does.
    fn siblings(&self) {
        OPEN.with_borrow(|all| {
            for other in all.iter().filter_map(Weak::upgrade) {
                if other.id == self.id && !std::ptr::eq(&*other, self) {
                    other.stale.set(true);
                }
            }
        });
    }
}

thread_local! {
    /// The open stores of this context.
    static OPEN: RefCell<Vec<Weak<Inner>>> = const { RefCell::new(Vec::new()) };
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
        let slices: Result<Vec<Slice>> =
            ask!(self, Ask::Timelines(vec![(room.clone(), page)]) => Told::Timelines);
        Ok(slices?.pop().unwrap_or_default())
    }

    async fn timelines(&self, pages: Vec<(RoomId, Page)>) -> Result<Vec<Slice>> {
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
        let found: Result<Vec<Vec<StateEntry>>> = ask!(self, Ask::States(vec![query]) => Told::States);
        Ok(found?.pop().unwrap_or_default())
    }

    async fn states(&self, queries: Vec<StateQuery>) -> Result<Vec<Vec<StateEntry>>> {
        ask!(self, Ask::States(queries) => Told::States)
    }

    async fn count_state(&self, scope: &Scope, kind: &EventType) -> Result<u64> {
        ask!(self, Ask::CountState(scope.clone(), kind.clone()) => Told::Count)
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
        let inner = Rc::clone(&self.0);
        let record = work::alone("keys", Box::pin(async move { inner.change_keys(&change).await })).await?;
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
        self.0.join_feed();
        let inner = Rc::clone(&self.0);
        work::alone("resume", Box::pin(async move { inner.load(Vec::new()).await })).await
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
