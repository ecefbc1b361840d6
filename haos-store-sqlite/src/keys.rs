//! Who can open a store: its keyring, kept as one row.

use haos_store_api::{Codec, Error, ErrorKind, Form, KeyChange, Keyring, Result};
use rusqlite::Connection;

use crate::db::Db;
use crate::migration::SEALED_ID;
use crate::options::SqliteOptions;
use crate::writer::Writer;

/// The codec of a store: plain, or with the keys that the secret opens. A store that holds nothing yet
/// becomes a sealed one if a secret is given.
pub(crate) fn unlock(conn: &Connection, options: &SqliteOptions) -> Result<Codec> {
    let plain = Codec::plain().in_form(Form::Text);
    let db = Db { conn, codec: &plain, operation: "open" };
    let record = db.keyring()?;
    // A store that is resumed has its keys already: nothing is derived anew.
    if let Some(keyring) = options.codec.keyring() {
        let record = record.ok_or_else(not_sealed)?;
        keyring.adopt(&record)?;
        return Ok(options.codec.clone());
    }
    let Some(secret) = &options.secret else {
        return if record.is_some() { Err(sealed()) } else { Ok(plain) };
    };
    let keyring = match record {
        Some(record) => Keyring::unlock_within(&record, secret, options.kdf_limits)?,
        None if db.store_revision()?.0 > 0 => return Err(not_sealed()),
        None => {
            let made = Keyring::create_within(secret, options.kdf, options.kdf_limits)?;
            write_first(db, &made.record()?)?;
            match db.keyring()? {
                Some(record) if record == made.record()? => made,
                Some(record) => Keyring::unlock_within(&record, secret, options.kdf_limits)?,
                None => return Err(not_sealed()),
            }
        }
    };
    Ok(Codec::sealed(keyring).in_form(Form::Text).padded(options.codec.padding()))
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
    if done.is_err() && !db.conn.is_autocommit() {
        // Nothing was written, and the error tells why.
        let _ = db.run("ROLLBACK", ());
    }
    done?;
    // Into the header, where it is found when nothing else can be read.
    db.number("PRAGMA wal_checkpoint(PASSIVE)", ())?;
    db.run("PRAGMA synchronous = NORMAL", ()).map(drop)
}

pub(crate) fn sealed() -> Error {
    Error::new(ErrorKind::Sealed, "open", "the store is sealed: give its passphrase or key")
}

pub(crate) fn not_sealed() -> Error {
    let message = "the store is plain and a key was given: seal it first, or open it without a key";
    Error::new(ErrorKind::NotSealed, "open", message)
}

impl Db<'_> {
    /// The record of the keyring.
    pub(crate) fn keyring(self) -> Result<Option<Vec<u8>>> {
        self.first("SELECT payload FROM keyring WHERE nr = 1", (), |row| Ok(self.bytes(row, 0)?.to_vec()))
    }

    /// Takes over what another process has made of the keyring.
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

    /// Reads, and again if the keys have changed since it began. A row under a key that is not in the
    /// stored keyring either is damaged.
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

impl Writer {
    /// Writes the record that `make` gives, unless it gives none, and takes it over. The old one is
    /// overwritten where it stood.
    pub(crate) fn change_keyring(
        &mut self,
        make: impl FnOnce(&Keyring) -> Result<Option<Vec<u8>>>,
    ) -> Result<()> {
        let Some(keyring) = self.keyring().cloned() else {
            let message = "the store is plain: it has no keys";
            return Err(Error::new(ErrorKind::NotSealed, "keys", message));
        };
        self.db("keys").number("PRAGMA secure_delete = ON", ())?;
        let written = self.transact(|writer| {
            let Some(record) = make(&keyring)? else { return Ok(None) };
            writer.db("keys").run("UPDATE keyring SET payload = ?1 WHERE nr = 1", [&record])?;
            Ok(Some(record))
        });
        self.db("keys").number("PRAGMA secure_delete = OFF", ())?;
        if let Some(record) = written? {
            keyring.adopt(&record)?;
            // As far as readers allow, without waiting for them; the log is reused otherwise.
            let wait = self.db("keys").number("PRAGMA busy_timeout", ())?;
            self.db("keys").number("PRAGMA busy_timeout = 0", ())?;
            let _ = self.db("keys").number("PRAGMA wal_checkpoint(TRUNCATE)", ());
            self.db("keys").number(&format!("PRAGMA busy_timeout = {wait}"), ())?;
        }
        Ok(())
    }

    /// Changes who can open the store; see [`KeyChange`].
    pub(crate) fn change_keys(&mut self, change: &KeyChange) -> Result<()> {
        match self.change_keyring(|keyring| keyring.changed(change).map(Some)) {
            // Its own keyring does not take the record of a shredded store.
            Err(e) if *change == KeyChange::Shred && e.kind() == ErrorKind::WrongKey => Ok(()),
            done => done,
        }
    }
}
