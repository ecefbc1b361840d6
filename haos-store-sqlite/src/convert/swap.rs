//! The moment in which a converted store takes its place.

use std::fs::{self, File};
use std::path::Path;

use haos_store_api::{Error, ErrorKind, Result};
use rusqlite::Connection;

use super::target_path;
use crate::error::fault;
use crate::probe::{Header, header};

/// The application id of a store whose content is beside it by now: `HAOM`.
pub(crate) const MOVED_ID: i32 = 0x4841_4F4D;

/// Marks the old store, whose exclusive lock `conn` holds, and puts the new one in its place. From the
/// mark on, whoever opens the store does what is left.
pub(super) fn hand_over(conn: Connection, path: &Path) -> Result<()> {
    let sql = |e| fault("convert", e);
    conn.execute_batch(&format!("PRAGMA application_id = {MOVED_ID}; COMMIT")).map_err(sql)?;
    conn.close().map_err(|(_, e)| sql(e))?;
    finish(path, header(path)).map(drop)
}

/// Puts the new store in the place of one that is marked, if it is; returns the header of what stands there then.
pub(crate) fn finish(path: &Path, found: Option<Header>) -> Result<Option<Header>> {
    if !is_moved(found) {
        return Ok(found);
    }
    match fs::rename(target_path(path), path) {
        Ok(()) => {
            // As durable as the file system makes it; where folders cannot be synced, it does so itself.
            let _ = path.parent().map(File::open).and_then(|folder| folder.and_then(|f| f.sync_all()).ok());
            Ok(header(path))
        }
        Err(e) => match header(path) {
            // Somebody else was faster.
            now if !is_moved(now) => Ok(now),
            _ => Err(Error::new(
                ErrorKind::Io,
                "open",
                format!("{} cannot take the store's place: rename it by hand", target_path(path).display()),
            )
            .with_source(e)),
        },
    }
}

fn is_moved(found: Option<Header>) -> bool {
    found.is_some_and(|header| header.id == MOVED_ID)
}
