//! Sealing a plain store and unsealing a sealed one: into a new file beside it, which then takes its place. Until that
//! moment the store is unchanged. After an interruption, sealing resumes; unsealing begins again, and its plain rows
//! are removed with it or, after a kill, by the next process that opens the store.

mod copy;
mod swap;

pub(crate) use swap::{MOVED_ID, finish};

use haos_store_api::backend::files::{StoreId, beside, keep_rights};
use haos_store_api::backend::native::{Options, Stop, To, cut_off, read_only, wipe};
use haos_store_api::backend::*;
use haos_store_api::*;
use rusqlite::Connection;

use crate::backend::Sqlite;
use crate::companions::MIRROR;
use crate::db::Db;
use crate::error::fault;
use crate::keys::unlock;
use crate::open::{Opened, accept, connect, open};
use crate::options::SqliteOptions;
use crate::read_only::Access;
use crate::scratch::{Purpose, Scratch, tidy};
use crate::store::SqliteStore;

impl SqliteStore {
    /// Seals the plain store at the options' path with the options' secret. Writes a new file beside the old one, and
    /// then replaces that; the content of the old file's blocks may be read off the device until it reuses them. An
    /// interrupted call resumes when repeated. Copies of the store that were set aside as damaged stay plain:
    /// [`Report::set_aside`] names them.
    ///
    /// # Errors
    /// `Busy` while anybody has the store open, `Invalid` if it is sealed already or the secret is absent, `Corrupt` if
    /// a row cannot be read, `Full`, `Io`. The store is unchanged then.
    pub async fn seal(options: SqliteOptions, progress: Progress) -> Result<Report> {
        run(options, To::Sealed, progress).await
    }

    /// Unseals the store at the options' path, which the options' secret opens; see [`seal`](Self::seal). An
    /// interrupted call begins again when repeated.
    ///
    /// # Errors
    /// As [`seal`](Self::seal), `NotSealed` for a plain store, and `WrongKey`.
    pub async fn unseal(options: SqliteOptions, progress: Progress) -> Result<Report> {
        run(options, To::Plain, progress).await
    }
}

async fn run(options: SqliteOptions, to: To, progress: Progress) -> Result<Report> {
    to.run::<Sqlite, _>(options, move |options, stop| convert(options, to, &progress, stop)).await
}

fn convert(options: &Options, to: To, progress: &Progress, stop: &Stop) -> Result<Report> {
    let path = options.path();
    let Opened { conn, access, .. } = open(options)?;
    if access != Access::Write {
        return Err(read_only("convert"));
    }
    let source = to.source(&Db { conn: &conn, codec: &options.codec, operation: "convert" }, options)?;
    let from = Db { conn: &conn, codec: &source, operation: "convert" };
    let id = own_id(from)?;
    alone(&conn)?;
    // Until the new store is whole, every error removes it.
    let (mut scratch, made, codec) = prepare(options, to, from, id)?;
    let into = Db { conn: &made, codec: &codec, operation: "convert" };
    let mut report = copy::all(from, into, progress, stop)?;
    if stop.is_set() {
        if to == To::Sealed {
            scratch.keep();
        }
        return Err(cut_off());
    }
    made.close().map_err(|(_, e)| fault("convert", e))?;
    let rights = keep_rights(path, &scratch.store());
    rights.map_err(|e| crate::damage::io("the new store cannot have the rights of the old one", e))?;
    scratch.sync();
    // Its rows are in the form of the old store; the next opening writes it again.
    wipe(&beside(path, MIRROR))?;
    // From the mark on, it is the only store.
    scratch.keep();
    swap::hand_over(conn, path, scratch.name())?;
    scratch.release();
    report.set_aside = tidy(path, Some(id));
    Ok(report)
}

/// Reads the store's id; one that an earlier version made gets an id.
fn own_id(db: Db<'_>) -> Result<StoreId> {
    if let Some(id) = db.store_id()? {
        return Ok(id);
    }
    let id = StoreId::random()?;
    db.set_store_id(id)?;
    Ok(id)
}

/// Takes exclusive hold of the file: outside WAL mode, with a lock that only closing gives back.
fn alone(conn: &Connection) -> Result<()> {
    let open = "somebody has the store open: close it everywhere first";
    let busy = |e| Error::new(ErrorKind::Busy, "convert", open).with_source(e);
    let mode: String = conn.query_row("PRAGMA journal_mode = DELETE", (), |row| row.get(0)).map_err(busy)?;
    if mode != "delete" {
        return Err(Error::new(ErrorKind::Busy, "convert", open));
    }
    conn.query_row("PRAGMA locking_mode = EXCLUSIVE", (), |_| Ok(())).map_err(busy)?;
    conn.execute_batch("BEGIN EXCLUSIVE").map_err(busy)
}

/// Opens the new store: one that is being sealed from the same state of the source, or a fresh one. Useless beginnings
/// are removed.
fn prepare(options: &Options, to: To, from: Db<'_>, id: StoreId) -> Result<(Scratch, Connection, Codec)> {
    let source = from.store_revision()?;
    let path = options.path();
    let target = to.target(options);
    drop(Scratch::left_over(path, id, Purpose::Passing));
    for begun in Scratch::left_over(path, id, Purpose::Sealing) {
        if to == To::Sealed
            && let Ok(Some((conn, codec))) = go_on(&begun, &target.clone().at(begun.store()), source)
        {
            return Ok((begun, conn, codec));
        }
    }
    let purpose = if to == To::Sealed { Purpose::Sealing } else { Purpose::Passing };
    let scratch = Scratch::create(path, id, purpose)?;
    let (conn, codec) = connect_to(&target.at(scratch.store()))?;
    let db = Db { conn: &conn, codec: &codec, operation: "convert" };
    db.set_store_id(id)?;
    db.run("INSERT INTO meta (name, value) VALUES ('converting_from', ?1)", [crate::db::signed(source.0)])?;
    Ok((scratch, conn, codec))
}

/// Opens the interrupted copy, if it is from the same state of the source and the secret opens it.
fn go_on(begun: &Scratch, target: &Options, source: Revision) -> Result<Option<(Connection, Codec)>> {
    begun.check()?;
    let (conn, codec) = connect_to(target)?;
    let db = Db { conn: &conn, codec: &codec, operation: "convert" };
    let same = db.number("SELECT value FROM meta WHERE name = 'converting_from'", ())?;
    Ok((same.unsigned_abs() == source.0).then_some((conn, codec)))
}

fn connect_to(target: &Options) -> Result<(Connection, Codec)> {
    let conn = connect(target)?;
    let codec = unlock(&conn, target)?.codec;
    accept(&conn)?;
    Ok((conn, codec))
}
