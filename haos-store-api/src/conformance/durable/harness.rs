#[cfg(feature = "native")]
use crate::native::{OnDamage, Options};
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use async_trait::async_trait;

use crate::files::StoreId;
use crate::{Collection, KdfParams, Progress, Report, Result, Secret, StorageAdapter};

/// The suite's view of a backend that keeps its stores at a path.
///
/// Features that a backend may lack have a default, and their cases then check nothing.
#[async_trait]
pub trait DurableHarness: Send + Sync {
    /// Describes the store's files.
    fn layout(&self) -> Layout;

    /// Returns a folder that is empty when a case begins, for that case alone.
    fn folder(&self) -> &Path;

    /// Opens a store.
    async fn open(&self, opening: Opening) -> Result<Arc<dyn StorageAdapter>>;

    /// Makes a command that runs [`child`](super::child) in another process: in a test binary
    /// [`this_test`](super::this_test) makes it.
    fn child(&self) -> Command;

    /// Mounts a file system of this size, as `mount` takes it. Default: none.
    fn disk(&self, _size: &str) -> Option<Disk> {
        None
    }

    /// Returns the ways to damage a store. Default: none.
    fn damages(&self) -> Option<&dyn Damages> {
        None
    }

    /// Returns the conversions between plain and sealed stores. Default: none.
    fn sealing(&self) -> Option<&dyn Sealing> {
        None
    }
}

/// A harness's ways to damage a closed store.
pub trait Damages: Send + Sync {
    /// Damages a store so that opening sets it aside, and can carry over the whole outbox.
    fn spoil(&self, path: &Path);

    /// Makes the last row of the collection unreadable.
    fn spoil_row(&self, path: &Path, of: Collection);

    /// Makes it a store of format 99, as a later version would write it.
    fn make_newer(&self, path: &Path);

    /// Lists the changes that [`tamper`](Self::tamper) can make.
    fn tampers(&self) -> Vec<Tamper>;

    /// Changes a store that holds [`sample`](super::sample) so that opening it notices nothing and a check does.
    fn tamper(&self, path: &Path, name: &str);
}

/// A contradiction within a store.
#[derive(Debug, Clone, Copy)]
pub struct Tamper {
    /// Its name, with a meaning to the harness alone.
    pub name: &'static str,
    /// Words of the finding that a check reports.
    pub finding: &'static str,
    /// True if opening with a check refuses the store, too.
    pub at_open: bool,
}

/// A harness's conversions of a store, and its view of the keys.
#[async_trait]
pub trait Sealing: Send + Sync {
    /// Seals a plain store with the secret.
    async fn seal(&self, opening: Opening, progress: Progress) -> Result<Report>;

    /// Makes a sealed store a plain one.
    async fn unseal(&self, opening: Opening, progress: Progress) -> Result<Report>;

    /// Reads the id that a store keeps for its life.
    fn id(&self, path: &Path) -> StoreId;

    /// Reads the record of its [`Keyring`](crate::Keyring).
    fn keyring(&self, path: &Path) -> Vec<u8>;

    /// Writes another record over it.
    fn set_keyring(&self, path: &Path, record: &[u8]);

    /// Reads the payloads of all rows, in the order of the collections if that is easy.
    fn payloads(&self, path: &Path) -> Vec<Vec<u8>>;
}

/// The files of a backend's stores. Each entry is appended to a store's path: `-wal` stands beside a store, `/keyring`
/// within.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// The name of the stores in the cases: `s`, with the usual ending.
    pub name: &'static str,
    /// True if the path is a folder; else it is a file.
    pub is_folder: bool,
    /// True if several processes and handles can have it open at once; else a second one is `Busy`. Default: no.
    pub shared: bool,
    /// True if a store on a read-only file system is opened for reading; else opening fails with `ReadOnly`. Default:
    /// no.
    pub reads_only: bool,
    /// The fixed names of all its files. `*` at the end stands for any text. Default: none.
    pub fixed: &'static [&'static str],
    /// Further ones, which are used only while a damaged store is set aside. Default: none.
    pub fixed_in_salvage: &'static [&'static str],
    /// The files of a store that is open and was written to, in order. Default: the path alone.
    pub while_open: &'static [&'static str],
    /// Files that come and go with readers, and folders whose files the database makes as it likes. Default: none.
    pub passing: &'static [&'static str],
    /// The mirror of the outbox. Its cases are passed over where it is empty. Default: empty.
    pub mirror: &'static str,
    /// The files with the same rights after the store is replaced. Default: the path alone.
    pub rights: &'static [&'static str],
}

impl Layout {
    /// Describes a store that is a file.
    pub const fn file(name: &'static str) -> Self {
        Self {
            name,
            is_folder: false,
            shared: false,
            reads_only: false,
            fixed: &[],
            fixed_in_salvage: &[],
            while_open: &[""],
            passing: &[],
            mirror: "",
            rights: &[""],
        }
    }

    /// Describes a store that is a folder.
    pub const fn folder(name: &'static str) -> Self {
        Self { is_folder: true, ..Self::file(name) }
    }
}

/// The way in which a case opens a store; absent values are the backend's defaults.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Opening {
    /// The store's path.
    pub path: PathBuf,
    /// The secret of a sealed store.
    pub secret: Option<Secret>,
    /// The cost of deriving a key in a new store: next to nothing.
    pub kdf: KdfParams,
    /// The wait for other holders.
    pub busy_ms: Option<u32>,
    /// True to use little memory.
    pub low_memory: bool,
    /// True to make an absent store.
    pub create: bool,
    /// True to check everything at first.
    pub check: bool,
    /// True to refuse a damaged store; else it is set aside.
    pub refuse_damage: bool,
}

#[cfg(feature = "native")]
impl From<Opening> for Options {
    fn from(opening: Opening) -> Self {
        let options = Self::new(opening.path).kdf(opening.kdf).create(opening.create).check(opening.check);
        let options = if opening.low_memory { options.low_memory() } else { options };
        let options = if opening.refuse_damage { options.on_damage(OnDamage::Refuse) } else { options };
        let options = opening.busy_ms.into_iter().fold(options, Self::busy_ms);
        opening.secret.into_iter().fold(options, Self::secret)
    }
}

impl Opening {
    /// Opens a store with the defaults.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            secret: None,
            kdf: KdfParams { memory_kib: 8, passes: 1, lanes: 1 },
            busy_ms: None,
            low_memory: false,
            create: true,
            check: false,
            refuse_damage: false,
        }
    }

    pub(super) fn secret(self, secret: Secret) -> Self {
        Self { secret: Some(secret), ..self }
    }

    pub(super) fn busy_ms(self, busy_ms: u32) -> Self {
        Self { busy_ms: Some(busy_ms), ..self }
    }

    pub(super) fn low_memory(self) -> Self {
        Self { low_memory: true, ..self }
    }

    pub(super) fn existing(self) -> Self {
        Self { create: false, ..self }
    }

    pub(super) fn checked(self) -> Self {
        Self { check: true, ..self }
    }

    pub(super) fn refusing(self) -> Self {
        Self { refuse_damage: true, ..self }
    }
}

/// A small file system, which is unmounted when the value is dropped.
pub struct Disk {
    path: PathBuf,
    remount: Box<dyn Fn(&str) -> bool + Send + Sync>,
}

impl Disk {
    /// Wraps a mounted one; `remount` mounts it with other options and tells whether that succeeded.
    pub fn new(path: impl Into<PathBuf>, remount: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self { path: path.into(), remount: Box::new(remount) }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn remount(&self, options: &str) -> bool {
        (self.remount)(options)
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Disk").field(&self.path).finish()
    }
}
