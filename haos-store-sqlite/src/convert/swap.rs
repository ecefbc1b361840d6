//! The moment in which a converted store takes its place.

use std::fs::{self, File};
use std::path::Path;

use haos_store_api::{Error, ErrorKind, Result};
use rusqlite::Connection;

use super::target_path;
use crate::error::fault;
use crate::probe::header;

/// The application id of a store whose content is beside it by now: `HAOM`.
pub(crate) const MOVED_ID: i32 = 0x4841_4F4D;

/// Marks the old store, whose exclusive lock `conn` holds, and puts the new one in its place. From the
/// mark on, whoever opens the store does what is left.
pub(super) fn hand_over(conn: Connection, path: &Path) -> Result<()> {
    let sql = |e| fault("convert", e);
    conn.execute_batch(&format!("PRAGMA application_id = {MOVED_ID}; COMMIT")).map_err(sql)?;
    conn.close().map_err(|(_, e)| sql(e))?;
    finish(path)
}

/// Puts the new store in the place of one that is marked, if it is.
pub(crate) fn finish(path: &Path) -> Result<()> {
    if !is_moved(path) {
        return Ok(());
    }
    match fs::rename(target_path(path), path) {
        Ok(()) => {
            // As durable as the file system makes it; where folders cannot be synced, it does so itself.
            let _ = path.parent().map(File::open).and_then(|folder| folder.and_then(|f| f.sync_all()).ok());
            Ok(())
        }
        // Somebody else was faster.
        Err(_) if !is_moved(path) => Ok(()),
        Err(e) => Err(Error::new(
            ErrorKind::Io,
            "open",
            format!("{} cannot take the store's place: rename it by hand", target_path(path).display()),
        )
        .with_source(e)),
    }
}

fn is_moved(path: &Path) -> bool {
    header(path).is_some_and(|(id, ..)| id == MOVED_ID)
}
