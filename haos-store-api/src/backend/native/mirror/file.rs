//! The file of a mirror: appended under a lock, replaced whole, never synced.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use crate::files::{self, Expected, StoreId, beside, random_name};
use crate::{Error, Result};

/// A longer file is none of ours.
const LONGEST: u64 = 256 << 20;
/// The attempts to take the lock of another handle, which holds it for the length of a small write.
const ATTEMPTS: u32 = 30;

/// An open mirror.
#[derive(Debug)]
pub(super) struct MirrorFile {
    file: File,
    path: PathBuf,
    /// True if other handles write it too.
    shared: bool,
    /// The length after this handle's latest look.
    pub(super) len: u64,
}

/// The outcome of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Appended {
    Done,
    /// Another handle has written, or replaced the file: read it again.
    Changed,
}

impl MirrorFile {
    /// Opens a mirror and reads it; `None` if it is absent.
    ///
    /// # Errors
    /// `Invalid` if something else has its name, and those of the file system.
    pub(super) fn open(path: &Path, shared: bool) -> Result<Option<(Self, Vec<u8>)>> {
        if !files::refuse_odd("open", path, Expected::File)? {
            return Ok(None);
        }
        let file = files::open("open", path)?;
        let mut opened = Self { file, path: path.to_owned(), shared, len: 0 };
        let bytes = opened.read().map_err(|e| fault(path, e))?;
        Ok(Some((opened, bytes)))
    }

    /// Reads the whole file.
    pub(super) fn read(&mut self) -> io::Result<Vec<u8>> {
        self.file.seek(SeekFrom::Start(0))?;
        let mut bytes = Vec::new();
        (&self.file).take(LONGEST).read_to_end(&mut bytes)?;
        self.len = bytes.len() as u64;
        Ok(bytes)
    }

    /// Appends bytes in one write, unless the file is not as it was after this handle's latest look.
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<Appended> {
        let _lock = self.lock()?;
        let about = self.file.metadata()?;
        if about.len() != self.len || !is_same(&about, &self.path) {
            return Ok(Appended::Changed);
        }
        let mut file = &self.file;
        file.seek(SeekFrom::Start(self.len))?;
        file.write_all(bytes)?;
        self.len += bytes.len() as u64;
        Ok(Appended::Done)
    }

    /// Keeps other handles from writing until the value goes.
    pub(super) fn lock(&self) -> io::Result<Lock> {
        if !self.shared {
            return Ok(Lock(None));
        }
        let mut attempts = 0;
        loop {
            match self.file.try_lock() {
                Ok(()) => return Ok(Lock(Some(self.file.try_clone()?))),
                Err(TryLockError::WouldBlock) if attempts < ATTEMPTS => attempts += 1,
                Err(TryLockError::WouldBlock) => return Err(io::ErrorKind::WouldBlock.into()),
                Err(TryLockError::Error(e)) => return Err(e),
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Empties the file, where its folder does not let it go.
    pub(super) fn empty(&self) {
        let _ = self.file.set_len(0);
    }
}

/// The lock of a mirror.
#[derive(Debug)]
pub(super) struct Lock(Option<File>);

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(file) = &self.0 {
            let _ = file.unlock();
        }
    }
}

/// Puts a new mirror in the place of the old one. It has the rights of `like`, a file. What a killed process has left
/// of its own attempt goes: the caller holds the lock of the old one.
pub(super) fn replace(path: &Path, like: &Path, bytes: &[u8], wipe: bool) -> Result<()> {
    let old = fs::symlink_metadata(path).is_ok_and(|about| about.is_file());
    let old = (old && wipe).then(|| File::options().write(true).open(path).ok()).flatten();
    sweep(path);
    let new = beside(path, format!(".{}", random_name()?));
    let write = || {
        let mut file = files::create(&new)?;
        file.write_all(bytes)?;
        if like.is_file() {
            files::keep_rights(like, &new)?;
        }
        fs::rename(&new, path)
    };
    write().inspect_err(|_| drop(fs::remove_file(&new))).map_err(|e| fault(path, e))?;
    // It has no name any more: as far as the device allows.
    let _ = old.map(files::overwrite);
    Ok(())
}

/// Overwrites a mirror, as far as the device allows, and removes it, with what killed processes have left beside it.
///
/// # Errors
/// Those of the file system.
pub fn wipe(path: &Path) -> Result<()> {
    sweep(path);
    if !files::refuse_odd("keys", path, Expected::File)? {
        return Ok(());
    }
    erase(path).map_err(|e| fault(path, e))
}

fn erase(path: &Path) -> io::Result<()> {
    files::overwrite(File::options().write(true).open(path)?)?;
    fs::remove_file(path)
}

/// Removes the half-written mirrors of killed processes.
pub(super) fn sweep(path: &Path) {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return;
    };
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let own = entry.file_name();
        let rest = own.to_str().and_then(|own| own.strip_prefix(name)?.strip_prefix('.'));
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_file && rest.is_some_and(|rest| rest.parse::<StoreId>().is_ok()) {
            let _ = erase(&entry.path());
        }
    }
}

/// Tells whether a path still leads to an open file.
#[cfg(unix)]
fn is_same(about: &fs::Metadata, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::symlink_metadata(path).is_ok_and(|there| (there.dev(), there.ino()) == (about.dev(), about.ino()))
}

/// Elsewhere a file that is open is not replaced.
#[cfg(not(unix))]
fn is_same(_: &fs::Metadata, path: &Path) -> bool {
    path.exists()
}

/// Returns a number of the system's present run; 0 where it has none. What was written in it and not synced is lost
/// only with it.
pub(super) fn boot() -> u64 {
    static BOOT: OnceLock<u64> = OnceLock::new();
    *BOOT.get_or_init(|| {
        let id = fs::read("/proc/sys/kernel/random/boot_id");
        let id = id.ok().filter(|id| !id.is_empty()).map(|id| StoreId::of(&id));
        id.and_then(|id| id.0.first_chunk().map(|bytes| u64::from_be_bytes(*bytes))).unwrap_or_default()
    })
}

fn fault(path: &Path, error: io::Error) -> Error {
    Error::io("outbox", format!("the copy of the outbox, {}, cannot be used", path.display()), error)
}
