//! From options to files that are ours, current and sound as far as opening can tell.

use std::fs::{File, TryLockError};
use std::time::{Duration, Instant};

use haos_store_api::backend::files::{create_folder, sync_folder};
use haos_store_api::backend::kv::{self, Head};
use haos_store_api::backend::native::{Mirror, OnDamage, Options, Unlocked, corrupt, unlock, with_keyring};
use haos_store_api::backend::{Codec, Reads as _};
use haos_store_api::{Error, ErrorKind, PendingQuery, Progress, Recovery, Result};

use crate::damage;
use crate::db::{Db, Layer, Tree, batch};
use crate::error::{fault, guarded, io};
use crate::home::{Home, MIRROR, busy};
use crate::marker::{Mark, Marker};
use crate::options::settings;
use crate::shared::Files;

/// The only tree: keys name their collection.
pub(crate) const TREE: &str = "haos";
/// The pause between two attempts to take sled's own lock.
const PAUSE: Duration = Duration::from_millis(5);
/// The wait for sled's threads after its handles are dropped.
const LET_GO: Duration = Duration::from_secs(2);

/// A store whose files are open. They stay ours until it is released.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) files: Files,
    pub(crate) marker: Marker,
    /// sled's log, to be synced.
    pub(crate) log: File,
    pub(crate) head: Head,
    pub(crate) codec: Codec,
    /// Dropped last: it holds the lock.
    home: Home,
}

impl Opened {
    /// Closes the files, waits until sled's threads have let go of them too, then frees the folder.
    pub(crate) fn release(self) {
        self.into_home();
    }

    /// Closes the files, and gives the folder back, still held.
    pub(crate) fn into_home(self) -> Home {
        self.files.release();
        let deadline = Instant::now() + LET_GO;
        while matches!(self.log.try_lock(), Err(TryLockError::WouldBlock)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.home
    }

    pub(crate) fn db(&self) -> Db<'_> {
        Db::new(&self.files.tree, &self.codec, "open")
    }

    pub(crate) fn home(&self) -> &Home {
        &self.home
    }

    /// Writes a layer and waits for the device.
    pub(crate) fn write(&mut self, layer: Layer) -> Result<()> {
        self.head = layer.head;
        let sled = |e| fault("open", e);
        self.files.tree.0.apply_batch(batch(layer)).map_err(sled)?;
        self.files.db.flush().map_err(sled)?;
        self.log.sync_all().map_err(|e| io("open", e))?;
        let marked = self.marker.write(Mark::from(&self.head)).and_then(|()| self.marker.sync());
        marked.map_err(|e| io("open", e))
    }
}

/// Opens the store, and replaces it by a fresh one if it is damaged and the options allow that.
pub(crate) fn open(options: &Options) -> Result<(Opened, Option<Recovery>)> {
    let home = Home::take(options)?;
    // A store whose key is wrong or absent is unchanged, also if it is damaged.
    let Unlocked { codec, is_restored } = unlock(&home, options)?;
    let options = &options.clone().unlocked(codec);
    match connect(options, home) {
        Ok((opened, recovery)) => Ok((opened, with_keyring(recovery, is_restored))),
        Err((home, cause)) if cause.kind() == ErrorKind::Corrupt => {
            if options.on_damage == OnDamage::Refuse {
                let message =
                    "the store is damaged: open it with `OnDamage::SetAside`, which saves what is readable";
                return Err(Error::new(ErrorKind::Corrupt, "open", message).with_source(cause));
            }
            let recovery = damage::replace(options, &home, &cause)?;
            let (opened, _) = connect(&options.clone().check(false), home).map_err(|(_, error)| error)?;
            Ok((opened, with_keyring(Some(recovery), is_restored)))
        }
        Err((_, error)) => Err(error),
    }
}

/// Opens the content of a folder. An error gives the folder back, still held.
pub(crate) fn connect(options: &Options, home: Home) -> Result<(Opened, Option<Recovery>), (Home, Error)> {
    let mut opened = match guarded("open", || begin(options, &home)) {
        Ok((files, marker, log)) => {
            Opened { files, marker, log, head: Head::default(), codec: options.codec.clone(), home }
        }
        Err(error) => return Err((home, error)),
    };
    match guarded("open", || examine(options, &mut opened)) {
        Ok(recovery) => Ok((opened, recovery)),
        Err(error) => Err((opened.into_home(), error)),
    }
}

