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

use haos_store_api::backend::files::StoreId;
use haos_store_api::backend::native::{
    self, KeyringPlace, Mirror, Options, Salvage, Unlocked, corrupt, sealed, with_keyring,
};
use haos_store_api::backend::{Codec, Keyring};
use haos_store_api::{Error, Recovery, Result, Revision};
use rusqlite::Connection;

use crate::companions::MIRROR;
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
    /// Absent if nothing is readable.
    damaged: Option<Damaged>,
    /// The second copy of the outbox.
    mirror: Mirror,
    /// The record of the keyring, of the store or of the mirror.
    keyring: Option<Vec<u8>>,
    /// The codec of the rows; absent if neither the store nor its mirror tells.
    codec: Option<Codec>,
    pub(crate) salvage: Salvage,
    /// True if the mirror gave the keyring.
    is_restored: bool,
    /// The store's own id.
    pub(crate) id: Option<StoreId>,
}

impl Found {
    /// Looks into a damaged store, and leaves it unchanged.
    ///
    /// # Errors
    /// `WrongKey`, `Sealed` and `NotSealed`: a store that another user could read is not replaced.
    pub(crate) fn read(options: &Options, app_id: i32) -> Result<Self> {
        let mirror = Mirror::read(options.path(), MIRROR);
        let damaged = Damaged::open(options.path())
            .inspect_err(|error| tracing::warn!(%error, "nothing of the damaged store can be read"))
            .ok();
        let own = damaged.as_ref().and_then(|damaged| damaged.keyring.clone());
        let copy = mirror.keyring().filter(|_| app_id == SEALED_ID).map(<[u8]>::to_vec);
        let is_restored = own.is_none() && copy.is_some();
        let keyring = own.or_else(|| copy.clone());
        let id = damaged.as_ref().and_then(|damaged| damaged.meta.id).or(mirror.id());
        let salvage = Salvage::default();
        let found = Self { damaged, mirror, keyring, codec: None, salvage, is_restored, id };
        if app_id == SEALED_ID && found.keyring.is_none() {
            tracing::warn!("the keyring of the damaged store cannot be read");
            return if options.secret.is_none() {
                Err(sealed())
            } else {
                Ok(Self { damaged: None, ..found })
            };
        }
        if found.damaged.is_none() && found.keyring.is_none() {
            return Ok(found);
        }
        let Unlocked { codec, is_restored } = native::unlock(&Record { own: found.keyring, copy }, options)?;
        let codec = codec.lenient();
        let keyring = codec.keyring().map(Keyring::record).transpose()?;
        let is_restored = is_restored || found.is_restored;
        Ok(Self { codec: Some(codec), keyring, is_restored, ..found })
    }

    /// Writes it into a fresh store.
    pub(crate) fn write(&mut self, conn: &Connection, options: &Options, id: StoreId) -> Result<()> {
        let sql = |e| fault("open", e);
        // Until it is complete, nobody opens it.
        conn.execute_batch("PRAGMA synchronous = OFF").map_err(sql)?;
        if let Some(record) = &self.keyring {
            conn.execute("INSERT INTO keyring (nr, payload) VALUES (1, ?1)", [record]).map_err(sql)?;
            conn.execute_batch(&format!("PRAGMA application_id = {SEALED_ID}")).map_err(sql)?;
        }
        let codec = match &self.codec {
            Some(codec) => codec.clone(),
            None => unlock(conn, options)?.codec,
        };
        let db = Db { conn, codec: &codec, operation: "open" };
        let meta = self.damaged.as_ref().map(|damaged| &damaged.meta);
        let (is_whole, revision) =
            (meta.is_some_and(|meta| meta.is_whole()), meta.map(|meta| meta.revision()));
        if let Some(damaged) = &self.damaged {
            self.salvage.count(damaged.meta.last_seq.unwrap_or(0), damaged.meta.revision());
            Carry::new(db, damaged, &mut self.salvage)?.all()?;
        }
        self.mirror.complete(&mut self.salvage, &codec, self.id, revision.filter(|_| is_whole));
        if self.damaged.is_some() && !is_whole {
            self.salvage.last_seq += LEAP;
            self.salvage.revision.0 += LEAP;
        }
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

    /// Reports the outcome for the store, which was set `aside`.
    pub(crate) fn recovery(&self, aside: &Path, cause: &Error) -> Option<Recovery> {
        with_keyring(Some(self.salvage.recovery(aside, cause)), self.is_restored)
    }
}

/// Reads the id of a damaged store.
pub(crate) fn readable_id(path: &Path) -> Option<StoreId> {
    damaged::id(path)
}

/// The record of the keyring of a damaged store, and the copy in its mirror.
struct Record {
    own: Option<Vec<u8>>,
    copy: Option<Vec<u8>>,
}

impl KeyringPlace for Record {
    fn record(&self) -> Result<Option<Vec<u8>>> {
        Ok(self.own.clone())
    }

    fn is_new(&self) -> Result<bool> {
        Ok(false)
    }

    fn store_first(&self, _: &[u8]) -> Result<()> {
        Err(corrupt("open", "a damaged store gets no keyring"))
    }

    fn copy(&self, _: &Options) -> Option<Vec<u8>> {
        self.copy.clone()
    }
}
