//! What can be read of a damaged store and cannot be fetched again: the outbox, the media it sends and
//! the drafts.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use haos_store_api::files::{self, StoreId};
use haos_store_api::native::Options;
use haos_store_api::{
    ByteRange, Codec, ErrorKind, Media, Pending, Result, Revision, Room, Scope, StateEntry, state_kind,
};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::budget::Budget;
use crate::connection::connection;
use crate::db::{Db, NEXT};
use crate::error::fault;
use crate::keys::unlock;
use crate::migration::{APPLICATION_ID, is_store};

/// What was read.
#[derive(Debug, Default)]
pub(crate) struct Salvage {
    pub(crate) pending: Vec<Pending>,
    /// Outbox rows that an index or the table names and that cannot be read.
    pub(crate) unreadable: u64,
    media: Vec<Media>,
    drafts: Vec<(Option<Room>, StateEntry)>,
    last_seq: u64,
    revision: Revision,
    keyring: Option<Vec<u8>>,
    /// The store's own.
    pub(crate) id: Option<StoreId>,
}

impl Salvage {
    /// Reads what it can and leaves the store as it is. Where that is so damaged that it has to be mended first, a
    /// `copy` is.
    ///
    /// # Errors
    /// `WrongKey` and `Sealed`: a store that somebody else could read is not replaced.
    pub(crate) fn read(options: &Options, copy: &Path) -> Result<Self> {
        let path = options.path();
        let budget = Budget::of(path);
        let conn = connect(path, &budget).or_else(|_| {
            mend(path, copy)?;
            budget.refill();
            connect(copy, &budget)
        });
        let salvage = match conn {
            Ok(conn) => match unlock(&conn, options) {
                Ok(codec) => Self::gather(Db { conn: &conn, codec: &codec, operation: "open" }, &budget),
                Err(e)
                    if matches!(e.kind(), ErrorKind::WrongKey | ErrorKind::Sealed | ErrorKind::NotSealed) =>
                {
                    return Err(e);
                }
                Err(error) => {
                    tracing::warn!(%error, "the keyring of the damaged store cannot be read");
                    Self::default()
                }
            },
            Err(error) => {
                tracing::warn!(%error, "nothing of the damaged store can be read");
                Self::default()
            }
        };
        Ok(salvage)
    }

    fn gather(db: Db<'_>, budget: &Budget) -> Self {
        budget.refill();
        let (keyring, id) = (db.keyring().ok().flatten(), db.store_id().ok().flatten());
        let mut found = Self { keyring, id, ..Self::default() };
        let mut seqs = BTreeSet::new();
        // From either end of the table and through each index: damage cuts off what lies behind it.
        for sql in [
            "SELECT seq FROM pending NOT INDEXED ORDER BY seq",
            "SELECT seq FROM pending NOT INDEXED ORDER BY seq DESC",
            "SELECT seq FROM pending INDEXED BY pending_by_key",
            "SELECT seq FROM pending INDEXED BY pending_by_room",
        ] {
            let _ = db.each(sql, (), |row| {
                seqs.insert(db.int(row, 0)?);
                Ok(NEXT)
            });
            budget.refill();
        }
        for seq in &seqs {
            match db.pending_at(*seq) {
                Ok(Some(row)) => found.pending.push(row),
                _ => found.unreadable += 1,
            }
        }
        budget.refill();
        let keys: BTreeSet<_> = found.pending.iter().flat_map(|row| &row.media).collect();
        found.media = keys.into_iter().filter_map(|key| db.media(key, ByteRange::ALL).ok()?).collect();
        budget.refill();
        let _ = db.each("SELECT nr, key, written, payload, scope, kind FROM state", (), |row| {
            if let Ok(entry) = db.read_state(row)
                && entry.kind.as_str() == state_kind::DRAFT
            {
                let room = match &entry.scope {
                    Scope::Account => None,
                    Scope::Room(id) => db.room(id).ok().flatten().map(|(_, room)| room),
                };
                found.drafts.push((room, entry));
            }
            Ok(NEXT)
        });
        budget.refill();
        let highest = found.pending.iter().map(|row| row.seq).max().unwrap_or_default();
        found.last_seq = db.last_seq().unwrap_or_default().max(highest);
        let latest = found.pending.iter().map(|row| row.revision).max().unwrap_or_default();
        // Later than anything that the damaged store has told anybody.
        found.revision = db.store_revision().unwrap_or_default().max(latest).next();
        found
    }

