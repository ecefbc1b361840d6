//! Stores that can be read and not written: no right to write the file or its folder, or read-only media.

use std::path::Path;

use haos_store_api::Result;
use haos_store_api::backend::files::beside;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::connection::connection;
use crate::error::cannot_open;
use crate::probe::{immutable, uri};

/// The rights of a store's connections.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everything.
    #[default]
    Write,
    /// Read, beside a writer.
    Read,
    /// Read a file that nobody has open and that has no log.
    ReadStill,
    /// Read a file that nobody has open, with the log that was left beside it, which each connection replays on its
    /// own.
    ReadReplayed,
}

/// Lists the ways to read a file that cannot be written, the best first. If SQLite's shared memory is absent, nobody
/// has the store open; it is not made, since a process with the right to write the store might not be able to write
/// that.
pub(crate) fn ways(path: &Path) -> impl Iterator<Item = Access> + use<> {
    let has_log = beside(path, "-wal").metadata().is_ok_and(|log| log.len() > 0);
    let is_shared = beside(path, "-shm").exists();
    let alone = match has_log {
        false => Access::ReadStill,
        true if cfg!(unix) => Access::ReadReplayed,
        true => Access::Read,
    };
    [is_shared.then_some(Access::Read), Some(alone)].into_iter().flatten()
}

/// Opens a connection with these rights.
pub(crate) fn connect(path: &Path, access: Access, create: bool) -> Result<Connection> {
    let read = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let opened = match access {
        Access::Write => {
            let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
            flags.set(OpenFlags::SQLITE_OPEN_CREATE, create);
            connection(path, flags)
        }
        Access::Read => connection(path, read),
        Access::ReadStill => connection(immutable(path), read | OpenFlags::SQLITE_OPEN_URI),
        // Without locks, SQLite keeps the index of the log in memory of its own.
        Access::ReadReplayed => {
            let uri = format!("{}?vfs=unix-none", uri(path));
            connection(uri, read | OpenFlags::SQLITE_OPEN_URI).and_then(|conn| {
                conn.query_row("PRAGMA locking_mode = EXCLUSIVE", (), |_| Ok(()))?;
                Ok(conn)
            })
        }
    };
    let conn = opened.map_err(|e| cannot_open(path, e))?;
    if access != Access::Write {
        let keep_log = conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        keep_log.map_err(|e| cannot_open(path, e))?;
    }
    Ok(conn)
}
