use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use haos_store_api::{
    Change, Changes, Collection, Error, ErrorKind, Progress, Result, Revision, StorageAdapter, WriteBatch,
};

use super::known::{Known, refuse};
use super::meter::Meter;
use super::pass::Pass;
use super::section::{Dirty, Sections};
use super::writer::Writer;
use crate::format::{ArchiveId, Catalogue, MOST_CHUNKS};
use crate::input::{Input, Source};
use crate::{Archive, Encryption, Identity, Summary};

/// The most readings of a store that gives no snapshot, each of what changed during the one before.
const MOST_ROUNDS: usize = 8;

/// A backup: what it builds on, and how it is written.
///
/// ```
/// use std::io::Cursor;
///
/// use haos_archive::{Archive, Backup};
/// use haos_store_api::{Membership, MemoryStore, Room, RoomId, StorageAdapter, WriteBatch};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> haos_store_api::Result<()> {
/// # let store = MemoryStore::new();
/// let mut full = Vec::new();
/// Backup::new().run(&store, &mut full).await?;
///
/// let mut batch = WriteBatch::relaxed();
/// batch.put_room(Room::new(RoomId::new("!lobby")?, Membership::Join));
/// store.apply(batch).await?;
///
/// // The second has what the first lacks.
/// let base = Archive::open(vec![Box::new(Cursor::new(full.clone()))], None)?;
/// let mut second = Vec::new();
/// Backup::new().base(base).run(&store, &mut second).await?;
/// let mut archive = Archive::open(vec![Box::new(Cursor::new(full)), Box::new(Cursor::new(second))], None)?;
/// assert_eq!(archive.records().count(), 1);
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use = "a backup does nothing until it runs"]
pub struct Backup {
    pub(super) base: Option<Archive>,
    pub(super) interrupted: Option<Resume>,
    pub(super) encryption: Option<Encryption>,
    pub(super) identity: Option<Identity>,
    pub(super) session: bool,
    pub(super) level: i32,
    pub(super) time_ms: i64,
    pub(super) progress: Progress,
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) replace: bool,
}

/// An interrupted file.
pub(super) struct Resume(pub(super) Box<dyn Source>);

impl std::fmt::Debug for Resume {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Resume(..)")
    }
}

impl Default for Backup {
    fn default() -> Self {
        Self::new()
    }
}

impl Backup {
    /// Makes a full backup, plain, without the login, at zstd's level 3.
    pub fn new() -> Self {
        Self {
            base: None,
            interrupted: None,
            encryption: None,
            identity: None,
            session: false,
            level: 3,
            time_ms: 0,
            progress: Progress::none(),
            #[cfg(not(target_arch = "wasm32"))]
            replace: false,
        }
    }

    /// Leaves out the chunks that an archive and those that it builds on hold. The new one cannot be read without them.
    /// Bytes of a media item that the base has with the same size and time of fetching are not read.
    pub fn base(self, base: Archive) -> Self {
        Self { base: Some(base), ..self }
    }

    /// Takes over the chunks of a file whose backup was interrupted. Chunks that the store still has are copied as they
    /// are; what is damaged is not.
    pub fn resume(self, interrupted: impl Source + 'static) -> Self {
        Self { interrupted: Some(Resume(Box::new(interrupted))), ..self }
    }

    /// Encrypts the archive, the login included.
    pub fn encryption(self, encryption: Encryption) -> Self {
        Self { encryption: Some(encryption), session: true, ..self }
    }

    /// Reads the interrupted file of a backup that is encrypted to recipients.
    pub fn identity(self, identity: Identity) -> Self {
        Self { identity: Some(identity), ..self }
    }

    /// Sets whether the login (`haos.session`) is archived, which holds an access token: unless set, only in an encrypted
    /// archive. Who can read it can act as the user. To be called after [`encryption`](Self::encryption).
    pub fn session(self, session: bool) -> Self {
        Self { session, ..self }
    }

    /// Sets the level of zstd, from 1 to 19. In browsers there is one level.
    pub fn level(self, level: i32) -> Self {
        Self { level: level.clamp(1, 19), ..self }
    }

    /// Sets the time that the archive tells, in milliseconds since 1970.
    pub fn time_ms(self, time_ms: i64) -> Self {
        Self { time_ms, ..self }
    }

    /// Reports progress in bytes, approximately.
    pub fn progress(self, progress: Progress) -> Self {
        Self { progress, ..self }
    }

