//! What becomes of a damaged store: it is set aside under another name, never changed, never deleted.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use haos_store_api::{Error, ErrorKind, Recovery, Result};

use crate::db::Db;
use crate::keys::unlock;
use crate::log;
use crate::migration::is_store;
use crate::open::{accept, connect};
use crate::options::SqliteOptions;
use crate::salvage::Salvage;

/// What SQLite keeps beside a database.
const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// The application id in the header, as far as it is there, if it says that the file is a store.
///
/// Only for files that SQLite could not read: closing a plain handle drops the locks that this process
/// has on the file.
pub(crate) fn our_id(path: &Path) -> Option<i32> {
    let read = || -> std::io::Result<[u8; 4]> {
        let mut file = File::open(path)?;
        let mut id = [0; 4];
        file.seek(SeekFrom::Start(68))?;
        file.read_exact(&mut id)?;
        Ok(id)
    };
    read().ok().map(i32::from_be_bytes).filter(|id| is_store(*id))
}

/// Puts a fresh store with the outbox of the damaged one in its place. `None`: another process has done
/// so in the meantime.
pub(crate) fn recover(options: &SqliteOptions, cause: Error) -> Result<Option<Recovery>> {
    let path = options.path();
    let lock_path = beside(path, ".recovery");
    let lock = File::create(&lock_path).map_err(|e| io("the recovery cannot be begun", e))?;
    lock.lock().map_err(|e| io("the recovery cannot be begun", e))?;
    let done = match log_aside(options, &cause) {
        Ok(None) if still_damaged(options) => replace(options, cause).map(Some),
        done => done,
    };
    // Whoever waits for the lock looks again, so a lost lock file does no harm.
    let _ = fs::remove_file(&lock_path);
    done
}

/// Where the log alone does not belong there, what is beneath it is a sound store: it stays, and the log is set aside.
fn log_aside(options: &SqliteOptions, cause: &Error) -> Result<Option<Recovery>> {
    let path = options.path();
    if log::fits(path) {
        return Ok(None);
    }
    let (log, aside) = (beside(path, "-wal"), beside(&free_name(path), "-wal"));
    fs::rename(&log, &aside).map_err(|e| io("the log cannot be renamed", e))?;
    let opened = connect(&options.clone().check(true)).and_then(|conn| {
        let codec = unlock(&conn, options)?;
        accept(&conn)?;
        Db { conn: &conn, codec: &codec, operation: "open" }.number("SELECT count(*) FROM pending", ())
    });
    match opened {
        Ok(rows) => {
            let (set_aside, salvaged) = (Some(aside.display().to_string()), rows.unsigned_abs());
            tracing::warn!(set_aside = %aside.display(), "a log that was not written on top of its store was set aside");
            Ok(Some(Recovery { set_aside, salvaged, unreadable: 0, cause: cause.to_string() }))
        }
        // Whoever cannot open the store leaves it as it was; if it is damaged, all of it is set aside.
        Err(error) => {
            fs::rename(&aside, &log).map_err(|e| io("the log cannot be renamed", e))?;
            if error.kind() == ErrorKind::Corrupt { Ok(None) } else { Err(error) }
        }
    }
}

fn still_damaged(options: &SqliteOptions) -> bool {
    connect(options).is_err_and(|error| error.kind() == ErrorKind::Corrupt)
}

fn replace(options: &SqliteOptions, cause: Error) -> Result<Recovery> {
    let path = options.path();
    let salvage = Salvage::read(options)?;

    let fresh_path = beside(path, ".fresh");
    for leftover in [OsString::new()].into_iter().chain(COMPANIONS.map(OsString::from)) {
        let _ = fs::remove_file(beside(&fresh_path, leftover));
    }
    let fresh = options.clone().create(true).check(false).at(fresh_path.clone());
    let conn = connect(&fresh)?;
    salvage.write(&conn, options)?;
    accept(&conn)?;
    // The last connection moves the log into the file.
    conn.close().map_err(|(_, e)| crate::error::fault("open", e))?;

    let aside = free_name(path);
    // A second name first, where the file system has them: at no moment is there no store at the path.
    if fs::hard_link(path, &aside).is_err() {
        fs::rename(path, &aside).map_err(|e| io("the damaged store cannot be renamed", e))?;
    }
    for companion in COMPANIONS {
        let _ = fs::rename(beside(path, companion), beside(&aside, companion));
    }
    fs::rename(&fresh_path, path).map_err(|e| io("the fresh store cannot be put in place", e))?;

    let recovery = Recovery {
        set_aside: Some(aside.display().to_string()),
        salvaged: salvage.pending.len() as u64,
        unreadable: salvage.unreadable,
        cause: cause.to_string(),
    };
    tracing::warn!(
        set_aside = %aside.display(),
        salvaged = recovery.salvaged,
        unreadable = recovery.unreadable,
        cause = %recovery.cause,
        "a damaged store was set aside"
    );
    Ok(recovery)
}

/// `<name>.damaged-<n>` with the first number that is free.
fn free_name(path: &Path) -> PathBuf {
    let mut names = (1_u32..).map(|n| beside(path, format!(".damaged-{n}")));
    let is_free = |name: &PathBuf| COMPANIONS.iter().chain(&[""]).all(|end| !beside(name, end).exists());
    names.find(is_free).unwrap_or_else(|| beside(path, ".damaged"))
}

/// The path with something after its name.
pub(crate) fn beside(path: &Path, suffix: impl AsRef<std::ffi::OsStr>) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn io(message: &str, error: std::io::Error) -> Error {
    Error::io("open", message, error)
}
