//! A store over maps: the engine alone, without a browser.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::FutureExt;
use haos_store_api::backend::*;
use haos_store_api::conformance::{Harness, Move};
use haos_store_api::*;

use super::super::apply::apply;
use super::super::chores;
use super::super::head::{FORMAT, Head};
use super::super::known::Known;
use super::super::kv::{HEAD, KEYRING, Table};
use super::super::read::Reader;
use super::super::tables_of;
use super::map::{MapTx, Maps};
use super::tamper;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Open,
    Suspended,
    Closed,
}

thread_local! {
    /// The stores' knowledge from their latest commits, for this thread, by their numbers.
    static KNOWN: RefCell<HashMap<u64, Known>> = RefCell::default();
}

static STORES: AtomicU64 = AtomicU64::new(0);

/// A store that compacts after each commit, so that all cases meet compacted records.
#[derive(Debug)]
pub(super) struct MapStore {
    db: Arc<Mutex<Maps>>,
    codec: Codec,
    tidy: bool,
    stage: Mutex<Stage>,
    hub: Mutex<Option<ChangeHub>>,
    opened_at: Revision,
    nr: u64,
}

impl MapStore {
    pub(super) fn open(db: Arc<Mutex<Maps>>, codec: Codec, tidy: bool) -> Self {
        let head = db.lock().unwrap().named.get(HEAD).map(|head| Head::decode("open", head).unwrap());
        let opened_at = head.unwrap_or_default().revision;
        if let Some(keyring) = codec.keyring() {
            let mut db = db.lock().unwrap();
            db.named.entry(KEYRING).or_insert_with(|| keyring.record().unwrap());
        }
        let hub = Mutex::new(Some(ChangeHub::new(256, opened_at)));
        Self {
            db,
            codec,
            tidy,
            stage: Mutex::new(Stage::Open),
            hub,
            opened_at,
            nr: STORES.fetch_add(1, Ordering::Relaxed),
        }
    }

    fn check(&self) -> Result<()> {
        match *self.stage.lock().unwrap() {
            Stage::Open => Ok(()),
            _ => Err(Error::new(ErrorKind::Closed, "test", "closed")),
        }
    }

    fn adopt(&self, record: Option<&[u8]>) -> Result<()> {
        match (self.codec.keyring(), record) {
            (Some(keyring), Some(record)) => keyring.adopt(record).map(drop),
            _ => Ok(()),
        }
    }

    /// Runs work in a transaction in which everything answers at once.
    fn run<T>(&self, work: impl AsyncFnOnce(&MapTx, &Codec) -> Result<T>) -> Result<T> {
        self.check()?;
        let done = self.run_over(None, async |kv, codec| work(kv, codec).await.map(Some))?;
        Ok(done.unwrap())
    }

    /// Runs work and undoes it if it fails.
    fn run_over<T>(
        &self,
        scope: Option<BTreeSet<Table>>,
        work: impl AsyncFnOnce(&MapTx, &Codec) -> Result<Option<T>>,
    ) -> Result<Option<T>> {
        self.check()?;
        let mut db = self.db.lock().unwrap();
        let tx = MapTx(RefCell::new(db.clone()), scope);
        let done = work(&tx, &self.codec).now_or_never().expect("maps answer at once")?;
        if done.is_some() {
            *db = tx.0.into_inner();
        }
        Ok(done)
    }

    fn read<T>(&self, work: impl AsyncFnOnce(Reader<'_, MapTx>) -> Result<T>) -> Result<T> {
        self.run(async |kv, codec| work(Reader { kv, codec }).await)
    }
}

#[async_trait]
impl StorageAdapter for MapStore {
    async fn apply(&self, batch: WriteBatch) -> Result<Commit> {
        // Within the run: it is not Send, and a store of the tests must be.
        let apply = async |kv: &MapTx, codec: &Codec| {
            let before = KNOWN.with_borrow_mut(|known| known.remove(&self.nr));
            let Some(mut written) = apply(kv, codec, &batch, before).await? else { return Ok(None) };
            if let Some(known) = written.known.take() {
                KNOWN.with_borrow_mut(|all| all.insert(self.nr, known));
            }
            Ok(Some((written.commit, written.litter)))
        };
        let scope = || Some(tables_of(&batch).into_iter().collect());
        let first = self.run_over(scope(), apply)?;
        // Without the former knowledge.
        let again = if first.is_none() { self.run_over(scope(), apply)? } else { None };
        let (commit, litter) = first.or(again).unwrap();
        if commit.changed {
            if let Some(hub) = &*self.hub.lock().unwrap() {
                hub.publish(commit.revision, touched(&batch));
            }
            if self.tidy {
                for (room, _) in litter {
                    let mut from = None;
                    while {
                        from = self.run(async |kv, _| chores::compact_room(kv, &room, from).await)?.next;
                        from.is_some()
                    } {}
                }
            }
        }
        Ok(commit)
    }
    async fn room(&self, id: &RoomId) -> Result<Option<Room>> {
        self.read(async |reader| reader.room(id).await)
    }
    async fn rooms(&self, query: RoomQuery) -> Result<Vec<Room>> {
        self.read(async |reader| reader.rooms(query).await)
    }
    async fn message(&self, room: &RoomId, event: &EventId) -> Result<Option<Message>> {
        self.read(async |reader| reader.message(room, event).await)
    }
    async fn timeline(&self, room: &RoomId, page: Page) -> Result<Slice> {
        self.read(async |reader| reader.timeline(room, &page, 0).await)
    }

