//! From options to connections.

use std::time::{Duration, Instant};

use haos_store_api::backend::files::{self, beside};
use haos_store_api::backend::native::{OnDamage, Options, corrupt, newer, read_only as refused, sealed};
use haos_store_api::{Error, ErrorKind, Recovery, Result};
use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::budget::Budget;
use crate::companions;
use crate::convert::{MOVED_ID, finish};
use crate::damage;
use crate::db::Db;
use crate::error::{cannot_open, fault};
use crate::log;
use crate::migration::{FORMAT, SEALED_ID, application_id, format, is_store, migrate};
use crate::options::tuning;
use crate::probe::{foreign, header, probe};
use crate::read_only::{self, Access};
use crate::schema::Difference;

/// The compiled statements that each connection keeps: all that the hot paths use.
const STATEMENTS: usize = 96;

/// A store that exists, is current, and is sound as far as opening can tell.
pub(crate) struct Opened {
    /// The first connection.
    pub(crate) conn: Connection,
    pub(crate) recovery: Option<Recovery>,
    /// The rights of this and further connections.
    pub(crate) access: Access,
}

/// Opens the store; one that cannot be written, for reading.
pub(crate) fn open(options: &Options) -> Result<Opened> {
    let path = options.path();
    companions::check(path)?;
    let header = finish(path, header(path))?;
    probe(path, header, options.create)?;
    match connect(options) {
        Ok(conn) => Ok(Opened { conn, recovery: None, access: Access::Write }),
        Err(error) if error.kind() == ErrorKind::ReadOnly => read(options, error),
        Err(error) if error.kind() == ErrorKind::Corrupt => {
            let Some(id) = damage::known_id(options.path()) else {
                return Err(Error::new(
                    ErrorKind::Corrupt,
                    "open",
                    "the file is not a readable store, nor known to have been one: choose another path",
                )
                .with_source(error));
            };
            if id == SEALED_ID && options.secret.is_none() && !options.codec.is_sealed() {
                return Err(sealed());
            }
            if options.on_damage == OnDamage::Refuse {
                return Err(Error::new(
                    ErrorKind::Corrupt,
                    "open",
                    "the store is damaged: open it with `OnDamage::SetAside`, which saves what is readable",
                )
                .with_source(error));
            }
            let recovery = damage::recover(options, error)?;
            Ok(Opened { conn: connect(options)?, recovery, access: Access::Write })
        }
        Err(error) => Err(error),
    }
}

/// Opens it for reading, in the first way that works.
fn read(options: &Options, mut cause: Error) -> Result<Opened> {
    for access in read_only::ways(options.path()) {
        match connect_to(options, access) {
            Ok(conn) => return Ok(Opened { conn, recovery: None, access }),
            Err(error) if matches!(error.kind(), ErrorKind::ReadOnly | ErrorKind::Io) => cause = error,
            Err(error) => return Err(error),
        }
    }
    Err(cause)
}

/// Opens, brings to the current format, checks.
pub(crate) fn connect(options: &Options) -> Result<Connection> {
    connect_to(options, Access::Write)
}

/// Connects with a bound on the work that the file causes.
fn connect_to(options: &Options, access: Access) -> Result<Connection> {
    let sql = |e| fault("open", e);
    if access == Access::Write && options.create {
        // If it cannot be made, SQLite tells the reason.
        let _ = files::create(options.path());
    }
    let has_log = beside(options.path(), "-wal").metadata().is_ok_and(|log| log.len() > 0);
    if has_log && !log::fits(options.path()) {
        let message = "the log beside the store (`-wal`) was not written on top of it, as after a copy was restored: \
                       move the log away, or open the store with `OnDamage::SetAside`, which does so";
        return Err(Error::new(ErrorKind::Corrupt, "open", message));
    }
    let mut conn = read_only::connect(options.path(), access, options.create)?;
    // Until the store is accepted (`accept`), closing must not move its log into it. Without a log, closing removes the
    // files that opening makes.
    if access == Access::Write {
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, has_log).map_err(sql)?;
    }
    conn.busy_timeout(options.busy()).map_err(sql)?;
    let budget = Budget::of(options.path());
    budget.guard(&mut conn, || false)?;
    budget.judge(bring_up(&mut conn, options, access))?;
    Budget::lift(&mut conn)?;
    Ok(conn)
}

