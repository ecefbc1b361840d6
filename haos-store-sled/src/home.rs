//! The store's folder: its sign, and its lock.
//!
//! ```text
//! chat/HAOS      one line: the kind of folder, its format, its id, a checksum; locked while the store is open
//! chat/commits   the number of the latest commit (see `marker`)
//! chat/keyring   the keyring, in a sealed store
//! chat/outbox    the mirror of the outbox
//! chat/sled/     sled's own files
//! chat/switch    a new store takes the place of this one (see `switch`)
//! chat/<hex>/    that store, while it is made
//! ```

use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind as IoKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use haos_store_api::backend::files::{self, SIGN, Sign, StoreId, sync_folder};
use haos_store_api::backend::native::{OnDamage, Options, corrupt};
use haos_store_api::{Error, ErrorKind, Result};

use crate::error::{explained, io};
use crate::switch;
use haos_store_api::backend::kv::{FORMAT, counters::newer};

pub(crate) const COMMITS: &str = "commits";
pub(crate) const SLED: &str = "sled";
pub(crate) const KEYRING: &str = "keyring";
/// The end of the path of the outbox's mirror, which the shell of native stores keeps.
pub(crate) const MIRROR: &str = "/outbox";
/// The start of a store's sign; its format follows.
const STORE: &str = "offline store on sled, format ";
/// Longer than any sign.
const LONGEST: u64 = 4096;
/// The pause between two attempts to take a held folder.
const PAUSE: Duration = Duration::from_millis(5);

/// A folder that is ours alone, until it is dropped.
#[derive(Debug)]
pub(crate) struct Home {
    path: PathBuf,
    id: StoreId,
    /// False if the sign was damaged, so that the id may be another one.
    is_known: bool,
    /// Holds the lock.
    _sign: File,
}

impl Home {
    /// Takes the folder, and makes it if it is absent; completes the work of killed processes. A refused folder is not
    /// changed.
    pub(crate) fn take(options: &Options) -> Result<Self> {
        let path = options.path();
        let deadline = Instant::now() + options.busy();
        loop {
            probe(path, options.create)?;
            match Self::try_take(path, options.on_damage)? {
                Some(home) => {
                    switch::refuse_links(path)?;
                    switch::finish(&home)?;
                    return Ok(home);
                }
                None if Instant::now() >= deadline => return Err(busy(path)),
                None => std::thread::sleep(PAUSE),
            }
        }
    }

    fn try_take(path: &Path, on_damage: OnDamage) -> Result<Option<Self>> {
        let fault = |e| io("open", e);
        match files::create_folder(path) {
            Err(e) if e.kind() != IoKind::AlreadyExists => return Err(fault(e)),
            _ => {}
        }
        let mut file = files::open("open", &path.join(SIGN)).map_err(explained)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(e)) => return Err(fault(e)),
        }
        let mut text = String::new();
        let read = (&file).take(LONGEST).read_to_string(&mut text);
        let found = parse(&text);
        let id = match found {
            Some((found, _)) if found > FORMAT => return Err(newer(found, FORMAT)),
            Some((_, id)) => id,
            None => {
                let is_new = text.is_empty() && read.is_ok() && !path.join(SLED).exists();
                if !is_new && on_damage == OnDamage::Refuse {
                    return Err(corrupt("open", "the file `HAOS` in the store's folder is damaged"));
                }
                if !is_new {
                    tracing::warn!(path = %path.display(), "the file `HAOS` was damaged and is rewritten");
                }
                file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0))).map_err(fault)?;
                // A damaged line may still have its id.
                let id = text.split([' ', ',']).find_map(|word| word.parse().ok());
                let id = id.map_or_else(StoreId::random, Ok)?;
                let line = sign(id).line();
                file.write_all(line.as_bytes()).and_then(|()| file.sync_all()).map_err(fault)?;
                sync_folder(path);
                sync_folder(path.parent().unwrap_or(path));
                id
            }
        };
        Ok(Some(Self { path: path.to_owned(), id, is_known: found.is_some(), _sign: file }))
    }

    /// Returns the store's own id.
    pub(crate) fn id(&self) -> StoreId {
        self.id
    }

    /// Returns the store's own id, unless its sign was damaged.
    pub(crate) fn known_id(&self) -> Option<StoreId> {
        self.is_known.then_some(self.id)
    }

    /// Returns the path of the marks.
    pub(crate) fn commits(&self) -> PathBuf {
        self.path.join(COMMITS)
    }

    /// Returns the path of sled's files.
    pub(crate) fn sled(&self) -> PathBuf {
        self.path.join(SLED)
    }

    /// Returns the path of the keyring of a sealed store.
    pub(crate) fn keyring(&self) -> PathBuf {
        self.path.join(KEYRING)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Returns sled's folder of a store at `path`, held or not.
pub(crate) fn sled_of(path: &Path) -> PathBuf {
    path.join(SLED)
}

/// Refuses paths that cannot hold a store, and other people's folders.
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

/// Makes the sign of a store.
pub(crate) fn sign(id: StoreId) -> Sign {
    Sign::new(format!("{STORE}{FORMAT}"), id)
}

/// Reads the format and the id in the line of the file `HAOS`; `None` for another line. A copy that was set aside can
/// be opened as it is.
fn parse(line: &str) -> Option<(u32, StoreId)> {
    let Sign { what, id } = Sign::parse(line)?;
    let format = match what.strip_prefix(STORE) {
        Some(format) => format.parse().ok()?,
        None if what == files::SET_ASIDE => FORMAT,
        None => return None,
    };
    Some((format, id))
}

/// Makes the error for a folder that another handle holds.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sign_is_read_back_and_nothing_else_is() {
        let id = StoreId([7; 16]);
        let line = |what: &str| Sign::new(what, id).line();
        assert_eq!(parse(&sign(id).line()), Some((FORMAT, id)));
        assert_eq!(parse(&line("offline store on sled, format 77")), Some((77, id)));
        assert_eq!(parse(&line(files::SET_ASIDE)), Some((FORMAT, id)));
        for text in ["", "HAOS", &line("scratch"), &line("offline store on sled, format x")] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