    async fn timelines(&self, pages: Vec<(RoomId, Page)>) -> Result<Vec<Slice>> {
        let pages: Vec<_> = pages.into_iter().map(|(room, page)| (room, page, 0)).collect();
        self.read(async |reader| reader.timelines(&pages).await)
    }
    async fn gaps(&self, room: &RoomId) -> Result<Vec<Gap>> {
        self.read(async |reader| reader.gaps(room).await)
    }
    async fn count(&self, room: &RoomId, newer_than: Option<&EventId>) -> Result<u64> {
        self.read(async |reader| reader.count(room, newer_than).await)
    }
    async fn related(&self, query: RelationQuery) -> Result<Vec<Message>> {
        self.read(async |reader| reader.related(&query).await)
    }
    async fn messages(&self, query: MessageQuery) -> Result<Vec<Message>> {
        self.read(async |reader| reader.messages(&query).await)
    }
    async fn pending(&self, query: PendingQuery) -> Result<Vec<Pending>> {
        self.read(async |reader| reader.pending(&query).await)
    }
    async fn media(&self, key: &MediaKey, range: ByteRange) -> Result<Option<Media>> {
        self.read(async |reader| reader.media(key, range).await)
    }
    async fn media_index(&self, query: MediaQuery) -> Result<Vec<MediaInfo>> {
        self.read(async |reader| reader.media_index(&query).await)
    }
    async fn states(&self, queries: Vec<StateQuery>) -> Result<Vec<Vec<StateEntry>>> {
        self.read(async |reader| reader.states(&queries).await)
    }

    async fn state(&self, query: StateQuery) -> Result<Vec<StateEntry>> {
        self.read(async |reader| reader.state(&query).await)
    }
    async fn usage(&self) -> Result<Usage> {
        Ok(self.read(async |reader| reader.head().await)?.usage())
    }
    async fn maintain(&self, task: Maintenance, progress: Progress) -> Result<Report> {
        let tx = async |step: chores::Chore| {
            let done = self.run(async |kv, codec| step.run(kv, codec).await)?;
            self.adopt(done.keyring.as_deref())?;
            Ok(done)
        };
        chores::run(task, &self.codec, &progress, tx).now_or_never().expect("maps answer at once")
    }
    async fn change_keys(&self, change: KeyChange) -> Result<()> {
        let record = self.run(async |kv, codec| chores::change_keys(kv, codec, &change).await)?;
        if change == KeyChange::Shred {
            return self.close().await;
        }
        self.adopt(Some(&record))
    }
    fn info(&self) -> StoreInfo {
        StoreInfo {
            backend: "maps",
            format: FORMAT,
            location: Some("maps".to_owned()),
            persistent: true,
            sealed: self.codec.is_sealed(),
            shared: false,
            evictable: false,
            read_only: false,
            opened_at: self.opened_at,
            recovery: None,
            set_aside: Vec::new(),
            damaged: self.codec.damaged(),
        }
    }
    fn changes(&self) -> Changes {
        let hub = self.hub.lock().unwrap().clone();
        hub.unwrap_or_else(|| ChangeHub::new(1, Revision::ZERO)).subscribe()
    }
    async fn suspend(&self) -> Result<()> {
        let mut stage = self.stage.lock().unwrap();
        if *stage == Stage::Closed {
            return Err(Error::new(ErrorKind::Closed, "test", "closed"));
        }
        *stage = Stage::Suspended;
        Ok(())
    }
    async fn resume(&self) -> Result<()> {
        let mut stage = self.stage.lock().unwrap();
        if *stage == Stage::Closed {
            return Err(Error::new(ErrorKind::Closed, "test", "closed"));
        }
        *stage = Stage::Open;
        Ok(())
    }
    async fn close(&self) -> Result<()> {
        *self.stage.lock().unwrap() = Stage::Closed;
        *self.hub.lock().unwrap() = None;
        Ok(())
    }
}

pub(super) struct MapHarness {
    db: Arc<Mutex<Maps>>,
    codec: fn() -> Codec,
    opened: Option<Codec>,
    tidy: bool,
}

impl MapHarness {
    pub(super) fn new(codec: fn() -> Codec, tidy: bool) -> Self {
        Self { db: Arc::default(), codec, opened: None, tidy }
    }
}

#[async_trait(?Send)]
impl Harness for MapHarness {
    async fn open(&mut self) -> Result<Arc<dyn StorageAdapter>> {
        self.db = Arc::default();
        self.opened = Some((self.codec)());
        self.reopen().await
    }

    async fn reopen(&mut self) -> Result<Arc<dyn StorageAdapter>> {
        let codec = self.opened.get_or_insert_with(self.codec).clone();
        Ok(Arc::new(MapStore::open(self.db.clone(), codec, self.tidy)))
    }

    fn moves(&self) -> Vec<Move> {
        tamper::moves()
    }

    async fn make(&mut self, name: &'static str) -> Result<()> {
        tamper::make(&mut self.db.lock().unwrap(), name);
        Ok(())
    }
}
