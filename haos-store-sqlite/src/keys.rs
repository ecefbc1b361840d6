//! Who can open a store: its keyring, kept as one row.

use haos_store_api::{Codec, Error, ErrorKind, Form, KeyChange, Keyring, Result};
use rusqlite::Connection;

use crate::db::Db;
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
        Some(record) => Keyring::unlock(&record, secret)?,
        None if db.store_revision()?.0 > 0 => return Err(not_sealed()),
        None => {
            let made = Keyring::create(secret, options.kdf)?;
            db.run("PRAGMA synchronous = FULL", ())?;
            db.run(
                "INSERT INTO keyring (nr, payload) VALUES (1, ?1) ON CONFLICT DO NOTHING",
                [made.record()?],
            )?;
            db.run("PRAGMA synchronous = NORMAL", ())?;
            // Another process may have been first.
            match db.keyring()? {
                Some(record) if record == made.record()? => made,
                Some(record) => Keyring::unlock(&record, secret)?,
                None => return Err(db.corrupt("the keyring that was written is not there")),
            }
        }
    };
    Ok(Codec::sealed(keyring).in_form(Form::Text))
}

fn sealed() -> Error {
    Error::new(ErrorKind::Sealed, "open", "the store is sealed: give its passphrase or key")
}

fn not_sealed() -> Error {
    let message = "the store is plain and a key was given: seal it first, or open it without a key";
    Error::new(ErrorKind::NotSealed, "open", message)
}

impl Db<'_> {
    /// The record of the keyring.
    pub(crate) fn keyring(self) -> Result<Option<Vec<u8>>> {
        self.first("SELECT payload FROM keyring WHERE nr = 1", (), |row| Ok(self.bytes(row, 0)?.to_vec()))
    }

    /// Takes over what another process has made of the keyring; says whether it was news.
    pub(crate) fn refresh_keys(self) -> Result<bool> {
        match (self.codec.keyring(), self.keyring()?) {
            (Some(keyring), Some(record)) => keyring.adopt(&record),
            (Some(_), None) => Err(self.corrupt("the keyring is gone")),
            (None, _) => Ok(false),
        }
    }

    /// Reads, and once more if the keys have changed meanwhile.
    pub(crate) fn with_keys<T>(self, read: impl Fn(Self) -> Result<T>) -> Result<T> {
        match read(self) {
            Err(e) if e.kind() == ErrorKind::WrongKey && self.refresh_keys()? => read(self),
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
            // As far as readers allow; the log is reused otherwise.
            let _ = self.db("keys").number("PRAGMA wal_checkpoint(TRUNCATE)", ());
            keyring.adopt(&record)?;
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
