//! The store's folder: what makes it ours, and who holds it.
//!
//! ```text
//! chat/HAOS      one line: what this is, its format, a checksum; locked while the store is open
//! chat/commits   the number of the latest commit (see `marker`)
//! chat/keyring   who can open it, in a sealed store
//! chat/sled/     sled's own files
//! ```

use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind as IoKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use haos_store_api::{Error, ErrorKind, Result};

use crate::error::{corrupt, io};
use crate::head::{FORMAT, newer};
use crate::options::{OnDamage, SledOptions};

const SIGN: &str = "HAOS";
const COMMITS: &str = "commits";
const SLED: &str = "sled";
const KEYRING: &str = "keyring";
/// How often a held folder is tried.
const PAUSE: Duration = Duration::from_millis(5);

/// A folder that is ours alone, until it is dropped.
#[derive(Debug)]
pub(crate) struct Home {
    path: PathBuf,
    /// Holds the lock.
    _sign: File,
}

impl Home {
    /// Takes the folder, and makes it if it is missing. What is refused is not changed.
    pub(crate) fn take(options: &SledOptions) -> Result<Self> {
        let path = options.path();
        let deadline = Instant::now() + Duration::from_millis(options.busy_ms.into());
        loop {
            probe(path, options.create)?;
            match Self::try_take(path, options.on_damage)? {
                Some(home) => return Ok(home),
                None if Instant::now() >= deadline => return Err(busy(path)),
                None => std::thread::sleep(PAUSE),
            }
        }
    }

    fn try_take(path: &Path, on_damage: OnDamage) -> Result<Option<Self>> {
        let fault = |e| io("open", e);
        match fs::create_dir(path) {
            Err(e) if e.kind() != IoKind::AlreadyExists => return Err(fault(e)),
            _ => {}
        }
        let mut options = File::options();
        let mut file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path.join(SIGN))
            .map_err(fault)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(e)) => return Err(fault(e)),
        }
        let mut text = String::new();
        let read = file.read_to_string(&mut text);
        match parse(&text) {
            Some(found) if found > FORMAT => return Err(newer(found)),
            Some(_) => {}
            None => {
                let is_new = text.is_empty() && read.is_ok() && !path.join(SLED).exists();
                if !is_new && on_damage == OnDamage::Refuse {
                    return Err(corrupt("open", "the file `HAOS` in the store's folder is damaged"));
                }
                if !is_new {
                    tracing::warn!(path = %path.display(), "the file `HAOS` was damaged and is written anew");
                }
                file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0))).map_err(fault)?;
                file.write_all(sign(FORMAT).as_bytes()).and_then(|()| file.sync_all()).map_err(fault)?;
                sync_folder(path);
                sync_folder(path.parent().unwrap_or(path));
            }
        }
        Ok(Some(Self { path: path.to_owned(), _sign: file }))
    }

    /// Where the marks are.
    pub(crate) fn commits(&self) -> PathBuf {
        self.path.join(COMMITS)
    }

    /// Where sled's files are.
    pub(crate) fn sled(&self) -> PathBuf {
        self.path.join(SLED)
    }

    /// Where the keyring of a sealed store is.
    pub(crate) fn keyring(&self) -> PathBuf {
        self.path.join(KEYRING)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// sled's folder of a store at `path`, held or not.
pub(crate) fn sled_of(path: &Path) -> PathBuf {
    path.join(SLED)
}

/// Refuses paths that can hold no store, and other people's folders.
fn probe(path: &Path, create: bool) -> Result<()> {
    let refuse = |kind, message: String| Err(Error::new(kind, "open", message));
    let shown = path.display();
    match fs::metadata(path) {
        Ok(meta) if !meta.is_dir() => {
            refuse(ErrorKind::Invalid, format!("{shown} is no folder: give the path of one, or a new path"))
        }
        Ok(_) => {
            let names = fs::read_dir(path)
                .and_then(Iterator::collect::<std::io::Result<Vec<_>>>)
                .map_err(|e| io("open", e))?;
            if names.is_empty() && !create {
                return refuse(
                    ErrorKind::Io,
                    format!("there is no store at {shown}, and the option `create` is off"),
                );
            }
            if names.is_empty() || names.iter().any(|entry| entry.file_name() == OsStr::new(SIGN)) {
                return Ok(());
            }
            let whose = if names.iter().any(|entry| entry.file_name() == OsStr::new("conf")) {
                "another application's sled database"
            } else {
                "a folder with other files in it"
            };
            refuse(ErrorKind::Invalid, format!("{shown} is {whose}: choose another path"))
        }
        Err(e) if e.kind() == IoKind::NotFound => {
            let parent = path.parent().unwrap_or(path);
            if !parent.is_dir() {
                refuse(ErrorKind::Io, format!("the folder {} does not exist: create it", parent.display()))
            } else if !create {
                refuse(ErrorKind::Io, format!("there is no store at {shown}, and the option `create` is off"))
            } else {
                Ok(())
            }
        }
        Err(e) => Err(Error::io("open", format!("{shown} cannot be looked at"), e)),
    }
}

/// The one line of the file `HAOS`.
fn sign(format: u32) -> String {
    let text = format!("HAOS offline store on sled, format {format}");
    let sum = crc32fast::hash(text.as_bytes());
    format!("{text}, {sum:08x}\n")
}

/// The format that the line tells; none if it is not such a line.
fn parse(text: &str) -> Option<u32> {
    let (_, rest) = text.split_once("format ")?;
    let (format, _) = rest.split_once(',')?;
    let format = format.parse().ok()?;
    (sign(format) == text).then_some(format)
}

/// The error for a folder that somebody else holds.
pub(crate) fn busy(path: &Path) -> Error {
    Error::new(
        ErrorKind::Busy,
        "open",
        format!(
            "{} is open already, and sled serves one process and one handle at a time: close the other \
             one, or use SQLite, which can be shared",
            path.display()
        ),
    )
}

/// Makes new names in a folder survive power loss, where the system knows how.
pub(crate) fn sync_folder(path: &Path) {
    if cfg!(unix)
        && let Err(error) = File::open(path).and_then(|folder| folder.sync_all())
    {
        tracing::debug!(%error, "a folder cannot be synced");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sign_is_read_back_and_nothing_else_is() {
        assert_eq!(parse(&sign(1)), Some(1));
        assert_eq!(parse(&sign(77)), Some(77));
        let good = sign(1);
        for text in ["", "HAOS", "format 1,", &good[..good.len() - 1], &good.replace('1', "2")] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
