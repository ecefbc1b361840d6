use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use async_trait::async_trait;

use crate::files::StoreId;
use crate::{Collection, KdfParams, Progress, Report, Result, Secret, StorageAdapter};

/// What the suite needs of a backend that keeps its stores at a path.
///
/// What a backend does not offer has a default, and the cases that need it look at nothing.
#[async_trait]
pub trait DurableHarness: Send + Sync {
    /// What a store looks like from outside.
    fn layout(&self) -> Layout;

    /// A folder that is empty when a case begins, for that case alone.
    fn folder(&self) -> &Path;

    /// Opens a store.
    async fn open(&self, opening: Opening) -> Result<Arc<dyn StorageAdapter>>;

    /// A command that runs [`child`](super::child) in another process: in a test binary
    /// [`this_test`](super::this_test) makes it.
    fn child(&self) -> Command;

    /// A file system of its own of this size, as `mount` takes it. Default: none.
    fn disk(&self, _size: &str) -> Option<Disk> {
        None
    }

    /// Ways to damage a store. Default: none.
    fn damages(&self) -> Option<&dyn Damages> {
        None
    }

    /// Conversions between plain and sealed stores. Default: none.
    fn sealing(&self) -> Option<&dyn Sealing> {
        None
    }
}

/// How a harness damages a store that is closed.
pub trait Damages: Send + Sync {
    /// Damages a store so that whoever opens it sets it aside, and can carry over the whole outbox.
    fn spoil(&self, path: &Path);

    /// Makes the last row of the collection unreadable.
    fn spoil_row(&self, path: &Path, of: Collection);

    /// Makes it a store of format 99, which a later version has written.
    fn make_newer(&self, path: &Path);

    /// What [`tamper`](Self::tamper) can do.
    fn tampers(&self) -> Vec<Tamper>;

    /// Changes a store that holds [`sample`](super::sample) so that opening it notices nothing and a check does.
    fn tamper(&self, path: &Path, name: &str);
}

/// Something that does not fit together.
#[derive(Debug, Clone, Copy)]
pub struct Tamper {
    /// Its name, which means something to the harness alone.
    pub name: &'static str,
    /// Words of the finding that a check reports.
    pub finding: &'static str,
    /// Whether opening with a check refuses the store, too.
    pub at_open: bool,
}

/// How a harness converts a store, and looks at its keys.
#[async_trait]
pub trait Sealing: Send + Sync {
    /// Seals a plain store with the secret.
    async fn seal(&self, opening: Opening, progress: Progress) -> Result<Report>;

    /// Makes a sealed store a plain one.
    async fn unseal(&self, opening: Opening, progress: Progress) -> Result<Report>;

    /// The id that a store keeps as long as it lives.
    fn id(&self, path: &Path) -> StoreId;

    /// The record of its [`Keyring`](crate::Keyring).
    fn keyring(&self, path: &Path) -> Vec<u8>;

    /// Writes another record over it.
    fn set_keyring(&self, path: &Path, record: &[u8]);

    /// The payloads of all rows, in the order of the collections if that is easy.
    fn payloads(&self, path: &Path) -> Vec<Vec<u8>>;
}

/// What a backend's stores look like from outside. What is said of files in it is put after a store's path: `-wal`
/// stands beside a store, `/keyring` within.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// What a store is called in the cases: `s`, with the usual ending.
    pub name: &'static str,
    /// Whether a folder is at the path; else a file.
    pub is_folder: bool,
    /// Whether several processes and handles can have it open at once; else a second one is `Busy`. Default: no.
    pub shared: bool,
    /// Whether it is opened, to be read only, where nothing can be written; else opening fails with `ReadOnly`.
    /// Default: no.
    pub reads_only: bool,
    /// The fixed names of all that it keeps. `*` at the end stands for anything. Default: none.
    pub fixed: &'static [&'static str],
    /// More of them, which are used only while a damaged store is set aside. Default: none.
    pub fixed_in_salvage: &'static [&'static str],
    /// What there is while a store that was written to is open, in order. Default: the path alone.
    pub while_open: &'static [&'static str],
    /// What comes and goes with whoever looks, and folders whose files the database makes as it likes. Default: none.
    pub passing: &'static [&'static str],
    /// What has the same rights after the store is replaced. Default: the path alone.
    pub rights: &'static [&'static str],
}

impl Layout {
    /// A store that is a file.
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
            rights: &[""],
        }
    }

    /// A store that is a folder.
    pub const fn folder(name: &'static str) -> Self {
        Self { is_folder: true, ..Self::file(name) }
    }
}

/// How a case wants a store opened; what it leaves open is as the backend has it by default.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Opening {
    /// Where the store is.
    pub path: PathBuf,
    /// What opens a sealed store.
    pub secret: Option<Secret>,
    /// What deriving a key costs in a new store: next to nothing.
    pub kdf: KdfParams,
    /// How long it waits for others.
    pub busy_ms: Option<u32>,
    /// Whether it uses little memory.
    pub low_memory: bool,
    /// Whether a missing store is made.
    pub create: bool,
    /// Whether everything is checked at first.
    pub check: bool,
    /// Whether a damaged store is refused; else it is set aside.
    pub refuse_damage: bool,
}

impl Opening {
    /// A store that is opened as by default.
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

/// A small file system, which goes with the value.
pub struct Disk {
    path: PathBuf,
    remount: Box<dyn Fn(&str) -> bool + Send + Sync>,
}

impl Disk {
    /// One that is mounted there, and what mounts it with other options and tells whether that succeeded.
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
