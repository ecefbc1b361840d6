//! The kind of file at a path, found without touching it.

use std::path::Path;

use haos_store_api::backend::native::newer;
use haos_store_api::{Error, ErrorKind, Result};
use rusqlite::{Connection, OpenFlags};

use crate::budget::Budget;
use crate::connection::connection;
use crate::error::fault;
use crate::migration::{FORMAT, application_id, format, is_store};

/// Refuses paths that cannot hold a store, other applications' databases and newer stores.
///
/// A file that cannot be read as a database passes: opening it under SQLite's locks finds the reason, while here
/// another process may be in the middle of making it.
pub(crate) fn probe(path: &Path, header: Option<Header>, create: bool) -> Result<()> {
    let refuse = |kind, message: String| Err(Error::new(kind, "open", message));
    let shown = path.display();
    match std::fs::metadata(path) {
        Ok(meta) if meta.is_dir() => {
            refuse(ErrorKind::Invalid, format!("{shown} is a folder: give the path of a file in it"))
        }
        Ok(meta) if !meta.is_file() => {
            refuse(ErrorKind::Invalid, format!("{shown} is no regular file: give the path of one"))
        }
        Ok(_) => match header {
            Some(Header { id, format, .. }) if is_store(id) && format > FORMAT => Err(newer(format, FORMAT)),
            Some(Header { id, format, has_tables })
                if !is_store(id) && (id, format, has_tables) != (0, 0, false) =>
            {
                Err(foreign())
            }
            _ => Ok(()),
        },
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            let folder = path.parent().unwrap_or(path);
            if !folder.is_dir() {
                refuse(ErrorKind::Io, format!("the folder {} does not exist: create it", folder.display()))
            } else if !create {
                refuse(ErrorKind::Io, format!("there is no store at {shown}, and the option `create` is off"))
            } else {
                Ok(())
            }
        }
        Err(e) => Err(Error::io("open", format!("{shown} cannot be looked at"), e)),
    }
}

/// Makes the error for somebody else's file.
pub(crate) fn foreign() -> Error {
    Error::new(ErrorKind::Invalid, "open", "the file is another application's database: choose another path")
}

/// The identity in a file's header.
#[derive(Clone, Copy)]
pub(crate) struct Header {
    pub(crate) id: i32,
    format: u32,
    /// True if a file that is not ours has tables.
    has_tables: bool,
}

/// Reads the header, if the file is readable as a database.
///
/// `immutable` keeps SQLite from taking locks and from making files beside it. The header is enough:
/// both numbers are in it before the file first goes into WAL mode.
pub(crate) fn header(path: &Path) -> Option<Header> {
    let conn = peek(path).ok()?;
    let (id, found) = (application_id(&conn).ok()?, format(&conn).ok()?);
    if is_store(id) && found > 0 {
        // Without the tables no part of the schema is read, which is most of the cost of opening.
        return Some(Header { id, format: found, has_tables: false });
    }
    let has_tables =
        conn.query_row("SELECT EXISTS (SELECT 1 FROM sqlite_schema)", (), |row| row.get(0)).ok()?;
    // In this order: another process that makes the store sets all three at once.
    let format = format(&conn).ok()?;
    Some(Header { id: application_id(&conn).ok()?, format, has_tables })
}

/// Names the file as it is, ignoring any log beside it, and without a lock.
pub(crate) fn immutable(path: &Path) -> String {
    format!("{}?immutable=1", uri(path))
}

/// Connects to the file as it is, ignoring any log beside it. Takes no lock and makes no file.
pub(crate) fn peek(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let mut conn = connection(immutable(path), flags).map_err(|e| fault("open", e))?;
    Budget::of(path).guard(&mut conn, || false)?;
    Ok(conn)
}

/// Returns the file's URI: everything except plain characters is escaped.
pub(crate) fn uri(path: &Path) -> String {
    let bytes = path.as_os_str().as_encoded_bytes();
    let mut uri = String::from(if bytes.starts_with(b"/") { "file://" } else { "file:///" });
    for byte in bytes {
        match byte {
            b'\\' if cfg!(windows) => uri.push('/'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b':' => {
                uri.push(char::from(*byte));
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_escaped() {
        assert_eq!(uri(Path::new("/a b/c?d#é%.db")), "file:///a%20b/c%3Fd%23%C3%A9%25.db");
    }
}