fn begin(options: &Options, home: &Home) -> Result<(Files, Marker, File)> {
    let deadline = Instant::now() + options.busy();
    let folder = home.sled();
    // If it cannot be made, sled reports it.
    let _ = create_folder(&folder);
    let db = loop {
        match settings(options.profile, &folder).open() {
            Ok(db) => break db,
            // A thread of a store that has just ended may hold it for a moment more.
            Err(sled::Error::Io(e)) if e.to_string().contains("could not acquire lock") => {
                if Instant::now() >= deadline {
                    return Err(busy(home.path()));
                }
                std::thread::sleep(PAUSE);
            }
            Err(e) => return Err(refused(e)),
        }
    };
    let files = match db.open_tree(TREE) {
        Ok(tree) => Files { db, tree: Tree(tree) },
        Err(e) => return Err(refused(e)),
    };
    // For reading and writing, which some systems require for a sync.
    let log = File::options().read(true).write(true).open(folder.join("db"));
    let (marker, _) = Marker::open(&home.commits())?;
    Ok((files, marker, log.map_err(|e| io("open", e))?))
}

/// Makes an error of sled's; within a folder that is known to be ours, anything that sled does not understand is
/// damage.
fn refused(error: sled::Error) -> Error {
    let is_damage = match &error {
        sled::Error::Io(e) => {
            use std::io::ErrorKind as Kind;
            matches!(e.kind(), Kind::NotFound | Kind::InvalidInput | Kind::InvalidData | Kind::UnexpectedEof)
        }
        _ => true,
    };
    let error = fault("open", error);
    if is_damage { corrupt("open", "sled cannot read its files").with_source(error) } else { error }
}

/// Reads the counters and the outbox, and notices commits that sled has lost.
fn examine(options: &Options, opened: &mut Opened) -> Result<Option<Recovery>> {
    let (_, mark) = Marker::open(&opened.home.commits())?;
    let db = opened.db();
    let found = kv::examine(db)?;
    let head = found.unwrap_or_default();
    if options.check {
        check(db)?;
    }
    opened.head = head;
    if let Some(mark) = mark.filter(|mark| mark.revision > head.revision) {
        return roll_forward(options, opened, mark).map(Some);
    }
    if found.is_none() {
        opened.write(Layer::new(head))?;
        for folder in [opened.home.sled(), opened.home.path().to_owned()] {
            sync_folder(&folder);
        }
    }
    Ok(None)
}

/// Turns the findings of a check into damage.
fn check(db: Db<'_>) -> Result<()> {
    let read = |look: &mut dyn FnMut(Db<'_>) -> Result<()>| look(db);
    match kv::check(&read, &Progress::none())?.findings.first() {
        Some(finding) => Err(corrupt("open", finding)),
        None => Ok(()),
    }
}

/// Continues the numbers after those given before sled lost them, so that none is given twice.
fn roll_forward(options: &Options, opened: &mut Opened, mark: Mark) -> Result<Recovery> {
    let cause = format!(
        "the store was rolled back from commit {} to {}: what came between is lost, by damage or because \
         the power failed before it reached the device",
        mark.revision, opened.head.revision
    );
    if options.on_damage == OnDamage::Refuse {
        return Err(Error::new(ErrorKind::Corrupt, "open", cause));
    }
    // The outbox goes on where its mirror stands.
    let (db, mirror) = (opened.db(), Mirror::read(options.path(), MIRROR));
    let rows = db.pending(&PendingQuery::default())?;
    let plan = mirror.plan(&opened.codec, opened.home.known_id(), &rows, opened.head.revision);
    let salvaged = plan.put.len() as u64;
    tracing::warn!(cause, salvaged, "commits are missing");
    let (mut layer, revision) = (Layer::new(opened.head), mark.revision.max(plan.revision).next());
    let tree = opened.files.tree.clone();
    plan.write(&mut kv::Transaction::new(&tree, &opened.codec, &mut layer, revision))?;
    layer.head.revision = revision;
    layer.head.last_seq = layer.head.last_seq.max(mark.last_seq).max(plan.last_seq);
    opened.write(layer)?;
    let collections = Vec::new();
    Ok(Recovery { set_aside: None, salvaged, unreadable: 0, collections, is_whole: false, cause })
}
