//! The fate of a damaged store: it is set aside under another name, never changed, never deleted.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use haos_store_api::backend::files::{self, StoreId, beside};
use haos_store_api::backend::native::{Mirror, Options, Unlocked, with_keyring};
use haos_store_api::{Error, ErrorKind, Recovery, Result};

use crate::companions::{COMPANIONS, MIRROR};
use crate::db::Db;
use crate::keys::unlock;
use crate::log;
use crate::migration::{APPLICATION_ID, SEALED_ID, is_store};
use crate::open::{accept, connect};
use crate::probe::peek;
use crate::salvage::{Found, readable_id, recognise};
use crate::scratch::{Purpose, Scratch};

/// Reads the application id in the header, as far as present, if it marks a store.
///
/// Only for files that SQLite could not read: closing a plain handle drops the locks that this process
/// has on the file.
fn our_id(path: &Path) -> Option<i32> {
    let read = || -> std::io::Result<[u8; 4]> {
        let mut file = File::open(path)?;
        let mut id = [0; 4];
        file.seek(SeekFrom::Start(68))?;
        file.read_exact(&mut id)?;
        Ok(id)
    };
    let own = read().ok().map(i32::from_be_bytes).filter(|id| is_store(*id));
    own.or_else(|| {
        // Its header is gone; the mirror tells that it was one.
        let mirror = Mirror::read(path, MIRROR);
        let id = if mirror.keyring().is_some() { SEALED_ID } else { APPLICATION_ID };
        mirror.is_there().then_some(id)
    })
}

/// Tells the application id of a file that SQLite could not read, if it is a store: by its header, or else by its pages.
pub(crate) fn known_id(path: &Path) -> Option<i32> {
    our_id(path).or_else(|| recognise(path))
}

/// Puts a fresh store with everything readable of the damaged one in its place. `None`: another process has done so in the
/// meantime.
pub(crate) fn recover(options: &Options, cause: Error) -> Result<Option<Recovery>> {
    let lock_path = beside(options.path(), ".recovery");
    let lock = files::open("open", &lock_path)?;
    lock.lock().map_err(|e| io("the recovery cannot be begun", e))?;
    let done = match log_aside(options, &cause) {
        Ok(None) if still_damaged(options) => replace(options, cause),
        done => done,
    };
    // Waiters for the lock look again, so a lost lock file does no harm.
    let _ = fs::remove_file(&lock_path);
    done
}

/// Sets the log aside if it alone does not belong there: the file beneath is a sound store and stays.
fn log_aside(options: &Options, cause: &Error) -> Result<Option<Recovery>> {
    let path = options.path();
    if log::fits(path) {
        return Ok(None);
    }
    // Of the file alone: the log is not trusted.
    let own =
        peek(path).and_then(|conn| Db { conn: &conn, codec: &options.codec, operation: "open" }.store_id());
    let id = own.ok().flatten().unwrap_or_else(|| stand_in(path));
    let failed = |e| io("the log cannot be set aside", e);
    let folder = files::set_aside(path, id).map_err(failed)?;
    let (log, aside) =
        (beside(path, "-wal"), beside(&folder.join(path.file_name().unwrap_or_default()), "-wal"));
    fs::rename(&log, &aside).map_err(failed)?;
    let opened = connect(&options.clone().check(true)).and_then(|conn| {
        let Unlocked { codec, is_restored } = unlock(&conn, options)?;
        accept(&conn)?;
        Db { conn: &conn, codec: &codec, operation: "open" }
            .number("SELECT count(*) FROM pending", ())
            .map(|rows| (rows, is_restored))
    });
    match opened {
        Ok((rows, is_restored)) => {
            let (set_aside, salvaged) = (Some(aside.display().to_string()), rows.unsigned_abs());
            tracing::warn!(set_aside = %aside.display(), "a log that was not written on top of its store was set aside");
            let recovery = Recovery {
                set_aside,
                salvaged,
                unreadable: 0,
                collections: Vec::new(),
                is_whole: false,
                cause: cause.to_string(),
            };
            Ok(with_keyring(Some(recovery), is_restored))
        }
        // A caller that cannot open the store leaves it unchanged; if it is damaged, all of it is set aside.
        Err(error) => {
            fs::rename(&aside, &log).and_then(|()| fs::remove_dir_all(&folder)).map_err(failed)?;
            if error.kind() == ErrorKind::Corrupt { Ok(None) } else { Err(error) }
        }
    }
}

fn still_damaged(options: &Options) -> bool {
    connect(options).is_err_and(|error| error.kind() == ErrorKind::Corrupt)
}

fn replace(options: &Options, cause: Error) -> Result<Option<Recovery>> {
    let path = options.path();
    let id = readable_id(path).unwrap_or_else(|| stand_in(path));
    // A process that was killed here before has left its own.
    drop(Scratch::left_over(path, id, Purpose::Passing));
    let scratch = Scratch::create(path, id, Purpose::Passing)?;
    let app_id = known_id(path).unwrap_or(APPLICATION_ID);
    let mut found = Found::read(options, app_id)?;
    let id = found.id.unwrap_or(id);

    let fresh = options.clone().create(true).check(false).at(scratch.store());
    let conn = connect(&fresh)?;
    found.write(&conn, options, id)?;
    accept(&conn)?;
    // The last connection moves the log into the file.
    conn.close().map_err(|(_, e)| crate::error::fault("open", e))?;
    files::keep_rights(path, fresh.path()).map_err(|e| io("the fresh store cannot be put in place", e))?;

    let failed = |e| io("the damaged store cannot be set aside", e);
    let folder = files::set_aside(path, id).map_err(failed)?;
    let aside = folder.join(path.file_name().unwrap_or_default());
    // A second name first, where the file system has them: the path is never without a store.
    if fs::hard_link(path, &aside).is_err() {
        fs::rename(path, &aside).map_err(failed)?;
    }
    for companion in COMPANIONS {
        let _ = fs::rename(beside(path, companion), beside(&aside, companion));
    }
    // What the fresh store has of it is written again; the copy has it as it was.
    let _ = fs::hard_link(beside(path, MIRROR), beside(&aside, MIRROR));
    fs::rename(fresh.path(), path).map_err(|e| io("the fresh store cannot be put in place", e))?;
    files::sync_folder(path.parent().unwrap_or(path));

    Ok(found.recovery(&aside, &cause))
}

/// Makes an id for a store whose own cannot be read: the same as long as the file is unchanged.
fn stand_in(path: &Path) -> StoreId {
    let mut start = Vec::new();
    // An unreadable file has the id of empty content.
    let _ = File::open(path).and_then(|file| file.take(1 << 16).read_to_end(&mut start));
    StoreId::of(&start)
}

pub(crate) fn io(message: &str, error: std::io::Error) -> Error {
    Error::io("open", message, error)
}
