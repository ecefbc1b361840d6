//! Who can open a store: its keyring, in a file of its own, which sled's log would keep for ever.

use std::fs::{self, File};
use std::io::ErrorKind as IoKind;
use std::path::Path;

use haos_store_api::files::{self, Expected};
use haos_store_api::{Codec, Error, ErrorKind, Form, KeyChange, Keyring, Result};

use crate::error::io;
use crate::home::Home;
use crate::options::SledOptions;
use crate::writer::Writer;

/// The codec of a store: plain, or with the keys that the secret opens. A store that is made becomes a
/// sealed one if a secret is given.
pub(crate) fn unlock(home: &Home, options: &SledOptions) -> Result<Codec> {
    let record = read(&home.keyring())?;
    // A store that is resumed has its keys already: nothing is derived anew.
    if let Some(keyring) = options.codec.keyring() {
        keyring.adopt(&record.ok_or_else(not_sealed)?)?;
        return Ok(options.codec.clone());
    }
    let keyring = match (record, &options.secret) {
        (None, None) => return Ok(Codec::plain().in_form(Form::Binary)),
        (Some(_), None) => return Err(sealed()),
        (Some(record), Some(secret)) => Keyring::unlock_within(&record, secret, options.kdf_limits)?,
        (None, Some(_)) if home.sled().exists() => return Err(not_sealed()),
        (None, Some(secret)) => {
            let made = Keyring::create_within(secret, options.kdf, options.kdf_limits)?;
            write(&home.keyring(), &made.record()?)?;
            made
        }
    };
    Ok(Codec::sealed(keyring).in_form(Form::Binary).padded(options.codec.padding()))
}

/// The record of a store's keyring; none in a plain one.
pub(crate) fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(record) => Ok(Some(record)),
        Err(e) if e.kind() == IoKind::NotFound => Ok(None),
        Err(e) => Err(io("open", e)),
    }
}

/// Puts a record in the place of the one before, and writes zeros over that.
pub(crate) fn write(path: &Path, record: &[u8]) -> Result<()> {
    let is_there = files::refuse_odd("keys", path, Expected::File)?;
    let old = is_there.then(|| File::options().write(true).open(path)).and_then(std::io::Result::ok);
    files::replace("keys", path, record)?;
    // It has no name any more: as far as the device allows.
    let _ = old.map(files::overwrite);
    Ok(())
}

fn sealed() -> Error {
    Error::new(ErrorKind::Sealed, "open", "the store is sealed: give its passphrase or key")
}

pub(crate) fn not_sealed() -> Error {
    let message = "the store is plain and a key was given: seal it first, or open it without a key";
    Error::new(ErrorKind::NotSealed, "open", message)
}

impl Writer {
    /// Writes the record that `make` gives, unless it gives none, and takes it over.
    pub(crate) fn change_keyring(
        &mut self,
        make: impl FnOnce(&Keyring) -> Result<Option<Vec<u8>>>,
    ) -> Result<()> {
        let Some(keyring) = self.codec().keyring().cloned() else {
            let message = "the store is plain: it has no keys";
            return Err(Error::new(ErrorKind::NotSealed, "keys", message));
        };
        if let Some(record) = make(&keyring)? {
            write(&self.home().keyring(), &record)?;
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
