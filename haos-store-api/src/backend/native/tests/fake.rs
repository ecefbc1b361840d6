//! A backend that holds nothing and records its calls.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::super::*;
use crate::files::StoreId;
use crate::kv::Resealed;
use crate::*;

/// The settings of the tests, and the records of the backend.
#[derive(Debug, Default)]
pub(super) struct World {
    notes: Mutex<Vec<String>>,
    /// True if the writer cannot be opened.
    pub(super) no_writer: AtomicBool,
    /// True if glances, and short batches, would have to wait.
    pub(super) busy: AtomicBool,
    pub(super) secrets: AtomicU32,
}

impl World {
    pub(super) fn note(&self, what: impl Into<String>) {
        self.notes.lock().unwrap().push(what.into());
    }

    pub(super) fn noted(&self) -> Vec<String> {
        std::mem::take(&mut self.notes.lock().unwrap())
    }
}

/// A backend gets its options alone, so that the path finds the test's world.
static WORLDS: Mutex<BTreeMap<PathBuf, Arc<World>>> = Mutex::new(BTreeMap::new());

#[derive(Debug)]
pub(super) struct Fake(FakeWriter);

#[derive(Debug)]
pub(super) struct FakeReaders(Arc<World>);

#[derive(Debug)]
pub(super) struct FakeWriter {
    world: Arc<World>,
    codec: Codec,
    revision: Revision,
}

impl Drop for FakeWriter {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.world.note("dropped");
        }
    }
}

impl Backend for Fake {
    const NAME: &'static str = "fake";
    const FORMAT: u32 = 7;
    const SHARED: bool = true;
    const PLACE: &'static str = "name";
    const MIRROR: &'static str = ".outbox";
    const FORM: Form = Form::Binary;
    const BUSY_MS: u32 = 0;
    type Readers = FakeReaders;
    type Writer = FakeWriter;

    fn open(options: &Options) -> Result<Opened<Self>> {
        let world = WORLDS.lock().unwrap()[options.path()].clone();
        world.note("open");
        world.secrets.store(options.secret.iter().count() as u32, Ordering::Relaxed);
        let (codec, revision) = (options.codec.clone(), Revision::ZERO);
        let found = Found {
            codec: codec.clone(),
            id: None,
            revision,
            recovery: None,
            set_aside: Vec::new(),
            read_only: options.busy() == READ_ONLY,
        };
        let readers = Arc::new(FakeReaders(world.clone()));
        Ok(Opened { backend: Self(FakeWriter { world, codec, revision }), readers, found })
    }

    fn writer(&mut self, _: &ChangeHub) -> Result<&mut FakeWriter> {
        match self.0.world.no_writer.load(Ordering::Relaxed) {
            true => Err(Error::new(ErrorKind::Io, "open", "no writer")),
            false => Ok(&mut self.0),
        }
    }

    fn finish(self) {
        self.0.world.note("finish");
    }

    async fn compact(shell: &Shell<Self>, _: &Progress) -> Result<Report> {
        shell.call("maintain", |_| Ok(Report::default())).await
    }

    /// Ends when it is told to.
    fn check(readers: &FakeReaders, progress: &Progress, stop: &Stop) -> Result<Report> {
        progress.step(0, 1);
        while !stop.is_set() {
            std::thread::yield_now();
        }
        readers.0.note("checked");
        Err(ended("maintain"))
    }

    fn bytes_beside(_: &Path) -> u64 {
        5
    }
}

impl FakeWriter {
    fn apply_all(&mut self, group: &[Submission]) -> Result<Vec<Result<Commit>>, Failed> {
        let has = |name: &str| {
            let named = |op: &Op| matches!(op, Op::PutRoom(room) if room.id.as_str() == name);
            group.iter().any(|request| request.batch().ops().iter().any(named))
        };
        let error = || Error::new(ErrorKind::Full, "apply", "no space");
        if has("!all") {
            return Err(Failed::All(error()));
        }
        if has("!lost") {
            return Err(Failed::Lost(error()));
        }
        let mut commit = || {
            self.revision = self.revision.next();
            Ok(Commit { revision: self.revision, changed: true, assigned: Default::default() })
        };
        Ok(group.iter().map(|_| commit()).collect())
    }
}

/// A wait for which the store is read-only.
const READ_ONLY: Duration = Duration::from_millis(1);

impl Writer for FakeWriter {
    type Place = ();

    fn commit(&mut self, group: &[Submission]) -> Result<Vec<Result<Commit>>, Failed> {
        self.world.note(format!("commit of {}", group.len()));
        self.apply_all(group)
    }

    fn commit_at_once(&mut self, request: &Submission) -> Option<Result<Commit>> {
        if self.world.busy.load(Ordering::Relaxed) {
            return None;
        }
        self.world.note("at once");
        let names_panic = |op: &Op| matches!(op, Op::PutRoom(room) if room.id.as_str() == "!panic");
        assert!(!request.batch().ops().iter().any(names_panic), "as a bug would");
        match self.apply_all(std::slice::from_ref(request)) {
            Ok(mut results) => results.pop(),
            Err(Failed::All(error) | Failed::Lost(error)) => Some(Err(error)),
        }
    }

