//! The switch to a converted store.

use std::fs;
use std::path::Path;

use haos_store_api::backend::files::{Expected, beside, refuse_odd, sync_folder};
use haos_store_api::{Error, ErrorKind, Result};
use rusqlite::{Connection, OpenFlags};

use crate::companions::JOURNAL;
use crate::connection::connection;
use crate::error::fault;
use crate::probe::{Header, header, peek};
use crate::scratch::store_of;

/// The application id of a store whose content is now beside it: `HAOM`.
pub(crate) const MOVED_ID: i32 = 0x4841_4F4D;

/// Marks the old store, whose exclusive lock `conn` holds, with the name of the new store's scratch, and puts that in
/// its place. From the mark on, any process that opens the store completes the switch.
pub(super) fn hand_over(conn: Connection, path: &Path, scratch: &str) -> Result<()> {
    let sql = |e| fault("convert", e);
    let insert = "INSERT OR REPLACE INTO meta (name, value) VALUES ('moved_to', ?1)";
    conn.execute(insert, [scratch]).map_err(sql)?;
    conn.execute_batch(&format!("PRAGMA application_id = {MOVED_ID}; COMMIT")).map_err(sql)?;
    conn.close().map_err(|(_, e)| sql(e))?;
    finish(path, header(path)).map(drop)
}

/// Puts the new store in the place of a marked one; returns the header of the store there afterwards.
pub(crate) fn finish(path: &Path, found: Option<Header>) -> Result<Option<Header>> {
    if !is_moved(found) {
        return Ok(found);
    }
    if refuse_odd("open", &beside(path, JOURNAL), Expected::File)? {
        // Killed amid the mark: reading rolls its partial write back.
        let _ = connection(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
            .and_then(|conn| conn.query_row("PRAGMA user_version", (), |_| Ok(())));
        let now = header(path);
        if !is_moved(now) {
            return Ok(now);
        }
    }
    let failed = |what: &Path| {
        let text = format!("{} cannot take the store's place: rename it by hand", what.display());
        Error::new(ErrorKind::Io, "open", text)
    };
    let moved = moved_to(path).and_then(|name| {
        let new = store_of(path, &name)?;
        refuse_odd("open", &new, Expected::File)?;
        fs::rename(&new, path).map_err(|e| failed(&new).with_source(e))
    });
    match moved {
        Ok(()) => {
            sync_folder(path.parent().unwrap_or(path));
            Ok(header(path))
        }
        Err(error) => match header(path) {
            // Another process was faster.
            now if !is_moved(now) => Ok(now),
            _ => Err(error),
        },
    }
}

/// Reads the name of the new store's scratch.
fn moved_to(path: &Path) -> Result<String> {
    let sql = "SELECT value FROM meta WHERE name = 'moved_to'";
    peek(path)?.query_row(sql, (), |row| row.get(0)).map_err(|e| fault("open", e))
}

fn is_moved(found: Option<Header>) -> bool {
    found.is_some_and(|header| header.id == MOVED_ID)
}
