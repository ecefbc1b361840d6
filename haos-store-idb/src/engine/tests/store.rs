//! A store over maps: the engine alone, without a browser.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::FutureExt;
use haos_store_api::backend::*;
use haos_store_api::conformance::{Harness, Move};
use haos_store_api::*;

use super::super::chores;
use super::super::commit::{self, Outcome};
use super::super::fold;
use super::super::head::FORMAT;
use super::super::kv::{KEYRING, Table};
use super::super::memory::Memory;
use super::super::read::{Reader, Walk};
use super::super::reload::{self, Loaded};
use super::super::view::{Fault, View};
use super::map::{MapTx, Maps, Scope};
use super::tamper;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Open,
    Suspended,
    Closed,
}

/// The memories of contexts, by their store.
type Memories = HashMap<(u64, u64), Rc<RefCell<Memory>>>;

thread_local! {
    /// The memories of stores and their contexts, for this thread.
    static MEMORIES: RefCell<Memories> = RefCell::default();
}

static STORES: AtomicU64 = AtomicU64::new(0);

/// When a store folds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Folds {
    /// When it is told to.
    Never,
    /// After each commit, so that all cases meet folded records.
    Always,
    /// After every third commit, and then it forgets what it knows of the tables.
    Sometimes,
    /// By chance. And every call is of another of some contexts, which fold, forget and begin anew by chance: together
    /// they are one store, or one of them knows what is not so.
    ByChance,
}

/// The contexts of a store that folds by chance.
const CONTEXTS: u64 = 3;

#[derive(Debug)]
pub(super) struct MapStore {
    db: Arc<Mutex<Maps>>,
    codec: Codec,
    folds: Folds,
    stage: Mutex<Stage>,
    hub: Mutex<Option<ChangeHub>>,
    opened_at: Revision,
    nr: u64,
    context: AtomicU64,
    dice: Mutex<u64>,
    /// The writes after which a transaction is killed.
    pub(super) writes: AtomicU32,
}

impl MapStore {
    pub(super) fn open(db: Arc<Mutex<Maps>>, codec: Codec, folds: Folds) -> Self {
        if let Some(keyring) = codec.keyring() {
            let mut db = db.lock().unwrap();
            db.named.entry(KEYRING).or_insert_with(|| keyring.record().unwrap());
        }
        let seed = 1 + db.lock().unwrap().given;
        let mut store = Self {
            db,
            codec,
            folds,
            stage: Mutex::new(Stage::Open),
            hub: Mutex::default(),
            opened_at: Revision::ZERO,
            nr: STORES.fetch_add(1, Ordering::Relaxed),
            context: AtomicU64::new(0),
            dice: Mutex::new(seed),
            writes: AtomicU32::new(u32::MAX),
        };
        store.load(Vec::new()).unwrap();
        store.opened_at = store.memory().borrow().head.revision;
        *store.hub.lock().unwrap() = Some(ChangeHub::new(256, store.opened_at));
        store
    }

    /// Returns the memory of the context at work.
    pub(super) fn memory(&self) -> Rc<RefCell<Memory>> {
        let context = (self.nr, self.context.load(Ordering::Relaxed));
        MEMORIES.with_borrow_mut(|all| Rc::clone(all.entry(context).or_default()))
    }

