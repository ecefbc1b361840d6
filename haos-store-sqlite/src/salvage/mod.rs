//! The readable part of a damaged store, read page by page: SQLite refuses a table at its first damaged page.
//!
//! No index is read for rows, so that a damaged one costs none; indexes and counters tell how many rows there were.

mod carry;
mod damaged;
mod media;
mod pen;
mod rooms;
mod row;

use std::path::Path;

use haos_store_api::backend::Codec;
use haos_store_api::backend::files::StoreId;
use haos_store_api::backend::native::{self, KeyringPlace, Options, Salvage, corrupt, sealed};
use haos_store_api::{Result, Revision};
use rusqlite::Connection;

use crate::db::Db;
use crate::error::fault;
use crate::keys::unlock;
use crate::migration::SEALED_ID;

use carry::Carry;
use damaged::Damaged;
pub(crate) use damaged::{readable_mark, recognise};

/// Numbers that are left out if the counters are lost, so that none is given twice.
const LEAP: u64 = 1 << 20;

/// A damaged store, about to be carried over.
pub(crate) struct Found {
    /// With the codec of its rows; absent if nothing is readable.
    readable: Option<(Damaged, Codec)>,
    pub(crate) salvage: Salvage,
    /// The store's own id.
    pub(crate) id: Option<StoreId>,
}

impl Found {
    /// Looks into a damaged store, and leaves it unchanged.
    ///
    /// # Errors
    /// `WrongKey`, `Sealed` and `NotSealed`: a store that another user could read is not replaced.
    pub(crate) fn read(options: &Options, app_id: i32) -> Result<Self> {
        let nothing = Self { readable: None, salvage: Salvage::default(), id: None };
        let damaged = match Damaged::open(options.path()) {
            Ok(damaged) => damaged,
            Err(error) => {
                tracing::warn!(%error, "nothing of the damaged store can be read");
                return Ok(nothing);
            }
        };
        let id = damaged.meta.id;
        if app_id == SEALED_ID && damaged.keyring.is_none() {
            tracing::warn!("the keyring of the damaged store cannot be read");
            return if options.secret.is_none() { Err(sealed()) } else { Ok(Self { id, ..nothing }) };
        }
        let codec = native::unlock(&Record(damaged.keyring.clone()), options)?.lenient();
        Ok(Self { readable: Some((damaged, codec)), id, ..nothing })
    }

    /// Writes it into a fresh store.
    pub(crate) fn write(&mut self, conn: &Connection, options: &Options, id: StoreId) -> Result<()> {
        let sql = |e| fault("open", e);
        // Until it is complete, nobody opens it.
        conn.execute_batch("PRAGMA synchronous = OFF").map_err(sql)?;
        let record = self.readable.as_ref().and_then(|(damaged, _)| damaged.keyring.as_ref());
        if let Some(record) = record {
            conn.execute("INSERT INTO keyring (nr, payload) VALUES (1, ?1)", [record]).map_err(sql)?;
            conn.execute_batch(&format!("PRAGMA application_id = {SEALED_ID}")).map_err(sql)?;
        }
        let codec = match &self.readable {
            Some((_, codec)) => codec.clone(),
            None => unlock(conn, options)?,
        };
        let db = Db { conn, codec: &codec, operation: "open" };
        if let Some((damaged, _)) = &self.readable {
            self.salvage.count(damaged.meta.last_seq.unwrap_or(0), damaged.meta.revision());
            Carry::new(db, damaged, &mut self.salvage)?.all()?;
            let leap = if damaged.meta.is_whole() { 0 } else { LEAP };
            self.salvage.last_seq += leap;
            self.salvage.revision.0 += leap;
        }
        // Rows of the outbox that are kept elsewhere join here, by `Salvage::add_pending`, also if nothing is readable.

        // Later than any revision that the damaged store has published.
        let revision = Revision(self.salvage.revision.0 + 1);
        conn.execute_batch("PRAGMA synchronous = FULL").map_err(sql)?;
        db.run("BEGIN IMMEDIATE", ())?;
        carry::finish(db, &self.salvage, revision)?;
        db.set_store_id(id)?;
        db.set_last_seq(self.salvage.last_seq)?;
        db.set_store_revision(revision)?;
        db.set_message_sums(db.sums_of(0, i64::MAX)?)?;
        db.run("COMMIT", ())?;
        Ok(())
    }
}

/// Reads the id of a damaged store.
pub(crate) fn readable_id(path: &Path) -> Option<StoreId> {
    damaged::id(path)
}

/// The record of the keyring of a damaged store.
struct Record(Option<Vec<u8>>);

impl KeyringPlace for Record {
    fn record(&self) -> Result<Option<Vec<u8>>> {
        Ok(self.0.clone())
    }

    fn is_new(&self) -> Result<bool> {
        Ok(false)
    }

    fn store_first(&self, _: &[u8]) -> Result<()> {
        Err(corrupt("open", "a damaged store gets no keyring"))
    }
}
