//! The adapter: calls go to the threads, answers come back.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use async_trait::async_trait;
use haos_store_api::*;
use tokio::sync::oneshot;

use crate::db::Db;
use crate::engine::{Engine, Threads, start};
use crate::error::closed;
use crate::maintain::usage;
use crate::options::SledOptions;
use crate::shared::{NEAR_BYTES, NEAR_ROWS};
use crate::writer::{Job, Request, Writer};
use haos_store_api::kv::FORMAT;

/// A store in a sled database.
///
/// Calls need no runtime: one thread writes, another does long reads, and futures wait for their answers.
/// Short reads (one row, a page, a small range of media) are done in the caller's poll. A future that is
/// dropped tears nothing: its batch is applied whole or not at all. The folder is this store's alone:
/// whoever else opens it meanwhile, in this process or another, is told `Busy`.
///
/// A `Relaxed` commit is handed to the system before `apply` returns, a `Strict` one to the device. After a
/// failure of sled with an unknown outcome, or a panic of it, every call fails with `Closed` until the store
/// is closed and opened again.
///
/// Dropping the store without [`close`](StorageAdapter::close) lets the threads finish what was accepted,
/// and does not wait for them; the folder is free a moment later.
pub struct SledStore {
    options: SledOptions,
    stage: RwLock<Stage>,
    info: Mutex<StoreInfo>,
    turns: Turns,
    /// One change of stage at a time; the threads to wait for.
    threads: tokio::sync::Mutex<Option<Threads>>,
}

/// Where a store stands in its life.
enum Stage {
    Open(Engine, ChangeHub),
    Suspended(ChangeHub),
    Closed,
}

impl SledStore {
    /// Opens the store, and makes it if it is missing.
    ///
    /// # Errors
    /// `Invalid` for a path that can hold no store and for other people's folders, `NewerSchema` for a
    /// store of a later version, `Io` where the folder cannot be used, `Busy` if somebody else holds it,
    /// `Full`, and `Corrupt` for a store that is damaged where
    /// [`OnDamage::Refuse`](crate::OnDamage::Refuse) was asked for. What is refused for another reason than
    /// damage is not changed.
    pub async fn open(options: SledOptions) -> Result<Self> {
        let path = crate::open::folder_path(options.path())?;
        let options = options.at(path);
        let started = start(&options, None).await?;
        let info = StoreInfo {
            backend: "sled",
            format: FORMAT,
            location: Some(options.path().display().to_string()),
            persistent: true,
            sealed: started.codec.is_sealed(),
            shared: false,
            read_only: false,
            opened_at: started.revision,
            recovery: started.recovery,
            set_aside: started.set_aside,
            damaged: 0,
        };
        Ok(Self {
            options: options.create(false).check(false).opened(started.codec),
            stage: RwLock::new(Stage::Open(started.engine, started.hub)),
            info: Mutex::new(info),
            turns: Turns::default(),
            threads: tokio::sync::Mutex::new(Some(started.threads)),
        })
    }

    fn stage(&self) -> RwLockReadGuard<'_, Stage> {
        self.stage.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn stage_mut(&self) -> RwLockWriteGuard<'_, Stage> {
        self.stage.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn info_mut(&self) -> MutexGuard<'_, StoreInfo> {
        self.info.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands something to the threads of an open store.
    pub(crate) fn with_engine<T>(
        &self,
        operation: &'static str,
        hand: impl FnOnce(&Engine) -> T,
    ) -> Result<T> {
        match &*self.stage() {
            Stage::Open(engine, _) => Ok(hand(engine)),
            Stage::Suspended(_) => Err(closed(operation, "the store is suspended: resume it first")),
            Stage::Closed => Err(closed(operation, "the store is closed: open it again")),
        }
    }

    /// Reads what, being `short`, takes no longer than to wake a thread: at once, on the caller's thread,
    /// if no commit is going on.
    async fn glance<T: Send + 'static>(
        &self,
        operation: &'static str,
        short: bool,
        read: impl Fn(Db<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        if short {
            self.turns.give_way().await;
            if let Some(answer) =
                self.with_engine(operation, |engine| engine.shared.glance(operation, &read))?
            {
                return answer;
            }
        }
        self.read(operation, read).await
    }

    /// Reads on the reading thread.
    async fn read<T: Send + 'static>(
        &self,
        operation: &'static str,
        read: impl FnOnce(Db<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        self.with_engine(operation, |engine| {
            engine.reads.push(Box::new(move |shared| {
                if !reply.is_closed() {
                    // The caller may have gone meanwhile.
                    let _ = reply.send(shared.read(operation, read));
                }
            }));
        })?;
        answer.await.map_err(|_| ended(operation))?
    }

    /// Runs something on the writing thread, between commits.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        operation: &'static str,
        call: impl FnOnce(&mut Writer) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        let job = Job::Call(Box::new(move |writer| {
            let _ = reply.send(call(writer));
        }));
        // A job that cannot be sent is dropped with its reply.
        self.with_engine(operation, |engine| drop(engine.jobs.send(job)))?;
        answer.await.map_err(|_| ended(operation))?
    }
}

pub(crate) fn ended(operation: &'static str) -> Error {
    closed(operation, "the store's thread has ended: close the store and open it again")
}

impl fmt::Debug for SledStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SledStore").field("options", &self.options).finish_non_exhaustive()
    }
}

#[async_trait]
impl StorageAdapter for SledStore {
    async fn apply(&self, batch: WriteBatch) -> Result<Commit> {
        let touched = touched(&batch);
        let (reply, answer) = oneshot::channel();
        let job = Job::Apply(Request { batch, touched, reply });
        self.with_engine("apply", |engine| drop(engine.jobs.send(job)))?;
        answer.await.map_err(|_| ended("apply"))?
    }

