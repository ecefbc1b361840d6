//! Archives as files of their own: nothing is lost by an interruption, and nothing is overwritten unasked.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::ErrorKind as IoKind;
use std::path::{Path, PathBuf};

use haos_store_api::{Error, ErrorKind, Result, StorageAdapter};

use super::backup::{Backup, Resume};
use super::behind::Behind;
use super::known::Known;
use crate::input::Input;
use crate::{Identity, Summary};

impl Backup {
    /// Allows [`run_to_file`](Self::run_to_file) to take the place of a file that exists.
    pub fn replace(self, replace: bool) -> Self {
        Self { replace, ..self }
    }

    /// Writes the archive to a file, which appears once it is whole and on the device.
    ///
    /// Until then it is `PATH.part`, and what an interrupted call left there is taken up; while that goes on, it is
    /// `PATH.part.old`. The file is readable for its owner alone.
    ///
    /// # Errors
    /// As [`run`](Self::run); `Invalid` if the file exists and is not to be replaced; `Busy` while another backup to
    /// the same path runs.
    pub async fn run_to_file(mut self, store: &dyn StorageAdapter, path: &Path) -> Result<Summary> {
        if !self.replace && fs::symlink_metadata(path).is_ok() {
            let message = format!("{} exists: give another path, or allow to replace it", path.display());
            return Err(Error::new(ErrorKind::Invalid, "backup", message));
        }
        let (part, old) = (beside(path, ".part"), beside(path, ".part.old"));
        let identity = match &self.encryption {
            Some(encryption) => self.identity.clone().or(encryption.own_identity()),
            None => None,
        };
        set_aside(&part, &old, identity.as_ref())?;
        let file = create(&part)?;
        if let Some(interrupted) = regular(&old)? {
            self.interrupted = Some(Resume(Box::new(interrupted)));
        }
        let replace = self.replace;
        let mut behind = file.try_clone().and_then(Behind::begin).map_err(|e| failed(&part, e))?;
        let summary = self.run(store, &mut behind).await?;
        behind.end().map_err(|e| failed(&part, e))?;
        file.sync_all().map_err(|e| failed(&part, e))?;
        // Somebody may have put a file there meanwhile.
        if !replace && fs::symlink_metadata(path).is_ok() {
            let message = format!("{} appeared meanwhile: give another path", path.display());
            return Err(Error::new(ErrorKind::Conflict, "backup", message));
        }
        fs::rename(&part, path).map_err(|e| failed(path, e))?;
        remove(&old)?;
        sync_folder(path)?;
        Ok(summary)
    }
}

/// Makes room for a new part: of two that were left, the one that holds more is kept.
fn set_aside(part: &Path, old: &Path, identity: Option<&Identity>) -> Result<()> {
    let Some(left) = regular(part)? else { return Ok(()) };
    lock(&left, part)?;
    let of_part = whole_bytes(left, identity);
    let of_old = regular(old)?.map_or(0, |old| whole_bytes(old, identity));
    match of_part >= of_old {
        true => fs::rename(part, old).map_err(|e| failed(part, e)),
        false => remove(part),
    }
}

/// Counts the bytes of whole frames.
fn whole_bytes(file: File, identity: Option<&Identity>) -> u64 {
    let input = Input::open_partial(Box::new(file), identity);
    input.and_then(|mut input| Known::default().add_interrupted(&mut input)).unwrap_or_default()
}

/// Opens a file that is no link to another.
fn regular(path: &Path) -> Result<Option<File>> {
    match fs::symlink_metadata(path) {
        Err(e) if e.kind() == IoKind::NotFound => Ok(None),
        Err(e) => Err(failed(path, e)),
        Ok(meta) if !meta.is_file() => {
            let message = format!("{} is no file: remove it, or give another path", path.display());
            Err(Error::new(ErrorKind::Invalid, "backup", message))
        }
        Ok(_) => File::open(path).map(Some).map_err(|e| failed(path, e)),
    }
}

fn create(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(|e| match e.kind() {
        IoKind::AlreadyExists => busy(path),
        _ => failed(path, e),
    })?;
    lock(&file, path)?;
    Ok(file)
}

/// Holds a part as long as it is open, where the file system can.
fn lock(file: &File, path: &Path) -> Result<()> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(busy(path)),
        Err(TryLockError::Error(error)) => {
            tracing::debug!(%error, "the file system keeps no locks");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

fn busy(path: &Path) -> Error {
    let message = format!("another backup writes {}: wait for it", path.display());
    Error::new(ErrorKind::Busy, "backup", message)
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != IoKind::NotFound => Err(failed(path, e)),
        _ => Ok(()),
    }
}

/// Makes the names of a folder last; Windows does so by itself.
fn sync_folder(path: &Path) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match cfg!(unix) {
        true => File::open(folder).and_then(|folder| folder.sync_all()).map_err(|e| failed(folder, e)),
        false => Ok(()),
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn failed(path: &Path, error: std::io::Error) -> Error {
    Error::io("backup", format!("{} cannot be written", path.display()), error)
}