    /// Writes it into a fresh store, in one transaction.
    pub(crate) fn write(&self, conn: &Connection, options: &Options, id: StoreId) -> Result<()> {
        if let Some(record) = &self.keyring {
            let insert = conn.execute("INSERT INTO keyring (nr, payload) VALUES (1, ?1)", [record]);
            insert.map_err(|e| fault("open", e))?;
        }
        let db = Db { conn, codec: &unlock(conn, options)?, operation: "open" };
        conn.execute_batch("PRAGMA synchronous = FULL").map_err(|e| fault("open", e))?;
        db.run("BEGIN IMMEDIATE", ())?;
        for row in &self.pending {
            db.write_pending(row)?;
        }
        for media in &self.media {
            db.write_media_info(&media.info, self.revision)?;
            db.append_media(&media.info.key, 0, &media.bytes)?;
        }
        for (room, entry) in &self.drafts {
            match (&entry.scope, room) {
                (Scope::Room(_), None) => continue,
                (Scope::Room(id), Some(room)) if db.room_nr(id)?.is_none() => drop(db.insert_room(room)?),
                _ => {}
            }
            db.write_state(entry, self.revision)?;
        }
        db.set_store_id(id)?;
        db.set_last_seq(self.last_seq)?;
        db.set_store_revision(self.revision)?;
        db.run("COMMIT", ())?;
        Ok(())
    }
}

/// The id of a damaged store, where SQLite can still read it.
pub(crate) fn readable_id(path: &Path) -> Option<StoreId> {
    let (conn, codec) = (connect(path, &Budget::of(path)).ok()?, Codec::plain());
    Db { conn: &conn, codec: &codec, operation: "open" }.store_id().ok().flatten()
}

/// A connection that reads past damage and changes nothing, not even by closing.
fn connect(path: &Path, budget: &Budget) -> Result<Connection> {
    let sql = |e| fault("open", e);
    let mut conn = connection(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(sql)?;
    budget.guard(&mut conn, || false)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(sql)?;
    // SQLite refuses a file that is cut short unless it is told to repair it.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false).map_err(sql)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_WRITABLE_SCHEMA, true).map_err(sql)?;
    conn.execute_batch("PRAGMA query_only = ON").map_err(sql)?;
    conn.prepare("SELECT seq FROM pending").map_err(sql)?;
    Ok(conn)
}

/// A copy of the database without its log, with the header that every store begins with.
fn mend(path: &Path, copy: &Path) -> Result<()> {
    let io = |e: std::io::Error| {
        haos_store_api::Error::io("open", "a copy of the damaged store cannot be made", e)
    };
    let mut file = files::create(copy).map_err(io)?;
    std::io::copy(&mut File::open(path).map_err(io)?, &mut file).map_err(io)?;
    file.seek(SeekFrom::Start(0)).map_err(io)?;
    let mut header = [0; 100];
    file.read_exact(&mut header).map_err(io)?;
    let pages = file.metadata().map_err(io)?.len() / 4096;
    rewrite(&mut header, u32::try_from(pages).unwrap_or(u32::MAX));
    file.seek(SeekFrom::Start(0)).map_err(io)?;
    file.write_all(&header).map_err(io)
}

/// Sets what is the same in every store of ours; see <https://sqlite.org/fileformat2.html#the_database_header>.
fn rewrite(header: &mut [u8; 100], pages: u32) {
    header[..16].copy_from_slice(b"SQLite format 3\0");
    // Page size 4096, no log, no reserved bytes, fractions 64, 32 and 32.
    header[16..24].copy_from_slice(&[0x10, 0x00, 1, 1, 0, 64, 32, 32]);
    header[28..32].copy_from_slice(&pages.to_be_bytes());
    // No free pages are needed to read; schema format 4; UTF-8.
    header[32..40].fill(0);
    header[44..48].copy_from_slice(&4_u32.to_be_bytes());
    header[56..60].copy_from_slice(&1_u32.to_be_bytes());
    let id = i32::from_be_bytes([header[68], header[69], header[70], header[71]]);
    let id = if is_store(id) { id } else { APPLICATION_ID };
    header[68..72].copy_from_slice(&id.to_be_bytes());
    // The page count is valid for this change counter.
    header.copy_within(24..28, 92);
}