    /// Lets chance have its way before a call.
    fn chance(&self) -> Result<()> {
        if self.folds != Folds::ByChance {
            return Ok(());
        }
        let mut dice = self.dice.lock().unwrap();
        let mut below = |sides: u64| {
            // xorshift64*
            *dice ^= *dice >> 12;
            *dice ^= *dice << 25;
            *dice ^= *dice >> 27;
            (dice.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % sides
        };
        self.context.store(below(CONTEXTS), Ordering::Relaxed);
        if below(6) == 0 {
            self.fold()?;
        }
        match below(24) {
            0 => *self.memory().borrow_mut() = Memory::default(),
            1..4 => self.memory().borrow_mut().tables.shrink_to(below(4096) as usize),
            // Of the tables alone, as they may be a fold ago: what it committed last is not caught up with.
            4..8 => self.load(Vec::new())?,
            _ => {}
        }
        Ok(())
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

    /// Runs work in a transaction in which everything answers at once; undoes it if it fails, or says false.
    pub(super) fn run<T>(
        &self,
        scope: Option<Scope>,
        work: impl AsyncFn(&MapTx) -> Result<Option<T>>,
    ) -> Result<Option<T>> {
        self.check()?;
        let mut db = self.db.lock().unwrap();
        let tx = MapTx::new(db.clone(), scope, self.writes.load(Ordering::Relaxed));
        let done = work(&tx).now_or_never().expect("maps answer at once")?;
        if done.is_some() {
            *db = tx.maps.into_inner();
        }
        Ok(done)
    }

    pub(super) fn load(&self, faults: Vec<Fault>) -> Result<()> {
        let scope = Scope { tables: faults.iter().map(Fault::table).collect(), meta: false };
        let load =
            async |kv: &MapTx| reload::load(kv, &self.codec, &self.memory(), faults.clone()).await.map(Some);
        for _ in 0..100 {
            match self.run(Some(scope.clone()), load)?.unwrap() {
                Loaded::Done => return Ok(()),
                Loaded::Again => {}
                Loaded::Anew => {
                    let all = Scope { tables: BTreeSet::new(), meta: true };
                    let anew =
                        async |kv: &MapTx| reload::anew(kv, &self.codec, &self.memory()).await.map(Some);
                    self.run(Some(all), anew)?;
                }
            }
        }
        panic!("a load is outdated for ever");
    }

    fn read<T>(&self, mut read: impl FnMut(Reader<'_, '_>) -> Result<T>) -> Result<T> {
        self.check()?;
        self.chance()?;
        self.load(Vec::new())?;
        let memory = self.memory();
        for _ in 0..100 {
            let faults = {
                let memory = memory.borrow();
                let mut view = View::new(&memory);
                let done = read(Reader { view: &mut view, codec: &self.codec });
                let (_, faults) = view.end();
                if faults.is_empty() {
                    drop(memory);
                    self.memory().borrow_mut().tables.forget(Table::Chunks);
                    return done;
                }
                faults
            };
            self.load(faults)?;
        }
        panic!("a reading lacks something for ever");
    }

    pub(super) fn commit(&self, batch: &WriteBatch) -> Result<Commit> {
        self.check()?;
        self.chance()?;
        let memory = self.memory();
        let mut by_hand = false;
        for _ in 0..100 {
            let number = memory.borrow().number;
            let outcome = commit::prepare(&memory.borrow(), &self.codec, batch);
            let draft = match outcome {
                Ok(Outcome::Lacks(faults)) => {
                    self.load(faults)?;
                    continue;
                }
                Ok(Outcome::Draft(draft)) => draft,
                // Only the latest state of the store refuses a batch, or says that it changes nothing.
                decided => {
                    self.load(Vec::new())?;
                    if memory.borrow().number != number {
                        continue;
                    }
                    let Outcome::Unchanged(commit) = decided? else { unreachable!() };
                    return Ok(commit);
                }
            };
            let written = if draft.is_large() {
                self.run(None, async |kv| Ok(fold::commit(kv, &draft).await?.then_some(())))?
            } else {
                let chunks = draft.has_chunks().then_some(Table::Chunks);
                let scope = Scope { tables: chunks.into_iter().collect(), meta: draft.erases };
                self.run(Some(scope), async |kv| Ok(commit::write(kv, &draft, by_hand).await?.then_some(())))?
            };
            if written.is_some() {
                return Ok(commit::written(&mut memory.borrow_mut(), *draft));
            }
            self.load(Vec::new())?;
            by_hand = memory.borrow().number == number;
        }
        panic!("a commit lacks something for ever");
    }

    pub(super) fn fold_once(&self) -> Result<fold::Folded> {
        Ok(self.run(None, async |kv| fold::fold(kv).await.map(Some))?.unwrap())
    }

    pub(super) fn fold(&self) -> Result<()> {
        while self.fold_once()?.more {}
        Ok(())
    }
}

#[async_trait]
impl StorageAdapter for MapStore {
    async fn apply(&self, batch: WriteBatch) -> Result<Commit> {
        let commit = self.commit(&batch)?;
        self.memory().borrow_mut().tables.forget(Table::Chunks);
        if commit.changed {
            if let Some(hub) = &*self.hub.lock().unwrap() {
                hub.publish(commit.revision, touched(&batch));
            }
            match self.folds {
                Folds::Never => {}
                Folds::Always => self.fold()?,
                Folds::Sometimes if commit.revision.0 % 3 == 0 => {
                    self.fold()?;
                    self.load(Vec::new())?;
                    self.memory().borrow_mut().tables.shrink_to(0);
                }
                Folds::Sometimes | Folds::ByChance => {}
            }
        }
        Ok(commit)
    }
    async fn room(&self, id: &RoomId) -> Result<Option<Room>> {
        self.read(|mut reader| reader.room(id))
    }
    async fn rooms(&self, query: RoomQuery) -> Result<Vec<Room>> {
        self.read(|mut reader| reader.rooms(&query))
    }
    async fn message(&self, room: &RoomId, event: &EventId) -> Result<Option<Message>> {
        self.read(|mut reader| reader.message(room, event))
    }
    async fn timeline(&self, room: &RoomId, page: Page) -> Result<Slice> {
        self.read(|mut reader| reader.timeline(room, &page))
    }

    async fn timelines(&self, pages: Vec<(RoomId, Page)>) -> Result<Vec<Slice>> {
        self.read(|mut reader| reader.timelines(&pages))
    }
    async fn gaps(&self, room: &RoomId) -> Result<Vec<Gap>> {
        self.read(|mut reader| reader.gaps(room))
    }
    async fn count(&self, room: &RoomId, newer_than: Option<&EventId>) -> Result<u64> {
        self.read(|mut reader| reader.count(room, newer_than))
    }
    async fn related(&self, query: RelationQuery) -> Result<Vec<Message>> {
        self.read(|mut reader| reader.related(&query))
    }
    async fn messages(&self, query: MessageQuery) -> Result<Vec<Message>> {
        {
            let mut walk = Walk::default();
            self.read(|mut reader| reader.messages(&query, &mut walk))
        }
    }
    async fn pending(&self, query: PendingQuery) -> Result<Vec<Pending>> {
        self.read(|mut reader| reader.pending(&query))
    }
    async fn media(&self, key: &MediaKey, range: ByteRange) -> Result<Option<Media>> {
        self.read(|mut reader| reader.media(key, range))
    }
    async fn media_index(&self, query: MediaQuery) -> Result<Vec<MediaInfo>> {
        self.read(|mut reader| reader.media_index(&query))
    }
    async fn states(&self, queries: Vec<StateQuery>) -> Result<Vec<Vec<StateEntry>>> {
        self.read(|mut reader| reader.states(&queries))
    }

    async fn state(&self, query: StateQuery) -> Result<Vec<StateEntry>> {
        self.read(|mut reader| reader.state(&query))
    }

    async fn count_state(&self, scope: &haos_store_api::Scope, kind: &EventType) -> Result<u64> {
        self.read(|mut reader| reader.count_state(scope, kind))
    }
    async fn usage(&self) -> Result<Usage> {
        self.read(|reader| Ok(reader.view.memory.head.usage()))
    }
    async fn maintain(&self, task: Maintenance, progress: Progress) -> Result<Report> {
        let tx = async |step: chores::Chore| {
            let done = self.run(None, async |kv| step.clone().run(kv, &self.codec).await.map(Some))?.unwrap();
            self.adopt(done.keyring.as_deref())?;
            Ok(done)
        };
        chores::run(task, &self.codec, &progress, tx).now_or_never().expect("maps answer at once")
    }
    async fn change_keys(&self, change: KeyChange) -> Result<()> {
        let change_keys = async |kv: &MapTx| chores::change_keys(kv, &self.codec, &change).await.map(Some);
        let record = self.run(None, change_keys)?.unwrap();
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
    folds: Folds,
}

impl MapHarness {
    pub(super) fn new(codec: fn() -> Codec, folds: Folds) -> Self {
        Self { db: Arc::default(), codec, opened: None, folds }
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
        Ok(Arc::new(MapStore::open(self.db.clone(), codec, self.folds)))
    }

    fn moves(&self) -> Vec<Move> {
        tamper::moves()
    }

    async fn make(&mut self, name: &'static str) -> Result<()> {
        tamper::make(&mut self.db.lock().unwrap(), name);
        Ok(())
    }
}
