//! The readable part of a damaged store that cannot be fetched again: the outbox, the media it sends and the drafts.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use haos_store_api::backend::Codec;
use haos_store_api::backend::files::{self, StoreId};
use haos_store_api::backend::native::{self, KeyringPlace, Mirror, Options, Salvage};
use haos_store_api::{ByteRange, ErrorKind, Result};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::budget::Budget;
use crate::companions::MIRROR;
use crate::connection::connection;
use crate::db::{Db, NEXT};
use crate::error::fault;
use crate::keys::unlock;
use crate::migration::{APPLICATION_ID, is_store};
use crate::rows::{RoomNumbers, SqlRows};

/// The readable part of a file.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) salvage: Salvage,
    keyring: Option<Vec<u8>>,
    /// The store's own id.
    pub(crate) id: Option<StoreId>,
}

impl Found {
    /// Reads as much as possible and leaves the store unchanged. A store that must be mended before it can be read is
    /// copied to `copy`, and mended there.
    ///
    /// # Errors
    /// `WrongKey` and `Sealed`: a store that another user could read is not replaced.
    pub(crate) fn read(options: &Options, copy: &Path) -> Result<Self> {
        let path = options.path();
        let (budget, mirror) = (Budget::of(path), Mirror::read(path, MIRROR));
        let conn = connect(path, &budget).or_else(|_| {
            mend(path, copy)?;
            budget.refill();
            connect(copy, &budget)
        });
        let salvage = match conn {
            Ok(conn) => match unlock(&conn, options) {
                Ok(codec) => {
                    Self::gather(Db { conn: &conn, codec: &codec, operation: "open" }, &budget, &mirror)
                }
                // Its record is cut off: the mirror has another copy.
                Err(e) if e.kind() == ErrorKind::NotSealed && mirror.keyring().is_some() => {
                    let keyring = mirror.keyring().map(<[u8]>::to_vec);
                    let codec = native::unlock(&OfMirror(keyring.clone()), options)?;
                    let db = Db { conn: &conn, codec: &codec, operation: "open" };
                    Self { keyring, ..Self::gather(db, &budget, &mirror) }
                }
                Err(e)
                    if matches!(e.kind(), ErrorKind::WrongKey | ErrorKind::Sealed | ErrorKind::NotSealed) =>
                {
                    return Err(e);
                }
                Err(error) => {
                    tracing::warn!(%error, "the keyring of the damaged store cannot be read");
                    Self::of_mirror(&mirror, options)?
                }
            },
            Err(error) => {
                tracing::warn!(%error, "nothing of the damaged store can be read");
                Self::of_mirror(&mirror, options)?
            }
        };
        Ok(salvage)
    }

    /// Takes the outbox from its mirror alone.
    ///
    /// # Errors
    /// `WrongKey` and `Sealed`.
    fn of_mirror(mirror: &Mirror, options: &Options) -> Result<Self> {
        let (keyring, id) = (mirror.keyring().map(<[u8]>::to_vec), mirror.id());
        let mut salvage = Salvage::default();
        let codec = native::unlock(&OfMirror(keyring.clone()), options)?;
        mirror.complete(&mut salvage, &codec, None, None);
        // Later than any revision that the damaged store is known to have published.
        salvage.revision = salvage.revision.next();
        Ok(Self { salvage, keyring, id })
    }

    fn gather(db: Db<'_>, budget: &Budget, mirror: &Mirror) -> Self {
        budget.refill();
        let (keyring, id) = (db.keyring().ok().flatten(), db.store_id().ok().flatten());
        let mut found = Salvage::default();
        let mut seqs = BTreeSet::new();
        // From either end of the table and through each index: damage cuts off the rows behind it.
        for sql in [
            "SELECT seq FROM pending NOT INDEXED ORDER BY seq",
            "SELECT seq FROM pending NOT INDEXED ORDER BY seq DESC",
            "SELECT seq FROM pending INDEXED BY pending_by_key",
            "SELECT seq FROM pending INDEXED BY pending_by_room",
        ] {
            let _ = db.each(sql, (), |row| {
                seqs.insert(db.int(row, 0)?.cast_unsigned());
                Ok(NEXT)
            });
            budget.refill();
        }
        found.read_pending(&seqs, |seq| db.pending_at(seq.cast_signed()));
        mirror.complete(&mut found, db.codec, id, db.store_revision().ok());
        budget.refill();
        found.read_media(|key| db.media(key, ByteRange::ALL));
        budget.refill();
        let _ = db.each("SELECT nr, key, written, payload, scope, kind FROM state", (), |row| {
            if let Ok(entry) = db.read_state(row) {
                found.keep_draft(entry, |id| Ok(db.room(id)?.map(|(_, room)| room)));
            }
            Ok(NEXT)
        });
        budget.refill();
        found.count(db.last_seq().unwrap_or_default(), db.store_revision().unwrap_or_default());
        // Later than any revision that the damaged store has published.
        found.revision = found.revision.next();
        Self { salvage: found, keyring, id }
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
        let (salvage, mut numbers) = (&self.salvage, RoomNumbers::new());
        salvage.write(&mut SqlRows::new(db, &mut numbers, salvage.revision))?;
        db.set_store_id(id)?;
        db.set_last_seq(salvage.last_seq)?;
        db.set_store_revision(salvage.revision)?;
        db.run("COMMIT", ())?;
        Ok(())
    }
}

/// The keyring in the mirror of a store whose own cannot be read.
struct OfMirror(Option<Vec<u8>>);

impl KeyringPlace for OfMirror {
    fn record(&self) -> Result<Option<Vec<u8>>> {
        Ok(self.0.clone())
    }

    /// A store without a mirror is given up, and its place is a new one's.
    fn is_new(&self) -> Result<bool> {
        Ok(self.0.is_none())
    }

    fn store_first(&self, _: &[u8]) -> Result<()> {
        Ok(())
    }
}

/// Reads the id of a damaged store, if SQLite can still read it.
pub(crate) fn readable_id(path: &Path) -> Option<StoreId> {
    let (conn, codec) = (connect(path, &Budget::of(path)).ok()?, Codec::plain());
    Db { conn: &conn, codec: &codec, operation: "open" }.store_id().ok().flatten()
}

/// Opens a connection that reads past damage and changes nothing, not even by closing.
fn connect(path: &Path, budget: &Budget) -> Result<Connection> {
    let sql = |e| fault("open", e);
    let mut conn = connection(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(sql)?;
    budget.guard(&mut conn, || false)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(sql)?;
    // SQLite refuses a truncated file unless it is told to repair it.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false).map_err(sql)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_WRITABLE_SCHEMA, true).map_err(sql)?;
    conn.execute_batch("PRAGMA query_only = ON").map_err(sql)?;
    conn.prepare("SELECT seq FROM pending").map_err(sql)?;
    Ok(conn)
}

/// Copies the database without its log, with the header that every store begins with.
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

/// Sets the fields that all our stores share; see <https://sqlite.org/fileformat2.html#the_database_header>.
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
