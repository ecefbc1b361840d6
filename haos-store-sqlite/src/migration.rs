//! The format: numbered scripts, run once each, never edited once shipped.

use rusqlite::{Connection, TransactionBehavior};

/// `HAOS`, in the header of every store.
pub(crate) const APPLICATION_ID: i32 = 0x4841_4F53;

/// `HAOE`, in the header of a sealed store, so that damage elsewhere does not make it look plain.
pub(crate) const SEALED_ID: i32 = 0x4841_4F45;

/// Tells whether an application id is one of ours.
pub(crate) fn is_store(id: i32) -> bool {
    id == APPLICATION_ID || id == SEALED_ID
}

const MIGRATIONS: [&str; 1] = [include_str!("../migrations/001_initial.sql")];

/// The format that this version writes: the number of scripts that made it.
pub(crate) const FORMAT: u32 = MIGRATIONS.len() as u32;

/// The views for people with a SQLite shell.
const VIEWS: &str = include_str!("views.sql");

/// Makes the views that are absent, within a transaction.
pub(crate) fn make_views(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch(VIEWS)
}

/// Reads the format of a store; 0 for an empty file.
pub(crate) fn format(conn: &Connection) -> rusqlite::Result<u32> {
    conn.query_row("PRAGMA user_version", (), |row| row.get(0))
}

/// Reads the owner of a file; 0 for an empty one.
pub(crate) fn application_id(conn: &Connection) -> rusqlite::Result<i32> {
    conn.query_row("PRAGMA application_id", (), |row| row.get(0))
}

/// Brings a store to [`FORMAT`], whole or not at all. Two processes may do so at once: the second one finds nothing
/// left to do. A newer store is unchanged.
///
/// A new file is not in WAL mode yet, so that its header names its owner from the first moment.
pub(crate) fn migrate(conn: &mut Connection) -> rusqlite::Result<()> {
    let found = format(conn)?;
    if found >= FORMAT {
        return Ok(());
    }
    if found == 0 {
        // Has to come before the first table, and cannot come within a transaction.
        conn.execute_batch("PRAGMA auto_vacuum = INCREMENTAL")?;
    }
    let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = format(&transaction)?;
    if found < FORMAT {
        for script in &MIGRATIONS[found as usize..] {
            transaction.execute_batch(script)?;
        }
        if found == 0 {
            transaction.execute("INSERT INTO meta (name, value) VALUES ('id', randomblob(16))", ())?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        }
        transaction.pragma_update(None, "user_version", FORMAT)?;
    }
    transaction.commit()
}