    fn poll(&mut self) {
        self.world.note("poll");
    }

    fn codec(&self) -> &Codec {
        &self.codec
    }

    fn pending(&mut self, txns: &[TxnId]) -> Result<(Revision, Vec<Option<StoredPending>>)> {
        Ok((self.revision, vec![None; txns.len()]))
    }

    fn outbox(&mut self) -> Result<OutboxImage> {
        Ok(OutboxImage { revision: self.revision, ..OutboxImage::default() })
    }

    fn mend(&mut self, _: &Plan, _: Revision) -> Result<Option<Revision>> {
        Ok(None)
    }

    fn store_id(&self) -> Result<Option<StoreId>> {
        Ok(None)
    }

    fn sealed_rows(&self) -> Result<u64> {
        Ok(0)
    }

    fn reseal(&mut self, _: Option<()>) -> Result<Resealed<()>> {
        Ok(Resealed { next: None, rows: 0, resealed: 0, damaged: Vec::new() })
    }

    fn store_keyring(&mut self, make: impl FnOnce() -> Result<Option<Vec<u8>>>) -> Result<Option<Vec<u8>>> {
        make()
    }
}

impl Readers for FakeReaders {
    type Reader = Self;
    type Pinned = Self;

    fn glance<T>(
        &self,
        _: bool,
        _: &'static str,
        read: &impl Fn(&dyn Reads) -> Result<T>,
    ) -> Option<Result<T>> {
        let is_free = !self.0.busy.load(Ordering::Relaxed);
        is_free.then(|| read(&Nothing))
    }

    fn connect(self: &Arc<Self>) -> Result<Self> {
        self.0.note("connect");
        Ok(Self(self.0.clone()))
    }

    fn pin(self: &Arc<Self>, _: Codec) -> Result<Self> {
        self.0.note("pin");
        Ok(Self(self.0.clone()))
    }

    fn close(&self) {
        self.0.note("close");
    }
}

impl Reader for FakeReaders {
    fn read<T>(&self, _: &'static str, read: &impl Fn(&dyn Reads) -> Result<T>) -> Result<T> {
        read(&Nothing)
    }
}

/// A store without rows.
struct Nothing;

impl Reads for Nothing {
    fn room(&self, _: &RoomId) -> Result<Option<Room>> {
        Ok(None)
    }
    fn rooms(&self, _: &RoomQuery) -> Result<Vec<Room>> {
        Ok(Vec::new())
    }
    fn message(&self, _: &RoomId, _: &EventId) -> Result<Option<Message>> {
        Ok(None)
    }
    fn timeline(&self, _: &RoomId, _: &Page) -> Result<Slice> {
        Ok(Slice::default())
    }
    fn gaps(&self, room: &RoomId) -> Result<Vec<Gap>> {
        assert_ne!(room.as_str(), "!panic", "as a bug would");
        Ok(Vec::new())
    }
    fn count(&self, _: &RoomId, _: Option<&EventId>) -> Result<u64> {
        Ok(0)
    }
    fn related(&self, _: &RelationQuery) -> Result<Vec<Message>> {
        Ok(Vec::new())
    }
    fn messages(&self, _: &MessageQuery) -> Result<Vec<Message>> {
        Ok(Vec::new())
    }
    fn pending(&self, _: &PendingQuery) -> Result<Vec<Pending>> {
        Ok(Vec::new())
    }
    fn media(&self, _: &MediaKey, _: ByteRange) -> Result<Option<Media>> {
        Ok(None)
    }
    fn media_index(&self, _: &MediaQuery) -> Result<Vec<MediaInfo>> {
        Ok(Vec::new())
    }
    fn state(&self, _: &StateQuery) -> Result<Vec<StateEntry>> {
        Ok(Vec::new())
    }
    fn states(&self, queries: &[StateQuery]) -> Result<Vec<Vec<StateEntry>>> {
        Ok(vec![Vec::new(); queries.len()])
    }
    fn count_state(&self, _: &Scope, _: &EventType) -> Result<u64> {
        Ok(0)
    }
    fn usage(&self) -> Result<Usage> {
        Ok(Usage { total_bytes: 7, ..Usage::default() })
    }
    fn revision(&self) -> Result<Revision> {
        Ok(Revision(3))
    }
}

pub(super) fn options(name: &str) -> (Options, Arc<World>) {
    let (path, world) = (std::env::temp_dir().join(name), Arc::<World>::default());
    let path = files::resolve(&path).unwrap();
    WORLDS.lock().unwrap().insert(path.clone(), world.clone());
    (Options::new(path), world)
}

pub(super) async fn open(name: &str) -> (Shell<Fake>, Arc<World>) {
    let (options, world) = options(name);
    (Shell::open(options).await.unwrap(), world)
}