    /// Writes the archive of one commit of the store, which stays in use.
    ///
    /// A store that gives a [snapshot](StorageAdapter::snapshot) is read once. Any other is read, and then what changed
    /// meanwhile again, until a commit has come during none of it. What the store cannot read is left out and counted.
    ///
    /// # Errors
    /// Those of the store; `Busy` if it gives no snapshot and is written all the time; `Invalid` if the base is
    /// encrypted and the archive is not, or the other way round; `Io`, `Full` for `out`. What was written until then
    /// can be resumed.
    pub async fn run(self, store: &dyn StorageAdapter, out: impl Write) -> Result<Summary> {
        let mut known = Known::default();
        let mut base_ids = Vec::new();
        if let Some(mut base) = self.base {
            refuse(&base, self.encryption.is_some())?;
            known.add_base(&mut base)?;
            base_ids = base.summary().base.clone();
            base_ids.push(base.summary().id);
        }
        let identity = self.identity.or(self.encryption.as_ref().and_then(Encryption::own_identity));
        let identity = identity.filter(|_| self.encryption.is_some());
        let interrupted =
            self.interrupted.and_then(|Resume(file)| take_up(file, identity.as_ref(), &mut known));
        let own = u16::try_from(base_ids.len()).unwrap_or(u16::MAX);
        let encryption = self.encryption.as_ref();
        let mut writer = Writer::begin(out, encryption, own, self.level, known, interrupted)?;

        let usage = store.usage().await?;
        let total = usage.collections.iter().map(|(_, size)| size.bytes).sum();
        let mut meter = Meter::new(self.progress, total);
        let mut sections = Sections::default();
        let mut reading = Reading { writer: &mut writer, session: self.session, meter: &mut meter };
        let read = match store.snapshot().await {
            Ok(snapshot) => reading.at_once(snapshot, &mut sections).await,
            Err(error) if error.kind() == ErrorKind::Unsupported => {
                reading.until_it_stands(store, &mut sections).await
            }
            Err(error) => Err(error),
        };
        let revision = match read {
            Ok(revision) => revision,
            Err(error) => {
                // A later backup takes up what was read until then.
                let _ = writer.settle();
                return Err(error);
            }
        };
        let id = writer.id;
        let summary = Summary {
            revision,
            time_ms: self.time_ms,
            session: self.session,
            ..summary(id, base_ids, &sections)
        };
        let chunks = sections.in_order().flat_map(|section| section.chunks.iter().copied());
        let entries = writer.entries_of(chunks)?;
        let catalogue = Catalogue { summary, entries };
        if catalogue.entries.len() > MOST_CHUNKS {
            let message =
                "the store is larger than one archive holds, which is about 300 GB: remove media first";
            return Err(Error::new(ErrorKind::Unsupported, "backup", message));
        }
        writer.end(&catalogue)?;
        meter.end();
        Ok(catalogue.summary)
    }
}

/// Opens an interrupted file; one that cannot be read is of no use.
fn take_up(file: Box<dyn Source>, identity: Option<&Identity>, known: &mut Known) -> Option<Input> {
    let opened = Input::open_partial(file, identity).and_then(|mut input| {
        known.add_interrupted(&mut input)?;
        Ok(input)
    });
    opened.inspect_err(|error| tracing::info!(%error, "the interrupted archive is of no use")).ok()
}

fn summary(id: ArchiveId, base: Vec<ArchiveId>, sections: &Sections) -> Summary {
    let (mut counts, mut left_out) = (BTreeMap::new(), BTreeMap::new());
    let mut media_bytes = 0;
    let add = |to: &mut BTreeMap<Collection, u64>, from: &BTreeMap<Collection, u64>| {
        from.iter().for_each(|(of, rows)| *to.entry(*of).or_default() += rows);
    };
    for section in sections.in_order() {
        add(&mut counts, &section.counts);
        add(&mut left_out, &section.left_out);
        media_bytes += section.media_bytes;
    }
    Summary { id, revision: Revision::ZERO, time_ms: 0, base, session: false, counts, media_bytes, left_out }
}

/// The reading of a store at one revision.
struct Reading<'a, W: Write> {
    writer: &'a mut Writer<W>,
    session: bool,
    meter: &'a mut Meter,
}

impl<W: Write> Reading<'_, W> {
    fn pass<'b>(&'b mut self, store: &'b dyn StorageAdapter) -> Pass<'b, W> {
        Pass { store, writer: self.writer, session: self.session, meter: self.meter, json: Vec::new() }
    }

    /// Reads a snapshot; returns its revision.
    async fn at_once(
        &mut self,
        snapshot: Arc<dyn StorageAdapter>,
        sections: &mut Sections,
    ) -> Result<Revision> {
        self.pass(&*snapshot).read(&Dirty::everything(), sections).await?;
        snapshot.close().await?;
        Ok(snapshot.info().opened_at)
    }

    /// Reads a store until no commit came meanwhile; returns its revision.
    async fn until_it_stands(
        &mut self,
        store: &dyn StorageAdapter,
        sections: &mut Sections,
    ) -> Result<Revision> {
        let mut changes = store.changes();
        let mut told = changes.start();
        let mut dirty = Dirty::everything();
        for _ in 0..MOST_ROUNDS {
            let before = revision(store, told).await?;
            told = drain(&mut changes, &mut dirty).unwrap_or(told);
            // A commit of which the feed does not know yet may have changed anything.
            dirty.everything |= told < before;
            told = told.max(before);
            self.pass(store).read(&dirty, sections).await?;
            if revision(store, told).await? == before {
                return Ok(before);
            }
            dirty = Dirty::default();
        }
        let message = "the store is written all the time, so that no backup of it agrees with itself: stop the sync and \
                       try again";
        Err(Error::new(ErrorKind::Busy, "backup", message))
    }
}

/// Notes what the queued changes touched; returns the revision of the last.
fn drain(changes: &mut Changes, dirty: &mut Dirty) -> Option<Revision> {
    let mut last = None;
    while let Some(change) = changes.try_next() {
        last = Some(change.revision());
        match change {
            Change::Commit { touched, .. } => touched.iter().for_each(|item| dirty.note(item)),
            _ => dirty.everything = true,
        }
    }
    last
}

/// Asks for the store's revision: a batch without operations tells it. A store that can only be read keeps its own.
async fn revision(store: &dyn StorageAdapter, told: Revision) -> Result<Revision> {
    match store.apply(WriteBatch::relaxed()).await {
        Ok(commit) => Ok(commit.revision),
        Err(error) if error.kind() == ErrorKind::ReadOnly => Ok(told),
        Err(error) => Err(error),
    }
}
