//! A store's keyring, kept as one row.

use haos_store_api::backend::Keyring;
use haos_store_api::backend::native::{self, KeyringPlace, Mirror, Options, Unlocked};
use haos_store_api::{Error, ErrorKind, Result, Revision};
use rusqlite::Connection;

use crate::companions::MIRROR;
use crate::db::Db;
use crate::migration::{SEALED_ID, application_id};

/// Makes the codec of a store: plain, or with the keys that the secret opens.
pub(crate) fn unlock(conn: &Connection, options: &Options) -> Result<Unlocked> {
    native::unlock(&Db { conn, codec: &options.codec, operation: "open" }, options)
}

impl KeyringPlace for Db<'_> {
    fn record(&self) -> Result<Option<Vec<u8>>> {
        // In this order: another process that seals the store sets both at once.
        let id = application_id(self.conn).map_err(|e| self.fault(e))?;
        match self.keyring()? {
            None if id == SEALED_ID => Err(self.corrupt("the keyring is gone")),
            found => Ok(found),
        }
    }

    fn is_new(&self) -> Result<bool> {
        Ok(self.store_revision()? == Revision::ZERO)
    }

    fn store_first(&self, record: &[u8]) -> Result<()> {
        write_first(*self, record)
    }

    fn copy(&self, options: &Options) -> Option<Vec<u8>> {
        let mirror = Mirror::read(options.path(), MIRROR);
        let is_own = mirror.id() == self.store_id().ok()?;
        mirror.keyring().filter(|_| is_own).map(<[u8]>::to_vec)
    }

    fn restore(&self, record: &[u8]) -> Result<()> {
        self.run("PRAGMA synchronous = FULL", ())?;
        self.run("BEGIN IMMEDIATE", ())?;
        let done = self
            .run("DELETE FROM keyring", ())
            .and_then(|_| self.run("INSERT INTO keyring (nr, payload) VALUES (1, ?1)", [record]))
            .and_then(|_| self.mark())
            .and_then(|()| self.run("COMMIT", ()));
        roll_back_unless(*self, done.is_ok());
        done?;
        self.run("PRAGMA synchronous = NORMAL", ()).map(drop)
    }
}

/// Stores the first keyring, unless another process has written, or was first to seal the store.
fn write_first(db: Db<'_>, record: &[u8]) -> Result<()> {
    db.run("PRAGMA synchronous = FULL", ())?;
    db.run("BEGIN IMMEDIATE", ())?;
    let sql = "INSERT INTO keyring (nr, payload)
               SELECT 1, ?1 FROM meta WHERE name = 'revision' AND value = 0 ON CONFLICT DO NOTHING";
    let done = db.run(sql, [record]).and_then(|written| match written {
        0 => db.run("ROLLBACK", ()),
        _ => db
            .mark()
            .and_then(|()| db.run(&format!("PRAGMA application_id = {SEALED_ID}"), ()))
            .and_then(|_| db.run("COMMIT", ())),
    });
    roll_back_unless(db, done.is_ok());
    done?;
    // Into the header, which can be read when nothing else can.
    db.number("PRAGMA wal_checkpoint(PASSIVE)", ())?;
    db.run("PRAGMA synchronous = NORMAL", ()).map(drop)
}

fn roll_back_unless(db: Db<'_>, done: bool) {
    if !done && !db.conn.is_autocommit() {
        // Nothing was written, and the caller's error tells the reason.
        let _ = db.run("ROLLBACK", ());
    }
}

impl Db<'_> {
    /// Reads the record of the keyring.
    pub(crate) fn keyring(self) -> Result<Option<Vec<u8>>> {
        self.first("SELECT payload FROM keyring WHERE nr = 1", (), |row| Ok(self.bytes(row, 0)?.to_vec()))
    }

    /// Takes over another process's changes of the keyring.
    pub(crate) fn refresh_keys(self) -> Result<()> {
        match (self.codec.keyring(), self.keyring()?) {
            (Some(keyring), Some(record)) => keyring.adopt(&record).map(drop),
            (Some(_), None) => Err(self.corrupt("the keyring is gone")),
            (None, None) => Ok(()),
            (None, Some(_)) => {
                let message = "the store was sealed since it was opened: close it and open it with its key";
                Err(Error::new(ErrorKind::Sealed, self.operation, message))
            }
        }
    }

    /// Reads, and reads again if the keys have changed since it began. A row under a key that is absent from the stored
    /// keyring too is damaged.
    pub(crate) fn with_keys<T>(self, read: impl Fn(Db<'_>) -> Result<T>) -> Result<T> {
        let generation = || self.codec.keyring().map(Keyring::generation);
        let before = generation();
        match read(self) {
            Err(e) if e.kind() == ErrorKind::WrongKey => {
                self.refresh_keys()?;
                let codec = if generation() == before { self.codec.lenient() } else { self.codec.clone() };
                read(Db { codec: &codec, ..self })
            }
            answer => answer,
        }
    }
}