fn bring_up(conn: &mut Connection, options: &Options, access: Access) -> Result<()> {
    let sql = |e| cannot_open(options.path(), e);
    // Before the first statement, which makes files beside it.
    if access == Access::Write && conn.is_readonly("main").map_err(sql)? {
        return Err(refused("open"));
    }
    // In this order: another process that makes the store sets both at once.
    let found = format(conn).map_err(sql)?;
    let id = application_id(conn).map_err(sql)?;
    if id == MOVED_ID {
        let message = "the store was sealed or unsealed while it was being opened: open it again";
        return Err(Error::new(ErrorKind::Busy, "open", message));
    }
    if is_store(id) && found > FORMAT {
        return Err(newer(found, FORMAT));
    }
    if !is_store(id) && (id, found) != (0, 0) {
        return Err(foreign());
    }
    if access == Access::Write {
        migrate(conn).map_err(sql)?;
        known(conn)?;
        write_ahead(conn, options)?;
    } else if found == FORMAT {
        known(conn)?;
    } else {
        return Err(refused("open"));
    }
    tune(conn, options, tuning(options.profile).cache_kib).map_err(sql)?;
    check(conn, options)
}

/// Refuses a schema that is not ours.
fn known(conn: &Connection) -> Result<()> {
    let Difference { altered, foreign } = Difference::of(conn).map_err(|e| fault("open", e))?;
    if let Some(first) = altered.first() {
        let (first, others) = (first.as_str(), altered.len() - 1);
        let more = if others == 0 { String::new() } else { format!(" and {others} more") };
        let message = format!("something else changed the store's schema: {first}{more}");
        return Err(Error::new(ErrorKind::Corrupt, "open", message));
    }
    if !foreign.is_empty() {
        tracing::warn!(?foreign, "the store's file holds foreign objects; they are left alone");
    }
    Ok(())
}

/// From here on, closing moves the log into a writable store: its key was the right one.
pub(crate) fn accept(conn: &Connection) -> Result<()> {
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)
        .map(drop)
        .map_err(|e| fault("open", e))
}

/// Makes a connection read only.
pub(crate) fn only_reads(conn: &Connection) -> Result<()> {
    conn.execute_batch("PRAGMA query_only = ON").map_err(|e| fault("open", e))
}

/// A store that was opened, for further connections.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) options: Options,
    /// The rights of the connections.
    pub(crate) access: Access,
}

impl Place {
    /// Opens a connection that writes.
    pub(crate) fn writer(&self) -> Result<Connection> {
        self.connect(tuning(self.options.profile).cache_kib)
    }

    /// Opens a connection that only reads.
    pub(crate) fn reader(&self) -> Result<Connection> {
        let conn = self.connect(tuning(self.options.profile).spare_kib)?;
        only_reads(&conn)?;
        Ok(conn)
    }

    fn connect(&self, cache_kib: u32) -> Result<Connection> {
        let sql = |e| fault("open", e);
        let conn = read_only::connect(self.options.path(), self.access, false)?;
        conn.busy_timeout(self.options.busy()).map_err(sql)?;
        tune(&conn, &self.options, cache_kib).map_err(sql)?;
        Ok(conn)
    }
}

/// Switches to WAL mode; does nothing if the store is in it. The switch needs the file for itself, and SQLite does not
/// always wait for that.
fn write_ahead(conn: &Connection, options: &Options) -> Result<()> {
    let deadline = Instant::now() + options.busy();
    loop {
        match conn.query_row("PRAGMA journal_mode = WAL", (), |row| row.get::<_, String>(0)) {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(_) => {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    "open",
                    "the file system has no shared memory for a write-ahead log: choose a local disk",
                ));
            }
            Err(e) => {
                let error = cannot_open(options.path(), e);
                if error.kind() != ErrorKind::Busy || Instant::now() >= deadline {
                    return Err(error);
                }
                std::thread::sleep(Duration::from_millis(2));
            }
        }
    }
}

fn tune(conn: &Connection, options: &Options, cache_kib: u32) -> rusqlite::Result<()> {
    let tuning = tuning(options.profile);
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    conn.execute_batch(&format!(
        "PRAGMA mmap_size = 0;
         PRAGMA cache_size = -{cache_kib};
         PRAGMA synchronous = NORMAL;
         PRAGMA wal_autocheckpoint = {log};
         PRAGMA journal_size_limit = {};",
        tuning.log_pages * 4096,
        log = tuning.log_pages,
    ))
}

/// Checks, beside the schema, that the counters and the outbox can be read. With `check`, every page.
fn check(conn: &Connection, options: &Options) -> Result<()> {
    let db = Db { conn, codec: &options.codec, operation: "open" };
    db.store_revision()?;
    db.last_seq()?;
    db.number("SELECT total(length(payload)) > 0 FROM pending", ())?;
    if options.check {
        let found = db.first("PRAGMA quick_check(1)", (), |row| row.get(0).map_err(|e| db.fault(e)))?;
        if let Some(text) = found.filter(|text: &String| text != "ok") {
            return Err(corrupt("open", &text));
        }
    }
    Ok(())
}