    async fn room(&self, id: &RoomId) -> Result<Option<Room>> {
        let id = id.clone();
        self.glance("room", true, move |db| db.room(&id)).await
    }

    async fn rooms(&self, query: RoomQuery) -> Result<Vec<Room>> {
        // A condition may have to look at every room.
        let short = query.limit <= NEAR_ROWS && query.space.is_none() && query.membership.is_none();
        self.glance("rooms", short, move |db| db.rooms(query.clone())).await
    }

    async fn message(&self, room: &RoomId, event: &EventId) -> Result<Option<Message>> {
        let (room, event) = (room.clone(), event.clone());
        self.glance("message", true, move |db| db.message(&room, &event)).await
    }

    async fn timeline(&self, room: &RoomId, page: Page) -> Result<Slice> {
        let room = room.clone();
        self.glance("timeline", page.limit <= NEAR_ROWS, move |db| db.timeline(&room, &page)).await
    }

    async fn gaps(&self, room: &RoomId) -> Result<Vec<Gap>> {
        let room = room.clone();
        self.read("gaps", move |db| db.gaps(&room)).await
    }

    async fn count(&self, room: &RoomId, newer_than: Option<&EventId>) -> Result<u64> {
        let (room, newer_than) = (room.clone(), newer_than.cloned());
        self.read("count", move |db| db.count(&room, newer_than.as_ref())).await
    }

    async fn related(&self, query: RelationQuery) -> Result<Vec<Message>> {
        let short = query.targets.len() <= NEAR_ROWS && query.limit <= NEAR_ROWS;
        self.glance("related", short, move |db| db.related(&query)).await
    }

    async fn messages(&self, query: MessageQuery) -> Result<Vec<Message>> {
        self.read("messages", move |db| db.messages(&query)).await
    }

    async fn pending(&self, query: PendingQuery) -> Result<Vec<Pending>> {
        self.glance("pending", query.limit <= NEAR_ROWS, move |db| db.pending(&query)).await
    }

    async fn media(&self, key: &MediaKey, range: ByteRange) -> Result<Option<Media>> {
        let key = key.clone();
        let short = range.end - range.start.min(range.end) <= NEAR_BYTES;
        self.glance("media", short, move |db| db.media(&key, range)).await
    }

    async fn media_index(&self, query: MediaQuery) -> Result<Vec<MediaInfo>> {
        self.read("media_index", move |db| db.media_index(&query)).await
    }

    async fn state(&self, query: StateQuery) -> Result<Vec<StateEntry>> {
        self.glance("state", query.key.is_some(), move |db| db.state(&query)).await
    }

    async fn usage(&self) -> Result<Usage> {
        let folder = self.options.path().to_owned();
        self.read("usage", move |db| usage(db, &folder)).await
    }

    async fn maintain(&self, task: Maintenance, progress: Progress) -> Result<Report> {
        match task {
            Maintenance::Compact => self.compact(&progress).await,
            Maintenance::Check => self.check(progress).await,
            Maintenance::Rotate => self.rotate(&progress).await,
            _ => Err(Error::new(
                ErrorKind::Unsupported,
                "maintain",
                "this version of the sled backend does not know this chore: update it",
            )),
        }
    }

    async fn change_keys(&self, change: KeyChange) -> Result<()> {
        let shred = change == KeyChange::Shred;
        let id =
            self.call("keys", move |writer| writer.change_keys(&change).map(|()| writer.home().id())).await?;
        if shred {
            self.close().await?;
            files::wipe(self.options.path(), id)?;
        }
        Ok(())
    }

    fn info(&self) -> StoreInfo {
        StoreInfo { damaged: self.options.codec.damaged(), ..self.info_mut().clone() }
    }

    fn changes(&self) -> Changes {
        match &*self.stage() {
            Stage::Open(_, hub) | Stage::Suspended(hub) => hub.subscribe(),
            // A hub that nobody keeps: the feed is over before it begins.
            Stage::Closed => ChangeHub::new(1, Revision::ZERO).subscribe(),
        }
    }

    async fn suspend(&self) -> Result<()> {
        let mut threads = self.threads.lock().await;
        {
            let mut stage = self.stage_mut();
            *stage = match std::mem::replace(&mut *stage, Stage::Closed) {
                Stage::Open(_, hub) | Stage::Suspended(hub) => Stage::Suspended(hub),
                Stage::Closed => return Err(closed("suspend", "the store is closed: open it again")),
            };
        }
        if let Some(threads) = &mut *threads {
            threads.end().await;
        }
        *threads = None;
        Ok(())
    }

    async fn resume(&self) -> Result<()> {
        let mut threads = self.threads.lock().await;
        let hub = match &*self.stage() {
            Stage::Open(..) => return Ok(()),
            Stage::Suspended(hub) => hub.clone(),
            Stage::Closed => return Err(closed("resume", "the store is closed: open it again")),
        };
        // A suspension that was cut off left them running.
        if let Some(threads) = &mut *threads {
            threads.end().await;
        }
        let started = start(&self.options, Some(hub.clone())).await?;
        if started.revision != hub.latest() {
            hub.resync(started.revision);
        }
        self.info_mut().set_aside = started.set_aside;
        if started.recovery.is_some() {
            self.info_mut().recovery = started.recovery;
        }
        *self.stage_mut() = Stage::Open(started.engine, hub);
        *threads = Some(started.threads);
        Ok(())
    }

    async fn close(&self) -> Result<()> {
        let mut threads = self.threads.lock().await;
        *self.stage_mut() = Stage::Closed;
        if let Some(threads) = &mut *threads {
            threads.end().await;
        }
        *threads = None;
        Ok(())
    }
}
